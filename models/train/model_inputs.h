// Pictures and texts as the tensors a model reads when nothing is varied: a picture's shorter side is scaled
// to the model's and its centre cut out (data/square.h), bytes 0..255 become -1..1; a text is cut into pieces
// and closed with EOS (data/tokenizer.h).
#pragma once

#include <functional>
#include <span>
#include <string>

#include "data/image.h"
#include "data/tokenizer.h"
#include "models/limoe/limoe.h"

namespace limoe {

LimoeInputs image_inputs(const Limoe& model, int64_t count, const std::function<Image(int64_t)>& image_at);

LimoeInputs text_inputs(const Limoe& model, const Tokenizer& tokenizer, std::span<const std::string> texts);

TextOptions text_options(const LimoeConfig& config);

}  // namespace limoe
