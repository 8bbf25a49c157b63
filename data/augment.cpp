#include "data/augment.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "data/lower_case.h"
#include "tensor/error.h"

namespace limoe {
namespace {

void check_range(const char* name, double value, double low, double high) {
  if (!(value >= low && value <= high))
    throw ValueError("augment: ", name, " is ", value, "; expected ", low, "..", high);
}

float grey(const float* pixel) {
  return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

// Uniform among the positions where the box lies in the picture, or the picture in the box.
double random_corner(double picture, double box, SampleRandom& random) {
  return random.uniform(std::min(0.0, picture - box), std::max(0.0, picture - box));
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

}  // namespace

void check(const AugmentOptions& options) {
  check_range("min_scale", options.min_scale, 0.01, 4.0);
  check_range("max_scale", options.max_scale, options.min_scale, 4.0);
  check_range("max_aspect", options.max_aspect, 1.0, 4.0);
  check_range("brightness", options.brightness, 0.0, 1.0);
  check_range("contrast", options.contrast, 0.0, 1.0);
  check_range("saturation", options.saturation, 0.0, 1.0);
  check_range("keep_phrase", options.keep_phrase, 0.0, 1.0);
  check_range("erase", options.erase, 0.0, 1.0);
  check_range("replace_token", options.replace_token, 0.0, 1.0);
  check_range("keep_name", options.keep_name, 0.0, 1.0);
  check_range("patch_dropout", options.patch_dropout, 0.0, 0.99);
  check_range("share", options.share, 0.0, 1.0);
}

Box random_box(const Image& image, const AugmentOptions& options, bool may_flip, SampleRandom& random) {
  const double side = std::min(image.width, image.height);
  const double scale = random.uniform(options.min_scale, options.max_scale);
  const double log_aspect = std::log(options.max_aspect);
  const double aspect = std::exp(random.uniform(-log_aspect, log_aspect));
  Box box;
  box.width = side * std::sqrt(scale * aspect);
  box.height = side * std::sqrt(scale / aspect);
  box.x = random_corner(image.width, box.width, random);
  box.y = random_corner(image.height, box.height, random);
  box.flip = random.chance(0.5) && options.flip && may_flip;
  return box;
}

void jitter_colours(float* pixels, int size, const AugmentOptions& options, SampleRandom& random) {
  const auto around_one = [&](double amount) {
    return static_cast<float>(random.uniform(1 - amount, 1 + amount));
  };
  const float brightness = around_one(options.brightness);
  const float contrast = around_one(options.contrast);
  const float saturation = around_one(options.saturation);
  float* const end = pixels + static_cast<std::ptrdiff_t>(size) * size * 3;
  double sum = 0;
  for (const float* pixel = pixels; pixel != end; pixel += 3) sum += grey(pixel);
  const float mean = brightness * static_cast<float>(sum / (static_cast<double>(size) * size));

  // The three steps are linear in the pixel and its grey: v''' = s c b v + (1 - s) c b g + (1 - c) m.
  const float own = saturation * contrast * brightness;
  const float of_grey = (1 - saturation) * contrast * brightness;
  const float constant = (1 - contrast) * mean;
  for (float* pixel = pixels; pixel != end; pixel += 3) {
    const float shared = of_grey * grey(pixel) + constant;
    for (int c = 0; c < 3; ++c) pixel[c] = std::clamp(own * pixel[c] + shared, 0.0f, 255.0f);
  }
}

void erase_rectangle(float* pixels, int size, const AugmentOptions& options, SampleRandom& random) {
  if (!random.chance(options.erase)) return;
  const double area = random.uniform(0.05, 0.3), log_aspect = std::log(2.0);
  const double aspect = std::exp(random.uniform(-log_aspect, log_aspect));
  const int width = std::clamp(static_cast<int>(size * std::sqrt(area * aspect)), 1, size);
  const int height = std::clamp(static_cast<int>(size * std::sqrt(area / aspect)), 1, size);
  const int64_t left = random.below(size - width + 1), top = random.below(size - height + 1);
  float colour[3];
  for (float& part : colour) part = static_cast<float>(random.uniform(0, 255));
  for (int64_t y = top; y < top + height; ++y)
    for (int64_t x = left; x < left + width; ++x) std::copy_n(colour, 3, pixels + (y * size + x) * 3);
}

int64_t kept_patch_count(int64_t patches, double patch_dropout) {
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(patches) * (1 - patch_dropout)));
}

// Selection sampling (Knuth, The Art of Computer Programming, vol. 2, algorithm S): a patch stays with the
// probability (still wanted) / (still left).
void draw_patches(int64_t patches, std::span<int32_t> kept, SampleRandom random) {
  for (int64_t place = 0; place < patches; ++place) {
    if (random.below(patches - place) >= static_cast<int64_t>(kept.size())) continue;
    kept.front() = static_cast<int32_t>(place);
    kept = kept.subspan(1);
  }
}

void replace_tokens(int32_t* ids, int64_t count, double probability, int32_t first_id, int32_t vocabulary,
                    SampleRandom& random) {
  if (probability == 0 || vocabulary <= first_id) return;
  for (int64_t i = 0; i < count; ++i)
    if (random.chance(probability))
      ids[i] = first_id + static_cast<int32_t>(random.below(vocabulary - first_id));
}

std::string random_caption(const SampleText& text, const AugmentOptions& options, SampleRandom& random) {
  std::vector<const std::string*> kept;
  for (const std::string& phrase : text.phrases)
    if (random.chance(options.keep_phrase)) kept.push_back(&phrase);
  const bool named = random.chance(options.keep_name) || kept.empty();
  std::string caption = named ? text.name : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    std::swap(kept[i],
              kept[i + static_cast<std::size_t>(random.below(static_cast<int64_t>(kept.size() - i)))]);
    caption += (caption.empty() ? "" : ", ") + *kept[i];
  }
  return caption;
}

bool speaks_of_sides(const std::string& caption) {
  const std::string text = lower_case(caption);
  for (const char* side : {"left", "right"})
    for (std::size_t at = text.find(side); at != std::string::npos; at = text.find(side, at + 1))
      if (at == 0 || !is_letter(text[at - 1])) return true;
  return false;
}

}  // namespace limoe
