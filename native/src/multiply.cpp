// Implementation of multiply.hpp. BLAS counts rows first: y's row n is Σ_k b[n, k] a[m, k], so the
// product is B Aᵀ with y as an N × M matrix of contiguous rows.
#include "multiply.hpp"

#include <algorithm>
#include <utility>

#include "blas.hpp"

namespace preflexor {
namespace {

bool rowsContiguous(const ggml_tensor* x) {
  return x->nb[0] == sizeof(float);
}

bool turnedRows(const ggml_tensor* x) {
  return !rowsContiguous(x) && x->nb[1] == sizeof(float);
}

bool readable(const ggml_tensor* x) {
  return x->type == GGML_TYPE_F32 && (rowsContiguous(x) || turnedRows(x));
}

/** Rows `first` … of matrix `head` of x [K, rows, heads]: as B [rows, K]. */
MatrixView rowsOf(const ggml_tensor* x, int64_t head, int64_t first) {
  const auto* data = static_cast<const char*>(x->data) + static_cast<size_t>(head) * x->nb[2] +
                     static_cast<size_t>(first) * x->nb[1];
  const bool turned = turnedRows(x);
  const auto stride = static_cast<int64_t>((turned ? x->nb[0] : x->nb[1]) / sizeof(float));
  // A single row may claim any stride (a turned column does); BLAS wants a sound one.
  return {reinterpret_cast<const float*>(data), std::max(stride, x->ne[turned ? 1 : 0]), turned};
}

/** A task's part of 0 … count, in whole multiples of what the kernels like. */
std::pair<int64_t, int64_t> shareOf(int64_t count, int task, int tasks) {
  constexpr int64_t grain = 16;
  const int64_t grains = (count + grain - 1) / grain;
  const int64_t begin = std::min(count, grains * task / tasks * grain);
  return {begin, std::min(count, grains * (task + 1) / tasks * grain)};
}

/** What one product needs to know besides its operands. */
struct Plan {
  const Blas& blas;
  Place place;
  Writing writing;
};

void computeProduct(float* target, const ggml_tensor* a, const ggml_tensor* b, const Plan& plan,
                    int task, int tasks) {
  // The longer side is split, so that each task's call is worth making.
  const bool splitRows = b->ne[1] >= a->ne[1];
  const auto [begin, end] = shareOf(splitRows ? b->ne[1] : a->ne[1], task, tasks);
  const int64_t firstN = splitRows ? begin : 0;
  const int64_t countN = splitRows ? end - begin : b->ne[1];
  const int64_t firstM = splitRows ? 0 : begin;
  const int64_t countM = splitRows ? a->ne[1] : end - begin;
  const int64_t shared = b->ne[2] / a->ne[2];
  for (int64_t head = 0; head < b->ne[2]; ++head) {
    MatrixView right = rowsOf(a, head / shared, firstM);
    right.turned = !right.turned;
    float* part = target + plan.place.offset + head * plan.place.headStride +
                  firstN * plan.place.rowStride + firstM;
    plan.blas.multiply(countN, countM, a->ne[0], rowsOf(b, head, firstN), right, part,
                       plan.place.rowStride, plan.writing == Writing::add);
  }
}

void computeNew(ggml_tensor* y, int task, int tasks, void* plan) {
  computeProduct(static_cast<float*>(y->data), y->src[0], y->src[1], *static_cast<Plan*>(plan),
                 task, tasks);
}

/** As computeNew, but source 0 is the tensor that is written into. */
void computeInto(ggml_tensor* y, int task, int tasks, void* plan) {
  computeProduct(static_cast<float*>(y->data), y->src[1], y->src[2], *static_cast<Plan*>(plan),
                 task, tasks);
}

bool blasComputes(const Graph& graph, const ggml_tensor* a, const ggml_tensor* b) {
  return graph.backend().blas() != nullptr && readable(a) && readable(b);
}

/** ggml wants the left side contiguous, and is fast only where the right side is too. */
ggml_tensor* straight(ggml_context* context, ggml_tensor* x) {
  // A turned row or column counts as contiguous, and yet ggml refuses it as transposed.
  return ggml_is_contiguous(x) && !ggml_is_transposed(x) ? x : ggml_cont(context, x);
}

ggml_tensor* multiplyByGgml(Graph& graph, ggml_tensor* a, ggml_tensor* b) {
  ggml_context* context = graph.context();
  return ggml_mul_mat(context, straight(context, a), straight(context, b));
}

}  // namespace

ggml_tensor* multiply(Graph& graph, ggml_tensor* a, ggml_tensor* b) {
  if (!blasComputes(graph, a, b)) return multiplyByGgml(graph, a, b);
  const int64_t width = a->ne[1];
  const int64_t rows = b->ne[1];
  const Plan plan{*graph.backend().blas(), {0, width, width * rows}, Writing::replace};
  ggml_tensor* inputs[] = {a, b};
  return ggml_custom_4d(graph.context(), GGML_TYPE_F32, width, rows, b->ne[2], 1, inputs, 2,
                        computeNew, GGML_N_TASKS_MAX, graph.own(plan));
}

ggml_tensor* multiplyInto(Graph& graph, ggml_tensor* target, const Place& place, Writing writing,
                          ggml_tensor* a, ggml_tensor* b) {
  ggml_context* context = graph.context();
  if (blasComputes(graph, a, b)) {
    const Plan plan{*graph.backend().blas(), place, writing};
    ggml_tensor* inputs[] = {a, b};
    return ggml_custom_inplace(context, target, inputs, 2, computeInto, GGML_N_TASKS_MAX,
                               graph.own(plan));
  }
  const auto put = writing == Writing::add ? ggml_acc_inplace : ggml_set_inplace;
  ggml_tensor* y = multiplyByGgml(graph, a, b);
  int64_t inner = place.rowStride;
  int64_t outer = place.headStride;
  if (outer < inner) {
    // GPUs find where an element belongs by dividing by the outer stride first: it has to be the
    // larger one.
    y = ggml_cont(context, ggml_permute(context, y, 0, 2, 1, 3));
    std::swap(inner, outer);
  }
  const auto bytes = [](int64_t elements) { return static_cast<size_t>(elements) * sizeof(float); };
  return put(context, target, y, bytes(inner), bytes(outer),
             bytes(outer) * static_cast<size_t>(y->ne[2]), bytes(place.offset));
}

ggml_tensor* multiplyAdd(Graph& graph, ggml_tensor* sum, ggml_tensor* a, ggml_tensor* b) {
  return multiplyInto(graph, sum, {0, sum->ne[0], ggml_nelements(sum)}, Writing::add, a, b);
}

ggml_tensor* turned(Graph& graph, ggml_tensor* x) {
  return ggml_permute(graph.context(), x, 1, 0, 2, 3);
}

}  // namespace preflexor
