#include <bit>

#include "cuda/elementwise.cuh"
#include "cuda/embedding.h"
#include "cuda/radix_sort.h"

namespace limoe::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kRunPlaces = 64;  // sorted places that one block adds up
constexpr int kColumnLanes = 128;

// The first of the sorted keys that is `key` or more.
__device__ inline int64_t first_not_below(const uint32_t* keys, int64_t count, uint32_t key) {
  int64_t low = 0, high = count;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (keys[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace

// A warp for every place.
template <class T>
__global__ void embedding_forward_kernel(const T* table, const int32_t* ids, T* y, int64_t places, Rows rows,
                                         bool packed) {
  const int64_t place = int64_t(blockIdx.x) * kWarps + warp_index();
  if (place >= places) return;
  const int32_t id = ids[place];
  T* const to = y + place * rows.width;
  if (id < 0 || id >= rows.count) {
    for (int64_t column = lane_index(); column < rows.width; column += kWarpSize) store(to + column, NAN);
    return;
  }
  const T* const from = table + id * rows.width;
  if (packed) {
    for (int64_t at = lane_index() * Packed<T>::kCount; at < rows.width; at += kWarpSize * Packed<T>::kCount)
      store_packed(to + at, load_packed(from + at));
  } else {
    for (int64_t column = lane_index(); column < rows.width; column += kWarpSize) to[column] = from[column];
  }
}

// Lanes stride over places: the pairs to be sorted. Ids outside the table sort behind it.
__global__ void embedding_keys_kernel(const int32_t* ids, uint32_t* keys, int32_t* values, int64_t places,
                                      uint32_t outside) {
  for (int64_t i = first_item(); i < places; i += item_stride()) {
    keys[i] = uint32_t(ids[i]) < outside ? uint32_t(ids[i]) : outside;
    values[i] = int32_t(i);
  }
}

// Block (run of sorted places, strip of columns), a lane a column. partials [runs, 2, width]: of the row that
// began in an earlier run; of the row that begins here and goes on in the next.
template <class T>
__global__ void embedding_runs_kernel(const uint32_t* keys, const int32_t* values, const T* dy, T* dtable,
                                      float* partials, int64_t places, Rows rows) {
  const int64_t column = int64_t(blockIdx.y) * kColumnLanes + threadIdx.x;
  if (column >= rows.width) return;
  const int64_t begin = int64_t(blockIdx.x) * kRunPlaces;
  const int64_t end = begin + kRunPlaces < places ? begin + kRunPlaces : places;
  float* const partial = partials + int64_t(blockIdx.x) * 2 * rows.width + column;
  bool began_before = begin > 0 && keys[begin - 1] == keys[begin];
  float sum = 0;
  for (int64_t i = begin; i < end; ++i) {
    const uint32_t id = keys[i];
    if (id >= uint64_t(rows.count)) return;  // and so are all behind it
    sum += load(dy + values[i] * rows.width + column);
    const bool goes_on = i + 1 < places && keys[i + 1] == id;
    if (goes_on && i + 1 < end) continue;
    if (began_before)
      partial[0] = sum;
    else if (goes_on)
      partial[rows.width] = sum;
    else
      store(dtable + int64_t(id) * rows.width + column, sum);
    began_before = false;
    sum = 0;
  }
}

// Block (row of the table, strip of columns), a lane a column.
template <class T>
__global__ void embedding_rows_kernel(const uint32_t* keys, const float* partials, T* dtable, int64_t places,
                                      Rows rows) {
  const int64_t column = int64_t(blockIdx.y) * kColumnLanes + threadIdx.x, row = blockIdx.x;
  if (column >= rows.width) return;
  const int64_t begin = first_not_below(keys, places, uint32_t(row));
  const int64_t end = first_not_below(keys, places, uint32_t(row) + 1);
  const int64_t first_run = begin / kRunPlaces, last_run = (end - 1) / kRunPlaces;
  if (begin < end && first_run == last_run) return;  // its run wrote it
  float sum = 0;
  if (begin < end) {
    sum = partials[(first_run * 2 + 1) * rows.width + column];
    for (int64_t run = first_run + 1; run <= last_run; ++run) sum += partials[run * 2 * rows.width + column];
  }
  store(dtable + row * rows.width + column, sum);
}

template <class T>
void embedding_forward(Stream stream, const T* table, const int32_t* ids, T* y, int64_t places, Rows rows) {
  if (places == 0 || rows.width == 0) return;
  launch<embedding_forward_kernel<T>>(stream,
                                      {.grid = {blocks_for(places, kWarps)}, .block = kWarps * kWarpSize},
                                      table, ids, y, places, rows, can_pack<T>(rows.width, table, y));
}

int64_t embedding_scratch_integers(int64_t places) {
  return 4 * places + sort_count_size(places);
}
int64_t embedding_scratch_floats(int64_t places, int64_t width) {
  return blocks_for(places, kRunPlaces) * 2 * width;
}

template <class T>
void embedding_backward(Stream stream, const int32_t* ids, const T* dy, T* dtable, int64_t places, Rows rows,
                        int32_t* integers, float* floats) {
  if (rows.count == 0 || rows.width == 0) return;
  const uint32_t outside = uint32_t(narrow("embedding: rows", rows.count));
  narrow("embedding: places", places);
  auto* const keys = reinterpret_cast<uint32_t*>(integers);
  const SortArrays arrays{
      {keys, keys + places}, {integers + 2 * places, integers + 3 * places}, integers + 4 * places};
  const int64_t strips = blocks_for(rows.width, kColumnLanes);
  int sorted = 0;
  if (places > 0) {
    launch<embedding_keys_kernel>(stream, elementwise_shape(places), ids, keys, arrays.values[0], places,
                                  outside);
    sorted = radix_sort(stream, arrays, places, std::bit_width(outside));
    launch<embedding_runs_kernel<T>>(
        stream, {.grid = {blocks_for(places, kRunPlaces), strips}, .block = kColumnLanes},
        static_cast<const uint32_t*>(arrays.keys[sorted]), static_cast<const int32_t*>(arrays.values[sorted]),
        dy, dtable, floats, places, rows);
  }
  launch<embedding_rows_kernel<T>>(stream, {.grid = {rows.count, strips}, .block = kColumnLanes},
                                   static_cast<const uint32_t*>(arrays.keys[sorted]),
                                   static_cast<const float*>(floats), dtable, places, rows);
}

template void embedding_forward(Stream, const float*, const int32_t*, float*, int64_t, Rows);
template void embedding_forward(Stream, const bf16*, const int32_t*, bf16*, int64_t, Rows);
template void embedding_backward(Stream, const int32_t*, const float*, float*, int64_t, Rows, int32_t*,
                                 float*);
template void embedding_backward(Stream, const int32_t*, const bf16*, bf16*, int64_t, Rows, int32_t*, float*);

}  // namespace limoe::cuda
