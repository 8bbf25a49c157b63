// How --help looks: a line of purpose, usage, examples, then flags with their descriptions wrapped to the
// terminal.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace limoe {

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
  std::string make_subcommand(const CLI::App* command) const override;

 private:
  std::string described(const std::string& name, const std::string& description) const;

  const int width_;
};

// Words of `text` in lines of at most `width` columns; every line but the first begins with `indent` spaces.
std::string wrapped(const std::string& text, int indent, int width);

}  // namespace limoe
