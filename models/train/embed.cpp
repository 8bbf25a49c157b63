#include "models/train/embed.h"

#include <algorithm>
#include <cstring>

#include "autograd/no_grad.h"
#include "models/train/model_inputs.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

Tensor text_rows(const Limoe& model, const LimoeInputs& inputs) {
  return model.forward(inputs).text_embeddings.value();
}

Tensor image_rows(const Limoe& model, const LimoeInputs& inputs) {
  return model.forward(inputs).image_embeddings.value();
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

}  // namespace

LoaderOptions evaluation_loading(const Limoe& model, const EmbedOptions& options) {
  LoaderOptions loader;
  loader.batch_size = options.batch_size;
  loader.image_size = int(model.config().image_size);
  loader.text = text_options(model.config());
  loader.shuffle = loader.drop_last = false;
  loader.epochs = 1;
  loader.workers = options.workers;
  loader.cache_bytes = 0;  // each picture is read once
  return loader;
}

Tensor embed_texts(const Limoe& model, const Tokenizer& tokenizer, const std::vector<std::string>& texts,
                   const EmbedOptions& options) {
  check(options);
  const NoGradScope no_grad;
  const int64_t count = int64_t(texts.size());
  Tensor all = empty({count, model.config().joint_width});
  for (int64_t first = 0; first < count; first += options.batch_size) {
    const int64_t rows = std::min(options.batch_size, count - first);
    const std::span<const std::string> some(&texts[size_t(first)], size_t(rows));
    put_rows(all, first, text_rows(model, text_inputs(model, tokenizer, some)));
    report(options, "embedding texts", first + rows, count);
  }
  return all;
}

Tensor embed_images(const Limoe& model, int64_t count, const std::function<Image(int64_t)>& image_at,
                    const EmbedOptions& options) {
  check(options);
  const NoGradScope no_grad;
  Tensor all = empty({count, model.config().joint_width});
  for (int64_t first = 0; first < count; first += options.batch_size) {
    const int64_t rows = std::min(options.batch_size, count - first);
    const auto from_first = [&](int64_t row) { return image_at(first + row); };
    put_rows(all, first, image_rows(model, image_inputs(model, rows, from_first)));
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
  Loader loader(dataset, tokenizer, evaluation_loading(model, options));
  while (!loader.done()) {
    const Batch batch = loader.next();
    if (batch.size() > 0) {
      put_rows(images, pairs.size(),
               image_rows(model, {.images = batch.images, .ids = {}, .text_valid = {}}));
      put_rows(texts, pairs.size(),
               text_rows(model, {.images = {}, .ids = batch.ids, .text_valid = batch.text_valid}));
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
