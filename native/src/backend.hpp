// The ggml backend: loads node-llama-cpp's libraries from a folder, opens the CPU or a GPU, chooses
// the type of the frozen weights, gives the CPU what a GPU lacks, and refuses what neither computes
// (ggml itself would abort the process). Knows nothing about models.
#pragma once

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "blas.hpp"

namespace preflexor {

/** Thrown where work was asked to end in its middle. What it had begun is to be thrown away. */
struct Interrupted {};

/** Who is asked while graphs are computed; what is empty is not asked. */
struct Attendant {
  std::function<void()> beforeGraph;  ///< may wait, or throw Interrupted
  /** Asked between the operations of a graph on the CPU. @returns whether to end */
  std::function<bool()> endsGraph;
};

/** What the matrices of the frozen model are kept as while computing. */
enum class Precision { automatic, f32, bf16 };

struct BackendOptions {
  std::string libraries;       ///< folder with libggml.* and the CPU backends
  std::string device = "cpu";  ///< "cpu", "gpu", or "auto": a GPU where there is one
  int threads = 1;
  Precision precision = Precision::automatic;
  std::vector<ggml_op> lacking;  ///< operations that the device shall pretend to lack, for tests
  bool blas = true;  ///< false: ggml's own matmul even where a BLAS library lies beside the program
};

class Backend {
 public:
  /** @throws TrainerError "libraries", "device" */
  explicit Backend(const BackendOptions& options);
  /** ggml's backend points at this object. */
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  /** Whether the graphs run on a GPU. */
  bool onGpu() const { return gpu_ != nullptr; }
  int threads() const { return threads_; }
  /** GGML_TYPE_BF16 where the CPU multiplies it in hardware (or on request), else GGML_TYPE_F32. */
  ggml_type weightType() const { return weightType_; }
  /** The device's name as ggml tells it. */
  const std::string& description() const { return description_; }
  /** The library for F32 products in host memory; null where ggml computes them. */
  const Blas* blas() const { return blas_; }
  /** Feature names that the loaded CPU library reports, such as AVX512_BF16. */
  const std::vector<std::string>& features() const { return features_; }

  /**
   * Checks every node, places the graph's tensors in the shared work buffer and computes.
   * `prepare` is called between placing and computing, to fill inputs.
   * @throws TrainerError "unsupported-operation", "memory", "compute"; Interrupted
   */
  template <typename Prepare>
  void run(ggml_cgraph* graph, Prepare&& prepare) {
    if (attendant_.beforeGraph) attendant_.beforeGraph();
    place(graph);
    prepare();
    compute(graph);
  }

  /** From now on this one is asked, or, without one, nobody. */
  void attend(Attendant attendant) { attendant_ = std::move(attendant); }

  /** Whether the device computes a node; blocks that know another way ask before they take it. */
  bool supports(const ggml_tensor* node) const;

  /** Names of the operations that the GPU lacked, and that were computed on the CPU. */
  const std::set<std::string>& fallenBack() const { return fallenBack_; }

  /** Bytes of work buffer that a graph needs. */
  size_t measure(ggml_cgraph* graph) const;

  /** Places all tensors of a context in one buffer of their own. @throws TrainerError "memory" */
  ggml_backend_buffer_t allocate(ggml_context* context) const;

 private:
  struct FreeBackend {
    void operator()(ggml_backend_t backend) const { ggml_backend_free(backend); }
  };
  struct FreeAllocator {
    void operator()(ggml_gallocr_t allocator) const { ggml_gallocr_free(allocator); }
  };
  struct FreeScheduler {
    void operator()(ggml_backend_sched_t scheduler) const { ggml_backend_sched_free(scheduler); }
  };
  /** ggml's way to ask, with the backend as its data. */
  static bool graphShallEnd(void* backend);
  void openCpu(ggml_backend_dev_t device);
  void openGpu(ggml_backend_dev_t device);
  void place(ggml_cgraph* graph);
  void compute(ggml_cgraph* graph);
  /** Nodes that the GPU lacks, with what is written into them. @throws TrainerError
   * "unsupported-operation" */
  std::set<const ggml_tensor*> findFallbacks(ggml_cgraph* graph);
  bool placeOnBoth(ggml_cgraph* graph, const std::set<const ggml_tensor*>& onCpu);
  ggml_backend_t device() const { return gpu_ == nullptr ? cpu_.get() : gpu_.get(); }

  std::unique_ptr<ggml_backend, FreeBackend> cpu_;
  std::unique_ptr<ggml_backend, FreeBackend> gpu_;
  std::unique_ptr<ggml_gallocr, FreeAllocator> allocator_;
  /** Divides a graph between GPU and CPU; made anew for one that is larger than any before. */
  std::unique_ptr<ggml_backend_sched, FreeScheduler> scheduler_;
  int schedulerSize_ = 0;  ///< nodes
  bool divided_ = false;   ///< whether the scheduler placed the graph at hand
  std::set<std::string> fallenBack_;
  Attendant attendant_;
  ggml_type weightType_ = GGML_TYPE_F32;
  std::vector<ggml_op> lacking_;
  int threads_ = 1;
  const Blas* blas_ = nullptr;
  std::string description_;
  std::vector<std::string> features_;
};

/** Tensors that live outside of graphs, with the buffer that holds them. */
class TensorStore {
 public:
  /** @param maximum how many tensors can be made */
  explicit TensorStore(int maximum);
  ~TensorStore();
  TensorStore(const TensorStore&) = delete;
  TensorStore& operator=(const TensorStore&) = delete;

  /** Declares a tensor; `name` is cut to ggml's 63 characters. Only before place(). */
  ggml_tensor* add(const std::string& name, ggml_type type, int64_t ne0, int64_t ne1 = 1);
  /** Gives every declared tensor its memory, once. */
  void place(const Backend& backend);
  /** Bytes of all tensors, once placed. */
  size_t bytes() const { return buffer_ == nullptr ? 0 : ggml_backend_buffer_get_size(buffer_); }

 private:
  ggml_context* context_;
  ggml_backend_buffer_t buffer_ = nullptr;
};

}  // namespace preflexor
