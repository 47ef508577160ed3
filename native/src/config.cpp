// Implementation of config.hpp.
#include "config.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "errors.hpp"
#include "files.hpp"

namespace preflexor {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& what) {
  throw TrainerError("bad-config", "The configuration is wrong: " + what + ".",
                     "See native/PROTOCOL.md for the fields and their ranges.");
}

[[noreturn]] void refuseRecord(const std::string& place, const std::string& why) {
  throw TrainerError("bad-data", place + " " + why + ".", "Correct or remove that record.");
}

/** Reads the fields of one JSON object and refuses those that nobody asked for. */
class Fields {
 public:
  Fields(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object_.is_object()) refuse(path_ + " is no object");
  }

  const Json* find(const char* name) {
    known_.emplace_back(name);
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  std::string text(const char* name, std::optional<std::string> fallback = std::nullopt) {
    const Json* value = find(name);
    if (value == nullptr && fallback.has_value()) return *fallback;
    if (value == nullptr || !value->is_string()) refuse(at(name) + " must be a text");
    return value->get<std::string>();
  }

  bool flag(const char* name, bool fallback) {
    const Json* value = find(name);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) refuse(at(name) + " must be true or false");
    return value->get<bool>();
  }

  /** A number in [least, most]. */
  double number(const char* name, std::optional<double> fallback, double least, double most) {
    const Json* value = find(name);
    if (value == nullptr && fallback.has_value()) return *fallback;
    if (value == nullptr || !value->is_number()) refuse(at(name) + " must be a number");
    const auto result = value->get<double>();
    if (!(result >= least && result <= most)) {
      refuse(at(name) + " must lie between " + Json(least).dump() + " and " + Json(most).dump());
    }
    return result;
  }

  int integer(const char* name, std::optional<int> fallback, int least, int most) {
    const Json* value = find(name);
    if (value == nullptr && fallback.has_value()) return *fallback;
    if (value == nullptr || !value->is_number_integer()) {
      refuse(at(name) + " must be a whole number");
    }
    const double result = number(name, std::nullopt, least, most);
    return static_cast<int>(result);
  }

  const Json& array(const char* name) {
    const Json* value = find(name);
    if (value == nullptr || !value->is_array()) refuse(at(name) + " must be a list");
    return *value;
  }

  /** Call when every field was read. */
  void finish() const {
    for (const auto& [name, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
        refuse(at(name) + " is not known");
      }
    }
  }

  std::string at(const std::string& name) const {
    return path_.empty() ? name : path_ + "." + name;
  }

 private:
  const Json& object_;
  std::string path_;
  std::vector<std::string> known_;
};

std::vector<int32_t> readTokens(const Json* value, const std::string& place, const char* name) {
  std::vector<int32_t> tokens;
  if (value == nullptr) return tokens;
  if (!value->is_array() || value->empty()) {
    refuseRecord(place, std::string("needs ") + name + " as a list of token ids that is not empty");
  }
  for (const Json& token : *value) {
    if (!token.is_number_unsigned() || token.get<std::uint64_t>() > INT32_MAX) {
      refuseRecord(place, std::string("has something else than token ids in ") + name);
    }
    tokens.push_back(token.get<int32_t>());
  }
  return tokens;
}

/** All ones when absent; one that leaves nothing is refused. */
std::vector<std::uint8_t> readMask(const Json* value, size_t tokens, const std::string& place,
                                   const char* name) {
  std::vector<std::uint8_t> mask(tokens, 1);
  if (value == nullptr) return mask;
  if (!value->is_array() || value->size() != tokens) {
    refuseRecord(place, std::string("needs ") + name + " with one entry per token");
  }
  bool any = false;
  for (size_t index = 0; index < tokens; ++index) {
    const Json& entry = (*value)[index];
    if (!entry.is_number_integer() || (entry != 0 && entry != 1)) {
      refuseRecord(place, std::string("has something else than 0 and 1 in ") + name);
    }
    mask[index] = static_cast<std::uint8_t>(entry.get<int>());
    any = any || mask[index] != 0;
  }
  if (!any) refuseRecord(place, std::string("has a ") + name + " that leaves no token");
  return mask;
}

std::vector<Record> readRecords(const Json& list, const char* field) {
  std::vector<Record> records;
  for (size_t index = 0; index < list.size(); ++index) {
    const std::string place = std::string(field) + "[" + std::to_string(index) + "]";
    Fields fields(list[index], place);
    Record record;
    record.prompt = readTokens(fields.find("prompt"), place, "prompt");
    record.chosen = readTokens(fields.find("chosen"), place, "chosen");
    record.rejected = readTokens(fields.find("rejected"), place, "rejected");
    record.chosenMask =
        readMask(fields.find("chosenMask"), record.chosen.size(), place, "chosenMask");
    record.rejectedMask =
        readMask(fields.find("rejectedMask"), record.rejected.size(), place, "rejectedMask");
    fields.finish();
    if (record.prompt.empty()) refuseRecord(place, "has no prompt");
    if (record.chosen.empty() && record.rejected.empty()) {
      refuseRecord(place, "has neither chosen nor rejected");
    }
    records.push_back(std::move(record));
  }
  return records;
}

