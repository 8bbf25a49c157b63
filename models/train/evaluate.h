// What a trained model is worth: retrieval and zero-shot classification on a data set, the same figures as
// CLIP_benchmark's JSON, and what the routers do there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/train/embed.h"
#include "models/train/fewshot.h"
#include "models/train/retrieval.h"
#include "models/train/router_tally.h"
#include "models/train/zeroshot.h"

namespace limoe {

// Every pair of the set; where a set has several captions a picture, all of them are texts.
RetrievalResult evaluate_retrieval(const Limoe& model, const std::shared_ptr<const Dataset>& dataset,
                                   const std::shared_ptr<const Tokenizer>& tokenizer,
                                   const EmbedOptions& options = {});

struct ZeroshotOptions {
  bool canonical = true;  // prompts through canonical_text()
};

// Throws ValueError for a sample without a class or with one that has no name.
ClassificationResult evaluate_zeroshot(const Limoe& model, const std::shared_ptr<const Dataset>& dataset,
                                       const std::shared_ptr<const Tokenizer>& tokenizer,
                                       const ZeroshotClasses& classes, const ZeroshotOptions& zeroshot = {},
                                       const EmbedOptions& options = {});

// What the routers do with the pairs of a set when the capacity is that of training: load per expert, tokens
// dropped. Without noise. Batches are whole ones, so that they are routed as in training; a set smaller than
// a batch is one.
std::vector<RouterStatistics> routing_in_training(const LimoeConfig& config, const ParameterArena& arena,
                                                  const std::shared_ptr<const Dataset>& dataset,
                                                  const std::shared_ptr<const Tokenizer>& tokenizer,
                                                  const EmbedOptions& options = {});

// One line of who was evaluated on what.
struct EvaluationNames {
  std::string dataset;     // the folder of the shards
  std::string model;       // "limoe-4x192-e8"
  std::string pretrained;  // the checkpoint
  std::string language = "en";
};

// CLIP_benchmark's result files, indented, ending with a newline.
std::string clip_benchmark_json(const EvaluationNames& names, const RetrievalResult& result);
std::string clip_benchmark_json(const EvaluationNames& names, const ClassificationResult& result);
// Its "linear_probe": acc1, acc5, mean_per_class_recall and fewshot_k are the means of the largest number of
// shots; beside them <shots>shot_acc1 and <shots>shot_acc1_std for each, seeds and l2.
std::string clip_benchmark_json(const EvaluationNames& names, const std::vector<FewshotResult>& results,
                                const FewshotOptions& options);

}  // namespace limoe
