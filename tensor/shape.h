// Shape: the sizes of up to six axes, outermost first. Rank 0 is a scalar (one element); a size of 0 is
// legal. Strides have the same form and are counted in elements, not bytes.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

namespace limoe {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes)
      : Shape(std::span<const int64_t>(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const int64_t> sizes);  // throws ShapeError: more than six axes, a negative size

  int rank() const { return rank_; }
  // Axis -1 is the last one. Throws ShapeError when there is no such axis.
  int64_t operator[](int axis) const { return sizes_[normalized_axis(axis)]; }
  int normalized_axis(int axis) const;

  // The product of all sizes; throws ShapeError when it does not fit into 63 bits.
  int64_t element_count() const;

  Shape with(int axis, int64_t size) const;  // the same shape but for one axis
  Shape without_last() const;                // [2, 3, 4] -> [2, 3]

  const int64_t* begin() const { return sizes_.data(); }
  const int64_t* end() const { return sizes_.data() + rank_; }
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

using Strides = std::array<int64_t, Shape::kMaxRank>;

// Row-major strides: the last axis is dense.
Strides contiguous_strides(const Shape& shape);

std::ostream& operator<<(std::ostream& out, const Shape& shape);  // [2, 3, 4]

}  // namespace limoe
