// Implementation of files.hpp; mapping and atomic writes are in systemPosix.cpp and
// systemWindows.cpp.
#include "files.hpp"

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

}  // namespace

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
