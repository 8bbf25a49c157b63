// What libwebp may allocate.
//
// A lossless WebP of 200 kB can make libwebp allocate 700 MB: its tables of codes take 12 kB for each group
// of them, a group takes two or three bytes of file, and only decoding tells how many there are. So its
// allocations are counted and refused above a limit.
#pragma once

#include <cstdint>

namespace limoe {

// From here to its end, libwebp gets at most `bytes` in all on this thread; what it frees is not given back.
class WebpMemoryLimit {
 public:
  explicit WebpMemoryLimit(int64_t bytes);
  ~WebpMemoryLimit();
  WebpMemoryLimit(const WebpMemoryLimit&) = delete;
  WebpMemoryLimit& operator=(const WebpMemoryLimit&) = delete;
};

}  // namespace limoe
