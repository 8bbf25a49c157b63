#include "models/cli/cli.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "models/cli/command.h"
#include "models/cli/help_formatter.h"
#include "models/cli/stopped_early.h"
#include "tensor/cpu_level.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

constexpr int kFailed = 1;
constexpr int kCalledWrongly = 2;

constexpr const char* kExample =
    "  limoe data emoji --out data/emoji\n"
    "  limoe train --config configs/emoji.toml --out runs/emoji\n"
    "  limoe search runs/emoji --images data/emoji/heldout-concepts \"a red heart\"";

class Program {
 public:
  Program() : app_("one sparse Transformer for pictures and text, from raw pairs to search", "limoe") {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.footer(kExample);
    app_.set_help_flag("-h,--help", "print this, or the flags of a command");
    app_.set_version_flag("--version", std::string("limoe ") + kVersion, "print the version");
    app_.require_subcommand(0, 1);
    for (const Command& command : commands()) {
      CLI::App* flags = app_.add_subcommand(command.name, command.summary);
      flags->group("Commands");
      actions_[flags] = command.declare(*flags);
    }
  }

  void parse(int argc, const char* const* argv) { app_.parse(argc, argv); }
  int report(const CLI::ParseError& error) { return app_.exit(error, std::cout, std::cerr); }
  std::string help() const { return app_.help(); }

  CLI::App* chosen() const {
    const std::vector<CLI::App*> given = app_.get_subcommands();
    return given.empty() ? nullptr : given[0];
  }
  std::string name() const { return chosen() ? "limoe " + chosen()->get_name() : "limoe"; }
  const Action& action() const { return actions_.at(chosen()); }

  // What the user most likely meant, for one line.
  std::string explain(const CLI::ParseError& error) const;

 private:
  std::string explain_unknown(const std::string& word) const;

  CLI::App app_;
  std::map<CLI::App*, Action> actions_;
};

std::string Program::explain_unknown(const std::string& word) const {
  std::vector<std::string> known;
  if (!chosen() && !word.starts_with("-")) {
    for (const Command& command : commands()) known.emplace_back(command.name);
    return "\"" + word + "\" is no command; the nearest one is " + nearest_name(word, known) +
           " (see limoe --help)";
  }
  const CLI::App* app = chosen() ? chosen() : &app_;
  if (!word.starts_with("-")) return "\"" + word + "\" is one argument too many (see " + name() + " --help)";
  for (const CLI::Option* option : app->get_options({}))
    for (const std::string& flag : option->get_lnames()) known.push_back("--" + flag);
  const std::string flag = word.substr(0, word.find('='));
  return flag + " is no flag of `" + name() + "`; the nearest one is " + nearest_name(flag, known);
}

// The parser's own sentences, where a newcomer would have to guess what they mean.
std::string in_plain_words(const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string flag = text.substr(0, text.find_first_of(": "));
  if (error.get_name() == "RequiredError") return flag + " is missing; expected a value";
  if (error.get_name() == "ConversionError") return text + "; expected a value of another kind";
  if (error.get_name() != "ArgumentMismatch") return text;
  const bool repeated = text.find("received") != std::string::npos;
  return flag + (repeated ? " is given more than once; expected once" : " has no value; expected one");
}

std::string Program::explain(const CLI::ParseError& error) const {
  // An unknown word is the likelier cause even where something else is missing as well.
  const std::vector<std::string> unknown = app_.remaining(true);
  for (const std::string& word : unknown)
    if (word.starts_with("-")) return explain_unknown(word);
  if (!unknown.empty()) return explain_unknown(unknown[0]);
  return in_plain_words(error) + " (see " + name() + " --help)";
}

int fail(std::ostream& errors, int status, const std::string& message) {
  errors << "limoe: " << message << std::endl;
  return status;
}

}  // namespace

int run_limoe(int argc, const char* const* argv, std::ostream& errors) {
  Program program;
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    program.report(asked);
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(errors, kCalledWrongly, program.explain(error));
  }
  if (!program.chosen()) {
    std::cout << program.help();
    return kCalledWrongly;
  }
  try {
    expect_level_of_environment();
    program.action()();
    std::cout << std::flush;
    return 0;
  } catch (const UsageError& error) {
    return fail(errors, kCalledWrongly, error.what());
  } catch (const StoppedEarly& stopped) {
    return fail(errors, kStoppedEarlyStatus, stopped.what());
  } catch (const std::exception& error) {
    return fail(errors, kFailed, error.what());
  }
}

}  // namespace limoe
