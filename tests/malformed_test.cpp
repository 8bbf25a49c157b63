// Files made by hand to hurt whoever reads them. Each is below 1 MB; each gets one line, and little memory.
#include <doctest/doctest.h>

#include "data/sample_text.h"
#include "data/shard_list.h"
#include "data/sources/csv_source.h"
#include "data/sources/tar_source.h"
#include "data/tar_header.h"
#include "models/limoe/config.h"
#include "models/train/config.h"
#include "models/train/fields.h"
#include "tensor/safetensors.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;
using Texts = std::vector<std::string>;

namespace {

constexpr size_t kLarge = 900'000;
const std::string kNotUtf8 = "\xff\xfe\x80\xc3";
const std::string kZero(1, '\0');

// A member's header and its contents, padded; the checksum is right whatever the rest is.
std::string tar_member(const std::string& name, char type, const std::string& size_field,
                       const std::string& contents) {
  TarHeader header{};
  std::copy_n(name.begin(), std::min(name.size(), sizeof header.name), header.name);
  std::copy_n(size_field.begin(), std::min(size_field.size(), sizeof header.size), header.size);
  std::copy_n("ustar", 6, header.magic);
  header.type = type;
  std::snprintf(header.checksum, sizeof header.checksum, "%06o", unsigned(tar_checksum(header)));
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + contents +
         std::string(size_t(tar_padded(int64_t(contents.size()))) - contents.size(), '\0');
}

std::string octal(size_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "%011zo", number);
  return text;
}

std::string sized_member(const std::string& name, char type, const std::string& contents) {
  return tar_member(name, type, octal(contents.size()), contents);
}

}  // namespace

TEST_CASE("malformed safetensors: one line, little memory") {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    const std::string path = write_file(folder / "evil.safetensors", bytes);
    return refusal_of(path, [&] { read_safetensors(path); });
  };
  const auto with_header = [](const std::string& header) { return little_endian(header.size(), 8) + header; };
  const auto entry = [](const std::string& name, const std::string& shape) {
    return "\"" + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,0]})";
  };
  for (const std::string& bytes :
       Texts{"", "\x01\x02", little_endian(uint64_t{1} << 63, 8) + "{}", little_endian(100'000'000, 8) + "{}",
             little_endian(~uint64_t{0}, 8), with_header("{"), with_header("[]"),
             with_header("{}" + kZero + "{"), with_header(repeated("[", kLarge)),
             with_header("{" + repeated("\"a\":{", kLarge)), with_header("{\"" + kNotUtf8 + "\":{}}"),
             with_header("{" + entry("w", "[4611686018427387904,4]") + "}"),
             with_header("{" + entry("w", "[-1]") + "}"), with_header("{" + entry("w", "[1e30]") + "}"),
             with_header("{" + entry("w", "[1,1,1,1,1,1,1]") + "}"),
             with_header("{" + entry(std::string(kLarge, 'n') + "\\n", "[1]") + "}")})
    CHECK(!refusal(bytes).empty());
  std::string many = "{";
  for (int i = 0; many.size() < kLarge; ++i) many += (i ? "," : "") + entry(std::to_string(i), "[0]");
  CHECK(refusal(with_header(many + "}")).empty());  // nothing wrong with it
}

TEST_CASE("malformed tar: one line, little memory") {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    const std::string path = write_file(folder / "evil.tar", bytes);
    return refusal_of(path, [&] {
      BadSampleLog bad(0);
      const TarSource source(path, "", bad);
      for (int64_t sample = 0; sample < source.size(); ++sample) source.read_text(sample);
    });
  };
  const std::string end(1024, '\0'), huge = "\x80" + std::string(3, '\0') + std::string(8, '\x40');
  for (const std::string& bytes : Texts{
           "", std::string(511, 'x'), std::string(512, '\0') + "x", tar_member("a.txt", '0', huge, "x") + end,
           tar_member("a.txt", '0', std::string(12, '\xff'), "x") + end,
           tar_member("a.txt", '0', "77777777777", "x") + end, tar_member("a.txt", '0', "-1", "x") + end,
           tar_member("a.txt", '0', octal(2000), "x") + end,
           sized_member("p", 'x', "30 size=9223372036854775807\n") + sized_member("a.txt", '0', "x") + end,
           sized_member("p", 'x', "18446744073709551615 path=a\n") + end,
           sized_member("p", 'x', "0 path=a\n") + end, sized_member("p", 'x', "9 path=a\n") + "cut",
           sized_member("p", 'x', kNotUtf8) + end, repeated(sized_member("p", 'x', "9 path=a\n"), kLarge),
           sized_member("l", 'L', std::string(kLarge, 'n')) + sized_member("a", '0', "x") + end,
           sized_member(kNotUtf8 + "\n\033[31m.png", '0', "x") + end, sized_member("s", 'S', "x") + end})
    CHECK(!refusal(bytes).empty());
  CHECK(refusal(repeated(sized_member("p", 'L', "a"), kLarge) + end).empty());  // names for nothing
}

