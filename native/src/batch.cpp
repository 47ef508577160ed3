// Implementation of batch.hpp.
#include "batch.hpp"

namespace preflexor {
namespace {

/** Appends tokens as a segment whose first position is `position`; returns its start. */
int64_t appendSegment(PackedBatch& batch, const std::vector<int32_t>& tokens, size_t count,
                      int parent, int64_t position) {
  const int64_t start = batch.size();
  if (count == 0) return start;
  batch.segments.push_back({start, static_cast<int64_t>(count), parent});
  for (size_t index = 0; index < count; ++index) {
    batch.tokens.push_back(tokens[index]);
    batch.positions.push_back(static_cast<int32_t>(position) + static_cast<int32_t>(index));
  }
  return start;
}

void appendCompletion(PackedBatch& batch, const std::vector<int32_t>& tokens,
                      const std::vector<std::uint8_t>& mask, std::uint32_t record, Part part,
                      int promptSegment) {
  if (tokens.empty()) return;
  const Segment prompt = batch.segments[static_cast<size_t>(promptSegment)];
  const int64_t start =
      appendSegment(batch, tokens, tokens.size() - 1, promptSegment, prompt.length);
  for (size_t index = 0; index < tokens.size(); ++index) {
    const int64_t row =
        index == 0 ? prompt.start + prompt.length - 1 : start + static_cast<int64_t>(index) - 1;
    batch.labels.push_back({static_cast<int32_t>(row), tokens[index], record, part,
                            static_cast<std::uint32_t>(index), mask[index] != 0});
  }
}

}  // namespace

PackedBatch packRecords(const std::vector<const Record*>& records, bool withPromptLabels) {
  PackedBatch batch;
  for (std::uint32_t index = 0; index < records.size(); ++index) {
    const Record& record = *records[index];
    const int64_t start = appendSegment(batch, record.prompt, record.prompt.size(), -1, 0);
    const int promptSegment = static_cast<int>(batch.segments.size()) - 1;
    if (withPromptLabels) {
      for (std::uint32_t token = 1; token < record.prompt.size(); ++token) {
        batch.labels.push_back({static_cast<int32_t>(start) + static_cast<int32_t>(token) - 1,
                                record.prompt[token], index, Part::prompt, token, true});
      }
    }
    appendCompletion(batch, record.chosen, record.chosenMask, index, Part::chosen, promptSegment);
    appendCompletion(batch, record.rejected, record.rejectedMask, index, Part::rejected,
                     promptSegment);
  }
  return batch;
}

}  // namespace preflexor
