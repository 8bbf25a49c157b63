#include "models/report/chart_scale.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "models/report/chart_frame.h"
#include "models/report/thinned.h"

using namespace limoe;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> all;
  for (const Tick& tick : axis.ticks) all.push_back(tick.label);
  return all;
}

using Labels = std::vector<std::string>;

ChartFrame unit_frame() {  // x and y in 0..10, one unit is ten pixels
  ChartFrame frame;
  frame.width = frame.height = 100;
  frame.left = frame.right = frame.top = frame.bottom = 0;
  frame.x = frame.y = {0, 10, false, {}};
  return frame;
}

}  // namespace

TEST_CASE("ticks are 1, 2 or 5 times a power of ten, and a widened axis ends in ticks") {
  CHECK(labels(linear_axis(0, 5.62, 5, true)) == Labels{"0", "2", "4", "6"});
  CHECK(labels(linear_axis(0, 0.093, 5, true)) == Labels{"0", "0.02", "0.04", "0.06", "0.08", "0.10"});
  CHECK(labels(linear_axis(0, 2460, 5, false)) == Labels{"0", "500", "1,000", "1,500", "2,000"});
  CHECK(labels(linear_axis(0, 0.002, 5, true)) == Labels{"0", "0.0005", "0.0010", "0.0015", "0.0020"});
  CHECK(labels(linear_axis(0, 4e-6, 4, true)) == Labels{"0", "1e-6", "2e-6", "3e-6", "4e-6"});
  CHECK(labels(linear_axis(-3, 7, 5, true)) == Labels{"-4", "-2", "0", "2", "4", "6", "8"});
  const Axis axis = linear_axis(0.3, 5.62, 5, true);
  CHECK(axis.low == 0);
  CHECK(axis.high == doctest::Approx(6));
}

TEST_CASE("an axis has a range whatever it is given") {
  for (const auto& [low, high] : {std::pair{3.0, 3.0},
                                  {0.0, 0.0},
                                  {-5.0, -5.0},
                                  {kNaN, kNaN},
                                  {kNaN, 1.0},
                                  {0.0, kInfinity},
                                  {2.0, 1.0},
                                  {1e300, 1e300},
                                  {5e-324, 5e-324},
                                  {1.0, 1.0 + 1e-15}})
    for (const bool widened : {false, true}) {
      const Axis axis = linear_axis(low, high, 5, widened);
      CHECK(axis.high > axis.low);
      CHECK(axis.ticks.size() >= 1);
      CHECK(axis.ticks.size() < 20);
      const Axis logarithmic = log_axis(low, high);
      CHECK(logarithmic.high > logarithmic.low);
      CHECK(logarithmic.low > 0);
      CHECK(logarithmic.ticks.size() < 20);
    }
}

TEST_CASE("a logarithmic axis has 1, 2, 5 where decades are few, and powers of ten where they are many") {
  CHECK(labels(log_axis(0.3, 3.9)) == Labels{"0.2", "0.5", "1", "2", "5"});
  CHECK(labels(log_axis(0.001, 900)) == Labels{"0.001", "0.01", "0.1", "1", "10", "100", "1,000"});
  CHECK(log_axis(1e-12, 1e12).ticks.size() <= 7);
  const Axis axis = log_axis(1, 100);
  CHECK(axis.place(10) == doctest::Approx(0.5));
  CHECK(std::isnan(axis.place(0)));
  CHECK(std::isnan(axis.place(-1)));
  CHECK(std::isnan(axis.place(kNaN)));
}

TEST_CASE("a range leaves out what is not a number, and for logarithms what is not above 0") {
  const std::vector<double> values{kNaN, -1, 0, 2, kInfinity};
  CHECK(range_of(values).low == -1);
  CHECK(range_of(values).high == 2);
  CHECK(range_of(values, true).low == 2);
  CHECK(std::isnan(range_of(std::vector<double>{kNaN}).low));
}

TEST_CASE("thinning keeps means and extremes, and a gap stays one") {
  const Thinned few = thinned({1, 3, kNaN, kNaN, 5, kNaN, 7}, 2);
  CHECK(few.mean[0] == 2);
  CHECK(few.high[0] == 3);
  CHECK(few.low[0] == 1);
  CHECK(std::isnan(few.mean[1]));
  CHECK(few.mean[2] == 5);
  CHECK(few.mean[3] == 7);
  CHECK(few.mean.size() == 4);
  CHECK(run_length(400, 400) == 1);
  CHECK(run_length(401, 400) == 2);
  CHECK(run_length(0, 400) == 1);
}

TEST_CASE("a line is broken at a gap, and a point alone is a dot") {
  const ChartFrame frame = unit_frame();
  CHECK(path_through(frame, {0, 1, 2, 3, 4}, {0, 10, kNaN, 5, kNaN}) == "M0 100L10 0M30 50h0");
  CHECK(path_through(frame, {}, {}) == "");
  CHECK(path_between(frame, {0, 1, 2}, {0, 0, kNaN}, {1, 2, 3}) == "M0 90L10 80L10 100L0 100Z");
}

TEST_CASE("a chart says its names as text, and its numbers without a way out of their script") {
  LineChart chart;
  chart.title = "a </script><b>";
  chart.x = {1, 2};
  chart.series = {{"</script>", {1, kNaN}, "s0"}, {"b", {2, 3}, "s1"}};
  chart.references = {{2.5, "<i>"}};
  const std::string html = line_chart_html(chart);
  CHECK(html.find("</script><b>") == std::string::npos);
  CHECK(html.find("<i>") == std::string::npos);
  CHECK(html.find("[1,null]") != std::string::npos);
  CHECK(html.find("</script>") == html.rfind("</script>"));
}