LossKind readLoss(const std::string& name, const std::string& place) {
  const std::optional<LossKind> kind = lossByName(name);
  if (!kind.has_value()) {
    std::string names;
    for (const LossKind known : allLossKinds) {
      names += (names.empty() ? "" : ", ") + std::string(lossName(known));
    }
    refuse(place + " must be one of " + names);
  }
  return *kind;
}

void requireFit(LossKind kind, const std::vector<Record>& records, const char* field) {
  for (size_t index = 0; index < records.size(); ++index) {
    if (!fits(kind, !records[index].chosen.empty(), !records[index].rejected.empty())) {
      refuseRecord(std::string(field) + "[" + std::to_string(index) + "]",
                   std::string("lacks a completion that the loss ") + lossName(kind) + " needs");
    }
  }
}

LossParameters readLossParameters(const Json* value) {
  LossParameters p;
  if (value == nullptr) return p;
  Fields fields(*value, "losses");
  p.beta = fields.number("beta", p.beta, 1e-6, 1e3);
  p.simpoBeta = fields.number("simpoBeta", p.simpoBeta, 1e-6, 1e3);
  p.gamma = fields.number("gamma", p.gamma, 0, 1e3);
  p.epsilon = fields.number("epsilon", p.epsilon, 1e-9, 0.49);
  p.smoothing = fields.number("smoothing", p.smoothing, 0, 0.49);
  fields.finish();
  return p;
}

BackendOptions readBackend(Fields& fields) {
  BackendOptions options;
  options.libraries = fields.text("libraries");
  options.device = fields.text("device", "cpu");
  options.threads = fields.integer("threads", 1, 1, 512);
  const std::string precision = fields.text("precision", "auto");
  if (precision == "f32") {
    options.precision = Precision::f32;
  } else if (precision == "bf16") {
    options.precision = Precision::bf16;
  } else if (precision != "auto") {
    refuse("precision must be auto, f32 or bf16");
  }
  return options;
}

ScoreConfig readScore(Fields& fields, const std::vector<Record>& records,
                      const std::string& adapter) {
  ScoreConfig score;
  score.perToken = fields.flag("perToken", false);
  if (const Json* value = fields.find("gradient")) {
    Fields gradient(*value, "gradient");
    score.gradientLoss = readLoss(gradient.text("loss"), "gradient.loss");
    score.gradientFile = gradient.text("file");
    gradient.finish();
    if (adapter.empty()) refuse("a gradient needs an adapter");
    requireFit(*score.gradientLoss, records, "records");
  }
  return score;
}

OptimizerOptions readOptimizer(const Json* value) {
  OptimizerOptions o;
  if (value == nullptr) return o;
  Fields fields(*value, "optimizer");
  o.learningRate = fields.number("learningRate", o.learningRate, 0, 1);
  o.beta1 = fields.number("beta1", o.beta1, 0, 0.999999);
  o.beta2 = fields.number("beta2", o.beta2, 0, 0.9999999);
  o.epsilon = fields.number("epsilon", o.epsilon, 1e-16, 1);
  o.weightDecay = fields.number("weightDecay", o.weightDecay, 0, 1);
  o.clip = fields.number("clip", o.clip, 0, 1e6);
  o.warmup = fields.integer("warmup", o.warmup, 0, 1 << 24);
  const std::string schedule = fields.text("schedule", "constant");
  if (schedule == "linear") {
    o.schedule = Schedule::linear;
  } else if (schedule == "cosine") {
    o.schedule = Schedule::cosine;
  } else if (schedule != "constant") {
    refuse("optimizer.schedule must be constant, linear or cosine");
  }
  fields.finish();
  return o;
}

std::vector<LinearRole> readTargets(const Json& list) {
  std::vector<LinearRole> targets;
  for (const Json& entry : list) {
    const auto matches = [&](LinearRole role) { return entry == peftName(role); };
    const auto role = std::find_if(allLinearRoles.begin(), allLinearRoles.end(), matches);
    if (role == allLinearRoles.end()) {
      refuse(
          "lora.targets may hold q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and "
          "down_proj");
    }
    targets.push_back(*role);
  }
  if (targets.empty()) refuse("lora.targets is empty");
  return targets;
}

