#include <iostream>
#include <memory>

#include "models/cli/command.h"
#include "models/cli/picture_source.h"
#include "models/cli/progress.h"
#include "models/cli/table.h"
#include "models/cli/terminal.h"
#include "models/train/checkpoint.h"
#include "models/train/retrieval.h"
#include "ops/matmul.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

struct SearchArguments {
  std::string checkpoint, images;
  std::vector<std::string> words;
  int64_t top = 10;
};

std::string ranked_list(const EmbeddedPictures& found, const std::vector<float>& scores,
                        const SearchArguments& arguments) {
  Table table({Align::right, Align::right, Align::left, Align::left});
  int64_t rank = 0;
  for (const int64_t i : best_of(scores, arguments.top)) {
    const Picture& picture = found.pictures[size_t(i)];
    const int left = std::max(20, terminal_width(Stream::output) - columns_of(picture.name) - 20);
    table.row({std::to_string(++rank), with_decimals(scores[size_t(i)], 3), shortened(picture.caption, left),
               picture.name});
  }
  return table.text();
}

void search(const SearchArguments& arguments) {
  const std::string phrase = CLI::detail::join(arguments.words, " ");
  if (arguments.top < 1) throw UsageError("--top: is ", arguments.top, "; expected 1 or more");
  const PictureSource source(arguments.images);
  const LoadedModel loaded = load_model(arguments.checkpoint);
  for (const std::string& warning : loaded.warnings) std::cerr << "limoe: " << warning << "\n";
  EmbeddedPictures found;
  {
    Progress bar("embedding pictures");
    EmbedOptions options;
    options.progress = [&](const std::string& what, int64_t done, int64_t total) {
      bar.update(what, done, total);
    };
    found = embed_pictures(*loaded.model, source, options);
  }
  for (const std::string& warning : found.warnings) std::cerr << "limoe: " << warning << "\n";
  const Tensor text = embed_texts(*loaded.model, *loaded.tokenizer, {phrase});
  const std::vector<float> scores = to_vector<float>(matmul_forward(text, found.embeddings, {.b = true}));
  std::cout << bold("\"" + phrase + "\"", Stream::output) << " among "
            << grouped_digits(int64_t(scores.size())) << " pictures in " << arguments.images << "\n\n"
            << ranked_list(found, scores, arguments);
}

}  // namespace

Action declare_search(CLI::App& flags) {
  const auto arguments = std::make_shared<SearchArguments>();
  flags.add_option("CHECKPOINT", arguments->checkpoint, "a run's folder, or one of its checkpoints")
      ->required();
  flags.add_option("PHRASE", arguments->words, "what to look for")->required();
  flags
      .add_option("--images", arguments->images,
                  "pictures: a folder of them, a tar file, a folder of tar files")
      ->type_name("PATH")
      ->required();
  flags.add_option("--top", arguments->top, "how many to list [10]")->type_name("N");
  flags.footer(
      "  limoe search runs/emoji --images data/emoji/heldout-concepts \"a red heart\"\n"
      "  limoe search runs/emoji --images ~/Pictures --top 5 \"a dog on a beach\"");
  return [arguments] { search(*arguments); };
}

}  // namespace limoe
