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

#include <algorithm>
#include <csetjmp>

#include "data/image.h"
#include "data/image_codecs.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr const char* kExpected = "; expected a whole JPEG file";
// Far more than any camera writes; each costs a pass over the picture.
constexpr int kMaxScans = 200;

struct JpegReader {
  jpeg_decompress_struct decoder{};
  jpeg_progress_mgr progress{};
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

void on_progress(j_common_ptr common) {
  if (reinterpret_cast<j_decompress_ptr>(common)->input_scan_number <= kMaxScans) return;
  auto* reader = static_cast<JpegReader*>(common->client_data);
  std::snprintf(reader->message, sizeof reader->message, "more than %d scans", kMaxScans);
  std::longjmp(reader->escape, 1);
}

JpegReader::JpegReader() {
  progress.progress_monitor = on_progress;
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
  reader.decoder.progress = &reader.progress;
  return true;
}

bool read_rows(JpegReader& reader) {
  if (setjmp(reader.escape)) return false;
  jpeg_start_decompress(&reader.decoder);
  if (size_t{reader.decoder.output_width} * reader.decoder.output_height *
          size_t(reader.decoder.output_components) !=
      reader.rows.size())
    ERREXIT(&reader.decoder, JERR_BAD_LENGTH);
  const size_t stride = size_t{reader.decoder.output_width} * size_t(reader.decoder.output_components);
  while (reader.decoder.output_scanline < reader.decoder.output_height) {
    JSAMPROW row = reader.rows.data() + size_t{reader.decoder.output_scanline} * stride;
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

// The largest of 1, 2, 4, 8 to divide the sides by. Others than these have no vector code.
int reduction_of(const jpeg_decompress_struct& decoder, int least_side) {
  const int64_t shorter = std::min(decoder.image_width, decoder.image_height);
  int divisor = 1;
  while (least_side > 0 && divisor < 8 && shorter / (2 * divisor) >= int64_t{kReductionMargin} * least_side)
    divisor *= 2;
  return divisor;
}

// A picture in several scans is held as coefficients, two bytes each, before any row of it is ready.
int64_t coefficient_bytes(jpeg_decompress_struct& decoder) {
  if (!jpeg_has_multiple_scans(&decoder)) return 0;
  int64_t bytes = 0;
  for (int i = 0; i < decoder.num_components; ++i) {
    const jpeg_component_info& component = decoder.comp_info[i];
    bytes += int64_t{component.width_in_blocks} * component.height_in_blocks * int64_t{sizeof(JBLOCK)};
  }
  return bytes;
}

// libjpeg holds some rows of blocks: as coefficients, as samples, and enlarged to the picture's size.
int64_t row_bytes(const jpeg_decompress_struct& decoder) {
  constexpr int64_t kCopies = 4;
  return kCopies * (int64_t{decoder.image_width} + DCTSIZE * MAX_SAMP_FACTOR) * decoder.num_components *
         decoder.max_v_samp_factor * DCTSIZE;
}

}  // namespace

Image decode_jpeg(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels,
                  int least_side) {
  JpegReader reader;
  jpeg_decompress_struct& decoder = reader.decoder;
  if (!read_header(reader, file)) throw FileError(name, ": JPEG header: ", reader.message, kExpected);
  check_pixel_limit(name, decoder.image_width, decoder.image_height, max_pixels);

  const int divisor = reduction_of(decoder, least_side);
  const auto reduced = [&](int64_t side) { return (side + divisor - 1) / divisor; };
  const int64_t width = reduced(decoder.image_width), height = reduced(decoder.image_height);
  const bool four_inks = decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  const bool inverted = decoder.saw_Adobe_marker;
  const int64_t needed =
      width * height * (four_inks ? 7 : 3) + coefficient_bytes(decoder) + row_bytes(decoder);
  check_memory(name, decoder.image_width, decoder.image_height, needed, file.size());

  decoder.scale_num = 1;
  decoder.scale_denom = static_cast<unsigned>(divisor);
  decoder.out_color_space = four_inks ? JCS_CMYK : JCS_RGB;
  reader.rows.resize(static_cast<size_t>(width * height) * (four_inks ? 4 : 3));
  if (!read_rows(reader)) throw FileError(name, ": JPEG data: ", reader.message, kExpected);
  return {static_cast<int>(width), static_cast<int>(height),
          four_inks ? cmyk_to_rgb(reader.rows, inverted) : std::move(reader.rows)};
}

}  // namespace limoe
