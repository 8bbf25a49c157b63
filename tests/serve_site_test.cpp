// What the page of `limoe serve` is told, without HTTP.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "models/serve/page.h"
#include "models/train/retrieval.h"
#include "ops/matmul.h"
#include "tensor/factory.h"
#include "tests/support/serve_fixture.h"

using namespace limoe;
using namespace limoe::testing;
using nlohmann::json;

namespace {

json asked(const std::string& target, bool dense = false) {
  const Reply reply = served_site(dense)->answer(target);
  INFO(target, ": ", reply.body.substr(0, 200));
  CHECK(reply.status == 200);
  CHECK(reply.type == "application/json");
  return json::parse(reply.body);
}

// The status; and that an error is one line of JSON and nothing else.
int status_of(const std::string& target, bool dense = false) {
  const Reply reply = served_site(dense)->answer(target);
  if (reply.status == 200) return 200;
  const json error = json::parse(reply.body);
  CHECK(error.size() == 1);
  const std::string text = error.at("error");
  CHECK(!text.empty());
  CHECK(text.find('\n') == std::string::npos);
  CHECK(text.size() < 400);
  return reply.status;
}

std::vector<float> scores_of(const std::string& phrase) {
  const LoadedModel loaded = served_model();
  const Tensor images =
      embed_images(*loaded.model, kServedPictures, [](int64_t i) { return numbered_image(12, 12, int(i)); });
  const Tensor text = embed_texts(*loaded.model, *loaded.tokenizer, {phrase});
  return to_vector<float>(matmul_forward(text, images, {.b = true}));
}

}  // namespace

TEST_CASE("serve: a phrase ranks pictures as embeddings compared by hand do") {
  for (const std::string phrase : {"thing", "a red heart", "7"}) {
    const std::vector<float> scores = scores_of(phrase);
    const std::vector<int64_t> best = best_of(scores, 24);
    std::string encoded = phrase;
    for (size_t at; (at = encoded.find(' ')) != std::string::npos;) encoded.replace(at, 1, "+");
    const json found = asked("/api/search?q=" + encoded);
    CHECK(found["phrase"] == phrase);
    REQUIRE(found["results"].size() == best.size());
    for (size_t i = 0; i < best.size(); ++i) {
      CHECK(found["results"][i]["picture"] == best[i]);
      CHECK(!(std::abs(found["results"][i]["score"].get<double>() - double(scores[size_t(best[i])])) > 1e-6));
      CHECK(found["results"][i]["caption"] == "thing " + std::to_string(best[i]) + ", numbered");
    }
  }
  CHECK(asked("/api/search?q=a&top=3")["results"].size() == 3);
  CHECK(asked("/api/search?q=a&top=200")["results"].size() == size_t(kServedPictures));
}

TEST_CASE("serve: the experts of a phrase and of a picture are those of the model") {
  const LoadedModel loaded = served_model();
  const TextExperts text = experts_of_texts(*loaded.model, *loaded.tokenizer, {"red heart"})[0];
  const json found = asked("/api/search?q=red%20heart");
  CHECK(found["pieces"].size() == text.pieces.size());
  CHECK(found["words"][1]["text"] == "heart");
  const ImageExperts image = experts_of_images(*loaded.model, {numbered_image(12, 12, 5)})[0];
  const json picture = asked("/api/pictures/5");
  CHECK(picture["rows"] == 3);
  CHECK(picture["caption"] == "thing 5, numbered");
  REQUIRE(picture["layers"].size() == image.choices.layers());
  for (size_t layer = 0; layer < image.choices.layers(); ++layer) {
    CHECK(picture["layers"][layer]["block"] == asked("/api/info")["layers"][layer]["block"]);
    for (int64_t k = 0; k < 2; ++k) {
      for (int64_t token = 0; token < 9; ++token)
        CHECK(picture["layers"][layer]["experts"][size_t(token)][size_t(k)] ==
              image.choices.at(layer, token, k).expert);
      for (int64_t token = 0; token < text.choices.tokens(); ++token)
        CHECK(found["layers"][layer]["experts"][size_t(token)][size_t(k)] ==
              text.choices.at(layer, token, k).expert);
    }
  }
}

