// Implementation of network.hpp: one graph per layer, one work buffer for all of them.
#include "network.hpp"

#include <algorithm>
#include <chrono>

#include "blocks/rmsNorm.hpp"

namespace preflexor {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/** dL/d(normed hidden states) of the whole batch: each label's unit gradient times its weight. */
std::vector<float> gradientOfLabels(const PackedBatch& batch, const Forward& forward,
                                    const std::vector<double>& weights, int64_t width) {
  std::vector<float> result(static_cast<size_t>(width * batch.size()), 0.0F);
  for (size_t label = 0; label < batch.labels.size(); ++label) {
    const auto weight = static_cast<float>(weights[label]);
    if (weight == 0.0F) continue;
    const float* unit = forward.unitGradients.data() + label * static_cast<size_t>(width);
    float* target = result.data() + batch.labels[label].row * width;
    for (int64_t column = 0; column < width; ++column) target[column] += weight * unit[column];
  }
  return result;
}

}  // namespace

Network::Network(Backend& backend, const Model& model)
    : backend_(backend), model_(model), weights_(backend, model), head_(backend, model, weights_) {}

int Network::firstKeptLayer(const PackedBatch& batch) const {
  const size_t perLayer = LayerKept::bytes(model_, batch.size());
  const auto layers = static_cast<size_t>(model_.parameters().layers);
  return static_cast<int>(layers - std::min(layers, keptBytes_ / perLayer));
}

LayerContext Network::contextOf(Graph& graph, const PackedBatch& batch, const Adapter* adapter,
                                int layer, const Dropout& dropout) {
  const HyperParameters& p = model_.parameters();
  return {p,
          layer,
          weights_.load(layer),
          batch,
          {&p, p.isLocal(layer), graph.input("positions", batch.positions), weights_.ropeFactors()},
          adapter == nullptr ? std::array<const LoraTensors*, linearRoleCount>{}
                             : adapter->layer(layer),
          dropout};
}

Forward Network::throughLayers(const PackedBatch& batch, const Adapter* adapter, bool forBackward,
                               const Dropout& dropout) {
  Forward result;
  const HyperParameters& p = model_.parameters();
  const int firstKept = forBackward ? firstKeptLayer(batch) : p.layers;
  std::vector<float> x = weights_.embed(batch.tokens);
  for (int index = 0; index < p.layers; ++index) {
    Graph graph(backend_, layerNodes(p, index, batch));
    const LayerContext layer = contextOf(graph, batch, adapter, index, dropout);
    LayerSaved saved;
    ggml_tensor* y = layerForward(graph, layer, graph.input("x", x, p.width, batch.size()), saved);
    const bool keep = index >= firstKept;
    if (keep) markKept(graph, layer, saved);
    graph.output(y);
    graph.compute();
    std::vector<float> next = readFloats(y);
    if (forBackward) {
      result.layerInputs.push_back(std::move(x));
      result.kept.push_back(keep ? readKept(layer, saved) : LayerKept{});
    }
    x = std::move(next);
  }
  result.hidden = std::move(x);
  return result;
}

Forward Network::forward(const PackedBatch& batch, const Adapter* adapter, bool forBackward,
                         const Dropout& dropout) {
  Forward result = throughLayers(batch, adapter, forBackward, dropout);
  HeadResult head = head_.evaluate(normed(result.hidden, batch.size()), batch.labels, forBackward);
  result.values = std::move(head.values);
  result.unitGradients = std::move(head.unitGradients);
  return result;
}

std::vector<float> Network::hiddenStates(const PackedBatch& batch, const Adapter* adapter) {
  return normed(throughLayers(batch, adapter, false, {}).hidden, batch.size());
}

Forward Network::divergence(const PackedBatch& batch, const Adapter* adapter,
                            const std::vector<float>& frozen, bool forBackward,
                            const Dropout& dropout) {
  Forward result = throughLayers(batch, adapter, forBackward, dropout);
  HeadResult head =
      head_.compare(normed(result.hidden, batch.size()), frozen, batch.labels, forBackward);
  result.values = std::move(head.values);
  result.unitGradients = std::move(head.unitGradients);
  return result;
}

void Network::backward(const PackedBatch& batch, const Adapter& adapter, Forward& forward,
                       const std::vector<double>& weights, const Dropout& dropout) {
  const HyperParameters& p = model_.parameters();
  std::vector<float> dy = normedBackward(
      forward.hidden, gradientOfLabels(batch, forward, weights, p.width), batch.size());
  for (int index = p.layers - 1; index >= 0; --index) {
    Graph graph(backend_, 2 * layerNodes(p, index, batch));
    const LayerContext layer = contextOf(graph, batch, &adapter, index, dropout);
    const auto& x = forward.layerInputs[static_cast<size_t>(index)];
    LayerKept& kept = forward.kept[static_cast<size_t>(index)];
    LayerSaved saved;
    layerSave(graph, layer, graph.input("x", x, p.width, batch.size()), kept, saved);
    ggml_tensor* dx =
        layerBackward(graph, layer, saved, graph.input("dy", dy, p.width, batch.size()));
    graph.output(dx);
    graph.compute();
    dy = readFloats(dx);
    kept = {};
  }
}

