// Implementation of ggufWriter.hpp.
#include "ggufWriter.hpp"

#include <cstring>
#include <utility>

namespace preflexor {
namespace {

constexpr size_t alignment = 32;

template <typename Number>
void append(std::string& out, Number value) {
  char bytes[sizeof(Number)];
  std::memcpy(bytes, &value, sizeof(Number));
  out.append(bytes, sizeof(Number));
}

void appendText(std::string& out, const std::string& text) {
  append(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

void pad(std::string& out) {
  out.append((alignment - out.size() % alignment) % alignment, '\0');
}

}  // namespace

void GgufWriter::addText(const std::string& key, const std::string& value) {
  appendText(metadata_, key);
  append(metadata_, std::uint32_t{8});
  appendText(metadata_, value);
  ++valueCount_;
}

void GgufWriter::addUnsigned(const std::string& key, std::uint32_t value) {
  appendText(metadata_, key);
  append(metadata_, std::uint32_t{4});
  append(metadata_, value);
  ++valueCount_;
}

void GgufWriter::addFloat(const std::string& key, float value) {
  appendText(metadata_, key);
  append(metadata_, std::uint32_t{6});
  append(metadata_, value);
  ++valueCount_;
}

void GgufWriter::addTexts(const std::string& key, const std::vector<std::string>& values) {
  beginArray(key, std::uint32_t{8}, values.size());
  for (const std::string& value : values) appendText(metadata_, value);
}

void GgufWriter::addFloatList(const std::string& key, const std::vector<float>& values) {
  beginArray(key, std::uint32_t{6}, values.size());
  for (const float value : values) append(metadata_, value);
}

void GgufWriter::addIntegers(const std::string& key, const std::vector<std::int32_t>& values) {
  beginArray(key, std::uint32_t{5}, values.size());
  for (const std::int32_t value : values) append(metadata_, value);
}

void GgufWriter::beginArray(const std::string& key, std::uint32_t kind, size_t length) {
  appendText(metadata_, key);
  append(metadata_, std::uint32_t{9});
  append(metadata_, kind);
  append(metadata_, static_cast<std::uint64_t>(length));
  ++valueCount_;
}

void GgufWriter::addTensor(const std::string& name, ggml_type type, const std::vector<int64_t>& ne,
                           std::string bytes) {
  tensors_.push_back({name, type, ne, std::move(bytes)});
}

void GgufWriter::addFloats(const std::string& name, const std::vector<int64_t>& ne,
                           const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  addTensor(name, GGML_TYPE_F32, ne, std::move(bytes));
}

std::string GgufWriter::finish() const {
  std::string out = "GGUF";
  append(out, std::uint32_t{3});
  append(out, static_cast<std::uint64_t>(tensors_.size()));
  append(out, valueCount_);
  out += metadata_;
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    appendText(out, tensor.name);
    append(out, static_cast<std::uint32_t>(tensor.ne.size()));
    for (const int64_t length : tensor.ne) append(out, static_cast<std::uint64_t>(length));
    append(out, static_cast<std::uint32_t>(tensor.type));
    append(out, offset);
    offset += (tensor.bytes.size() + alignment - 1) / alignment * alignment;
  }
  pad(out);
  for (const Tensor& tensor : tensors_) {
    out += tensor.bytes;
    pad(out);
  }
  return out;
}

}  // namespace preflexor
