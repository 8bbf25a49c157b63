// The benches' own promises: a wrong answer is never timed, and names find what they name.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "bench/support/bench_table.h"
#include "bench/support/check_case.h"
#include "bench/support/machine.h"
#include "tensor/error.h"
#include "tensor/factory.h"

using namespace limoe;
using namespace limoe::bench;

namespace {

// y = 2 x, with `error` added to one element of the f32 answer.
BenchCase doubling(double error) {
  return {.op = "doubling", .pass = "forward", .shape = "[100]", .make = [error](DType dtype) {
            return BenchCall([=] {
              std::vector<double> y = to_vector<double>(bench_normal({100}, dtype));
              for (double& value : y) value *= 2;
              if (dtype == DType::f32) y[17] += error;
              return Tensors{to_dtype(from_vector(Shape{100}, y), dtype)};
            });
          }};
}

std::string complaint_of(const BenchCase& one) {
  try {
    check_case(one);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("bench: a right answer passes the check, a wrong one is named and refused") {
  CHECK(complaint_of(doubling(0)) == "");
  CHECK(complaint_of(doubling(1e-7)) == "");
  for (const double error : {1e-3, -1e-3, double(INFINITY), double(NAN)}) {
    const std::string complaint = complaint_of(doubling(error));
    CHECK(complaint.find("doubling/forward/[100] is wrong and is not timed: output 0, element 17") !=
          std::string::npos);
  }
}

TEST_CASE("bench: a wrong shape, a missing output and a wrong integer are refused") {
  const BenchCase one = doubling(0);
  const Tensor y = zeros({2, 3});
  CHECK_NOTHROW(expect_agrees(one, {y}, {y}));
  CHECK_THROWS_AS(expect_agrees(one, {y}, {zeros({3, 2})}), Error);
  CHECK_THROWS_AS(expect_agrees(one, {y}, {y, y}), Error);
  const Tensor ids = from_vector(Shape{2}, std::vector<int32_t>{5000000, 1});
  CHECK_NOTHROW(expect_agrees(one, {ids}, {ids}));
  CHECK_THROWS_AS(expect_agrees(one, {from_vector(Shape{2}, std::vector<int32_t>{5000001, 1})}, {ids}),
                  Error);
}

TEST_CASE("bench: a twin is what a case is checked against where it has one") {
  BenchCase one = doubling(0);
  one.twin = [] { return BenchCall([] { return Tensors{zeros({100}, DType::f64)}; }); };
  CHECK(complaint_of(one).find("is wrong and is not timed") != std::string::npos);
}

TEST_CASE(
    "bench: names are each case's own; an op or a pass is found, an unknown one refused with the nearest") {
  const std::vector<BenchCase> all = all_bench_cases();
  std::set<std::string> names;
  for (const BenchCase& one : all) {
    CHECK_MESSAGE(names.insert(one.name()).second, one.name());
    CHECK_MESSAGE((one.flop > 0 || one.bytes > 0), one.name());
  }
  CHECK(op_names(all).size() >= 15);
  for (const BenchCase& one : select_cases(all, {"gelu/backward"}, false)) CHECK(one.pass == "backward");
  CHECK(select_cases(all, {"gelu"}, false).size() > select_cases(all, {"gelu/forward"}, false).size());
  CHECK_THROWS_WITH_AS(select_cases(all, {"gleu"}, false),
                       "bench: \"gleu\" is unknown; the nearest op is gelu", UsageError);
}

TEST_CASE("bench: other versions of an op are left out unless asked for") {
  BenchCase plain = doubling(0), slow = doubling(0);
  slow.version = "readable";
  CHECK(select_cases({plain, slow}, {}, false).size() == 1);
  CHECK(select_cases({plain, slow}, {}, true).size() == 2);
  CHECK(slow.name() == "doubling/forward/[100]/readable");
}

TEST_CASE("bench: the machine's peaks are numbers that bind") {
  Machine machine;
  CHECK(machine.flop_rate() > 1e8);
  CHECK(machine.copy_rate(1 << 20) > 1e7);
  CHECK(machine.least_seconds(machine.flop_rate(), 0) == doctest::Approx(1));
  CHECK(machine.least_seconds(0, 0) == 0);
}
