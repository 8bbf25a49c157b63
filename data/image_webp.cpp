// WebP through libwebp, lossy and lossless. A moving picture is refused: which of its frames a caption means
// is not known.
#include "data/image_codecs.h"
#include "tensor/error.h"

#ifdef LIMOE_HAVE_WEBP

#include <webp/decode.h>

#include "data/webp_memory.h"

namespace limoe {
namespace {

constexpr int kLossless = 2;  // WebPBitstreamFeatures::format

// libwebp unpacks a lossless picture to 4 bytes a pixel of its own, and the transparency of a lossy one to 1.
int64_t bytes_per_pixel(const WebPBitstreamFeatures& features) {
  const int64_t output = features.has_alpha ? 4 + 3 : 3;
  return output + (features.format == kLossless ? 4 : features.has_alpha ? 5 : 0);
}

}  // namespace

bool webp_is_built_in() {
  return true;
}

Image decode_webp(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK)
    throw FileError(name, ": WebP header: not readable, or the file ends early; expected a whole WebP file");
  const int64_t width = features.width, height = features.height;
  check_pixel_limit(name, width, height, max_pixels);
  if (features.has_animation) throw FileError(name, ": WebP is a moving picture; expected a still one");
  check_memory(name, width, height, width * height * bytes_per_pixel(features), file.size());
  const int64_t ours = width * height * (features.has_alpha ? 4 + 3 : 3);
  const WebpMemoryLimit limit(memory_budget(file.size()) - ours);

  const auto pixels = static_cast<size_t>(width * height);
  const int channels = features.has_alpha ? 4 : 3;
  const int stride = static_cast<int>(width) * channels;
  std::vector<uint8_t> decoded(pixels * static_cast<size_t>(channels));
  const auto decode = features.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(file.data(), file.size(), decoded.data(), decoded.size(), stride) == nullptr)
    throw FileError(
        name,
        ": WebP data: damaged, cut short, or needs more memory than its pixels do; expected a whole file");
  Image image{features.width, features.height, {}};
  if (features.has_alpha) {
    image.pixels.resize(pixels * 3);
    composite_on_white(decoded.data(), pixels, image.pixels.data());
  } else {
    image.pixels = std::move(decoded);
  }
  return image;
}

}  // namespace limoe

#else

namespace limoe {

bool webp_is_built_in() {
  return false;
}

Image decode_webp(std::span<const uint8_t>, const std::string& name, int64_t) {
  throw FileError(name, ": picture is WebP, and limoe was built without libwebp; expected PNG or JPEG, ",
                  "or a build with it (Debian: libwebp-dev)");
}

}  // namespace limoe

#endif
