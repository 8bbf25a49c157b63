// JPEG through libjpeg-turbo.
//
// libjpeg ends the program on an error unless told otherwise; here errors longjmp back and become a
// FileError. As in image_png.cpp, all objects live outside of the frame that calls setjmp.

// jpeglib.h needs FILE and size_t declared before it.
// clang-format off
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>

#include "data/image.h"
#include "data/image_codecs.h"
#include "tensor/error.h"

namespace limoe {
namespace {

struct JpegReader {
  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape;
  std::vector<uint8_t> rows;
  char message[JMSG_LENGTH_MAX] = "";

  JpegReader();
  ~JpegReader() { jpeg_destroy_decompress(&decoder); }
};

[[noreturn]] void on_error(j_common_ptr common) {
  auto* reader = static_cast<JpegReader*>(common->client_data);
  common->err->format_message(common, reader->message);
  std::longjmp(reader->escape, 1);
}

// Missing data would be painted grey without a word, so it counts as an error. Stray bytes between segments
// do not: many cameras write them.
void on_message(j_common_ptr common, int level) {
  int code = common->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(common);
}

JpegReader::JpegReader() {
  decoder.err = jpeg_std_error(&errors);
  errors.error_exit = on_error;
  errors.emit_message = on_message;
  decoder.client_data = this;
}

bool read_header(JpegReader& reader, std::span<const uint8_t> file) {
  if (setjmp(reader.escape)) return false;
  jpeg_create_decompress(&reader.decoder);
  jpeg_mem_src(&reader.decoder, file.data(), file.size());
  jpeg_read_header(&reader.decoder, TRUE);
  return true;
}

bool read_rows(JpegReader& reader) {
  if (setjmp(reader.escape)) return false;
  jpeg_start_decompress(&reader.decoder);
  size_t row_bytes = size_t{reader.decoder.output_width} * size_t(reader.decoder.output_components);
  while (reader.decoder.output_scanline < reader.decoder.output_height) {
    JSAMPROW row = reader.rows.data() + size_t{reader.decoder.output_scanline} * row_bytes;
    jpeg_read_scanlines(&reader.decoder, &row, 1);
  }
  jpeg_finish_decompress(&reader.decoder);
  return true;
}

// Adobe's files hold inverted ink, 255 = none: r = c k / 255.
std::vector<uint8_t> cmyk_to_rgb(const std::vector<uint8_t>& cmyk, bool inverted) {
  std::vector<uint8_t> rgb(cmyk.size() / 4 * 3);
  for (size_t pixel = 0; pixel < cmyk.size() / 4; ++pixel)
    for (size_t channel = 0; channel < 3; ++channel) {
      int ink = cmyk[pixel * 4 + channel], black = cmyk[pixel * 4 + 3];
      if (!inverted) ink = 255 - ink, black = 255 - black;
      rgb[pixel * 3 + channel] = static_cast<uint8_t>((ink * black + 127) / 255);
    }
  return rgb;
}

}  // namespace

Image decode_jpeg(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels) {
  JpegReader reader;
  if (!read_header(reader, file)) throw FileError(name, ": JPEG header: ", reader.message);
  int64_t width = reader.decoder.image_width, height = reader.decoder.image_height;
  check_pixel_limit(name, width, height, max_pixels);

  bool four_inks = reader.decoder.jpeg_color_space == JCS_CMYK || reader.decoder.jpeg_color_space == JCS_YCCK;
  bool inverted = reader.decoder.saw_Adobe_marker;
  reader.decoder.out_color_space = four_inks ? JCS_CMYK : JCS_RGB;
  reader.rows.resize(static_cast<size_t>(width * height) * (four_inks ? 4 : 3));
  if (!read_rows(reader)) throw FileError(name, ": JPEG data: ", reader.message);
  return {static_cast<int>(width), static_cast<int>(height),
          four_inks ? cmyk_to_rgb(reader.rows, inverted) : std::move(reader.rows)};
}

}  // namespace limoe
