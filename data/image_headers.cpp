// Sources: Microsoft's description of BITMAPFILEHEADER, BITMAPINFOHEADER and BITMAPV5HEADER; CompuServe,
// "Graphics Interchange Format, version 89a", 1990.
#include "data/image_headers.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "tensor/error.h"

namespace limoe {
namespace {

// Little-endian numbers at given places of a file. FileError behind its end.
class Bytes {
 public:
  Bytes(std::span<const uint8_t> file, const std::string& name, const char* format)
      : file_(file), name_(name), format_(format) {}

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw FileError(name_, ": ", format_, ": ", parts...);
  }

  void expect(size_t at, size_t bytes) const {
    if (at > file_.size() || bytes > file_.size() - at)
      fail("ends at byte ", file_.size(), "; expected ", bytes, " more at byte ", at);
  }

  // Of at most 4 bytes.
  uint32_t number(size_t at, size_t bytes) const {
    expect(at, bytes);
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= uint32_t{file_[at + i]} << (8 * i);
    return value;
  }

  size_t size() const { return file_.size(); }

 private:
  const std::span<const uint8_t> file_;
  const std::string& name_;
  const char* format_;
};

constexpr size_t kBmpFileHeader = 14, kMasksAt = kBmpFileHeader + 40;
constexpr size_t kGifHeader = 13;
constexpr uint32_t kUncompressed = 0, kMasks = 3;

void check_bmp_kind(const Bytes& bytes, uint32_t header, uint32_t depth, uint32_t compression) {
  if (header != 40 && header != 108 && header != 124)
    bytes.fail("its header has ", header, " bytes; expected 40, 108 or 124");
  if (bytes.number(kBmpFileHeader + 12, 2) != 1) bytes.fail("number of planes is not 1; expected 1");
  if (depth != 1 && depth != 4 && depth != 8 && depth != 24 && depth != 32)
    bytes.fail("has ", depth, " bits a pixel; expected 1, 4, 8, 24 or 32");
  if (compression != kUncompressed && !(compression == kMasks && depth == 32))
    bytes.fail("compression is ", compression, "; expected none");
  const int colours = compression != kMasks ? 0 : header == 40 ? 3 : 4;
  for (int colour = 0; colour < colours; ++colour) {
    const uint32_t mask = bytes.number(kMasksAt + 4 * static_cast<size_t>(colour), 4);
    const bool is_byte =
        mask != 0 && mask % 0xff == 0 && std::popcount(mask) == 8 && std::countr_zero(mask) % 8 == 0;
    if (!is_byte && !(colour == 3 && mask == 0))
      bytes.fail("mask of colour ", colour, " is ", mask, "; expected one whole byte");
  }
}

// The end of a GIF's chain of sub-blocks, each a length and so many bytes, that begins at `at`.
size_t end_of_blocks(const Bytes& bytes, size_t at) {
  while (const uint32_t length = bytes.number(at, 1)) at += 1 + length;
  return at + 1;
}

size_t palette_bytes(uint32_t flags) {
  return (flags & 0x80) ? size_t{3} << ((flags & 7) + 1) : 0;
}

void check_gif_picture(const Bytes& bytes, size_t at, const PictureSize& canvas, bool has_palette) {
  const int64_t left = bytes.number(at + 1, 2), top = bytes.number(at + 3, 2);
  const int64_t width = bytes.number(at + 5, 2), height = bytes.number(at + 7, 2);
  const uint32_t flags = bytes.number(at + 9, 1);
  if (width < 1 || height < 1 || left + width > canvas.width || top + height > canvas.height)
    bytes.fail("its picture is ", width, " x ", height, " at ", left, ", ", top, "; expected it inside ",
               canvas.width, " x ", canvas.height);
  if (!has_palette && palette_bytes(flags) == 0) bytes.fail("its picture has no palette; expected one");
  const size_t data = at + 10 + palette_bytes(flags);
  const uint32_t code_bits = bytes.number(data, 1);
  if (code_bits < 2 || code_bits > 8) bytes.fail("code size is ", code_bits, "; expected 2 to 8");
  if (bytes.number(data + 1, 1) == 0) bytes.fail("its picture has no pixel data; expected some");
  end_of_blocks(bytes, data + 1);
}

}  // namespace

PictureSize check_bmp(std::span<const uint8_t> file, const std::string& name) {
  const Bytes bytes(file, name, "BMP");
  const uint32_t header = bytes.number(kBmpFileHeader, 4);
  const uint32_t depth = bytes.number(kBmpFileHeader + 14, 2);
  const uint32_t compression = bytes.number(kBmpFileHeader + 16, 4);
  check_bmp_kind(bytes, header, depth, compression);
  const auto width = static_cast<int32_t>(bytes.number(kBmpFileHeader + 4, 4));
  const auto signed_height = static_cast<int32_t>(bytes.number(kBmpFileHeader + 8, 4));
  if (width < 1 || signed_height == 0 || signed_height == std::numeric_limits<int32_t>::min())
    bytes.fail("is ", width, " x ", signed_height, " pixels; expected sides of at least 1");
  const int64_t height = std::abs(int64_t{signed_height});

  const int64_t colours = bytes.number(kBmpFileHeader + 32, 4);
  if (depth <= 8 && colours > (int64_t{1} << depth))
    bytes.fail("has ", colours, " colours; expected at most ", int64_t{1} << depth);
  const int64_t palette = depth > 8 ? 0 : 4 * (colours == 0 ? int64_t{1} << depth : colours);
  const int64_t masks = compression == kMasks && header == 40 ? 12 : 0;
  const int64_t earliest = static_cast<int64_t>(kBmpFileHeader) + header + masks + palette;
  const int64_t start = bytes.number(10, 4);
  const int64_t row = (int64_t{width} * depth + 31) / 32 * 4;  // at most 2^33, so no product below overflows
  if (start < earliest || start > static_cast<int64_t>(bytes.size()) ||
      height > (static_cast<int64_t>(bytes.size()) - start) / row)
    bytes.fail("pixels begin at byte ", start, " of ", bytes.size(), "; expected ", height, " rows of ", row,
               " bytes behind byte ", earliest);
  return {width, height};
}

PictureSize check_gif(std::span<const uint8_t> file, const std::string& name) {
  const Bytes bytes(file, name, "GIF");
  bytes.expect(0, kGifHeader);
  if (std::memcmp(file.data(), "GIF87a", 6) != 0 && std::memcmp(file.data(), "GIF89a", 6) != 0)
    bytes.fail("version is neither 87a nor 89a; expected one of them");
  const PictureSize canvas{bytes.number(6, 2), bytes.number(8, 2)};
  if (canvas.width < 1 || canvas.height < 1)
    bytes.fail("is ", canvas.width, " x ", canvas.height, " pixels; expected sides of at least 1");
  const uint32_t flags = bytes.number(10, 1);
  size_t at = kGifHeader + palette_bytes(flags);
  for (uint32_t kind = bytes.number(at, 1); kind != 0x2c; kind = bytes.number(at, 1)) {
    if (kind != 0x21)
      bytes.fail("byte ", at, " begins neither a picture nor an extension; expected one of them");
    at = end_of_blocks(bytes, at + 2);
  }
  check_gif_picture(bytes, at, canvas, palette_bytes(flags) > 0);
  return canvas;
}

}  // namespace limoe
