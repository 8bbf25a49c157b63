#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

Tensor counted(const Shape& shape) {
  std::vector<float> values(size_t(shape.element_count()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i);
  return from_vector(shape, values);
}

uint16_t bf16_bits(float value) {
  return bf16(value).bits;
}

}  // namespace

TEST_CASE("shape: sizes, negative axes and printing") {
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape[-1] == 4);
  CHECK(shape[0] == 2);
  CHECK(shape.element_count() == 24);
  CHECK(shape.with(1, 7) == Shape{2, 7, 4});
  CHECK(shape.without_last() == Shape{2, 3});
  CHECK(concatenate(shape, Shape{}) == "[2, 3, 4][]");
  CHECK(Shape{}.element_count() == 1);
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
}

TEST_CASE("shape: wrong ranks, sizes and axes are refused") {
  CHECK_THROWS_WITH_AS(Shape({1, 1, 1, 1, 1, 1, 1}), "Shape: 7 axes were given; expected at most 6",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Shape({2, -1}), "Shape: axis 1 has size -1; expected 0 or more", ShapeError);
  CHECK_THROWS_WITH_AS((Shape{2, 3}[2]), "Shape: axis 2 was asked of [2, 3]; expected -2..1", ShapeError);
  CHECK_THROWS_AS((Shape{2, 3}[-3]), ShapeError);
  CHECK_THROWS_AS(Shape{}[0], ShapeError);
  CHECK_THROWS_AS(Shape{}.without_last(), ShapeError);
  CHECK_THROWS_AS((Shape{2}.with(0, -1)), ShapeError);
}

TEST_CASE("shape: a product that does not fit into 63 bits is refused, unless a zero makes it zero") {
  const int64_t large = int64_t(1) << 40;
  CHECK_THROWS_AS((Shape{large, large}.element_count()), ShapeError);
  CHECK_THROWS_AS(Tensor({large, large}, DType::f32), ShapeError);
  const Tensor nothing({large, 0, large}, DType::f32);
  CHECK(nothing.element_count() == 0);
  CHECK(nothing.is_contiguous());
}

TEST_CASE("shape: more bytes than memory can address are refused, not wrapped around") {
  CHECK_THROWS_AS(Tensor({int64_t(1) << 61}, DType::f64), ShapeError);
  CHECK_THROWS_AS(Tensor({(int64_t(1) << 62) + 1}, DType::f32), ShapeError);
}

TEST_CASE("tensor: views share memory; reshape, transpose and slice show the right elements") {
  const Tensor x = counted({2, 3, 4});
  CHECK(x.strides()[0] == 12);
  const Tensor turned = x.transpose(0, -1);
  CHECK(turned.shape() == Shape{4, 3, 2});
  CHECK_FALSE(turned.is_contiguous());
  CHECK(to_vector<float>(turned)[1] == 12);  // [0, 0, 1] of it is [1, 0, 0] of x
  const Tensor part = x.slice(1, 1, 3).slice(2, 2, 3);
  CHECK(part.shape() == Shape{2, 2, 1});
  CHECK_SAME_BITS(part, from_vector<float>({2, 2, 1}, {6, 10, 18, 22}));
  CHECK_SAME_BITS(x.reshape({6, 4}).slice(0, 5, 6), from_vector<float>({1, 4}, {20, 21, 22, 23}));
  for (const Tensor& view : {turned, part}) CHECK(view.shares_memory_with(x));
  CHECK_FALSE(x.owns_memory_alone());
  CHECK(clone(x).owns_memory_alone());
  CHECK_SAME_BITS(contiguous(turned.transpose(0, 2)), x);
}

TEST_CASE("tensor: is_contiguous ignores axes of size 1 and sees gaps") {
  CHECK(counted({3, 1, 2}).transpose(0, 1).is_contiguous());
  CHECK(counted({4, 2}).slice(0, 1, 3).is_contiguous());
  CHECK_FALSE(counted({4, 2}).slice(1, 0, 1).is_contiguous());
  CHECK(counted({1, 8}).slice(1, 2, 5).is_contiguous());
  CHECK(counted({4, 2}).slice(1, 0, 0).is_contiguous());
  CHECK(counted({2}).slice(0, 1, 2).reshape({}).is_contiguous());
}

