// The watches over a run: a loss that runs away is told from noise, and held-out figures that have
// stopped to improve end a run.
#include "watch.hpp"

#include "check.hpp"

using namespace preflexor;

namespace {

/** The index of the loss with which the watch says that the run diverged; −1: never. */
int divergesAt(const std::vector<double>& losses) {
  DivergenceWatch watch;
  for (size_t index = 0; index < losses.size(); ++index) {
    if (watch.add(losses[index])) return static_cast<int>(index);
  }
  return -1;
}

}  // namespace

TEST_CASE("given a falling loss with single bad batches, then it has not diverged") {
  std::vector<double> losses;
  for (int step = 0; step < 100; ++step) losses.push_back(step % 10 == 9 ? 5.0 : 3.0 / (1 + step));
  CHECK(divergesAt(losses) == -1);
}

TEST_CASE("given a loss that climbs and stays high, then it diverges soon, but not at once") {
  std::vector<double> losses(20, 1.0);
  losses.insert(losses.end(), 20, 40.0);
  CHECK(divergesAt(losses) >= 20 && divergesAt(losses) < 24);
  losses.assign(20, 1.0);
  losses.insert(losses.end(), 20, 2.5);
  CHECK(divergesAt(losses) == -1);
}

TEST_CASE("given a restored state, then the watch goes on as if it had never stopped") {
  DivergenceWatch first;
  for (int step = 0; step < 12; ++step) first.add(1.0);
  DivergenceWatch second;
  second.restore(first.state());
  for (int step = 0; step < 10; ++step) CHECK(first.add(30.0) == second.add(30.0));
}

TEST_CASE("given losses that stop to fall, then patience counts evaluations without improvement") {
  EarlyStopWatch watch({EarlyStopMetric::loss, 2, 0.1, std::nullopt});
  CHECK(!watch.add(2.0));
  CHECK(!watch.add(1.5));
  CHECK(!watch.add(1.45));
  CHECK(watch.add(1.42));
}

TEST_CASE("given a target, when it is reached, then the run ends without waiting") {
  EarlyStopWatch margin({EarlyStopMetric::margin, 0, 0, 0.25});
  CHECK(!margin.add(0.24));
  CHECK(margin.add(0.25));
  EarlyStopWatch loss({EarlyStopMetric::loss, 0, 0, 0.5});
  CHECK(!loss.add(0.6));
  CHECK(loss.add(0.5));
}

TEST_CASE("given no patience and no target, then evaluations never end a run") {
  EarlyStopWatch watch({EarlyStopMetric::accuracy, 0, 0, std::nullopt});
  for (int round = 0; round < 100; ++round) CHECK(!watch.add(0.5));
}
