// How much memory a piece of code takes: everything that malloc, its relatives and operator new hand out, of
// this program and of the libraries it uses, on all threads.
#pragma once

#include <cstdint>

namespace limoe::testing {

// Counts from here on. A watch inside another one adds nothing: peak() is the outer one's.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  int64_t peak() const;  // bytes, above what was there before; memory asked for counts, touched or not
};

}  // namespace limoe::testing
