#include <semaphore.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>

#include "data/shard_list.h"
#include "data/sources/class_folder_source.h"
#include "models/cli/command.h"
#include "models/cli/picture_source.h"
#include "models/cli/progress.h"
#include "models/cli/table.h"
#include "models/cli/terminal.h"
#include "models/serve/local_server.h"
#include "models/serve/site.h"
#include "models/train/run_parts.h"
#include "tensor/error.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

struct ServeArguments {
  std::string run, data;
  int64_t port = 8642;
  int64_t most_pictures = 4000;
};

sem_t stop_requested;

// The first Ctrl-C asks for a clean end; a second one ends the program at once. sem_post may be called here.
void request_stop(int signal) {
  std::signal(signal, SIG_DFL);
  sem_post(&stop_requested);
}

std::string folder_name(const std::string& path) {
  const fs::path whole = fs::path(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

Shelf picture_shelf(const std::string& path) {
  const auto pictures = std::make_shared<const PictureSource>(path);
  return {.name = folder_name(path),
          .size = pictures->size(),
          .read = [pictures](int64_t i) { return pictures->read(i); },
          .caption = [pictures](int64_t i) { return pictures->picture(i).caption; }};
}

// A folder of pictures or tars needs no captions; everything else is what a training run can read.
Shelf shelf_at(const std::string& path, const DatasetOptions& options) {
  const bool pictures = path.ends_with(".tar") || (fs::is_directory(path) && !is_class_folder(path));
  if (pictures) return picture_shelf(path);
  return shelf_of(std::make_shared<const Dataset>(path, options), folder_name(path));
}

std::vector<Shelf> shelves_of(const ServeArguments& arguments, const TrainConfig& train) {
  const DatasetOptions options = dataset_options(train);
  std::vector<Shelf> shelves;
  if (!arguments.data.empty()) {
    for (const std::string& part : split_sources(arguments.data)) shelves.push_back(shelf_at(part, options));
    return shelves;
  }
  for (const std::string& sources : {train.val_data, train.train_data}) {
    if (sources.empty()) continue;
    for (const std::string& part : split_sources(sources)) try {
        shelves.push_back(shelf_of(std::make_shared<const Dataset>(part, options), folder_name(part)));
      } catch (const Error& error) {
        std::cerr << "limoe: left out: " << error.what() << "\n";
      }
  }
  if (shelves.empty())
    throw FileError(
        "serve: none of the run's data can be read from here; expected --data PATH, or to be "
        "started where the run was");
  return shelves;
}

std::shared_ptr<const Site> site_of(const ServeArguments& arguments) {
  LoadedModel loaded = load_model(arguments.run);
  for (const std::string& warning : loaded.warnings) std::cerr << "limoe: " << warning << "\n";
  std::vector<Shelf> shelves = shelves_of(arguments, loaded.train_config);
  Progress bar("embedding pictures");
  const auto collection = std::make_shared<const Collection>(
      std::move(loaded), std::move(shelves), arguments.most_pictures,
      [&](const std::string& what, int64_t done, int64_t total) { bar.update(what, done, total); });
  return std::make_shared<const Site>(collection, folder_name(arguments.run));
}

void serve(const ServeArguments& arguments) {
  if (arguments.most_pictures < 1)
    throw UsageError("--max-pictures: is ", arguments.most_pictures, "; expected 1 or more");
  LocalServer server(arguments.port);
  const std::shared_ptr<const Site> site = site_of(arguments);
  for (const std::string& warning : site->collection().gallery().warnings())
    std::cerr << "limoe: " << warning << "\n";
  sem_init(&stop_requested, 0, 0);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, request_stop);
  server.serve(site);
  std::cout << grouped_digits(site->collection().gallery().size()) << " pictures; the page is at\n\n  "
            << bold(server.url(), Stream::output) << "\n\nfor this machine alone, until Ctrl-C." << std::endl;
  while (sem_wait(&stop_requested) != 0) continue;  // woken by another signal
  server.stop();
}

}  // namespace

Action declare_serve(CLI::App& flags) {
  const auto arguments = std::make_shared<ServeArguments>();
  flags.add_option("RUN", arguments->run, "a run's folder, or one of its checkpoints")->required();
  flags
      .add_option("--data", arguments->data,
                  "pictures: a folder, a tar file, a folder of tar files, a table [the run's own]")
      ->type_name("PATH");
  flags.add_option("--port", arguments->port, "of 127.0.0.1; 0: any that is free [8642]")->type_name("N");
  flags.add_option("--max-pictures", arguments->most_pictures, "how many to show at most [4000]")
      ->type_name("N");
  flags.footer(
      "  limoe serve runs/emoji\n"
      "  limoe serve runs/emoji --data ~/Pictures --port 9000\n\n"
      "Nobody but this machine can reach the page. Pictures come from the run's held-out data first, then\n"
      "from its training data; start it where the run was started, as the config names them from there.");
  return [arguments] { serve(*arguments); };
}

}  // namespace limoe
