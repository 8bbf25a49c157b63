#include "models/serve/request.h"

#include <algorithm>
#include <charconv>

namespace limoe {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text, bool plus_is_space, const char* what) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += plus_is_space && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      throw RequestError(400, what, ": \"%\" at byte ", i, "; expected two hexadecimal digits after it");
    result += char(high * 16 + low);
    i += 2;
  }
  if (!is_utf8(result)) throw RequestError(400, what, ": is not UTF-8; expected UTF-8, percent-encoded");
  for (const char c : result)
    if (uint8_t(c) < 0x20 || c == 0x7f)
      throw RequestError(400, what, ": holds the control character ", int(c), "; expected printable text");
  return result;
}

void add_value(Request& request, std::string_view pair) {
  const size_t equals = pair.find('=');
  const std::string key = decoded(pair.substr(0, equals), true, "query");
  const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
  if (!request.values.emplace(key, decoded(value, true, "query")).second)
    throw RequestError(400, "query: holds a key more than once; expected each once");
}

}  // namespace

int64_t whole_number(std::string_view digits, const std::string& what, int64_t least, int64_t most,
                     int status) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool plain =
      !digits.empty() && digits[0] != '-' && error == std::errc{} && end == digits.data() + digits.size();
  if (!plain || value < least || value > most)
    throw RequestError(status, what, ": is \"", digits.substr(0, 24), "\"; expected ",
                       most < least ? "nothing, for there are none" : concatenate(least, " to ", most));
  return value;
}

void Request::expect_keys(std::initializer_list<const char*> known) const {
  for (const auto& [key, value] : values) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string list;
    for (const char* name : known) list += (list.empty() ? "" : ", ") + std::string(name);
    throw RequestError(400, path, ": does not know one of the keys of the query; expected ",
                       list.empty() ? "none" : list);
  }
}

const std::string& Request::text(const std::string& key) const {
  const auto found = values.find(key);
  if (found == values.end()) throw RequestError(400, path, ": ", key, " is missing; expected a value");
  return found->second;
}

int64_t Request::number(const std::string& key, int64_t least, int64_t most) const {
  return whole_number(text(key), key, least, most, 400);
}

int64_t Request::number(const std::string& key, int64_t least, int64_t most, int64_t otherwise) const {
  return values.count(key) ? number(key, least, most) : otherwise;
}

Request parse_target(std::string_view target) {
  if (target.empty() || target[0] != '/')
    throw RequestError(400, "request: the target does not begin with \"/\"; expected a path");
  const size_t mark = target.find('?');
  Request request;
  request.path = decoded(target.substr(0, mark), false, "path");
  std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!query.empty()) {
    const size_t end = query.find('&');
    if (end != 0) add_value(request, query.substr(0, end));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return request;
}

}  // namespace limoe
