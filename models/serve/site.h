// What the page of `limoe serve` can ask, and the answers: everything about the site but HTTP itself.
//
//   GET /                         the page (page.html)
//   GET /api/info                 the run, the pictures, the layers with experts and their load
//   GET /api/search?q=&top=24     the pictures most like a phrase, and which expert took which of its words.
//                                 An empty phrase has no scores: pictures from all over the set
//   GET /api/pictures/N           picture N: caption, and which expert took which patch and word
//   GET /api/pictures/N.png       the square of it that the model sees; `v` may hold anything
//   GET /api/experts?layer=&expert=    the patches and words an expert likes best; layer: the block's number
//   GET /api/surprise?count=12    phrases out of captions; the same ones for the same `seed`, if given
//
// Every answer but the page and the pictures is a JSON object; docs/serve.md has each field. An error is
// {"error": "one line"}: 400 for a value that is not as expected, 404 for what is not there, 500 where the
// fault is ours. `layers` of a phrase or picture holds, for each layer with experts in the order of
// /api/info, {block, experts, gates, dropped}, each a list over tokens of lists over a token's K choices.
// Pictures are numbers: no name of a file is ever taken from a client.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "models/serve/collection.h"
#include "models/serve/request.h"

namespace limoe {

inline constexpr size_t kLongestPhrase = 2000;  // bytes
inline constexpr int64_t kMostResults = 200;

struct Reply {
  int status = 200;
  std::string type, body;
  bool may_be_kept = false;  // by the browser: a picture under its version
};

Reply error_reply(int status, const std::string& message);

class Site {
 public:
  // `name`: of the run, for people.
  Site(std::shared_ptr<const Collection> collection, std::string name);

  Reply answer(std::string_view target) const;  // from any thread; throws nothing for whatever is asked
  const Collection& collection() const { return *collection_; }

 private:
  Reply route(const Request& request) const;
  Reply info(const Request& request) const;
  Reply search(const Request& request) const;
  Reply picture(const Request& request) const;
  Reply expert(const Request& request) const;
  Reply surprise(const Request& request) const;

  std::shared_ptr<const Collection> collection_;
  std::string name_, version_;  // version: of the pictures' addresses, another for each Site
};

// The beginning of a caption that reads as a phrase: up to its first comma.
std::string phrase_of(const std::string& caption);

}  // namespace limoe
