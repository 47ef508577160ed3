// The talk with whoever started the process: one JSON object per line on stdout, one command word
// per line on stdin. Logs go to stderr. PROTOCOL.md is the contract.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "backend.hpp"
#include "errors.hpp"

namespace preflexor {

inline constexpr int protocolVersion = 1;

using Event = nlohmann::ordered_json;

/**
 * Writes one line: {"event": …, "seq": …, …} and flushes. A number that is not finite becomes null
 * and its key is listed under "nonFinite", as JSON has no such numbers.
 */
void emitEvent(const char* name, const Event& fields);

/** The first line of every run. */
void emitHello(const Backend& backend);

/** A warning that names the operations which the GPU lacked; nothing where it lacked none. */
void emitFallbacks(const Backend& backend);

/** The last line of a run that failed. */
void emitFailed(const TrainerError& error);

enum class Command { pause, resume, checkpoint, stop };

/** Reads commands on a thread of its own; the end of stdin is not a command. */
class CommandReader {
 public:
  CommandReader();
  ~CommandReader();
  CommandReader(const CommandReader&) = delete;
  CommandReader& operator=(const CommandReader&) = delete;

  /** The oldest command that was not taken yet. */
  std::optional<Command> take();
  /** The same, waiting at the most so long for one. */
  std::optional<Command> waitFor(std::chrono::milliseconds most);
  /** Whether stdin has ended and every command was taken. */
  bool ended();
  /** Whether `stop` has come, taken or not; may be asked from any thread. */
  bool stopCame() const { return stopCame_; }

 private:
  void readLoop();
  void accept(const std::string& line);

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Command> commands_;
  bool ended_ = false;
  std::atomic<bool> stopCame_{false};
  std::atomic<bool> leaving_{false};
  std::thread thread_;
};

/** What a run does about commands; what is empty does not happen. */
struct Obedience {
  std::function<Event()> place;           ///< what `paused` and `resumed` say
  std::function<bool()> pausedOtherwise;  ///< besides by a command
  std::function<void()> checkpoint;       ///< saves, and says so
};

/**
 * Obeys what has come, and waits while paused. @returns seconds that went by
 * @throws Interrupted at `stop`
 */
double obey(CommandReader& commands, const Obedience& obedience);

}  // namespace preflexor
