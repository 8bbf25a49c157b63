// Which stage keeps training waiting, said once; and the bench that measures them.
#include "data/slow_stage.h"

#include <doctest/doctest.h>

#include "models/cli/bench_data.h"
#include "tensor/error.h"
#include "tests/support/paths.h"

using namespace limoe;

namespace {

StageTimes times_of(double decode, double resize, int64_t samples) {
  StageTimes times;
  times.decode = decode;
  times.resize = resize;
  times.samples = samples;
  return times;
}

SlowStageWatch::Look look_of(double wait, const StageTimes& times, int workers = 1) {
  return {.seconds = 10, .wait_seconds = wait, .times = times, .workers = workers, .processors = 4};
}

}  // namespace

TEST_CASE("the slowest stage since the last look is named, once") {
  SlowStageWatch watch;
  CHECK(!watch.look(look_of(9, times_of(50, 0, 10))));  // the beginning
  const auto advice = watch.look(look_of(2.5, times_of(51, 9, 1010)));
  REQUIRE(advice);
  CHECK(*advice ==
        "25 % of a step is waiting for data; of the 10.00 ms that loading a pair takes, resize has the most, "
        "90 "
        "%; try --workers 2");
  CHECK(!watch.look(look_of(9, times_of(60, 20, 2000))));
}

TEST_CASE("nothing is said while data waits for the step, or where no pair was delivered") {
  SlowStageWatch watch;
  watch.look(look_of(0, times_of(0, 0, 0)));
  CHECK(!watch.look(look_of(1, times_of(5, 1, 100))));  // a tenth, not more
  CHECK(!watch.look(look_of(5, times_of(5, 1, 100))));
}

TEST_CASE("with a worker on every processor the advice is another") {
  SlowStageWatch watch;
  watch.look(look_of(0, {}, 4));
  const auto advice = watch.look(look_of(5, times_of(5, 1, 100), 4));
  REQUIRE(advice);
  CHECK(advice->find("pictures stored smaller would help") != std::string::npos);
}

TEST_CASE("the bench of data counts pictures and stages of any source") {
  const std::string tables = testing::golden_path("data/tables/plain.tsv");
  const DataBenchResult result =
      bench_data({.data = tables, .image_size = 16, .threads = 2, .seconds = 0.05, .augment = true});
  CHECK(result.threads == 2);
  CHECK(result.images > 0);
  CHECK(result.stages.samples == result.images);
  CHECK(result.stages.decode > 0);
  CHECK(result.images_per_second() > 0);
  CHECK_THROWS_AS(bench_data({.image_size = 0}), ValueError);
  CHECK_THROWS_AS(bench_data({.threads = -1}), ValueError);
  CHECK_THROWS_AS(bench_data({.seconds = 0}), ValueError);
}
