#include "models/train/embed.h"

#include <algorithm>
#include <cstring>

#include "autograd/no_grad.h"
#include "data/loader.h"
#include "data/square.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

TextOptions text_options(const Limoe& model) {
  TextOptions options;
  options.max_len = int(model.config().text_length);
  return options;
}

Tensor text_rows(const Limoe& model, const Tensor& ids, const Tensor& valid) {
  return model.forward({.images = {}, .ids = ids, .text_valid = valid}).text_embeddings.value();
}

Tensor image_rows(const Limoe& model, const Tensor& images) {
  return model.forward({.images = images, .ids = {}, .text_valid = {}}).image_embeddings.value();
}

// Rows first .. of `all` become `rows`.
void put_rows(Tensor& all, int64_t first, const Tensor& rows) {
  const Tensor from = contiguous(rows);
  std::memcpy(all.mutable_data<float>() + first * all.dim(1), from.data<float>(), from.byte_count());
}

void check(const EmbedOptions& options) {
  if (options.batch_size < 1)
    throw ValueError("embed: batch-size is ", options.batch_size, "; expected 1 or more");
}

void report(const EmbedOptions& options, const char* what, int64_t done, int64_t total) {
  if (options.progress) options.progress(what, done, total);
}

Tensor tokens_of(const Tokenizer& tokenizer, const TextOptions& text, const std::string* texts, int64_t count,
                 Tensor& valid) {
  Tensor ids = empty({count, text.max_len}, DType::i32);
  valid = empty({count, text.max_len}, DType::i32);
  int32_t* to = ids.mutable_data<int32_t>();
  int32_t* flag = valid.mutable_data<int32_t>();
  for (int64_t row = 0; row < count; ++row) {
    const TextIds tokens = tokenize(tokenizer, texts[row], text);
    to = std::copy(tokens.ids.begin(), tokens.ids.end(), to);
    for (int32_t at = 0; at < text.max_len; ++at) *flag++ = at < tokens.valid ? 1 : 0;
  }
  return ids;
}

LoaderOptions loader_options(const Limoe& model, const EmbedOptions& options) {
  LoaderOptions loader;
  loader.batch_size = options.batch_size;
  loader.image_size = int(model.config().image_size);
  loader.text = text_options(model);
  loader.shuffle = loader.drop_last = false;
  loader.epochs = 1;
  loader.workers = options.workers;
  loader.cache_bytes = 0;  // each picture is read once
  return loader;
}

}  // namespace

Tensor embed_texts(const Limoe& model, const Tokenizer& tokenizer, const std::vector<std::string>& texts,
                   const EmbedOptions& options) {
  check(options);
  const NoGradScope no_grad;
  const int64_t count = int64_t(texts.size());
  Tensor all = empty({count, model.config().joint_width});
  for (int64_t first = 0; first < count; first += options.batch_size) {
    const int64_t rows = std::min(options.batch_size, count - first);
    Tensor valid;
    const Tensor ids = tokens_of(tokenizer, text_options(model), &texts[size_t(first)], rows, valid);
    put_rows(all, first, text_rows(model, ids, valid));
    report(options, "embedding texts", first + rows, count);
  }
  return all;
}

Tensor embed_images(const Limoe& model, int64_t count, const std::function<Image(int64_t)>& image_at,
                    const EmbedOptions& options) {
  check(options);
  const NoGradScope no_grad;
  const int64_t side = model.config().image_size;
  Tensor all = empty({count, model.config().joint_width});
  for (int64_t first = 0; first < count; first += options.batch_size) {
    const int64_t rows = std::min(options.batch_size, count - first);
    Tensor images = empty({rows, side, side, 3});
    float* pixel = images.mutable_data<float>();
    for (int64_t row = 0; row < rows; ++row)
      for (const uint8_t value : fit_square(image_at(first + row), int(side)).pixels)
        *pixel++ = float(value) / 127.5f - 1.0f;
    put_rows(all, first, image_rows(model, images));
    report(options, "embedding pictures", first + rows, count);
  }
  return all;
}

EmbeddedPairs embed_pairs(const Limoe& model, const std::shared_ptr<const Dataset>& dataset,
                          const std::shared_ptr<const Tokenizer>& tokenizer, const EmbedOptions& options) {
  check(options);
  const NoGradScope no_grad;
  const int64_t most = dataset->size();
  Tensor images = empty({most, model.config().joint_width}), texts = empty_like(images);
  EmbeddedPairs pairs;
  Loader loader(dataset, tokenizer, loader_options(model, options));
  while (!loader.done()) {
    const Batch batch = loader.next();
    if (batch.size() > 0) {
      put_rows(images, pairs.size(), image_rows(model, batch.images));
      put_rows(texts, pairs.size(), text_rows(model, batch.ids, batch.text_valid));
    }
    pairs.samples.insert(pairs.samples.end(), batch.sample_index.begin(), batch.sample_index.end());
    pairs.captions.insert(pairs.captions.end(), batch.captions.begin(), batch.captions.end());
    pairs.labels.insert(pairs.labels.end(), batch.labels.begin(), batch.labels.end());
    report(options, "embedding pairs", pairs.size(), most);
  }
  pairs.images = images.slice(0, 0, pairs.size());
  pairs.texts = texts.slice(0, 0, pairs.size());
  return pairs;
}

}  // namespace limoe
