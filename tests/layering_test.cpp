// Who may include whom, read from every source file of the tree: a floor that is a test stays a floor.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/paths.h"

namespace {

using Strings = std::vector<std::string>;

constexpr int kMostLines = 350;
const Strings kFloors{"tensor", "autograd", "data", "cuda", "ops", "models", "tests", "bench"};

// What a file whose path begins with `folder` may include, besides its own folder. The first row that fits
// counts.
struct Rule {
  std::string folder;
  Strings may_include;  // beginnings of paths; "*.h" after one: headers alone
};
const Strings kKernelHeaders{"tensor/bf16.h", "tensor/host_device.h", "tensor/random.h", "tensor/rows.h"};
const Strings kUnderModels{"tensor/", "autograd/", "ops/", "cuda/comm.h", "models/nn/"};

Strings join(Strings a, const Strings& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const std::vector<Rule> kRules{
    {"tensor/", {}},
    {"autograd/", {"tensor/"}},
    {"data/sources/", {"tensor/", "data/"}},
    {"data/", {"tensor/"}},
    {"cuda/install.h", {"tensor/device.h"}},
    {"cuda/", join(kKernelHeaders, {"cuda/"})},
    {"ops/", {"tensor/", "autograd/", "cuda/*.h"}},
    {"models/cli/",
     join(kUnderModels, {"models/", "data/", "cuda/install.h", "cuda/runtime.h", "cuda/gemm_choice*.h",
                         "cuda/cudnn_choice.h", "cuda/vendor_gemm.h", "cuda/op_range.h"})},
    {"models/report/", join(kUnderModels, {"models/limoe/", "models/train/", "data/"})},
    {"models/serve/",
     join(kUnderModels, {"models/limoe/", "models/train/", "models/report/palette.h", "data/"})},
    {"models/train/", join(kUnderModels, {"models/limoe/", "models/optim/", "data/"})},
    {"models/limoe/", join(kUnderModels, {"models/optim/"})},
    {"models/", kUnderModels},
    {"tests/", kFloors},
    {"bench/", kFloors},
};

// Libraries, by the beginning of what is included, and the only places that may name them.
const std::vector<Rule> kLibraries{
    {"Eigen/", {"ops/eigen_maps.h", "tests/", "bench/"}},
    {"nlohmann/",
     {"tensor/safetensors", "data/", "models/train/", "models/report/", "models/serve/", "models/cli/",
      "tests/", "bench/"}},
    {"CLI/", {"models/cli/", "tests/"}},
    {"httplib.h", {"models/serve/", "tests/"}},
    {"doctest/", {"tests/"}},
    {"zlib.h", {"data/", "models/train/", "tests/"}},
    {"png.h", {"data/", "tests/"}},
    {"jpeglib.h", {"data/", "tests/"}},
    {"webp/", {"data/"}},
    {"stb_image", {"data/"}},
    {"ft2build.h", {"data/", "tests/"}},
    {"hb", {"data/", "tests/"}},
    {"sentencepiece", {"data/", "tests/"}},
    {"cuda", {"cuda/"}},
    {"cublas", {"cuda/vendor/"}},
    {"cudnn", {"cuda/vendor/"}},
    {"nccl", {"cuda/vendor/"}},
    {"nvtx", {"cuda/vendor/"}},
};

bool fits(const std::string& path, const std::string& pattern) {
  const size_t star = pattern.find('*');
  return path.starts_with(pattern.substr(0, star)) &&
         (star == std::string::npos || path.ends_with(pattern.substr(star + 1)));
}

bool fits_any(const std::string& path, const Strings& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return fits(path, p); });
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

bool may_include(const std::string& path, const std::string& included) {
  const auto rule =
      std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) { return path.starts_with(r.folder); });
  if (rule == kRules.end()) return false;
  if (included.starts_with(folder_of(path)) || fits_any(included, rule->may_include)) return true;
  // Host code of cuda/ may use tensors; kernels may not.
  return path.starts_with("cuda/") && path.ends_with(".cpp") && included.starts_with("tensor/");
}

bool may_use_library(const std::string& path, const std::string& included) {
  return std::all_of(kLibraries.begin(), kLibraries.end(), [&](const Rule& library) {
    return !included.starts_with(library.folder) || fits_any(path, library.may_include);
  });
}

// The text between `open` and `close` in `line`.
std::string between(const std::string& line, char open, char close) {
  const size_t begin = line.find(open) + 1;
  return line.substr(begin, line.find(close, begin) - begin);
}

bool asks_for_cuda(const std::string& line) {
  return line.starts_with("#") && line.find("if") != std::string::npos &&
         line.find("CUDA") != std::string::npos;
}

// What is wrong with one file; empty when nothing is.
Strings complaints(const std::string& path, const std::string& text) {
  Strings found;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string where = path + ":" + std::to_string(++number) + ": ";
    if (line.starts_with("#include \"")) {
      const std::string included = between(line, '"', '"');
      if (!may_include(path, included)) found.push_back(where + "may not include " + included);
      if (included.ends_with(".cpp")) found.push_back(where + "includes a source file, " + included);
    }
    if (line.starts_with("#include <") && !may_use_library(path, between(line, '<', '>')))
      found.push_back(where + "may not use <" + between(line, '<', '>') + ">");
    if (asks_for_cuda(line) && !path.starts_with("cuda/") && path != "tensor/host_device.h")
      found.push_back(where + "asks for CUDA; only cuda/ and tensor/host_device.h may");
  }
  if (number > kMostLines)
    found.push_back(path + ": has " + std::to_string(number) + " lines; at most " +
                    std::to_string(kMostLines));
  return found;
}

