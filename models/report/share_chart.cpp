#include <algorithm>
#include <cmath>

#include "models/report/chart_frame.h"
#include "models/report/html.h"
#include "models/report/thinned.h"

namespace limoe {
namespace {

constexpr double kLeastLabelled = 0.045;  // share: a thinner band has no room for its number
constexpr double kLabelRoom = 26;         // pixels at the right

ChartFrame frame_of(const ShareChart& chart) {
  ChartFrame frame;
  frame.height = 220;
  frame.right = kLabelRoom;
  const Range steps = range_of(chart.x);
  frame.x = linear_axis(std::min(0.0, steps.low), steps.high, 5, false);
  frame.y = {0, 1, false, {}};
  for (const int percent : {0, 25, 50, 75, 100})
    frame.y.ticks.push_back({percent / 100.0, std::to_string(percent) + " %"});
  return frame;
}

// The number of an expert at the right end of its band.
std::string band_label(const ChartFrame& frame, const std::string& name, double low, double high) {
  if (!(high - low >= kLeastLabelled)) return "";
  return "<text class=\"band-name\" x=\"" + short_number(frame.width - frame.right + 5, 1) + "\" y=\"" +
         short_number(frame.y_of((low + high) / 2) + 4, 1) + "\">" + escaped(name) + "</text>";
}

}  // namespace

std::string share_chart_html(const ShareChart& chart) {
  const ChartFrame frame = frame_of(chart);
  const size_t run = run_length(chart.x.size(), kMostPoints);
  const std::vector<double> x = thinned(chart.x, run).mean;
  std::vector<double> below(x.size(), 0);
  std::vector<ChartSeries> shown;
  std::string bands, labels;
  for (const ChartSeries& series : chart.series) {
    const std::vector<double> share = thinned(series.y, run).mean;
    std::vector<double> above = below;
    for (size_t i = 0; i < x.size(); ++i) above[i] += share[i];
    bands +=
        "<path class=\"share " + series.color + "\" d=\"" + path_between(frame, x, below, above) + "\"/>";
    if (!x.empty()) labels += band_label(frame, series.name, below.back(), above.back());
    std::vector<double> percent = share;
    for (double& value : percent) value *= 100;
    shown.push_back({"expert " + series.name, percent, series.color});
    below = above;
  }
  return chart_figure(
      frame,
      {.title = chart.title, .unit = "%", .drawing = axes_svg(frame) + bands + labels, .has_legend = false},
      x, shown);
}

}  // namespace limoe
