// Errors, and the one format every message has:
//
//   <op or file>: <argument> is <what was found>; expected <what would have been right>
//
// What was found may be anything that a file held: control characters become '?', and the middle of what is
// too long is left out, so that every message is one line.
//
// An Error is built from any number of printable parts, so that a message with two shapes is one line of
// code:
//
//   throw ShapeError("matmul: b is ", b.shape(), "; expected [", k, ", *] because a is ", a.shape());
//
// User mistakes throw before anything is allocated or computed. Mistakes of our own are assert()s with a
// sentence. Nothing in the library prints or exits; only the `limoe` binary does.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace limoe {

// "2" " is " "[3, 4]"  ->  "2 is [3, 4]"
template <class... Parts>
std::string concatenate(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

inline std::string as_one_line(std::string text) {
  constexpr std::size_t kHead = 1500, kTail = 500;
  if (text.size() > kHead + kTail) {
    const auto is_inside_character = [&](std::size_t at) { return (text[at] & 0xc0) == 0x80; };
    std::size_t head = kHead, tail = text.size() - kTail;
    while (head > 0 && is_inside_character(head)) --head;
    while (tail < text.size() && is_inside_character(tail)) ++tail;
    text.replace(head, tail - head, " ... ");
  }
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return text;
}

struct Error : std::runtime_error {
  template <class... Parts>
  explicit Error(const Parts&... parts) : std::runtime_error(as_one_line(concatenate(parts...))) {}
};

// The kinds a caller may want to tell apart. Each inherits the constructor above.

// Sizes that do not fit together
struct ShapeError : Error {
  using Error::Error;
};

// Element types that do not fit together
struct DTypeError : Error {
  using Error::Error;
};

// A value out of its range
struct ValueError : Error {
  using Error::Error;
};

// A NaN or an infinity where only a number will do
struct NonFiniteError : ValueError {
  using ValueError::ValueError;
};

// Tensors on different machines, or a machine that is absent
struct DeviceError : Error {
  using Error::Error;
};

// A kernel that was launched wrongly or failed, by its name, or a call of the device's runtime that did
struct CudaError : Error {
  using Error::Error;
};

// No memory left: with bytes wanted, live and cached
struct OutOfMemoryError : Error {
  using Error::Error;
};

// A file that is missing, malformed or cannot be written
struct FileError : Error {
  using Error::Error;
};

// The program was called wrongly: exit status 2
struct UsageError : Error {
  using Error::Error;
};

}  // namespace limoe
