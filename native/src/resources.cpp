// Implementation of resources.hpp.
#include "resources.hpp"

#include <sys/resource.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace preflexor {
namespace {

/** The program, ggml, OpenBLAS with its buffers, and the heap's slack: measured, rounded up. */
constexpr double programBytes = 64.0 * (1 << 20);

/** The number in a file such as a control group's; 0 where there is none. */
double numberIn(const char* path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : 0;
}

}  // namespace

double peakBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<double>(usage.ru_maxrss);
#else
  return static_cast<double>(usage.ru_maxrss) * 1024.0;
#endif
}

double processorSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double availableBytes() {
#ifdef __APPLE__
  std::uint64_t bytes = 0;
  size_t size = sizeof(bytes);
  return ::sysctlbyname("hw.memsize", &bytes, &size, nullptr, 0) == 0 ? static_cast<double>(bytes)
                                                                      : 0;
#else
  double available = 0;
  std::ifstream file("/proc/meminfo");
  std::string key;
  double kibibytes = 0;
  while (file >> key) {
    if (key == "MemAvailable:" && file >> kibibytes) available = kibibytes * 1024;
    file.ignore(256, '\n');
  }
  const double limit = numberIn("/sys/fs/cgroup/memory.max");
  const double used = numberIn("/sys/fs/cgroup/memory.current");
  if (limit > 0) available = std::min(available, std::max(0.0, limit - used));
  return available;
#endif
}

MemoryNeed memoryNeed(const Model& model, Network& network, const Adapter& adapter,
                      const PackedBatch& batch) {
  constexpr double copies = 4;  // value, gradient, two moments
  const auto width = static_cast<double>(model.parameters().width) * sizeof(float);
  const auto tokens = static_cast<double>(batch.size());
  const auto labels = static_cast<double>(batch.labels.size());
  MemoryNeed need;
  need.program = programBytes;
  need.model = static_cast<double>(model.file().bytes());
  need.adapter = copies * adapter.parameterCount() * sizeof(float);
  need.weights = static_cast<double>(network.storeBytes());
  // Each layer's input, and what comes and goes between layers.
  need.activations = width * (tokens * (model.parameters().layers + 4.0) + labels);
  need.work = static_cast<double>(network.workBytes(batch, adapter));
  return need;
}

std::string inWords(double bytes) {
  char text[32];
  const bool large = bytes >= 1024.0 * (1 << 20);
  std::snprintf(text, sizeof(text), large ? "%.2f GiB" : "%.0f MiB",
                bytes / (large ? 1024.0 * (1 << 20) : 1 << 20));
  return text;
}

}  // namespace preflexor
