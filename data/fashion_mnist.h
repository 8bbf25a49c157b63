// The Fashion-MNIST data set (Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
// Machine Learning Algorithms", 2017): 60,000 + 10,000 grey photos of clothes, 28 x 28, in ten classes, read
// from Debian's package dataset-fashion-mnist and given captions by templates.
//
// Splits: train, test. Captions are "a photo of a sneaker", "sneaker", ...: one template a sample, chosen by
// the seed and the sample's index. Classes are named as words a text model can use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/image.h"

namespace limoe {

constexpr int kFashionMnistSize = 28;

// Grey pictures of one file, side by side in memory.
struct IdxImages {
  int64_t count = 0;
  int height = 0;
  int width = 0;
  std::vector<uint8_t> pixels;  // [count, height, width]
};

// Gzipped idx files: big-endian magic 0x803 (images) or 0x801 (labels), sizes, then bytes. FileError when a
// file is missing (names Debian's package), damaged, cut short or longer than its header says.
IdxImages read_idx_images(const std::string& path);
std::vector<uint8_t> read_idx_labels(const std::string& path);

const std::vector<std::string>& fashion_mnist_classes();
const std::vector<std::string>& fashion_mnist_templates();

// The caption of sample `index`, template chosen by (seed, index).
std::string fashion_mnist_caption(int class_index, int64_t index, uint64_t seed);

}  // namespace limoe
