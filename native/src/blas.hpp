// A BLAS library's sgemm, loaded at run time where one lies beside the program (OpenBLAS, which
// `npm run build:native` takes from its Python package). ggml's own float32 matmul reaches a third
// of its speed on AVX2; without the library everything computes with ggml. Knows nothing about
// models.
#pragma once

#include <cstdint>
#include <string>

namespace preflexor {

/** Where a matrix lies: element (row, column) at data[row · stride + column], or turned. */
struct MatrixView {
  const float* data;
  int64_t stride;  ///< elements from one stored row to the next
  bool turned;     ///< stored as its transpose
};

class Blas {
 public:
  /** The library beside the running program; null when there is none. Loaded once a process. */
  static const Blas* find();

  /** C = A B + (accumulate ? C : 0); A [m, k], B [k, n], C [m, n], rows apart by the strides. */
  void multiply(int64_t m, int64_t n, int64_t k, const MatrixView& a, const MatrixView& b, float* c,
                int64_t strideC, bool accumulate) const;

  /** Such as "OpenBLAS Haswell". */
  const std::string& description() const { return description_; }

 private:
  using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int,
                         float, float*, int);
  static Blas load();

  Sgemm sgemm_ = nullptr;
  std::string description_;
};

}  // namespace preflexor
