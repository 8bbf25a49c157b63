// Element types that files of others have: what is read as what, exactly or not at all.
#include "tensor/safetensors_types.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/limoe_says.h"
#include "tests/support/paths.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// Tensor x, one axis of `count` elements, of these bytes.
void write_file(const std::string& path, const std::string& type, size_t count, const std::string& bytes) {
  const std::string header = concatenate(R"({"x":{"dtype":")", type, R"(","shape":[)", count,
                                         R"(],"data_offsets":[0,)", bytes.size(), "]}}");
  const uint64_t length = header.size();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << header << bytes;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// The message of the FileError behind the path; "" when the file is read.
template <class T>
std::string refusal(const std::string& type, const std::vector<T>& values) {
  const ScratchFolder folder;
  const std::string path = folder / "x.safetensors";
  write_file(path, type, values.size(), bytes_of(values));
  try {
    read_safetensors(path);
    return "";
  } catch (const FileError& error) {
    return std::string(error.what()).substr(path.size() + 2);
  }
}

// What a half is, by its definition.
double value_of_half(unsigned bits) {
  const int exponent = int(bits >> 10 & 31u);
  const double fraction = bits & 0x3ffu, sign = bits & 0x8000u ? -1 : 1;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

}  // namespace

TEST_CASE(
    "safetensors: types that others write are read as numpy converts them")  // golden/make_foreign_safetensors.py
{
  const SafetensorsFile file = read_safetensors(golden_path("foreign.safetensors"));
  int compared = 0, not_numbers = 0;
  for (const auto& [name, wanted] : file.tensors) {
    if (!name.ends_with(".expected")) continue;
    const Tensor& got = file.tensors.at(name.substr(0, name.size() - 9));
    INFO(name);
    ++compared;
    REQUIRE(got.shape() == wanted.shape());
    REQUIRE(got.dtype() == wanted.dtype());
    if (got.dtype() == DType::i32) {
      CHECK_SAME_BITS(got, wanted);
      continue;
    }
    for (int64_t i = 0; i < got.element_count(); ++i) {
      const float value = got.data<float>()[i], right = wanted.data<float>()[i];
      if (std::isnan(right)) {
        ++not_numbers;
        CHECK(std::isnan(value));
      } else {
        CHECK(std::bit_cast<uint32_t>(value) == std::bit_cast<uint32_t>(right));
      }
    }
  }
  CHECK(compared == 11);
  CHECK(not_numbers == 14);  // seven fractions that are not 0, two signs
}

TEST_CASE("safetensors: what was converted is told by the type in the file") {
  const SafetensorsFile file = read_safetensors(golden_path("foreign.safetensors"));
  CHECK(file.converted.at("f16") == "F16");
  CHECK(file.converted.at("bool") == "BOOL");
  CHECK(!file.converted.contains("f16.expected"));
  CHECK(read_safetensors(golden_path("python_written.safetensors")).converted.empty());
}

TEST_CASE("safetensors: a tensor of many pieces is converted whole") {
  const Tensor values = read_safetensors(golden_path("foreign.safetensors")).tensors.at("long");
  REQUIRE(values.element_count() == 10'000);
  for (int32_t i = 0; i < 10'000; ++i) CHECK(values.data<int32_t>()[i] == i);
}

TEST_CASE("safetensors: every half is the float of the same value") {
  const ScratchFolder folder;
  std::vector<uint16_t> all(65'536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = uint16_t(i);
  write_file(folder / "x.safetensors", "F16", all.size(), bytes_of(all));
  const Tensor x = read_safetensors(folder / "x.safetensors").tensors.at("x");
  REQUIRE(x.dtype() == DType::f32);
  for (unsigned bits = 0; bits < all.size(); ++bits) {
    const float value = x.data<float>()[bits];
    const unsigned magnitude = bits & 0x7fffu;
    if (magnitude > 0x7c00u)
      CHECK(std::isnan(value));
    else if (magnitude == 0x7c00u)
      CHECK(value == (bits & 0x8000u ? -INFINITY : INFINITY));
    else
      CHECK(double(value) == value_of_half(bits));
    CHECK(std::signbit(value) == bool(bits & 0x8000u));
  }
}

TEST_CASE("safetensors: a whole number that i32 cannot hold is refused by its place and value") {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max(), kLeast = std::numeric_limits<int32_t>::min();
  const std::string range = "; expected -2147483648 to 2147483647, as it is read into i32";
  CHECK(refusal<int64_t>("I64", {kLeast, kMost}) == "");
  CHECK(refusal<int64_t>("I64", {0, 0, kMost + 1}) ==
        "tensor x is I64, and its element 2 is 2147483648" + range);
  CHECK(refusal<int64_t>("I64", {kLeast - 1}) == "tensor x is I64, and its element 0 is -2147483649" + range);
  CHECK(refusal<uint32_t>("U32", {1, 0x80000000u}) ==
        "tensor x is U32, and its element 1 is 2147483648" + range);
  CHECK(refusal<uint64_t>("U64", {UINT64_MAX}) ==
        "tensor x is U64, and its element 0 is 18446744073709551615" + range);
  std::vector<int64_t> long_one(20'000, 7);
  long_one[19'999] = INT64_MIN;
  CHECK(refusal("I64", long_one) == "tensor x is I64, and its element 19999 is -9223372036854775808" + range);
}

TEST_CASE("safetensors: a truth value is 0 or 1") {
  CHECK(refusal<uint8_t>("BOOL", {0, 1}) == "");
  CHECK(refusal<uint8_t>("BOOL", {0, 1, 2}) == "tensor x is BOOL, and its element 2 is 2; expected 0 or 1");
}

TEST_CASE("safetensors: sizes of foreign types are held against the bytes of the file") {
  const ScratchFolder folder;
  const std::string path = folder / "x.safetensors";
  write_file(path, "F16", 3, std::string(8, '\0'));
  CHECK_THROWS_WITH_AS(
      read_safetensors(path),
      (path + ": tensor x has data_offsets [0, 8]; expected 6 bytes, as its shape has").c_str(), FileError);
  // More elements than i32 could have bytes for, promised by one-byte types.
  write_file(path, "U8", size_t(1) << 62, "");
  CHECK_THROWS_WITH_AS(
      read_safetensors(path),
      (path + ": tensor x has more bytes than 63 bits can count; expected a size that a file can have")
          .c_str(),
      FileError);
}

TEST_CASE("limoe ops run: takes F16 and I64 as others write them, and says what it made of them") {
  const ScratchFolder folder;
  const std::string out = folder / "out.safetensors";
  const Said said = limoe_says(
      {"ops", "run", "embedding", "--in", golden_path("foreign_embedding.safetensors"), "--out", out});
  CHECK(said.errors == "");
  CHECK(contains(said.output, "ids is I64 in the file and read as i32\n"));
  CHECK(contains(said.output, "table is F16 in the file and read as f32\n"));
  const Tensor y = read_safetensors(out).tensors.at("y");
  CHECK_SAME_BITS(y, from_vector<float>({4, 2}, {0.25f, 0x1p-24f, 1, 0.5f, -2, 65504, 0.25f, 0x1p-24f}));
}