TEST_CASE("serve: what an expert likes names pictures and words that there are, and loads that add up") {
  const json info = asked("/api/info");
  CHECK(info["pictures"] == kServedPictures);
  CHECK(info["colors"].size() == 4);
  for (const json& layer : info["layers"]) {
    double image = 0, text = 0;
    for (int expert = 0; expert < 4; ++expert) {
      const json likes =
          asked("/api/experts?layer=" + layer["block"].dump() + "&expert=" + std::to_string(expert));
      image += likes["image_load"].get<double>();
      text += likes["text_load"].get<double>();
      for (const json& patch : likes["patches"]) {
        CHECK(patch["picture"].get<int64_t>() < kServedPictures);
        CHECK(patch["row"].get<int64_t>() < 3);
      }
    }
    CHECK(!(std::abs(image - 1) > 0.01));
    CHECK(!(std::abs(text - 1) > 0.01));
  }
}

TEST_CASE("serve: a picture is a PNG of what the model sees, and may be kept") {
  const Reply reply = served_site()->answer("/api/pictures/3.png?v=1");
  CHECK(reply.type == "image/png");
  CHECK(reply.may_be_kept);
  const Image image = decode_image(std::vector<uint8_t>(reply.body.begin(), reply.body.end()), "picture");
  CHECK(image.width == 12);
  CHECK(image.pixels == numbered_image(12, 12, 3).pixels);
}

TEST_CASE("serve: an empty phrase shows pictures without scores; strange ones are searched like any other") {
  const json empty = asked("/api/search?q=");
  CHECK(empty["results"].size() == 24);
  CHECK(empty["results"][0]["score"].is_null());
  CHECK(empty["words"].empty());
  CHECK(asked("/api/search?q=+%20+")["results"][0]["score"].is_null());
  for (const std::string target :
       {"%F0%9F%92%9C", "%D0%BA%D0%BE%D1%82", "%3Cscript%3E", "%22%27%5C", "...", "%E2%80%8B"}) {
    const json found = asked("/api/search?q=" + target);
    CHECK(found["results"].size() == 24);
    CHECK(found["results"][0]["score"].is_number());
  }
  CHECK(asked("/api/search?q=" + std::string(kLongestPhrase, 'a'))["cut"] == true);
  CHECK(asked("/api/search?q=short")["cut"] == false);
  CHECK(status_of("/api/search?q=" + std::string(kLongestPhrase + 1, 'a')) == 400);
}

TEST_CASE("serve: phrases to try are beginnings of captions, the same for the same seed") {
  const json some = asked("/api/surprise?count=5&seed=3");
  CHECK(some["phrases"].size() == 5);
  CHECK(some == asked("/api/surprise?count=5&seed=3"));
  CHECK(some["phrases"][0].get<std::string>().starts_with("thing "));
  CHECK(phrase_of("red heart, emotion") == "red heart");
}

TEST_CASE("serve: a dense model is said to be one, and is searched all the same") {
  CHECK(asked("/api/info", true)["dense"] == true);
  CHECK(asked("/api/info", true)["layers"].empty());
  CHECK(asked("/api/search?q=thing", true)["results"].size() == 24);
  CHECK(asked("/api/pictures/0", true)["layers"].empty());
  CHECK(status_of("/api/experts?layer=1&expert=0", true) == 404);
}

TEST_CASE("serve: what is wrong with a request is a 400, what is not there a 404") {
  for (const std::string target : {"",
                                   "x",
                                   "/api/search",
                                   "/api/search?q=a&q=b",
                                   "/api/search?q=%",
                                   "/api/search?q=%4",
                                   "/api/search?q=%zz",
                                   "/api/search?q=%ff",
                                   "/api/search?q=%00",
                                   "/api/search?q=a%0d%0ab",
                                   "/api/search?q=%c0%af",
                                   "/api/search?q=%ed%a0%80",
                                   "/api/search?q=a&top=0",
                                   "/api/search?q=a&top=-1",
                                   "/api/search?q=a&top=201",
                                   "/api/search?q=a&top=1e3",
                                   "/api/search?q=a&top=99999999999999999999",
                                   "/api/search?q=a&file=/etc/passwd",
                                   "/api/info?x=1",
                                   "/api/pictures/0?v=1",
                                   "/api/pictures/0.png?w=1",
                                   "/api/experts",
                                   "/%00",
                                   "/api/experts?layer=1",
                                   "/api/experts?layer=1&expert=4",
                                   "/api/experts?layer=1&expert=-1",
                                   "/api/experts?layer=9&expert=0",
                                   "/api/surprise?count=51",
                                   "/api/surprise?seed=-1"}) {
    INFO(target);
    CHECK(status_of(target) == 400);
  }
  for (const std::string target :
       {"/x", "//", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/pictures/../../../etc/passwd",
        "/api/pictures/40", "/api/pictures/-1", "/api/pictures/", "/api/pictures/.png",
        "/api/pictures/1.png.png", "/api/pictures/0x1", "/api/pictures/ 1",
        "/api/pictures/99999999999999999999.png", "/api/pictures/1/", "/api", "/index.html",
        "/api/experts?layer=0&expert=0"}) {
    INFO(target);
    CHECK(status_of(target) == 404);
  }
}

