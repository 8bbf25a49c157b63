// PNG through libpng.
//
// libpng reports errors by longjmp, which must not pass a C++ object that needs destruction. So every object
// lives in a struct outside of the frame that calls setjmp, and the frames below it hold plain values only.
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "data/image.h"
#include "data/image_codecs.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr const char* kExpected = "; expected a whole PNG file";
constexpr int kCompressionLevel = 3;  // about half the time of zlib's default, files ~5 % larger
constexpr png_alloc_size_t kMaxChunkBytes = 8 << 20;  // a text or profile chunk above this is an attack
constexpr png_uint_32 kMaxChunks = 256;
// libpng holds three rows of up to 4 samples of 16 bits, we one of RGBA; a picture may be one row.
constexpr int64_t kRowBytesPerPixel = 3 * 8 + 4;

struct PngState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const uint8_t> input;
  size_t position = 0;
  std::vector<uint8_t> output;
  std::vector<uint8_t> rgba;  // the whole picture where it is interlaced, otherwise one row
  std::vector<uint8_t> rgb;
  std::vector<png_bytep> rows;
  char message[160] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* state = static_cast<PngState*>(png_get_error_ptr(png));
  std::strncpy(state->message, message, sizeof state->message - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, png_size_t count) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  if (state->input.size() - state->position < count) png_error(png, "file ends early");
  std::memcpy(to, state->input.data() + state->position, count);
  state->position += count;
}

void write_bytes(png_structp png, png_bytep from, png_size_t count) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  state->output.insert(state->output.end(), from, from + count);
}

void flush_nothing(png_structp) {}

struct PngReader : PngState {
  PngReader() {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, static_cast<PngState*>(this), on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
    if (info == nullptr) throw Error("libpng: cannot create a reader: out of memory");
  }
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct PngWriter : PngState {
  PngWriter() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, static_cast<PngState*>(this), on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
    if (info == nullptr) throw Error("libpng: cannot create a writer: out of memory");
  }
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

bool read_header(PngState& state, int64_t max_pixels) {
  if (setjmp(png_jmpbuf(state.png))) return false;
  png_set_read_fn(state.png, &state, read_bytes);
  png_uint_32 side = static_cast<png_uint_32>(max_pixels < PNG_UINT_31_MAX ? max_pixels : PNG_UINT_31_MAX);
  png_set_user_limits(state.png, side, side);
  png_set_chunk_malloc_max(state.png, kMaxChunkBytes);
  png_set_chunk_cache_max(state.png, kMaxChunks);
  // Texts and profiles, which may unpack to a thousand times their size, are not read at all.
  png_set_keep_unknown_chunks(state.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(state.png, state.info);
  return true;
}

// From any PNG to rows of RGBA.
bool set_transforms(PngState& state) {
  if (setjmp(png_jmpbuf(state.png))) return false;
  png_set_expand(state.png);  // palette to RGB, 1 2 4 bit grey to 8, a transparent colour to alpha
  png_set_scale_16(state.png);
  png_set_gray_to_rgb(state.png);
  png_set_add_alpha(state.png, 255, PNG_FILLER_AFTER);
  png_set_interlace_handling(state.png);
  png_read_update_info(state.png, state.info);
  return true;
}

bool read_interlaced(PngState& state, size_t pixels) {
  if (setjmp(png_jmpbuf(state.png))) return false;
  png_read_image(state.png, state.rows.data());
  png_read_end(state.png, nullptr);
  composite_on_white(state.rgba.data(), pixels, state.rgb.data());
  return true;
}

bool read_row_by_row(PngState& state, size_t width, size_t height) {
  if (setjmp(png_jmpbuf(state.png))) return false;
  for (size_t y = 0; y < height; ++y) {
    png_read_row(state.png, state.rgba.data(), nullptr);
    composite_on_white(state.rgba.data(), width, state.rgb.data() + y * width * 3);
  }
  png_read_end(state.png, nullptr);
  return true;
}

bool write_rows(PngState& state, int width, int height) {
  if (setjmp(png_jmpbuf(state.png))) return false;
  png_set_write_fn(state.png, &state, write_bytes, flush_nothing);
  png_set_compression_level(state.png, kCompressionLevel);
  png_set_IHDR(state.png, state.info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
               PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_filter(state.png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
  png_write_info(state.png, state.info);
  png_write_image(state.png, state.rows.data());
  png_write_end(state.png, nullptr);
  return true;
}

int64_t decoded_bytes(int64_t width, int64_t height, bool interlaced) {
  const int64_t whole = width * height * (interlaced ? 4 + 3 : 3);
  return whole + width * kRowBytesPerPixel + (interlaced ? height * int64_t{sizeof(png_bytep)} : 0);
}

}  // namespace

Image decode_png(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels) {
  PngReader reader;
  reader.input = file;
  if (!read_header(reader, max_pixels)) throw FileError(name, ": PNG header: ", reader.message, kExpected);
  int64_t width = png_get_image_width(reader.png, reader.info);
  int64_t height = png_get_image_height(reader.png, reader.info);
  check_pixel_limit(name, width, height, max_pixels);
  bool interlaced = png_get_interlace_type(reader.png, reader.info) != PNG_INTERLACE_NONE;
  check_memory(name, width, height, decoded_bytes(width, height, interlaced), file.size());
  if (!set_transforms(reader)) throw FileError(name, ": PNG: ", reader.message, kExpected);

  size_t row_bytes = png_get_rowbytes(reader.png, reader.info);
  if (row_bytes != static_cast<size_t>(width) * 4)
    throw FileError(name, ": PNG row is ", row_bytes, " bytes; expected ", width * 4);
  size_t rows = static_cast<size_t>(height);
  reader.rgb.resize(static_cast<size_t>(width) * rows * 3);
  reader.rgba.resize(row_bytes * (interlaced ? rows : 1));
  if (interlaced) reader.rows.reserve(rows);
  for (size_t y = 0; interlaced && y < rows; ++y) reader.rows.push_back(reader.rgba.data() + y * row_bytes);
  if (!(interlaced ? read_interlaced(reader, static_cast<size_t>(width) * rows)
                   : read_row_by_row(reader, static_cast<size_t>(width), rows)))
    throw FileError(name, ": PNG data: ", reader.message, kExpected);
  return {static_cast<int>(width), static_cast<int>(height), std::move(reader.rgb)};
}

std::vector<uint8_t> encode_png(const Image& image) {
  int64_t bytes = int64_t{image.width} * image.height * 3;
  if (image.width < 1 || image.height < 1 || bytes != static_cast<int64_t>(image.pixels.size()))
    throw ValueError("encode_png: image is ", image.width, " x ", image.height, " with ", image.pixels.size(),
                     " bytes; expected width * height * 3 bytes");
  PngWriter writer;
  for (int y = 0; y < image.height; ++y)  // libpng's row pointers are not const, but it only reads them
    writer.rows.push_back(const_cast<png_bytep>(image.pixels.data() + size_t(y) * size_t(image.width) * 3));
  if (!write_rows(writer, image.width, image.height)) throw Error("encode_png: ", writer.message);
  return std::move(writer.output);
}

}  // namespace limoe
