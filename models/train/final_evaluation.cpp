#include "models/train/final_evaluation.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/class_names.h"
#include "data/shard_list.h"
#include "data/sources/class_folder_source.h"
#include "models/train/evaluate.h"
#include "models/train/run_parts.h"
#include "tensor/error.h"

namespace limoe {
namespace {

// A larger set is not compared pair by pair at the end of a run: `limoe eval` does that when asked.
constexpr int64_t kMostPairs = 5000;

std::string decimals(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string percent(double share) {
  return decimals(100 * share, 1) + " %";
}

std::string folder_name(const std::string& path) {
  const std::filesystem::path whole(path);
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

bool has_classes(const std::string& source) {
  return is_class_folder(source) || !find_beside(source, kClassNamesFile).empty();
}

class Figures {
 public:
  explicit Figures(int64_t step) { json_["step"] = step; }

  void retrieval(const std::string& set, const RetrievalResult& result) {
    const std::string key = "eval/" + set + "/";
    for (const auto& [direction, recall] : {std::pair{"image_retrieval_recall", result.text_to_image},
                                            std::pair{"text_retrieval_recall", result.image_to_text}}) {
      json_[key + direction + "@1"] = recall.at_1;
      json_[key + direction + "@5"] = recall.at_5;
      json_[key + direction + "@10"] = recall.at_10;
    }
    json_[key + "pairs"] = result.texts;
    const auto three = [](const Recall& r) {
      return decimals(r.at_1, 3) + "  " + decimals(r.at_5, 3) + "  " + decimals(r.at_10, 3);
    };
    table_.rows.push_back({set + " (" + std::to_string(result.texts) + " pairs)", ""});
    table_.rows.push_back({"  text -> image R@1  5  10", three(result.text_to_image)});
    table_.rows.push_back({"  image -> text R@1  5  10", three(result.image_to_text)});
  }

  void classification(const std::string& set, const ClassificationResult& result) {
    json_["eval/" + set + "/acc1"] = result.acc1;
    json_["eval/" + set + "/mean_per_class_recall"] = result.mean_per_class_recall;
    table_.rows.push_back({set + " (" + std::to_string(result.total) + " pictures)", ""});
    table_.rows.push_back({"  zero-shot by class names", percent(result.acc1)});
  }

  void routing(const std::vector<RouterStatistics>& routers) {
    if (routers.empty()) return;
    table_.rows.push_back({"routing of the training pairs", "largest expert   dropped   experts in use"});
    for (const RouterStatistics& router : routers) {
      const std::string where = "block" + std::to_string(router.block) + "/" + name_of(router.modality);
      json_["eval/router/" + where + "/load"] = router.load;
      json_["eval/router/" + where + "/drop_rate"] = router.drop_rate;
      char text[96];
      std::snprintf(text, sizeof text, "%12.1f %%   %5.1f %%   %14.1f", 100 * router.largest_load(),
                    100 * router.drop_rate, std::exp(router.global_entropy));
      table_.rows.push_back(
          {"  block " + std::to_string(router.block) + ", " + name_of(router.modality), text});
    }
  }

  void tell(RunFolder& run, TrainObserver& observer) {
    run.metrics(json_.dump());
    observer.table(table_);
  }

 private:
  nlohmann::ordered_json json_;
  ReportTable table_{"Figures", {}};
};

}  // namespace

void final_evaluation(const LoadedModel& loaded, RunFolder& run, TrainObserver& observer) {
  const TrainConfig& config = loaded.train_config;
  const DatasetOptions reading = dataset_options(config);
  const EmbedOptions embed{.batch_size = 64,
                           .workers = int(std::max<int64_t>(1, config.workers)),
                           .progress = [&](const std::string& what, int64_t done, int64_t total) {
                             observer.progress(what, done, total);
                           }};
  Figures figures(loaded.step);
  const std::vector<std::string> sets =
      config.val_data.empty() ? std::vector<std::string>{} : split_sources(config.val_data);
  for (const std::string& set : sets) {
    const auto dataset = std::make_shared<const Dataset>(set, reading);
    const bool classified = has_classes(set) && dataset->read_text(0).label >= 0;
    if (!classified || dataset->size() <= kMostPairs)
      figures.retrieval(folder_name(set),
                        evaluate_retrieval(*loaded.model, dataset, loaded.tokenizer, embed));
    if (classified)
      figures.classification(folder_name(set), evaluate_zeroshot(*loaded.model, dataset, loaded.tokenizer,
                                                                 read_zeroshot_classes(set), {}, embed));
  }
  const auto training = std::make_shared<const Dataset>(config.train_data, reading);
  if (training->size() <= kMostPairs) {
    figures.retrieval("training pairs", evaluate_retrieval(*loaded.model, training, loaded.tokenizer, embed));
    EmbedOptions routed = embed;
    routed.batch_size = config.batch_size / config.accum_freq;
    if (!moe_block_indices(loaded.config).empty())
      figures.routing(routing_in_training(loaded.config, *loaded.arena, training, loaded.tokenizer, routed));
  } else {
    observer.note(concatenate("the ", training->size(), " training pairs are not evaluated: more than ",
                              kMostPairs, "; `limoe eval` does it when asked"));
  }
  figures.tell(run, observer);
}

}  // namespace limoe
