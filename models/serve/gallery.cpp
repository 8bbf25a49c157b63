#include "models/serve/gallery.h"

#include <algorithm>

#include "data/square.h"
#include "models/serve/request.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kLargestSquare = 256;
constexpr size_t kLongestCaption = 400;  // bytes that are shown

// The same caption, safe to show: valid UTF-8 on one line, cut between characters.
std::string shown_caption(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; }, ' ');
  if (text.size() <= kLongestCaption) return is_utf8(text) ? text : "(not UTF-8)";
  size_t end = kLongestCaption;
  while (end > 0 && (uint8_t(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return is_utf8(text) ? text + "…" : "(not UTF-8)";
}

std::string fingerprint(const Image& square, const std::string& caption) {
  return caption + '\0' + std::string(square.pixels.begin(), square.pixels.end());
}

}  // namespace

Shelf shelf_of(const std::shared_ptr<const Dataset>& dataset, const std::string& name) {
  return {.name = name,
          .size = dataset->size(),
          .read = [dataset](int64_t i) { return dataset->decode(i, dataset->read_image(i)); },
          .caption = [dataset](int64_t i) { return dataset->read_text(i).caption; }};
}

std::vector<std::vector<int64_t>> chosen_places(const std::vector<int64_t>& sizes, int64_t most) {
  std::vector<std::vector<int64_t>> chosen;
  int64_t left = most;
  for (const int64_t size : sizes) {
    const int64_t count = std::min(size, left);
    std::vector<int64_t>& places = chosen.emplace_back();
    for (int64_t i = 0; i < count; ++i) places.push_back(i * size / count);
    left -= count;
  }
  return chosen;
}

void Gallery::fill(int64_t most, int side, const Take& take, const Look& look) {
  std::vector<int64_t> sizes;
  for (const Shelf& shelf : shelves_) sizes.push_back(shelf.size);
  const std::vector<std::vector<int64_t>> chosen = chosen_places(sizes, most);
  int64_t total = 0, done = 0;
  for (const std::vector<int64_t>& places : chosen) total += int64_t(places.size());
  std::unordered_set<size_t> seen;
  for (size_t s = 0; s < shelves_.size(); ++s)
    for (const int64_t place : chosen[s]) {
      Image square;
      std::string caption;
      try {
        square = fit_square(shelves_[s].read(place), side);
        caption = shown_caption(shelves_[s].caption(place));
      } catch (const Error& error) {
        warnings_.push_back(concatenate("left out: ", error.what()));
        square = {};
      }
      if (!square.pixels.empty() &&
          seen.insert(std::hash<std::string>{}(fingerprint(square, caption))).second) {
        take(square);
        entries_.push_back({s, place, caption});
      }
      look(++done, total);
    }
  if (entries_.empty())
    throw FileError("serve: none of ", total, " pictures can be read",
                    warnings_.empty() ? "" : "; the first: " + warnings_[0]);
}

std::vector<uint8_t> Gallery::square_png(int64_t picture, int least) const {
  const Entry& from = entry(picture);
  const Image image = shelves_[from.shelf].read(from.place);
  const int side = std::max(least, std::min(kLargestSquare, std::min(image.width, image.height)));
  return encode_png(fit_square(image, side));
}

}  // namespace limoe
