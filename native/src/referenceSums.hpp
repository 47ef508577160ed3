// Reference sums of a run's records: each computed once, alone (so that the batch it comes in
// changes nothing), kept in checkpoints, and where a folder is given in a file there for the runs
// that follow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "evaluation.hpp"
#include "network.hpp"

namespace preflexor {

class ReferenceSums {
 public:
  ReferenceSums(Network& network, const Adapter* reference, size_t records);

  /** @param index the record's place among all of the run's records */
  RecordSums get(size_t index, const Record& record);

  /** Four numbers a record: sum and tokens of chosen and rejected; NaN where not known yet. */
  const std::vector<double>& values() const { return values_; }
  /** Takes over a checkpoint's values when their number fits. */
  void restore(const std::vector<double>& values);

  /**
   * Reads what earlier runs left in `folder`, and writes there on save(). A damaged file is
   * ignored.
   * @param key tells models, references and types of weights apart
   */
  void useFolder(const std::string& folder, std::uint64_t key);
  /** Writes the file where something was computed since. @throws TrainerError "file" */
  void save();
  /** How many records were found in the folder's file. */
  size_t found() const { return found_; }

 private:
  using Sums = std::vector<double>;

  Network& network_;
  const Adapter* reference_;
  std::vector<double> values_;
  std::string file_;
  std::map<std::string, Sums> known_;  ///< by a record's fingerprint, in hexadecimal
  bool changed_ = false;
  size_t found_ = 0;
};

}  // namespace preflexor
