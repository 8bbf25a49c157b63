#include "models/train/fewshot.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "autograd/no_grad.h"
#include "data/permutation.h"
#include "models/train/model_inputs.h"
#include "models/train/ridge_probe.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

constexpr uint64_t kShotStream = uint64_t{0xF3} << 48;

Tensor features_of(const Limoe& model, const Tensor& images) {
  const NoGradScope no_grad;
  return contiguous(model.forward({.images = images, .ids = {}, .text_valid = {}}).image_features.value());
}

struct LabelledFeatures {
  Tensor rows;  // f32 [n, D]
  std::vector<int64_t> labels;
};

LabelledFeatures features_of_set(const Limoe& model, const std::shared_ptr<const Dataset>& set,
                                 const std::shared_ptr<const Tokenizer>& tokenizer,
                                 const EmbedOptions& options) {
  LabelledFeatures all{empty({set->size(), model.config().width}), {}};
  Loader loader(set, tokenizer, evaluation_loading(model, options));
  while (!loader.done()) {
    const Batch batch = loader.next();
    if (batch.size() == 0) continue;
    const Tensor rows = features_of(model, batch.images);
    std::memcpy(all.rows.mutable_data<float>() + int64_t(all.labels.size()) * all.rows.dim(1),
                rows.data<float>(), rows.byte_count());
    all.labels.insert(all.labels.end(), batch.labels.begin(), batch.labels.end());
    if (options.progress) options.progress("test pictures", int64_t(all.labels.size()), set->size());
  }
  all.rows = all.rows.slice(0, 0, int64_t(all.labels.size()));
  return all;
}

// Features of support pictures, computed when they are first chosen.
class Support {
 public:
  Support(const Limoe& model, const Dataset& set, const EmbedOptions& options)
      : model_(model), set_(set), options_(options) {
    for (int64_t i = 0; i < set.size(); ++i) {
      labels_.push_back(set.read_text(i).label);
      if (labels_.back() < 0)
        throw ValueError("few-shot: ", set.image_name(i), " has no class; expected one for every picture");
      classes_ = std::max(classes_, labels_.back() + 1);
    }
  }

  int64_t classes() const { return classes_; }

  // A picture that turns out to be unreadable is left out, and the choice made again.
  LabelledFeatures picks(int64_t shots, uint64_t seed) {
    std::vector<int64_t> chosen;
    do chosen = pick_shots(labels_, classes_, shots, seed);
    while (!load(chosen));
    LabelledFeatures picked{empty({int64_t(chosen.size()), model_.config().width}), {}};
    float* row = picked.rows.mutable_data<float>();
    for (const int64_t sample : chosen) {
      row = std::copy(rows_.at(sample).begin(), rows_.at(sample).end(), row);
      picked.labels.push_back(labels_[size_t(sample)]);
    }
    return picked;
  }

 private:
  bool load(const std::vector<int64_t>& samples) {
    std::vector<int64_t> readable;
    std::vector<Image> images;
    bool all = true;
    for (const int64_t sample : samples) {
      if (rows_.contains(sample)) continue;
      try {
        images.push_back(set_.decode(sample, set_.read_image(sample), int(model_.config().image_size)));
        readable.push_back(sample);
      } catch (const FileError& error) {
        set_.report_bad(sample, error.what());
        labels_[size_t(sample)] = -1;
        all = false;
      }
      if (int64_t(images.size()) == options_.batch_size) embed(readable, images);
    }
    embed(readable, images);
    return all;
  }

  void embed(std::vector<int64_t>& samples, std::vector<Image>& images) {
    if (images.empty()) return;
    const auto image_at = [&](int64_t i) { return images[size_t(i)]; };
    const Tensor rows = features_of(model_, image_inputs(model_, int64_t(images.size()), image_at).images);
    for (size_t i = 0; i < samples.size(); ++i) {
      const float* row = rows.data<float>() + int64_t(i) * rows.dim(1);
      rows_[samples[i]].assign(row, row + rows.dim(1));
    }
    if (options_.progress) options_.progress("support pictures", int64_t(rows_.size()), set_.size());
    samples.clear();
    images.clear();
  }

  const Limoe& model_;
  const Dataset& set_;
  EmbedOptions options_;
  std::vector<int64_t> labels_;
  int64_t classes_ = 0;
  std::map<int64_t, std::vector<float>> rows_;  // by sample
};