TEST_CASE("tensor: views that are impossible are refused") {
  const Tensor x = counted({2, 3});
  CHECK_THROWS_WITH_AS(x.reshape({4}),
                       "reshape: the new shape [4] has 4 elements; expected 6 because the tensor is [2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(x.transpose(0, 1).reshape({6}),
                       "reshape: the tensor [3, 2] is a strided view; expected contiguous memory",
                       ShapeError);
  CHECK_THROWS_WITH_AS(x.slice(1, 2, 4),
                       "slice: [2, 4) was asked of axis 1 of [2, 3]; expected 0 <= begin <= end <= 3",
                       ShapeError);
  CHECK_THROWS_AS(x.slice(1, 2, 1), ShapeError);
  CHECK_THROWS_AS(x.slice(2, 0, 1), ShapeError);
  CHECK_THROWS_AS(x.transpose(0, 2), ShapeError);
}

TEST_CASE("tensor: another element type, or nothing at all, is refused; writing is counted") {
  Tensor x = counted({2}), nothing;
  CHECK_THROWS_WITH_AS(x.data<double>(), "tensor: elements are f32; expected f64", DTypeError);
  CHECK_THROWS_WITH_AS(nothing.data<float>(), "tensor: holds nothing; expected a f32 tensor", ValueError);
  CHECK_THROWS_AS(nothing.raw_mutable_data(), ValueError);
  CHECK_FALSE(nothing.defined());
  const uint64_t writes = x.write_count();
  x.data<float>();
  CHECK(x.write_count() == writes);
  Tensor view = x.slice(0, 0, 1);
  view.mutable_data<float>()[0] = 7;
  CHECK(x.write_count() == writes + 1);
  CHECK(item(x.slice(0, 0, 1)) == 7);
}

TEST_CASE("tensor: elements of another machine's memory are not handed out as pointers") {
  const Device far{DeviceKind::cuda, 77};
  CHECK_THROWS_AS(empty({2}, DType::f32, far), DeviceError);
  install_backend(far, make_cpu_backend());
  const Tensor x = to_device(counted({2}), far);
  CHECK_THROWS_WITH_AS(x.data<float>(),
                       "tensor: values are on cuda:77; expected cpu, where elements can be read",
                       DeviceError);
  CHECK_SAME_BITS(to_device(x, {}), counted({2}));
  CHECK_THROWS_AS(install_backend(far, make_cpu_backend()), DeviceError);
}

TEST_CASE("bf16: rounds to nearest, ties to even") {
  CHECK(bf16_bits(1.0f) == 0x3f80);
  CHECK(bf16_bits(std::bit_cast<float>(0x3f808000u)) == 0x3f80);  // a tie: down to even
  CHECK(bf16_bits(std::bit_cast<float>(0x3f818000u)) == 0x3f82);  // a tie: up to even
  CHECK(bf16_bits(std::bit_cast<float>(0x3f808001u)) == 0x3f81);  // above the tie
  CHECK(bf16_bits(std::bit_cast<float>(0x3f80ffffu)) == 0x3f81);
  CHECK(bf16_bits(std::bit_cast<float>(0x3fff8000u)) == 0x4000);  // carries into the exponent
  CHECK(bf16_bits(-0.0f) == 0x8000);
  CHECK(bf16_bits(std::bit_cast<float>(0x00000001u)) == 0x0000);  // the least subnormal
  CHECK(bf16_bits(std::numeric_limits<float>::max()) == 0x7f80);  // nearer to 2^128 than to the largest bf16
}

TEST_CASE("bf16: every NaN stays a NaN of its sign, infinities stay") {
  for (const uint32_t bits : {0x7f800001u, 0x7fffffffu, 0x7fc00000u, 0xff800001u, 0xffffffffu}) {
    const bf16 narrow(std::bit_cast<float>(bits));
    CHECK(std::isnan(float(narrow)));
    CHECK((narrow.bits >> 15) == (bits >> 31));
    CHECK((narrow.bits & 0x40) != 0);  // quiet
  }
  CHECK(bf16_bits(INFINITY) == 0x7f80);
  CHECK(bf16_bits(-INFINITY) == 0xff80);
}

