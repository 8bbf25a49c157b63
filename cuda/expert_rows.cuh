// Which rows of a buffer belong to which expert, read where the kernels run.
#pragma once

#include "cuda/device.cuh"

namespace limoe::cuda {

struct RowRange {
  int begin, end;
};

struct ExpertRows {
  const int32_t* row_begin;  // [experts + 1]
  int experts, rows;

  // Rows of an expert; those of expert `experts` are the rows behind, which nobody uses.
  __device__ __forceinline__ RowRange of(int expert) const {
    const int begin = cut(row_begin[expert], 0);
    return {begin, expert < experts ? cut(row_begin[expert + 1], begin) : rows};
  }

  __device__ __forceinline__ int cut(int row, int least) const {
    return row < least ? least : row > rows ? rows : row;
  }
};

// Run `index` of at most `length` rows, counting through experts 0 .. last; expert is -1 behind the last run.
struct ExpertRun {
  int expert;
  RowRange rows;
};
__device__ inline ExpertRun find_run(const ExpertRows& experts, int last, int length, int index) {
  for (int expert = 0; expert <= last; ++expert) {
    const RowRange rows = experts.of(expert);
    const int runs = (rows.end - rows.begin + length - 1) / length;
    if (index < runs) {
      const int begin = rows.begin + index * length;
      return {expert, {begin, rows.end - begin < length ? rows.end : begin + length}};
    }
    index -= runs;
  }
  return {-1, {0, 0}};
}

}  // namespace limoe::cuda
