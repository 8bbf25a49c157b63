// Which row of the token matrix [N, D] is what.
//
// All image tokens come first, sequence by sequence, then the real tokens of all texts. Padding has no row:
// it would be no key in attention, not routed, not counted in any statistic and not pooled, so nothing would
// ever read it. Pairs are routed in groups: a group holds the image and the text tokens of a run of pairs, so
// that both modalities compete for the same places.
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
  Tensor text_places;  // i32, by row of text, on the CPU: the place of the token in [texts * text_length]
  // The rest lies beside the token matrix.
  Tensor text_positions;                 // i32, by row of text: the place of the token in its own text
  Tensor group_of;                       // i32 [N]: the group of a token
  Tensor image_group_of, text_group_of;  // the same, with the other modality's tokens at -1

  const Tensor& group_of_modality(Modality modality) const {
    return modality == Modality::image ? image_group_of : text_group_of;
  }
};

// `text_valid`: i32 [texts, text_length], 0 for padding; undefined when texts is 0. With both modalities
// present images and texts are equally many pairs and group_pairs divides them (0: one group); a single
// modality is one group. Throws ShapeError, ValueError.
TokenLayout make_token_layout(int64_t images, int64_t image_tokens, int64_t texts, const Tensor& text_valid,
                              int64_t group_pairs, Device device = {});

}  // namespace limoe