size_t Network::workBytes(const PackedBatch& batch, const Adapter& adapter) {
  const HyperParameters& p = model_.parameters();
  const std::vector<float> x(static_cast<size_t>(p.width * batch.size()));
  size_t largest = 0;
  // The first layer has a window where any has one, the last sees everything.
  for (const int index : {0, p.layers - 1}) {
    Graph graph(backend_, 2 * layerNodes(p, index, batch));
    const Dropout none;
    const LayerContext layer = contextOf(graph, batch, &adapter, index, none);
    LayerSaved saved;
    layerSave(graph, layer, graph.input("x", x, p.width, batch.size()), {}, saved);
    graph.output(layerBackward(graph, layer, saved, graph.input("dy", x, p.width, batch.size())));
    largest = std::max(largest, graph.measure());
  }
  return largest;
}

size_t Network::bytesToKeepAll(const PackedBatch& batch) const {
  return LayerKept::bytes(model_, batch.size()) * static_cast<size_t>(model_.parameters().layers);
}

double Network::timeForward(const PackedBatch& batch, const Adapter& adapter,
                            const std::vector<float>& x, LayerKept* kept) {
  const HyperParameters& p = model_.parameters();
  const Dropout none;
  weights_.forget();
  const Clock::time_point start = Clock::now();
  Graph graph(backend_, layerNodes(p, 0, batch));
  const LayerContext layer = contextOf(graph, batch, &adapter, 0, none);
  LayerSaved saved;
  graph.output(layerForward(graph, layer, graph.input("x", x, p.width, batch.size()), saved));
  if (kept != nullptr) markKept(graph, layer, saved);
  graph.compute();
  if (kept != nullptr) *kept = readKept(layer, saved);
  return secondsSince(start);
}

double Network::timeBackward(const PackedBatch& batch, const Adapter& adapter,
                             const std::vector<float>& x, const LayerKept& kept) {
  const HyperParameters& p = model_.parameters();
  const Dropout none;
  weights_.forget();
  const Clock::time_point start = Clock::now();
  Graph graph(backend_, 2 * layerNodes(p, 0, batch));
  const LayerContext layer = contextOf(graph, batch, &adapter, 0, none);
  LayerSaved saved;
  layerSave(graph, layer, graph.input("x", x, p.width, batch.size()), kept, saved);
  graph.output(layerBackward(graph, layer, saved, graph.input("dy", x, p.width, batch.size())));
  graph.compute();
  return secondsSince(start);
}

Network::Rehearsal Network::rehearse(const PackedBatch& batch, Adapter& adapter) {
  constexpr size_t mostRows = 128;
  const HyperParameters& p = model_.parameters();
  const bool keeps = firstKeptLayer(batch) == 0;
  const std::vector<float> x = weights_.embed(batch.tokens);
  LayerKept kept;
  // The first round fills caches and buffers, and its times are thrown away.
  double forwardLayer = 0;
  double backwardLayer = 0;
  for (int round = 0; round < 2; ++round) {
    forwardLayer = timeForward(batch, adapter, x, keeps ? &kept : nullptr);
    backwardLayer = timeBackward(batch, adapter, x, kept);
  }
  adapter.clearGradients();
  std::vector<Label> rows = batch.labels;
  rows.resize(std::min(mostRows, rows.size()));
  const Clock::time_point start = Clock::now();
  head_.evaluate(x, rows, true);
  const double head = secondsSince(start) * static_cast<double>(batch.labels.size()) /
                      static_cast<double>(std::max<size_t>(1, rows.size()));
  // The head's two directions are a matmul each over the same numbers.
  const double forward = p.layers * forwardLayer + head / 2;
  return {forward, forward + p.layers * backwardLayer + head / 2};
}

std::vector<float> Network::normed(const std::vector<float>& hidden, int64_t tokens) {
  Graph graph(backend_, 8);
  ggml_tensor* x = graph.input("hidden", hidden, model_.parameters().width, tokens);
  ggml_tensor* y = rmsNormForward(graph, weights_.outputNorm(), model_.parameters().normEpsilon, x);
  graph.output(y);
  graph.compute();
  return readFloats(y);
}

std::vector<float> Network::normedBackward(const std::vector<float>& hidden,
                                           const std::vector<float>& gradient, int64_t tokens) {
  Graph graph(backend_, 32);
  const int64_t width = model_.parameters().width;
  ggml_tensor* x = graph.input("hidden", hidden, width, tokens);
  ggml_tensor* dy = graph.input("dy", gradient, width, tokens);
  ggml_tensor* dx =
      rmsNormBackward(graph, weights_.outputNorm(), model_.parameters().normEpsilon, x, dy);
  graph.output(dx);
  graph.compute();
  return readFloats(dx);
}

}  // namespace preflexor