TEST_CASE("malformed CSV: one line, little memory") {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    const std::string path = write_file(folder / "evil.csv", bytes);
    return refusal_of(path, [&] {
      BadSampleLog bad(0);
      const CsvSource source(path, CsvColumns{}, bad);
      for (int64_t sample = 0; sample < source.size(); ++sample) {
        source.read_text(sample);
        source.read_image(sample);
      }
    });
  };
  const std::string heading = "filepath\ttitle\n";
  for (const std::string& bytes : Texts{
           "", "\n\n\n", "\"" + std::string(kLarge, 'q'), heading + "\"" + std::string(kLarge, '"'),
           repeated("\t", kLarge), repeated("\n", kLarge), std::string(kLarge, '\0'),
           repeated(kNotUtf8 + "\t", kLarge), heading + "a\n", heading + "a\tb\tc\n", heading + "\"a\"b\tc\n",
           heading + "\tno picture\n", heading + "a.png\t \n", heading + "\"two\nlines\033[2J.png\"\tx\n",
           heading + std::string(5000, 'p') + "\tx\n", heading + std::string("a\0b.png\tx\n", 10),
           heading + "/dev/zero\tx\n", heading + kNotUtf8 + "\tx\n"})
    CHECK(!refusal(bytes).empty());
}

TEST_CASE("malformed JSON of a sample: one line, little memory") {
  const auto refusal = [](const std::string& json, const std::string& label = "") {
    return refusal_of("evil", [&] {
      parse_sample_text({.text = "", .json = json, .label = label}, {.json_text_key = "caption"}, "evil");
    });
  };
  for (const std::string& json :
       Texts{"{", "[]", "null", repeated("[", kLarge), repeated("{\"a\":", kLarge),
             repeated("[", kLarge / 2) + repeated("]", kLarge / 2), "{\"caption\":\"" + kNotUtf8 + "\"}",
             R"({"caption":"\ud800"})", R"({"caption":1e999})", R"({"caption":["a"]})", R"({"caption":" "})",
             "{\"caption\":\"a\"}" + kZero, "{\"caption\":\"" + std::string(kLarge, 'c'), kZero, kNotUtf8,
             "{\"n\":[" + repeated("1,", kLarge) + "1]}", "{\"n\":[" + repeated("{},", kLarge) + "1]}"})
    CHECK(!refusal(json).empty());
  for (const std::string& label :
       Texts{"-1", "1e5", "99999999999999999999", "3\n4", kNotUtf8, std::string(kLarge, '9')})
    CHECK(!refusal("{\"caption\":\"a\"}", label).empty());
}

TEST_CASE("malformed config: one line, little memory") {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    const std::string path = write_file(folder / "evil.toml", bytes);
    return refusal_of(path, [&] {
      LimoeConfig config;
      KeyedValues values = read_config_file(path);
      take_fields(config, values);
      if (!values.empty()) throw FileError(path, ": unknown; expected known keys");
    });
  };
  for (const std::string& bytes : Texts{"layers",
                                        "= 3",
                                        "layers = ",
                                        "layers = 3\nlayers = 3",
                                        "layers = [[[[",
                                        "a.b = 3",
                                        "[layers",
                                        "layers = \"\"\"3",
                                        "layers = \"\\ud800\"",
                                        "layers = \"\\x41\"",
                                        "layers = '",
                                        "layers = 99999999999999999999",
                                        "layers = 0x10",
                                        "layers = nan",
                                        "layers = \"" + kNotUtf8 + "\"",
                                        kNotUtf8,
                                        kZero,
                                        "layers = " + kZero,
                                        "layers = \"\033[2J\"",
                                        std::string(kLarge, '['),
                                        std::string(kLarge, '#'),
                                        repeated("a = 1\n", 200'000),
                                        "layers = \"" + std::string(200'000, '\\')})
    CHECK(!refusal(bytes).empty());
  CHECK(!refusal_of("/dev/zero", [] { read_config_file("/dev/zero"); }).empty());
}

TEST_CASE("malformed names of data sources: one line, little memory") {
  for (const std::string& source :
       Texts{"{0..9", "{9..0}", "{-1..2}", "{0..9223372036854775807}", "{1..99999999999999999999}", "{..}",
             "a::::b", "", repeated("{0..9}", 600), repeated("{a,b}", kLarge),
             "{" + repeated(",", kLarge) + "}", repeated("{", kLarge),
             "{" + std::string(kLarge / 2, '0') + "..99}", repeated("::", kLarge)})
    CHECK(!refusal_of("", [&] {
             for (const std::string& part : split_sources(source)) expand_braces(part);
           }).empty());
  CHECK(refusal_of("", [&] { expand_braces(repeated("{}", kLarge)); }).empty());
}