// Paths of all sources, from the root of the tree.
Strings source_paths() {
  const std::filesystem::path root = limoe::testing::source_path("");
  Strings paths;
  for (const std::string& floor : kFloors) {
    if (!std::filesystem::is_directory(root / floor)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / floor)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh")
        paths.push_back(std::filesystem::relative(entry.path(), root).generic_string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string text_of(const std::string& path) {
  std::ifstream file(limoe::testing::source_path(path));
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether `text`, or what it includes of this tree, has something whose size or body the x86-64 level
// decides: such must not be in a folder that the portable build compiles once for all levels.
bool depends_on_level(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("__AVX") != std::string::npos || line.starts_with("#include <immintrin.h>") ||
        line.starts_with("#include <Eigen/"))
      return true;
    if (line.starts_with("#include \"") && depends_on_level(text_of(between(line, '"', '"')))) return true;
  }
  return false;
}

Strings complaints_about_line(const std::string& path, const std::string& line) {
  return complaints(path, line + "\n");
}

}  // namespace

TEST_CASE("layering: every include of the tree goes down, and no file is too long") {
  const Strings paths = source_paths();
  REQUIRE(paths.size() > 50);
  for (const std::string& path : paths)
    for (const std::string& complaint : complaints(path, text_of(path))) FAIL_CHECK(complaint);
}

TEST_CASE("layering: what an x86-64 level decides is not in folders that are compiled once for all levels") {
  for (const std::string& path : source_paths())
    if (path.starts_with("models/") || path.starts_with("cuda/") || path.starts_with("bench/")) {
      CAPTURE(path);
      CHECK_FALSE(depends_on_level(text_of(path)));
    }
  CHECK(depends_on_level("#if defined(__AVX2__)\n"));
  CHECK(depends_on_level("int a;\n#include <Eigen/Core>\n"));
  CHECK(depends_on_level("#include \"ops/gemm_tile.h\"\n"));
}

TEST_CASE("layering: the checker refuses an include that goes up or sideways") {
  const std::pair<std::string, std::string> wrong[] = {
      {"tensor/shape.h", "autograd/var.h"},
      {"tensor/shape.h", "shape.h"},
      {"autograd/node.cpp", "ops/add.h"},
      {"autograd/node.cpp", "data/batch.h"},
      {"data/loader.cpp", "autograd/var.h"},
      {"ops/add.cpp", "models/nn/layers.h"},
      {"ops/add.cpp", "cuda/rows.cuh"},
      {"ops/add.cpp", "data/batch.h"},
      {"cuda/softmax.cu", "tensor/tensor.h"},
      {"cuda/softmax.h", "ops/softmax.h"},
      {"models/nn/moe.h", "models/limoe/limoe.h"},
      {"models/limoe/limoe.cpp", "data/batch.h"},
      {"models/optim/clip.h", "data/batch.h"},
      {"models/train/trainer.h", "models/cli/cli.h"},
      {"models/clip/clip.h", "models/limoe/limoe.h"},
      {"ops/add.h", "tests/support/compare.h"},
      {"models/cli/cli.h", "bench/support/timer.h"},
      {"elsewhere/x.h", "tensor/shape.h"},
  };
  for (const auto& [path, included] : wrong) {
    INFO(path, " includes ", included);
    CHECK(complaints_about_line(path, "#include \"" + included + "\"") ==
          Strings{path + ":1: may not include " + included});
  }
}

TEST_CASE("layering: the checker accepts an include that goes down") {
  const std::pair<std::string, std::string> right[] = {
      {"tensor/tensor.h", "tensor/shape.h"},          {"autograd/node.h", "tensor/tensor.h"},
      {"data/loader.cpp", "tensor/random.h"},         {"ops/add.cpp", "cuda/add.h"},
      {"cuda/softmax.cu", "cuda/device.cuh"},         {"cuda/softmax.cu", "tensor/rows.h"},
      {"cuda/cuda_backend.cpp", "tensor/backend.h"},  {"cuda/sim/simt.h", "cuda/device.cuh"},
      {"models/train/trainer.cpp", "data/loader.h"},  {"models/cli/cli.cpp", "models/train/trainer.h"},
      {"models/clip/clip.h", "models/clip/config.h"}, {"tests/x_test.cpp", "models/cli/cli.h"},
  };
  for (const auto& [path, included] : right)
    CHECK(complaints_about_line(path, "#include \"" + included + "\"").empty());
}

TEST_CASE("layering: the checker refuses libraries out of place, sources, CUDA conditions and long files") {
  CHECK(complaints_about_line("models/nn/layers.cpp", "#include <Eigen/Core>") ==
        Strings{"models/nn/layers.cpp:1: may not use <Eigen/Core>"});
  CHECK(complaints_about_line("tensor/shape.cpp", "#include <nlohmann/json.hpp>").size() == 1);
  CHECK(complaints_about_line("ops/add.cpp", "#include <cublas_v2.h>").size() == 1);
  CHECK(complaints_about_line("ops/eigen_maps.h", "#include <Eigen/Core>").empty());
  CHECK(complaints_about_line("tests/a_test.cpp", "#include \"tests/b_test.cpp\"").size() == 1);
  for (const std::string line : {"#ifdef __CUDACC__", "#if defined(WITH_CUDA)", "#elif USE_CUDA"}) {
    CHECK(complaints_about_line("ops/add.cpp", line).size() == 1);
    CHECK(complaints_about_line("cuda/device.cuh", line).empty());
    CHECK(complaints_about_line("tensor/host_device.h", line).empty());
  }
  std::string text;
  for (int line = 0; line < kMostLines; ++line) text += "\n";
  CHECK(complaints("ops/add.cpp", text).empty());
  CHECK(complaints("ops/add.cpp", text + "\n") == Strings{"ops/add.cpp: has 351 lines; at most 350"});
}
