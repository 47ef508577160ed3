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

/** What a task does about commands; what is empty does not happen. */
struct Obedience {
  std::function<Event()> place;           ///< what `paused` and `resumed` say
  std::function<bool()> pausedOtherwise;  ///< besides by a command
  std::function<void()> checkpoint;       ///< saves, and says so
};

/** Reads commands on a thread of its own; the end of stdin is not a command. */
class CommandReader {
 public:
  CommandReader();
  ~CommandReader();
  CommandReader(const CommandReader&) = delete;
  CommandReader& operator=(const CommandReader&) = delete;

  /**
   * Does `work`, and obeys before each of its graphs: waits while paused, and leaves it at `stop`,
   * within a graph too. @returns whether it came to its end
   */
  bool obeyDuring(Backend& backend, const Obedience& obedience, const std::function<void()>& work);
  /** How long it has waited in all. */
  double pausedSeconds() const { return pausedSeconds_; }

 private:
  /** @throws Interrupted at `stop` */
  void obey(const Obedience& obedience);
  /** The oldest command that was not taken yet. */
  std::optional<Command> take();
  /** The same, waiting at the most so long for one. */
  std::optional<Command> waitFor(std::chrono::milliseconds most);
  /** Whether stdin has ended and every command was taken. */
  bool ended();
  void readLoop();
  void accept(const std::string& line);

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Command> commands_;
  bool ended_ = false;
  double pausedSeconds_ = 0;
  std::atomic<bool> stopCame_{false};
  std::atomic<bool> leaving_{false};
  std::thread thread_;
};

}  // namespace preflexor
