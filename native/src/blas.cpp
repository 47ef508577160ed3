// Implementation of blas.hpp.
#include "blas.hpp"

#include <filesystem>

#include "system.hpp"

namespace preflexor {
namespace {

// CBLAS's constants.
constexpr int rowMajor = 101;
constexpr int plain = 111;
constexpr int transposed = 112;

#if defined(_WIN32)
constexpr const char* libraryName = "libscipy_openblas.dll";
#elif defined(__APPLE__)
constexpr const char* libraryName = "libscipy_openblas.dylib";
#else
constexpr const char* libraryName = "libscipy_openblas.so";
#endif

/** The library beside this program, or, for the tests, beside the folder that they are in. */
void* findLibrary() {
  const auto program = programFile();
  if (program.empty()) return nullptr;
  std::error_code error;
  for (const auto& folder : {program.parent_path(), program.parent_path().parent_path()}) {
    const auto file = folder / libraryName;
    if (!std::filesystem::exists(file, error)) continue;
    if (void* library = openLibrary(file.string(), false)) return library;
  }
  return nullptr;
}

template <typename Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(findSymbol(library, name));
}

}  // namespace

const Blas* Blas::find() {
  static const Blas blas = load();
  return blas.sgemm_ == nullptr ? nullptr : &blas;
}

Blas Blas::load() {
  Blas blas;
  void* library = findLibrary();
  if (library == nullptr) return blas;
  const auto setThreads = symbol<void (*)(int)>(library, "scipy_openblas_set_num_threads");
  const auto coreName = symbol<char* (*)()>(library, "scipy_openblas_get_corename");
  const auto sgemm = symbol<Sgemm>(library, "scipy_cblas_sgemm");
  if (setThreads == nullptr || coreName == nullptr || sgemm == nullptr) return blas;
  // ggml's threads share the work; the library must not start its own.
  setThreads(1);
  blas.description_ = std::string("OpenBLAS ") + coreName();
  blas.sgemm_ = sgemm;
  return blas;
}

void Blas::multiply(int64_t m, int64_t n, int64_t k, const MatrixView& a, const MatrixView& b,
                    float* c, int64_t strideC, bool accumulate) const {
  if (m == 0 || n == 0) return;
  sgemm_(rowMajor, a.turned ? transposed : plain, b.turned ? transposed : plain,
         static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1.0F, a.data,
         static_cast<int>(a.stride), b.data, static_cast<int>(b.stride), accumulate ? 1.0F : 0.0F,
         c, static_cast<int>(strideC));
}

}  // namespace preflexor
