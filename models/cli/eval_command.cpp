#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>

#include "data/shard_list.h"
#include "models/cli/command.h"
#include "models/cli/progress.h"
#include "models/cli/table.h"
#include "models/train/checkpoint.h"
#include "models/train/evaluate.h"
#include "models/train/readable.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"
#include "tensor/split_text.h"

namespace limoe {
namespace {

constexpr int64_t kMostWorkers = 256;

struct EvalArguments {
  std::string checkpoint, task, data, json, classnames, templates, support_data;
  std::string shots = "1,5,10";
  FewshotOptions fewshot;
  DatasetOptions reading;
  int64_t batch_size = 64;
  int64_t workers = 1;
  bool raw_prompts = false;
};

std::string model_name(const LimoeConfig& config) {
  const std::string name = concatenate("limoe-", config.layers, "x", config.width, "-p", config.patch_size);
  return moe_block_indices(config).empty() ? name + "-dense" : concatenate(name, "-e", config.experts);
}

void print_recalls(const RetrievalResult& result) {
  Table table({Align::left, Align::right, Align::right, Align::right});
  const auto row = [&](const char* what, const Recall& recall) {
    table.row(
        {what, with_decimals(recall.at_1, 4), with_decimals(recall.at_5, 4), with_decimals(recall.at_10, 4)});
  };
  table.heading({grouped_digits(result.texts) + " pairs", "R@1", "R@5", "R@10"});
  row("text -> image", result.text_to_image);
  row("image -> text", result.image_to_text);
  std::cout << table.text();
}

void print_accuracies(const ClassificationResult& result, const ZeroshotClasses& classes) {
  Table table({Align::left, Align::right, Align::right});
  table.heading({"class", "pictures", "recall"});
  for (size_t i = 0; i < classes.names.size(); ++i)
    table.row({classes.names[i], grouped_digits(result.images[i]),
               result.images[i] > 0 ? with_decimals(result.recall[i], 4) : "-"});
  table.heading({"all", grouped_digits(result.total), ""});
  table.row({"acc1", "", with_decimals(result.acc1, 4)});
  if (result.acc5) table.row({"acc5", "", with_decimals(*result.acc5, 4)});
  table.row({"mean per class recall", "", with_decimals(result.mean_per_class_recall, 4)});
  std::cout << table.text();
}

void print_fewshot(const std::vector<FewshotResult>& results, const FewshotOptions& options) {
  Table table({Align::right, Align::right, Align::right, Align::right, Align::right});
  table.heading({"shots", "acc1", "+-", "acc5", "mean per class recall"});
  for (const FewshotResult& result : results)
    table.row({std::to_string(result.shots), with_decimals(result.acc1.mean, 4),
               with_decimals(result.acc1.deviation, 4),
               result.runs[0].acc5 ? with_decimals(result.acc5.mean, 4) : "-",
               with_decimals(result.mean_per_class_recall.mean, 4)});
  std::cout << table.text() << grouped_digits(results[0].runs[0].total) << " test pictures, " << options.seeds
            << " choices of training pictures, l2 " << options.l2 << "\n";
}

std::vector<int64_t> parse_shots(const std::string& text) {
  std::vector<int64_t> shots;
  for (const std::string& part : split_text(text, ",")) {
    int64_t number = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || stop != part.data() + part.size() || number < 1)
      throw UsageError("--shots: is \"", text, "\"; expected whole numbers from 1, like 1,5,10");
    shots.push_back(number);
  }
  return shots;
}

// Before a model is loaded.
void complete_fewshot(EvalArguments& arguments) {
  arguments.fewshot.shots = parse_shots(arguments.shots);
  if (arguments.fewshot.seeds < 1)
    throw UsageError("--seeds: is ", arguments.fewshot.seeds, "; expected 1 or more");
  if (!(arguments.fewshot.l2 > 0))
    throw UsageError("--l2: is ", arguments.fewshot.l2, "; expected more than 0");
  if (arguments.support_data.empty()) arguments.support_data = support_source(arguments.data);
  if (arguments.support_data.empty())
    throw UsageError("--support-data is missing; expected labelled training pictures, because ",
                     arguments.data, " has no train folder in it or beside it");
}

void write_json(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  std::ofstream file(path);
  if (!(file << text << std::flush)) throw FileError(path, ": cannot be written");
}

// Runs the task and gives back its JSON.
std::string run_task(const EvalArguments& arguments, const LoadedModel& loaded,
                     const std::shared_ptr<const Dataset>& dataset) {
  const EvaluationNames names{arguments.data, model_name(loaded.config), loaded.path};
  auto bar = std::make_unique<Progress>("embedding pairs");
  EmbedOptions options;
  options.batch_size = arguments.batch_size;
  options.workers = int(arguments.workers);
  options.progress = [&](const std::string& what, int64_t done, int64_t total) {
    bar->update(what, done, total);
  };
  if (arguments.task == "retrieval") {
    const auto result = evaluate_retrieval(*loaded.model, dataset, loaded.tokenizer, options);
    bar.reset();
    print_recalls(result);
    return clip_benchmark_json(names, result);
  }
  if (arguments.task == "fewshot") {
    const auto support = std::make_shared<const Dataset>(arguments.support_data, arguments.reading);
    const auto results =
        evaluate_fewshot(*loaded.model, support, dataset, loaded.tokenizer, arguments.fewshot, options);
    bar.reset();
    print_fewshot(results, arguments.fewshot);
    return clip_benchmark_json(names, results, arguments.fewshot);
  }
  const ZeroshotClasses classes =
      read_zeroshot_classes(evaluation_source(arguments.data), arguments.classnames, arguments.templates);
  const auto result = evaluate_zeroshot(*loaded.model, dataset, loaded.tokenizer, classes,
                                        {.canonical = !arguments.raw_prompts}, options);
  bar.reset();
  print_accuracies(result, classes);
  return clip_benchmark_json(names, result);
}

void evaluate(EvalArguments& arguments) {
  const std::vector<std::string> tasks{"retrieval", "zeroshot", "fewshot"};
  if (std::find(tasks.begin(), tasks.end(), arguments.task) == tasks.end())
    throw UsageError("--task: \"", arguments.task, "\" is unknown; the nearest one is ",
                     nearest_name(arguments.task, tasks));
  if (arguments.batch_size < 1)
    throw UsageError("--batch-size: is ", arguments.batch_size, "; expected 1 or more");
  if (arguments.workers < 0 || arguments.workers > kMostWorkers)
    throw UsageError("--workers: is ", arguments.workers, "; expected 0 to ", kMostWorkers);
  if (arguments.task == "fewshot") complete_fewshot(arguments);
  const LoadedModel loaded = load_model(arguments.checkpoint);
  for (const std::string& warning : loaded.warnings) std::cerr << "limoe: " << warning << "\n";
  const auto dataset = std::make_shared<const Dataset>(evaluation_source(arguments.data), arguments.reading);
  std::cout << arguments.task << " of " << loaded.path << " on " << arguments.data << "\n";
  write_json(arguments.json, run_task(arguments, loaded, dataset));
  if (const size_t bad = dataset->bad_samples().size(); bad > 0)
    std::cerr << "limoe: " << counted(int64_t(bad), "sample")
              << " left out; the first: " << dataset->bad_samples()[0].reason << "\n";
}

}  // namespace

