// Random variation of training pairs, a pure function of (seed, epoch, sample): no state, the same on any
// thread.
//
// Picture: a box whose area is `scale` times that of the largest centred square, with `aspect` width to
// height, placed uniformly inside the picture (or, where it is larger, around it: zooming out, border pixels
// go on); then
//
//   v' = b v,   v'' = m + c (v' - m),   v''' = g + s (v'' - g)
//
// with brightness b, contrast c, saturation s uniform in 1 +- their option, m the picture's mean grey and g
// the pixel's own; clamped to 0..255. Hue stays: captions name colours. Grey is 0.299 R + 0.587 G + 0.114 B
// (ITU-R BT.601).
//
// With probability `erase` a rectangle of 5 to 30 % of the picture is painted over in one random colour
// (Zhong et al. 2020, "Random erasing data augmentation").
//
// With patch_dropout a picture keeps only max(1, floor((1 - patch_dropout) N)) of the N patches that a tower
// cuts it into, drawn anew in every epoch: what is not looked at is not computed (Li et al. 2023, "Scaling
// language-image pre-training via masking", arXiv 2212.00794).
//
// Caption: the sample's name, then its other phrases, each kept with probability keep_phrase, in random
// order. The name is kept with probability keep_name, or where nothing else is: what a picture is called says
// nothing of a concept never seen, so a model that has to find concepts by their other words learns those.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/image.h"
#include "data/random_streams.h"
#include "data/resample.h"
#include "data/sample_text.h"

namespace limoe {

struct AugmentOptions {
  double min_scale = 0.6;    // share of the largest square's area; 1 and 1 with max_aspect 1: no crop
  double max_scale = 1.2;    // above 1 zooms out
  double max_aspect = 1.15;  // width to height in [1 / max_aspect, max_aspect]
  double brightness = 0.1;
  double contrast = 0.1;
  double saturation = 0.1;
  double erase = 0;
  bool flip = false;         // mirrors half of the pictures, never one whose caption speaks of left or right
  bool vary_caption = true;  // false: the caption as stored
  double keep_phrase = 0.5;
  double keep_name = 1;
  double replace_token = 0;
  double patch_dropout = 0;  // of all pairs alike, since a batch's pictures have equally many tokens
  double share = 1;          // of the pairs of an epoch; the others are taken as they are
  int64_t epochs = 0;        // after this many, pairs are taken as they are; 0: never
};

void check(const AugmentOptions& options);  // ValueError naming the option

Box random_box(const Image& image, const AugmentOptions& options, bool may_flip, SampleRandom& random);

// In place on size * size RGB pixels of 0..255.
void jitter_colours(float* pixels, int size, const AugmentOptions& options, SampleRandom& random);

// In place on size * size RGB pixels of 0..255: paints the rectangle, or nothing.
void erase_rectangle(float* pixels, int size, const AugmentOptions& options, SampleRandom& random);

// How many of a picture's patches stay, and which: as many as `kept` has room for, ascending.
int64_t kept_patch_count(int64_t patches, double patch_dropout);
void draw_patches(int64_t patches, std::span<int32_t> kept, SampleRandom random);

// In place on the first `count` of ids: each is replaced with the given probability by one of
// first_id..vocabulary-1.
void replace_tokens(int32_t* ids, int64_t count, double probability, int32_t first_id, int32_t vocabulary,
                    SampleRandom& random);

std::string random_caption(const SampleText& text, const AugmentOptions& options, SampleRandom& random);

// True for "left hand", "rightwards arrow"; false for "bright".
bool speaks_of_sides(const std::string& caption);

}  // namespace limoe
