// The pictures of a page. Each is embedded once, as a PNG in a data URI, and drawn wherever it is needed,
// with its pixels left visible.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/image.h"

namespace limoe {

class PictureStore {
 public:
  // A picture's id; the same picture has the same id. Larger ones are scaled down: side pixels suffice.
  std::string add(const Image& square);

  // The definitions, once for the page; they take no room.
  std::string definitions_html() const;

  size_t size() const { return definitions_.size(); }

  static constexpr int kSide = 112;

 private:
  std::map<std::vector<uint8_t>, std::string> ids_;  // by PNG
  std::vector<std::string> definitions_;
};

// A picture is 100 x 100 units large.
inline constexpr double kPictureUnits = 100;

// <svg> that shows the picture, with `overlay` drawn over it (SVG; a `view` may cut out a
// part: "x y width height"). `title` is what a reader who points at it is told.
std::string picture_html(const std::string& id, const std::string& title, const std::string& overlay = "",
                         const std::string& view = "0 0 100 100", const std::string& classes = "");

}  // namespace limoe
