// A place in the source: the default argument of every collective is the place of its call, which errors name
// and which tells two barriers of one line apart by their columns.
//
// What std::source_location is, for compilers without it too: clang 14 has only the built-ins, which name
// file, line and column; g++ 12 knows no built-in for the column but has std::source_location.
#pragma once

#include <version>
#ifdef __cpp_lib_source_location
#include <source_location>
#endif

namespace limoe::cuda::sim {

struct Where {
  const char* file = "";
  unsigned line = 0, column = 0;

#ifdef __cpp_lib_source_location
  static constexpr Where current(const std::source_location& at = std::source_location::current()) {
    return {at.file_name(), at.line(), at.column()};
  }
#else
  static constexpr Where current(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE(),
                                 unsigned column = __builtin_COLUMN()) {
    return {file, line, column};
  }
#endif
};

}  // namespace limoe::cuda::sim
