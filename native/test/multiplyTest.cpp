// Matrix products against sums written out: every layout of both sides, single rows and columns,
// shared heads, written into parts of larger tensors; by BLAS and by ggml.
#include "multiply.hpp"

#include "check.hpp"
#include "random.hpp"

using namespace preflexor;
using preflexor::testing::cpuOptions;

namespace {

struct Shape {
  int64_t inner, width, rows, heads, shared;  ///< K, M, N, H, H / H′
};

std::vector<float> numbers(int64_t count, std::uint64_t seed) {
  Random random(seed, RandomPurpose::test);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/** An input [ne0, ne1, ne2], stored as it is or with its two fastest axes swapped. */
ggml_tensor* operand(Graph& graph, const std::vector<float>& values, int64_t ne0, int64_t ne1,
                     int64_t ne2, bool swapped) {
  ggml_tensor* flat = graph.input("operand", values, ne0 * ne1, ne2);
  ggml_tensor* stored =
      ggml_reshape_3d(graph.context(), flat, swapped ? ne1 : ne0, swapped ? ne0 : ne1, ne2);
  return swapped ? turned(graph, stored) : stored;
}

double at(const std::vector<float>& values, int64_t ne0, int64_t ne1, bool swapped, int64_t i,
          int64_t j, int64_t head) {
  const int64_t inside = swapped ? i * ne1 + j : j * ne0 + i;
  return static_cast<double>(values[static_cast<size_t>(head * ne0 * ne1 + inside)]);
}

void checkShape(Backend& backend, const Shape& s, bool swapA, bool swapB) {
  const std::vector<float> a = numbers(s.inner * s.width * (s.heads / s.shared), 1);
  const std::vector<float> b = numbers(s.inner * s.rows * s.heads, 2);
  Graph graph(backend, 64);
  ggml_tensor* y = multiply(graph, operand(graph, a, s.inner, s.width, s.heads / s.shared, swapA),
                            operand(graph, b, s.inner, s.rows, s.heads, swapB));
  graph.output(y);
  graph.compute();
  const std::vector<float> actual = readFloats(y);
  for (int64_t head = 0; head < s.heads; ++head) {
    for (int64_t n = 0; n < s.rows; ++n) {
      for (int64_t m = 0; m < s.width; ++m) {
        double expected = 0;
        for (int64_t k = 0; k < s.inner; ++k) {
          expected += at(a, s.inner, s.width, swapA, k, m, head / s.shared) *
                      at(b, s.inner, s.rows, swapB, k, n, head);
        }
        const auto index = static_cast<size_t>((head * s.rows + n) * s.width + m);
        CHECK_NEAR(static_cast<double>(actual[index]), expected, 1e-4);
      }
    }
  }
}

void checkAll(const BackendOptions& options) {
  Backend backend(options);
  for (const Shape& shape :
       {Shape{1, 1, 1, 1, 1}, Shape{5, 1, 7, 1, 1}, Shape{7, 3, 1, 1, 1}, Shape{1, 6, 5, 1, 1},
        Shape{33, 17, 40, 1, 1}, Shape{16, 20, 9, 6, 3}}) {
    for (const bool swapA : {false, true}) {
      for (const bool swapB : {false, true}) checkShape(backend, shape, swapA, swapB);
    }
  }
}

}  // namespace

TEST_CASE("given every layout, when BLAS multiplies, then products are the sums written out") {
  CHECK(Backend(cpuOptions()).blas() != nullptr);
  checkAll(cpuOptions());
  checkAll(cpuOptions(3));
}

TEST_CASE("given every layout, when ggml multiplies, then products are the sums written out") {
  BackendOptions options = cpuOptions();
  options.blas = false;
  checkAll(options);
}

TEST_CASE("given a place in a larger tensor, when written and added to, then only that changes") {
  for (const bool blas : {true, false}) {
    BackendOptions options = cpuOptions();
    options.blas = blas;
    Backend backend(options);
    // Two heads of [3, 2] inside of [8, 4]: rows 8 apart, heads 3 apart, from element 9 on.
    const std::vector<float> before = numbers(32, 3);
    const std::vector<float> a = numbers(2 * 3 * 2, 4);
    const std::vector<float> b = numbers(2 * 2 * 2, 5);
    Graph graph(backend, 64);
    ggml_tensor* target = ggml_cont(graph.context(), graph.input("target", before, 8, 4));
    ggml_tensor* left = operand(graph, a, 2, 3, 2, false);
    ggml_tensor* right = operand(graph, b, 2, 2, 2, false);
    const Place place{9, 8, 3};
    ggml_tensor* once = multiplyInto(graph, target, place, Writing::replace, left, right);
    ggml_tensor* twice = multiplyInto(graph, once, place, Writing::add, left, right);
    graph.output(twice);
    graph.compute();
    std::vector<float> expected = before;
    for (int64_t head = 0; head < 2; ++head) {
      for (int64_t n = 0; n < 2; ++n) {
        for (int64_t m = 0; m < 3; ++m) {
          double sum = 0;
          for (int64_t k = 0; k < 2; ++k) {
            sum += at(a, 2, 3, false, k, m, head) * at(b, 2, 2, false, k, n, head);
          }
          expected[static_cast<size_t>(9 + n * 8 + head * 3 + m)] = static_cast<float>(2 * sum);
        }
      }
    }
    const std::vector<float> actual = readFloats(twice);
    for (size_t index = 0; index < expected.size(); ++index) {
      CHECK_NEAR(static_cast<double>(actual[index]), static_cast<double>(expected[index]), 1e-5);
    }
  }
}