void check(const FewshotOptions& fewshot, const EmbedOptions& options) {
  if (options.batch_size < 1)
    throw ValueError("few-shot: batch-size is ", options.batch_size, "; expected 1 or more");
  if (fewshot.seeds < 1) throw ValueError("few-shot: seeds is ", fewshot.seeds, "; expected 1 or more");
  if (fewshot.shots.empty()) throw ValueError("few-shot: shots is empty; expected one number or more");
  for (const int64_t shots : fewshot.shots)
    if (shots < 1) throw ValueError("few-shot: shots is ", shots, "; expected 1 or more");
}

Spread spread_over(const std::vector<ClassificationResult>& runs,
                   const std::function<double(const ClassificationResult&)>& value) {
  std::vector<double> values;
  for (const ClassificationResult& run : runs) values.push_back(value(run));
  return spread_of(values);
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  if (values.empty()) return spread;
  for (const double value : values) spread.mean += value / double(values.size());
  for (const double value : values) spread.deviation += (value - spread.mean) * (value - spread.mean);
  spread.deviation = values.size() > 1 ? std::sqrt(spread.deviation / double(values.size() - 1)) : 0;
  return spread;
}

std::vector<int64_t> pick_shots(const std::vector<int64_t>& labels, int64_t classes, int64_t shots,
                                uint64_t seed) {
  std::vector<std::vector<int64_t>> members(size_t(classes), std::vector<int64_t>{});
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] >= 0) members.at(size_t(labels[i])).push_back(int64_t(i));
  std::vector<int64_t> picks;
  for (size_t c = 0; c < members.size(); ++c) {
    const int64_t count = int64_t(members[c].size());
    if (count < shots)
      throw ValueError("few-shot: class ", c, " has ", count, " pictures; expected ", shots, " or more for ",
                       shots, " shots");
    for (int64_t shot = 0; shot < shots; ++shot)
      picks.push_back(members[c][size_t(shuffled(shot, count, seed, kShotStream | c))]);
  }
  return picks;
}

std::vector<FewshotResult> evaluate_fewshot(const Limoe& model, const std::shared_ptr<const Dataset>& support,
                                            const std::shared_ptr<const Dataset>& test,
                                            const std::shared_ptr<const Tokenizer>& tokenizer,
                                            const FewshotOptions& fewshot, const EmbedOptions& options) {
  check(fewshot, options);
  Support pictures(model, *support, options);
  std::vector<FewshotResult> results;
  std::vector<std::vector<RidgeProbe>> probes;  // before the test set is read: what is wrong shows early
  for (const int64_t shots : fewshot.shots) {
    probes.emplace_back();
    for (int64_t seed = 0; seed < fewshot.seeds; ++seed) {
      const LabelledFeatures picked = pictures.picks(shots, uint64_t(seed));
      probes.back().push_back(fit_ridge_probe(picked.rows, picked.labels, pictures.classes(), fewshot.l2));
    }
  }
  const LabelledFeatures tried = features_of_set(model, test, tokenizer, options);
  for (size_t i = 0; i < probes.size(); ++i) {
    FewshotResult result;
    result.shots = fewshot.shots[i];
    for (const RidgeProbe& probe : probes[i])
      result.runs.push_back(classify(to_dtype(probe_inputs(probe, tried.rows), DType::f32),
                                     to_dtype(probe.weights.transpose(0, 1), DType::f32), tried.labels));
    result.acc1 = spread_over(result.runs, [](const auto& run) { return run.acc1; });
    result.acc5 = spread_over(result.runs, [](const auto& run) { return run.acc5.value_or(0); });
    result.mean_per_class_recall =
        spread_over(result.runs, [](const auto& run) { return run.mean_per_class_recall; });
    results.push_back(std::move(result));
  }
  return results;
}

std::string support_source(const std::string& data) {
  std::filesystem::path folder = data;
  if (!folder.has_filename()) folder = folder.parent_path();  // "DIR/" is DIR
  const std::filesystem::path inside = folder / "train", beside = folder.parent_path() / "train";
  std::error_code error;
  if (std::filesystem::is_directory(inside, error)) return inside.string();
  return folder.filename() == "test" && std::filesystem::is_directory(beside, error) ? beside.string() : "";
}

}  // namespace limoe
