// Antialiased bicubic resize, bit for bit Pillow's Image.resize(size, Image.BICUBIC), the preprocessing CLIP
// models are trained with.
//
// Keys' kernel with a = -1/2. Output pixel i of n, from m input pixels, with scale s = m / n and reach r = 2
// max(s, 1):
//
//   centre c = (i + 1/2) s,   out_i = sum_j w_j in_j / sum_j w_j,   w_j = k((j + 1/2 - c) / max(s, 1)),  |j -
//   c| < r
//
// Widening the kernel by s when shrinking is what makes it antialiased. Rows first, then columns, 8 bit in
// between. Source: R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981,
// equation 15.
#pragma once

#include "data/image.h"

namespace limoe {

// ValueError when a side is not positive or the picture is empty.
Image resize_bicubic(const Image& image, int width, int height);

// A rectangle of pixels of the resized picture.
struct Part {
  int left = 0, top = 0;
  int width = 0, height = 0;
};

// The part alone of resize_bicubic(image, width, height), with the same bits; what lies outside is not
// computed. ValueError as above, or when the part is empty or does not lie in the resized picture.
Image resize_bicubic_part(const Image& image, int width, int height, const Part& part);

}  // namespace limoe
