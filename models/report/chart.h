// Charts as inline SVG in a <figure>: lines over steps, and shares that add up to one, stacked. Colours come
// from classes of the page's style sheet, so that they follow its light and dark theme. The numbers a reader
// points at lie beside the drawing as JSON, for the page's script.
#pragma once

#include <string>
#include <vector>

#include "models/report/chart_scale.h"

namespace limoe {

struct ChartSeries {
  std::string name;
  std::vector<double> y;  // NaN is a gap
  std::string color;      // a class that sets --c: "s0".. or "e0".. (palette.h)
};

struct ReferenceLine {
  double y = 0;
  std::string label;
};

struct LineChart {
  std::string title, unit;  // unit: of y, may be empty
  std::vector<double> x;    // steps, ascending
  std::vector<ChartSeries> series;
  std::vector<ReferenceLine> references;
  bool is_log = false, from_zero = false;
  bool is_small = false;  // three to a row instead of two
};
std::string line_chart_html(const LineChart& chart);

struct ShareChart {
  std::string title;
  std::vector<double> x;
  std::vector<ChartSeries> series;  // shares of a whole, 0..1, first at the bottom
};
std::string share_chart_html(const ShareChart& chart);

}  // namespace limoe
