#include <algorithm>
#include <cmath>

#include "models/report/chart_frame.h"
#include "models/report/html.h"
#include "models/report/thinned.h"

namespace limoe {
namespace {

constexpr double kSmallWidth = 372, kSmallHeight = 190;
constexpr int kTicks = 5;

Axis y_axis(const LineChart& chart) {
  Range range{NAN, NAN};
  for (const ChartSeries& series : chart.series) range = joined(range, range_of(series.y, chart.is_log));
  for (const ReferenceLine& reference : chart.references)
    if (!chart.is_log || reference.y > 0) range = joined(range, {reference.y, reference.y});
  if (chart.is_log) return log_axis(range.low, range.high);
  if (chart.from_zero && range.low > 0) range.low = 0;
  if (chart.from_zero && range.high == 0 && range.low == 0) range.high = 1;
  return linear_axis(range.low, range.high, chart.is_small ? kTicks - 1 : kTicks, true);
}

ChartFrame frame_of(const LineChart& chart) {
  ChartFrame frame;
  if (chart.is_small) frame.width = kSmallWidth, frame.height = kSmallHeight;
  const Range steps = range_of(chart.x);
  frame.x = linear_axis(std::min(0.0, steps.low), steps.high, kTicks, false);
  frame.y = y_axis(chart);
  return frame;
}

std::string reference_svg(const ChartFrame& frame, const ReferenceLine& reference) {
  const double y = frame.y_of(reference.y);
  if (!std::isfinite(y)) return "";
  const std::string right = short_number(frame.width - frame.right, 1);
  const bool below = y < frame.top + 16;  // no room for the words above the line
  return "<path class=\"reference\" d=\"M" + short_number(frame.left, 1) + " " + short_number(y, 1) + "H" +
         right + "\"/><text class=\"reference\" x=\"" + right + "\" y=\"" +
         short_number(below ? y + 14 : y - 5, 1) + "\">" + escaped(reference.label) + "</text>";
}

}  // namespace

std::string line_chart_html(const LineChart& chart) {
  const ChartFrame frame = frame_of(chart);
  const size_t run = run_length(chart.x.size(), kMostPoints);
  const std::vector<double> x = thinned(chart.x, run).mean;
  std::string drawing = axes_svg(frame);
  for (const ReferenceLine& reference : chart.references) drawing += reference_svg(frame, reference);
  std::vector<ChartSeries> shown;
  std::string lines;
  for (const ChartSeries& series : chart.series) {
    const Thinned few = thinned(series.y, run);
    if (run > 1)
      drawing += "<path class=\"band " + series.color + "\" d=\"" +
                 path_between(frame, x, few.low, few.high) + "\"/>";
    lines += "<path class=\"line " + series.color + "\" d=\"" + path_through(frame, x, few.mean) + "\"/>";
    shown.push_back({series.name, few.mean, series.color});
  }
  return chart_figure(
      frame,
      {.title = chart.title, .unit = chart.unit, .drawing = drawing + lines, .is_small = chart.is_small}, x,
      shown);
}

}  // namespace limoe
