#include <algorithm>
#include <cmath>

#include "models/limoe/info.h"
#include "models/report/html.h"
#include "models/report/sections.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

struct Purpose {
  const char* name;
  int64_t bytes;
  const char* color;
};

std::string bar_svg(const std::vector<Purpose>& purposes, double whole, double peak) {
  constexpr double kWidth = 1000, kHeight = 34;
  std::string svg =
      "<svg class=\"memory\" viewBox=\"0 0 1000 62\" role=\"img\" aria-label=\"memory by purpose\">";
  double x = 0;
  for (const Purpose& purpose : purposes) {
    const double width = kWidth * double(purpose.bytes) / whole;
    svg += "<rect class=\"part " + std::string(purpose.color) + "\" x=\"" + short_number(x, 1) +
           "\" y=\"20\" width=\"" + short_number(width, 1) + "\" height=\"" + short_number(kHeight, 1) +
           "\"><title>" + purpose.name + ": " + readable_bytes(double(purpose.bytes)) + "</title></rect>";
    x += width;
  }
  if (std::isfinite(peak)) {
    const double at = kWidth * peak / whole;
    const bool left_of = at > kWidth / 2;
    svg += "<path class=\"peak\" d=\"M" + short_number(at, 1) + " 12V60\"/><text class=\"peak\" x=\"" +
           short_number(left_of ? at - 6 : at + 6, 1) + "\" y=\"14\" text-anchor=\"" +
           (left_of ? "end" : "start") + "\">measured peak " + readable_bytes(peak) + "</text>";
  }
  return svg + "</svg>\n";
}

}  // namespace

std::string memory_section(const ReportSource& source) {
  const TrainConfig& train = source.train_config;
  const MemoryEstimate memory = model_info(source.model_config, {.batch_size = train.batch_size,
                                                                 .accum_freq = train.accum_freq,
                                                                 .optimizer = train.optimizer})
                                    .memory;
  const std::vector<Purpose> purposes = {{"weights", memory.weights, "e0"},
                                         {"gradients", memory.gradients, "e4"},
                                         {"optimizer", memory.optimizer, "e2"},
                                         {"activations", memory.activations, "e1"},
                                         {"batches", memory.data, "e7"}};
  double peak = NAN;
  for (const double bytes : source.metrics.of("memory/peak_bytes")) peak = std::fmax(peak, bytes);
  const double whole = std::fmax(double(memory.total()), peak);
  std::vector<std::vector<std::string>> rows;
  for (const Purpose& purpose : purposes)
    rows.push_back({"<span class=\"key " + std::string(purpose.color) + "\">" + purpose.name + "</span>",
                    readable_bytes(double(purpose.bytes)),
                    with_decimals(100 * double(purpose.bytes) / double(memory.total()), 1) + " %"});
  rows.push_back({"<b>estimate in all</b>", readable_bytes(double(memory.total())), "100 %"});
  rows.push_back({"<b>measured peak</b>", std::isfinite(peak) ? readable_bytes(peak) : "not logged",
                  std::isfinite(peak) ? with_decimals(100 * peak / double(memory.total()), 1) + " %" : ""});
  return html_section("memory", "Memory",
                      "The estimate is counted from the config; the peak is that of live tensors in the run.",
                      bar_svg(purposes, whole, peak) + html_table({"purpose", "bytes", "share"}, rows));
}

std::string config_section(const ReportSource& source) {
  return html_section(
      "config", "Config", "As resolved. Started with this file, the same run begins again.",
      "<details><summary>config.toml</summary><pre>" + escaped(source.config_text) + "</pre></details>\n");
}

}  // namespace limoe
