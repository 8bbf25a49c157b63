// What every chart has: the place of the plot in its SVG, axes with ticks, the figure around it, and the
// numbers for the page's script.
#pragma once

#include <string>
#include <vector>

#include "models/report/chart.h"

namespace limoe {

inline constexpr size_t kMostPoints = 400;  // of a line: more are thinned

struct ChartFrame {
  double width = 560, height = 250;
  double left = 56, right = 14, top = 12, bottom = 34;
  Axis x, y;

  double x_of(double value) const { return left + x.place(value) * (width - left - right); }
  double y_of(double value) const { return height - bottom - y.place(value) * (height - top - bottom); }
};

// Grid lines, tick labels, "step" below. `unit` stands behind every label of y when it is "%", otherwise it
// is the caption's business.
std::string axes_svg(const ChartFrame& frame);

// <figure class="chart"> with caption, legend (from two series on), the drawing and the numbers.
struct ChartParts {
  std::string title, unit, drawing;
  bool is_small = false, has_legend = true;
};
std::string chart_figure(const ChartFrame& frame, const ChartParts& parts, const std::vector<double>& x,
                         const std::vector<ChartSeries>& series);

// "M1 2L3 4": lines through the points, broken at NaN; a point alone is a dot.
std::string path_through(const ChartFrame& frame, const std::vector<double>& x, const std::vector<double>& y);

// The closed shape between two lines, broken at NaN.
std::string path_between(const ChartFrame& frame, const std::vector<double>& x,
                         const std::vector<double>& low, const std::vector<double>& high);

}  // namespace limoe
