// Fibers: stacks of their own on one OS thread, switched by hand.
//
// A fiber runs `body(argument)`, which must switch away and never return. switch_to() stops the running
// context and goes on with another; AddressSanitizer and ThreadSanitizer are told of every switch,
// ThreadSanitizer in such a way that a switch orders nothing: only the simulator's barriers do.
#pragma once

#include <cstddef>

namespace limoe::cuda::sim {

class Fiber {
 public:
  using Body = void (*)(void* argument);

  Fiber();  // the context that makes it: the OS thread's own stack
  Fiber(Body body, void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void restart();  // body starts anew at the next switch; what lay on the stack is forgotten

  friend void switch_to(Fiber& from, Fiber& to);

 private:
  static void enter(Fiber* fiber);

  Body body_ = nullptr;
  void* argument_ = nullptr;
  void* stack_ = nullptr;          // lowest byte; null for the thread's own
  void* stack_pointer_ = nullptr;  // while it is not running
  [[maybe_unused]] void* thread_sanitizer_ = nullptr;
  void* fake_stack_ = nullptr;  // AddressSanitizer's
  const void* own_stack_ = nullptr;
  size_t own_stack_bytes_ = 0;
};

}  // namespace limoe::cuda::sim
