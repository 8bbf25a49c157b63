#include "models/serve/collection.h"

#include <algorithm>

#include "models/train/model_inputs.h"
#include "models/train/retrieval.h"
#include "ops/matmul.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

constexpr size_t kBatch = 64;
constexpr FavouriteOptions kLists{.patches = 24, .words = 24};

Tensor joined(const std::vector<Tensor>& parts, int64_t rows, int64_t width) {
  Tensor all = empty({rows, width});
  float* to = all.mutable_data<float>();
  for (const Tensor& part : parts) to = std::copy_n(part.data<float>(), part.element_count(), to);
  return all;
}

}  // namespace

Collection::Collection(LoadedModel loaded, std::vector<Shelf> shelves, int64_t most,
                       const EmbedProgress& progress)
    : loaded_(std::move(loaded)), blocks_(moe_block_indices(config())), gallery_(std::move(shelves)) {
  if (most < 1) throw ValueError("serve: max-pictures is ", most, "; expected 1 or more");
  std::vector<Tensor> rows;
  std::vector<Image> batch;
  const auto take = [&](const Image& square) {
    batch.push_back(square);
    if (batch.size() < kBatch) return;
    add(batch, rows);
    batch.clear();
  };
  gallery_.fill(most, int(config().image_size), take, [&](int64_t done, int64_t total) {
    if (progress) progress("embedding pictures", done, total);
  });
  if (!batch.empty()) add(batch, rows);
  embeddings_ = joined(rows, gallery_.size(), config().joint_width);
  for (int64_t first = 0; first < gallery_.size(); first += int64_t(kBatch)) {
    std::vector<std::string> captions;
    const int64_t end = std::min(gallery_.size(), first + int64_t(kBatch));
    for (int64_t i = first; i < end; ++i) captions.push_back(gallery_.caption(i));
    for (TextExperts& view : experts_of_texts(*loaded_.model, *loaded_.tokenizer, captions))
      caption_views_.push_back(std::move(view));
    if (progress) progress("routing captions", end, gallery_.size());
  }
  favourites_ = favourites_of(views_, caption_views_, config().experts, kLists);
}

void Collection::add(const std::vector<Image>& squares, std::vector<Tensor>& rows) {
  rows.push_back(contiguous(
      embed_images(*loaded_.model, int64_t(squares.size()), [&](int64_t i) { return squares[size_t(i)]; })));
  for (ImageExperts& view : experts_of_images(*loaded_.model, squares)) views_.push_back(std::move(view));
}

Found Collection::search(const std::string& phrase, int64_t count) const {
  const std::lock_guard lock(one_at_a_time_);
  const Tensor text = embed_texts(*loaded_.model, *loaded_.tokenizer, {phrase});
  const std::vector<float> scores = to_vector<float>(matmul_forward(text, embeddings_, {.b = true}));
  Found found{best_of(scores, count), {}};
  for (const int64_t picture : found.pictures) found.scores.push_back(scores[size_t(picture)]);
  return found;
}

TextExperts Collection::experts_of_phrase(const std::string& phrase) const {
  const std::lock_guard lock(one_at_a_time_);
  return experts_of_texts(*loaded_.model, *loaded_.tokenizer, {phrase})[0];
}

bool Collection::is_cut(const std::string& phrase) const {
  TextOptions longer = text_options(loaded_.model->config());
  ++longer.max_len;
  return tokenize(*loaded_.tokenizer, phrase, longer).valid == longer.max_len;
}

}  // namespace limoe
