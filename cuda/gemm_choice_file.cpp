#include "cuda/gemm_choice_file.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cuda/gemm_choice.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

std::string cache_folder() {
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache;
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache";
  throw FileError(
      "gemm choices: neither XDG_CACHE_HOME nor HOME is set; expected one of them, or --gemm-choices FILE");
}

}  // namespace

std::string default_gemm_choices_path(const std::string& gpu) {
  std::string name = gpu;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? char(std::tolower(c)) : '-';
  return cache_folder() + "/limoe/gemm-choices-" + name + ".txt";
}

std::string gemm_choices_heading(const std::string& gpu, const std::string& library) {
  return "# limoe gemm choices: " + gpu + ", " + library;
}

int recall_gemm_choices_from(const std::string& path, const std::string& heading) {
  recall_gemm_choices("");
  std::ifstream file(path);
  std::string first;
  if (!file || !std::getline(file, first) || first != heading) return 0;
  const std::string lines(std::istreambuf_iterator<char>(file), {});
  try {
    recall_gemm_choices(lines);
  } catch (const ValueError& error) {
    throw FileError(path, ": ", error.what(), "; remove the file to measure anew");
  }
  return int(std::count(lines.begin(), lines.end(), '\n'));
}

void write_gemm_choices_to(const std::string& path, const std::string& heading) {
  if (const size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0)
    make_folders(path.substr(0, slash));
  write_text_file(path, heading + "\n" + measured_gemm_choices());
}

}  // namespace limoe::cuda
