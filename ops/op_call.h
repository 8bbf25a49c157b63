// The arguments of one call of an op, by name: what a signature's run() reads.
//
// Parameters arrive as text and are understood here, strictly: the whole text must be a value of the declared
// type. Throws UsageError naming op, parameter, what was found and what was expected.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "autograd/var.h"
#include "ops/sequences.h"

namespace limoe {

using Vars = std::vector<Var>;

// What the text of a parameter must look like:
//   integer "-3", number "1e-6", truth "true" or "false", shape "2,3,4" ("" is a scalar), sequences
//   "200x36,200x16" (count x length of each run), word: anything
enum class ParameterType { integer, number, truth, shape, sequences, word };

const char* name_of(ParameterType type);  // "integer"
const char* form_of(ParameterType type);  // "a whole number"

class OpCall {
 public:
  OpCall(std::string op, std::map<std::string, Var> inputs, std::map<std::string, std::string> parameters)
      : op_(std::move(op)), inputs_(std::move(inputs)), parameters_(std::move(parameters)) {}

  // An input; an undefined Var or Tensor for an optional one that was not given.
  Var var(const std::string& name) const;
  Tensor tensor(const std::string& name) const { return var(name).value(); }
  Vars repeated(const std::string& name) const;  // name0, name1, ... up to the first that is absent

  int64_t integer(const std::string& name) const;
  int axis(const std::string& name) const;  // an integer that an axis can have at all
  double number(const std::string& name) const;
  bool truth(const std::string& name) const;
  Shape shape(const std::string& name) const;
  Sequences sequences(const std::string& name) const;
  const std::string& word(const std::string& name) const;

 private:
  int64_t integer_in(const std::string& name, const std::string& text, ParameterType type) const;
  [[noreturn]] void refuse(const std::string& name, ParameterType type) const;

  std::string op_;
  std::map<std::string, Var> inputs_;
  std::map<std::string, std::string> parameters_;
};

}  // namespace limoe
