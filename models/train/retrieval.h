// Retrieval: which picture belongs to a text, and which text to a picture.
//
// A text has one picture, a picture any number of texts (image_of_text). The rank of the right answer is how
// many others score higher, or as high with a lower index: the place a stable sort gives it, from 0.
// text -> image is right at k when the text's picture has a rank below k; image -> text when the best of the
// picture's texts has. Equal captions of different pictures are different answers. A score that is not a
// number is never right.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace limoe {

struct Recall {
  double at_1 = 0, at_5 = 0, at_10 = 0;
};

struct RetrievalResult {
  Recall text_to_image, image_to_text;
  int64_t images = 0, texts = 0;
};

// images [I, J], texts [T, J], unit rows, f32; image_of_text [T] in 0..I-1, empty: text i belongs to picture
// i. `chunk` rows of scores exist at a time. A picture without a text is a candidate, but no query. Throws
// ShapeError and ValueError.
RetrievalResult retrieval(const Tensor& images, const Tensor& texts,
                          const std::vector<int64_t>& image_of_text = {}, int64_t chunk = 256);

// The two halves, from all scores [I, T] at once: rank of each text's picture [T], and rank of each picture's
// best text [I], -1 for a picture without one.
std::vector<int64_t> ranks_of_images(const Tensor& scores, const std::vector<int64_t>& image_of_text);
std::vector<int64_t> ranks_of_texts(const Tensor& scores, const std::vector<int64_t>& image_of_text);

// Shares of the ranks below 1, 5, 10; negative ranks are left out.
Recall recall_of(const std::vector<int64_t>& ranks);

// The `count` largest of scores [n], best first, equal ones in order; what is not a number comes last.
std::vector<int64_t> best_of(const std::vector<float>& scores, int64_t count);

}  // namespace limoe
