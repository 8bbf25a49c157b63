// Trains a tiny model, ends it again and again at random moments, resumes it each time, and compares what it
// leaves with what a run leaves that nobody disturbed: every file of the last checkpoint byte for byte, and
// every line of metrics.jsonl up to its times.
//
//   limoe_kill_resume --limoe BUILD/tests/faults/limoe_faulty [--signal KILL|TERM] [--kills 20] [--seed N]
//
// KILL: half of the kills hit while a checkpoint is being written, which fault_shim.cpp makes slow; that it
// was so shows in the unfinished folder that is left behind. TERM: the exit status has to be 85, and the last
// line has to say how to go on and how to get a report, which only a finished run writes. Exit status 0 when
// every end was followed by a resume and every finished run is the same.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <stdexcept>

#include "tests/faults/child_process.h"
#include "tests/support/scratch_folder.h"

namespace limoe::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Words = std::vector<std::string>;

constexpr int kStoppedEarlyStatus = 85;
constexpr int kPollMicroseconds = 100;
constexpr const char* kSlowness = "300";      // microseconds for each call on an unfinished checkpoint
constexpr int kSlowSaveMicroseconds = 30000;  // about what a save takes then
constexpr int kMostSavesPassed = 3;

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Settings {
  std::string limoe;
  int signal = SIGKILL;
  int kills = 20;
  uint64_t seed = 0;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What has to be equal: the last checkpoint's files by their names, and the metrics without the clock's.
std::vector<std::pair<std::string, std::string>> results_of(const std::string& run) {
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::directory_iterator(run + "/checkpoints")) checkpoints.push_back(entry.path());
  if (checkpoints.empty()) throw Failure(run + " has no checkpoint");
  const fs::path last = *std::max_element(checkpoints.begin(), checkpoints.end());
  std::vector<std::pair<std::string, std::string>> results{{"checkpoint", last.filename()}};
  for (const auto& entry : fs::directory_iterator(last))
    results.emplace_back(entry.path().filename(), text_of(entry.path()));
  std::sort(results.begin(), results.end());
  std::string metrics;
  std::ifstream file(run + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);)
    if (line.find("\"train/loss\"") != std::string::npos)
      metrics += line.substr(0, line.find("\"train/samples_per_second\"")) + "\n";
  results.emplace_back("metrics.jsonl", metrics);
  return results;
}

// The name of the first thing that differs; empty when nothing does.
std::string difference(const std::string& run, const std::string& reference) {
  const auto a = results_of(run), b = results_of(reference);
  if (a.size() != b.size()) return "number of files";
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) return a[i].first;
  return "";
}

class Torture {
 public:
  explicit Torture(const Settings& settings) : settings_(settings), random_(settings.seed) {}

  void run() {
    const Clock::time_point begin = Clock::now();
    expect_success(
        {"data", "shapes", "--out", folder_ / "set", "--count", "64", "--size", "16", "--difficulty", "1"});
    const Clock::time_point training = Clock::now();
    expect_success(training_words("undisturbed"));
    undisturbed_seconds_ = seconds_since(training);
    Words other = training_words("other");
    other.insert(other.end(), {"--seed", "1"});
    expect_success(other);
    if (difference(folder_ / "other", folder_ / "undisturbed").empty())
      throw Failure("a run of another seed is found equal: the comparison is blind");
    while (ends_ < settings_.kills) one_run();
    std::cout << resumed_ << " of " << ends_ << " ends resumed";
    if (settings_.signal == SIGKILL) std::cout << " (" << inside_ << " inside a checkpoint's writing)";
    std::cout << "; " << runs_ << " runs ended as the undisturbed one, byte for byte; "
              << seconds_since(begin) << " s" << std::endl;
  }

 private:
  Words training_words(const std::string& run) const {
    return {settings_.limoe,
            "train",
            "--train-data",
            folder_ / "set/train",
            "--out",
            folder_ / run,
            "--tokenizer",
            "bytes",
            "--image-size",
            "16",
            "--patch-size",
            "8",
            "--text-length",
            "12",
            "--width",
            "16",
            "--layers",
            "2",
            "--heads",
            "2",
            "--mlp-width",
            "32",
            "--joint-width",
            "16",
            "--experts",
            "4",
            "--router-noise",
            "1",
            "--local-text-weight",
            "0.02",
            "--batch-size",
            "16",
            "--max-steps",
            "40",
            "--warmup",
            "2",
            "--log-every-n-steps",
            "1",
            "--save-every-steps",
            "2",
            "--keep-checkpoints",
            "2",
            "--keep-every-steps",
            "20",
            "--threads",
            "1"};
  }

