#include "models/cli/help_formatter.h"

#include <algorithm>
#include <sstream>

#include "models/cli/terminal.h"

namespace limoe {
namespace {

constexpr int kDescriptionColumn = 28;
constexpr int kWidestText = 110;  // longer lines are hard to read

}  // namespace

std::string wrapped(const std::string& text, int indent, int width) {
  std::istringstream words(text);
  std::string lines, word;
  int used = indent;
  while (words >> word) {
    const int length = columns_of(word);
    const bool first = lines.empty();
    if (!first && used + 1 + length > width) {
      lines += "\n" + std::string(size_t(indent), ' ');
      used = indent;
    } else if (!first) {
      lines += " ";
      ++used;
    }
    lines += word;
    used += length;
  }
  return lines;
}

HelpFormatter::HelpFormatter() : width_(std::min(terminal_width(Stream::output), kWidestText)) {
  label("Options", "Flags");
  label("Positionals", "Arguments");
}

std::string HelpFormatter::described(const std::string& name, const std::string& description) const {
  std::string line = "  " + name;
  const int used = columns_of(line);
  line += used + 2 > kDescriptionColumn ? "\n" + std::string(kDescriptionColumn, ' ')
                                        : std::string(size_t(kDescriptionColumn - used), ' ');
  return line + wrapped(description, kDescriptionColumn, width_) + "\n";
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  std::string usage = name;  // with the names of the commands above it
  if (!app->get_subcommands({}).empty()) return usage + " COMMAND [FLAGS]";
  for (const CLI::Option* option : app->get_options({})) {
    if (option->get_positional())
      usage += " " + option->get_name(true);
    else if (option->get_required())
      usage += " " + option->get_name() + " " + option->get_type_name();
  }
  return usage + " [FLAGS]";
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string help = wrapped(name + ": " + app->get_description(), 0, width_) + "\n\n";
  help += bold("usage", Stream::output) + "  " + make_usage(app, name) + "\n";
  if (!app->get_footer().empty()) help += "\n" + app->get_footer() + "\n";
  help += make_positionals(app) + make_groups(app, mode) + make_subcommands(app, mode);
  // The groups come with empty lines of their own between them.
  return CLI::detail::find_and_replace(help, "\n\n\n", "\n\n");
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  std::string text = "\n" + bold(get_label(group), Stream::output) + "\n";
  for (const CLI::Option* option : options) text += make_option(option, is_positional);
  return text;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = is_positional ? option->get_name(true) : "";
  if (!is_positional) {
    for (const std::string& letter : option->get_snames()) name += "-" + letter + ", ";
    name += "--" + option->get_lnames().at(0);
  }
  if (!is_positional && option->get_type_size() != 0) name += " " + option->get_type_name();
  std::string description = option->get_description();
  if (option->get_required() && !is_positional) description += " (needed)";
  return described(name, description);
}

std::string HelpFormatter::make_subcommands(const CLI::App* app, CLI::AppFormatMode) const {
  const std::vector<const CLI::App*> commands = app->get_subcommands({});
  if (commands.empty()) return "";
  std::string text = "\n" + bold("Commands", Stream::output) + "\n";
  for (const CLI::App* command : commands) text += make_subcommand(command);
  return text;
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return described(command->get_name(), command->get_description());
}

}  // namespace limoe
