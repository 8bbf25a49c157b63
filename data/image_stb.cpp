// BMP, and the first picture of a GIF, through stb_image.
//
// stb_image is made for files one trusts. It is given only what image_headers.h has passed, with the two
// decoders that are needed and no other, and can allocate no more than the file's budget.
#include "data/image_codecs.h"
#include "data/image_headers.h"
#include "tensor/error.h"

#ifdef LIMOE_HAVE_STB

#include <cstdlib>
#include <memory>

namespace limoe {
namespace {

thread_local int64_t stb_bytes_left = 0;  // counts down only: frees are not given back

void* stb_allocate(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(stb_bytes_left)) return nullptr;
  stb_bytes_left -= static_cast<int64_t>(bytes);
  return std::malloc(bytes);
}

void* stb_reallocate(void* memory, std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(stb_bytes_left)) return nullptr;
  stb_bytes_left -= static_cast<int64_t>(bytes);
  return std::realloc(memory, bytes);
}

}  // namespace
}  // namespace limoe

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_ASSERT(condition) ((void)0)
#define STBI_MALLOC(bytes) limoe::stb_allocate(bytes)
#define STBI_REALLOC(memory, bytes) limoe::stb_reallocate(memory, bytes)
#define STBI_FREE(memory) std::free(memory)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wtype-limits"
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace limoe {
namespace {

// stb_image's GIF decoder holds the canvas as RGBA twice and a byte a pixel of history, and its state.
constexpr int64_t kBytesPerPixel = 9 + 3;
constexpr int64_t kStateBytes = 1 << 17;

Image decode_checked(std::span<const uint8_t> file, const std::string& name, const char* format,
                     const PictureSize& size, int64_t max_pixels) {
  check_pixel_limit(name, size.width, size.height, max_pixels);
  const int64_t pixels = size.width * size.height, needed = pixels * kBytesPerPixel + kStateBytes;
  check_memory(name, size.width, size.height, needed, file.size());
  stb_bytes_left = needed;
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, decltype(&std::free)> rgba(
      stbi_load_from_memory(file.data(), static_cast<int>(file.size()), &width, &height, &channels, 4),
      &std::free);
  if (rgba == nullptr)
    throw FileError(name, ": ", format, ": ", stbi_failure_reason(), "; expected a whole ", format, " file");
  if (width != size.width || height != size.height)
    throw FileError(name, ": ", format, ": is ", width, " x ", height, " pixels; expected ", size.width,
                    " x ", size.height, ", as its header says");
  Image image{width, height, std::vector<uint8_t>(static_cast<std::size_t>(pixels) * 3)};
  composite_on_white(rgba.get(), static_cast<std::size_t>(pixels), image.pixels.data());
  return image;
}

}  // namespace

bool stb_image_is_built_in() {
  return true;
}

Image decode_bmp(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels) {
  return decode_checked(file, name, "BMP", check_bmp(file, name), max_pixels);
}

Image decode_gif(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels) {
  return decode_checked(file, name, "GIF", check_gif(file, name), max_pixels);
}

}  // namespace limoe

#else

namespace limoe {

bool stb_image_is_built_in() {
  return false;
}

Image decode_bmp(std::span<const uint8_t>, const std::string& name, int64_t) {
  throw FileError(name,
                  ": picture is BMP, and limoe was built without stb_image; expected PNG or JPEG, or a ",
                  "build with it (Debian: libstb-dev)");
}

Image decode_gif(std::span<const uint8_t>, const std::string& name, int64_t) {
  throw FileError(name,
                  ": picture is GIF, and limoe was built without stb_image; expected PNG or JPEG, or a ",
                  "build with it (Debian: libstb-dev)");
}

}  // namespace limoe

#endif
