#include "tests/support/memory_watch.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMOE_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LIMOE_SANITIZED
#endif
#endif

namespace {

std::atomic<int> watches{0};
std::atomic<int64_t> bytes_live{0}, bytes_peak{0};

void count_taken(std::size_t size) {
  const int64_t live = bytes_live += static_cast<int64_t>(size);
  for (int64_t peak = bytes_peak; live > peak && !bytes_peak.compare_exchange_weak(peak, live);) continue;
}

}  // namespace

#ifdef LIMOE_SANITIZED

// Of <sanitizer/allocator_interface.h>, which GCC 12's runtime has and its headers lack.
extern "C" {
std::size_t __sanitizer_get_allocated_size(const volatile void* memory);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
}

namespace {

void on_malloc(const volatile void*, std::size_t size) {
  if (watches > 0) count_taken(size);
}

void on_free(const volatile void* memory) {
  if (watches > 0 && memory != nullptr)
    bytes_live -= static_cast<int64_t>(__sanitizer_get_allocated_size(memory));
}

void hook() {
  [[maybe_unused]] static const int hooked = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

}  // namespace

#else

// The C library lets a program bring its own malloc, and calls of its own lie beneath these names.
extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

static void* counted(void* memory) {
  if (watches > 0 && memory != nullptr) count_taken(malloc_usable_size(memory));
  return memory;
}

static void count_freed(void* memory) {
  if (watches > 0 && memory != nullptr) bytes_live -= static_cast<int64_t>(malloc_usable_size(memory));
}

void* malloc(std::size_t size) {
  return counted(__libc_malloc(size));
}

void* calloc(std::size_t count, std::size_t size) {
  return counted(__libc_calloc(count, size));
}

void* realloc(void* memory, std::size_t size) {
  // Both are there for a moment, where it moves.
  const std::size_t before = watches > 0 && memory != nullptr ? malloc_usable_size(memory) : 0;
  void* const grown = __libc_realloc(memory, size);
  if (grown != nullptr || size == 0) {
    counted(grown);
    if (watches > 0) bytes_live -= static_cast<int64_t>(before);
  }
  return grown;
}

void* memalign(std::size_t alignment, std::size_t size) {
  return counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return counted(__libc_memalign(alignment, size));
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = counted(__libc_memalign(alignment, size));
  return *memory == nullptr ? ENOMEM : 0;
}

void free(void* memory) {
  count_freed(memory);
  __libc_free(memory);
}

}  // extern "C"

namespace {
void hook() {}
}  // namespace

#endif

namespace limoe::testing {

MemoryWatch::MemoryWatch() {
  hook();
  if (watches == 0) bytes_live = bytes_peak = 0;
  ++watches;
}

MemoryWatch::~MemoryWatch() {
  --watches;
}

int64_t MemoryWatch::peak() const {
  return bytes_peak;
}

}  // namespace limoe::testing
