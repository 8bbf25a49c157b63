// A program started, watched and killed.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace limoe::testing {

using Environment = std::vector<std::pair<std::string, std::string>>;

class ChildProcess {
 public:
  // What it says goes to the file `output`, which is begun anew.
  ChildProcess(const std::vector<std::string>& words, const Environment& environment,
               const std::string& output);
  ~ChildProcess();  // kills it if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t id() const { return id_; }
  bool has_ended();
  void send(int signal);
  int wait();  // the exit status, or -signal when it was killed

 private:
  pid_t id_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace limoe::testing
