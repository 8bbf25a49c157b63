#include "models/cli/bench_data_report.h"

#include "data/slow_stage.h"
#include "models/cli/table.h"
#include "tensor/error.h"

namespace limoe {
namespace {

double milliseconds_each(const DataBenchResult& result, double seconds) {
  return result.images > 0 ? 1000 * seconds / double(result.images) : 0;
}

// What `threads` threads would deliver if they did nothing else.
double stage_rate(const DataBenchResult& result, double seconds) {
  return seconds > 0 ? double(result.threads) * double(result.images) / seconds : 0;
}

}  // namespace

std::string data_bench_text(const DataBenchResult& result) {
  Table table({Align::left, Align::right, Align::right});
  table.heading({"stage", "ms a picture", concatenate("pictures/s on ", result.threads)});
  for (const NamedStage& stage : named_stages(result.stages))
    table.row({stage.name, with_decimals(milliseconds_each(result, stage.seconds), 3),
               grouped_digits(int64_t(stage_rate(result, stage.seconds)))});
  table.heading({"in all", with_decimals(milliseconds_each(result, result.seconds), 3),
                 grouped_digits(int64_t(result.images_per_second()))});
  table.row({"of a processor", with_decimals(milliseconds_each(result, result.cpu_seconds), 3), ""});
  return table.text();
}

nlohmann::ordered_json data_bench_json(const DataBenchOptions& options, const DataBenchResult& result) {
  nlohmann::ordered_json json = {{"benchmark", "data"},
                                 {"data", options.data.empty() ? "made, 640 x 480 JPEG" : options.data},
                                 {"image_size", options.image_size},
                                 {"augment", options.augment},
                                 {"threads", result.threads},
                                 {"images", result.images},
                                 {"seconds", result.seconds},
                                 {"cpu_seconds", result.cpu_seconds},
                                 {"images_per_second", result.images_per_second()},
                                 {"stages", nlohmann::ordered_json::object()}};
  for (const NamedStage& stage : named_stages(result.stages))
    json["stages"][stage.name] = {{"ms_per_image", milliseconds_each(result, stage.seconds)},
                                  {"images_per_second", stage_rate(result, stage.seconds)}};
  return json;
}

}  // namespace limoe
