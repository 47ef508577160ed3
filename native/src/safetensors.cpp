// Implementation of safetensors.hpp.
#include "safetensors.hpp"

#include <ggml.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "errors.hpp"
#include "files.hpp"

namespace preflexor {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  Reader(const std::string& path, const std::string& code)
      : path_(path), code_(code), file_(path) {}

  SafeTensorsFile read() {
    const Json header = readHeader();
    SafeTensorsFile result;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        readMetadata(entry, result);
      } else {
        result.tensors[name] = readTensor(name, entry);
      }
    }
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw TrainerError(code_, "The file " + path_ + " is no valid safetensors file: " + why + ".",
                       "Copy or export it again.");
  }

  Json readHeader() {
    if (file_.size() < 8) fail("it is too short");
    std::uint64_t length = 0;
    std::memcpy(&length, file_.data(), 8);
    if (length > file_.size() - 8) fail("its header is longer than the file");
    const auto* begin = reinterpret_cast<const char*>(file_.data()) + 8;
    Json header = Json::parse(begin, begin + length, nullptr, false);
    if (!header.is_object()) fail("its header is no JSON object");
    data_ = file_.data() + 8 + length;
    dataSize_ = file_.size() - 8 - length;
    return header;
  }

  void readMetadata(const Json& entry, SafeTensorsFile& result) const {
    if (!entry.is_object()) fail("its metadata is no JSON object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) fail("its metadata holds something else than text");
      result.metadata[key] = value.get<std::string>();
    }
  }

  SafeTensor readTensor(const std::string& name, const Json& entry) const {
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() ||
        !entry.contains("shape") || !entry["shape"].is_array() || !entry.contains("data_offsets") ||
        !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2) {
      fail("the entry of " + name + " is malformed");
    }
    SafeTensor tensor;
    std::uint64_t elements = 1;
    for (const Json& length : entry["shape"]) {
      if (!length.is_number_unsigned()) fail("the shape of " + name + " is malformed");
      const auto value = length.get<std::uint64_t>();
      if (value != 0 && elements > dataSize_ / value) fail(name + " is larger than the file");
      elements *= value;
      tensor.shape.push_back(static_cast<int64_t>(value));
    }
    const Json& offsets = entry["data_offsets"];
    if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
      fail("the offsets of " + name + " are malformed");
    }
    const auto begin = offsets[0].get<std::uint64_t>();
    const auto end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > dataSize_) fail(name + " lies beyond the end of the file");
    readValues(name, entry["dtype"].get<std::string>(), elements, begin, end, tensor);
    return tensor;
  }

  void readValues(const std::string& name, const std::string& type, std::uint64_t elements,
                  std::uint64_t begin, std::uint64_t end, SafeTensor& tensor) const {
    const size_t size = type == "F64" ? 8 : type == "F32" ? 4 : 2;
    if (type != "F64" && type != "F32" && type != "F16" && type != "BF16") {
      fail(name + " has the type " + type + ", which is not F32, F16 or BF16");
    }
    if (elements > dataSize_ || end - begin != elements * size) {
      fail("the length of " + name + " does not fit its shape");
    }
    const std::uint8_t* source = data_ + begin;
    if (type == "F64") {
      tensor.doubles.resize(elements);
      if (elements > 0) std::memcpy(tensor.doubles.data(), source, elements * size);
      return;
    }
    tensor.floats.resize(elements);
    if (elements == 0) return;
    if (type == "F32") {
      std::memcpy(tensor.floats.data(), source, elements * size);
      return;
    }
    // The data may start at any byte, so halves are copied out before they are read.
    std::vector<std::uint16_t> halves(elements);
    std::memcpy(halves.data(), source, elements * size);
    const auto count = static_cast<int64_t>(elements);
    if (type == "F16") {
      ggml_fp16_to_fp32_row(halves.data(), tensor.floats.data(), count);
    } else {
      ggml_bf16_to_fp32_row(reinterpret_cast<const ggml_bf16_t*>(halves.data()),
                            tensor.floats.data(), count);
    }
  }

  std::string path_;
  std::string code_;
  MappedFile file_;
  const std::uint8_t* data_ = nullptr;
  std::uint64_t dataSize_ = 0;
};

}  // namespace

SafeTensorsFile readSafeTensors(const std::string& path, const std::string& code) {
  return Reader(path, code).read();
}

namespace {

template <typename Value>
std::string_view bytesOf(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

std::map<std::string, TensorSource> sourcesOf(const SafeTensorsFile& file) {
  std::map<std::string, TensorSource> sources;
  for (const auto& [name, tensor] : file.tensors) {
    const SafeTensor& values = tensor;
    sources[name] = {values.shape, !values.doubles.empty(), [&values](const Sink& write) {
                       write(bytesOf(values.doubles));
                       write(bytesOf(values.floats));
                     }};
  }
  return sources;
}

/** Length and header. */
std::string headOf(const std::map<std::string, std::string>& metadata,
                   const std::map<std::string, TensorSource>& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    size_t size = tensor.isDouble ? sizeof(double) : sizeof(float);
    for (const int64_t length : tensor.shape) size *= static_cast<size_t>(length);
    header[name] = {{"dtype", tensor.isDouble ? "F64" : "F32"},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string out(8, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(out.data(), &length, 8);
  return out + text;
}

}  // namespace

std::string writeSafeTensors(const SafeTensorsFile& file) {
  const auto sources = sourcesOf(file);
  std::string out = headOf(file.metadata, sources);
  for (const auto& [name, source] : sources) {
    source.write([&](std::string_view bytes) { out += bytes; });
  }
  return out;
}

void writeSafeTensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                      const std::map<std::string, TensorSource>& tensors) {
  writeFileAtomically(path, [&](const Sink& write) {
    write(headOf(metadata, tensors));
    for (const auto& [name, source] : tensors) source.write(write);
  });
}

}  // namespace preflexor
