// What the simulator tells the sanitizers; nothing in a build without them.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define LIMOE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMOE_ASAN 1
#endif
#endif
#if defined(LIMOE_TSAN_BUILD)  // set for files that are themselves built without it
#define LIMOE_TSAN 1
#elif defined(__SANITIZE_THREAD__)
#define LIMOE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LIMOE_TSAN 1
#endif
#endif
#ifndef LIMOE_ASAN
#define LIMOE_ASAN 0
#endif
#ifndef LIMOE_TSAN
#define LIMOE_TSAN 0
#endif

// The scheduler works on memory that belongs to all lanes; ThreadSanitizer must see what the lanes do, not
// what it does.
#if LIMOE_TSAN
#define LIMOE_UNSEEN_BY_TSAN __attribute__((no_sanitize("thread"), noinline))
#else
#define LIMOE_UNSEEN_BY_TSAN
#endif

extern "C" {
#if LIMOE_ASAN
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old, size_t* size_old);
void __asan_unpoison_memory_region(const volatile void* address, size_t size);
#endif
#if LIMOE_TSAN
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);  // flags 1: the switch orders nothing
void __tsan_acquire(void* address);
void __tsan_release(void* address);
#endif
}

namespace limoe::cuda::sim {

inline void tsan_acquire([[maybe_unused]] void* address) {
#if LIMOE_TSAN
  __tsan_acquire(address);
#endif
}
inline void tsan_release([[maybe_unused]] void* address) {
#if LIMOE_TSAN
  __tsan_release(address);
#endif
}

}  // namespace limoe::cuda::sim
