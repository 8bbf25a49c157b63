#include "models/report/chart_scale.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "models/report/html.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Far enough from the ends of double that steps and bounds around them are numbers too.
constexpr double kSmallest = 1e-200, kLargest = 1e200;
constexpr double kSlack = 1e-9;  // of a tick: what rounding may shift a bound by

double power_of_ten(double exponent) {
  return std::pow(10.0, exponent);
}

// The smallest of 1, 2, 5 times a power of ten that is not below span / ticks.
double nice_step(double span, int ticks) {
  const double raw = span / ticks, power = power_of_ten(std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power * (1 + kSlack)) return factor * power;
  return 10 * power;
}

// "2.5e-5": without zeros that say nothing.
std::string scientific(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.4e", value);
  std::string mantissa = text.data();
  const size_t e = mantissa.find('e');
  const int exponent = std::atoi(mantissa.c_str() + e + 1);
  mantissa.resize(e);
  mantissa.erase(mantissa.find_last_not_of('0') + 1);
  if (mantissa.back() == '.') mantissa.pop_back();
  return mantissa + "e" + std::to_string(exponent);
}

// All 1, 2, 5 times powers of ten from the last at or below `low` to the first at or above `high`.
std::vector<double> steps_around(double low, double high) {
  std::vector<double> steps;
  for (int exponent = int(std::floor(std::log10(low))); exponent <= int(std::ceil(std::log10(high)));
       ++exponent)
    for (const double factor : {1.0, 2.0, 5.0}) steps.push_back(factor * power_of_ten(exponent));
  const auto first =
      std::find_if(steps.rbegin(), steps.rend(), [&](double step) { return step <= low * (1 + kSlack); });
  const auto last =
      std::find_if(steps.begin(), steps.end(), [&](double step) { return step >= high * (1 - kSlack); });
  return {first.base() - 1, last + 1};
}

}  // namespace

double Axis::place(double value) const {
  if (is_log) return value > 0 ? std::log(value / low) / std::log(high / low) : kNaN;
  return (value - low) / (high - low);
}

std::string tick_label(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size < 1e-3 || size >= 1e7) return scientific(value);
  if (size >= 1000 && std::abs(value - std::round(value)) < kSlack * size)
    return grouped_digits(std::llround(value));
  return short_number(value, 6);
}

std::string tick_label(double value, double step) {
  constexpr int kMostDecimals = 4;
  const int decimals = std::max(0, int(std::ceil(-std::log10(step) - kSlack)));
  if (value == 0 || decimals == 0 || decimals > kMostDecimals) return tick_label(value);
  return with_decimals(value, decimals);
}

Axis linear_axis(double low, double high, int ticks, bool widened) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high) low = 0, high = 1;
  low = std::clamp(low, -kLargest, kLargest);
  high = std::clamp(high, -kLargest, kLargest);
  if (!(high - low > kSlack * std::abs(high))) {
    const double around = std::abs(high) < kSmallest ? 1 : 0.1 * std::abs(high);
    low -= around;
    high += around;
  }
  const double step = nice_step(high - low, ticks);
  const double first = widened ? std::floor(low / step + kSlack) : std::ceil(low / step - kSlack);
  const double last = widened ? std::ceil(high / step - kSlack) : std::floor(high / step + kSlack);
  Axis axis{low, high, false, {}};
  if (widened) axis.low = first * step, axis.high = last * step;
  for (double i = first; i <= last; ++i) axis.ticks.push_back({i * step, tick_label(i * step, step)});
  return axis;
}

Axis log_axis(double low, double high) {
  if (!(low > 0) || !std::isfinite(high) || !(high >= low)) low = 1, high = 10;
  low = std::clamp(low, kSmallest, kLargest);
  high = std::clamp(high, kSmallest, kLargest);
  if (high < low * 2) low /= 1.5, high *= 1.5;
  const std::vector<double> steps = steps_around(low, high);
  Axis axis{steps.front(), steps.back(), true, {}};
  const double decades = std::log10(axis.high / axis.low);
  const int every = std::max(1, int(std::ceil(decades / 6)));
  for (const double step : steps) {
    const double exponent = std::log10(step);
    const bool power = std::abs(exponent - std::round(exponent)) < kSlack;
    if (decades <= 2.5 || (power && int(std::llround(exponent)) % every == 0))
      axis.ticks.push_back({step, tick_label(step)});
  }
  return axis;
}

Range range_of(std::span<const double> values, bool only_positive) {
  Range range{kNaN, kNaN};
  for (const double value : values)
    if (std::isfinite(value) && (!only_positive || value > 0)) range = joined(range, {value, value});
  return range;
}

Range joined(const Range& a, const Range& b) {
  return {std::fmin(a.low, b.low), std::fmax(a.high, b.high)};  // a NaN gives way
}

}  // namespace limoe
