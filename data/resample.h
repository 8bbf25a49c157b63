// resample(image, box, size): the part of a picture that lies in a box, as size x size pixels in float.
//
//   out[y][x][c] = sum_j sum_i wy[y][j] wx[x][i] in[j][i][c]        values 0..255, rows of (x, c)
//
// w is the triangle filter, as wide as one pixel of the coarser grid, so shrinking is antialiased; the
// weights of a pixel add up to 1. Outside the picture its border pixels go on. Columns first: that pass runs
// over whole rows.
//
// The box has pixel edges as coordinates ([0, width] x [0, height] is the whole picture) and need not be
// square.
#pragma once

#include "data/image.h"

namespace limoe {

struct Box {
  double x = 0, y = 0;  // the upper left corner
  double width = 0, height = 0;
  bool flip = false;  // mirror left and right
};

// The largest square in the middle of a picture.
Box centred_square(const Image& image);

void resample(const Image& image, const Box& box, int size, float* out);

}  // namespace limoe
