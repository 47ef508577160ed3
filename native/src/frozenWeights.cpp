// Implementation of frozenWeights.hpp. Writes straight into the target where the host can, else by
// way of a copy.
#include "frozenWeights.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <thread>

namespace preflexor {
namespace {

size_t rowBytes(const GgufTensor& tensor) {
  return ggml_row_size(tensor.type, tensor.ne[0]);
}

/** Rows `first` … of a tensor as F32. */
void readRows(const GgufTensor& tensor, int64_t first, int64_t rows, float* out) {
  const std::uint8_t* source = tensor.data + rowBytes(tensor) * static_cast<size_t>(first);
  const int64_t count = rows * tensor.ne[0];
  if (tensor.type == GGML_TYPE_F32) {
    std::memcpy(out, source, static_cast<size_t>(count) * sizeof(float));
  } else {
    ggml_get_type_traits(tensor.type)->to_float(source, out, count);
  }
}

/** Splits 0 … count into one range per thread. */
void inParallel(int threads, int64_t count, const std::function<void(int64_t, int64_t)>& work) {
  const int64_t share = (count + threads - 1) / threads;
  std::vector<std::thread> others;
  for (int64_t begin = share; begin < count; begin += share) {
    others.emplace_back(work, begin, std::min(begin + share, count));
  }
  work(0, std::min(share, count));
  for (std::thread& other : others) other.join();
}

/** Converts rows [first, first + rows) of `source` to `type`, F32 or BF16. */
void convertRows(const GgufTensor& source, int64_t first, int64_t rows, int threads, ggml_type type,
                 void* out) {
  const int64_t width = source.ne[0];
  inParallel(threads, rows, [&](int64_t begin, int64_t end) {
    if (type == GGML_TYPE_F32) {
      readRows(source, first + begin, end - begin, static_cast<float*>(out) + begin * width);
      return;
    }
    std::vector<float> wide(static_cast<size_t>(width));
    for (int64_t row = begin; row < end; ++row) {
      readRows(source, first + row, 1, wide.data());
      ggml_fp32_to_bf16_row(wide.data(), static_cast<ggml_bf16_t*>(out) + row * width, width);
    }
  });
}

/** Puts rows [first, first + rows) of `source` at the beginning of the target. */
void writeRows(const GgufTensor& source, int64_t first, int64_t rows, int threads,
               ggml_tensor* target) {
  if (ggml_backend_buffer_is_host(target->buffer)) {
    convertRows(source, first, rows, threads, target->type, target->data);
    return;
  }
  std::vector<std::uint8_t> copy(ggml_row_size(target->type, source.ne[0]) *
                                 static_cast<size_t>(rows));
  convertRows(source, first, rows, threads, target->type, copy.data());
  ggml_backend_tensor_set(target, copy.data(), 0, copy.size());
}

std::vector<float> readAll(const GgufTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.ne[0] * tensor.rows()));
  readRows(tensor, 0, tensor.rows(), values.data());
  return values;
}

}  // namespace

FrozenWeights::FrozenWeights(Backend& backend, const Model& model)
    : backend_(backend),
      model_(model),
      store_(model.parameters().layers * (6 + linearRoleCount) + linearRoleCount + 8) {
  const ggml_type type = backend.weightType();
  for (const LinearRole role : allLinearRoles) {
    auto& linear = staged_.linears[static_cast<size_t>(role)];
    const int64_t in = model.inputWidth(role);
    const int64_t out = model.outputWidth(role);
    linear.weight = store_.add(ggufName(role), type, in, out);
  }
  const int64_t width = model.parameters().width;
  headStage_ = store_.add("head block", type, width,
                          std::min<int64_t>(headBlock, model.parameters().vocabulary));
  struct Copy {
    ggml_tensor* target;
    const GgufTensor* source;
  };
  std::vector<Copy> copies;
  const auto keep = [&](const GgufTensor* source) -> ggml_tensor* {
    if (source == nullptr) return nullptr;
    ggml_tensor* target = store_.add(source->name, GGML_TYPE_F32, source->ne[0]);
    copies.push_back({target, source});
    return target;
  };
  outputNorm_ = keep(&model.outputNorm());
  ropeFactors_ = keep(model.ropeFactors());
  for (int index = 0; index < model.parameters().layers; ++index) {
    const ModelLayer& source = model.layer(index);
    LayerWeights layer = staged_;
    layer.attentionNorm = keep(source.attentionNorm);
    layer.feedForwardNorm = keep(source.feedForwardNorm);
    layer.queryNorm = keep(source.queryNorm);
    layer.keyNorm = keep(source.keyNorm);
    layer.attentionPostNorm = keep(source.attentionPostNorm);
    layer.feedForwardPostNorm = keep(source.feedForwardPostNorm);
    for (size_t role = 0; role < linearRoleCount; ++role) {
      layer.linears[role].bias = keep(source.biases[role]);
    }
    small_.push_back(layer);
  }
  store_.place(backend);
  for (size_t role = 0; role < linearRoleCount; ++role) {
    for (LayerWeights& layer : small_) {
      layer.linears[role].weight = staged_.linears[role].weight;
    }
  }
  for (const Copy& copy : copies) {
    const std::vector<float> values = readAll(*copy.source);
    ggml_backend_tensor_set(copy.target, values.data(), 0, ggml_nbytes(copy.target));
  }
}

const LayerWeights& FrozenWeights::load(int layer) {
  const LayerWeights& result = small_[static_cast<size_t>(layer)];
  if (stagedLayer_ == layer) return result;
  for (size_t role = 0; role < linearRoleCount; ++role) {
    const GgufTensor& source = *model_.layer(layer).weights[role];
    writeRows(source, 0, source.rows(), backend_.threads(), staged_.linears[role].weight);
  }
  stagedLayer_ = layer;
  return result;
}

ggml_tensor* FrozenWeights::loadHead(int64_t first, int64_t rows) {
  writeRows(model_.head(), first, rows, backend_.threads(), headStage_);
  return headStage_;
}

std::vector<float> FrozenWeights::headRow(int64_t row) const {
  std::vector<float> values(static_cast<size_t>(model_.head().ne[0]));
  readRows(model_.head(), row, 1, values.data());
  if (backend_.weightType() == GGML_TYPE_BF16) {
    std::vector<ggml_bf16_t> narrow(values.size());
    ggml_fp32_to_bf16_row(values.data(), narrow.data(), model_.head().ne[0]);
    ggml_bf16_to_fp32_row(narrow.data(), values.data(), model_.head().ne[0]);
  }
  return values;
}

std::vector<float> FrozenWeights::embed(const std::vector<int32_t>& tokens) const {
  const auto width = static_cast<size_t>(model_.embedding().ne[0]);
  std::vector<float> values(width * tokens.size());
  for (size_t index = 0; index < tokens.size(); ++index) {
    readRows(model_.embedding(), tokens[index], 1, values.data() + index * width);
  }
  const float scale = model_.parameters().embeddingScale;
  if (scale != 1) {
    for (float& value : values) value *= scale;
  }
  return values;
}

}  // namespace preflexor
