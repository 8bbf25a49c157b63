// What a request asks for: its target, strictly decoded.
//
//   /api/search?q=a%20red+heart&top=12   ->   path "/api/search", values {q: "a red heart", top: "12"}
//
// A path and a value are UTF-8 without control characters; "%" is followed by two hexadecimal digits; a key
// comes once. In a value "+" is a space. Everything else is a RequestError, which carries the HTTP status and
// whose text is the one line the client gets.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "tensor/error.h"
#include "tensor/utf8.h"

namespace limoe {

struct RequestError : Error {
  template <class... Parts>
  explicit RequestError(int http_status, const Parts&... parts) : Error(parts...), status(http_status) {}
  int status;
};

struct Request {
  std::string path;
  std::map<std::string, std::string> values;

  // Status 400 naming the keys there are, unless every key is one of them.
  void expect_keys(std::initializer_list<const char*> known) const;
  const std::string& text(const std::string& key) const;  // status 400 where it is missing
  // Status 400 for what is no whole number in [least, most]; `otherwise` where it is missing.
  int64_t number(const std::string& key, int64_t least, int64_t most, int64_t otherwise) const;
  int64_t number(const std::string& key, int64_t least, int64_t most) const;  // must be there
};

Request parse_target(std::string_view target);

// A whole number of digits alone in [least, most]; status `status` otherwise, naming `what`.
int64_t whole_number(std::string_view digits, const std::string& what, int64_t least, int64_t most,
                     int status);

}  // namespace limoe
