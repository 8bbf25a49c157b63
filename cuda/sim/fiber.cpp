#include "cuda/sim/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "cuda/sim/sanitizers.h"

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace limoe::cuda::sim {
namespace {

// Sanitized frames are several times as large.
constexpr size_t kStackBytes = LIMOE_ASAN || LIMOE_TSAN ? 512 * 1024 : 128 * 1024;
constexpr size_t kGuardBytes = 4096;  // below the stack: running out of it faults at once

}  // namespace

#if defined(__x86_64__)
// limoe_sim_switch(save, next): pushes what a called function must keep, stores the stack pointer to *save
// and goes on where `next` was stored. Fifteen instructions; ucontext would make a system call for the signal
// mask.
extern "C" void limoe_sim_switch(void** save, void* next);
asm(R"(
.text
.globl limoe_sim_switch
.type limoe_sim_switch, @function
limoe_sim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size limoe_sim_switch, .-limoe_sim_switch
.globl limoe_sim_enter
.type limoe_sim_enter, @function
limoe_sim_enter:
  movq %rbx, %rdi
  call *%r12
  ud2
.size limoe_sim_enter, .-limoe_sim_enter
)");
extern "C" void limoe_sim_enter();
#endif

Fiber::Fiber() {
#if LIMOE_TSAN
  thread_sanitizer_ = __tsan_get_current_fiber();
#endif
#if !defined(__x86_64__)
  stack_pointer_ = new ucontext_t;
#endif
}

Fiber::Fiber(Body body, void* argument) : body_(body), argument_(argument) {
  stack_ = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack_ == MAP_FAILED) throw std::bad_alloc();
  mprotect(stack_, kGuardBytes, PROT_NONE);
  own_stack_ = static_cast<char*>(stack_) + kGuardBytes;
  own_stack_bytes_ = kStackBytes;
#if !defined(__x86_64__)
  stack_pointer_ = new ucontext_t;
#endif
  restart();
}

Fiber::~Fiber() {
#if LIMOE_TSAN
  if (stack_) __tsan_destroy_fiber(thread_sanitizer_);
#endif
  if (stack_) munmap(stack_, kGuardBytes + kStackBytes);
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(stack_pointer_);
#endif
}

LIMOE_UNSEEN_BY_TSAN void Fiber::restart() {
#if LIMOE_TSAN
  if (thread_sanitizer_) __tsan_destroy_fiber(thread_sanitizer_);
  thread_sanitizer_ = __tsan_create_fiber(0);
#endif
  fake_stack_ = nullptr;
#if LIMOE_ASAN
  // The frames that are forgotten never return, so their red zones would stay where new frames will lie.
  __asan_unpoison_memory_region(own_stack_, own_stack_bytes_);
#endif
#if defined(__x86_64__)
  // What limoe_sim_switch() pops: r15 r14 r13 r12 rbx rbp and the address to go on at. At limoe_sim_enter the
  // stack is a multiple of 16, as a call expects.
  auto** top = reinterpret_cast<void**>(static_cast<char*>(stack_) + kGuardBytes + kStackBytes) - 2;
  *--top = reinterpret_cast<void*>(&limoe_sim_enter);
  *--top = nullptr;                                 // rbp
  *--top = this;                                    // rbx
  *--top = reinterpret_cast<void*>(&Fiber::enter);  // r12
  for (int i = 0; i < 3; ++i) *--top = nullptr;     // r13 r14 r15
  stack_pointer_ = top;
#else
  auto* const context = static_cast<ucontext_t*>(stack_pointer_);
  getcontext(context);
  context->uc_stack.ss_sp = static_cast<char*>(stack_) + kGuardBytes;
  context->uc_stack.ss_size = kStackBytes;
  context->uc_link = nullptr;
  const auto self = reinterpret_cast<uintptr_t>(this);
  makecontext(context, reinterpret_cast<void (*)()>(+[](unsigned high, unsigned low) {
                Fiber::enter(reinterpret_cast<Fiber*>(uintptr_t(high) << 32 | low));
              }),
              2, unsigned(self >> 32), unsigned(self));
#endif
}

namespace {
// Where the running fiber came from: its stack is told to AddressSanitizer when it has been left.
thread_local Fiber* left_fiber = nullptr;
}  // namespace

LIMOE_UNSEEN_BY_TSAN void switch_to(Fiber& from, Fiber& to) {
  left_fiber = &from;
#if LIMOE_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack_, to.own_stack_, to.own_stack_bytes_);
#endif
#if LIMOE_TSAN
  __tsan_switch_to_fiber(to.thread_sanitizer_, 1);
#endif
#if defined(__x86_64__)
  limoe_sim_switch(&from.stack_pointer_, to.stack_pointer_);
#else
  swapcontext(static_cast<ucontext_t*>(from.stack_pointer_), static_cast<ucontext_t*>(to.stack_pointer_));
#endif
#if LIMOE_ASAN
  __sanitizer_finish_switch_fiber(from.fake_stack_, &left_fiber->own_stack_, &left_fiber->own_stack_bytes_);
#endif
}

LIMOE_UNSEEN_BY_TSAN void Fiber::enter(Fiber* fiber) {
#if LIMOE_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &left_fiber->own_stack_, &left_fiber->own_stack_bytes_);
#endif
  fiber->body_(fiber->argument_);
}

}  // namespace limoe::cuda::sim
