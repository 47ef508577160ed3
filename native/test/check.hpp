// A small test harness: TEST_CASE defines a case, CHECK and CHECK_NEAR record failures, and the
// program runs the case that is named on its command line, or all of them.
#pragma once

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "backend.hpp"
#include "errors.hpp"

namespace preflexor::testing {

struct Case {
  const char* name;
  std::function<void()> body;
};

inline std::vector<Case>& cases() {
  static std::vector<Case> list;
  return list;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, std::function<void()> body) {
    cases().push_back({name, std::move(body)});
  }
};

inline void check(bool holds, const char* text, const char* file, int line) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
  ++failures();
}

inline void checkNear(double actual, double expected, double bound, const char* file, int line) {
  if (std::abs(actual - expected) <= bound) return;
  std::fprintf(stderr, "%s:%d: %.17g is not %.17g ± %g\n", file, line, actual, expected, bound);
  ++failures();
}

/** The code of the TrainerError that `action` throws; empty when it throws none. */
inline std::string errorCode(const std::function<void()>& action) {
  try {
    action();
  } catch (const TrainerError& error) {
    return error.code();
  }
  return "";
}

/** What ctest takes for a test that was left out. */
inline constexpr int exitLeftOut = 77;

/** Ends the program: this case cannot be shown here. */
[[noreturn]] inline void leaveOut(const char* reason) {
  std::fprintf(stderr, "left out: %s\n", reason);
  std::exit(exitLeftOut);
}

/** A folder that is removed with the object. */
class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "preflexor-test-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/** The folder with ggml's libraries, which ctest hands over. */
inline std::string libraries() {
  const char* folder = std::getenv("PREFLEXOR_LIBRARIES");
  if (folder == nullptr) {
    std::fputs("Set PREFLEXOR_LIBRARIES to the folder that holds libggml.\n", stderr);
    std::exit(2);
  }
  return folder;
}

inline BackendOptions cpuOptions(int threads = 1) {
  BackendOptions options;
  options.libraries = libraries();
  options.precision = Precision::f32;
  options.threads = threads;
  return options;
}

}  // namespace preflexor::testing

#define PREFLEXOR_JOIN2(a, b) a##b
#define PREFLEXOR_JOIN(a, b) PREFLEXOR_JOIN2(a, b)
#define TEST_CASE(name)                                                                 \
  static void PREFLEXOR_JOIN(testBody, __LINE__)();                                     \
  static const preflexor::testing::Registration PREFLEXOR_JOIN(registration, __LINE__)( \
      name, PREFLEXOR_JOIN(testBody, __LINE__));                                        \
  static void PREFLEXOR_JOIN(testBody, __LINE__)()
#define CHECK(expression) \
  preflexor::testing::check(static_cast<bool>(expression), #expression, __FILE__, __LINE__)
#define CHECK_NEAR(actual, expected, bound) \
  preflexor::testing::checkNear(actual, expected, bound, __FILE__, __LINE__)

int main(int count, char** values) {
  int ran = 0;
  for (const auto& entry : preflexor::testing::cases()) {
    if (count > 1 && std::string(values[1]) != entry.name) continue;
    ++ran;
    try {
      entry.body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: threw: %s\n", entry.name, error.what());
      ++preflexor::testing::failures();
    }
  }
  if (ran == 0) std::fputs("No such case.\n", stderr);
  return ran > 0 && preflexor::testing::failures() == 0 ? 0 : 1;
}
