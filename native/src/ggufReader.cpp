// Implementation of ggufReader.hpp. Every count and offset is compared with what the file can hold
// before it is used; nothing is allocated on the word of the file alone.
#include "ggufReader.hpp"

#include <cstring>
#include <limits>

#include "errors.hpp"

namespace preflexor {
namespace {

enum class Kind : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  text = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12
};

/** Bytes of one value of a fixed-size kind; 0 for text, arrays and unknown kinds. */
size_t sizeOf(Kind kind) {
  switch (kind) {
    case Kind::u8:
    case Kind::i8:
    case Kind::boolean:
      return 1;
    case Kind::u16:
    case Kind::i16:
      return 2;
    case Kind::u32:
    case Kind::i32:
    case Kind::f32:
      return 4;
    case Kind::u64:
    case Kind::i64:
    case Kind::f64:
      return 8;
    case Kind::text:
    case Kind::array:
      break;
  }
  return 0;
}

class Cursor {
 public:
  Cursor(const std::uint8_t* data, size_t size, const std::string& path)
      : data_(data), size_(size), path_(path) {}

  [[noreturn]] void fail(const std::string& why) const {
    throw TrainerError("bad-model", "The file " + path_ + " is no valid GGUF file: " + why + ".",
                       "Download the file again and compare its sha256.");
  }

  template <typename Number>
  Number read() {
    if (size_ - position_ < sizeof(Number)) fail("it ends too early");
    Number value;
    std::memcpy(&value, data_ + position_, sizeof(Number));
    position_ += sizeof(Number);
    return value;
  }

  std::string readText() {
    const auto length = read<std::uint64_t>();
    if (length > size_ - position_) fail("a text is longer than the file");
    std::string text(reinterpret_cast<const char*>(data_ + position_), length);
    position_ += length;
    return text;
  }

  void skip(std::uint64_t bytes) {
    if (bytes > size_ - position_) fail("a value is longer than the file");
    position_ += bytes;
  }

  GgufValue readValue() {
    const auto kind = static_cast<Kind>(read<std::uint32_t>());
    switch (kind) {
      case Kind::u8:
        return static_cast<std::int64_t>(read<std::uint8_t>());
      case Kind::i8:
        return static_cast<std::int64_t>(read<std::int8_t>());
      case Kind::u16:
        return static_cast<std::int64_t>(read<std::uint16_t>());
      case Kind::i16:
        return static_cast<std::int64_t>(read<std::int16_t>());
      case Kind::u32:
        return static_cast<std::int64_t>(read<std::uint32_t>());
      case Kind::i32:
        return static_cast<std::int64_t>(read<std::int32_t>());
      case Kind::u64:
        return static_cast<std::int64_t>(read<std::uint64_t>());
      case Kind::i64:
        return read<std::int64_t>();
      case Kind::f32:
        return static_cast<double>(read<float>());
      case Kind::f64:
        return read<double>();
      case Kind::boolean:
        return read<std::uint8_t>() != 0;
      case Kind::text:
        return readText();
      case Kind::array:
        return readArray();
    }
    fail("a metadata value has an unknown type");
  }

  size_t position() const { return position_; }
  size_t remaining() const { return size_ - position_; }

 private:
  GgufArray readArray() {
    const auto kind = static_cast<Kind>(read<std::uint32_t>());
    const auto length = read<std::uint64_t>();
    if (kind == Kind::text) {
      if (length > remaining() / sizeof(std::uint64_t)) fail("a list is longer than the file");
      for (std::uint64_t index = 0; index < length; ++index) skip(read<std::uint64_t>());
      return {length};
    }
    const size_t size = sizeOf(kind);
    if (size == 0) fail("a list has an unknown type");
    if (length > remaining() / size) fail("a list is longer than the file");
    skip(length * size);
    return {length};
  }

