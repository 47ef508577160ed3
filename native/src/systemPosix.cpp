// system.hpp, and the parts of files.hpp and resources.hpp that differ, on Linux and macOS.
#include "system.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "errors.hpp"
#include "files.hpp"
#include "resources.hpp"

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

#ifndef __APPLE__
/** The number in a file such as a control group's; 0 where there is none. */
double numberIn(const char* path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : 0;
}
#endif

}  // namespace

int processId() {
  return ::getpid();
}

void lowerPriority() {
  constexpr int lowPriorityNiceness = 10;
  ::setpriority(PRIO_PROCESS, 0, lowPriorityNiceness);
}

void ignoreClosedOutput() {
  std::signal(SIGPIPE, SIG_IGN);
}

std::string makeTemporaryFolder() {
  std::string folder = (std::filesystem::temp_directory_path() / "preflexor-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    throw TrainerError("file", "No temporary folder could be made.", "Set TMPDIR.");
  }
  return folder;
}

std::filesystem::path programFile() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&programFile), &info) == 0) return {};
  std::error_code error;
  const auto file = std::filesystem::canonical(info.dli_fname, error);
  return error ? std::filesystem::path() : file;
}

void* openLibrary(const std::string& path, bool shared) {
  return dlopen(path.c_str(), RTLD_NOW | (shared ? RTLD_GLOBAL : RTLD_LOCAL));
}

void* findSymbol(void* library, const char* name) {
  return dlsym(library, name);
}

std::string libraryProblem() {
  const char* problem = dlerror();
  return problem == nullptr ? "" : problem;
}

int readInput(char* bytes, std::size_t size, int milliseconds) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, milliseconds) <= 0) return nothingYet;
  const ssize_t count = ::read(STDIN_FILENO, bytes, size);
  return count < 0 ? 0 : static_cast<int>(count);
}

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

double peakBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<double>(usage.ru_maxrss);
#else
  return static_cast<double>(usage.ru_maxrss) * 1024.0;
#endif
}

double processorSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double availableBytes() {
#ifdef __APPLE__
  std::uint64_t bytes = 0;
  size_t size = sizeof(bytes);
  return ::sysctlbyname("hw.memsize", &bytes, &size, nullptr, 0) == 0 ? static_cast<double>(bytes)
                                                                      : 0;
#else
  double available = 0;
  std::ifstream file("/proc/meminfo");
  std::string key;
  double kibibytes = 0;
  while (file >> key) {
    if (key == "MemAvailable:" && file >> kibibytes) available = kibibytes * 1024;
    file.ignore(256, '\n');
  }
  const double limit = numberIn("/sys/fs/cgroup/memory.max");
  const double used = numberIn("/sys/fs/cgroup/memory.current");
  if (limit > 0) available = std::min(available, std::max(0.0, limit - used));
  return available;
#endif
}

}  // namespace preflexor
