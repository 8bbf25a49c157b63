// Rows after RFC 4180, and what is wrong with a table that is not: file, line, found, expected.
#include <doctest/doctest.h>

#include "data/dataset.h"
#include "data/sources/csv_reader.h"
#include "data/sources/csv_source.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;

namespace {

using Fields = std::vector<std::string>;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string message_of(const std::string& source, const DatasetOptions& options = {}) {
  try {
    const Dataset dataset(source, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// A folder with a picture "a.png" and the table "t.csv".
struct Table {
  testing::ScratchFolder folder;
  std::string path;

  explicit Table(const std::string& text) : path(folder / "t.csv") {
    const std::vector<uint8_t> png = encode_png(numbered_image(4, 4, 1));
    write_text_file(folder / "a.png", {reinterpret_cast<const char*>(png.data()), png.size()});
    write_text_file(path, text);
  }
  Dataset read(DatasetOptions options = {}) const {
    options.csv_separator = ",";
    return Dataset(path, options);
  }
};

}  // namespace

TEST_CASE("a row is parted at separators, and ends with LF, CRLF or the text") {
  CHECK(parse_csv_row("a,b\nc", ',').fields == Fields{"a", "b"});
  CHECK(parse_csv_row("a,b\nc", ',').length == 4);
  CHECK(parse_csv_row("a,b\r\n", ',').fields == Fields{"a", "b"});
  CHECK(parse_csv_row("a\tb,c", '\t').fields == Fields{"a", "b,c"});
  CHECK(parse_csv_row(",,", ',').fields == Fields{"", "", ""});
  CHECK(parse_csv_row("a\rb\n", ',').fields == Fields{"a\rb"});
  CHECK(parse_csv_row("", ',').fields == Fields{""});
}

TEST_CASE("a quoted field holds separators, line ends and doubled quotes") {
  CHECK(parse_csv_row("\"a,b\",c\n", ',').fields == Fields{"a,b", "c"});
  CHECK(parse_csv_row("\"two\nlines\",c\n", ',').fields == Fields{"two\nlines", "c"});
  CHECK(parse_csv_row("\"she said \"\"no\"\"\"\n", ',').fields == Fields{"she said \"no\""});
  CHECK(parse_csv_row("\"\",\"\"\n", ',').fields == Fields{"", ""});
  CHECK(parse_csv_row("5\" nails,c\n", ',').fields == Fields{"5\" nails", "c"});
}

TEST_CASE("a quote that is not closed, or is followed by text, is a problem") {
  CHECK(contains(parse_csv_row("a,\"b\nc", ',').problem, "field 2 begins with a quote that is not closed"));
  CHECK(contains(parse_csv_row("\"a\"b,c\n", ',').problem, "field 1 goes on after its closing quote"));
  CHECK(contains(parse_csv_row("\"\"\"", ',').problem, "not closed"));
}

TEST_CASE("one stray quote costs its own line alone") {
  const Table table("filepath,title\na.png,\"open\na.png,second\n\na.png,third\n");
  const Dataset dataset = table.read();
  REQUIRE(dataset.size() == 2);
  CHECK(dataset.read_text(0).caption == "second");
  CHECK(dataset.key(1) == "line 5");
  const std::vector<BadSample> bad = dataset.bad_samples();
  REQUIRE(bad.size() == 1);
  CHECK(bad[0].member == "line 2");
  CHECK(bad[0].offset == 15);
  CHECK(bad[0].shard == table.path);
}

TEST_CASE("a row with too many or too few fields, or without a path, is a bad sample") {
  const Table table("filepath,title\na.png,one,two\na.png\n,no path\na.png,good\n");
  const Dataset dataset = table.read();
  CHECK(dataset.size() == 1);
  const std::vector<BadSample> bad = dataset.bad_samples();
  REQUIRE(bad.size() == 3);
  CHECK(bad[0].reason == "the row has 3 fields; expected 2, as line 1 has");
  CHECK(bad[1].reason == "the row has 1 field; expected 2, as line 1 has");
  CHECK(contains(bad[2].reason, "\"filepath\" is empty"));
  CHECK(contains(message_of(table.path, {.max_bad = 2, .csv_separator = ","}),
                 "3 bad samples; expected at most 2"));
}

TEST_CASE("a row longer than the limit is a bad sample, and reading goes on behind it") {
  const std::string huge(size_t(kMaxCsvRow) + 5000, 'x');
  const Table table("filepath,title\na.png," + huge + "\na.png,good\n");
  const Dataset dataset = table.read();
  REQUIRE(dataset.size() == 1);
  CHECK(dataset.read_text(0).caption == "good");
  CHECK(contains(dataset.bad_samples().at(0).reason, "longer than 1048576 bytes"));
  CHECK(dataset.key(0) == "line 3");
}

TEST_CASE("a picture that is missing, a folder or no picture is named with its row") {
  const Table table("filepath,title\nabsent.png,x\n.,x\nt.csv,x\na.png, \n");
  const Dataset dataset = table.read();
  CHECK_THROWS_WITH_AS(
      dataset.read_image(0),
      (table.folder / "absent.png: no such file; expected a picture (line 2 of " + table.path + ")").c_str(),
      FileError);
  CHECK_THROWS_AS(dataset.read_image(1), FileError);
  CHECK_THROWS_AS(dataset.decode(2, dataset.read_image(2)), FileError);
  CHECK_THROWS_WITH_AS(dataset.read_text(3),
                       (table.path + ": line 5: the caption is empty; expected text").c_str(), FileError);
}

TEST_CASE("a heading without the columns says what it has, and which key names them") {
  const Table table("path,caption\na.png,x\n");
  CHECK(message_of(table.path, {.csv_separator = ","}) ==
        table.path +
            ": line 1: the columns are \"path\", \"caption\", parted by ','; expected one named "
            "\"filepath\" (csv-img-key)");
  CHECK(contains(message_of(table.path), "or another csv-separator"));
  CHECK(table.read({.csv_img_key = "path", .csv_caption_key = "caption"}).size() == 1);
}

TEST_CASE("a table without rows, without a heading, or absent, and a separator that is none are refused") {
  const Table empty(""), heading("filepath,title\n");
  CHECK(contains(message_of(empty.path), "line 1: the file is empty; expected the names of the columns"));
  CHECK(contains(message_of(heading.path, {.csv_separator = ","}), "no usable sample in 1 table(s)"));
  CHECK(contains(message_of("/absent/x.csv"), "cannot be opened"));
  for (const char* separator : {"", "ab", "\"", "\n"}) {
    CAPTURE(separator);
    CHECK_THROWS_AS(parse_csv_separator(separator), ValueError);
  }
  CHECK(parse_csv_separator("\\t") == '\t');
}

TEST_CASE("a table that changed after it was indexed is an error, not another caption") {
  const Table table("filepath,title\na.png,one\n");
  const Dataset dataset = table.read();
  write_text_file(table.path, "filepath,title\n");
  CHECK_THROWS_AS(dataset.read_text(0), FileError);
}
