#include "models/limoe/token_layout.h"

#include <vector>

#include "ops/check.h"
#include "tensor/factory.h"

namespace limoe {

const char* name_of(Modality modality) {
  return modality == Modality::image ? "image" : "text";
}

namespace {

struct RealTokens {
  std::vector<int32_t> places, positions;  // as in TokenLayout
};

// Appends the texts to `sequences`; neighbours of one length make one run.
RealTokens real_tokens(int64_t texts, const Tensor& text_valid, Sequences& sequences) {
  expect_rank("limoe", "text_valid", text_valid, 2);
  expect_dim("limoe", "text_valid", text_valid, 0, texts, "because there are that many texts");
  expect_dtype("limoe", "text_valid", text_valid, DType::i32);
  const int64_t text_length = text_valid.dim(1);
  const std::vector<int32_t> valid = to_vector<int32_t>(text_valid);
  RealTokens real;
  const size_t first_run = sequences.size();
  for (int64_t text = 0; text < texts; ++text) {
    const size_t before = real.places.size();
    for (int64_t position = 0; position < text_length; ++position) {
      const int64_t place = text * text_length + position;
      if (valid[size_t(place)] == 0) continue;
      real.places.push_back(int32_t(place));
      real.positions.push_back(int32_t(position));
    }
    const int64_t length = int64_t(real.places.size() - before);
    if (sequences.size() > first_run && sequences.back().length == length)
      ++sequences.back().count;
    else
      sequences.push_back({1, length});
  }
  return real;
}

}  // namespace

TokenLayout make_token_layout(int64_t images, int64_t image_tokens, int64_t texts, const Tensor& text_valid,
                              int64_t group_pairs, Device device) {
  const bool paired = images > 0 && texts > 0;
  if (paired && images != texts)
    throw ShapeError("limoe: images are ", images, " and texts ", texts,
                     "; expected as many of each, or one modality alone");
  const int64_t pairs_per_group =
      paired && group_pairs > 0 ? group_pairs : std::max<int64_t>({images, texts, 1});
  if (paired && images % pairs_per_group != 0)
    throw ValueError("limoe: group-pairs is ", group_pairs,
                     "; expected a divisor of the micro-batch, which is ", images, " pairs");
  TokenLayout layout;
  layout.images = images;
  layout.texts = texts;
  layout.groups = paired ? images / pairs_per_group : 1;
  if (images > 0) layout.sequences.push_back({images, image_tokens});
  std::vector<int32_t> group;
  for (int64_t token = 0; token < images * image_tokens; ++token)
    group.push_back(int32_t(token / image_tokens / pairs_per_group));
  std::vector<int32_t> image_group = group, text_group(group.size(), -1);
  if (texts > 0) {
    const RealTokens real = real_tokens(texts, text_valid, layout.sequences);
    image_group.resize(group.size() + real.places.size(), -1);
    for (const int32_t place : real.places)
      group.push_back(int32_t(place / text_valid.dim(1) / pairs_per_group));
    text_group.insert(text_group.end(), group.begin() + int64_t(text_group.size()), group.end());
    const Shape text_rows{int64_t(real.places.size())};
    layout.text_places = from_vector(text_rows, real.places);
    layout.text_positions = from_vector(text_rows, real.positions, device);
  }
  const Shape rows{int64_t(group.size())};
  layout.group_of = from_vector(rows, group, device);
  layout.image_group_of = from_vector(rows, image_group, device);
  layout.text_group_of = from_vector(rows, text_group, device);
  return layout;
}

}  // namespace limoe
