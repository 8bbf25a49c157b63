// Which row of the token matrix [N, D] is what.
//
// All image tokens come first, sequence by sequence, then all text tokens. Padding of texts is no key in
// attention, is not routed, is not counted in any statistic and not pooled. Pairs are routed in groups: a
// group holds the image and the text tokens of a run of pairs, so that both modalities compete for the same
// places.
#pragma once

#include "ops/sequences.h"
#include "tensor/tensor.h"

namespace limoe {

enum class Modality { image, text };
inline constexpr Modality kModalities[] = {Modality::image, Modality::text};
const char* name_of(Modality modality);  // "image", "text"

struct TokenLayout {
  int64_t images = 0, texts = 0;  // sequences of each
  int64_t groups = 1;
  Sequences sequences;
  Tensor valid;                          // i32 [N]: 0 is padding
  Tensor group_of;                       // i32 [N]: the group of a counted token, -1 for padding
  Tensor image_group_of, text_group_of;  // the same, with the other modality's tokens at -1 as well

  const Tensor& group_of_modality(Modality modality) const {
    return modality == Modality::image ? image_group_of : text_group_of;
  }
};

// `text_valid`: i32 [texts, text_length], undefined when texts is 0. With both modalities present images and
// texts are equally many pairs and group_pairs divides them (0: one group); a single modality is one group.
// Throws ShapeError, ValueError.
TokenLayout make_token_layout(int64_t images, int64_t image_tokens, int64_t texts, const Tensor& text_valid,
                              int64_t group_pairs);

}  // namespace limoe
