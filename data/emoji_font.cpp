// Drawing emoji with HarfBuzz and FreeType.
#include "data/emoji_font.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <hb-ft.h>
#include <hb.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tensor/error.h"

namespace limoe {

struct EmojiFont::Handles {
  FT_Library library = nullptr;
  FT_Face face = nullptr;
  hb_font_t* shaper = nullptr;
  hb_buffer_t* buffer = nullptr;

  ~Handles() {
    hb_buffer_destroy(buffer);
    hb_font_destroy(shaper);
    if (face != nullptr) FT_Done_Face(face);
    if (library != nullptr) FT_Done_FreeType(library);
  }
};

namespace {

Image composite_in_square(const FT_Bitmap& bitmap) {
  int width = static_cast<int>(bitmap.width), height = static_cast<int>(bitmap.rows);
  int side = std::max(width, height);
  Image image{side, side, std::vector<uint8_t>(size_t(side) * size_t(side) * 3, 255)};
  int left = (side - width) / 2, top = (side - height) / 2;
  for (int y = 0; y < height; ++y) {
    const uint8_t* from = bitmap.buffer + std::ptrdiff_t{y} * bitmap.pitch;
    uint8_t* to = image.pixels.data() + (size_t(top + y) * size_t(side) + size_t(left)) * 3;
    for (int x = 0; x < width; ++x, from += 4, to += 3)
      for (int channel = 0; channel < 3; ++channel)
        to[channel] = static_cast<uint8_t>(std::min(255, from[2 - channel] + 255 - from[3]));
  }
  return image;
}

}  // namespace

std::string hexadecimal(const std::u32string& codepoints) {
  std::ostringstream text;
  text << std::hex << std::uppercase;
  for (char32_t c : codepoints) text << (text.tellp() > 0 ? " " : "") << static_cast<uint32_t>(c);
  return text.str();
}

EmojiFont::EmojiFont(const std::string& path) : path_(path), handles_(std::make_unique<Handles>()) {
  if (!std::filesystem::exists(path))
    throw FileError(path,
                    ": is missing; it comes with Debian's package fonts-noto-color-emoji (apt install "
                    "fonts-noto-color-emoji)");
  if (FT_Init_FreeType(&handles_->library) != 0) throw Error("FreeType: cannot be initialised");
  if (FT_New_Face(handles_->library, path.c_str(), 0, &handles_->face) != 0)
    throw FileError(path, ": is not a font FreeType can read");
  if (!FT_HAS_COLOR(handles_->face) || FT_Select_Size(handles_->face, 0) != 0)
    throw FileError(path, ": has no colour bitmaps; expected a CBDT font such as Noto Color Emoji");
  handles_->shaper = hb_ft_font_create_referenced(handles_->face);
  handles_->buffer = hb_buffer_create();
}

EmojiFont::~EmojiFont() = default;

Image EmojiFont::draw(const std::u32string& codepoints) {
  hb_buffer_t* buffer = handles_->buffer;
  hb_buffer_clear_contents(buffer);
  hb_buffer_add_utf32(buffer, reinterpret_cast<const uint32_t*>(codepoints.data()),
                      static_cast<int>(codepoints.size()), 0, -1);
  hb_buffer_guess_segment_properties(buffer);
  hb_buffer_set_flags(buffer, HB_BUFFER_FLAG_REMOVE_DEFAULT_IGNORABLES);
  hb_shape(handles_->shaper, buffer, nullptr, 0);
  unsigned glyphs = 0;
  const hb_glyph_info_t* infos = hb_buffer_get_glyph_infos(buffer, &glyphs);
  if (glyphs != 1 || infos[0].codepoint == 0)
    throw FileError(path_, ": draws ", hexadecimal(codepoints), " as ", glyphs,
                    " glyphs; expected one (a font older than the emoji list?)");
  if (FT_Load_Glyph(handles_->face, infos[0].codepoint, FT_LOAD_COLOR) != 0 ||
      handles_->face->glyph->bitmap.pixel_mode != FT_PIXEL_MODE_BGRA)
    throw FileError(path_, ": has no colour bitmap for ", hexadecimal(codepoints));
  return composite_in_square(handles_->face->glyph->bitmap);
}

}  // namespace limoe
