// Implementation of network.hpp: one graph per layer, one work buffer for all of them.
#include "network.hpp"

#include "blocks/rmsNorm.hpp"
#include "transformerLayer.hpp"

namespace preflexor {
namespace {

/** Room for a layer's operations; attention adds some for each block of queries. */
size_t nodesFor(const PackedBatch& batch) {
  const auto tokens = static_cast<size_t>(batch.size());
  return 1024 + 96 * (batch.segments.size() + tokens / 64);
}

}  // namespace

Network::Network(Backend& backend, const Model& model)
    : backend_(backend), model_(model), weights_(backend, model), head_(backend, model, weights_) {}

Forward Network::forward(const PackedBatch& batch, const Adapter* adapter, bool forBackward) {
  Forward result;
  const int64_t width = model_.parameters().width;
  std::vector<float> x = weights_.embed(batch.tokens);
  for (int index = 0; index < model_.parameters().layers; ++index) {
    const LayerWeights& weights = weights_.load(index, false);
    Graph graph(backend_, nodesFor(batch));
    ggml_tensor* input = graph.input("x", x, width, batch.size());
    ggml_tensor* positions = graph.input("positions", batch.positions);
    const LayerContext layer{model_.parameters(),
                             weights,
                             batch,
                             {&model_.parameters(), positions, weights_.ropeFactors()},
                             adapter == nullptr ? std::array<const LoraTensors*, linearRoleCount>{}
                                                : adapter->layer(index)};
    LayerSaved saved;
    ggml_tensor* y = layerForward(graph, layer, input, saved);
    graph.output(y);
    graph.compute();
    std::vector<float> next = readFloats(y);
    if (forBackward) result.layerInputs.push_back(std::move(x));
    x = std::move(next);
  }
  HeadResult head = head_.evaluate(normed(x, batch.size()), batch.labels, forBackward);
  result.logProbabilities = std::move(head.logProbabilities);
  if (forBackward) {
    result.unitGradients = std::move(head.unitGradients);
    result.hidden = std::move(x);
  }
  return result;
}

void Network::backward(const PackedBatch& batch, const Adapter& adapter, const Forward& forward,
                       const std::vector<double>& weights) {
  const int64_t width = model_.parameters().width;
  std::vector<float> dNormed(static_cast<size_t>(width * batch.size()), 0.0F);
  for (size_t label = 0; label < batch.labels.size(); ++label) {
    const auto weight = static_cast<float>(weights[label]);
    if (weight == 0.0F) continue;
    const float* unit = forward.unitGradients.data() + label * static_cast<size_t>(width);
    float* target = dNormed.data() + batch.labels[label].row * width;
    for (int64_t column = 0; column < width; ++column) target[column] += weight * unit[column];
  }
  std::vector<float> dy = normedBackward(forward.hidden, dNormed, batch.size());
  for (int index = model_.parameters().layers - 1; index >= 0; --index) {
    const LayerWeights& layerWeights = weights_.load(index, true);
    Graph graph(backend_, 2 * nodesFor(batch));
    const auto& kept = forward.layerInputs[static_cast<size_t>(index)];
    ggml_tensor* input = graph.input("x", kept, width, batch.size());
    ggml_tensor* gradient = graph.input("dy", dy, width, batch.size());
    ggml_tensor* positions = graph.input("positions", batch.positions);
    const LayerContext layer{model_.parameters(),
                             layerWeights,
                             batch,
                             {&model_.parameters(), positions, weights_.ropeFactors()},
                             adapter.layer(index)};
    LayerSaved saved;
    layerSave(graph, layer, input, saved);
    ggml_tensor* dx = layerBackward(graph, layer, saved, gradient);
    graph.output(dx);
    graph.compute();
    dy = readFloats(dx);
  }
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
  Graph graph(backend_, 8);
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
