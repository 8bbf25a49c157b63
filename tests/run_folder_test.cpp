#include "models/train/run_folder.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "tensor/error.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using limoe::testing::ScratchFolder;
namespace fs = std::filesystem;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  return "no FileError";
}

}  // namespace

TEST_CASE("run folder: a second process is refused by the first one's number, and a dead one bars nobody") {
  const ScratchFolder scratch;
  const std::string path = scratch / "run";
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const RunFolder run(path, false);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    while (true) pause();
  }
  char sign = 0;
  REQUIRE(read(ready[0], &sign, 1) == 1);
  CHECK(message_of([&] { RunFolder(path, true); }) ==
        concatenate(path, ": process ", child, " is training into it; expected another --out, or its end"));
  CHECK(message_of([&] { RunFolder(path, false); }).find("is training into it") != std::string::npos);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK_NOTHROW(RunFolder(path, true));
  close(ready[0]);
  close(ready[1]);
}

TEST_CASE("run folder: the same process is refused as well, until the first one has let go") {
  const ScratchFolder scratch;
  {
    const RunFolder first(scratch / "run", false);
    CHECK_THROWS_AS(RunFolder(scratch / "run", true), FileError);
  }
  CHECK_NOTHROW(RunFolder(scratch / "run", true));
}

TEST_CASE("run folder: resuming needs a run, and beginning needs none") {
  const ScratchFolder scratch;
  const std::string path = scratch / "run";
  CHECK(message_of([&] { RunFolder(path, true); }) ==
        path + ": holds no run to resume; expected a run folder, or no --resume to begin one");
  CHECK(!fs::exists(path));
  { const RunFolder run(path, false); }
  CHECK_NOTHROW(RunFolder(path, false));  // it has not come to its first step
  RunFolder(path, false).metrics("{\"step\":1}");
  CHECK(message_of([&] { RunFolder(path, false); }) ==
        path + ": holds a run already; expected a new folder, or --resume to go on with it");
  fs::remove(path + "/metrics.jsonl");
  fs::create_directories(path + "/checkpoints/step-00000004");
  CHECK(message_of([&] { RunFolder(path, false); }).find("holds a run already") != std::string::npos);
  CHECK_NOTHROW(RunFolder(path, true));
}

TEST_CASE(
    "run folder: when resuming, later steps and a line cut short go, everything else stays to the letter") {
  const ScratchFolder scratch;
  const std::string path = scratch / "run", file = path + "/metrics.jsonl";
  { const RunFolder run(path, false); }
  std::ofstream(file)
      << "{\"step\":1,\"x\":1.50}\n{\"step\":2}\n{\"note\":1}\n{\"step\":3}\n{\"step\":\"4\"}\n"
         "[1]\nnonsense\n{\"step\":4,\"los";
  RunFolder run(path, true);
  run.drop_metrics_after(2);
  run.metrics("{\"step\":3,\"again\":true}");
  CHECK(
      text_of(file) ==
      "{\"step\":1,\"x\":1.50}\n{\"step\":2}\n{\"note\":1}\n{\"step\":\"4\"}\n{\"step\":3,\"again\":true}\n");
}

TEST_CASE(
    "run folder: a log line cut short is ended before the next one, and left-overs of a dead process go") {
  const ScratchFolder scratch;
  const std::string path = scratch / "run";
  { const RunFolder run(path, false); }
  std::ofstream(path + "/out.log") << "step 1\nstep";
  std::ofstream(path + "/metrics.jsonl.tmp-123-0") << "half";
  std::ofstream(path + "/config.toml.tmp-123-1") << "half";
  RunFolder run(path, true);
  run.note("resumed");
  CHECK(text_of(path + "/out.log") == "step 1\nstep\nresumed\n");
  CHECK(!fs::exists(path + "/metrics.jsonl.tmp-123-0"));
  CHECK(!fs::exists(path + "/config.toml.tmp-123-1"));
}

TEST_CASE("run folder: the config is replaced whole") {
  const ScratchFolder scratch;
  RunFolder run(scratch / "run", false);
  run.write_config("a long first text = 1\n");
  run.write_config("b = 2\n");
  CHECK(text_of(scratch / "run/config.toml") == "b = 2\n");
  CHECK_THROWS_AS(RunFolder("/proc/nowhere/run", false), FileError);
}
