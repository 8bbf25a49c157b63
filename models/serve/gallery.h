// The pictures that a page shows: taken from one or more shelves up to a number, each once.
//
// A shelf is any ordered set of pictures with captions. Shelves come in order of importance: a picture that
// is on two (the same pixels at the model's size, the same caption) is taken from the first. Where not all
// fit, every shelf but the last is taken whole as long as it fits, and what does not fit is thinned evenly.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "data/dataset.h"
#include "data/image.h"

namespace limoe {

struct Shelf {
  std::string name;
  int64_t size = 0;
  std::function<Image(int64_t)> read;           // throws FileError; called from several threads at once
  std::function<std::string(int64_t)> caption;  // likewise
};

Shelf shelf_of(const std::shared_ptr<const Dataset>& dataset, const std::string& name);

// Which of `sizes[s]` pictures of each shelf are looked at when at most `most` are wanted.
std::vector<std::vector<int64_t>> chosen_places(const std::vector<int64_t>& sizes, int64_t most);

class Gallery {
 public:
  explicit Gallery(std::vector<Shelf> shelves) : shelves_(std::move(shelves)) {}

  using Take = std::function<void(const Image& square)>;  // a picture's square, as the model sees it
  using Look = std::function<void(int64_t looked_at, int64_t of)>;
  // Reads at most `most` pictures and gives each that is new to `take`, in order. What cannot be read is left
  // out and named in warnings(). Throws FileError when nothing is left.
  void fill(int64_t most, int side, const Take& take, const Look& look);

  int64_t size() const { return int64_t(entries_.size()); }
  const std::string& caption(int64_t picture) const { return entries_.at(size_t(picture)).caption; }
  const std::string& source(int64_t picture) const { return shelves_[entry(picture).shelf].name; }
  const std::vector<std::string>& warnings() const { return warnings_; }

  // The part of the picture that the model sees, as a PNG of `least` to 256 pixels a side. Throws FileError.
  std::vector<uint8_t> square_png(int64_t picture, int least) const;

 private:
  struct Entry {
    size_t shelf;
    int64_t place;
    std::string caption;
  };
  const Entry& entry(int64_t picture) const { return entries_.at(size_t(picture)); }

  std::vector<Shelf> shelves_;
  std::vector<Entry> entries_;
  std::vector<std::string> warnings_;
};

}  // namespace limoe
