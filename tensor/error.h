// Errors, and the one format every message has:
//
//   <op or file>: <argument> is <what was found>; expected <what would have been right>
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

struct Error : std::runtime_error {
  template <class... Parts>
  explicit Error(const Parts&... parts) : std::runtime_error(concatenate(parts...)) {}
};

// The kinds a caller may want to tell apart. Each inherits the constructor above.
struct ShapeError : Error {
  using Error::Error;
};  // sizes that do not fit together
struct DTypeError : Error {
  using Error::Error;
};  // element types that do not fit together
struct ValueError : Error {
  using Error::Error;
};  // a value out of its range
struct NonFiniteError : ValueError {
  using ValueError::ValueError;
};  // a NaN or an infinity where only a number will do
struct DeviceError : Error {
  using Error::Error;
};  // tensors on different machines, or a machine that is absent
struct OutOfMemoryError : Error {
  using Error::Error;
};  // with bytes wanted, live and cached
struct FileError : Error {
  using Error::Error;
};  // a file that is missing, malformed or cannot be written
struct UsageError : Error {
  using Error::Error;
};  // the program was called wrongly: exit status 2

}  // namespace limoe
