// Pictures made by hand to hurt whoever decodes them. Each file is below 1 MB; each gets one line, and little
// memory.
#include <doctest/doctest.h>
#include <zlib.h>

#include "data/image.h"
#include "data/sources/picture_file.h"
#include "tests/support/built_in_formats.h"
#include "tests/support/paths.h"
#include "tests/support/refusal.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

using Bytes = std::vector<uint8_t>;

const std::string kPictures = golden_path("data/pictures/");

Bytes picture(const std::string& name) {
  return read_picture_file(kPictures + name, "test");
}

std::string refusal(const Bytes& file) {
  REQUIRE(file.size() < 1'000'000);
  return refusal_of("evil", [&] { decode_image(file, "evil"); });
}

void append(Bytes& file, uint64_t number, int bytes) {  // the greatest byte first
  while (bytes-- > 0) file.push_back(uint8_t(number >> (8 * bytes)));
}

void append_chunk(Bytes& file, const std::string& name, const Bytes& contents) {
  append(file, contents.size(), 4);
  const size_t begin = file.size();
  file.insert(file.end(), name.begin(), name.end());
  file.insert(file.end(), contents.begin(), contents.end());
  append(file, crc32(0, file.data() + begin, uInt(file.size() - begin)), 4);
}

Bytes deflated(size_t zeros) {
  const Bytes raw(zeros);
  uLongf size = compressBound(uLong(zeros));
  Bytes packed(size);
  compress2(packed.data(), &size, raw.data(), uLong(zeros), 9);
  packed.resize(size);
  return packed;
}

struct PngShape {
  uint32_t width, height;
  uint8_t depth = 8, colour = 2, interlace = 0;
};

Bytes png(const PngShape& shape, const Bytes& data, const Bytes& before = {}) {
  Bytes file = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, header;
  append(header, shape.width, 4);
  append(header, shape.height, 4);
  for (const int byte : {int(shape.depth), int(shape.colour), 0, 0, int(shape.interlace)})
    header.push_back(uint8_t(byte));
  append_chunk(file, "IHDR", header);
  file.insert(file.end(), before.begin(), before.end());
  append_chunk(file, "IDAT", data);
  append_chunk(file, "IEND", {});
  return file;
}

Bytes jpeg_with_size(const std::string& name, int marker, int width, int height) {
  Bytes file = picture(name);
  for (size_t at = 2; at + 9 < file.size(); ++at)
    if (file[at] == 0xff && file[at + 1] == marker) {
      file[at + 5] = uint8_t(height >> 8), file[at + 6] = uint8_t(height);
      file[at + 7] = uint8_t(width >> 8), file[at + 8] = uint8_t(width);
      return file;
    }
  FAIL("no such marker");
  return file;
}

// Numbers of any number of bits, the lowest first, as a lossless WebP has them.
struct BitWriter {
  Bytes bytes;
  int used = 8;  // bits of the last byte
  void write(uint32_t number, int bits) {
    for (int bit = 0; bit < bits; ++bit) {
      if (used == 8) bytes.push_back(0), used = 0;
      bytes.back() |= uint8_t((number >> bit & 1) << used++);
    }
  }
};

uint32_t reversed_byte(uint32_t byte) {
  uint32_t reversed = 0;
  for (int bit = 0; bit < 8; ++bit) reversed |= (byte >> bit & 1) << (7 - bit);
  return reversed;
}

// A code of 256 words of 8 bits; `words` is the size of its alphabet.
void write_flat_code(BitWriter& bits, int words) {
  bits.write(0, 1);       // lengths follow
  bits.write(12 - 4, 4);  // lengths of 12 lengths, in the format's order; the last one, 8, alone is used
  for (int i = 0; i < 12; ++i) bits.write(i == 11, 3);
  bits.write(words > 256, 1);
  if (words > 256) bits.write(3, 3), bits.write(256 - 2, 8);  // only so many lengths
}

void write_one_word(BitWriter& bits) {
  bits.write(1, 1), bits.write(0, 1), bits.write(0, 1), bits.write(0, 1);
}

// 1024 x 1024 pixels with a group of codes for each 4 x 4 of them: 65536 groups, each 12 kB in libwebp's
// memory. The codes themselves are cut short.
Bytes webp_of_many_codes() {
  BitWriter bits;
  bits.write(0x2f, 8);
  bits.write(1023, 14), bits.write(1023, 14), bits.write(0, 1), bits.write(0, 3);
  bits.write(0, 1), bits.write(0, 1);                    // no transform, no colour cache
  bits.write(1, 1), bits.write(0, 3), bits.write(0, 1);  // groups for 4 x 4 pixels, as a picture of numbers
  write_flat_code(bits, 256 + 24);
  write_flat_code(bits, 256);
  for (int i = 0; i < 3; ++i) write_one_word(bits);
  for (uint32_t group = 0; group < 65536; ++group)
    bits.write(reversed_byte(group & 0xff), 8), bits.write(reversed_byte(group >> 8), 8);
  Bytes file = {'R', 'I', 'F', 'F'};
  const std::string sizes = little_endian(bits.bytes.size() + 12 + bits.bytes.size() % 2, 4) + "WEBPVP8L" +
                            little_endian(bits.bytes.size(), 4);
  file.insert(file.end(), sizes.begin(), sizes.end());
  file.insert(file.end(), bits.bytes.begin(), bits.bytes.end());
  if (bits.bytes.size() % 2) file.push_back(0);
  return file;
}

}  // namespace

