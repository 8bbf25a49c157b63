// The subcommands of `limoe`. One is a file <name>_command.cpp with one function that declares its flags and
// gives back what to run, and one line in commands.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

namespace limoe {

// Runs after the whole command line was understood. Results go to std::cout, progress to std::cerr; any
// Error it throws becomes one line and the exit status (cli.h).
using Action = std::function<void()>;

struct Command {
  const char* name;
  const char* summary;                 // a phrase for the list of commands
  Action (*declare)(CLI::App& flags);  // the flags write into memory that the action keeps alive
};

Action declare_bench(CLI::App& flags);
Action declare_data(CLI::App& flags);
Action declare_eval(CLI::App& flags);
Action declare_embed(CLI::App& flags);
Action declare_search(CLI::App& flags);
Action declare_info(CLI::App& flags);
Action declare_ops(CLI::App& flags);
Action declare_report(CLI::App& flags);
Action declare_serve(CLI::App& flags);
Action declare_train(CLI::App& flags);

const std::vector<Command>& commands();  // in the order a newcomer needs them

}  // namespace limoe
