#include "models/train/readable.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace limoe {

std::string grouped_digits(int64_t number) {
  std::string digits = std::to_string(number);
  const int64_t first = number < 0 ? 1 : 0;
  for (int64_t at = int64_t(digits.size()) - 3; at > first; at -= 3) digits.insert(size_t(at), ",");
  return digits;
}

std::string counted(int64_t number, const char* noun) {
  return grouped_digits(number) + ' ' + noun + (number == 1 ? "" : "s");
}

std::string with_decimals(double number, int decimals) {
  std::array<char, 400> text{};  // DBL_MAX has 309 digits
  std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
  return text.data();
}

std::string readable_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  const int decimals = unit == 0 || bytes >= 100 ? 0 : bytes >= 10 ? 1 : 2;
  return with_decimals(bytes, decimals) + " " + kUnits[unit];
}

std::string readable_seconds(double seconds) {
  if (seconds < 60) return with_decimals(seconds, seconds < 10 ? 1 : 0) + " s";
  const int64_t whole = std::llround(seconds);
  std::array<char, 32> text{};
  if (whole < 3600)
    std::snprintf(text.data(), text.size(), "%d:%02d min", int(whole / 60), int(whole % 60));
  else
    std::snprintf(text.data(), text.size(), "%lld:%02d:%02d h", static_cast<long long>(whole / 3600),
                  int(whole / 60 % 60), int(whole % 60));
  return text.data();
}

}  // namespace limoe
