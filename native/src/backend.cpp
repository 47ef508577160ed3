// Implementation of backend.hpp.
#include "backend.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "errors.hpp"
#include "system.hpp"

namespace preflexor {
namespace {

/** The functions of libggml's registry, which is loaded by name and not linked. */
struct Registry {
  void (*loadAllFromPath)(const char*);
  size_t (*deviceCount)();
  ggml_backend_dev_t (*deviceAt)(size_t);
};

/** libggml.so, libggml.v0.5.0.so, ggml.v0.5.0.dll …: the version is part of the name. */
std::string findRegistryLibrary(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const std::string extension = entry.path().extension().string();
    const bool named = name.rfind("libggml.", 0) == 0 || name.rfind("ggml.", 0) == 0;
    if (named && (extension == ".so" || extension == ".dylib" || extension == ".dll")) {
      return entry.path().string();
    }
  }
  throw TrainerError("libraries", "No libggml library was found in the folder " + folder + ".",
                     "Point \"libraries\" at the bins folder of the @node-llama-cpp package for "
                     "this platform.");
}

template <typename Function>
void resolve(void* library, const char* name, Function& function) {
  void* symbol = findSymbol(library, name);
  if (symbol == nullptr) {
    throw TrainerError("libraries", std::string("libggml lacks the function ") + name + ".",
                       "Use the @node-llama-cpp packages of the version that this trainer names.");
  }
  function = reinterpret_cast<Function>(symbol);
}

/** Loads the registry and its backends; libraries stay loaded until the process ends. */
Registry loadRegistry(const std::string& folder) {
  const std::string path = findRegistryLibrary(folder);
  void* library = openLibrary(path, true);
  if (library == nullptr) {
    throw TrainerError("libraries", "Cannot load " + path + ": " + libraryProblem() + ".",
                       "Install the packages again (npm ci).");
  }
  Registry registry{};
  resolve(library, "ggml_backend_load_all_from_path", registry.loadAllFromPath);
  resolve(library, "ggml_backend_dev_count", registry.deviceCount);
  resolve(library, "ggml_backend_dev_get", registry.deviceAt);
  // A second backend in one process (tests, self-test) finds the devices already registered.
  if (registry.deviceCount() == 0) registry.loadAllFromPath(folder.c_str());
  return registry;
}

bool isCpu(enum ggml_backend_dev_type type) {
  return type == GGML_BACKEND_DEVICE_TYPE_CPU;
}

bool isGpu(enum ggml_backend_dev_type type) {
  return type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU;
}

/** The first device of a type; null where there is none. */
ggml_backend_dev_t findDevice(const Registry& registry,
                              bool (*wanted)(enum ggml_backend_dev_type)) {
  for (size_t index = 0; index < registry.deviceCount(); ++index) {
    ggml_backend_dev_t device = registry.deviceAt(index);
    if (wanted(ggml_backend_dev_type(device))) return device;
  }
  return nullptr;
}

std::vector<std::string> readFeatures(ggml_backend_reg_t registration) {
  std::vector<std::string> names;
  auto getFeatures = reinterpret_cast<ggml_backend_get_features_t>(
      ggml_backend_reg_get_proc_address(registration, "ggml_backend_get_features"));
  if (getFeatures == nullptr) return names;
  for (ggml_backend_feature* feature = getFeatures(registration); feature->name != nullptr;
       ++feature) {
    if (std::string(feature->value) == "1") names.emplace_back(feature->name);
  }
  return names;
}

ggml_type chooseWeightType(Precision precision, const std::vector<std::string>& features) {
  if (precision == Precision::f32) return GGML_TYPE_F32;
  if (precision == Precision::bf16) return GGML_TYPE_BF16;
  // Without the instruction BF16 is two to six times slower than F32.
  for (const std::string& name : features) {
    if (name == "AVX512_BF16") return GGML_TYPE_BF16;
  }
  return GGML_TYPE_F32;
}

/** BF16 on a GPU is asked for: which ones multiply it in hardware is not to be read off. */
ggml_type chooseGpuWeightType(Precision precision) {
  return precision == Precision::bf16 ? GGML_TYPE_BF16 : GGML_TYPE_F32;
}

void dropLog(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
}

}  // namespace

