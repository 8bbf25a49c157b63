// Which expert a trained model sends every patch and every piece of a text to: what one looks at to see what
// the experts have learned.
//
// Evaluated as an embedding is: nothing is recorded, routing has the capacity of evaluation and no noise, and
// pictures and texts pass apart, in batches. A gate is the router's probability of the expert, before
// renormalize-gates. A dense model has no layer with experts: everything is empty then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/image.h"
#include "data/tokenizer.h"
#include "models/limoe/limoe.h"
#include "models/train/words.h"

namespace limoe {

struct ExpertChoice {
  int32_t expert = -1;
  float gate = 0;
  bool dropped = false;  // the expert had no place left
};

// The choices of a sequence of tokens: [layers][tokens][K], a token's K choices by descending gate.
class ExpertChoices {
 public:
  ExpertChoices() = default;
  ExpertChoices(size_t layers, int64_t tokens, int64_t per_token)
      : layers_(layers), tokens_(tokens), per_token_(per_token), all_(layers * size_t(tokens * per_token)) {}

  size_t layers() const { return layers_; }
  int64_t tokens() const { return tokens_; }
  int64_t per_token() const { return per_token_; }

  // Throw std::out_of_range for a layer beyond the last.
  const ExpertChoice& at(size_t layer, int64_t token, int64_t k = 0) const {
    return all_.at(index(layer, token, k));
  }
  ExpertChoice& at(size_t layer, int64_t token, int64_t k = 0) { return all_.at(index(layer, token, k)); }

 private:
  size_t index(size_t layer, int64_t token, int64_t k) const {
    return (layer * size_t(tokens_) + size_t(token)) * size_t(per_token_) + size_t(k);
  }

  size_t layers_ = 0;
  int64_t tokens_ = 0, per_token_ = 0;
  std::vector<ExpertChoice> all_;
};

// A picture: its tokens are rows * columns patches, row by row.
struct ImageExperts {
  int64_t rows = 0, columns = 0;
  ExpertChoices choices;

  const ExpertChoice& at(size_t layer, int64_t row, int64_t column, int64_t k = 0) const {
    return choices.at(layer, row * columns + column, k);
  }
};

// A text: its tokens are pieces, the end of the text ("</s>") being the last; padding is left out.
struct TextExperts {
  std::vector<std::string> pieces;
  std::vector<Word> words;  // the pieces, grouped
  ExpertChoices choices;
};

// A layer of the views is the MoE block of that place in moe_block_indices(model.config()).
std::vector<ImageExperts> experts_of_images(const Limoe& model, const std::vector<Image>& images,
                                            int64_t batch_size = 64);
std::vector<TextExperts> experts_of_texts(const Limoe& model, const Tokenizer& tokenizer,
                                          const std::vector<std::string>& texts, int64_t batch_size = 64);

}  // namespace limoe
