#include "models/report/picture_store.h"

#include "data/square.h"
#include "models/report/html.h"

namespace limoe {

std::string PictureStore::add(const Image& square) {
  const Image shown = square.width > kSide ? fit_square(square, kSide) : square;
  const std::vector<uint8_t> png = encode_png(shown);
  const auto [entry, is_new] = ids_.try_emplace(png, "p" + std::to_string(ids_.size()));
  if (is_new)
    definitions_.push_back("<image id=\"" + entry->second +
                           "\" width=\"100\" height=\"100\" href=\"data:image/png;base64," + base64(png) +
                           "\"/>\n");
  return entry->second;
}

std::string PictureStore::definitions_html() const {
  std::string html = "<svg width=\"0\" height=\"0\" class=\"store\" aria-hidden=\"true\"><defs>\n";
  for (const std::string& definition : definitions_) html += definition;
  return html + "</defs></svg>\n";
}

std::string picture_html(const std::string& id, const std::string& title, const std::string& overlay,
                         const std::string& view, const std::string& classes) {
  return "<svg class=\"picture " + classes + "\" viewBox=\"" + view + "\" role=\"img\"><title>" +
         escaped(title) + "</title><use href=\"#" + id + "\"/>" + overlay + "</svg>";
}

}  // namespace limoe
