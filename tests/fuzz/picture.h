// One picture file, decoded. Most inputs may have few pixels only, or a fuzzer would spend its time in
// decoding noise; the others may have as many as pictures of users. A file of another format is left to its
// own target: otherwise inputs go over to the format that has most to find.
#pragma once

#include <algorithm>
#include <initializer_list>

#include "data/image.h"
#include "tests/fuzz/fuzz_target.h"

namespace limoe::fuzzing {

inline void decode_picture(std::span<const uint8_t> file, std::initializer_list<std::string_view> beginnings,
                           int least_side = 0) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (std::none_of(beginnings.begin(), beginnings.end(), [&](auto own) { return text.starts_with(own); }))
    return;
  constexpr int64_t kFewPixels = 1 << 16;
  expect_parsed_or_refused([&] {
    const Image image = decode_image(file, "in", may_be_large(file) ? kMaxPixels : kFewPixels, least_side);
    expect(image.width > 0 && image.height > 0 &&
               image.pixels.size() == size_t(image.width) * size_t(image.height) * 3,
           "as many bytes as the picture has");
  });
}

}  // namespace limoe::fuzzing
