// Reads a GGUF file (versions 2 and 3, little-endian): metadata and where each tensor's bytes lie.
// Total: any bytes give a file or a TrainerError, never a crash. Knows no architecture.
#pragma once

#include <ggml.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "files.hpp"

namespace preflexor {

/** A tensor as the file holds it; `ne` in ggml's order, ne[0] is the fastest axis. */
struct GgufTensor {
  std::string name;
  ggml_type type = GGML_TYPE_F32;
  std::array<int64_t, 4> ne = {1, 1, 1, 1};
  const std::uint8_t* data = nullptr;  ///< inside the mapped file

  int64_t rows() const { return ne[1] * ne[2] * ne[3]; }
};

/** A metadata value; of arrays only the length is kept. */
struct GgufArray {
  std::uint64_t length = 0;
};
using GgufValue = std::variant<std::int64_t, double, bool, std::string, GgufArray>;

class GgufFile {
 public:
  /** Maps and checks the file. @throws TrainerError "file", "bad-model" */
  explicit GgufFile(const std::string& path);

  const std::string& path() const { return path_; }
  size_t bytes() const { return file_.size(); }
  /** Changes when the metadata, the tensor table or the file's size changes. */
  std::uint64_t identity() const { return identity_; }

  /** Of every byte of the file; reads it whole. */
  std::uint64_t contentHash() const;

  const GgufTensor* findTensor(const std::string& name) const;
  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }

  std::optional<std::string> text(const std::string& key) const;
  std::optional<std::int64_t> integer(const std::string& key) const;
  /** A floating-point value; whole numbers count as such. */
  std::optional<double> number(const std::string& key) const;
  std::optional<std::uint64_t> arrayLength(const std::string& key) const;

 private:
  std::string path_;
  MappedFile file_;
  std::map<std::string, GgufValue> metadata_;
  std::map<std::string, GgufTensor> tensors_;
  std::uint64_t identity_ = 0;
};

}  // namespace preflexor
