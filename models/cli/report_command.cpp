#include <iostream>
#include <memory>
#include <optional>

#include "models/cli/command.h"
#include "models/cli/progress.h"
#include "models/report/report.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

struct ReportArguments {
  std::string run, out;
};

void report(const ReportArguments& arguments) {
  WrittenReport written;
  {
    Progress bar("looking at the model");
    written = write_report(
        arguments.run, arguments.out,
        [&](const std::string& what, int64_t done, int64_t total) { bar.update(what, done, total); });
  }
  for (const std::string& note : written.notes) std::cerr << "limoe: " << note << "\n";
  std::cout << written.path << "  (" << readable_bytes(double(written.bytes)) << ")\n";
}

}  // namespace

Action declare_report(CLI::App& flags) {
  const auto arguments = std::make_shared<ReportArguments>();
  flags.add_option("RUN", arguments->run, "a run's folder; it may still be training, or have stopped early")
      ->required();
  flags.add_option("--out", arguments->out, "the page to write [RUN/report.html]")->type_name("FILE");
  flags.footer(
      "  limoe report runs/emoji\n"
      "  limoe report runs/emoji --out /tmp/emoji.html\n\n"
      "Start it where the run was started: the config names its data by paths relative to there.");
  return [arguments] { report(*arguments); };
}

}  // namespace limoe
