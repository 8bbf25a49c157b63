#include "models/limoe/token_layout.h"

#include <vector>

#include "ops/check.h"
#include "tensor/factory.h"

namespace limoe {

const char* name_of(Modality modality) {
  return modality == Modality::image ? "image" : "text";
}

TokenLayout make_token_layout(int64_t images, int64_t image_tokens, int64_t texts, const Tensor& text_valid,
                              int64_t group_pairs) {
  const bool paired = images > 0 && texts > 0;
  if (paired && images != texts)
    throw ShapeError("limoe: images are ", images, " and texts ", texts,
                     "; expected as many of each, or one modality alone");
  const int64_t pairs_per_group =
      paired && group_pairs > 0 ? group_pairs : std::max<int64_t>({images, texts, 1});
  if (paired && images % pairs_per_group != 0)
    throw ValueError("limoe: group-pairs is ", group_pairs,
                     "; expected a divisor of the micro-batch, which is ", images, " pairs");
  int64_t text_length = 0;
  std::vector<int32_t> real;
  if (texts > 0) {
    expect_rank("limoe", "text_valid", text_valid, 2);
    expect_dim("limoe", "text_valid", text_valid, 0, texts, "because there are that many texts");
    expect_dtype("limoe", "text_valid", text_valid, DType::i32);
    text_length = text_valid.dim(1);
    real = to_vector<int32_t>(text_valid);
  }
  const size_t image_rows = size_t(images * image_tokens), rows = image_rows + real.size();
  std::vector<int32_t> valid(rows, 1), image_group(rows, -1), text_group(rows, -1), group(rows, -1);
  for (size_t row = 0; row < image_rows; ++row)
    group[row] = image_group[row] = int32_t(int64_t(row) / image_tokens / pairs_per_group);
  for (size_t i = 0; i < real.size(); ++i) {
    const size_t row = image_rows + i;
    valid[row] = real[i] != 0;
    if (valid[row]) group[row] = text_group[row] = int32_t(int64_t(i) / text_length / pairs_per_group);
  }
  TokenLayout layout;
  layout.images = images;
  layout.texts = texts;
  layout.groups = paired ? images / pairs_per_group : 1;
  if (images > 0) layout.sequences.push_back({images, image_tokens});
  if (texts > 0) layout.sequences.push_back({texts, text_length});
  const Shape shape{int64_t(rows)};
  layout.valid = from_vector(shape, valid);
  layout.group_of = from_vector(shape, group);
  layout.image_group_of = from_vector(shape, image_group);
  layout.text_group_of = from_vector(shape, text_group);
  return layout;
}

}  // namespace limoe
