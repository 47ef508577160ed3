// Implementation of graph.hpp.
#include "graph.hpp"

namespace preflexor {

Graph::Graph(Backend& backend, size_t maximumNodes) : backend_(backend) {
  const size_t bytes =
      ggml_tensor_overhead() * maximumNodes + ggml_graph_overhead_custom(maximumNodes, false);
  context_ = ggml_init({bytes, nullptr, true});
  graph_ = ggml_new_graph_custom(context_, maximumNodes, false);
}

Graph::~Graph() {
  ggml_free(context_);
}

ggml_tensor* Graph::input(const char* name, const std::vector<float>& values, int64_t ne0,
                          int64_t ne1) {
  ggml_tensor* tensor = ggml_new_tensor_2d(context_, GGML_TYPE_F32, ne0, ne1);
  ggml_set_name(tensor, name);
  ggml_set_input(tensor);
  inputs_.push_back({tensor, values.data()});
  return tensor;
}

ggml_tensor* Graph::input(const char* name, const std::vector<int32_t>& values) {
  ggml_tensor* tensor =
      ggml_new_tensor_1d(context_, GGML_TYPE_I32, static_cast<int64_t>(values.size()));
  ggml_set_name(tensor, name);
  ggml_set_input(tensor);
  inputs_.push_back({tensor, values.data()});
  return tensor;
}

void Graph::output(ggml_tensor* tensor) {
  ggml_set_output(tensor);
  ggml_build_forward_expand(graph_, tensor);
}

void Graph::require(ggml_tensor* tensor) {
  ggml_build_forward_expand(graph_, tensor);
}

void Graph::compute() {
  backend_.run(graph_, [this] {
    for (const Input& input : inputs_) {
      // An input that nothing uses (the positions of a graph without rope) gets no memory.
      if (input.tensor->buffer == nullptr) continue;
      ggml_backend_tensor_set(input.tensor, input.data, 0, ggml_nbytes(input.tensor));
    }
  });
}

size_t Graph::measure() {
  return backend_.measure(graph_);
}

std::vector<float> readFloats(const ggml_tensor* tensor) {
  std::vector<float> values(static_cast<size_t>(ggml_nelements(tensor)));
  ggml_backend_tensor_get(tensor, values.data(), 0, ggml_nbytes(tensor));
  return values;
}

}  // namespace preflexor
