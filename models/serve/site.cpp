#include "models/serve/site.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "models/serve/page.h"
#include "models/serve/site_json.h"

namespace limoe {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kPictures = "/api/pictures/";
constexpr int64_t kMostSurprises = 50;

// Four patches of four experts; browsers ask for it.
constexpr const char* kIcon =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 4 4\"><path fill=\"#0072B2\" d=\"M0 0h2v2H0z\"/>"
    "<path fill=\"#E69F00\" d=\"M2 0h2v2H2z\"/><path fill=\"#009E73\" d=\"M0 2h2v2H0z\"/>"
    "<path fill=\"#D55E00\" d=\"M2 2h2v2H2z\"/></svg>\n";

Reply json_reply(const ordered_json& json, int status = 200) {
  return {.status = status,
          .type = "application/json",
          .body = json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n"};
}

// `count` of `size` things from all over.
std::vector<int64_t> spread(int64_t size, int64_t count) {
  std::vector<int64_t> chosen;
  const int64_t some = std::min(size, count);
  for (int64_t i = 0; i < some; ++i) chosen.push_back(i * size / some);
  return chosen;
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(' ') == std::string::npos;
}

}  // namespace

Reply error_reply(int status, const std::string& message) {
  return json_reply({{"error", message}}, status);
}

std::string phrase_of(const std::string& caption) {
  return caption.substr(0, caption.find(','));
}

Site::Site(std::shared_ptr<const Collection> collection, std::string name)
    : collection_(std::move(collection)),
      name_(std::move(name)),
      version_(std::to_string(std::random_device{}())) {}

Reply Site::answer(std::string_view target) const {
  try {
    return route(parse_target(target));
  } catch (const RequestError& error) {
    return error_reply(error.status, error.what());
  } catch (const std::exception& error) {
    return error_reply(500, error.what());
  }
}

Reply Site::route(const Request& request) const {
  if (request.path == "/") return {.type = "text/html; charset=utf-8", .body = std::string(kPage)};
  if (request.path == "/favicon.ico") return {.type = "image/svg+xml", .body = kIcon, .may_be_kept = true};
  if (request.path == "/api/info") return info(request);
  if (request.path == "/api/search") return search(request);
  if (request.path == "/api/experts") return expert(request);
  if (request.path == "/api/surprise") return surprise(request);
  if (request.path.starts_with(kPictures)) return picture(request);
  throw RequestError(404,
                     "there is no such page; expected /, /api/info, /api/search, /api/pictures/N, "
                     "/api/pictures/N.png, /api/experts or /api/surprise");
}

Reply Site::info(const Request& request) const {
  request.expect_keys({});
  return json_reply(info_json(*collection_, name_, version_));
}

Reply Site::search(const Request& request) const {
  request.expect_keys({"q", "top"});
  const std::string& phrase = request.text("q");
  const int64_t top = request.number("top", 1, kMostResults, 24);
  if (phrase.size() > kLongestPhrase)
    throw RequestError(400, "q: has ", phrase.size(), " bytes; expected at most ", kLongestPhrase);
  const bool blank = is_blank(phrase);
  const Found found =
      blank ? Found{spread(collection_->gallery().size(), top), {}} : collection_->search(phrase, top);
  ordered_json json{{"phrase", phrase}, {"cut", !blank && collection_->is_cut(phrase)}};
  json.update(text_json(*collection_, blank ? TextExperts{} : collection_->experts_of_phrase(phrase)));
  json["results"] = ordered_json::array();
  for (size_t i = 0; i < found.pictures.size(); ++i) {
    const ordered_json score = blank ? ordered_json(nullptr) : ordered_json(found.scores[i]);
    json["results"].push_back(result_json(*collection_, found.pictures[i], score));
  }
  return json_reply(json);
}

Reply Site::picture(const Request& request) const {
  std::string_view number = std::string_view(request.path).substr(kPictures.size());
  const bool png = number.ends_with(".png");
  if (png) number.remove_suffix(4);
  const int64_t index = whole_number(number, "picture", 0, collection_->gallery().size() - 1, 404);
  if (!png) {
    request.expect_keys({});
    return json_reply(picture_json(*collection_, index));
  }
  request.expect_keys({"v"});
  const std::vector<uint8_t> file =
      collection_->gallery().square_png(index, int(collection_->config().image_size));
  return {.type = "image/png", .body = std::string(file.begin(), file.end()), .may_be_kept = true};
}

Reply Site::expert(const Request& request) const {
  request.expect_keys({"layer", "expert"});
  const std::vector<int64_t>& blocks = collection_->blocks();
  if (blocks.empty()) throw RequestError(404, "layer: the model is dense; expected a model with experts");
  const int64_t block = request.number("layer", 0, collection_->config().layers - 1);
  const auto found = std::find(blocks.begin(), blocks.end(), block);
  if (found == blocks.end())
    throw RequestError(404, "layer: block ", block, " has no experts; expected one that /api/info names");
  const int64_t expert = request.number("expert", 0, collection_->config().experts - 1);
  return json_reply(expert_json(*collection_, size_t(found - blocks.begin()), expert));
}

Reply Site::surprise(const Request& request) const {
  request.expect_keys({"count", "seed"});
  const int64_t count = request.number("count", 1, kMostSurprises, 12);
  const int64_t seed = request.number("seed", 0, INT32_MAX, int64_t(std::random_device{}() >> 1));
  std::mt19937 random{uint32_t(seed)};
  const Gallery& gallery = collection_->gallery();
  std::set<std::string> seen;
  ordered_json phrases = ordered_json::array();
  for (int64_t tries = 0; tries < 8 * count && int64_t(seen.size()) < count; ++tries) {
    const std::string phrase = phrase_of(gallery.caption(int64_t(random() % uint32_t(gallery.size()))));
    if (!is_blank(phrase) && seen.insert(phrase).second) phrases.push_back(phrase);
  }
  return json_reply({{"phrases", phrases}});
}

}  // namespace limoe
