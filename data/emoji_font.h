// Emoji sequences as pictures: HarfBuzz turns code points into a glyph, FreeType reads the glyph's colour
// bitmap.
//
// Noto Color Emoji (Debian fonts-noto-color-emoji) has one strike of 136 x 128 pixels, BGRA with
// premultiplied alpha. A picture is composited on white, c = c' + 255 (1 - a), and centred in a white square
// of the longer side.
//
// One object serves one thread. A missing or unsuitable font, and a sequence the font has no single picture
// for, are a FileError.
#pragma once

#include <memory>
#include <string>

#include "data/image.h"

namespace limoe {

// Code points as Unicode's tables write them: "1F9D1 200D 1F680".
std::string hexadecimal(const std::u32string& codepoints);

class EmojiFont {
 public:
  explicit EmojiFont(const std::string& path = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf");
  ~EmojiFont();

  Image draw(const std::u32string& codepoints);

 private:
  struct Handles;
  std::string path_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace limoe
