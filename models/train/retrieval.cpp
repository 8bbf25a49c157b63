#include "models/train/retrieval.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/check.h"
#include "ops/matmul.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// True iff `other` stands before `own` in a stable sort, largest first. Whatever is compared with something
// that is no number stands before it.
bool stands_before(float other, int64_t other_index, float own, int64_t own_index) {
  return other_index != own_index && !(other < own) && !(other == own && other_index > own_index);
}

int64_t rank_in(const float* scores, int64_t count, int64_t own) {
  if (std::isnan(scores[own])) return count;
  int64_t rank = 0;
  for (int64_t i = 0; i < count; ++i) rank += stands_before(scores[i], i, scores[own], own);
  return rank;
}

std::vector<int64_t> own_images(const std::vector<int64_t>& given, int64_t texts, int64_t images) {
  std::vector<int64_t> image_of_text = given;
  if (given.empty()) {
    if (texts != images)
      throw ShapeError("retrieval: there are ", texts, " texts; expected ", images,
                       ", one a picture, because image_of_text is empty");
    image_of_text.resize(size_t(texts));
    std::iota(image_of_text.begin(), image_of_text.end(), int64_t{0});
  }
  if (int64_t(image_of_text.size()) != texts)
    throw ShapeError("retrieval: image_of_text has ", image_of_text.size(), " entries; expected ", texts,
                     ", one a text");
  for (const int64_t image : image_of_text)
    if (image < 0 || image >= images)
      throw ValueError("retrieval: image_of_text holds ", image, "; expected 0 to ", images - 1);
  return image_of_text;
}

std::vector<std::vector<int64_t>> texts_by_image(const std::vector<int64_t>& image_of_text, int64_t images) {
  std::vector<std::vector<int64_t>> texts(static_cast<size_t>(images));
  for (size_t text = 0; text < image_of_text.size(); ++text)
    texts[size_t(image_of_text[text])].push_back(int64_t(text));
  return texts;
}

// Rows first .. of [all texts, I].
void rank_images(const Tensor& scores, int64_t first, const std::vector<int64_t>& image_of_text,
                 std::vector<int64_t>& ranks) {
  const int64_t images = scores.dim(1);
  for (int64_t row = 0; row < scores.dim(0); ++row)
    ranks.push_back(rank_in(scores.data<float>() + row * images, images, image_of_text[size_t(first + row)]));
}

// Rows first .. of [all images, T].
void rank_texts(const Tensor& scores, int64_t first, const std::vector<std::vector<int64_t>>& texts_of,
                std::vector<int64_t>& ranks) {
  const int64_t texts = scores.dim(1);
  for (int64_t row = 0; row < scores.dim(0); ++row) {
    int64_t best = texts_of[size_t(first + row)].empty() ? -1 : texts;
    for (const int64_t text : texts_of[size_t(first + row)])
      best = std::min(best, rank_in(scores.data<float>() + row * texts, texts, text));
    ranks.push_back(best);
  }
}

// Calls use(scores, first row) for runs of rows of queries candidates^T.
template <class Use>
void for_chunks(const Tensor& queries, const Tensor& candidates, int64_t chunk, const Use& use) {
  for (int64_t first = 0; first < queries.dim(0); first += chunk) {
    const int64_t end = std::min(first + chunk, queries.dim(0));
    use(matmul_forward(queries.slice(0, first, end), candidates, {.b = true}), first);
  }
}

}  // namespace

std::vector<int64_t> ranks_of_images(const Tensor& scores, const std::vector<int64_t>& image_of_text) {
  expect_rank("retrieval", "scores", scores, 2);
  const auto own = own_images(image_of_text, scores.dim(1), scores.dim(0));
  std::vector<int64_t> ranks;
  rank_images(contiguous(scores.transpose(0, 1)), 0, own, ranks);
  return ranks;
}

std::vector<int64_t> ranks_of_texts(const Tensor& scores, const std::vector<int64_t>& image_of_text) {
  expect_rank("retrieval", "scores", scores, 2);
  const auto own = own_images(image_of_text, scores.dim(1), scores.dim(0));
  std::vector<int64_t> ranks;
  rank_texts(contiguous(scores), 0, texts_by_image(own, scores.dim(0)), ranks);
  return ranks;
}

Recall recall_of(const std::vector<int64_t>& ranks) {
  const int64_t queries = std::count_if(ranks.begin(), ranks.end(), [](int64_t rank) { return rank >= 0; });
  const auto share_below = [&](int64_t k) {
    const int64_t found =
        std::count_if(ranks.begin(), ranks.end(), [k](int64_t rank) { return rank >= 0 && rank < k; });
    return queries == 0 ? 0 : double(found) / double(queries);
  };
  return {share_below(1), share_below(5), share_below(10)};
}

RetrievalResult retrieval(const Tensor& images, const Tensor& texts,
                          const std::vector<int64_t>& image_of_text, int64_t chunk) {
  expect_rank("retrieval", "images", images, 2);
  expect_rank("retrieval", "texts", texts, 2);
  expect_dim("retrieval", "texts", texts, 1, images.dim(1), "because images is ", images.shape());
  if (chunk < 1) throw ValueError("retrieval: chunk is ", chunk, "; expected 1 or more");
  const auto own = own_images(image_of_text, texts.dim(0), images.dim(0));
  const auto texts_of = texts_by_image(own, images.dim(0));
  std::vector<int64_t> image_ranks, text_ranks;
  for_chunks(texts, images, chunk,
             [&](const Tensor& scores, int64_t first) { rank_images(scores, first, own, image_ranks); });
  for_chunks(images, texts, chunk,
             [&](const Tensor& scores, int64_t first) { rank_texts(scores, first, texts_of, text_ranks); });
  return {.text_to_image = recall_of(image_ranks),
          .image_to_text = recall_of(text_ranks),
          .images = images.dim(0),
          .texts = texts.dim(0)};
}

std::vector<int64_t> best_of(const std::vector<float>& scores, int64_t count) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto better = [&](int64_t a, int64_t b) {
    const float left = scores[size_t(a)], right = scores[size_t(b)];
    if (std::isnan(left) || std::isnan(right)) return !std::isnan(left) && std::isnan(right);
    return left > right;
  };
  std::stable_sort(order.begin(), order.end(), better);
  order.resize(std::min(order.size(), size_t(std::max<int64_t>(0, count))));
  return order;
}

}  // namespace limoe
