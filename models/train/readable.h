// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace limoe {

std::string grouped_digits(int64_t number);  // 5554000 -> "5,554,000"
std::string counted(int64_t number, const char* noun);  // "1 thread", "2,000 threads"
std::string with_decimals(double number, int decimals);
std::string readable_bytes(double bytes);      // "1.43 GiB"
std::string readable_seconds(double seconds);  // "4.2 s", "3:05 min", "2:10:00 h"

}  // namespace limoe
