// Implementation of referenceSums.hpp. The file is safetensors: one tensor of four doubles a
// record, named by the fingerprint of the record's tokens and masks.
#include "referenceSums.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "errors.hpp"
#include "files.hpp"
#include "safetensors.hpp"

namespace preflexor {
namespace {

constexpr size_t valuesPerRecord = 4;

std::string hexadecimal(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

template <typename Value>
void append(std::string& bytes, const std::vector<Value>& values) {
  bytes += std::to_string(values.size()) + ":";
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
}

std::string fingerprintOf(const Record& record) {
  std::string bytes;
  append(bytes, record.prompt);
  append(bytes, record.chosen);
  append(bytes, record.rejected);
  append(bytes, record.chosenMask);
  append(bytes, record.rejectedMask);
  return hexadecimal(fingerprint(bytes));
}

}  // namespace

ReferenceSums::ReferenceSums(Network& network, const Adapter* reference, size_t records)
    : network_(network), reference_(reference), values_(records * valuesPerRecord, std::nan("")) {}

RecordSums ReferenceSums::get(size_t index, const Record& record) {
  double* slot = values_.data() + index * valuesPerRecord;
  if (std::isnan(slot[0])) {
    const std::string name = file_.empty() ? "" : fingerprintOf(record);
    const auto known = known_.find(name);
    if (known != known_.end()) {
      std::copy(known->second.begin(), known->second.end(), slot);
      ++found_;
    } else {
      const std::vector<const Record*> records = {&record};
      const PackedBatch batch = packRecords(records, false);
      const Forward forward = network_.forward(batch, reference_, false);
      const RecordSums sums = collectSums(batch, forward.values, records).front();
      const SequenceSum chosen = sums.chosen.value_or(SequenceSum{});
      const SequenceSum rejected = sums.rejected.value_or(SequenceSum{});
      const Sums computed = {chosen.sum, chosen.tokens, rejected.sum, rejected.tokens};
      std::copy(computed.begin(), computed.end(), slot);
      if (!file_.empty()) {
        known_[name] = computed;
        changed_ = true;
      }
    }
  }
  RecordSums result;
  if (!record.chosen.empty()) result.chosen = SequenceSum{slot[0], slot[1]};
  if (!record.rejected.empty()) result.rejected = SequenceSum{slot[2], slot[3]};
  return result;
}

void ReferenceSums::restore(const std::vector<double>& values) {
  if (values.size() == values_.size()) values_ = values;
}

void ReferenceSums::useFolder(const std::string& folder, std::uint64_t key) {
  makeFolders(folder);
  file_ = folder + "/reference-" + hexadecimal(key) + ".safetensors";
  if (!std::filesystem::exists(file_)) return;
  try {
    for (const auto& [name, tensor] : readSafeTensors(file_, "file").tensors) {
      if (tensor.doubles.size() == valuesPerRecord) known_[name] = tensor.doubles;
    }
  } catch (const TrainerError&) {
    // A cache that cannot be read is no cache: it is computed and written anew.
    known_.clear();
  }
}

void ReferenceSums::save() {
  if (!changed_) return;
  SafeTensorsFile file;
  for (const auto& [name, sums] : known_) {
    file.tensors[name] = {{static_cast<int64_t>(valuesPerRecord)}, {}, sums};
  }
  writeFileAtomically(file_, writeSafeTensors(file));
  changed_ = false;
}

}  // namespace preflexor