std::vector<int> readLayers(const Json& list) {
  std::vector<int> layers;
  for (const Json& entry : list) {
    if (!entry.is_number_unsigned() || entry.get<std::uint64_t>() > 1 << 16) {
      refuse("lora.layers must hold layers' numbers, counted from 0");
    }
    layers.push_back(entry.get<int>());
  }
  if (layers.empty()) refuse("lora.layers is empty");
  return layers;
}

/** An object of numbers in [least, most] by modules' names. */
std::vector<std::pair<std::string, double>> readPattern(const Json* value, const char* name,
                                                        double least, double most) {
  std::vector<std::pair<std::string, double>> patterns;
  if (value == nullptr) return patterns;
  if (!value->is_object()) refuse(std::string(name) + " is no object");
  for (const auto& [pattern, entry] : value->items()) {
    if (pattern.empty() || !entry.is_number()) refuse(std::string(name) + " must hold numbers");
    const auto number = entry.get<double>();
    if (!(number >= least && number <= most)) {
      refuse(std::string(name) + "." + pattern + " is out of range");
    }
    patterns.emplace_back(pattern, number);
  }
  return patterns;
}

void readLora(const Json* value, TrainConfig& train) {
  if (value == nullptr) return;
  Fields fields(*value, "lora");
  LoraShape& shape = train.lora;
  shape.rank = fields.integer("rank", shape.rank, 1, 1024);
  shape.alpha = static_cast<float>(fields.number("alpha", shape.rank, 1e-3, 1e5));
  train.dropout = fields.number("dropout", 0, 0, 0.95);
  if (fields.find("targets") != nullptr) shape.roles = readTargets(fields.array("targets"));
  if (fields.find("layers") != nullptr) shape.layers = readLayers(fields.array("layers"));
  for (const auto& [name, rank] :
       readPattern(fields.find("rankPattern"), "lora.rankPattern", 1, 1024)) {
    shape.rankPattern.emplace_back(name, static_cast<int>(rank));
  }
  for (const auto& [name, alpha] :
       readPattern(fields.find("alphaPattern"), "lora.alphaPattern", 1e-3, 1e5)) {
    shape.alphaPattern.emplace_back(name, static_cast<float>(alpha));
  }
  fields.finish();
}

std::optional<AnchorOptions> readAnchor(const Json* value) {
  if (value == nullptr) return std::nullopt;
  Fields fields(*value, "anchor");
  AnchorOptions anchor;
  const Json& sequences = fields.array("sequences");
  for (size_t index = 0; index < sequences.size(); ++index) {
    const std::string place = "anchor.sequences[" + std::to_string(index) + "]";
    anchor.sequences.push_back(readTokens(&sequences[index], place, "tokens"));
    if (anchor.sequences.back().size() < 2) refuseRecord(place, "has less than two tokens");
  }
  if (anchor.sequences.empty()) refuse("anchor.sequences is empty");
  const std::string kind = fields.text("kind", "kl");
  if (kind != "kl" && kind != "replay") refuse("anchor.kind must be kl or replay");
  anchor.kind = kind == "kl" ? AnchorKind::divergence : AnchorKind::replay;
  anchor.weight = fields.number("weight", anchor.weight, 0, 1e4);
  anchor.perStep = fields.integer("perStep", anchor.perStep, 1, 4096);
  fields.finish();
  return anchor;
}

std::optional<EarlyStopOptions> readEarlyStop(const Json* value) {
  if (value == nullptr) return std::nullopt;
  Fields fields(*value, "earlyStop");
  EarlyStopOptions options;
  const std::string metric = fields.text("metric", "loss");
  if (metric == "accuracy") {
    options.metric = EarlyStopMetric::accuracy;
  } else if (metric == "margin") {
    options.metric = EarlyStopMetric::margin;
  } else if (metric != "loss") {
    refuse("earlyStop.metric must be loss, accuracy or margin");
  }
  options.patience = fields.integer("patience", options.patience, 0, 1 << 20);
  options.minimumChange = fields.number("minimumChange", options.minimumChange, 0, 1e6);
  if (fields.find("target") != nullptr) {
    options.target = fields.number("target", std::nullopt, -1e9, 1e9);
  }
  fields.finish();
  return options;
}

