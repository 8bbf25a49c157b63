#include "tensor/shape.h"

#include <algorithm>
#include <ostream>

#include "tensor/error.h"

namespace limoe {

Shape::Shape(std::span<const int64_t> sizes) {
  if (sizes.size() > kMaxRank)
    throw ShapeError("Shape: ", sizes.size(), " axes were given; expected at most ", kMaxRank);
  for (const int64_t size : sizes) {
    if (size < 0) throw ShapeError("Shape: axis ", rank_, " has size ", size, "; expected 0 or more");
    sizes_[rank_++] = size;
  }
}

int Shape::normalized_axis(int axis) const {
  const int from_front = axis < 0 ? axis + rank_ : axis;
  if (from_front < 0 || from_front >= rank_)
    throw ShapeError("Shape: axis ", axis, " was asked of ", *this, "; expected ", -rank_, "..", rank_ - 1);
  return from_front;
}

int64_t Shape::element_count() const {
  int64_t count = 1;
  // A zero anywhere makes the product zero, however large the other sizes are.
  if (std::find(begin(), end(), 0) != end()) return 0;
  for (const int64_t size : *this)
    if (__builtin_mul_overflow(count, size, &count))
      throw ShapeError("Shape: ", *this, " has more elements than 63 bits can count");
  return count;
}

Shape Shape::with(int axis, int64_t size) const {
  if (size < 0) throw ShapeError("Shape: axis ", axis, " has size ", size, "; expected 0 or more");
  Shape changed = *this;
  changed.sizes_[normalized_axis(axis)] = size;
  return changed;
}

Shape Shape::without_last() const {
  if (rank_ == 0) throw ShapeError("Shape: the last axis of [] was asked for; expected rank 1 or more");
  return Shape(std::span<const int64_t>(sizes_.data(), rank_ - 1));
}

bool operator==(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  // The other sizes of an empty tensor may be so large that their product overflows.
  if (shape.element_count() == 0) return strides;
  int64_t step = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (int axis = 0; axis < shape.rank(); ++axis) out << (axis ? ", " : "") << shape[axis];
  return out << ']';
}

}  // namespace limoe
