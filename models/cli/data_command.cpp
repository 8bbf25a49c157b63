#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/make.h"
#include "models/cli/command.h"
#include "models/cli/progress.h"
#include "models/cli/table.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

struct DataArguments {
  std::string name;
  MakeOptions options;
};

const Maker& maker_of(const std::string& name) {
  std::vector<std::string> known;
  for (const Maker& maker : makers()) {
    if (name == maker.name) return maker;
    known.emplace_back(maker.name);
  }
  throw UsageError("data: \"", name, "\" is unknown; the nearest data set is ", nearest_name(name, known));
}

int64_t bytes_in(const std::string& folder) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += int64_t(entry.file_size());
  return bytes;
}

void print_summary(const std::string& out) {
  std::ifstream file(std::filesystem::path(out) / "dataset.json");
  const auto description = nlohmann::ordered_json::parse(file, nullptr, false);
  Table table({Align::left, Align::right});
  table.heading({out, "pairs"});
  if (description.is_object() && description.contains("splits"))
    for (const auto& [split, count] : description["splits"].items())
      table.row({"  " + split, grouped_digits(count.get<int64_t>())});
  std::cout << table.text() << "\n"
            << readable_bytes(double(bytes_in(out))) << "; sources and licences: " << out << "/SOURCES.md\n";
}

void make_data(DataArguments& arguments) {
  const Maker& maker = maker_of(arguments.name);
  {
    Progress bar("making " + arguments.name);
    arguments.options.progress = [&](int64_t done, int64_t total) { bar.update(done, total); };
    maker.make(arguments.options);
  }
  print_summary(arguments.options.out);
}

}  // namespace

Action declare_data(CLI::App& flags) {
  const auto arguments = std::make_shared<DataArguments>();
  MakeOptions& options = arguments->options;
  std::string names;
  for (const Maker& maker : makers())
    names += (names.empty() ? "" : "; ") + std::string("'") + maker.name + "': " + maker.summary;
  flags.add_option("NAME", arguments->name, names)->required();
  flags.add_option("--out", options.out, "folder to make")->type_name("DIR")->required();
  flags.add_option("--size", options.size, "side of a picture in pixels [as the set is drawn]")
      ->type_name("N");
  flags.add_option("--seed", options.seed, "of splits, templates and scenes [0]")->type_name("N");
  flags.add_option("--languages", options.languages, "emoji: names in these languages too: de,fr,ja")
      ->type_name("CODES")
      ->delimiter(',');
  flags.add_option("--count", options.count, "shapes: training scenes [10000]")->type_name("N");
  flags.add_option("--difficulty", options.difficulty, "shapes: 1 to 5 [3]")->type_name("N");
  flags.add_flag("--force", options.force, "replace an earlier data set in --out");
  flags.footer(
      "  limoe data emoji --out data/emoji\n"
      "  limoe data shapes --out data/shapes --count 50000 --difficulty 4");
  return [arguments] { make_data(*arguments); };
}

}  // namespace limoe
