// Reads and writes safetensors files (8 bytes length, JSON header, raw data). F32, F16 and BF16
// are read as float; F32 and F64 are written. Total: any bytes give a file or a TrainerError.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "files.hpp"

namespace preflexor {

struct SafeTensor {
  std::vector<int64_t> shape;   ///< PyTorch's order, the last axis is the fastest
  std::vector<float> floats;    ///< values of an F32, F16 or BF16 tensor
  std::vector<double> doubles;  ///< values of an F64 tensor
};

struct SafeTensorsFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, SafeTensor> tensors;
};

/** @throws TrainerError "file", or `code` when the bytes are no valid safetensors file */
SafeTensorsFile readSafeTensors(const std::string& path, const std::string& code);

/** The bytes of a file; the same content gives the same bytes. */
std::string writeSafeTensors(const SafeTensorsFile& file);

/** A tensor whose values are fetched when their turn to be written has come. */
struct TensorSource {
  std::vector<int64_t> shape;
  bool isDouble = false;  ///< F64, else F32
  std::function<void(const Sink&)> write;
};

/** Writes a file with one tensor in memory at a time. @throws TrainerError "file" */
void writeSafeTensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                      const std::map<std::string, TensorSource>& tensors);

}  // namespace preflexor
