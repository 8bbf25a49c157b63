// Fashion-MNIST: the idx reader on good and damaged files, captions, and the makers' rules about folders.
#include "data/fashion_mnist.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "data/make.h"
#include "data/output_folder.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;

namespace {

void write_gzip(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), unsigned(bytes.size()));
  gzclose(file);
}

std::string big_endian(uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

std::string two_images() {
  return big_endian(0x803) + big_endian(2) + big_endian(2) + big_endian(3) + "abcdefghijkl";
}

std::string folder_of_packages() {
  return "/usr/share/datasets/fashion-mnist/";
}

}  // namespace

TEST_CASE("idx images and labels are read") {
  testing::ScratchFolder folder;
  write_gzip(folder / "images.gz", two_images());
  IdxImages images = read_idx_images(folder / "images.gz");
  CHECK(images.count == 2);
  CHECK(images.height == 2);
  CHECK(images.width == 3);
  CHECK(text_of(images.pixels) == "abcdefghijkl");
  write_gzip(folder / "labels.gz", big_endian(0x801) + big_endian(3) + "\1\2\3");
  CHECK(read_idx_labels(folder / "labels.gz") == std::vector<uint8_t>{1, 2, 3});
}

TEST_CASE("an idx file cut at any byte is a FileError, packed or not") {
  testing::ScratchFolder folder;
  std::string whole = two_images();
  for (size_t length = 0; length < whole.size(); ++length) {
    write_gzip(folder / "a.gz", whole.substr(0, length));
    CHECK_THROWS_AS(read_idx_images(folder / "a.gz"), FileError);
  }
  write_gzip(folder / "a.gz", whole);
  std::ifstream packed_file(folder / "a.gz", std::ios::binary);
  std::string packed{std::istreambuf_iterator<char>(packed_file), {}};
  for (size_t length = 0; length < packed.size(); ++length) {
    CAPTURE(length);
    std::ofstream(folder / "b.gz", std::ios::binary) << packed.substr(0, length);
    CHECK_THROWS_AS(read_idx_images(folder / "b.gz"), FileError);
  }
}

TEST_CASE("idx files with wrong headers are FileErrors") {
  testing::ScratchFolder folder;
  auto refused = [&](const std::string& bytes) {
    write_gzip(folder / "a.gz", bytes);
    CHECK_THROWS_AS(read_idx_images(folder / "a.gz"), FileError);
  };
  refused(two_images() + "m");                                                          // longer than it says
  refused(big_endian(0x801) + two_images().substr(4));                                  // labels
  refused(big_endian(0x803) + big_endian(0xffffffff) + big_endian(2) + big_endian(3));  // too many
  refused(big_endian(0x803) + big_endian(1) + big_endian(0) + big_endian(3));
  refused(big_endian(0x803) + big_endian(9000000) + big_endian(1024) + big_endian(1024) +
          "abc");  // claims 9 TB
}

TEST_CASE("a missing file names the package to install") {
  CHECK_THROWS_WITH_AS(read_idx_labels("/nowhere/labels.gz"),
                       doctest::Contains("apt install dataset-fashion-mnist"), FileError);
}

TEST_CASE("a caption names the class, by a template that seed and index choose") {
  std::set<std::string> captions;
  for (int64_t i = 0; i < 200; ++i) {
    std::string caption = fashion_mnist_caption(7, i, 0);
    CHECK(caption.find("sneaker") != std::string::npos);
    CHECK(caption == fashion_mnist_caption(7, i, 0));
    captions.insert(caption);
    CHECK(fashion_mnist_caption(9, i, 0).find(" a ankle") == std::string::npos);
  }
  CHECK(captions.size() == fashion_mnist_templates().size());
  CHECK(fashion_mnist_classes().size() == 10);
}

TEST_CASE("the package's files hold 60,000 and 10,000 pictures of ten classes") {
  IdxImages test = read_idx_images(folder_of_packages() + "t10k-images-idx3-ubyte.gz");
  CHECK(test.count == 10'000);
  CHECK(test.width == kFashionMnistSize);
  CHECK(read_idx_images(folder_of_packages() + "train-images-idx3-ubyte.gz").count == 60'000);
  std::vector<uint8_t> labels = read_idx_labels(folder_of_packages() + "train-labels-idx1-ubyte.gz");
  CHECK(std::set<uint8_t>(labels.begin(), labels.end()).size() == 10);
}

TEST_CASE("an interrupted maker leaves nothing behind") {
  testing::ScratchFolder folder;
  std::string temporary;
  {
    OutputFolder out(folder / "set", false);
    temporary = out.path();
    std::ofstream(temporary + "/half") << "x";
    CHECK(std::filesystem::exists(temporary));
  }
  CHECK_FALSE(std::filesystem::exists(temporary));
  CHECK_FALSE(std::filesystem::exists(folder / "set"));
}

TEST_CASE("a folder in use is refused, an old data set only replaced by force, other files never") {
  testing::ScratchFolder folder;
  std::string out = folder / "set";
  auto write_set = [&](bool force, const std::string& text) {
    OutputFolder writer(out, force);
    std::ofstream(writer.path() + "/dataset.json") << text;
    writer.commit();
  };
  std::filesystem::create_directory(out);
  write_set(false, "1");  // empty: fine
  CHECK_THROWS_AS(write_set(false, "2"), FileError);
  write_set(true, "22");
  CHECK(std::filesystem::file_size(out + "/dataset.json") == 2);
  std::filesystem::remove(out + "/dataset.json");
  std::ofstream(out + "/letter.txt") << "dear";
  CHECK_THROWS_AS(write_set(true, "3"), FileError);
  CHECK(std::filesystem::exists(out + "/letter.txt"));
  CHECK_THROWS_AS(OutputFolder(out + "/letter.txt", true), FileError);
  CHECK_THROWS_AS(OutputFolder("", true), UsageError);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("makers are found by name, and an unknown name lists them") {
  CHECK(std::string(find_maker("shapes").name) == "shapes");
  CHECK_THROWS_WITH_AS(find_maker("emojis"),
                       doctest::Contains("expected one of emoji, fashion-mnist, shapes"), UsageError);
  MakeOptions options;
  options.out = "/nowhere";
  options.size = 5;
  for (const Maker& maker : makers()) CHECK_THROWS_AS(maker.make(options), ValueError);
}
