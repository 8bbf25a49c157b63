#include "tensor/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/random.h"
#include "tests/support/compare.h"
#include "tests/support/paths.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

using Tensors = std::map<std::string, Tensor>;

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A file with this header and `data_bytes` zero bytes of data.
std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

// The message of the FileError that reading this file throws, after its path; "" when it is read.
std::string refusal(const std::string& header, size_t data_bytes) {
  const ScratchFolder folder;
  const std::string path = folder / "file.safetensors";
  write_bytes(path, file_of(header, data_bytes));
  try {
    read_safetensors(path);
    return "";
  } catch (const FileError& error) {
    REQUIRE(std::string(error.what()).starts_with(path + ": "));
    return std::string(error.what()).substr(path.size() + 2);
  }
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return '"' + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

// Reads it or is refused with a FileError; anything else fails the test.
void read_or_refuse(const std::string& path) {
  try {
    read_safetensors(path);
  } catch (const FileError& error) {
    CHECK(std::string(error.what()).starts_with(path));
  }
}

Tensors small_tensors() {
  return {{"b", from_vector<float>({2, 3}, {1, 2, 3, 4, 5, 6})},
          {"a", from_vector<bf16>({3}, {bf16(1), bf16(-2), bf16(0.5)})},
          {"z", from_vector<double>({}, {0.1})},
          {"count", from_vector<int32_t>({1, 2}, {-7, 9})},
          {"empty", empty({0, 4})}};
}

}  // namespace

TEST_CASE("safetensors: every dtype, a scalar, an empty tensor, NaN and metadata come back bit for bit") {
  const ScratchFolder folder;
  Tensors tensors = small_tensors();
  tensors["nan"] = from_vector<float>({3}, {NAN, -INFINITY, -0.0f});
  tensors["n\u00e4me \"quoted\"\n"] = full({2}, 3);
  const std::map<std::string, std::string> metadata{{"format", "limoe"}, {"note", "line\n\"two\""}};
  write_safetensors(folder / "x.safetensors", tensors, metadata);
  const SafetensorsFile file = read_safetensors(folder / "x.safetensors");
  CHECK(file.metadata == metadata);
  REQUIRE(file.tensors.size() == tensors.size());
  for (const auto& [name, tensor] : tensors) CHECK_SAME_BITS(file.tensors.at(name), tensor);
}

TEST_CASE("safetensors: a file that the Python package wrote is read")  // golden/make_python_safetensors.py
{
  const SafetensorsFile file = read_safetensors(golden_path("python_written.safetensors"));
  CHECK(file.metadata ==
        std::map<std::string, std::string>{{"format", "pt"}, {"note", "gr\u00f6\u00dfer \"als\" 1"}});
  const Tensors expected{{"matrix", from_vector<float>({2, 3}, {1, 2, 3, 4, 5, 6})},
                         {"special", from_vector<float>({3}, {NAN, -INFINITY, -0.0f})},
                         {"scalar", from_vector<double>({}, {0.1})},
                         {"count", from_vector<int32_t>({1, 2}, {-7, 9})},
                         {"half", from_vector<bf16>({3}, {bf16(1), bf16(-2), bf16(0.5)})},
                         {"empty", empty({0, 4})},
                         {"n\u00e4me", full({2}, 3)}};
  REQUIRE(file.tensors.size() == expected.size());
  for (const auto& [name, tensor] : expected) CHECK_SAME_BITS(file.tensors.at(name), tensor);
}

TEST_CASE("safetensors: no tensors and no metadata make a legal file") {
  const ScratchFolder folder;
  write_safetensors(folder / "x.safetensors", {}, {});
  const SafetensorsFile file = read_safetensors(folder / "x.safetensors");
  CHECK(file.tensors.empty());
  CHECK(file.metadata.empty());
}

TEST_CASE("safetensors: the bytes depend on the contents alone, and the data starts on a multiple of 64") {
  const ScratchFolder folder;
  write_safetensors(folder / "one", small_tensors(), {{"k", "v"}});
  write_safetensors(folder / "two", small_tensors(), {{"k", "v"}});
  const std::string bytes = file_bytes(folder / "one");
  CHECK(bytes == file_bytes(folder / "two"));
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK((length + 8) % 64 == 0);
  const std::string padded = bytes.substr(8, length),
                    header = padded.substr(0, padded.find_last_not_of(' ') + 1);
  CHECK(header == R"({"__metadata__":{"k":"v"},)"
                  R"("z":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
                  R"("b":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},)"
                  R"("count":{"dtype":"I32","shape":[1,2],"data_offsets":[32,40]},)"
                  R"("empty":{"dtype":"F32","shape":[0,4],"data_offsets":[40,40]},)"
                  R"("a":{"dtype":"BF16","shape":[3],"data_offsets":[40,46]}})");
}

