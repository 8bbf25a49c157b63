// Tar archives: what the writer writes the reader reads; other dialects; damaged files.
#include "data/tar.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "data/tar_header.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A header as another program might write it, and its contents, padded.
std::string member(const std::string& name, char type, const std::string& contents,
                   const char* magic = "ustar") {
  TarHeader header;
  std::memset(&header, 0, sizeof header);
  std::memcpy(header.name, name.data(), std::min(name.size(), sizeof header.name));
  std::snprintf(header.size, sizeof header.size, "%011o", unsigned(contents.size()));
  std::memcpy(header.magic, magic, 6);
  header.type = type;
  std::snprintf(header.checksum, sizeof header.checksum, "%06o", unsigned(tar_checksum(header)));
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += contents;
  bytes.resize(size_t(tar_padded(int64_t(bytes.size()))));
  return bytes;
}

std::string pax_record(const std::string& key, const std::string& value) {
  std::string body = " " + key + "=" + value + "\n";
  size_t length = body.size() + 1;
  while (std::to_string(length).size() + body.size() != length) ++length;
  return std::to_string(length) + body;
}

const std::string kEnd(1024, '\0');

std::vector<TarMember> index_of(const std::string& bytes) {
  testing::ScratchFolder folder;
  write_file(folder / "a.tar", bytes);
  return read_tar_index(folder / "a.tar");
}

std::string small_archive() {
  testing::ScratchFolder folder;
  TarWriter writer(folder / "a.tar");
  writer.add("0.txt", "hello");
  writer.add("0.png", std::string(600, 'x'));
  writer.finish();
  return read_file(folder / "a.tar");
}

}  // namespace

TEST_CASE("members come back with their names, sizes and contents") {
  testing::ScratchFolder folder;
  std::string path = folder / "a.tar";
  std::string long_name = std::string(120, 'd') + "/" + std::string(90, 'n');
  TarWriter writer(path);
  writer.add("0.txt", "hello");
  writer.add("empty", "");
  writer.add(long_name, std::string(512, 'b'));
  writer.add("last", std::string(513, 'c'));
  writer.finish();

  std::vector<TarMember> members = read_tar_index(path);
  REQUIRE(members.size() == 4);
  CHECK(members[0].name == "0.txt");
  CHECK(members[0].offset == 512);
  CHECK(text_of(read_tar_member(path, members[0])) == "hello");
  CHECK(members[1].size == 0);
  CHECK(members[2].name == long_name);
  CHECK(text_of(read_tar_member(path, members[2])) == std::string(512, 'b'));
  CHECK(text_of(read_tar_member(path, members[3])) == std::string(513, 'c'));
}

TEST_CASE("the same members give the same bytes") {
  CHECK(small_archive() == small_archive());
}

TEST_CASE("an archive without members has none") {
  CHECK(index_of(kEnd).empty());
}

TEST_CASE("the writer refuses names that ustar cannot hold") {
  testing::ScratchFolder folder;
  TarWriter writer(folder / "a.tar");
  CHECK_THROWS_AS(writer.add("", "x"), ValueError);
  CHECK_THROWS_AS(writer.add(std::string(101, 'n'), "x"), ValueError);
  CHECK_THROWS_AS(writer.add(std::string(100, 'd') + "/" + std::string(101, 'n'), "x"), ValueError);
  CHECK_THROWS_AS(TarWriter(folder / "no/such/folder/a.tar"), FileError);
}

TEST_CASE("pax headers give the next member its name and size") {
  std::string name(300, 'p');
  std::string pax = pax_record("mtime", "1.5") + pax_record("path", name) + pax_record("size", "3");
  auto members =
      index_of(member("short", 'x', pax) + member("short", '0', "abc") + member("next", '0', "d") + kEnd);
  REQUIRE(members.size() == 2);
  CHECK(members[0].name == name);
  CHECK(members[0].size == 3);
  CHECK(members[1].name == "next");
}

TEST_CASE("GNU long names are read, links and folders are skipped") {
  std::string name(300, 'g');
  auto members = index_of(member("folder/", '5', "") + member("old folder/", '\0', "") +
                          member("link", '2', "") + member("global", 'g', pax_record("path", "no")) +
                          member("././@LongLink", 'L', name + '\0', "ustar ") +
                          member("short", '0', "abc", "ustar ") + member("plain", '\0', "d") + kEnd);
  REQUIRE(members.size() == 2);
  CHECK(members[0].name == name);
  CHECK(members[1].name == "plain");
}

