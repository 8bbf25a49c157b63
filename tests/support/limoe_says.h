// The `limoe` program as main() runs it, within the test's process.
#pragma once

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "models/cli/cli.h"

namespace limoe::testing {

struct Said {
  int status = 0;
  std::string output, errors;
};

inline Said limoe_says(std::vector<std::string> words) {
  words.insert(words.begin(), "limoe");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::ostringstream output, errors;
  std::streambuf* const terminal = std::cout.rdbuf(output.rdbuf());
  std::streambuf* const error_terminal = std::cerr.rdbuf(errors.rdbuf());
  Said said;
  said.status = run_limoe(int(argv.size()), argv.data(), errors);
  std::cout.rdbuf(terminal);
  std::cerr.rdbuf(error_terminal);
  said.output = output.str();
  said.errors = errors.str();
  return said;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace limoe::testing
