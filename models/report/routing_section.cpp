#include <cmath>

#include "models/limoe/token_layout.h"
#include "models/report/chart.h"
#include "models/report/html.h"
#include "models/report/palette.h"
#include "models/report/sections.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

const char* plural_of(Modality modality) {
  return modality == Modality::image ? "pictures" : "texts";
}

std::string key_of(int64_t block, Modality modality, const char* what) {
  return "router/block" + std::to_string(block) + "/" + name_of(modality) + "/" + what;
}

std::string load_chart(const ReportSource& source, int64_t block, Modality modality) {
  const auto column = source.metrics.lists.find(key_of(block, modality, "load"));
  if (column == source.metrics.lists.end()) return "";
  ShareChart chart;
  chart.title = "Block " + std::to_string(block) + ", " + plural_of(modality);
  chart.x = source.metrics.steps;
  for (int64_t expert = 0; expert < source.model_config.experts; ++expert) {
    ChartSeries series{std::to_string(expert), {}, expert_class(expert)};
    for (const std::vector<double>& load : column->second)
      series.y.push_back(size_t(expert) < load.size() ? load[size_t(expert)] : NAN);
    chart.series.push_back(std::move(series));
  }
  return share_chart_html(chart);
}

// One line a block.
std::string block_lines(const ReportSource& source, const std::string& title, const std::string& unit,
                        Modality modality, const char* what, double factor, bool with_limit) {
  LineChart chart;
  chart.title = title + ", " + plural_of(modality);
  chart.unit = unit;
  chart.x = source.metrics.steps;
  chart.from_zero = true;
  for (const int64_t block : moe_block_indices(source.model_config)) {
    std::vector<double> y = source.metrics.of(key_of(block, modality, what));
    for (double& value : y) value *= factor;
    chart.series.push_back({"block " + std::to_string(block), std::move(y), line_class(chart.series.size())});
  }
  if (with_limit) {
    const double most = std::log(double(source.model_config.experts));
    chart.references.push_back({most, "ln " + std::to_string(source.model_config.experts) + " = " +
                                          with_decimals(most, 2) + ": all experts alike"});
  }
  return line_chart_html(chart);
}

}  // namespace

std::string routing_section(const ReportSource& source) {
  if (source.is_dense())
    return html_section("routing", "Routing over time", "",
                        html_missing("This model is dense: it has no experts, and nothing is routed."));
  std::string loads;
  for (const int64_t block : moe_block_indices(source.model_config))
    for (const Modality modality : kModalities) loads += load_chart(source, block, modality);
  if (loads.empty())
    return html_section("routing", "Routing over time", "",
                        html_missing("metrics.jsonl holds no loads of experts."));
  std::string body = expert_legend_html(source.model_config.experts) +
                     "<h3>Load: the share of tokens that choose an expert</h3>" + "<div class=\"charts\">" +
                     loads + "</div>";
  body += "<h3>Tokens dropped, in % of a modality's choices</h3><div class=\"charts\">";
  for (const Modality modality : kModalities)
    body += block_lines(source, "Dropped", "%", modality, "drop_rate", 100, false);
  body +=
      "</div><h3>Entropies of the routers, in nats</h3><p class=\"note\">Local: how undecided a router is "
      "about one "
      "token. Global: how evenly a modality's tokens are spread over the experts.</p><div class=\"charts\">";
  for (const auto& [title, what] :
       {std::pair{"Local entropy", "local_entropy"}, {"Global entropy", "global_entropy"}})
    for (const Modality modality : kModalities)
      body += block_lines(source, title, "nats", modality, what, 1, true);
  return html_section("routing", "Routing over time", "", body + "</div>");
}

}  // namespace limoe
