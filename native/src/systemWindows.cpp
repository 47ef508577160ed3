// system.hpp, and the parts of files.hpp and resources.hpp that differ, on Windows. The program's
// manifest sets UTF-8 as its code page (Windows 10 1903 and newer), so that paths are UTF-8 here as
// everywhere.
#include "system.hpp"

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
// Behind windows.h.
#include <psapi.h>

#include <cstdint>
#include <cstdio>

#include "errors.hpp"
#include "files.hpp"
#include "resources.hpp"

namespace preflexor {
namespace {

/** The system's words for an error, without the line's end that it puts behind them. */
std::string words(DWORD error) {
  char text[512];
  const DWORD length = ::FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                                        nullptr, error, 0, text, sizeof(text), nullptr);
  std::string result(text, length);
  while (!result.empty() && (result.back() == '\n' || result.back() == '\r' ||
                             result.back() == '.' || result.back() == ' ')) {
    result.pop_back();
  }
  return result.empty() ? "error " + std::to_string(error) : result;
}

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw TrainerError("file", what + " " + path + ": " + words(::GetLastError()) + ".",
                     "Check that the path is right, readable and writable, and the disk not full.");
}

/** Closes a handle at the end of a scope. */
struct Handle {
  HANDLE value;
  ~Handle() {
    if (isOpen()) ::CloseHandle(value);
  }
  bool isOpen() const { return value != nullptr && value != INVALID_HANDLE_VALUE; }
};

void writeAll(HANDLE file, std::string_view bytes, const std::string& path) {
  constexpr std::size_t most = 1U << 30;
  while (!bytes.empty()) {
    DWORD written = 0;
    const auto count = static_cast<DWORD>(bytes.size() < most ? bytes.size() : most);
    if (::WriteFile(file, bytes.data(), count, &written, nullptr) == 0) fail("Cannot write", path);
    bytes.remove_prefix(written);
  }
}

double seconds(const FILETIME& time) {
  ULARGE_INTEGER ticks;
  ticks.LowPart = time.dwLowDateTime;
  ticks.HighPart = time.dwHighDateTime;
  return 1e-7 * static_cast<double>(ticks.QuadPart);
}

}  // namespace

int processId() {
  return static_cast<int>(::GetCurrentProcessId());
}

void lowerPriority() {
  ::SetPriorityClass(::GetCurrentProcess(), BELOW_NORMAL_PRIORITY_CLASS);
}

void ignoreClosedOutput() {
  // Writing to a closed pipe fails here anyway, and raises nothing.
}

std::string makeTemporaryFolder() {
  const auto place = std::filesystem::temp_directory_path();
  for (unsigned attempt = 0; attempt < 100; ++attempt) {
    const auto folder = place / ("preflexor-" + std::to_string(processId()) + "-" +
                                 std::to_string(::GetTickCount64() + attempt));
    std::error_code error;
    if (std::filesystem::create_directory(folder, error)) return folder.string();
  }
  throw TrainerError("file", "No temporary folder could be made.", "Set TEMP.");
}

std::filesystem::path programFile() {
  wchar_t file[32768];
  const DWORD length = ::GetModuleFileNameW(nullptr, file, 32768);
  return length == 0 || length == 32768 ? std::filesystem::path() : std::filesystem::path(file);
}

void* openLibrary(const std::string& path, bool) {
  // What it is linked with lies beside it.
  return ::LoadLibraryExA(path.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
}

void* findSymbol(void* library, const char* name) {
  return reinterpret_cast<void*>(::GetProcAddress(static_cast<HMODULE>(library), name));
}

std::string libraryProblem() {
  return words(::GetLastError());
}

int readInput(char* bytes, std::size_t size, int milliseconds) {
  const HANDLE input = ::GetStdHandle(STD_INPUT_HANDLE);
  DWORD waiting = 0;
  if (::GetFileType(input) == FILE_TYPE_PIPE) {
    // A pipe cannot be waited for: it is asked, and fails once its writer has gone.
    if (::PeekNamedPipe(input, nullptr, 0, nullptr, &waiting, nullptr) == 0) return 0;
    if (waiting == 0) {
      ::Sleep(static_cast<DWORD>(milliseconds));
      return nothingYet;
    }
  } else if (::WaitForSingleObject(input, static_cast<DWORD>(milliseconds)) != WAIT_OBJECT_0) {
    return nothingYet;
  }
  DWORD count = 0;
  return ::ReadFile(input, bytes, static_cast<DWORD>(size), &count, nullptr) == 0
             ? 0
             : static_cast<int>(count);
}

MappedFile::MappedFile(const std::string& path) {
  const Handle file{::CreateFileA(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE,
                                  nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr)};
  if (!file.isOpen()) fail("Cannot open", path);
  LARGE_INTEGER size;
  if (::GetFileSizeEx(file.value, &size) == 0) fail("Cannot inspect", path);
  if (size.QuadPart == 0) {
    throw TrainerError("file", "The file " + path + " is empty.", "Download or write it again.");
  }
  size_ = static_cast<std::size_t>(size.QuadPart);
  // The view keeps the mapping, and the mapping the file, open.
  const Handle mapping{::CreateFileMappingA(file.value, nullptr, PAGE_READONLY, 0, 0, nullptr)};
  if (!mapping.isOpen()) fail("Cannot map", path);
  data_ = static_cast<const std::uint8_t*>(::MapViewOfFile(mapping.value, FILE_MAP_READ, 0, 0, 0));
  if (data_ == nullptr) fail("Cannot map", path);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::UnmapViewOfFile(data_);
}

void writeFileAtomically(const std::string& path, const std::function<void(const Sink&)>& produce) {
  const std::string temporary = path + ".tmp";
  {
    const Handle file{::CreateFileA(temporary.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS,
                                    FILE_ATTRIBUTE_NORMAL, nullptr)};
    if (!file.isOpen()) fail("Cannot create", temporary);
    produce([&](std::string_view bytes) { writeAll(file.value, bytes, temporary); });
    if (::FlushFileBuffers(file.value) == 0) fail("Cannot flush", temporary);
  }
  constexpr DWORD how = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
  if (::MoveFileExA(temporary.c_str(), path.c_str(), how) == 0) fail("Cannot rename to", path);
}

double peakBytes() {
  PROCESS_MEMORY_COUNTERS counters{};
  if (::GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof(counters)) == 0) return 0;
  return static_cast<double>(counters.PeakWorkingSetSize);
}

double processorSeconds() {
  FILETIME created;
  FILETIME ended;
  FILETIME kernel;
  FILETIME user;
  if (::GetProcessTimes(::GetCurrentProcess(), &created, &ended, &kernel, &user) == 0) return 0;
  return seconds(kernel) + seconds(user);
}

double availableBytes() {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof(status);
  return ::GlobalMemoryStatusEx(&status) == 0 ? 0 : static_cast<double>(status.ullAvailPhys);
}

}  // namespace preflexor
