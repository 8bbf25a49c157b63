#include "models/train/evaluate.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "autograd/no_grad.h"
#include "data/loader.h"
#include "models/train/model_inputs.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

using nlohmann::ordered_json;

std::string result_json(const EvaluationNames& names, const char* task, const ordered_json& metrics) {
  return ordered_json{{"dataset", names.dataset},
                      {"model", names.model},
                      {"pretrained", names.pretrained},
                      {"task", task},
                      {"metrics", metrics},
                      {"language", names.language}}
             .dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace

RetrievalResult evaluate_retrieval(const Limoe& model, const std::shared_ptr<const Dataset>& dataset,
                                   const std::shared_ptr<const Tokenizer>& tokenizer,
                                   const EmbedOptions& options) {
  const EmbeddedPairs pairs = embed_pairs(model, dataset, tokenizer, options);
  std::vector<std::string> others;
  std::vector<int64_t> image_of_text(size_t(pairs.size()));
  std::iota(image_of_text.begin(), image_of_text.end(), 0);
  for (int64_t i = 0; dataset->has_many_captions() && i < pairs.size(); ++i)
    for (std::string& caption : dataset->read_text(pairs.samples[size_t(i)]).other_captions) {
      others.push_back(std::move(caption));
      image_of_text.push_back(i);
    }
  if (others.empty()) return retrieval(pairs.images, pairs.texts);
  const Tensor more = embed_texts(model, *tokenizer, others, options);
  const Tensor texts = empty({pairs.size() + more.dim(0), more.dim(1)});
  Tensor first = texts.slice(0, 0, pairs.size()), last = texts.slice(0, pairs.size(), texts.dim(0));
  copy_into(first, pairs.texts);
  copy_into(last, more);
  return retrieval(pairs.images, texts, image_of_text);
}

ClassificationResult evaluate_zeroshot(const Limoe& model, const std::shared_ptr<const Dataset>& dataset,
                                       const std::shared_ptr<const Tokenizer>& tokenizer,
                                       const ZeroshotClasses& classes, const ZeroshotOptions& zeroshot,
                                       const EmbedOptions& options) {
  const std::vector<std::string> prompts = prompts_of(classes, zeroshot.canonical);
  const int64_t names = int64_t(classes.names.size());
  const Tensor centres = unit_rows(
      means_by_class(embed_texts(model, *tokenizer, prompts, options), classes_of_prompts(classes), names));
  const EmbeddedPairs pairs = embed_pairs(model, dataset, tokenizer, options);
  for (int64_t i = 0; i < pairs.size(); ++i)
    if (const int64_t label = pairs.labels[size_t(i)]; label < 0 || label >= names)
      throw ValueError("zero-shot: ", dataset->image_name(pairs.samples[size_t(i)]),
                       label < 0 ? " has no class; expected a .cls member of 0 to "
                                 : concatenate(" has class ", label, "; expected 0 to "),
                       names - 1);
  return classify(pairs.images, centres, pairs.labels);
}

std::vector<RouterStatistics> routing_in_training(const LimoeConfig& config, const ParameterArena& arena,
                                                  const std::shared_ptr<const Dataset>& dataset,
                                                  const std::shared_ptr<const Tokenizer>& tokenizer,
                                                  const EmbedOptions& options) {
  const NoGradScope no_grad;
  LimoeConfig as_in_training = config;
  as_in_training.eval_capacity_factor = config.capacity_factor;
  const Limoe model(as_in_training, arena);
  LoaderOptions loading;
  loading.batch_size = std::min(options.batch_size, dataset->size());
  if (config.group_pairs > 0 && loading.batch_size % config.group_pairs != 0)
    loading.batch_size = std::max<int64_t>(1, loading.batch_size / config.group_pairs) * config.group_pairs;
  loading.image_size = int(config.image_size);
  loading.text = text_options(config);
  loading.shuffle = true;  // neighbours of a data set are alike, and a batch of them is not routed as others
  loading.epochs = 1;
  loading.workers = options.workers;
  loading.cache_bytes = 0;
  Loader loader(dataset, tokenizer, loading);
  RouterTally tally;
  int64_t done = 0;
  while (!loader.done()) {
    const Batch batch = loader.next();
    tally.add(model.forward({batch.images, batch.ids, batch.text_valid}));
    done += batch.size();
    if (options.progress) options.progress("routing pairs", done, dataset->size());
  }
  return tally.statistics();
}

std::string clip_benchmark_json(const EvaluationNames& names, const RetrievalResult& result) {
  return result_json(names, "zeroshot_retrieval",
                     {{"image_retrieval_recall@1", result.text_to_image.at_1},
                      {"image_retrieval_recall@5", result.text_to_image.at_5},
                      {"image_retrieval_recall@10", result.text_to_image.at_10},
                      {"text_retrieval_recall@1", result.image_to_text.at_1},
                      {"text_retrieval_recall@5", result.image_to_text.at_5},
                      {"text_retrieval_recall@10", result.image_to_text.at_10}});
}

std::string clip_benchmark_json(const EvaluationNames& names, const ClassificationResult& result) {
  return result_json(names, "zeroshot_classification",
                     {{"acc1", result.acc1},
                      {"acc5", result.acc5 ? ordered_json(*result.acc5) : ordered_json(nullptr)},
                      {"mean_per_class_recall", result.mean_per_class_recall}});
}

std::string clip_benchmark_json(const EvaluationNames& names, const std::vector<FewshotResult>& results,
                                const FewshotOptions& options) {
  const FewshotResult& most = *std::max_element(
      results.begin(), results.end(), [](const auto& a, const auto& b) { return a.shots < b.shots; });
  ordered_json metrics{{"acc1", most.acc1.mean},
                       {"acc5", most.runs.at(0).acc5 ? ordered_json(most.acc5.mean) : ordered_json(nullptr)},
                       {"mean_per_class_recall", most.mean_per_class_recall.mean},
                       {"fewshot_k", most.shots},
                       {"seeds", options.seeds},
                       {"l2", options.l2}};
  for (const FewshotResult& result : results) {
    metrics[concatenate(result.shots, "shot_acc1")] = result.acc1.mean;
    metrics[concatenate(result.shots, "shot_acc1_std")] = result.acc1.deviation;
  }
  return result_json(names, "linear_probe", metrics);
}

}  // namespace limoe
