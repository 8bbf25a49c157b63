// A disk that fails on demand. Linked into a program, fault_shim.cpp takes the place of the C library's open,
// write, fsync, rename, close, mkdir and ftruncate: the program's own calls and those of libstdc++ alike,
// with or without sanitizers, whose interceptors it precedes. Calls on files whose path holds `path` are
// numbered from 0, and number `at` fails.
//
// A program is armed by arm(), or by the environment before it starts:
//
//   LIMOE_FAULT_PATH=/checkpoints/.tmp-   LIMOE_FAULT=ENOSPC|EIO|EINTR|short|kill|none   LIMOE_FAULT_AT=7
//   LIMOE_FAULT_LASTING=1   LIMOE_FAULT_DELAY_US=500
//
// fsync is never carried out: whether bytes are on the disk shows at a power cut alone, and is tested by the
// order of the calls.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe::testing {

enum class FileCall { open, write, flush, rename, close, make_folder, truncate };

enum class Fault {
  none,
  no_space,     // ENOSPC; a write first writes half of its bytes
  io_error,     // EIO
  interrupted,  // EINTR, for the calls that know it
  short_write,  // a write writes half of its bytes and says so
  kill,         // the process is killed; a write first writes half of its bytes
};

struct FaultPlan {
  std::string path;
  Fault fault = Fault::none;
  int64_t at = 0;
  bool lasting = false;      // every later call fails as well
  int64_t microseconds = 0;  // every call is slower by this
};

struct SeenCall {
  FileCall call;
  std::string path, to;  // `to` of a rename
};

void arm(const FaultPlan& plan);
std::vector<SeenCall> disarm();  // gives back the calls since arm()

const char* name_of(FileCall call);
const char* name_of(Fault fault);

}  // namespace limoe::testing
