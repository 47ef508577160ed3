// preflexor-trainer: the command line. Wires the parts and turns errors into the last line.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "config.hpp"
#include "files.hpp"
#include "protocol.hpp"
#include "scorer.hpp"
#include "selfTest.hpp"
#include "system.hpp"
#include "tinyModel.hpp"
#include "trainer.hpp"

namespace {

using namespace preflexor;

constexpr int exitDone = 0;
constexpr int exitFailed = 1;
constexpr int exitUsage = 2;

int usage() {
  std::fputs(
      "Usage: preflexor-trainer CONFIG.json\n"
      "       preflexor-trainer --self-test LIBRARIES\n"
      "       preflexor-trainer --tiny-model ARCHITECTURE FILE\n"
      "       preflexor-trainer --version\n"
      "CONFIG.json is described in native/PROTOCOL.md; LIBRARIES is the folder of the\n"
      "@node-llama-cpp package that holds libggml. Answers are JSON lines on stdout.\n",
      stderr);
  return exitUsage;
}

/** ggml is about to abort the process: leave a last line that says so. */
void onAbort(const char* message) {
  emitFailed(TrainerError("internal", std::string("The math library gave up: ") + message,
                          "Report this with the configuration that led to it."));
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--version") {
    std::puts("preflexor-trainer " PREFLEXOR_VERSION);
    return exitDone;
  }
  if (arguments.size() == 2 && arguments[0] == "--self-test") {
    return runSelfTest(arguments[1]) ? exitDone : exitFailed;
  }
  if (arguments.size() == 3 && arguments[0] == "--tiny-model") {
    TinyModelOptions options;
    options.architecture = arguments[1];
    writeFileAtomically(arguments[2], makeTinyModel(options));
    return exitDone;
  }
  if (arguments.size() != 1 || arguments[0].rfind("-", 0) == 0) return usage();
  const Config config = parseConfig(readWholeFile(arguments[0]));
  if (config.score.has_value()) {
    runScore(config);
  } else {
    runTrain(config);
  }
  return exitDone;
}

}  // namespace

int main(int count, char** values) {
  // When the reader of stdout goes away the run goes on: its checkpoints and adapter are files.
  ignoreClosedOutput();
  ggml_set_abort_callback(onAbort);
  try {
    return run(std::vector<std::string>(values + 1, values + count));
  } catch (const TrainerError& error) {
    emitFailed(error);
  } catch (const std::bad_alloc&) {
    emitFailed(TrainerError("memory", "There is not enough memory.",
                            "Use shorter texts, a smaller batch, or close other programs."));
  } catch (const std::exception& error) {
    emitFailed(TrainerError("internal", error.what(),
                            "Report this with the configuration that led to it."));
  }
  return exitFailed;
}
