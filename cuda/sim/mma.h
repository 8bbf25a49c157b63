// The plain twins of cuda/mma.cuh, which describes them. Included by cuda/mma.cuh alone.
//
// A matrix instruction is a collective of the warp: every lane shows its registers (or the row it has the
// address of) and computes its own part of the result from what the others show. Sums go through k in order,
// in float; a tensor core may add in another order.
#pragma once

#include <array>
#include <string>

#include "cuda/sim/simt.h"
#include "tensor/bf16.h"

namespace limoe::cuda {
namespace sim {

struct MatrixRow {
  std::array<bf16, 8> value;
};
struct Fragments {
  unsigned a[4], b[2];
};

inline void expect_aligned(const char* what, const void* address, size_t bytes, const Where& where) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0)
    fail(where, std::string(what) + ": the address is no multiple of " + std::to_string(bytes) + " bytes");
}

inline unsigned pair_of(bf16 low, bf16 high) {
  return unsigned(low.bits) | unsigned(high.bits) << 16;
}
inline void widen(unsigned pair, float* values) {
  values[0] = std::bit_cast<float>(pair << 16);
  values[1] = std::bit_cast<float>(pair & 0xffff0000u);
}

template <int Count>
void load_matrices(const char* what, unsigned (&r)[Count], const bf16* row, bool transposed,
                   const Where& where) {
  const int lane = own_lane();
  MatrixRow mine{};
  if (lane < 8 * Count) {
    expect_aligned(what, row, 16, where);
    for (size_t i = 0; i < 8; ++i) mine.value[i] = row[i];
  }
  const unsigned char* const slots = warp_collective(what, 0xffffffffu, &mine, sizeof mine, where);
  const size_t outer = size_t(lane) / 4, inner = 2 * (size_t(lane) % 4);
  for (int i = 0; i < Count; ++i) {
    const auto element = [&](size_t of_row, size_t of_column) {
      return shown_by<MatrixRow>(slots, 8 * i + int(of_row)).value[of_column];
    };
    r[i] = transposed ? pair_of(element(inner, outer), element(inner + 1, outer))
                      : pair_of(element(outer, inner), element(outer, inner + 1));
  }
}

// One row of A (the half of the fragments that begins at `half`) or one column of B.
inline void widen_row(const unsigned char* slots, int row, int half, float (&values)[16]) {
  for (int t = 0; t < 4; ++t) {
    const Fragments shown = shown_by<Fragments>(slots, 4 * row + t);
    widen(shown.a[half], values + 2 * t);
    widen(shown.a[half + 2], values + 2 * t + 8);
  }
}
inline void widen_column(const unsigned char* slots, int column, float (&values)[16]) {
  for (int t = 0; t < 4; ++t) {
    const Fragments shown = shown_by<Fragments>(slots, 4 * column + t);
    widen(shown.b[0], values + 2 * t);
    widen(shown.b[1], values + 2 * t + 8);
  }
}

}  // namespace sim

inline unsigned pack_pair(float low, float high) {
  return sim::pair_of(bf16(low), bf16(high));
}

inline void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                         const sim::Where& where = sim::Where::current()) {
  const sim::Fragments mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const unsigned char* const slots =
      sim::warp_collective("multiply_add", 0xffffffffu, &mine, sizeof mine, where);
  const int g = sim::own_lane() / 4, t = sim::own_lane() % 4;
  float rows[2][16], columns[2][16];
  for (int i = 0; i < 2; ++i) {
    sim::widen_row(slots, g, i, rows[i]);
    sim::widen_column(slots, 2 * t + i, columns[i]);
  }
  for (int k = 0; k < 16; ++k)
    for (int i = 0; i < 4; ++i) c[i] += rows[i / 2][k] * columns[i % 2][k];
}

template <int Count>
void load_matrices(unsigned (&r)[Count], const bf16* row, const sim::Where& where = sim::Where::current()) {
  static_assert(Count == 2 || Count == 4);
  sim::load_matrices("load_matrices", r, row, false, where);
}
template <int Count>
void load_matrices_transposed(unsigned (&r)[Count], const bf16* row,
                              const sim::Where& where = sim::Where::current()) {
  static_assert(Count == 2 || Count == 4);
  sim::load_matrices("load_matrices_transposed", r, row, true, where);
}

inline void copy_async_16(void* to, const void* from, int bytes,
                          const sim::Where& where = sim::Where::current()) {
  sim::expect_aligned("copy_async_16: to", to, 16, where);
  sim::expect_aligned("copy_async_16: from", from, 16, where);
  if (bytes < 0 || bytes > 16) sim::fail(where, "copy_async_16: " + std::to_string(bytes) + " bytes");
  sim::defer_copy(to, from, size_t(bytes), size_t(16 - bytes));
}
inline void copy_async_4(void* to, const void* from, int bytes,
                         const sim::Where& where = sim::Where::current()) {
  sim::expect_aligned("copy_async_4: to", to, 4, where);
  sim::expect_aligned("copy_async_4: from", from, 4, where);
  if (bytes != 0 && bytes != 4) sim::fail(where, "copy_async_4: " + std::to_string(bytes) + " bytes");
  sim::defer_copy(to, from, size_t(bytes), size_t(4 - bytes));
}
inline void commit_copies() {
  sim::commit_copies();
}
template <int Groups>
void wait_for_copies(const sim::Where& where = sim::Where::current()) {
  sim::wait_for_copies(Groups, where);
}

}  // namespace limoe::cuda