Action declare_eval(CLI::App& flags) {
  const auto arguments = std::make_shared<EvalArguments>();
  flags.add_option("CHECKPOINT", arguments->checkpoint, "a run's folder, or one of its checkpoints")
      ->required();
  flags
      .add_option("--task", arguments->task,
                  "'retrieval': which picture belongs to which caption; 'zeroshot': classification by names; "
                  "'fewshot': by a linear probe on a few labelled pictures of each class")
      ->type_name("NAME")
      ->required();
  flags
      .add_option("--data", arguments->data,
                  "the set: a source as for training, or a folder with shards in test/")
      ->type_name("PATH")
      ->required();
  flags.add_option("--json", arguments->json, "write the figures here too, in CLIP_benchmark's form")
      ->type_name("FILE");
  flags
      .add_option("--classnames", arguments->classnames,
                  "one class a line, several names of one as 'sofa | couch' [classnames.txt beside the data]")
      ->type_name("FILE");
  flags
      .add_option("--templates", arguments->templates,
                  "prompts with {c} for the name [zeroshot_classification_templates.txt beside the data]")
      ->type_name("FILE");
  flags.add_flag("--raw-prompts", arguments->raw_prompts,
                 "prompts as they are: punctuation and capitals stay");
  flags.add_option("--shots", arguments->shots, "few-shot: training pictures of each class [1,5,10]")
      ->type_name("LIST");
  flags.add_option("--seeds", arguments->fewshot.seeds, "few-shot: choices of training pictures [3]")
      ->type_name("N");
  flags.add_option("--l2", arguments->fewshot.l2, "few-shot: weight of the probe's squares [1024]")
      ->type_name("X");
  flags
      .add_option("--support-data", arguments->support_data,
                  "few-shot: the training pictures [train in --data, or beside it where it is called test]")
      ->type_name("PATH");
  flags
      .add_option("--json-text-key", arguments->reading.json_text_key,
                  "take captions from this field of KEY.json instead of KEY.txt")
      ->type_name("TEXT");
  flags
      .add_option("--csv-img-key", arguments->reading.csv_img_key,
                  "column of a .csv or .tsv with the paths of the pictures [filepath]")
      ->type_name("TEXT");
  flags
      .add_option("--csv-caption-key", arguments->reading.csv_caption_key,
                  "column with their captions [title]")
      ->type_name("TEXT");
  flags
      .add_option("--csv-separator", arguments->reading.csv_separator,
                  "what parts its columns: 'tab', or one character [tab]")
      ->type_name("TEXT");
  flags.add_option("--batch-size", arguments->batch_size, "pictures or texts at a time [64]")->type_name("N");
  flags.add_option("--workers", arguments->workers, "threads that read ahead [1]")->type_name("N");
  flags.add_option("--max-bad", arguments->reading.max_bad, "stop when more samples than this are bad [100]")
      ->type_name("N");
  flags.footer(
      "  limoe eval runs/emoji --task retrieval --data data/emoji/heldout-concepts-base\n"
      "  limoe eval runs/fashion --task zeroshot --data data/fashion-mnist/test --json fashion.json\n"
      "  limoe eval runs/fashion --task fewshot --data data/fashion-mnist/test --shots 1,5,10 --seeds 3");
  return [arguments] { evaluate(*arguments); };
}

}  // namespace limoe
