// The one exception type for failures that a user can meet: a code for programs, a sentence for
// people, and what to do next. Anything else that is thrown is a bug.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace preflexor {

class TrainerError : public std::runtime_error {
 public:
  /** @param code one of the codes listed in PROTOCOL.md @param hint what the user can do */
  TrainerError(std::string code, const std::string& message, std::string hint)
      : std::runtime_error(message), code_(std::move(code)), hint_(std::move(hint)) {}

  const std::string& code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  std::string code_;
  std::string hint_;
};

}  // namespace preflexor
