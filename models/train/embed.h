// Unit embeddings of many pictures and texts, in batches, as an evaluation needs them: nothing is recorded,
// routing has the capacity of evaluation, and pictures and texts are embedded apart. With the default
// capacity (no limit) an embedding does not depend on what else is in its batch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/image.h"
#include "data/loader.h"
#include "data/tokenizer.h"
#include "models/limoe/limoe.h"

namespace limoe {

using EmbedProgress = std::function<void(const std::string& what, int64_t done, int64_t total)>;

struct EmbedOptions {
  int64_t batch_size = 64;
  int workers = 1;  // threads that read and decode ahead
  EmbedProgress progress = {};
};

// How the samples of a data set are read for that: each once, in its order.
LoaderOptions evaluation_loading(const Limoe& model, const EmbedOptions& options);

// f32 [n, J], a row for each text.
Tensor embed_texts(const Limoe& model, const Tokenizer& tokenizer, const std::vector<std::string>& texts,
                   const EmbedOptions& options = {});

// f32 [n, J]; `image_at(i)` gives the i-th picture, of any size: its shorter side is scaled to the model's
// and its centre cut out. Called in order.
Tensor embed_images(const Limoe& model, int64_t count, const std::function<Image(int64_t)>& image_at,
                    const EmbedOptions& options = {});

// The pairs of a data set in its order, without those that cannot be read.
struct EmbeddedPairs {
  Tensor images, texts;               // f32 [n, J]
  std::vector<int64_t> samples;       // [n], into the data set
  std::vector<std::string> captions;  // [n]
  std::vector<int64_t> labels;        // [n], -1 where there is none
  int64_t size() const { return int64_t(samples.size()); }
};
EmbeddedPairs embed_pairs(const Limoe& model, const std::shared_ptr<const Dataset>& dataset,
                          const std::shared_ptr<const Tokenizer>& tokenizer,
                          const EmbedOptions& options = {});

}  // namespace limoe