TEST_CASE("a long name of a skipped member is not given to the next") {
  auto members = index_of(member("././@LongLink", 'L', "long", "ustar ") + member("folder/", '5', "") +
                          member("file", '0', "x") + kEnd);
  REQUIRE(members.size() == 1);
  CHECK(members[0].name == "file");
}

TEST_CASE("a tar file cut at any byte is a FileError") {
  std::string whole = small_archive();
  testing::ScratchFolder folder;
  REQUIRE(whole.size() == 512 * 2 + 512 + 1024 + 1024);
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    write_file(folder / "a.tar", whole.substr(0, length));
    CHECK_THROWS_AS(read_tar_index(folder / "a.tar"), FileError);
  }
}

TEST_CASE("any changed byte of a header is a FileError") {
  std::string whole = small_archive();
  testing::ScratchFolder folder;
  for (size_t at = 0; at < 512; ++at) {
    if (at >= offsetof(TarHeader, checksum) + 6 && at < offsetof(TarHeader, type))
      continue;  // ends the number
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x01);
    write_file(folder / "a.tar", damaged);
    CHECK_THROWS_AS(read_tar_index(folder / "a.tar"), FileError);
  }
}

TEST_CASE("malformed and hostile headers are FileErrors") {
  auto refused = [](const std::string& bytes) { CHECK_THROWS_AS(index_of(bytes), FileError); };
  refused(std::string(512, 'x') + kEnd);                              // not a tar file
  refused(member("a", 'x', "9 path") + kEnd);                         // record longer than its header
  refused(member("a", 'x', "99999999999999999999 path=x\n") + kEnd);  // length overflows
  refused(member("a", 'x', "0 path=x\n") + kEnd);                     // length of nothing
  refused(member("a", 'x', "8 novalue\n") + kEnd);                    // no '='
  refused(member("a", 'x', pax_record("size", "-1")) + member("a", '0', "") + kEnd);  // negative
  refused(member("a", 'x', pax_record("size", "99999999")) + member("a", '0', "") + kEnd);
  refused(member("a", 'x', pax_record("size", "9223372036854775807")) + member("a", '0', "") + kEnd);
  refused(member("a", 'x', pax_record("GNU.sparse.major", "1")) + member("a", '0', "") + kEnd);
  refused(member("a", 'S', "") + kEnd);  // GNU sparse
  refused(member("a", 'x', pax_record("path", std::string(5000, 'n'))) + member("a", '0', "") + kEnd);
  refused(member("", '0', "x") + kEnd);                                            // no name
  refused(member("a", '0', "x") + std::string(512, '\0') + member("b", '0', ""));  // one zero block
}

TEST_CASE("an error names the file and the byte") {
  testing::ScratchFolder folder;
  write_file(folder / "bad.tar", std::string(512, 'x'));
  std::string message;
  try {
    read_tar_index(folder / "bad.tar");
  } catch (const FileError& error) {
    message = error.what();
  }
  CHECK(message.find("bad.tar: at byte 0: header checksum") != std::string::npos);
  CHECK_THROWS_AS(read_tar_index(folder / "missing.tar"), FileError);
}

TEST_CASE("numbers in base 256 are read, up to a limit") {
  int64_t value = 0;
  CHECK(parse_tar_number(std::string_view("\x80\0\0\0\0\0\0\0\0\0\1\2", 12), value));
  CHECK(value == 258);
  CHECK_FALSE(
      parse_tar_number(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12), value));
  CHECK(parse_tar_number(" 17 ", value));
  CHECK(value == 15);
  CHECK_FALSE(parse_tar_number("", value));
  CHECK_FALSE(parse_tar_number("        ", value));
  CHECK_FALSE(parse_tar_number("12x", value));
}

TEST_CASE("shards are split by count, numbered and counted in nshards.txt") {
  testing::ScratchFolder folder;
  write_pairs(folder / "train", 5, 2);
  CHECK(read_file(folder / "train/nshards.txt") == "3\n");
  CHECK(read_tar_index(folder / "train/2.tar").size() == 4);
  CHECK_FALSE(std::filesystem::exists(folder / "train/3.tar"));
  CHECK(shard_key(42) == "000000042");
}

TEST_CASE("a shard's key may not hold what separates names") {
  testing::ScratchFolder folder;
  ShardWriter writer(folder / "train", 2);
  std::vector<uint8_t> png{1};
  CHECK_THROWS_AS(writer.add({"a.b", png, "x"}), ValueError);
  CHECK_THROWS_AS(writer.add({"a/b", png, "x"}), ValueError);
  CHECK_THROWS_AS(writer.add({"", png, "x"}), ValueError);
  CHECK_THROWS_AS(ShardWriter(folder / "other", 0), ValueError);
}
