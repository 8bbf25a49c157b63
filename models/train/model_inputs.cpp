#include "models/train/model_inputs.h"

#include <algorithm>

#include "data/square.h"
#include "tensor/factory.h"

namespace limoe {

TextOptions text_options(const LimoeConfig& config) {
  return {.max_len = int(config.text_length), .punctuation = config.text_punctuation};
}

LimoeInputs image_inputs(const Limoe& model, int64_t count, const std::function<Image(int64_t)>& image_at) {
  const int64_t side = model.config().image_size;
  Tensor images = empty({count, side, side, 3});
  float* pixel = images.mutable_data<float>();
  for (int64_t row = 0; row < count; ++row)
    for (const uint8_t value : fit_square(image_at(row), int(side)).pixels)
      *pixel++ = float(value) / 127.5f - 1.0f;
  return {.images = images, .ids = {}, .text_valid = {}};
}

LimoeInputs text_inputs(const Limoe& model, const Tokenizer& tokenizer, std::span<const std::string> texts) {
  const TextOptions options = text_options(model.config());
  Tensor ids = empty({int64_t(texts.size()), options.max_len}, DType::i32);
  Tensor valid = empty({int64_t(texts.size()), options.max_len}, DType::i32);
  int32_t* to = ids.mutable_data<int32_t>();
  int32_t* flag = valid.mutable_data<int32_t>();
  for (const std::string& text : texts) {
    const TextIds tokens = tokenize(tokenizer, text, options);
    to = std::copy(tokens.ids.begin(), tokens.ids.end(), to);
    for (int32_t at = 0; at < options.max_len; ++at) *flag++ = at < tokens.valid ? 1 : 0;
  }
  return {.images = {}, .ids = ids, .text_valid = valid};
}

}  // namespace limoe
