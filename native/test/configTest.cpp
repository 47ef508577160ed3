// The configuration: what is right is understood, what is wrong is named, nothing gets past.
#include "config.hpp"

#include <nlohmann/json.hpp>

#include "check.hpp"
#include "random.hpp"

using namespace preflexor;
using preflexor::testing::errorCode;
using Json = nlohmann::json;

namespace {

Json goodTrain() {
  return Json::parse(R"({
    "task": "train", "libraries": "l", "model": "m", "out": "o", "loss": "orpo", "steps": 10,
    "records": [{"prompt": [1, 2], "chosen": [3, 4], "rejected": [5], "chosenMask": [0, 1]}],
    "lora": {"rank": 8, "targets": ["v_proj", "q_proj"]},
    "optimizer": {"learningRate": 0.001, "schedule": "cosine", "warmup": 2}
  })");
}

std::string codeOf(const Json& json) {
  return errorCode([&] { parseConfig(json.dump()); });
}

/** The code after one change of the good configuration. */
std::string codeWith(const char* pointer, const Json& value) {
  Json json = goodTrain();
  json[Json::json_pointer(pointer)] = value;
  return codeOf(json);
}

}  // namespace

TEST_CASE("given a good configuration, when parsed, then every value is there") {
  const Config config = parseConfig(goodTrain().dump());
  CHECK(config.train.has_value() && !config.score.has_value());
  CHECK(config.train->loss == LossKind::orpo);
  CHECK(config.train->lora.rank == 8);
  CHECK(config.train->lora.alpha == 8.0F);
  CHECK(config.train->lora.roles.size() == 2);
  CHECK(config.train->optimizer.schedule == Schedule::cosine);
  CHECK(config.records[0].chosenMask == (std::vector<std::uint8_t>{0, 1}));
  CHECK(config.records[0].rejectedMask == (std::vector<std::uint8_t>{1}));
}

TEST_CASE("given wrong fields, when parsed, then the configuration is refused") {
  CHECK(codeWith("/task", "dream") == "bad-config");
  CHECK(codeWith("/loss", "hinge") == "bad-config");
  CHECK(codeWith("/steps", 0) == "bad-config");
  CHECK(codeWith("/steps", 1.5) == "bad-config");
  CHECK(codeWith("/steps", "10") == "bad-config");
  CHECK(codeWith("/threads", -1) == "bad-config");
  CHECK(codeWith("/stepz", 1) == "bad-config");
  CHECK(codeWith("/lora/dropout", 1) == "bad-config");
  CHECK(codeWith("/lora/targets", Json::array({"lm_head"})) == "bad-config");
  CHECK(codeWith("/lora/targets", Json::array()) == "bad-config");
  CHECK(codeWith("/optimizer/schedule", "step") == "bad-config");
  CHECK(codeWith("/optimizer/learningRate", -1) == "bad-config");
  CHECK(codeWith("/losses", {{"epsilon", 0}}) == "bad-config");
  CHECK(codeWith("/precision", "f16") == "bad-config");
  CHECK(codeWith("/adapter", "somewhere") == "bad-config");
  CHECK(codeWith("/records", Json::array()) == "bad-config");
  CHECK(codeWith("/perToken", true) == "bad-config");
  CHECK(errorCode([] { parseConfig("{"); }) == "bad-config");
  CHECK(errorCode([] { parseConfig("[1]"); }) == "bad-config");
}

TEST_CASE("given what only some runs have, when parsed, then it is understood") {
  Json json = goodTrain();
  json["lora"]["dropout"] = 0.1;
  json["lora"]["layers"] = {0, 3};
  json["lora"]["rankPattern"] = {{"v_proj", 4}};
  json["lora"]["alphaPattern"] = {{"layers.0.self_attn.q_proj", 2.5}};
  json["anchor"] = {
      {"sequences", {{1, 2, 3}, {4, 5}}}, {"kind", "replay"}, {"weight", 0.5}, {"perStep", 2}};
  json["heldout"] = json["records"];
  json["evaluateEvery"] = 2;
  json["earlyStop"] = {{"metric", "margin"}, {"patience", 0}, {"target", 0.25}};
  json["memoryBudgetBytes"] = 1e9;
  const TrainConfig train = *parseConfig(json.dump()).train;
  CHECK(train.dropout == 0.1);
  CHECK(train.lora.layers == (std::vector<int>{0, 3}));
  CHECK(train.lora.rankPattern.size() == 1 && train.lora.alphaPattern[0].second == 2.5F);
  CHECK(train.anchor->kind == AnchorKind::replay && train.anchor->sequences.size() == 2);
  CHECK(train.earlyStop->metric == EarlyStopMetric::margin && *train.earlyStop->target == 0.25);
  CHECK(train.memoryBudget == 1e9 && !train.estimateOnly);
  json["task"] = "estimate";
  CHECK(parseConfig(json.dump()).train->estimateOnly);
}