TEST_CASE("bf16: every one of its 65,536 values comes back from float unchanged") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    bf16 value;
    value.bits = uint16_t(bits);
    const bf16 again{float(value)};
    REQUIRE((std::isnan(float(value)) ? again.bits == (value.bits | 0x40) : again.bits == value.bits));
  }
}

TEST_CASE("factory: conversions keep values where they can and refuse to round to integers") {
  const Tensor x = from_vector<double>({3}, {1.5, -2, 3});
  CHECK_SAME_BITS(to_dtype(x, DType::f32), from_vector<float>({3}, {1.5f, -2, 3}));
  CHECK_SAME_BITS(to_dtype(x, DType::bf16), from_vector<bf16>({3}, {bf16(1.5f), bf16(-2), bf16(3)}));
  CHECK_SAME_BITS(to_dtype(from_vector<int32_t>({2}, {3, -4}), DType::f64),
                  from_vector<double>({2}, {3, -4}));
  CHECK(to_dtype(x, DType::f64).shares_memory_with(x));
  CHECK_THROWS_WITH_AS(to_dtype(x, DType::i32),
                       "to_dtype: f64 to i32 was asked for; nothing is rounded to integers silently",
                       DTypeError);
  CHECK_THROWS_AS(to_vector<int32_t>(x), DTypeError);
  CHECK_THROWS_WITH_AS(full({2}, 1.5, DType::i32), "full: 1.5 is no i32; expected a whole number",
                       DTypeError);
  CHECK_THROWS_AS(full({2}, 3e9, DType::i32), DTypeError);
  CHECK_THROWS_AS(full({2}, NAN, DType::i32), DTypeError);
}

TEST_CASE("factory: a strided view converts as the values it shows") {
  const Tensor x = counted({2, 3}).transpose(0, 1);
  CHECK_SAME_BITS(to_dtype(x, DType::f64), from_vector<double>({3, 2}, {0, 3, 1, 4, 2, 5}));
}

TEST_CASE("factory: counts, shapes and layouts that do not fit are refused") {
  CHECK_THROWS_WITH_AS(from_vector<float>({3}, {1, 2}),
                       "from_vector: 2 values were given; expected 3 because the shape is [3]", ShapeError);
  CHECK_THROWS_WITH_AS(item(counted({2})), "item: the tensor is [2]; expected one element", ShapeError);
  Tensor x = counted({2, 2}), turned = x.transpose(0, 1);
  CHECK_THROWS_WITH_AS(copy_into(x, counted({4})),
                       "copy_into: the source is [4]; expected [2, 2] like the target", ShapeError);
  CHECK_THROWS_AS(copy_into(x, full({2, 2}, 0, DType::f64)), DTypeError);
  CHECK_THROWS_AS(add_into(turned, counted({2, 2})), ShapeError);
  CHECK_THROWS_AS(fill_zero(turned), ShapeError);
  CHECK_THROWS_AS(random_normal({2}, 0, 1, 0, 0, DType::i32), DTypeError);
}

TEST_CASE("factory: add_into adds in every dtype, empty tensors included") {
  for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::bf16}) {
    Tensor sum = full({3}, 5, dtype), nothing = empty({0}, dtype);
    add_into(sum, full({3}, 2, dtype));
    CHECK_SAME_BITS(sum, full({3}, 7, dtype));
    CHECK_NOTHROW(add_into(nothing, empty({0}, dtype)));
  }
}

TEST_CASE("fold_leading_axes: all axes but the last are rows") {
  CHECK(fold_leading_axes({2, 3, 4}).count == 6);
  CHECK(fold_leading_axes({2, 3, 4}).width == 4);
  CHECK(fold_leading_axes({}).count == 1);
  CHECK(fold_leading_axes({5}).count == 1);
  CHECK(fold_leading_axes({5, 0}).count == 5);
}

TEST_CASE("names of devices and dtypes are parsed strictly") {
  CHECK(parse_device("cuda:3") == Device{DeviceKind::cuda, 3});
  CHECK(parse_device("cpu") == Device{});
  for (const char* wrong : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CPU"})
    CHECK_THROWS_AS(parse_device(wrong), ValueError);
  CHECK(parse_dtype("bf16") == DType::bf16);
  CHECK_THROWS_WITH_AS(parse_dtype("f16"), "dtype: \"f16\" is unknown; expected f32, bf16, i32 or f64",
                       ValueError);
}