  const std::uint8_t* data_;
  size_t size_;
  size_t position_ = 0;
  const std::string& path_;
};

struct TensorEntry {
  GgufTensor tensor;
  std::uint64_t offset = 0;
};

TensorEntry readTensorEntry(Cursor& cursor) {
  TensorEntry entry;
  entry.tensor.name = cursor.readText();
  const auto dimensions = cursor.read<std::uint32_t>();
  if (dimensions == 0 || dimensions > 4) cursor.fail("a tensor has no or too many dimensions");
  std::int64_t elements = 1;
  for (std::uint32_t axis = 0; axis < dimensions; ++axis) {
    const auto length = cursor.read<std::uint64_t>();
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 256;
    if (length == 0 || length > static_cast<std::uint64_t>(most / elements)) {
      cursor.fail("a tensor has an impossible size");
    }
    entry.tensor.ne[axis] = static_cast<std::int64_t>(length);
    elements *= entry.tensor.ne[axis];
  }
  const auto type = cursor.read<std::uint32_t>();
  if (type >= GGML_TYPE_COUNT || ggml_blck_size(static_cast<ggml_type>(type)) == 0) {
    cursor.fail("tensor " + entry.tensor.name + " has the unknown type " + std::to_string(type));
  }
  entry.tensor.type = static_cast<ggml_type>(type);
  if (entry.tensor.ne[0] % ggml_blck_size(entry.tensor.type) != 0) {
    cursor.fail("tensor " + entry.tensor.name + " has rows that do not fill their blocks");
  }
  entry.offset = cursor.read<std::uint64_t>();
  return entry;
}

}  // namespace

GgufFile::GgufFile(const std::string& path) : path_(path), file_(path) {
  Cursor cursor(file_.data(), file_.size(), path_);
  if (cursor.read<std::uint32_t>() != 0x46554747) cursor.fail("it does not begin with GGUF");
  const auto version = cursor.read<std::uint32_t>();
  if (version < 2 || version > 3) {
    cursor.fail("version " + std::to_string(version) + " is not 2 or 3");
  }
  const auto tensorCount = cursor.read<std::uint64_t>();
  const auto valueCount = cursor.read<std::uint64_t>();
  // The shortest value takes 13 bytes and the shortest tensor entry 32.
  if (valueCount > cursor.remaining() / 13) cursor.fail("it promises more values than it holds");
  for (std::uint64_t index = 0; index < valueCount; ++index) {
    std::string key = cursor.readText();
    GgufValue value = cursor.readValue();
    if (!metadata_.emplace(std::move(key), std::move(value)).second) {
      cursor.fail("a metadata key occurs twice");
    }
  }
  if (tensorCount > cursor.remaining() / 32) cursor.fail("it promises more tensors than it holds");
  std::vector<TensorEntry> entries;
  for (std::uint64_t index = 0; index < tensorCount; ++index) {
    entries.push_back(readTensorEntry(cursor));
  }
  const std::int64_t alignment = integer("general.alignment").value_or(32);
  if (alignment < 1 || alignment > 65536 || (alignment & (alignment - 1)) != 0) {
    cursor.fail("its alignment is no power of two up to 65536");
  }
  const auto mask = static_cast<size_t>(alignment - 1);
  const size_t start = (cursor.position() + mask) & ~mask;
  for (TensorEntry& entry : entries) {
    GgufTensor& tensor = entry.tensor;
    const size_t size =
        ggml_row_size(tensor.type, tensor.ne[0]) * static_cast<size_t>(tensor.rows());
    if (entry.offset % static_cast<size_t>(alignment) != 0) {
      cursor.fail("tensor " + tensor.name + " is not aligned");
    }
    if (start > file_.size() || entry.offset > file_.size() - start ||
        size > file_.size() - start - entry.offset) {
      cursor.fail("tensor " + tensor.name + " lies beyond its end");
    }
    tensor.data = file_.data() + start + entry.offset;
    const std::string name = tensor.name;
    if (!tensors_.emplace(name, std::move(tensor)).second) cursor.fail("a tensor occurs twice");
  }
  const std::string_view head(reinterpret_cast<const char*>(file_.data()), cursor.position());
  identity_ = fingerprint(head) ^ (file_.size() * 0x9e3779b97f4a7c15ULL);
}

std::uint64_t GgufFile::contentHash() const {
  return fingerprintWords(file_.data(), file_.size());
}

const GgufTensor* GgufFile::findTensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::optional<std::string> GgufFile::text(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  const auto* value = std::get_if<std::string>(&found->second);
  return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
}

std::optional<std::int64_t> GgufFile::integer(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  const auto* value = std::get_if<std::int64_t>(&found->second);
  return value == nullptr ? std::nullopt : std::optional<std::int64_t>(*value);
}

std::optional<double> GgufFile::number(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  if (const auto* value = std::get_if<double>(&found->second)) return *value;
  if (const auto* whole = std::get_if<std::int64_t>(&found->second)) {
    return static_cast<double>(*whole);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> GgufFile::arrayLength(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  const auto* value = std::get_if<GgufArray>(&found->second);
  return value == nullptr ? std::nullopt : std::optional<std::uint64_t>(value->length);
}

}  // namespace preflexor
