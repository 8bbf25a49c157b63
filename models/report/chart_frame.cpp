#include "models/report/chart_frame.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/report/html.h"

namespace limoe {
namespace {

constexpr double kLegendOf = 2;  // series: one alone is named by the title

std::string at(double value) {
  return short_number(value, 1);
}

std::string point(const ChartFrame& frame, double x, double y) {
  return at(frame.x_of(x)) + " " + at(frame.y_of(y));
}

bool is_drawn(const ChartFrame& frame, double y) {
  return std::isfinite(frame.y.place(y));
}

// Six digits are more than a chart shows, and a third of the bytes.
nlohmann::json rounded(const std::vector<double>& values) {
  nlohmann::json list = nlohmann::json::array();
  for (const double value : values) {
    if (!std::isfinite(value)) {
      list.push_back(nullptr);
      continue;
    }
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", value);
    const double few = std::strtod(text, nullptr);
    if (few == std::floor(few) && std::abs(few) < 1e15)
      list.push_back(int64_t(few));
    else
      list.push_back(few);
  }
  return list;
}

std::string numbers_json(const ChartFrame& frame, const std::string& unit, const std::vector<double>& x,
                         const std::vector<ChartSeries>& series) {
  nlohmann::ordered_json json{{"left", frame.left}, {"right", frame.width - frame.right},
                              {"top", frame.top},   {"bottom", frame.height - frame.bottom},
                              {"low", frame.x.low}, {"high", frame.x.high},
                              {"unit", unit},       {"x", rounded(x)}};
  for (const ChartSeries& one : series)
    json["series"].push_back({{"name", one.name}, {"color", one.color}, {"y", rounded(one.y)}});
  std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (size_t found = 0; (found = text.find('<', found)) != std::string::npos;)
    text.replace(found, 1, "\\u003c");  // so that no name can end the script element
  return text;
}

}  // namespace

std::string axes_svg(const ChartFrame& frame) {
  const std::string left = at(frame.left), right = at(frame.width - frame.right);
  const std::string bottom = at(frame.height - frame.bottom);
  std::string svg = "<g class=\"grid\">";
  for (const Tick& tick : frame.y.ticks)
    svg += "<path d=\"M" + left + " " + at(frame.y_of(tick.value)) + "H" + right + "\"/>";
  svg += "</g><g class=\"tick y\">";
  for (const Tick& tick : frame.y.ticks)
    svg += "<text x=\"" + at(frame.left - 8) + "\" y=\"" + at(frame.y_of(tick.value) + 4) + "\">" +
           escaped(tick.label) + "</text>";
  svg += "</g><g class=\"tick x\">";
  for (const Tick& tick : frame.x.ticks)
    svg += "<text x=\"" + at(frame.x_of(tick.value)) + "\" y=\"" + at(frame.height - frame.bottom + 18) +
           "\">" + escaped(tick.label) + "</text>";
  svg += "</g><path class=\"axis\" d=\"M" + left + " " + bottom + "H" + right + "\"/>";
  return svg + "<text class=\"name\" x=\"" + right + "\" y=\"" + at(frame.height - 3) + "\">step</text>";
}

std::string chart_figure(const ChartFrame& frame, const ChartParts& parts, const std::vector<double>& x,
                         const std::vector<ChartSeries>& series) {
  std::string html = std::string("<figure class=\"chart") + (parts.is_small ? " small" : "") + "\">";
  html += "<figcaption><b>" + escaped(parts.title) + "</b>";
  if (!parts.unit.empty()) html += " <span class=\"unit\">" + escaped(parts.unit) + "</span>";
  if (parts.has_legend && double(series.size()) >= kLegendOf) {
    html += "<span class=\"legend\">";
    for (const ChartSeries& one : series)
      html += "<span class=\"key " + one.color + "\">" + escaped(one.name) + "</span>";
    html += "</span>";
  }
  html += "</figcaption><svg viewBox=\"0 0 " + at(frame.width) + " " + at(frame.height) +
          "\" role=\"img\" aria-label=\"" + escaped(parts.title) + "\">" + parts.drawing +
          "<path class=\"cross\" d=\"\"/></svg>";
  return html + "<script type=\"application/json\">" + numbers_json(frame, parts.unit, x, series) +
         "</script></figure>\n";
}

std::string path_through(const ChartFrame& frame, const std::vector<double>& x,
                         const std::vector<double>& y) {
  std::string path;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!is_drawn(frame, y[i])) continue;
    const bool begins = i == 0 || !is_drawn(frame, y[i - 1]);
    const bool ends = i + 1 == x.size() || !is_drawn(frame, y[i + 1]);
    path += (begins ? "M" : "L") + point(frame, x[i], y[i]);
    if (begins && ends) path += "h0";
  }
  return path;
}

std::string path_between(const ChartFrame& frame, const std::vector<double>& x,
                         const std::vector<double>& low, const std::vector<double>& high) {
  std::string path;
  const auto drawn = [&](size_t i) { return is_drawn(frame, low[i]) && is_drawn(frame, high[i]); };
  for (size_t first = 0; first < x.size();) {
    if (!drawn(first)) {
      ++first;
      continue;
    }
    size_t end = first;
    while (end < x.size() && drawn(end)) ++end;
    for (size_t i = first; i < end; ++i) path += (i == first ? "M" : "L") + point(frame, x[i], high[i]);
    for (size_t i = end; i-- > first;) path += "L" + point(frame, x[i], low[i]);
    path += "Z";
    first = end;
  }
  return path;
}

}  // namespace limoe