TEST_CASE("given wrong anchors, stops and patterns, when parsed, then they are refused") {
  CHECK(codeWith("/anchor", {{"sequences", Json::array()}}) == "bad-config");
  CHECK(codeWith("/anchor", {{"sequences", {{1}}}}) == "bad-data");
  CHECK(codeWith("/anchor", {{"sequences", {{1, -2}}}}) == "bad-data");
  CHECK(codeWith("/anchor", {{"sequences", {{1, 2}}}, {"kind", "l2"}}) == "bad-config");
  CHECK(codeWith("/anchor", {{"sequences", {{1, 2}}}, {"weight", -1}}) == "bad-config");
  CHECK(codeWith("/earlyStop", {{"metric", "loss"}}) == "bad-config");  // nothing held out
  CHECK(codeWith("/lora/layers", Json::array()) == "bad-config");
  CHECK(codeWith("/lora/layers", {-1}) == "bad-config");
  CHECK(codeWith("/lora/rankPattern", {{"q_proj", 0}}) == "bad-config");
  CHECK(codeWith("/lora/alphaPattern", {{"q_proj", "8"}}) == "bad-config");
  CHECK(codeWith("/memoryBudgetBytes", -1) == "bad-config");
}

TEST_CASE("given wrong records, when parsed, then the record is refused") {
  CHECK(codeWith("/records/0/prompt", Json::array()) == "bad-data");
  CHECK(codeWith("/records/0/prompt", Json::array({-1})) == "bad-data");
  CHECK(codeWith("/records/0/prompt", Json::array({1.5})) == "bad-data");
  CHECK(codeWith("/records/0/prompt", Json::array({5000000000})) == "bad-data");
  CHECK(codeWith("/records/0/chosen", "text") == "bad-data");
  CHECK(codeWith("/records/0/chosenMask", Json::array({1})) == "bad-data");
  CHECK(codeWith("/records/0/chosenMask", Json::array({0, 0})) == "bad-data");
  CHECK(codeWith("/records/0/chosenMask", Json::array({0, 2})) == "bad-data");
  CHECK(codeWith("/records/0/rejected", nullptr) == "bad-data");
  CHECK(codeWith("/records/0/note", "x") == "bad-config");
}

TEST_CASE("given the same run in another place, then its identity is the same, else another") {
  const std::uint64_t identity = parseConfig(goodTrain().dump()).identity;
  Json moved = goodTrain();
  moved["out"] = "elsewhere";
  moved["resume"] = true;
  moved["threads"] = 2;
  CHECK(parseConfig(moved.dump()).identity == identity);
  Json other = goodTrain();
  other["records"][0]["chosen"][0] = 9;
  CHECK(parseConfig(other.dump()).identity != identity);
  Json longer = goodTrain();
  longer["steps"] = 20;
  CHECK(parseConfig(longer.dump()).identity != identity);
  longer.erase("optimizer");
  const std::uint64_t constant = parseConfig(longer.dump()).identity;
  longer["steps"] = 30;
  CHECK(parseConfig(longer.dump()).identity == constant);
}

TEST_CASE("given a loss with a reference and automatic precision, then F32 is taken") {
  Json json = goodTrain();
  CHECK(parseConfig(json.dump()).backend.precision == Precision::automatic);
  json["loss"] = "exo_pair";
  CHECK(parseConfig(json.dump()).backend.precision == Precision::f32);
  json["precision"] = "bf16";
  CHECK(parseConfig(json.dump()).backend.precision == Precision::bf16);
}

TEST_CASE("given random damage, when parsed, then it is understood or refused") {
  Random random(6, RandomPurpose::test);
  for (int round = 0; round < 3000; ++round) {
    std::string text = goodTrain().dump();
    for (int change = 0; change < 2; ++change) {
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    const std::string code = errorCode([&] { parseConfig(text); });
    CHECK(code.empty() || code == "bad-config" || code == "bad-data");
  }
}
