#include "models/train/expert_view.h"

#include <algorithm>
#include <span>

#include "autograd/no_grad.h"
#include "models/train/model_inputs.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// One forward pass, read token by token.
class RoutedBatch {
 public:
  explicit RoutedBatch(const LimoeOutputs& outputs) : sequences_(sequence_ranges(outputs.layout.sequences)) {
    for (const RouterReport& report : outputs.routers) {
      layers_.push_back({to_vector<float>(report.probs), to_vector<int32_t>(report.routing.expert_of),
                         to_vector<int32_t>(report.routing.row_of)});
      experts_ = report.probs.dim(1);
      per_token_ = report.routing.expert_of.dim(1);
    }
  }

  ExpertChoices choices(size_t sequence) const {
    const auto [first, tokens] = sequences_.at(sequence);
    ExpertChoices result(layers_.size(), tokens, per_token_);
    for (size_t layer = 0; layer < layers_.size(); ++layer)
      for (int64_t token = 0; token < tokens; ++token)
        for (int64_t k = 0; k < per_token_; ++k) {
          const size_t at = size_t((first + token) * per_token_ + k);
          const int32_t expert = layers_[layer].expert_of[at];
          result.at(layer, token, k) = {expert,
                                        layers_[layer].probs[size_t((first + token) * experts_ + expert)],
                                        layers_[layer].row_of[at] == kDropped};
        }
    return result;
  }

 private:
  struct Layer {
    std::vector<float> probs;                // [N, E]
    std::vector<int32_t> expert_of, row_of;  // [N, K]
  };
  std::vector<SequenceRange> sequences_;
  std::vector<Layer> layers_;
  int64_t experts_ = 0, per_token_ = 0;
};

void check_batch_size(int64_t batch_size) {
  if (batch_size < 1) throw ValueError("expert view: batch_size is ", batch_size, "; expected 1 or more");
}

TextExperts text_experts(const Tokenizer& tokenizer, const TextIds& ids, const RoutedBatch& routed,
                         size_t text) {
  TextExperts view;
  for (int32_t at = 0; at < ids.valid; ++at) view.pieces.push_back(tokenizer.piece(ids.ids[size_t(at)]));
  view.words = words_of(view.pieces);
  view.choices = routed.choices(text);
  return view;
}

}  // namespace

std::vector<ImageExperts> experts_of_images(const Limoe& model, const std::vector<Image>& images,
                                            int64_t batch_size) {
  check_batch_size(batch_size);
  const NoGradScope no_grad;
  const int64_t side = model.config().image_size / model.config().patch_size;
  const int64_t count = int64_t(images.size());
  std::vector<ImageExperts> views;
  for (int64_t first = 0; first < count; first += batch_size) {
    const int64_t some = std::min(batch_size, count - first);
    const LimoeInputs inputs =
        image_inputs(model, some, [&](int64_t i) { return images[size_t(first + i)]; });
    const RoutedBatch routed(model.forward(inputs));
    for (int64_t i = 0; i < some; ++i) views.push_back({side, side, routed.choices(size_t(i))});
  }
  return views;
}

std::vector<TextExperts> experts_of_texts(const Limoe& model, const Tokenizer& tokenizer,
                                          const std::vector<std::string>& texts, int64_t batch_size) {
  check_batch_size(batch_size);
  const NoGradScope no_grad;
  const TextOptions options = text_options(model.config());
  std::vector<TextExperts> views;
  for (size_t first = 0; first < texts.size(); first += size_t(batch_size)) {
    const std::span<const std::string> some(&texts[first],
                                            std::min(size_t(batch_size), texts.size() - first));
    const RoutedBatch routed(model.forward(text_inputs(model, tokenizer, some)));
    for (size_t i = 0; i < some.size(); ++i)
      views.push_back(text_experts(tokenizer, tokenize(tokenizer, some[i], options), routed, i));
  }
  return views;
}

}  // namespace limoe
