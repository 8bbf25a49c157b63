// Folders of classes.
#include <doctest/doctest.h>

#include <filesystem>

#include "data/dataset.h"
#include "data/sources/class_folder_source.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
namespace fs = std::filesystem;

namespace {

// DIR/set with two pictures of "red-fox", one of "cat" and one two folders down in "zebra_foal".
struct Folder {
  testing::ScratchFolder scratch;
  std::string set = scratch / "set";

  Folder() {
    int seed = 0;
    for (const char* name : {"red-fox/b.PNG", "red-fox/a.png", "cat/c.png", "zebra_foal/x/y/d.png"}) {
      const fs::path path = fs::path(set) / name;
      fs::create_directories(path.parent_path());
      const std::vector<uint8_t> png = encode_png(numbered_image(4, 4, seed++));
      write_text_file(path.string(), {reinterpret_cast<const char*>(png.data()), png.size()});
    }
    fs::create_directories(fs::path(set) / ".hidden");
    write_text_file(set + "/loose.png", "not in a class");
    write_text_file(set + "/cat/notes.txt", "no picture");
  }
};

}  // namespace

TEST_CASE("a class is a folder by sorted name, its caption the name in words") {
  const Folder folder;
  const Dataset dataset(folder.set, {});
  REQUIRE(dataset.size() == 4);
  CHECK(dataset.extent() == "3 class folders");
  CHECK(dataset.key(0) == "cat/c.png");
  CHECK(dataset.key(1) == "red-fox/a.png");
  CHECK(dataset.key(2) == "red-fox/b.PNG");
  CHECK(dataset.key(3) == "zebra_foal/x/y/d.png");
  CHECK(dataset.read_text(2).caption == "red fox");
  CHECK(dataset.read_text(3).caption == "zebra foal");
  CHECK(dataset.read_text(3).label == 2);
  CHECK(dataset.decode(0, dataset.read_image(0)).pixels == numbered_image(4, 4, 2).pixels);
  CHECK(class_folder_names(folder.set) == std::vector<std::string>{"cat", "red fox", "zebra foal"});
}

TEST_CASE("classnames.txt beside the folders wins, and must name each") {
  const Folder folder;
  write_text_file(folder.set + "/classnames.txt", "a cat\na fox\na foal\n");
  CHECK(Dataset(folder.set, {}).read_text(1).caption == "a fox");
  write_text_file(folder.set + "/classnames.txt", "a cat\na fox\n");
  CHECK_THROWS_WITH_AS(
      Dataset(folder.set, {}),
      (folder.set + "/classnames.txt: names 2 classes; expected 3, as many as there are folders in " +
       folder.set)
          .c_str(),
      FileError);
}

TEST_CASE("a class's folder and its pictures may be links; links further down are not followed") {
  const Folder folder;
  fs::create_directory_symlink(folder.set + "/cat", folder.set + "/lynx");
  fs::create_symlink(folder.set + "/cat/c.png", folder.set + "/red-fox/link.png");
  fs::create_directory_symlink(folder.set, folder.set + "/cat/circle");
  const Dataset dataset(folder.set, {});
  CHECK(dataset.size() == 6);
  CHECK(dataset.key(1) == "lynx/c.png");
}

TEST_CASE("a folder with shards, or without pictures in folders, is no folder of classes") {
  const Folder folder;
  CHECK(is_class_folder(folder.set));
  CHECK(!is_class_folder(folder.set + "/cat"));
  CHECK(!is_class_folder(folder.scratch / "absent"));
  write_pairs(folder.set, 2, 2);
  CHECK(!is_class_folder(folder.set));
  CHECK(Dataset(folder.set, {}).extent() == "1 shard");
}

TEST_CASE("a broken picture in a folder is reported by its path") {
  const Folder folder;
  write_text_file(folder.set + "/cat/c.png", "no picture");
  const Dataset dataset(folder.set, {});
  CHECK_THROWS_AS(dataset.decode(0, dataset.read_image(0)), FileError);
  dataset.report_bad(0, "reason");
  CHECK(dataset.bad_samples().at(0).member == "cat/c.png");
  CHECK(dataset.bad_samples().at(0).shard == folder.set);
}

TEST_CASE("nshards.txt notices a shard that is missing") {
  const testing::ScratchFolder folder;
  write_pairs(folder / "train", 5, 2);
  CHECK(Dataset(folder / "train", {}).size() == 5);
  fs::remove(folder / "train/1.tar");
  CHECK_THROWS_WITH_AS(Dataset(folder / "train", {}),
                       (folder / "train: holds 2 .tar files; expected 3, as its nshards.txt says").c_str(),
                       FileError);
  write_text_file(folder / "train/nshards.txt", "three");
  CHECK_THROWS_AS(Dataset(folder / "train", {}), FileError);
}