TrainConfig readTrain(Fields& fields, const std::vector<Record>& records,
                      const std::string& adapter) {
  TrainConfig train;
  train.out = fields.text("out");
  train.loss = readLoss(fields.text("loss"), "loss");
  if (fields.find("heldout") != nullptr) {
    train.heldout = readRecords(fields.array("heldout"), "heldout");
  }
  const Json* lora = fields.find("lora");
  if (lora != nullptr && !adapter.empty() &&
      !(lora->is_object() && lora->size() == lora->count("dropout"))) {
    refuse("with an adapter, lora may only hold dropout: a given adapter keeps its shape");
  }
  readLora(lora, train);
  train.optimizer = readOptimizer(fields.find("optimizer"));
  train.steps = fields.integer("steps", std::nullopt, 1, 1 << 24);
  train.batch = fields.integer("batch", 1, 1, 4096);
  train.accumulation = fields.integer("accumulation", 1, 1, 65536);
  train.evaluateEvery = fields.integer("evaluateEvery", 0, 0, 1 << 24);
  train.checkpointEvery = fields.integer("checkpointEvery", 50, 0, 1 << 24);
  train.seed = static_cast<std::uint64_t>(fields.number("seed", 0, 0, 9007199254740991.0));
  train.resume = fields.flag("resume", false);
  train.lowPriority = fields.flag("lowPriority", true);
  train.anchor = readAnchor(fields.find("anchor"));
  train.earlyStop = readEarlyStop(fields.find("earlyStop"));
  if (train.earlyStop.has_value() && (train.heldout.empty() || train.evaluateEvery == 0)) {
    refuse("earlyStop needs heldout records and evaluateEvery");
  }
  train.pauseFile = fields.text("pauseFile", "");
  train.referenceCache = fields.text("referenceCache", "");
  if (fields.find("memoryBudgetBytes") != nullptr) {
    train.memoryBudget = fields.number("memoryBudgetBytes", std::nullopt, 0, 1e15);
  }
  requireFit(train.loss, records, "records");
  requireFit(train.loss, train.heldout, "heldout");
  return train;
}

/**
 * The length of a run with a constant rate decides nothing; the model's own identity and the type
 * of its weights are added by the trainer.
 */
std::uint64_t identityOf(Json json) {
  // When it is evaluated decides nothing either, unless evaluations can end the run.
  if (!json.contains("earlyStop")) json.erase("evaluateEvery");
  const bool constant = !json.contains("optimizer") || !json["optimizer"].contains("schedule") ||
                        json["optimizer"]["schedule"] == "constant";
  if (constant) json.erase("steps");
  for (const char* name :
       {"libraries", "model", "out", "threads", "precision", "resume", "lowPriority",
        "checkpointEvery", "pauseFile", "referenceCache", "memoryBudgetBytes"}) {
    json.erase(name);
  }
  return fingerprint(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Config parseConfig(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) refuse("it is no valid JSON");
  Fields fields(json, "");
  Config config;
  config.backend = readBackend(fields);
  config.model = fields.text("model");
  config.adapter = fields.text("adapter", "");
  config.reference = fields.text("reference", "");
  config.losses = readLossParameters(fields.find("losses"));
  config.records = readRecords(fields.array("records"), "records");
  if (config.records.empty()) refuse("records is empty");
  const std::string task = fields.text("task");
  if (task == "score") {
    config.score = readScore(fields, config.records, config.adapter);
  } else if (task == "train" || task == "estimate") {
    config.train = readTrain(fields, config.records, config.adapter);
    config.train->estimateOnly = task == "estimate";
  } else {
    refuse("task must be score, train or estimate");
  }
  fields.finish();
  // BF16 rounds activations, which moves log-ratios by up to three quarters of a nat a text: too
  // much for losses that live on small differences from the reference, and for scores that people
  // compare.
  const bool sensitive = config.score.has_value() || needsReference(config.train->loss);
  if (config.backend.precision == Precision::automatic && sensitive) {
    config.backend.precision = Precision::f32;
  }
  config.identity = identityOf(json);
  return config;
}

void checkRecords(const std::vector<Record>& records, const Model& model, const char* field) {
  const HyperParameters& p = model.parameters();
  for (size_t index = 0; index < records.size(); ++index) {
    const Record& record = records[index];
    const std::string place = std::string(field) + "[" + std::to_string(index) + "]";
    for (const auto* tokens : {&record.prompt, &record.chosen, &record.rejected}) {
      for (const int32_t token : *tokens) {
        if (token >= p.vocabulary) {
          refuseRecord(place, "holds the token " + std::to_string(token) +
                                  ", which the model's vocabulary of " +
                                  std::to_string(p.vocabulary) + " does not have");
        }
      }
    }
    const size_t length =
        record.prompt.size() + std::max(record.chosen.size(), record.rejected.size());
    if (length > static_cast<size_t>(p.contextLength)) {
      refuseRecord(place, "is " + std::to_string(length) +
                              " tokens long and the model reads only " +
                              std::to_string(p.contextLength));
    }
  }
}

}  // namespace preflexor