TEST_CASE("serve: whatever is asked has an answer") {
  std::mt19937 random{11};
  const std::string parts[] = {"/api/search",
                               "/api/pictures/",
                               "/api/experts",
                               "?q=",
                               "&",
                               "=",
                               "%",
                               "%f0",
                               "..",
                               "/",
                               "layer=1",
                               "top=9",
                               ".png",
                               "1e",
                               "#",
                               "\xff",
                               std::string(1, '\0'),
                               "expert=2",
                               "?",
                               "-",
                               "+",
                               "\n",
                               "999"};
  int found = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string target = random() % 4 ? "/api/" : "";
    for (size_t n = random() % 8; n > 0; --n) target += parts[random() % std::size(parts)];
    const int status = status_of(target);
    CHECK((status == 200 || status == 400 || status == 404));
    found += status == 404;
  }
  CHECK(found > 100);
}

TEST_CASE("serve: the page reaches for nothing outside, and makes no HTML of data") {
  const std::string page(kPage);
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.ends_with("</html>\n"));
  for (const char* outside : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                              "<link", "<iframe", "@import", "url(", "https://", "src=\""}) {
    INFO(outside);
    CHECK(page.find(outside) == std::string::npos);
  }
}

TEST_CASE(
    "gallery: the first shelves come whole, the one that does not fit is thinned, none is taken twice") {
  using Places = std::vector<std::vector<int64_t>>;
  CHECK(chosen_places({3, 10}, 100) == Places{{0, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}});
  CHECK(chosen_places({3, 10, 5}, 5) == Places{{0, 1, 2}, {0, 5}, {}});
  Gallery gallery({numbered_shelf("a", 4), broken_shelf(2), numbered_shelf("b", 6, 2)});
  int64_t taken = 0;
  gallery.fill(
      100, 12, [&](const Image&) { ++taken; }, [](int64_t, int64_t) {});
  CHECK(taken == 8);
  CHECK(gallery.size() == 8);
  CHECK(gallery.source(3) == "a");
  CHECK(gallery.caption(4) == "thing 4, numbered");
  CHECK(gallery.source(4) == "b");
  CHECK(gallery.warnings() ==
        std::vector<std::string>{"left out: picture 0: is broken", "left out: picture 1: is broken"});
}

TEST_CASE("gallery: none that can be read is an error, and captions are made safe to show") {
  const auto ignore = [](const Image&) {};
  const auto unseen = [](int64_t, int64_t) {};
  Gallery broken({broken_shelf(2)});
  CHECK_THROWS_WITH_AS(broken.fill(9, 12, ignore, unseen), doctest::Contains("none of 2 pictures"),
                       FileError);
  CHECK_THROWS_AS(Collection(served_model(), {numbered_shelf("a", 1)}, 0, EmbedProgress{}), ValueError);
  Shelf strange = numbered_shelf("strange", 3);
  strange.caption = [](int64_t i) {
    return i == 0 ? "two\nlines" : i == 1 ? "not \xff UTF-8" : std::string(399, 'a') + "\xC3\xA9\xC3\xA9";
  };
  Gallery gallery({strange});
  gallery.fill(9, 12, ignore, unseen);
  CHECK(gallery.caption(0) == "two lines");
  CHECK(gallery.caption(1) == "(not UTF-8)");
  CHECK(gallery.caption(2) == std::string(399, 'a') + "…");
}
