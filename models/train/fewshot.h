// What a model has learned to see, from a few labelled pictures of each class: a linear probe
// (ridge_probe.h) on frozen features, fitted on `shots` pictures a class and tried on a test set, over
// several random choices of pictures.
//
// The features are what the projection of pictures reads (LimoeOutputs::image_features), not unit vectors:
// the pre-logits of the paper's ten-shot figures. The choice of a seed is a function of seed, class and the
// number of its pictures; more shots keep the pictures of fewer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/train/embed.h"
#include "models/train/zeroshot.h"

namespace limoe {

struct FewshotOptions {
  std::vector<int64_t> shots{1, 5, 10};
  int64_t seeds = 3;  // 0, 1, ...
  double l2 = 1024;
};

// Mean, and deviation (of a sample: n - 1; 0 for one) over the seeds.
struct Spread {
  double mean = 0, deviation = 0;
};
Spread spread_of(const std::vector<double>& values);

struct FewshotResult {
  int64_t shots = 0;
  std::vector<ClassificationResult> runs;    // one a seed
  Spread acc1, acc5, mean_per_class_recall;  // acc5: of runs that have one
};

// Samples of 0..labels-1, `shots` of each class in order of class; labels[i] < 0: sample i is not to be
// chosen. Throws ValueError for a class with fewer.
std::vector<int64_t> pick_shots(const std::vector<int64_t>& labels, int64_t classes, int64_t shots,
                                uint64_t seed);

// One result for every number of shots. Pictures of `support` that cannot be read are reported to it, and
// others chosen. Throws ValueError for options out of range, a sample without a class, a test class that
// support lacks.
std::vector<FewshotResult> evaluate_fewshot(const Limoe& model, const std::shared_ptr<const Dataset>& support,
                                            const std::shared_ptr<const Dataset>& test,
                                            const std::shared_ptr<const Tokenizer>& tokenizer,
                                            const FewshotOptions& fewshot, const EmbedOptions& options = {});

// The labelled training pictures that belong to an evaluation set: `train` in the folder, or beside it where
// it is called `test`. "" where there is none.
std::string support_source(const std::string& data);

}  // namespace limoe
