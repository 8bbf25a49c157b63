// The page of a small run that was really trained, and of runs that something is missing from.
#include "models/report/report.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "data/make.h"
#include "models/train/final_evaluation.h"
#include "models/train/trainer.h"
#include "tensor/error.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

namespace fs = std::filesystem;

const char* const kSections[] = {"header",  "figures",    "curves", "routing", "retrieval",
                                 "experts", "favourites", "memory", "config"};

// 48 procedural scenes, made once for all cases.
const std::string& scenes() {
  static const ScratchFolder folder;
  static const std::string path = [] {
    const std::string out = folder / "shapes";
    MakeOptions options;
    options.out = out;
    options.size = 16;
    options.count = 48;
    options.difficulty = 1;
    make_shapes(options);
    return out + "/train";
  }();
  return path;
}

TrainRequest small_request() {
  TrainRequest request;
  LimoeConfig& model = request.model;
  model.image_size = 16;
  model.patch_size = 8;
  model.text_length = 12;
  model.width = model.joint_width = 16;
  model.layers = model.heads = 2;
  model.mlp_width = 32;
  model.experts = 4;
  model.local_text_weight = 0.02;
  TrainConfig& train = request.train;
  train.train_data = train.val_data = scenes();
  train.tokenizer = "bytes";
  train.batch_size = 16;
  train.max_steps = 6;
  train.warmup = 2;
  train.log_every_n_steps = 2;
  return request;
}

void train_run(const TrainRequest& request, const std::string& folder) {
  RunFolder run(folder, false);
  const TrainResult result = train(request, run, run);
  final_evaluation(load_model(result.checkpoint), run, run);
}

// One trained run; a case gets a copy of its own.
const std::string& trained() {
  static const ScratchFolder folder;
  static const std::string path = [] {
    train_run(small_request(), folder / "run");
    return folder / "run";
  }();
  return path;
}

struct Run {
  Run() { fs::copy(trained(), path, fs::copy_options::recursive); }
  ScratchFolder folder;
  const std::string path = folder / "a run";

