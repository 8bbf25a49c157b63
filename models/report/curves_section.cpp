#include <algorithm>
#include <cmath>
#include <map>

#include "models/limoe/config.h"
#include "models/report/chart_frame.h"
#include "models/report/html.h"
#include "models/report/palette.h"
#include "models/report/sections.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

LineChart chart_of(const ReportSource& source, const std::string& title, const std::string& unit,
                   const std::string& key) {
  LineChart chart;
  chart.title = title;
  chart.unit = unit;
  chart.x = source.metrics.steps;
  chart.series.push_back({title, source.metrics.of(key), line_class(0)});
  return chart;
}

std::string contrastive_chart(const ReportSource& source) {
  LineChart chart = chart_of(source, "Contrastive loss", "nats", "train/contrastive_loss");
  chart.from_zero = true;
  const double batch = double(source.train_config.batch_size), chance = std::log(batch);
  chart.references.push_back({chance, "ln " + std::to_string(source.train_config.batch_size) + " = " +
                                          with_decimals(chance, 2) + ": knows nothing"});
  return line_chart_html(chart);
}

std::string wait_chart(const ReportSource& source) {
  LineChart chart = chart_of(source, "Waiting for data", "% of a step's time", "train/data_time");
  const std::vector<double>& step_time = source.metrics.of("train/batch_time");
  for (size_t i = 0; i < chart.x.size(); ++i) chart.series[0].y[i] *= 100 / step_time[i];
  chart.from_zero = true;
  return line_chart_html(chart);
}

std::string gradient_chart(const ReportSource& source) {
  LineChart chart = chart_of(source, "Gradient norm", "before clipping", "train/grad_norm");
  chart.is_log = chart.is_small = true;
  if (source.train_config.grad_clip_norm > 0)
    chart.references.push_back({source.train_config.grad_clip_norm,
                                "clipped at " + short_number(source.train_config.grad_clip_norm, 4)});
  return line_chart_html(chart);
}

// The unweighted auxiliary losses, "train/NAME/blockI", by name and block.
std::map<std::string, std::map<int64_t, std::string>> auxiliary_keys(const RunMetrics& metrics) {
  std::map<std::string, std::map<int64_t, std::string>> names;
  for (const auto& [key, column] : metrics.values) {
    const size_t at = key.rfind("/block");
    if (!key.starts_with("train/") || at == std::string::npos || at <= 6) continue;
    names[key.substr(6, at - 6)][std::atoll(key.c_str() + at + 6)] = key;
  }
  return names;
}

double weight_of(const LimoeConfig& config, const std::string& loss) {
  std::string key = loss + "-weight";
  std::replace(key.begin(), key.end(), '_', '-');
  double weight = NAN;
  visit_fields(config, [&](const char* name, const auto& field, const char*) {
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, double>)
      if (key == name) weight = field;
  });
  return weight;
}

std::string auxiliary_charts(const ReportSource& source) {
  std::string html;
  for (const auto& [name, blocks] : auxiliary_keys(source.metrics)) {
    LineChart chart;
    chart.title = name;
    std::replace(chart.title.begin(), chart.title.end(), '_', ' ');
    const double weight = weight_of(source.model_config, name);
    if (std::isfinite(weight)) chart.unit = "weight " + short_number(weight, 6);
    chart.x = source.metrics.steps;
    chart.is_small = chart.from_zero = true;
    for (const auto& [block, key] : blocks)
      chart.series.push_back(
          {"block " + std::to_string(block), source.metrics.of(key), line_class(chart.series.size())});
    html += line_chart_html(chart);
  }
  if (html.empty())
    return html_missing("No auxiliary losses: the model has no experts, or every weight is 0.");
  return "<div class=\"charts small\">" + html + "</div>";
}

}  // namespace

std::string curves_section(const ReportSource& source) {
  LineChart speed = chart_of(source, "Speed", "pairs / s", "train/samples_per_second");
  speed.from_zero = true;
  LineChart rate = chart_of(source, "Learning rate", "", "train/lr");
  rate.from_zero = rate.is_small = true;
  LineChart scale = chart_of(source, "Logit scale", "1 / temperature", "train/logit_scale");
  scale.is_small = true;
  LineChart auxiliary = chart_of(source, "Auxiliary losses", "weighted sum", "train/auxiliary_loss");
  auxiliary.from_zero = true;
  std::string body = "<div class=\"charts\">" + contrastive_chart(source) +
                     (auxiliary_keys(source.metrics).empty() ? "" : line_chart_html(auxiliary)) + "</div>";
  body += "<div class=\"charts small\">" + line_chart_html(rate) + line_chart_html(scale) +
          gradient_chart(source) + "</div>";
  body += "<div class=\"charts\">" + line_chart_html(speed) + wait_chart(source) + "</div>";
  body += "<h3>Auxiliary losses, unweighted</h3>" + auxiliary_charts(source);
  const std::string lead = source.metrics.steps.size() > kMostPoints
                               ? "Each point is the mean of several logged steps; the pale band reaches from "
                                 "the smallest to the largest."
                               : "";
  return html_section("curves", "Curves", lead, body);
}

}  // namespace limoe
