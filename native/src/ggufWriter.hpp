// Writes GGUF version 3 files: metadata and F32 or quantised tensors, in the order they are added.
#pragma once

#include <ggml.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace preflexor {

class GgufWriter {
 public:
  void addText(const std::string& key, const std::string& value);
  void addUnsigned(const std::string& key, std::uint32_t value);
  void addFloat(const std::string& key, float value);
  void addTexts(const std::string& key, const std::vector<std::string>& values);
  void addFloatList(const std::string& key, const std::vector<float>& values);
  void addIntegers(const std::string& key, const std::vector<std::int32_t>& values);

  /** @param ne ggml order @param bytes exactly what ggml_row_size × rows asks for */
  void addTensor(const std::string& name, ggml_type type, const std::vector<int64_t>& ne,
                 std::string bytes);
  void addFloats(const std::string& name, const std::vector<int64_t>& ne,
                 const std::vector<float>& values);

  /** The whole file. */
  std::string finish() const;

 private:
  struct Tensor {
    std::string name;
    ggml_type type;
    std::vector<int64_t> ne;
    std::string bytes;
  };
  void beginArray(const std::string& key, std::uint32_t kind, size_t length);

  std::string metadata_;
  std::uint64_t valueCount_ = 0;
  std::vector<Tensor> tensors_;
};

}  // namespace preflexor
