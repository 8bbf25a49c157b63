#include "data/batch_builder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "data/square.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// How much larger than image_size pictures to crop from are kept: a crop of 0.44 of the area is still not
// enlarged.
constexpr double kCropMargin = 1.5;

class StageTimer {
 public:
  explicit StageTimer(double& seconds) : seconds_(seconds) {}
  ~StageTimer() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  double& seconds_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

int64_t steps_in(int64_t samples, const LoaderOptions& options) {
  return options.drop_last ? samples / options.batch_size
                           : (samples + options.batch_size - 1) / options.batch_size;
}

void check_at_least(const char* name, int64_t value, int64_t least) {
  if (value < least) throw ValueError("loader: ", name, " is ", value, "; expected ", least, " or more");
}

}  // namespace

BatchBuilder::BatchBuilder(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Tokenizer> tokenizer,
                           const LoaderOptions& options)
    : dataset_(std::move(dataset)),
      tokenizer_(std::move(tokenizer)),
      options_(options),
      order_(dataset_->source_sizes(),
             {.factors = options.upsampling_factors, .shuffle = options.shuffle, .seed = options.seed}),
      cache_(dataset_->size(), options.cache_bytes) {
  check_at_least("batch_size", options.batch_size, 1);
  check_at_least("image_size", options.image_size, 1);
  check_at_least("text.max_len", options.text.max_len, 1);
  check_at_least("epochs", options.epochs, 0);
  check_at_least("workers", options.workers, 0);
  check_at_least("prefetch", options.prefetch, 1);
  check_at_least("cache_bytes", options.cache_bytes, 0);
  if (options.augment) {
    check(*options.augment);
    if (options.augment->patch_dropout > 0) check_at_least("patches", options.patches, 1);
  }
  steps_ = steps_in(order_.size(), options);
  if (steps_ == 0)
    throw ValueError("loader: batch_size is ", options.batch_size, "; expected at most ", order_.size(),
                     ", the number of samples in an epoch");
}

Batch BatchBuilder::allocate(int64_t pairs) const {
  Batch batch;
  batch.images = empty({pairs, options_.image_size, options_.image_size, 3}, DType::f32);
  if (options_.augment && options_.augment->patch_dropout > 0)
    batch.patches =
        empty({pairs, kept_patch_count(options_.patches, options_.augment->patch_dropout)}, DType::i32);
  batch.ids = empty({pairs, options_.text.max_len}, DType::i32);
  batch.text_valid = empty({pairs, options_.text.max_len}, DType::i32);
  return batch;
}

Batch BatchBuilder::build(LoaderPosition position, StageTimes& times) {
  const std::vector<Choice> choices = choose(position, times);
  Batch batch = allocate(static_cast<int64_t>(choices.size()));
  batch.position = position;
  if (!augments(position.epoch)) batch.patches = {};
  std::span<int32_t> patches;  // of the pairs still to come
  if (batch.patches.defined())
    patches = {batch.patches.mutable_data<int32_t>(), std::size_t(batch.patches.element_count())};
  float* pixels = batch.images.mutable_data<float>();
  int32_t* ids = batch.ids.mutable_data<int32_t>();
  int32_t* valid = batch.text_valid.mutable_data<int32_t>();
  for (const Choice& choice : choices) {
    std::string caption = caption_of(choice, position.epoch);
    {
      const StageTimer timer(times.augment);
      fill_image(choice, position.epoch, caption, pixels);
    }
    pixels += static_cast<std::ptrdiff_t>(options_.image_size) * options_.image_size * 3;
    if (batch.patches.defined()) {
      const std::size_t kept = std::size_t(batch.patches.dim(1));
      draw_patches(options_.patches, patches.first(kept),
                   {options_.seed, DataStream::kPatches, position.epoch, choice.sample});
      patches = patches.subspan(kept);
    }
    const StageTimer timer(times.tokenize);
    const PreparedSample& prepared = *choice.prepared;
    TextIds text = prepared.ids ? *prepared.ids : tokenize(*tokenizer_, caption, options_.text);
    if (varies(choice.sample, position.epoch)) vary_tokens(text, choice.sample, position.epoch);
    ids = std::copy(text.ids.begin(), text.ids.end(), ids);
    for (int32_t at = 0; at < options_.text.max_len; ++at) *valid++ = at < text.valid ? 1 : 0;
    batch.sample_index.push_back(choice.sample);
    batch.labels.push_back(prepared.text.label);
    batch.captions.push_back(std::move(caption));
  }
  times.samples += batch.size();
  return batch;
}

std::vector<BatchBuilder::Choice> BatchBuilder::choose(LoaderPosition position, StageTimes& times) {
  const int64_t first = position.step * options_.batch_size;
  const int64_t rows = std::min(options_.batch_size, order_.size() - first);
  const int64_t attempts = options_.drop_last ? steps_ : 1;
  std::vector<Choice> choices;
  choices.reserve(static_cast<std::size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    Choice choice{};
    for (int64_t attempt = 0; attempt < attempts && !choice.prepared; ++attempt) {
      const int64_t step = (position.step + attempt) % steps_;
      choice.sample = order_.sample_at(position.epoch, step * options_.batch_size + row);
      choice.prepared = prepared(choice.sample, times);
    }
    if (choice.prepared)
      choices.push_back(std::move(choice));
    else if (options_.drop_last)
      throw FileError(dataset_->image_name(choice.sample), ": no readable sample is left for row ", row,
                      " of a batch; expected one in ", steps_);
  }
  return choices;
}

