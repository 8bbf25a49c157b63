#include "tests/faults/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace limoe::testing {

ChildProcess::ChildProcess(const std::vector<std::string>& words, const Environment& environment,
                           const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // Emptied before anybody can look at it for what this program says.
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) throw std::runtime_error(output + ": cannot be written");
  id_ = fork();
  if (id_ < 0) throw std::runtime_error("no process can be started");
  if (id_ > 0) {
    close(file);
    return;
  }
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  if (dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0) _exit(126);
  execv(arguments[0], arguments.data());
  _exit(127);
}

ChildProcess::~ChildProcess() {
  if (ended_) return;
  kill(id_, SIGKILL);
  wait();
}

bool ChildProcess::has_ended() {
  if (!ended_ && waitpid(id_, &status_, WNOHANG) == id_) ended_ = true;
  return ended_;
}

void ChildProcess::send(int signal) {
  if (!has_ended()) kill(id_, signal);
}

int ChildProcess::wait() {
  while (!ended_)
    if (waitpid(id_, &status_, 0) == id_)
      ended_ = true;
    else if (errno != EINTR)
      throw std::runtime_error("a child process is lost");
  return WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_);
}

}  // namespace limoe::testing
