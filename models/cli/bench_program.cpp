#include "models/cli/bench_program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "tensor/error.h"

namespace limoe {
namespace {

std::string bench_program_path() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (error ? std::filesystem::path() : self.parent_path()) / "limoe_bench";
}

// Comes back only when that failed.
void execute(const std::string& path, const std::vector<std::string>& arguments) {
  std::vector<char*> words{const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  execv(path.c_str(), words.data());
}

}  // namespace

void become_bench_program(const std::vector<std::string>& arguments) {
  const std::string path = bench_program_path();
  std::cout << std::flush;
  execute(path, arguments);
  throw FileError(
      path, ": cannot be run (", std::strerror(errno),
      "); expected the program of the op benches, which `make bench` builds with google-benchmark "
      "(libbenchmark-dev)");
}

std::string bench_program_output(const std::vector<std::string>& arguments) {
  const std::string path = bench_program_path();
  int ends[2];
  if (pipe(ends) != 0) return "";
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execute(path, arguments);
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count; child > 0 && (count = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, size_t(count));
  close(ends[0]);
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return "";
  return text;
}

}  // namespace limoe