BatchBuilder::Prepared BatchBuilder::prepared(int64_t sample, StageTimes& times) {
  if (Prepared kept = cache_.find(sample)) return kept;
  if (cache_.is_bad(sample)) return nullptr;
  try {
    auto fresh = std::make_shared<const PreparedSample>(prepare(sample, times));
    cache_.keep(sample, fresh);
    return fresh;
  } catch (const FileError& error) {
    cache_.mark_bad(sample);
    dataset_->report_bad(sample, error.what());
    return nullptr;
  }
}

PreparedSample BatchBuilder::prepare(int64_t sample, StageTimes& times) const {
  PreparedSample prepared;
  std::vector<uint8_t> file;
  {
    const StageTimer timer(times.read);
    prepared.text = dataset_->read_text(sample);
    file = dataset_->read_image(sample);
  }
  Image image;
  {
    const StageTimer timer(times.decode);
    image = dataset_->decode(sample, file, base_side());
    if (std::max(image.width, image.height) > int64_t{kMaxImageAspect} * std::min(image.width, image.height))
      throw FileError(dataset_->image_name(sample), ": is ", image.width, " x ", image.height,
                      "; expected sides of at most ", kMaxImageAspect, " to 1");
  }
  {
    const StageTimer timer(times.resize);
    prepared.image = base_image(std::move(image));
  }
  const StageTimer timer(times.tokenize);
  if (caption_is_fixed(prepared.text))
    prepared.ids = tokenize(*tokenizer_, prepared.text.caption, options_.text);
  return prepared;
}

// What the shorter side of a kept picture is at most.
int BatchBuilder::base_side() const {
  return options_.augment ? static_cast<int>(std::ceil(kCropMargin * options_.image_size))
                          : options_.image_size;
}

Image BatchBuilder::base_image(Image image) const {
  const int size = options_.image_size, shorter = std::min(image.width, image.height);
  if (!options_.augment) return fit_square(image, size);
  const int largest = base_side();
  return shorter <= largest ? std::move(image) : resize_shorter_side(image, largest);
}

void BatchBuilder::fill_image(const Choice& choice, int64_t epoch, const std::string& caption,
                              float* pixels) const {
  const Image& image = choice.prepared->image;
  const int64_t count = int64_t{options_.image_size} * options_.image_size * 3;
  if (varies(choice.sample, epoch)) {
    SampleRandom random(options_.seed, DataStream::kImage, epoch, choice.sample);
    const bool may_flip = options_.augment->flip && !speaks_of_sides(caption);
    resample(image, random_box(image, *options_.augment, may_flip, random), options_.image_size, pixels);
    jitter_colours(pixels, options_.image_size, *options_.augment, random);
    erase_rectangle(pixels, options_.image_size, *options_.augment, random);
  } else if (options_.augment) {  // the picture is kept larger than the model's, for crops
    resample(image, centred_square(image), options_.image_size, pixels);
  } else {
    std::copy(image.pixels.begin(), image.pixels.end(), pixels);
  }
  for (int64_t i = 0; i < count; ++i) pixels[i] = pixels[i] / 127.5f - 1.0f;
}

bool BatchBuilder::augments(int64_t epoch) const {
  return options_.augment && (options_.augment->epochs == 0 || epoch < options_.augment->epochs);
}

bool BatchBuilder::varies(int64_t sample, int64_t epoch) const {
  return augments(epoch) &&
         SampleRandom(options_.seed, DataStream::kShare, epoch, sample).chance(options_.augment->share);
}

void BatchBuilder::vary_tokens(TextIds& text, int64_t sample, int64_t epoch) const {
  SampleRandom random(options_.seed, DataStream::kTokens, epoch, sample);
  const PieceRange pieces = tokenizer_->text_pieces();
  const int32_t leading = std::min(tokenizer_->leading_ids(), text.valid - 1);
  replace_tokens(text.ids.data() + leading, text.valid - 1 - leading, options_.augment->replace_token,
                 pieces.first, pieces.end, random);
}

bool BatchBuilder::caption_is_fixed(const SampleText& text) const {
  return !options_.augment || !options_.augment->vary_caption ||
         (text.phrases.empty() && text.name == text.caption);
}

std::string BatchBuilder::caption_of(const Choice& choice, int64_t epoch) const {
  const SampleText& text = choice.prepared->text;
  if (!varies(choice.sample, epoch) || caption_is_fixed(text)) return text.caption;
  SampleRandom random(options_.seed, DataStream::kCaption, epoch, choice.sample);
  return random_caption(text, *options_.augment, random);
}

}  // namespace limoe
