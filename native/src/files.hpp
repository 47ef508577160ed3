// Files: read-only memory mapping, whole reads, and writes that are complete or not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace preflexor {

/** A whole file mapped read-only; the pages are shared with every other process that maps it. */
class MappedFile {
 public:
  /** @throws TrainerError code "file" when the file cannot be opened, is empty or no plain file */
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/** The file's bytes. @throws TrainerError code "file" */
std::string readWholeFile(const std::string& path);

/**
 * Writes `bytes` under a temporary name beside `path`, flushes them to the disk and renames: a
 * reader, or a run killed at any moment, sees the old file or the new one, never a part.
 * @throws TrainerError code "file"
 */
void writeFileAtomically(const std::string& path, std::string_view bytes);

/** Takes the next bytes of a file. */
using Sink = std::function<void(std::string_view)>;

/** The same for files that are better not in memory as a whole: `produce` gives part after part. */
void writeFileAtomically(const std::string& path, const std::function<void(const Sink&)>& produce);

/** Makes the folder and its parents. @throws TrainerError code "file" */
void makeFolders(const std::string& path);

/** As fingerprint(), eight bytes at a time, for whole model files; another number. */
std::uint64_t fingerprintWords(const std::uint8_t* data, std::size_t size);

/** FNV-1a, 64 bits: tells whether two inputs are the same; no protection against forgery. */
std::uint64_t fingerprint(std::string_view bytes);

}  // namespace preflexor
