#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "models/cli/command.h"
#include "models/cli/picture_source.h"
#include "models/cli/progress.h"
#include "models/cli/table.h"
#include "models/train/checkpoint.h"
#include "tensor/error.h"
#include "tensor/safetensors.h"

namespace limoe {
namespace {

using nlohmann::json;

struct EmbedArguments {
  std::string checkpoint, images, texts, out;
  int64_t batch_size = 64;
};

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw FileError(path, ": cannot be opened; expected one text a line");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);  // an empty line is an empty text: rows and lines must correspond
  }
  if (lines.empty()) throw FileError(path, ": is empty; expected one text a line");
  return lines;
}

std::string json_text(const std::vector<std::string>& names) {
  return json(names).dump(-1, ' ', false, json::error_handler_t::replace);
}

void add_images(const LoadedModel& loaded, const PictureSource& source, const EmbedOptions& options,
                SafetensorsFile& file) {
  const EmbeddedPictures found = embed_pictures(*loaded.model, source, options);
  for (const std::string& warning : found.warnings) std::cerr << "limoe: " << warning << "\n";
  std::vector<std::string> names;
  for (const Picture& picture : found.pictures) names.push_back(picture.name);
  file.tensors["images"] = found.embeddings;
  file.metadata["image_names"] = json_text(names);
}

void embed(const EmbedArguments& arguments) {
  if (arguments.images.empty() && arguments.texts.empty())
    throw UsageError("embed: neither --images nor --texts is given; expected at least one");
  if (arguments.batch_size < 1)
    throw UsageError("--batch-size: is ", arguments.batch_size, "; expected 1 or more");
  std::unique_ptr<PictureSource> pictures;
  if (!arguments.images.empty()) pictures = std::make_unique<PictureSource>(arguments.images);
  std::vector<std::string> lines;
  if (!arguments.texts.empty()) lines = read_lines(arguments.texts);
  const LoadedModel loaded = load_model(arguments.checkpoint);
  for (const std::string& warning : loaded.warnings) std::cerr << "limoe: " << warning << "\n";
  SafetensorsFile file;
  file.metadata["checkpoint"] = loaded.path;
  {
    Progress bar("embedding");
    EmbedOptions options;
    options.batch_size = arguments.batch_size;
    options.progress = [&](const std::string& what, int64_t done, int64_t total) {
      bar.update(what, done, total);
    };
    if (pictures) add_images(loaded, *pictures, options, file);
    if (!lines.empty()) {
      file.tensors["texts"] = embed_texts(*loaded.model, *loaded.tokenizer, lines, options);
      file.metadata["texts"] = json_text(lines);
    }
  }
  write_safetensors(arguments.out, file.tensors, file.metadata);
  for (const auto& [name, rows] : file.tensors)
    std::cout << name << "  " << grouped_digits(rows.dim(0)) << " rows of " << rows.dim(1) << "\n";
  std::cout << "written to " << arguments.out << "\n";
}

}  // namespace

Action declare_embed(CLI::App& flags) {
  const auto arguments = std::make_shared<EmbedArguments>();
  flags.add_option("CHECKPOINT", arguments->checkpoint, "a run's folder, or one of its checkpoints")
      ->required();
  flags
      .add_option(
          "--images", arguments->images,
          "pictures: a folder of them, a tar file, a folder of tar files. Gives the tensor `images`, a "
          "row for each by sorted name; the names are in the metadata as `image_names`")
      ->type_name("PATH");
  flags
      .add_option("--texts", arguments->texts,
                  "a file with one text a line. Gives the tensor `texts`, a row a line; the lines are in the "
                  "metadata as `texts`")
      ->type_name("FILE");
  flags.add_option("--out", arguments->out, "safetensors file to write")->type_name("FILE")->required();
  flags.add_option("--batch-size", arguments->batch_size, "pictures or texts at a time [64]")->type_name("N");
  flags.footer(
      "  limoe embed runs/emoji --images ~/Pictures --texts queries.txt --out embeddings.safetensors");
  return [arguments] { embed(*arguments); };
}

}  // namespace limoe