Backend::Backend(const BackendOptions& options)
    : lacking_(options.lacking), threads_(options.threads) {
  if (options.device != "cpu" && options.device != "gpu" && options.device != "auto") {
    throw TrainerError("device", "There is no device \"" + options.device + "\".",
                       "Set \"device\" to \"cpu\", \"gpu\" or \"auto\".");
  }
  ggml_log_set(dropLog, nullptr);
  const Registry registry = loadRegistry(options.libraries);
  openCpu(findDevice(registry, isCpu));
  if (options.device != "cpu") {
    ggml_backend_dev_t gpu = findDevice(registry, isGpu);
    if (gpu != nullptr) {
      openGpu(gpu);
    } else if (options.device == "gpu") {
      throw TrainerError(
          "device", "The libraries in " + options.libraries + " find no GPU here.",
          "Set \"device\" to \"cpu\", or \"libraries\" to the package for this GPU.");
    }
  }
  weightType_ = onGpu() ? chooseGpuWeightType(options.precision)
                        : chooseWeightType(options.precision, features_);
  if (options.blas && !onGpu() && weightType_ == GGML_TYPE_F32) blas_ = Blas::find();
  description_ = ggml_backend_dev_description(ggml_backend_get_device(device()));
  allocator_.reset(ggml_gallocr_new(ggml_backend_get_default_buffer_type(device())));
}

void Backend::openCpu(ggml_backend_dev_t device) {
  if (device != nullptr) cpu_.reset(ggml_backend_dev_init(device, nullptr));
  if (cpu_ == nullptr) {
    throw TrainerError("device", "The libraries hold no backend that works on this processor.",
                       "Install the @node-llama-cpp package of this platform.");
  }
  ggml_backend_reg_t registration = ggml_backend_dev_backend_reg(device);
  auto setThreads = reinterpret_cast<ggml_backend_set_n_threads_t>(
      ggml_backend_reg_get_proc_address(registration, "ggml_backend_set_n_threads"));
  if (setThreads == nullptr) {
    throw TrainerError("libraries", "The CPU backend cannot be told its number of threads.",
                       "Use the @node-llama-cpp packages of the version that this trainer names.");
  }
  setThreads(cpu_.get(), threads_);
  auto setAbort = reinterpret_cast<ggml_backend_set_abort_callback_t>(
      ggml_backend_reg_get_proc_address(registration, "ggml_backend_set_abort_callback"));
  if (setAbort != nullptr) setAbort(cpu_.get(), graphShallEnd, this);
  features_ = readFeatures(registration);
}

void Backend::openGpu(ggml_backend_dev_t device) {
  gpu_.reset(ggml_backend_dev_init(device, nullptr));
  if (gpu_ == nullptr) {
    throw TrainerError(
        "device",
        std::string("The GPU could not be started: ") + ggml_backend_dev_description(device) + ".",
        "Set \"device\" to \"cpu\".");
  }
}

void Backend::place(ggml_cgraph* graph) {
  const std::set<const ggml_tensor*> onCpu = findFallbacks(graph);
  divided_ = !onCpu.empty();
  if (divided_ ? !placeOnBoth(graph, onCpu) : !ggml_gallocr_alloc_graph(allocator_.get(), graph)) {
    throw TrainerError("memory", "There is not enough memory for this step's activations.",
                       "Use shorter texts, a smaller batch, or close other programs.");
  }
}

std::set<const ggml_tensor*> Backend::findFallbacks(ggml_cgraph* graph) {
  std::set<const ggml_tensor*> onCpu;
  for (int index = 0; index < ggml_graph_n_nodes(graph); ++index) {
    const ggml_tensor* node = ggml_graph_node(graph, index);
    // What is written into another tensor has to be computed where that one lies.
    const bool bound = node->view_src != nullptr;
    const bool away = bound ? onCpu.count(node->view_src) > 0 : !supports(node);
    const bool computed =
        away ? gpu_ != nullptr && ggml_backend_supports_op(cpu_.get(), node) : supports(node);
    if (!computed) {
      throw TrainerError("unsupported-operation",
                         std::string("The device cannot compute ") + ggml_op_desc(node) + " on " +
                             ggml_type_name(node->type) + " (" + node->name + ").",
                         "Set \"device\" to \"cpu\" or \"precision\" to \"f32\".");
    }
    if (!away) continue;
    onCpu.insert(node);
    if (!bound) fallenBack_.insert(ggml_op_desc(node));
  }
  return onCpu;
}