  void expect_success(Words words) {
    if (words[0] != settings_.limoe) words.insert(words.begin(), settings_.limoe);
    ChildProcess child(words, {}, output_);
    if (const int status = child.wait(); status != 0) fail("ended with " + std::to_string(status));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Failure("the program " + what + " and said: " + text_of(output_));
  }

  int up_to(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }

  // A new run, until it has come to its end.
  void one_run() {
    const std::string run = folder_ / "run";
    fs::remove_all(run);
    bool was_ended = false;
    while (true) {
      Words words = training_words("run");
      if (fs::exists(run + "/metrics.jsonl")) words.push_back("--resume");
      const bool undisturbed = ends_ >= settings_.kills;
      const bool inside = settings_.signal == SIGKILL && 2 * inside_ <= ends_;
      Environment slow;
      if (inside) slow = {{"LIMOE_FAULT_PATH", "/checkpoints/.tmp-"}, {"LIMOE_FAULT_DELAY_US", kSlowness}};
      ChildProcess child(words, slow, output_);
      if (!undisturbed) inside ? wait_inside_a_save(child, run) : wait_a_while(child);
      if (!undisturbed) child.send(settings_.signal);
      const int status = child.wait();
      if (was_ended) ++resumed_;  // or the status, below, says why not
      was_ended = false;
      if (status == 0) break;
      if (undisturbed || status != (settings_.signal == SIGKILL ? -SIGKILL : kStoppedEarlyStatus))
        fail("ended with " + std::to_string(status));
      if (settings_.signal == SIGTERM) expect_a_word_on_stopping(run);
      was_ended = true;
      ++ends_;
      inside_ += fs::exists(unfinished(child, run));
    }
    if (const std::string what = difference(run, folder_ / "undisturbed"); !what.empty())
      throw Failure("after " + std::to_string(ends_) + " ends: " + what +
                    " differs from the undisturbed run's");
    ++runs_;
  }

  void expect_a_word_on_stopping(const std::string& run) const {
    const std::string said = text_of(output_);
    for (const std::string& needed :
         {"go on with --resume --out " + run, "limoe report " + run + " makes one"})
      if (said.find(needed) == std::string::npos) fail("was stopped without \"" + needed + "\"");
    if (fs::exists(run + "/report.html")) fail("was stopped and wrote a report");
  }

  static std::string unfinished(const ChildProcess& child, const std::string& run) {
    return run + "/checkpoints/.tmp-" + std::to_string(child.id());
  }

  // From before training begins until after it may have ended.
  void wait_a_while(ChildProcess& child) {
    // Who sends SIGTERM to a program that has not said a word yet ends it before there is anything to save.
    while (settings_.signal == SIGTERM && !child.has_ended() && fs::file_size(output_) == 0)
      usleep(kPollMicroseconds);
    pause_unless_ended(child, up_to(int(1e6 * undisturbed_seconds_ / 2)));
  }

  void wait_inside_a_save(ChildProcess& child, const std::string& run) {
    const std::string folder = unfinished(child, run);
    for (int passed = up_to(kMostSavesPassed); passed >= 0; --passed) {
      while (!child.has_ended() && !fs::exists(folder)) usleep(kPollMicroseconds);
      if (passed == 0) return pause_unless_ended(child, up_to(kSlowSaveMicroseconds));
      while (!child.has_ended() && fs::exists(folder)) usleep(kPollMicroseconds);
    }
  }

  static void pause_unless_ended(ChildProcess& child, int microseconds) {
    const Clock::time_point begin = Clock::now();
    while (!child.has_ended() && seconds_since(begin) * 1e6 < microseconds) usleep(kPollMicroseconds);
  }

  const Settings& settings_;
  std::mt19937_64 random_;
  ScratchFolder folder_;
  const std::string output_ = folder_ / "output";
  double undisturbed_seconds_ = 0;
  int ends_ = 0, resumed_ = 0, inside_ = 0, runs_ = 0;
};

Settings parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--limoe") settings.limoe = value;
    if (flag == "--signal") settings.signal = value == "TERM" ? SIGTERM : SIGKILL;
    if (flag == "--kills") settings.kills = std::stoi(value);
    if (flag == "--seed") settings.seed = std::stoull(value);
  }
  if (settings.limoe.empty()) throw Failure("--limoe is missing; expected the program");
  return settings;
}

}  // namespace
}  // namespace limoe::testing

int main(int argc, char** argv) {
  try {
    const limoe::testing::Settings settings = limoe::testing::parse(argc, argv);
    limoe::testing::Torture(settings).run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "kill_resume: " << error.what() << std::endl;
    return 1;
  }
}
