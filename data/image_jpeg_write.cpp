// Writing JPEG through libjpeg-turbo, for pictures that only have to be of a realistic size and texture.

// jpeglib.h needs FILE and size_t declared before it.
// clang-format off
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
// clang-format on

#include <csetjmp>
#include <cstdlib>

#include "data/image.h"
#include "tensor/error.h"

namespace limoe {
namespace {

struct JpegWriter {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape;
  unsigned char* bytes = nullptr;  // malloc'ed by libjpeg
  unsigned long size = 0;
  char message[JMSG_LENGTH_MAX] = "";

  JpegWriter();
  ~JpegWriter() {
    jpeg_destroy_compress(&encoder);
    std::free(bytes);
  }
};

[[noreturn]] void on_error(j_common_ptr common) {
  auto* writer = static_cast<JpegWriter*>(common->client_data);
  common->err->format_message(common, writer->message);
  std::longjmp(writer->escape, 1);
}

JpegWriter::JpegWriter() {
  encoder.err = jpeg_std_error(&errors);
  errors.error_exit = on_error;
  encoder.client_data = this;
}

bool write_rows(JpegWriter& writer, const Image& image, int quality) {
  if (setjmp(writer.escape)) return false;
  jpeg_compress_struct& encoder = writer.encoder;
  jpeg_create_compress(&encoder);
  jpeg_mem_dest(&encoder, &writer.bytes, &writer.size);
  encoder.image_width = static_cast<unsigned>(image.width);
  encoder.image_height = static_cast<unsigned>(image.height);
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, quality, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < encoder.image_height) {
    // libjpeg's row pointers are not const, but it only reads them.
    JSAMPROW row =
        const_cast<uint8_t*>(image.pixels.data()) + size_t{encoder.next_scanline} * size_t(image.width) * 3;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  return true;
}

}  // namespace

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  const int64_t bytes = int64_t{image.width} * image.height * 3;
  if (image.width < 1 || image.height < 1 || bytes != static_cast<int64_t>(image.pixels.size()))
    throw ValueError("encode_jpeg: image is ", image.width, " x ", image.height, " with ",
                     image.pixels.size(), " bytes; expected width * height * 3 bytes");
  if (quality < 1 || quality > 100)
    throw ValueError("encode_jpeg: quality is ", quality, "; expected 1 to 100");
  JpegWriter writer;
  if (!write_rows(writer, image, quality)) throw Error("encode_jpeg: ", writer.message);
  return {writer.bytes, writer.bytes + writer.size};
}

}  // namespace limoe
