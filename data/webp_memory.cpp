// libwebp calls three functions for all of its memory, and exports them. A program's own functions of these
// names take their place when it is linked: the rule by which any program may bring its own malloc.
#include "data/webp_memory.h"

#include <cstddef>
#include <cstdlib>
#include <limits>

namespace limoe {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

thread_local int64_t bytes_left = kUnlimited;

bool take(uint64_t count, size_t size) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > bytes_left) return false;
  if (bytes_left != kUnlimited) bytes_left -= bytes;
  return true;
}

}  // namespace

WebpMemoryLimit::WebpMemoryLimit(int64_t bytes) {
  bytes_left = bytes;
}

WebpMemoryLimit::~WebpMemoryLimit() {
  bytes_left = kUnlimited;
}

}  // namespace limoe

extern "C" {

void* WebPSafeMalloc(uint64_t count, size_t size) {
  return limoe::take(count, size) ? std::malloc(count * size) : nullptr;
}

void* WebPSafeCalloc(uint64_t count, size_t size) {
  return limoe::take(count, size) ? std::calloc(count, size) : nullptr;
}

void WebPSafeFree(void* memory) {
  std::free(memory);
}

}  // extern "C"
