// One graph of ggml operations: made, computed once, thrown away. Inputs are copied in, outputs
// copied out; tensors of a TensorStore take part directly.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend.hpp"

namespace preflexor {

class Graph {
 public:
  Graph(Backend& backend, size_t maximumNodes);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  ggml_context* context() const { return context_; }
  const Backend& backend() const { return backend_; }

  /** An F32 input [ne0, ne1]; `values` must outlive compute(). */
  ggml_tensor* input(const char* name, const std::vector<float>& values, int64_t ne0, int64_t ne1);
  /** An I32 input [count]; `values` must outlive compute(). */
  ggml_tensor* input(const char* name, const std::vector<int32_t>& values);
  /** Keeps the tensor's memory until read() and makes sure that it is computed. */
  void output(ggml_tensor* tensor);
  /** Makes sure that a tensor is computed, for its effect on a tensor outside of the graph. */
  void require(ggml_tensor* tensor);
  void compute();
  /** Bytes of work buffer that compute() would need; computes and allocates nothing. */
  size_t measure();

  /** Keeps what an operation reads besides its tensors until the graph is gone. */
  template <typename Value>
  Value* own(const Value& value) {
    const auto kept = std::make_shared<Value>(value);
    owned_.push_back(kept);
    return kept.get();
  }

 private:
  struct Input {
    ggml_tensor* tensor;
    const void* data;
  };
  Backend& backend_;
  ggml_context* context_;
  ggml_cgraph* graph_;
  std::vector<Input> inputs_;
  std::vector<std::shared_ptr<void>> owned_;
};

/** All values of a contiguous F32 tensor. */
std::vector<float> readFloats(const ggml_tensor* tensor);

}  // namespace preflexor
