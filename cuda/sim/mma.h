// The plain twins of cuda/mma.cuh, which describes them. Included by cuda/mma.cuh alone.
//
// A matrix instruction is a collective of the warp: every lane shows its registers (or the row it has the
// address of) and computes its own part of the result from what the others show. Sums go through k in order,
// in float; a tensor core may add in another order.
#pragma once

#include <algorithm>
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

inline void meet_at(int barrier, int lanes, const sim::Where& where = sim::Where::current()) {
  sim::meet_at(barrier, lanes, where);
}
inline void arrive_at(int barrier, int lanes, const sim::Where& where = sim::Where::current()) {
  sim::arrive_at(barrier, lanes, where);
}

struct PanelPart {
  const bf16* begin;
  int block_bytes;
};
inline PanelPart panel_part(const bf16* begin, int block_bytes) {
  return {begin, block_bytes};
}

namespace sim {

// Value (x, k) of a part of a panel, x counting rows of A or columns of B.
template <bool KOuter>
bf16 panel_value(const PanelPart& part, int x, int k) {
  constexpr int kLineBytes = kPanelLine * int(sizeof(bf16));
  const int byte =
      KOuter ? x / kPanelLine * part.block_bytes + k * kLineBytes + x % kPanelLine * int(sizeof(bf16))
             : x * kLineBytes + k * int(sizeof(bf16));
  const auto begin = reinterpret_cast<uintptr_t>(part.begin);
  const uintptr_t panel = begin & ~uintptr_t(kPanelAlignment - 1);
  return *reinterpret_cast<const bf16*>(panel + uintptr_t(swizzled(int(begin - panel) + byte)));
}

inline void expect_same_part(const char* what, const PanelPart& part, const Where& where) {
  expect_aligned("multiply_add_group: a panel", part.begin, 16, where);
  if (part.block_bytes % kPanelAlignment != 0)
    fail(where, "multiply_add_group: blocks of " + std::to_string(part.block_bytes) + " bytes");
  const unsigned char* const slots = warp_collective(what, 0xffffffffu, &part, sizeof part, where);
  const PanelPart first = shown_by<PanelPart>(slots, 0);
  if (first.begin != part.begin || first.block_bytes != part.block_bytes)
    fail(where, std::string(what) + ": lanes of a warp name different panels");
}

}  // namespace sim

template <bool AOuter, bool BOuter>
void multiply_add_group(float (&c)[128], PanelPart a, PanelPart b, bool add,
                        const sim::Where& where = sim::Where::current()) {
  constexpr int kSums = 128;
  sim::expect_same_part("multiply_add_group: a", a, where);
  sim::expect_same_part("multiply_add_group: b", b, where);
  const int lane = sim::own_lane();
  const int warp = int(threadIdx.y * blockDim.x + threadIdx.x) / kWarpSize % kWarpgroup;
  sim::defer_product([sums = &c[0], a, b, add, row = 16 * warp + lane / 4, column = 2 * (lane % 4)] {
    if (!add) std::fill_n(sums, kSums, 0.0f);
    for (int half = 0; half < 2; ++half)
      for (int k = 0; k < 16; ++k) {
        const float x = float(sim::panel_value<AOuter>(a, row + 8 * half, k));
        for (int j = 0; j < kSums / 4; ++j)
          for (int i = 0; i < 2; ++i)
            sums[4 * j + 2 * half + i] += x * float(sim::panel_value<BOuter>(b, 8 * j + column + i, k));
      }
  });
}

inline void fence_products() {}
inline void commit_products() {
  sim::commit_products();
}
template <int Groups>
void wait_for_products(const sim::Where& where = sim::Where::current()) {
  sim::wait_for_products(Groups, where);
}
inline void show_copies() {}
template <int Registers>
void take_registers() {}
template <int Registers>
void give_registers() {}

}  // namespace limoe::cuda
