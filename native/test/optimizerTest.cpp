// AdamW in cases whose results are exact or known, schedules at their corners, and the random
// order.
#include "optimizer.hpp"

#include <algorithm>

#include "check.hpp"
#include "random.hpp"

using namespace preflexor;

namespace {

struct State {
  std::vector<float> value;
  std::vector<float> first = {0};
  std::vector<float> second = {0};
};

void update(const OptimizerOptions& options, double rate, int step, float gradient, State& state) {
  adamwUpdate(options, rate, step, state.value, {gradient}, state.first, state.second);
}

}  // namespace

TEST_CASE(
    "given both betas 0 and rate 1, when updated, then each step is the sign of the gradient") {
  OptimizerOptions options;
  options.beta1 = 0;
  options.beta2 = 0;
  options.epsilon = 1e-16;
  State state{{10}};
  update(options, 1, 1, 4, state);
  CHECK(state.value[0] == 9);
  update(options, 1, 2, -0.25F, state);
  CHECK(state.value[0] == 10);
}

TEST_CASE(
    "given a zero gradient, when updated with decay, then the value shrinks by rate times decay") {
  OptimizerOptions options;
  options.weightDecay = 0.5;
  State state{{8}};
  update(options, 0.5, 1, 0, state);
  CHECK(state.value[0] == 6);
}

TEST_CASE(
    "given three gradients, when updated, then values equal the formula in double precision") {
  const OptimizerOptions options;
  State state{{0.5F}};
  double value = 0.5;
  double first = 0;
  double second = 0;
  const double gradients[] = {0.3, -0.1, 0.7};
  for (int step = 1; step <= 3; ++step) {
    const double g = gradients[step - 1];
    update(options, 0.01, step, static_cast<float>(g), state);
    first = 0.9 * first + 0.1 * g;
    second = 0.999 * second + 0.001 * g * g;
    const double corrected = first / (1 - std::pow(0.9, step));
    value -= 0.01 * corrected / (std::sqrt(second / (1 - std::pow(0.999, step))) + 1e-8);
    CHECK_NEAR(static_cast<double>(state.value[0]), value, 1e-6);
  }
}

TEST_CASE(
    "given warm-up, then the rate rises from 0 to its full value and then follows its schedule") {
  OptimizerOptions options;
  options.learningRate = 1;
  options.warmup = 4;
  CHECK(learningRateAt(options, 0, 20) == 0);
  CHECK(learningRateAt(options, 2, 20) == 0.5);
  CHECK(learningRateAt(options, 4, 20) == 1);
  CHECK(learningRateAt(options, 19, 20) == 1);
  options.schedule = Schedule::linear;
  CHECK_NEAR(learningRateAt(options, 12, 20), 0.5, 1e-12);
  CHECK_NEAR(learningRateAt(options, 20, 20), 0, 1e-12);
  options.schedule = Schedule::cosine;
  CHECK_NEAR(learningRateAt(options, 8, 20), 0.5 * (1 + std::cos(3.14159265358979 / 4)), 1e-12);
  CHECK_NEAR(learningRateAt(options, 20, 20), 0, 1e-12);
}

TEST_CASE("given an epoch, then its order is a permutation that depends on seed and epoch alone") {
  std::vector<std::uint32_t> order = epochOrder(7, 3, 50);
  CHECK(order == epochOrder(7, 3, 50));
  CHECK(order != epochOrder(7, 4, 50));
  CHECK(order != epochOrder(8, 3, 50));
  std::sort(order.begin(), order.end());
  for (std::uint32_t index = 0; index < 50; ++index) CHECK(order[index] == index);
}

TEST_CASE("given a bound, then random numbers stay below it and use all of it") {
  Random random(1, RandomPurpose::test);
  std::vector<int> seen(7, 0);
  for (int index = 0; index < 7000; ++index) ++seen[random.below(7)];
  for (const int count : seen) CHECK(count > 800 && count < 1200);
}
