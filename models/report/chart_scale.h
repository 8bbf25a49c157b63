// Axes of charts: which numbers they run from and to, where their ticks are and what is written there.
//
// Ticks are 1, 2 or 5 times a power of ten. On a logarithmic axis they are powers of ten, with 2 and 5
// between them where there are few.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace limoe {

struct Tick {
  double value = 0;
  std::string label;
};

struct Axis {
  double low = 0, high = 1;
  bool is_log = false;
  std::vector<Tick> ticks;

  // 0 at `low`, 1 at `high`; NaN for a NaN, and on a logarithmic axis for what is not above 0.
  double place(double value) const;
};

// About so many ticks. Widened, both ends are ticks; otherwise they are low and high themselves. A range that
// is empty or not finite is replaced by one around its value, or by 0..1.
Axis linear_axis(double low, double high, int ticks, bool widened);

// Both ends are 1, 2 or 5 times a power of ten. Without a range above 0: 1..10.
Axis log_axis(double low, double high);

struct Range {
  double low, high;  // NaN: no number at all
};
Range range_of(std::span<const double> values, bool only_positive = false);  // NaN and infinities left out
Range joined(const Range& a, const Range& b);

// "1,500", "0.05", "2e-5"; all ticks of an axis with a step have the decimals that the step needs.
std::string tick_label(double value);
std::string tick_label(double value, double step);

}  // namespace limoe
