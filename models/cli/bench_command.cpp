#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/slow_stage.h"
#include "models/cli/bench_data.h"
#include "models/cli/command.h"
#include "models/cli/progress.h"
#include "models/cli/table.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

struct BenchArguments {
  std::string what, json;
  DataBenchOptions data;
  bool no_augment = false;
};

double milliseconds_each(const DataBenchResult& result, double seconds) {
  return result.images > 0 ? 1000 * seconds / double(result.images) : 0;
}

// What `threads` threads would deliver if they did nothing else.
double stage_rate(const DataBenchResult& result, double seconds) {
  return seconds > 0 ? double(result.threads) * double(result.images) / seconds : 0;
}

void print_result(const DataBenchResult& result) {
  Table table({Align::left, Align::right, Align::right});
  table.heading({"stage", "ms a picture", concatenate("pictures/s on ", result.threads)});
  for (const NamedStage& stage : named_stages(result.stages))
    table.row({stage.name, with_decimals(milliseconds_each(result, stage.seconds), 3),
               grouped_digits(int64_t(stage_rate(result, stage.seconds)))});
  table.heading({"in all", with_decimals(milliseconds_each(result, result.seconds), 3),
                 grouped_digits(int64_t(result.images_per_second()))});
  table.row({"of a processor", with_decimals(milliseconds_each(result, result.cpu_seconds), 3), ""});
  std::cout << table.text();
}

nlohmann::ordered_json json_of(const DataBenchOptions& options, const DataBenchResult& result) {
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

void write_json(const std::string& path, const nlohmann::ordered_json& json) {
  std::ofstream file(path);
  if (!(file << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n' << std::flush))
    throw FileError(path, ": cannot be written");
}

void run_bench(BenchArguments& arguments) {
  const std::vector<std::string> known{"data"};
  if (std::find(known.begin(), known.end(), arguments.what) == known.end())
    throw UsageError("bench: \"", arguments.what, "\" is unknown; the nearest one is ",
                     nearest_name(arguments.what, known));
  arguments.data.augment = !arguments.no_augment;
  const DataBenchResult result = bench_data(arguments.data);
  print_result(result);
  if (!arguments.json.empty()) write_json(arguments.json, json_of(arguments.data, result));
}

}  // namespace

Action declare_bench(CLI::App& flags) {
  const auto arguments = std::make_shared<BenchArguments>();
  DataBenchOptions& data = arguments->data;
  flags.add_option("WHAT", arguments->what, "'data': pictures a second, by stage of loading")->required();
  flags.add_option("--data", data.data, "a data source, as for training [made: 640 x 480 JPEGs]")
      ->type_name("PATH");
  flags.add_option("--image-size", data.image_size, "side of the square a model reads [224]")->type_name("N");
  flags.add_option("--threads", data.threads, "loader threads [all processors]")->type_name("N");
  flags.add_option("--seconds", data.seconds, "how long to measure [5]")->type_name("S");
  flags.add_flag("--no-augment", arguments->no_augment, "load as for evaluation: no crops, no colours");
  flags.add_option("--json", arguments->json, "write the figures here too")->type_name("FILE");
  flags.footer(
      "  limoe bench data\n"
      "  limoe bench data --data data/photos/train --image-size 96 --threads 4");
  return [arguments] { run_bench(*arguments); };
}

}  // namespace limoe