TEST_CASE("malformed PNG: one line, little memory") {
  const Bytes some = deflated(1000);
  for (const PngShape& shape :
       {PngShape{1u << 31, 1u << 31}, PngShape{0x7fffffff, 0x7fffffff}, PngShape{0, 1},
        PngShape{0x7fffffff, 1}, PngShape{1, 0x7fffffff}, PngShape{20'000'000, 1, 16, 6},
        PngShape{5000, 5000}, PngShape{1, 9'000'000, 8, 2, 1}, PngShape{3000, 3100, 8, 2, 1},
        PngShape{100, 100}, PngShape{4, 4, 3, 9}, PngShape{9, 9, 8, 3}})
    CHECK(!refusal(png(shape, some)).empty());
  CHECK(refusal(png({4400, 4500}, deflated(4500 * (4400 * 3 + 1)))).empty());  // 19.8 million pixels in 60 kB
  Bytes text;
  append_chunk(text, "zTXt", [] {
    Bytes contents = {'k', 0, 0};
    const Bytes bomb = deflated(300'000'000);
    contents.insert(contents.end(), bomb.begin(), bomb.end());
    return contents;
  }());
  CHECK(refusal(png({10, 10}, deflated(10 * 31), text)).empty());  // the text is not unpacked
  Bytes chunks;
  while (chunks.size() < 900'000) append_chunk(chunks, "zzZz", {1});
  refusal(png({10, 10}, deflated(10 * 31), chunks));
  for (const char* name : {"plain.png", "palette.png", "magick_interlaced.png"})
    for (Bytes file = picture(name); !file.empty(); file.pop_back())
      CHECK(refusal(file).empty() == (file == picture(name)));
}

TEST_CASE("malformed JPEG: one line, little memory") {
  for (const int marker : {0xc0, 0xc2}) {
    const std::string name = marker == 0xc0 ? "baseline.jpg" : "progressive.jpg";
    for (const auto& [width, height] :
         {std::pair{65535, 65535}, {65500, 330}, {330, 65500}, {4600, 4600}, {0, 5}})
      CHECK(!refusal(jpeg_with_size(name, marker, width, height)).empty());
  }
  CHECK(!refusal(jpeg_with_size("cmyk.jpg", 0xc0, 3000, 2900)).empty());
  CHECK(!refusal({0xff, 0xd8, 0xff}).empty());
  CHECK(!refusal(Bytes(900'000, 0xff)).empty());
  for (const char* name : {"baseline.jpg", "progressive.jpg", "cmyk.jpg"})
    for (Bytes file = picture(name); file.size() > 2; file.erase(file.end() - 3, file.end())) refusal(file);
}

TEST_CASE("malformed WebP: one line, little memory") {
  if (!webp_is_built_in()) return;
  CHECK(!refusal(webp_of_many_codes()).empty());
  for (const char* name : {"lossless.webp", "lossy.webp", "alpha.webp"}) {
    for (Bytes file = picture(name); file.size() > 2; file.pop_back()) refusal(file);
    for (size_t at = 4; at < 40; ++at) {
      Bytes file = picture(name);
      file.at(at) = 0xff;
      refusal(file);
    }
  }
}

TEST_CASE("malformed BMP and GIF: one line, little memory") {
  if (!stb_image_is_built_in()) return;
  for (const char* name : {"plain.gif", "interlaced.gif", "plain.bmp", "palette.bmp", "magick_alpha.bmp"})
    for (size_t at = 2; at < 60; ++at)
      for (const int value : {0x00, 0x7f, 0x80, 0xff}) {
        Bytes file = picture(name);
        if (at < file.size()) file[at] = uint8_t(value);
        refusal(file);
      }
  Bytes gif = picture("plain.gif");
  std::fill(gif.begin() + 6, gif.begin() + 10, uint8_t{0xff});  // 65535 x 65535
  CHECK(!refusal(gif).empty());
  gif.resize(900'000, 0x21);
  CHECK(!refusal(gif).empty());
}

TEST_CASE("what is no picture: one line, little memory") {
  for (const Bytes& file :
       {Bytes{}, Bytes{0}, Bytes(900'000, '\n'), Bytes{'R', 'I', 'F', 'F'}, Bytes{'B', 'M'}})
    CHECK(!refusal(file).empty());
}