TEST_CASE("safetensors: a view is written as the values it shows") {
  const ScratchFolder folder;
  const Tensor x = from_vector<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  write_safetensors(folder / "x", {{"view", x.transpose(0, 1).slice(0, 1, 3)}}, {});
  CHECK_SAME_BITS(read_safetensors(folder / "x").tensors.at("view"),
                  from_vector<float>({2, 2}, {2, 5, 3, 6}));
}

TEST_CASE("safetensors: writing replaces the file whole and leaves no sibling, also when it fails") {
  const ScratchFolder folder;
  write_safetensors(folder / "x", {{"a", full({4}, 1)}}, {});
  write_safetensors(folder / "x", {{"a", full({2}, 2)}}, {});
  CHECK_SAME_BITS(read_safetensors(folder / "x").tensors.at("a"), full({2}, 2));
  CHECK_THROWS_AS(write_safetensors(folder / "x", {{"a", Tensor()}}, {}), ValueError);
  CHECK_THROWS_AS(write_safetensors(folder / "x", {{"\xff", full({2}, 2)}}, {}), ValueError);
  CHECK_THROWS_AS(write_safetensors(folder / "x", {{"__metadata__", full({2}, 2)}}, {}), ValueError);
  CHECK_THROWS_AS(write_safetensors(folder / "none/x", {{"a", full({2}, 2)}}, {}), FileError);
  std::filesystem::create_directory(folder / "taken");
  CHECK_THROWS_AS(write_safetensors(folder / "taken", {{"a", full({2}, 2)}}, {}), FileError);
  CHECK_SAME_BITS(read_safetensors(folder / "x").tensors.at("a"), full({2}, 2));
  const std::filesystem::directory_iterator files(folder.path());
  CHECK(std::distance(begin(files), end(files)) == 2);  // x and taken
}

TEST_CASE("safetensors: a file that is absent, a folder or no safetensors file is refused by path") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH_AS(read_safetensors("/nowhere/x"),
                       "/nowhere/x: cannot be opened: No such file or directory", FileError);
  CHECK_THROWS_AS(read_safetensors(folder.path()), FileError);
  write_bytes(folder / "short", "1234567");
  CHECK_THROWS_AS(read_safetensors(folder / "short"), FileError);
  write_bytes(folder / "huge", std::string(8, '\xff') + "{}");
  CHECK_THROWS_WITH_AS(
      read_safetensors(folder / "huge"),
      (folder / "huge" + ": header length is 18446744073709551615; expected at most 2").c_str(), FileError);
}

TEST_CASE("safetensors: a legal header in another order, with spaces, is read") {
  CHECK(refusal("{}", 0) == "");
  CHECK(refusal("{ }   ", 0) == "");
  CHECK(refusal(R"({"a":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}} )", 4) == "");
  CHECK(refusal("{" + entry("b", "F32", "[1]", "[4,8]") + "," + entry("a", "I32", "[]", "[0,4]") + "}", 8) ==
        "");
  CHECK(refusal("{" + entry("b", "F32", "[0,4611686018427387904]", "[0,0]") + "}", 0) ==
        "tensor b has more bytes than 63 bits can count; expected a size that a file can have");
}

TEST_CASE("safetensors: every breach of the header's form is refused in words") {
  const std::string good = entry("a", "F32", "[1]", "[0,4]");
  const std::pair<std::string, std::string> cases[] = {
      {" {}", "header does not begin with {; expected a safetensors file"},
      {"", "header does not begin with {; expected a safetensors file"},
      {"[]", "header does not begin with {; expected a safetensors file"},
      {"{\"a\"", "header is no JSON text at byte 5; expected a safetensors header"},
      {std::string("{}\0 junk", 8), "header holds a zero byte; expected JSON text"},
      {"{} x", "header is no JSON text at byte 4; expected a safetensors header"},
      {"{\"\xff\":1}", "header is no JSON text at byte 3; expected a safetensors header"},
      {"{" + good + "," + good + "}", "tensor a occurs twice; expected once"},
      {R"({"__metadata__":{},"__metadata__":{}})", "__metadata__ occurs twice; expected once"},
      {R"({"__metadata__":{"k":"1","k":"2"}})", "metadata k occurs twice; expected once"},
      {R"({"__metadata__":{"k":1}})",
       "__metadata__ holds a number where the format has none; expected a safetensors header"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "tensor a has two fields dtype; expected one"},
      {R"({"a":{"dtype":"F32","shape":[1]}})",
       "tensor a lacks a field; expected dtype, shape and data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})",
       "tensor a has a field x; expected dtype, shape and data_offsets alone"},
      {R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})",
       "tensor a holds an array where the format has none; expected a safetensors header"},
      {R"({"a":7})", "tensor a holds a number where the format has none; expected a safetensors header"},
      {R"({"a":null})", "tensor a holds null where the format has none; expected a safetensors header"},
      {"{" + entry("a", "F32", "[-1]", "[0,4]") + "}",
       "tensor a holds a negative number where the format has none; expected a safetensors header"},
      {"{" + entry("a", "F32", "[1.0]", "[0,4]") + "}",
       "tensor a holds a fraction or a number above 2^64 where the format has none; expected a safetensors "
       "header"},
      {"{" + entry("a", "F32", "[1,1,1,1,1,1,1]", "[0,4]") + "}",
       "tensor a has more than 6 axes; expected at most that"},
      {"{" + entry("a", "F32", "[1]", "[0]") + "}", "tensor a has 1 data_offsets; expected 2"},
      {"{" + entry("a", "F32", "[1]", "[0,4,8]") + "}",
       "tensor a has more than 2 data_offsets; expected at most that"},
  };
  for (const auto& [header, wanted] : cases) CHECK(refusal(header, 4) == wanted);
}