bool Backend::placeOnBoth(ggml_cgraph* graph, const std::set<const ggml_tensor*>& onCpu) {
  const int size = ggml_graph_size(graph);
  if (scheduler_ == nullptr || size > schedulerSize_) {
    ggml_backend_t both[] = {gpu_.get(), cpu_.get()};
    // Leaves take places too.
    scheduler_.reset(
        ggml_backend_sched_new(both, nullptr, 2, 2 * static_cast<size_t>(size), false, false));
    schedulerSize_ = size;
  }
  ggml_backend_sched_t scheduler = scheduler_.get();
  ggml_backend_sched_reset(scheduler);
  const auto assign = [&](ggml_tensor* tensor) {
    if (tensor->buffer != nullptr) return;
    ggml_backend_sched_set_tensor_backend(scheduler, tensor,
                                          onCpu.count(tensor) > 0 ? cpu_.get() : gpu_.get());
  };
  // All of them, as ggml's own choice may put an operation elsewhere than the tensor that it writes
  // into.
  for (int index = 0; index < ggml_graph_n_nodes(graph); ++index) {
    ggml_tensor* node = ggml_graph_node(graph, index);
    assign(node);
    for (ggml_tensor* source : node->src) {
      if (source != nullptr) assign(source);
    }
  }
  return ggml_backend_sched_alloc_graph(scheduler, graph);
}

void Backend::compute(ggml_cgraph* graph) {
  const ggml_status status = divided_ ? ggml_backend_sched_graph_compute(scheduler_.get(), graph)
                                      : ggml_backend_graph_compute(device(), graph);
  if (status == GGML_STATUS_ABORTED) throw Interrupted{};
  if (status != GGML_STATUS_SUCCESS) {
    throw TrainerError("compute", "The device failed while computing.", "Try again.");
  }
}

bool Backend::graphShallEnd(void* backend) {
  const Attendant& attendant = static_cast<Backend*>(backend)->attendant_;
  return attendant.endsGraph && attendant.endsGraph();
}

bool Backend::supports(const ggml_tensor* node) const {
  const bool lacks = std::find(lacking_.begin(), lacking_.end(), node->op) != lacking_.end();
  return !lacks && ggml_backend_supports_op(device(), node);
}

size_t Backend::measure(ggml_cgraph* graph) const {
  const std::unique_ptr<ggml_gallocr, FreeAllocator> allocator(
      ggml_gallocr_new(ggml_backend_get_default_buffer_type(device())));
  size_t bytes = 0;
  ggml_gallocr_reserve_n_size(allocator.get(), graph, nullptr, nullptr, &bytes);
  return bytes;
}

ggml_backend_buffer_t Backend::allocate(ggml_context* context) const {
  ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(context, device());
  if (buffer == nullptr) {
    throw TrainerError("memory", "There is not enough memory for the model's weights.",
                       "Use a smaller model, or close other programs.");
  }
  return buffer;
}

TensorStore::TensorStore(int maximum) {
  const size_t bytes = ggml_tensor_overhead() * static_cast<size_t>(maximum);
  context_ = ggml_init({bytes, nullptr, true});
}

TensorStore::~TensorStore() {
  if (buffer_ != nullptr) ggml_backend_buffer_free(buffer_);
  ggml_free(context_);
}

ggml_tensor* TensorStore::add(const std::string& name, ggml_type type, int64_t ne0, int64_t ne1) {
  ggml_tensor* tensor = ggml_new_tensor_2d(context_, type, ne0, ne1);
  ggml_set_name(tensor, name.c_str());
  return tensor;
}

void TensorStore::place(const Backend& backend) {
  if (buffer_ == nullptr) buffer_ = backend.allocate(context_);
}

}  // namespace preflexor
