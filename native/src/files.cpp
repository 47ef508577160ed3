// POSIX implementation of files.hpp.
#include "files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "errors.hpp"

namespace preflexor {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path, int error) {
  throw TrainerError("file", what + " " + path + ": " + std::strerror(error) + ".",
                     "Check that the path is right, readable and writable, and the disk not full.");
}

/** Closes a file descriptor at the end of a scope. */
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

void writeAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("Cannot write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) fail("Cannot open", path, errno);
  struct stat information{};
  if (::fstat(file.value, &information) != 0) fail("Cannot inspect", path, errno);
  if (!S_ISREG(information.st_mode)) fail("Cannot map", path, EINVAL);
  if (information.st_size == 0) {
    throw TrainerError("file", "The file " + path + " is empty.", "Download or write it again.");
  }
  size_ = static_cast<std::size_t>(information.st_size);
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.value, 0);
  if (mapped == MAP_FAILED) fail("Cannot map", path, errno);
  data_ = static_cast<const std::uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

std::string readWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("Cannot open", path, errno);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad()) fail("Cannot read", path, errno);
  return bytes.str();
}

void writeFileAtomically(const std::string& path, std::string_view bytes) {
  writeFileAtomically(path, [&](const Sink& write) { write(bytes); });
}

void writeFileAtomically(const std::string& path, const std::function<void(const Sink&)>& produce) {
  const std::string temporary = path + ".tmp";
  {
    const Descriptor file{
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.value < 0) fail("Cannot create", temporary, errno);
    produce([&](std::string_view bytes) { writeAll(file.value, bytes, temporary); });
    if (::fsync(file.value) != 0) fail("Cannot flush", temporary, errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("Cannot rename to", path, errno);
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const Descriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  // Some file systems cannot flush a folder; the rename itself is atomic all the same.
  if (directory.value >= 0) ::fsync(directory.value);
}

void makeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail("Cannot make the folder", path, error.value());
}

std::uint64_t fingerprintWords(const std::uint8_t* data, std::size_t size) {
  // Eight lanes, so that the multiplications overlap: as fast as the file can be read.
  constexpr std::size_t lanes = 8;
  constexpr std::size_t block = lanes * sizeof(std::uint64_t);
  std::uint64_t hashes[lanes];
  for (std::size_t lane = 0; lane < lanes; ++lane) hashes[lane] = 14695981039346656037ULL + lane;
  std::size_t position = 0;
  for (; position + block <= size; position += block) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      std::uint64_t word;
      std::memcpy(&word, data + position + lane * sizeof(word), sizeof(word));
      hashes[lane] = (hashes[lane] ^ word) * 1099511628211ULL;
      hashes[lane] ^= hashes[lane] >> 29;
    }
  }
  const auto* rest = reinterpret_cast<const char*>(data + position);
  return fingerprint({reinterpret_cast<const char*>(hashes), sizeof(hashes)}) ^
         fingerprint({rest, size - position}) ^ size;
}

std::uint64_t fingerprint(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 1099511628211ULL;
  }
  return hash;
}

}  // namespace preflexor