TEST_CASE("safetensors: types that are not read are refused by the tensor's name") {
  for (const std::string dtype : {"F8_E4M3", "F8_E5M2", "F4", "C64", "f32", "I128", ""})
    CHECK(refusal("{" + entry("text.ids", dtype, "[1]", "[0,4]") + "}", 4) ==
          "tensor text.ids is " + dtype +
              "; expected F32, BF16, I32, F64, F16, I64, I16, I8, U64, U32, U16, U8 or BOOL");
}

TEST_CASE("safetensors: offsets must fit the shape and cover the data without holes or overlap") {
  const auto two = [](const std::string& a, const std::string& b) {
    return "{" + entry("a", "F32", "[1]", a) + "," + entry("b", "F32", "[1]", b) + "}";
  };
  CHECK(refusal(two("[0,4]", "[4,8]"), 8) == "");
  CHECK(refusal(two("[0,4]", "[8,12]"), 12) ==
        "tensor b begins at 8; expected 4, where the tensor before it ends");
  CHECK(refusal(two("[0,4]", "[0,4]"), 4) ==
        "tensor b begins at 0; expected 4, where the tensor before it ends");
  CHECK(refusal(two("[4,8]", "[8,12]"), 12) ==
        "tensor a begins at 4; expected 0, where the tensor before it ends");
  CHECK(refusal(two("[0,4]", "[4,8]"), 9) == "the tensors end at 8; expected 9, the bytes of data");
  CHECK(refusal(two("[0,4]", "[4,8]"), 7) == "the tensors end at 8; expected 7, the bytes of data");
  CHECK(refusal(two("[0,8]", "[8,12]"), 12) ==
        "tensor a has data_offsets [0, 8]; expected 4 bytes, as its shape has");
  CHECK(refusal(two("[4,0]", "[4,8]"), 8) ==
        "tensor a has data_offsets [4, 0]; expected 4 bytes, as its shape has");
  CHECK(refusal("{}", 1) == "the tensors end at 0; expected 1, the bytes of data");
}

TEST_CASE("safetensors: a header that promises terabytes is refused before memory is asked for") {
  const size_t before = allocator_of({}).counts().peak_live_bytes;
  CHECK(refusal("{" + entry("a", "F32", "[1099511627776]", "[0,4398046511104]") + "}", 4) ==
        "the tensors end at 4398046511104; expected 4, the bytes of data");
  CHECK(refusal("{" + entry("a", "F64", "[4294967296,4294967296]", "[0,0]") + "}", 0) ==
        "tensor a has more bytes than 63 bits can count; expected a size that a file can have");
  CHECK(refusal("{" + entry("a", "F64", "[18446744073709551615]", "[0,0]") + "}", 0) ==
        "tensor a has more bytes than 63 bits can count; expected a size that a file can have");
  CHECK(allocator_of({}).counts().peak_live_bytes == before);
}

TEST_CASE("safetensors: every truncation of a file is refused") {
  const ScratchFolder folder;
  write_safetensors(folder / "x", small_tensors(), {{"k", "v"}});
  const std::string bytes = file_bytes(folder / "x");
  for (size_t length = 0; length < bytes.size(); ++length) {
    write_bytes(folder / "cut", bytes.substr(0, length));
    CHECK_THROWS_AS(read_safetensors(folder / "cut"), FileError);
  }
}

TEST_CASE("safetensors: a thousand flipped bits in the header give a valid file or a FileError") {
  const ScratchFolder folder;
  write_safetensors(folder / "x", small_tensors(), {{"k", "v"}});
  const std::string bytes = file_bytes(folder / "x");
  const uint64_t header_bits = (8 + bytes.find('}', bytes.find("BF16")) + 2) * 8;
  for (uint64_t i = 0; i < 1000; ++i) {
    std::string damaged = bytes;
    const uint64_t bit = random_below(header_bits, 1, 2, i);
    damaged[bit / 8] = char(damaged[bit / 8] ^ (1 << bit % 8));
    write_bytes(folder / "damaged", damaged);
    read_or_refuse(folder / "damaged");
  }
}
