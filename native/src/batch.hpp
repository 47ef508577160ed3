// Packs records onto one token axis: the prompt once, then chosen and rejected beside each other,
// each seeing the prompt and itself only. Says which rows of the last layer predict which tokens.
// Knows nothing about losses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace preflexor {

/** Token ids and loss masks (1 = counts) of one example; an absent completion is empty. */
struct Record {
  std::vector<int32_t> prompt;
  std::vector<int32_t> chosen;
  std::vector<int32_t> rejected;
  std::vector<std::uint8_t> chosenMask;
  std::vector<std::uint8_t> rejectedMask;
};

/** A run of tokens that attends to its parent (wholly) and to itself (causally). */
struct Segment {
  int64_t start = 0;
  int64_t length = 0;
  int parent = -1;  ///< index of the segment before it in its sequence, or −1
};

/** The parts of a record that have sums of log-probabilities of their own. */
enum class Part { prompt, chosen, rejected };
inline constexpr int partCount = 3;

/** One prediction: the hidden state at `row` predicts `token`. */
struct Label {
  int32_t row = 0;
  int32_t token = 0;
  std::uint32_t record = 0;  ///< index in the batch
  Part part = Part::prompt;
  std::uint32_t offset = 0;  ///< index of the token in its part
  bool counts = true;        ///< the loss mask
};

struct PackedBatch {
  std::vector<int32_t> tokens;
  std::vector<int32_t> positions;
  std::vector<Segment> segments;
  std::vector<Label> labels;  ///< by record: prompt (from its second token on), chosen, rejected

  int64_t size() const { return static_cast<int64_t>(tokens.size()); }
};

/**
 * The last token of each completion predicts nothing and is left out.
 * @param withPromptLabels whether prompt tokens are predicted too (SFT and ORPO over everything)
 */
PackedBatch packRecords(const std::vector<const Record*>& records, bool withPromptLabels);

}  // namespace preflexor
