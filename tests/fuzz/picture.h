// One picture file, decoded. Most inputs may have few pixels only, or a fuzzer would spend its time in
// decoding noise; one in 64 may have as many as pictures of users.
#pragma once

#include "data/image.h"
#include "tests/fuzz/fuzz_target.h"

namespace limoe::fuzzing {

inline void decode_picture(std::span<const uint8_t> file, int least_side = 0) {
  constexpr int64_t kFewPixels = 1 << 16;
  const bool full_size = !file.empty() && file.back() % 64 == 0;
  expect_parsed_or_refused([&] {
    const Image image = decode_image(file, "in", full_size ? kMaxPixels : kFewPixels, least_side);
    expect(image.width > 0 && image.height > 0 &&
               image.pixels.size() == size_t(image.width) * size_t(image.height) * 3,
           "as many bytes as the picture has");
  });
}

}  // namespace limoe::fuzzing
