// The `limoe` program itself, run on malformed files: exit status 1 or 2, and one line.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/paths.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_folder.h"

using namespace limoe::testing;

namespace {

struct Ended {
  int status = -1;  // above 128: by a signal
  std::string errors;
};

Ended run(const ScratchFolder& folder, const std::string& arguments) {
  const std::string errors = folder / "errors";
  const std::string command = program_path() + " " + arguments + " > /dev/null 2> " + errors + " < /dev/null";
  const int status = std::system(command.c_str());
  std::ifstream file(errors);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          {std::istreambuf_iterator<char>(file), {}}};
}

}  // namespace

TEST_CASE("limoe on malformed files: status 1 or 2, one line") {
  const ScratchFolder folder;
  const std::string file = folder / "evil";
  const auto written = [&](const std::string& ending, const std::string& bytes) {
    return write_file(file + ending, bytes);
  };
  const std::string out = " --max-steps 1 --out " + (folder / "run");
  const std::string tar = written(".tar", std::string(700, '\xff'));
  const std::string table = written(".csv", "filepath\ttitle\n\"" + std::string(900'000, 'q'));
  const std::string config = written(".toml", "lr = \"\033[2J\n");
  const std::string model = written(".model", std::string(100'000, '\x0a'));
  const std::string tensors = written(".safetensors", little_endian(uint64_t{1} << 63, 8) + "{}");
  const std::string pictures = golden_path("data/tables/plain.tsv");
  for (const std::string& arguments : std::vector<std::string>{
           "train --train-data " + tar + out, "train --train-data " + table + " --max-bad 0" + out,
           "train --config " + config + out, "train --train-data " + pictures + " --tokenizer " + model + out,
           "train --train-data '{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}.tar'" + out,
           "eval " + folder.path() + " --task retrieval --data " + tar,
           "search " + file + ".tar --images " + tar + " cat", "info --config " + config,
           "info --config /dev/zero", "ops run matmul --in " + tensors + " --out " + file}) {
    CAPTURE(arguments);
    const Ended ended = run(folder, arguments);
    CAPTURE(ended.errors);
    CHECK((ended.status == 1 || ended.status == 2));
    REQUIRE(ended.errors.ends_with('\n'));
    CHECK(is_one_line(ended.errors.substr(0, ended.errors.size() - 1)));
    CHECK(ended.errors.starts_with("limoe: "));
  }
}
