#include "ops/op_call.h"

#include <charconv>
#include <cmath>

#include "tensor/error.h"
#include "tensor/split_text.h"

namespace limoe {
namespace {

struct TypeWords {
  const char* name;
  const char* form;
};

TypeWords words_of(ParameterType type) {
  switch (type) {
    case ParameterType::integer:
      return {"integer", "a whole number"};
    case ParameterType::number:
      return {"number", "a finite number"};
    case ParameterType::truth:
      return {"truth", "true or false"};
    case ParameterType::shape:
      return {"shape", "sizes like 2,3,4"};
    case ParameterType::sequences:
      return {"sequences", "runs COUNTxLENGTH like 200x36,200x16"};
    case ParameterType::word:
      break;
  }
  return {"word", "a word"};
}

template <class T>
bool parse_whole(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

}  // namespace

const char* name_of(ParameterType type) {
  return words_of(type).name;
}

const char* form_of(ParameterType type) {
  return words_of(type).form;
}

Var OpCall::var(const std::string& name) const {
  const auto found = inputs_.find(name);
  return found == inputs_.end() ? Var() : found->second;
}

Vars OpCall::repeated(const std::string& name) const {
  Vars parts;
  for (size_t i = 0; inputs_.contains(name + std::to_string(i)); ++i)
    parts.push_back(inputs_.at(name + std::to_string(i)));
  return parts;
}

void OpCall::refuse(const std::string& name, ParameterType type) const {
  throw UsageError(op_, ": ", name, " is \"", word(name), "\"; expected ", form_of(type));
}

int64_t OpCall::integer_in(const std::string& name, const std::string& text, ParameterType type) const {
  int64_t value = 0;
  if (!parse_whole(text, value)) refuse(name, type);
  return value;
}

int64_t OpCall::integer(const std::string& name) const {
  return integer_in(name, word(name), ParameterType::integer);
}

int OpCall::axis(const std::string& name) const {
  const int64_t axis = integer(name);
  if (axis < -Shape::kMaxRank || axis >= Shape::kMaxRank)
    throw UsageError(op_, ": ", name, " is ", axis, "; expected ", -Shape::kMaxRank, " to ",
                     Shape::kMaxRank - 1);
  return int(axis);
}

double OpCall::number(const std::string& name) const {
  double value = 0;
  if (!parse_whole(word(name), value) || !std::isfinite(value)) refuse(name, ParameterType::number);
  return value;
}

bool OpCall::truth(const std::string& name) const {
  if (word(name) != "true" && word(name) != "false") refuse(name, ParameterType::truth);
  return word(name) == "true";
}

Shape OpCall::shape(const std::string& name) const {
  std::vector<int64_t> sizes;
  if (!word(name).empty())
    for (const std::string& size : split_text(word(name), ","))
      sizes.push_back(integer_in(name, size, ParameterType::shape));
  return Shape(sizes);
}

Sequences OpCall::sequences(const std::string& name) const {
  Sequences sequences;
  if (word(name).empty()) return sequences;
  for (const std::string& run : split_text(word(name), ",")) {
    const std::vector<std::string> sides = split_text(run, "x");
    if (sides.size() != 2) refuse(name, ParameterType::sequences);
    sequences.push_back({integer_in(name, sides[0], ParameterType::sequences),
                         integer_in(name, sides[1], ParameterType::sequences)});
  }
  return sequences;
}

const std::string& OpCall::word(const std::string& name) const {
  return parameters_.at(name);
}

}  // namespace limoe
