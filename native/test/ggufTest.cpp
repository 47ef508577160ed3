// The GGUF and safetensors readers: round trips, every truncation of a file, every single byte
// changed at random, and promises that no file can keep. They must throw TrainerError or succeed.
#include <filesystem>
#include <fstream>

#include "check.hpp"
#include "files.hpp"
#include "ggufReader.hpp"
#include "ggufWriter.hpp"
#include "model.hpp"
#include "random.hpp"
#include "safetensors.hpp"
#include "tinyModel.hpp"

using namespace preflexor;
using preflexor::testing::TemporaryFolder;

namespace {

/**
 * Without waiting for the disk, thousands of times: nothing is flushed here, and no file is written
 * over, which some file systems flush by themselves.
 */
void writePlainly(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string smallFile() {
  GgufWriter writer;
  writer.addText("general.architecture", "llama");
  writer.addUnsigned("llama.block_count", 3);
  writer.addFloat("llama.rope.freq_base", 5000.0F);
  writer.addFloats("a.weight", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  writer.addFloats("b.weight", {3}, {9, 10, 11});
  return writer.finish();
}

/** Reads every byte that the file's tensors claim, so that sanitizers see wrong pointers. */
double touch(const GgufFile& file) {
  double total = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    const size_t bytes =
        ggml_row_size(tensor.type, tensor.ne[0]) * static_cast<size_t>(tensor.rows());
    for (size_t index = 0; index < bytes; ++index) total += tensor.data[index];
  }
  return total;
}

/** "bad-model", "file", "unsupported-model" or "" for a file that is read. */
std::string outcome(const std::string& path) {
  return testing::errorCode([&] { CHECK(touch(GgufFile(path)) >= 0); });
}

void replace(std::string& bytes, size_t offset, std::uint64_t value) {
  for (size_t index = 0; index < 8; ++index) {
    bytes[offset + index] = static_cast<char>(value >> (8 * index));
  }
}

}  // namespace

TEST_CASE("given a written file, when read, then metadata and values are the same") {
  const TemporaryFolder folder;
  writeFileAtomically(folder.file("x.gguf"), smallFile());
  const GgufFile file(folder.file("x.gguf"));
  CHECK(file.text("general.architecture") == "llama");
  CHECK(file.integer("llama.block_count") == 3);
  CHECK(file.number("llama.rope.freq_base") == 5000.0);
  CHECK(!file.integer("absent").has_value());
  const GgufTensor* a = file.findTensor("a.weight");
  CHECK(a != nullptr && a->ne[0] == 4 && a->rows() == 2);
  CHECK(reinterpret_cast<const float*>(a->data)[5] == 6);
  CHECK(reinterpret_cast<const float*>(file.findTensor("b.weight")->data)[2] == 11);
}

TEST_CASE("given every truncation of a file, when read, then it is refused and nothing crashes") {
  const TemporaryFolder folder;
  const std::string bytes = smallFile();
  const std::string path = folder.file("x.gguf");
  // The last tensor ends before the padding that follows it.
  const size_t needed = bytes.size() - 20;
  for (size_t length = 0; length < needed; ++length) {
    writePlainly(path, std::string_view(bytes).substr(0, length));
    CHECK(!outcome(path).empty());
  }
}

TEST_CASE("given random damage, when read, then it is refused or read within its bounds") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.gguf");
  Random random(3, RandomPurpose::test);
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = smallFile();
    for (int change = 0; change < 3; ++change) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    writePlainly(path, bytes);
    const std::string code = outcome(path);
    CHECK(code.empty() || code == "bad-model");
  }
}

TEST_CASE("given huge counts and offsets, when read, then they are refused at once") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.gguf");
  for (const std::uint64_t huge :
       {std::uint64_t{1} << 32, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
    // 8: number of tensors, 16: number of values, 24: length of the first key.
    for (const size_t offset : {size_t{8}, size_t{16}, size_t{24}}) {
      std::string bytes = smallFile();
      replace(bytes, offset, huge);
      writePlainly(path, bytes);
      CHECK(outcome(path) == "bad-model");
    }
    std::string bytes = smallFile();
    const size_t entry = bytes.find("b.weight") + 8;
    replace(bytes, entry + 4, huge);
    writePlainly(path, bytes);
    CHECK(outcome(path) == "bad-model");
    bytes = smallFile();
    replace(bytes, entry + 4 + 8 + 4, huge & ~std::uint64_t{31});
    writePlainly(path, bytes);
    CHECK(outcome(path) == "bad-model");
  }
}

TEST_CASE(
    "given models that cannot be trained, when opened, then the refusal names what is missing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.gguf");
  GgufWriter other;
  other.addText("general.architecture", "mamba");
  writePlainly(path, other.finish());
  CHECK(testing::errorCode([&] { Model{path}; }) == "unsupported-model");
  std::string bytes = makeTinyModel({});
  const size_t name = bytes.find("blk.1.ffn_up.weight");
  bytes[name] = 'x';
  writePlainly(path, bytes);
  CHECK(testing::errorCode([&] { Model{path}; }) == "bad-model");
}

TEST_CASE("given a model with damaged metadata, when opened, then it is refused or consistent") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.gguf");
  const std::string good = makeTinyModel({"qwen3", false, true, 1});
  const size_t head = good.find("blk.1.ffn_down.weight") + 100;
  Random random(8, RandomPurpose::test);
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = good;
    for (int change = 0; change < 2; ++change) {
      bytes[random.below(head)] = static_cast<char>(random.below(256));
    }
    writePlainly(path, bytes);
    const std::string code = testing::errorCode([&] { Model{path}; });
    CHECK(code.empty() || code == "bad-model" || code == "unsupported-model");
  }
}

TEST_CASE("given a safetensors file, when read, then values and metadata are the same") {
  const TemporaryFolder folder;
  SafeTensorsFile file;
  file.metadata["note"] = "ö";
  file.tensors["x"] = {{2, 2}, {1, 2, 3, 4}, {}};
  file.tensors["y"] = {{1}, {}, {0.1}};
  const std::string path = folder.file("x.safetensors");
  writePlainly(path, writeSafeTensors(file));
  const SafeTensorsFile back = readSafeTensors(path, "bad-adapter");
  CHECK(back.metadata == file.metadata);
  CHECK(back.tensors.at("x").floats == file.tensors.at("x").floats);
  CHECK(back.tensors.at("y").doubles == file.tensors.at("y").doubles);
  CHECK(back.tensors.at("x").shape == file.tensors.at("x").shape);
}

TEST_CASE("given damaged safetensors files, when read, then they are refused or read in bounds") {
  const TemporaryFolder folder;
  SafeTensorsFile file;
  file.tensors["x"] = {{2, 2}, {1, 2, 3, 4}, {}};
  const std::string path = folder.file("x.safetensors");
  const std::string good = writeSafeTensors(file);
  for (size_t length = 0; length < good.size(); ++length) {
    writePlainly(path, std::string_view(good).substr(0, length));
    CHECK(!testing::errorCode([&] { readSafeTensors(path, "bad-adapter"); }).empty());
  }
  Random random(4, RandomPurpose::test);
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = good;
    for (int change = 0; change < 2; ++change) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    writePlainly(path, bytes);
    const std::string code = testing::errorCode([&] { readSafeTensors(path, "bad-adapter"); });
    CHECK(code.empty() || code == "bad-adapter");
  }
}
