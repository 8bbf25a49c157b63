#include "ops/small_gemm.h"

#include <doctest/doctest.h>

#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

template <class T>
void check_product(int64_t m, int64_t n, int64_t k, bool transposed) {
  const DType dtype = dtype_of<T>;
  // Rows lie further apart than they are wide, as the columns of one head do.
  const int64_t a_stride = (transposed ? m : k) + 3, b_stride = n + 5, c_stride = n + 2;
  const Tensor a = to_dtype(normal({transposed ? k : m, a_stride}, 1, 0.25), dtype);
  const Tensor b = to_dtype(normal({k, b_stride}, 2, 0.25), dtype);
  Tensor c = full({m, c_stride}, 7, dtype), wanted = full({m, c_stride}, 7, dtype);
  const GemmOperand<T> left{a.data<T>(), a_stride, transposed};
  small_gemm<T>(m, n, k, left, b.data<T>(), b_stride, c.mutable_data<T>(), c_stride);
  gemm_on_this_thread<T>(m, n, k, left, {b.data<T>(), b_stride}, T(0), wanted.mutable_data<T>(), c_stride);
  CHECK_CLOSE(c, wanted, tolerance::f32_sum(k));
  small_gemm<T, Write::add>(m, n, k, left, b.data<T>(), b_stride, c.mutable_data<T>(), c_stride);
  gemm_on_this_thread<T>(m, n, k, left, {b.data<T>(), b_stride}, T(1), wanted.mutable_data<T>(), c_stride);
  CHECK_CLOSE(c, wanted, tolerance::f32_sum(2 * k));
}

template <class T>
void check_transpose(int64_t rows, int64_t columns) {
  const int64_t padded = (rows + 15) / 16 * 16;
  const Tensor x = to_dtype(normal({rows, columns + 3}), dtype_of<T>);
  Tensor got = full({columns, padded}, 7, dtype_of<T>), wanted = zeros({columns, padded}, dtype_of<T>);
  transpose_padded(x.data<T>(), columns + 3, rows, columns, got.mutable_data<T>(), padded);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      wanted.mutable_data<T>()[column * padded + row] = x.data<T>()[row * (columns + 3) + column];
  CHECK_SAME_BITS(got, wanted);
}

}  // namespace

TEST_CASE("small_gemm: agrees with the general product on every kind of edge, and writes nothing beside C") {
  for (const int64_t m : {1, 3, 4, 8, 13, 17, 36})
    for (const int64_t n : {1, 15, 16, 31, 32, 33, 48, 63, 64, 81})
      for (const int64_t k : {1, 5, 36})
        for (const bool transposed : {false, true}) {
          check_product<float>(m, n, k, transposed);
          check_product<double>(m, n, k, transposed);
        }
  check_product<float>(5, 16, 0, false);
  check_product<float>(0, 16, 3, false);
}

TEST_CASE("transpose_padded: every element goes to its place, and zeros go behind the last row") {
  for (const int64_t rows : {1, 8, 15, 16, 17, 36})
    for (const int64_t columns : {1, 8, 16, 17, 32, 40}) {
      check_transpose<float>(rows, columns);
      check_transpose<double>(rows, columns);
    }
}
