#include "tests/faults/fault_shim.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <mutex>

namespace limoe::testing {
namespace {

struct State {
  std::mutex mutex;
  FaultPlan plan;
  std::vector<SeenCall> seen;
};
std::atomic<bool> armed{false};

// Never destroyed: files are closed until the very end of a program.
State& state() {
  static State* const only = new State;
  return *only;
}

std::string path_of(int descriptor) {
  char path[4096];
  const ssize_t length = syscall(SYS_readlinkat, AT_FDCWD,
                                 ("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path, sizeof path);
  return {path, size_t(std::max<ssize_t>(length, 0))};
}

bool applies(Fault fault, FileCall call) {
  switch (fault) {
    case Fault::none:
      return false;
    case Fault::short_write:
      return call == FileCall::write;
    case Fault::interrupted:
      return call == FileCall::open || call == FileCall::write || call == FileCall::flush ||
             call == FileCall::close;
    case Fault::no_space:
      return call != FileCall::truncate && call != FileCall::close;  // which need none
    default:
      return true;
  }
}

// What is to happen to this call, which is counted.
Fault fault_of(FileCall call, const std::string& path, const std::string& to = "") {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (path.find(s.plan.path) == std::string::npos &&
      (to.empty() || to.find(s.plan.path) == std::string::npos))
    return Fault::none;
  if (s.plan.microseconds > 0) usleep(useconds_t(s.plan.microseconds));
  const auto number = int64_t(s.seen.size());
  s.seen.push_back({call, path, to});
  const bool hit = number == s.plan.at || (s.plan.lasting && number > s.plan.at);
  return hit && applies(s.plan.fault, call) ? s.plan.fault : Fault::none;
}

// Fails with the fault's errno; a kill does not come back.
long fail(Fault fault) {
  if (fault == Fault::kill) raise(SIGKILL);
  errno = fault == Fault::no_space ? ENOSPC : fault == Fault::interrupted ? EINTR : EIO;
  return -1;
}

template <class Carry>
long call_with_faults(FileCall call, const std::string& path, const std::string& to, const Carry& carry_out) {
  const Fault fault = fault_of(call, path, to);
  return fault == Fault::none ? carry_out() : fail(fault);
}

// `write_some(n)` writes the first n of `count` bytes.
template <class WriteSome>
ssize_t write_with_faults(int descriptor, size_t count, const WriteSome& write_some) {
  if (!armed) return write_some(count);
  const Fault fault = fault_of(FileCall::write, path_of(descriptor));
  if (fault == Fault::none) return write_some(count);
  if (fault == Fault::short_write) return write_some(std::max<size_t>(1, count / 2));
  if (fault == Fault::no_space || fault == Fault::kill) write_some(count / 2);
  return fail(fault);
}

void arm_from_environment() {
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return std::string(text ? text : "");
  };
  if (value("LIMOE_FAULT_PATH").empty()) return;
  FaultPlan plan{.path = value("LIMOE_FAULT_PATH")};
  for (const Fault fault :
       {Fault::no_space, Fault::io_error, Fault::interrupted, Fault::short_write, Fault::kill})
    if (value("LIMOE_FAULT") == name_of(fault)) plan.fault = fault;
  plan.at = std::atoll(value("LIMOE_FAULT_AT").c_str());
  plan.lasting = value("LIMOE_FAULT_LASTING") == "1";
  plan.microseconds = std::atoll(value("LIMOE_FAULT_DELAY_US").c_str());
  arm(plan);
}
[[maybe_unused]] const bool kArmedAtStart = (arm_from_environment(), true);

}  // namespace

void arm(const FaultPlan& plan) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.plan = plan;
  s.seen.clear();
  armed = true;
}

std::vector<SeenCall> disarm() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  armed = false;
  return std::move(s.seen);
}

const char* name_of(FileCall call) {
  constexpr const char* kNames[] = {"open", "write", "flush", "rename", "close", "make_folder", "truncate"};
  return kNames[int(call)];
}

const char* name_of(Fault fault) {
  constexpr const char* kNames[] = {"none", "ENOSPC", "EIO", "EINTR", "short", "kill"};
  return kNames[int(fault)];
}

}  // namespace limoe::testing

// The C library's names, and what they do when nothing is armed.
namespace {

using limoe::testing::armed;
using limoe::testing::call_with_faults;
using limoe::testing::FileCall;
using limoe::testing::path_of;

int open_file(const char* path, int flags, mode_t mode) {
  const auto carry_out = [&] { return syscall(SYS_openat, AT_FDCWD, path, flags, mode); };
  return int(armed ? call_with_faults(FileCall::open, path, "", carry_out) : carry_out());
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_file(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_file(path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  return limoe::testing::write_with_faults(
      descriptor, count, [&](size_t some) { return ssize_t(syscall(SYS_write, descriptor, bytes, some)); });
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t from) {
  return limoe::testing::write_with_faults(descriptor, count, [&](size_t some) {
    return ssize_t(syscall(SYS_pwrite64, descriptor, bytes, some, from));
  });
}

// What libstdc++'s streams write with. Half of it is taken to be the first part, which is as likely.
ssize_t writev(int descriptor, const iovec* parts, int count) {
  return limoe::testing::write_with_faults(descriptor, size_t(count) * 2, [&](size_t some) {
    return ssize_t(syscall(SYS_writev, descriptor, parts, std::max<long>(1, long(some) / 2)));
  });
}

int fsync(int descriptor) {
  return armed ? int(call_with_faults(FileCall::flush, path_of(descriptor), "", [] { return 0L; })) : 0;
}

int fdatasync(int descriptor) {
  return fsync(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  const auto carry_out = [&] { return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); };
  return int(armed ? call_with_faults(FileCall::rename, from, to, carry_out) : carry_out());
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  const auto carry_out = [&] { return syscall(SYS_renameat2, from_folder, from, to_folder, to, flags); };
  return int(armed ? call_with_faults(FileCall::rename, from, to, carry_out) : carry_out());
}

// The descriptor is gone also where the call fails, as on Linux.
int close(int descriptor) {
  if (!armed) return int(syscall(SYS_close, descriptor));
  const std::string path = path_of(descriptor);
  const long closed = syscall(SYS_close, descriptor);
  return int(call_with_faults(FileCall::close, path, "", [&] { return closed; }));
}

int mkdir(const char* path, mode_t mode) noexcept {
  const auto carry_out = [&] { return syscall(SYS_mkdirat, AT_FDCWD, path, mode); };
  return int(armed ? call_with_faults(FileCall::make_folder, path, "", carry_out) : carry_out());
}

int ftruncate(int descriptor, off_t size) noexcept {
  const auto carry_out = [&] { return syscall(SYS_ftruncate, descriptor, size); };
  return int(armed ? call_with_faults(FileCall::truncate, path_of(descriptor), "", carry_out) : carry_out());
}
}
