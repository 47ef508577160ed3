// Implementation of protocol.hpp.
#include "protocol.hpp"

#include <cmath>
#include <cstdio>

#include "system.hpp"

namespace preflexor {
namespace {

constexpr int pollMilliseconds = 100;
constexpr size_t longestLine = 1024;

/** Replaces numbers that are not finite by null and collects their keys. */
void collectNonFinite(Event& value, const std::string& path, Event& keys) {
  if (value.is_object() || value.is_array()) {
    for (auto& [key, entry] : value.items()) {
      collectNonFinite(entry, path.empty() ? key : path + "." + key, keys);
    }
  } else if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    value = nullptr;
    keys.push_back(path);
  }
}

}  // namespace

void emitEvent(const char* name, const Event& fields) {
  static std::mutex mutex;
  static std::uint64_t sequence = 0;
  const std::lock_guard<std::mutex> lock(mutex);
  Event line;
  line["event"] = name;
  line["seq"] = sequence++;
  if (fields.is_object()) {
    for (const auto& [key, value] : fields.items()) line[key] = value;
  }
  Event nonFinite = Event::array();
  collectNonFinite(line, "", nonFinite);
  if (!nonFinite.empty()) line["nonFinite"] = nonFinite;
  // Paths may hold any bytes; what is no UTF-8 is replaced, so that a line is always JSON.
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void emitHello(const Backend& backend) {
  emitEvent("hello",
            {{"protocol", protocolVersion},
             {"version", PREFLEXOR_VERSION},
             {"device", backend.description()},
             {"features", backend.features()},
             {"precision", backend.weightType() == GGML_TYPE_BF16 ? "bf16" : "f32"},
             {"matmul", backend.blas() == nullptr ? "ggml" : backend.blas()->description()},
             {"threads", backend.threads()},
             {"pid", processId()}});
}

void emitFallbacks(const Backend& backend) {
  std::string names;
  for (const std::string& name : backend.fallenBack()) names += (names.empty() ? "" : ", ") + name;
  if (names.empty()) return;
  emitEvent("warning", {{"message", "The GPU lacks " + names + ": the processor computes that."}});
}

void emitFailed(const TrainerError& error) {
  emitEvent("failed", {{"code", error.code()}, {"message", error.what()}, {"hint", error.hint()}});
}

CommandReader::CommandReader() : thread_([this] { readLoop(); }) {}

CommandReader::~CommandReader() {
  leaving_ = true;
  thread_.join();
}

std::optional<Command> CommandReader::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (commands_.empty()) return std::nullopt;
  const Command command = commands_.front();
  commands_.pop_front();
  return command;
}

std::optional<Command> CommandReader::waitFor(std::chrono::milliseconds most) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    arrived_.wait_for(lock, most, [this] { return !commands_.empty(); });
  }
  return take();
}

bool CommandReader::ended() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ended_ && commands_.empty();
}

void CommandReader::readLoop() {
  std::string line;
  while (!leaving_) {
    char bytes[256];
    const int count = readInput(bytes, sizeof(bytes), pollMilliseconds);
    if (count == nothingYet) continue;
    if (count == 0) break;
    for (int index = 0; index < count; ++index) {
      if (bytes[index] == '\n') {
        accept(line);
        line.clear();
      } else if (line.size() < longestLine) {
        line += bytes[index];
      }
    }
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  arrived_.notify_all();
}

void CommandReader::accept(const std::string& line) {
  std::optional<Command> command;
  if (line == "pause") command = Command::pause;
  if (line == "resume") command = Command::resume;
  if (line == "checkpoint") command = Command::checkpoint;
  if (line == "stop") command = Command::stop;
  if (!command.has_value()) {
    emitEvent("warning", {{"message", "Unknown command: " + line}});
    return;
  }
  if (command == Command::stop) stopCame_ = true;
  const std::lock_guard<std::mutex> lock(mutex_);
  commands_.push_back(*command);
  arrived_.notify_all();
}

bool CommandReader::obeyDuring(Backend& backend, const Obedience& obedience,
                               const std::function<void()>& work) {
  struct Leave {
    Backend& backend;
    ~Leave() { backend.attend({}); }
  } const leave{backend};
  backend.attend({[&] { obey(obedience); }, [this] { return stopCame_.load(); }});
  try {
    work();
  } catch (const Interrupted&) {
    return false;
  }
  return true;
}

void CommandReader::obey(const Obedience& obedience) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds look{200};
  bool commanded = false;
  bool told = false;
  const Clock::time_point start = Clock::now();
  for (;;) {
    // A run that was told to pause and whose starter has gone goes on rather than waiting for ever.
    if (ended()) commanded = false;
    const bool pausing = commanded || (obedience.pausedOtherwise && obedience.pausedOtherwise());
    if (pausing != told) emitEvent(pausing ? "paused" : "resumed", obedience.place());
    told = pausing;
    const std::optional<Command> command = pausing ? waitFor(look) : take();
    if (!command.has_value()) {
      if (pausing) continue;
      pausedSeconds_ += std::chrono::duration<double>(Clock::now() - start).count();
      return;
    }
    switch (*command) {
      case Command::pause:
        commanded = true;
        break;
      case Command::resume:
        commanded = false;
        break;
      case Command::checkpoint:
        if (obedience.checkpoint) obedience.checkpoint();
        break;
      case Command::stop:
        throw Interrupted{};
    }
  }
}

}  // namespace preflexor