  std::string read(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(path + "/" + file).rdbuf();
    return text.str();
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(path + "/" + file, std::ios::trunc) << text;
  }
  void replace_in(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = read(file);
    REQUIRE(text.find(from) != std::string::npos);
    write(file, text.replace(text.find(from), from.size(), to));
  }
  std::string page() const {
    write_report(path);
    return read("report.html");
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

// What loads, links or runs something from outside the page.
bool reaches_out(const std::string& page) {
  static const std::regex outside(R"(\b(src|href|srcset|action)=(?!["'](#|data:)))"
                                  R"(|@import|url\s*\(|https?://|<link|<iframe|<object|<embed|fetch\()");
  return std::regex_search(page, outside);
}

void check_sections(const std::string& page) {
  for (const char* section : kSections) {
    INFO(section);
    CHECK(count(page, std::string(" id=\"") + section + "\"") == 1);
  }
}

// Every element that is opened is closed, in order. Enough of a parser for a page of our own making.
bool is_well_formed(const std::string& page) {
  std::vector<std::string> open;
  static const std::regex tag(R"(<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:"[^"]*"|[^">])*?)(/?)>)");
  std::string left = std::regex_replace(page, std::regex(R"(<script>[^]*?</script>)"), "");
  for (std::sregex_iterator at(left.begin(), left.end(), tag), end; at != end; ++at) {
    const std::string name = (*at)[2];
    if (!(*at)[4].str().empty() || name == "meta" || name == "doctype") continue;
    if ((*at)[1].str().empty()) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace

TEST_CASE("report: one file with every section, well formed, that reaches for nothing outside itself") {
  const Run run;
  const std::string page = run.page();
  check_sections(page);
  CHECK(is_well_formed(page));
  CHECK(!reaches_out(page));
  CHECK(reaches_out(page + "<img src=\"a.png\">"));
  CHECK(reaches_out("<a href=\"http://a\">"));
  CHECK(!is_well_formed("<p><b></p></b>"));
  CHECK(contains(page, "prefers-color-scheme:dark"));
  CHECK(contains(page, "data:image/png;base64,iVBORw0KGgo"));
  CHECK(contains(page, "ln 16 = 2.77"));
  CHECK(contains(page, "measured peak"));
  CHECK(count(page, "class=\"example\"") == 8);
  CHECK(count(page, "class=\"favourite ") == 4);  // one layer, four experts
  CHECK(count(page, "class=\"query\"") >= 4);
  CHECK(!contains(page, "class=\"missing\""));
  CHECK(!contains(page, "What to know about this page"));
}

TEST_CASE("report: the same run gives the same page, byte for byte") {
  const Run run;
  CHECK(run.page() == run.page());
}

TEST_CASE("report: a last line that a crash cut short is left out and told") {
  const Run run;
  const std::string metrics = run.read("metrics.jsonl");
  run.write("metrics.jsonl", metrics + "{\"step\":8,\"train/lo");
  const std::string page = run.page();
  check_sections(page);
  CHECK(contains(page, "The last line of metrics.jsonl is cut short"));
  run.write("metrics.jsonl", "not json\n" + metrics);
  CHECK(contains(run.page(), "the first is line 1"));
}

TEST_CASE("report: a run without a checkpoint, or without its data, says so on the page") {
  const Run run;
  run.replace_in("config.toml", "val-data = \"" + scenes(), "val-data = \"/nowhere/shapes");
  std::string page = run.page();
  CHECK(contains(page, "held-out set shapes cannot be shown"));
  CHECK(count(page, "class=\"example\"") == 8);  // of the training pairs
  run.replace_in("config.toml", "train-data = \"" + scenes(), "train-data = \"/nowhere/train");
  page = run.page();
  check_sections(page);
  CHECK(contains(page, "The training pairs cannot be shown"));
  CHECK(contains(page, "None of the run&#39;s data can be read"));
  fs::remove_all(run.path + "/checkpoints");
  page = run.page();
  check_sections(page);
  CHECK(is_well_formed(page));
  CHECK(contains(page, "No model can be shown"));
}

TEST_CASE("report: a run without held-out data has no examples of retrieval, and says why") {
  const Run run;
  run.replace_in("config.toml", "val-data = \"" + scenes() + "\"", "val-data = \"\"");
  const std::string page = run.page();
  CHECK(contains(page, "names no held-out set"));
  CHECK(count(page, "class=\"example\"") == 8);
}

TEST_CASE("report: a run that was stopped early says at which step, and where figures come from") {
  const Run run;
  run.replace_in("config.toml", "max-steps = 6", "max-steps = 600");
  std::string metrics = run.read("metrics.jsonl");
  metrics.erase(metrics.find("{\"step\":6,\"eval"));
  run.write("metrics.jsonl", metrics);
  const std::string page = run.page();
  CHECK(contains(page, "This run was stopped at step 6 of 600."));
  CHECK(contains(page, "holds no final figures"));
}

TEST_CASE("report: a dense run has every section, and no experts") {
  const ScratchFolder folder;
  TrainRequest request = small_request();
  request.model.dense = true;
  train_run(request, folder / "dense");
  write_report(folder / "dense", folder / "page.html");
  std::ostringstream text;
  text << std::ifstream(folder / "page.html").rdbuf();
  check_sections(text.str());
  CHECK(is_well_formed(text.str()));
  CHECK(contains(text.str(), "This model is dense"));
  CHECK(!fs::exists(folder / "dense/report.html"));
}

TEST_CASE("report: auxiliary losses are drawn where there are some") {
  const ScratchFolder folder;
  for (const double weight : {0.0, 0.01}) {
    CAPTURE(weight);
    TrainRequest request = small_request();
    request.model.z_weight = request.model.importance_weight = weight;
    for (double* other : {&request.model.local_text_weight, &request.model.global_text_weight,
                          &request.model.global_image_weight})
      *other = 0;
    const std::string run = folder / ("run" + std::to_string(weight));
    train_run(request, run);
    write_report(run, folder / "page.html");
    std::ostringstream text;
    text << std::ifstream(folder / "page.html").rdbuf();
    CHECK(contains(text.str(), "weighted sum") == (weight > 0));
    CHECK(contains(text.str(), "No auxiliary losses") == (weight == 0));
  }
}

TEST_CASE("report: what a run says of itself is text, not HTML") {
  const Run run;
  run.replace_in("config.toml", "json-text-key = \"\"", "json-text-key = \"\"  # <script>alert(1)</script>");
  run.write("out.log", "Data\n  pairs: <img src=x>\n");
  run.replace_in("metrics.jsonl", "\"train/lr\"", "\"train/<b>x</b>/block1\":1,\"train/lr\"");
  const std::string page = run.page();
  CHECK(!contains(page, "<script>alert"));
  CHECK(!contains(page, "<img src=x>"));
  CHECK(!contains(page, "<b>x</b>"));
  CHECK(contains(page, "&lt;img src=x&gt;"));
  CHECK(is_well_formed(page));
}

TEST_CASE("report: without metrics or a folder there is one clear error") {
  const Run run;
  CHECK_THROWS_AS(write_report("/nowhere/run"), FileError);
  run.write("metrics.jsonl", "");
  CHECK_THROWS_AS(write_report(run.path), FileError);
  run.write("metrics.jsonl", "{\"step\":1}\n[1,2]\nhello\n");
  CHECK_THROWS_WITH_AS(write_report(run.path),
                       doctest::Contains("holds no logged step in 3 lines; expected a JSON object"),
                       FileError);
  fs::remove(run.path + "/metrics.jsonl");
  CHECK_THROWS_WITH_AS(write_report(run.path), doctest::Contains("metrics.jsonl: cannot be opened"),
                       FileError);
  CHECK(!fs::exists(run.path + "/report.html"));
}
