#include "tensor/random.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/tolerance.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

void check_words(const RandomBits& bits, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  CHECK(bits.word[0] == a);
  CHECK(bits.word[1] == b);
  CHECK(bits.word[2] == c);
  CHECK(bits.word[3] == d);
}

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
};

template <class Draw>
Moments moments_of(int64_t count, const Draw& draw) {
  std::vector<double> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) values[size_t(i)] = double(draw(uint64_t(i)));
  Moments m;
  for (const double x : values) m.mean += x / double(count);
  for (const double x : values) m.variance += std::pow(x - m.mean, 2) / double(count);
  for (const double x : values) {
    const double z = (x - m.mean) / std::sqrt(m.variance);
    m.skewness += z * z * z / double(count);
    m.kurtosis += z * z * z * z / double(count);
  }
  return m;
}

constexpr int64_t kDraws = 200000;

}  // namespace

// Random123's known answers for philox4x32-10. The counter is (index, stream), low words first, the key the
// seed.
TEST_CASE("random: Philox's known answers") {
  check_words(random_bits(0, 0, 0), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
  const uint64_t ones = ~uint64_t(0);
  check_words(random_bits(ones, ones, ones), 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
  // Counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0: the digits of pi.
  check_words(random_bits(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88), 0xd16cfe09, 0x94fdcceb,
              0x5001e420, 0x24126ea1);
}

TEST_CASE("random: uniform is at least 0 and always below 1") {
  CHECK(uniform_from(0) == 0);
  CHECK(uniform_from(0xff) == 0);
  CHECK(uniform_from(0x100) == 0x1p-24f);
  CHECK(uniform_from(0xffffffff) == 1 - 0x1p-24f);
  CHECK(uniform_from(0xffffffff) < 1);
}

// The allowed errors are four standard errors of each moment for this many draws; the draws are fixed.
TEST_CASE("random: the moments of uniform and normal") {
  const double root = std::sqrt(double(kDraws));
  const Moments u = moments_of(kDraws, [](uint64_t i) { return random_uniform(1, 2, i); });
  CHECK(std::abs(u.mean - 0.5) <= 4 * std::sqrt(1.0 / 12) / root);
  CHECK(std::abs(u.variance - 1.0 / 12) <= 4 * std::sqrt(1.0 / 180) / root);
  const Moments n = moments_of(kDraws, [](uint64_t i) { return random_normal(1, 2, i); });
  CHECK(std::abs(n.mean) <= 4 / root);
  CHECK(std::abs(n.variance - 1) <= 4 * std::sqrt(2.0) / root);
  CHECK(std::abs(n.skewness) <= 4 * std::sqrt(6.0) / root);
  CHECK(std::abs(n.kurtosis - 3) <= 4 * std::sqrt(24.0) / root);
}

TEST_CASE("random: neighbouring streams, seeds and indices are not correlated") {
  const auto correlation = [](const auto& other) {
    double sum = 0;
    for (int64_t i = 0; i < kDraws; ++i)
      sum += double(random_normal(1, 2, uint64_t(i))) * double(other(uint64_t(i)));
    return std::abs(sum / double(kDraws));
  };
  const double allowed = 4 / std::sqrt(double(kDraws));
  CHECK(correlation([](uint64_t i) { return random_normal(1, 3, i); }) <= allowed);
  CHECK(correlation([](uint64_t i) { return random_normal(2, 2, i); }) <= allowed);
  CHECK(correlation([](uint64_t i) { return random_normal(1, 2, i + 1); }) <= allowed);
}

TEST_CASE("random: a normal number is finite for the largest and the smallest words") {
  for (uint64_t i = 0; i < 100000; ++i) REQUIRE(std::isfinite(random_normal(7, 7, i)));
}

TEST_CASE("random: random_below stays below, reaches everything, and is even") {
  std::vector<int> hits(7);
  for (uint64_t i = 0; i < 70000; ++i) ++hits.at(random_below(7, 3, 4, i));
  for (const int count : hits) CHECK(std::abs(count - 10000) <= 400);  // four standard deviations of 93
  for (uint64_t i = 0; i < 100; ++i) {
    CHECK(random_below(1, 3, 4, i) == 0);
    CHECK(random_below(~uint64_t(0), 3, 4, i) < ~uint64_t(0));
  }
}

TEST_CASE("random: a device draws what the CPU draws") {
  if (!device_under_test()) return;
  for (const Shape& shape : {Shape{0}, Shape{1}, Shape{33, 7}, Shape{257, 8}}) {
    const auto draw = [&](DType dtype, Device device) {
      return random_normal(shape, 0.5, 1, 7, uint64_t{1} << 63, dtype, device);
    };
    CHECK_CLOSE(draw(DType::f32, *device_under_test()), draw(DType::f32, {}), tolerance::kDeviceNormal);
    const Comparison rounded = close_in_mean(draw(DType::bf16, *device_under_test()), draw(DType::f64, {}),
                                             tolerance::kDeviceNmseBf16);
    CHECK_MESSAGE(rounded.ok, rounded.message);
  }
  CHECK_THROWS_AS(random_normal({2}, 0, 1, 7, 1, DType::f64, *device_under_test()), DTypeError);
  CHECK_THROWS_AS(random_normal({2}, 0, 1, 7, 1, DType::i32), DTypeError);
}
