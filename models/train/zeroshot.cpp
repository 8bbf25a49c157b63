#include "models/train/zeroshot.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "data/class_names.h"
#include "data/sources/class_folder_source.h"
#include "models/train/retrieval.h"
#include "ops/check.h"
#include "ops/matmul.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/split_text.h"

namespace limoe {
namespace {

constexpr const char* kTemplatesFile = "zeroshot_classification_templates.txt";
constexpr int64_t kClassifyChunk = 1024;  // pictures whose scores exist at a time
constexpr std::string_view kPlaceholders[] = {"{c}", "{}"};

bool is_one_of(char letter, std::string_view letters) {
  return letters.find(letter) != std::string_view::npos;
}

std::string with_name(const std::string& text, const std::string& name) {
  for (const std::string_view placeholder : kPlaceholders)
    if (const size_t at = text.find(placeholder); at != std::string::npos)
      return text.substr(0, at) + name + text.substr(at + placeholder.size());
  throw ValueError("zero-shot: template is \"", text, "\"; expected {c} where the class's name goes");
}

struct ClassCounts {
  std::vector<int64_t> images, first, among_five;
};

void count_answers(const Tensor& scores, const int64_t* labels, ClassCounts& counts) {
  const int64_t classes = scores.dim(1);
  for (int64_t row = 0; row < scores.dim(0); ++row) {
    const float* begin = scores.data<float>() + row * classes;
    const std::vector<int64_t> best = best_of({begin, begin + classes}, 5);
    const int64_t label = labels[row];
    const bool is_number = !std::isnan(begin[label]);
    ++counts.images[size_t(label)];
    counts.first[size_t(label)] += is_number && best[0] == label;
    counts.among_five[size_t(label)] += is_number && std::find(best.begin(), best.end(), label) != best.end();
  }
}

int64_t sum_of(const std::vector<int64_t>& counts) {
  int64_t sum = 0;
  for (const int64_t count : counts) sum += count;
  return sum;
}

}  // namespace

ZeroshotClasses read_zeroshot_classes(const std::string& source, const std::string& names_file,
                                      const std::string& templates_file) {
  const std::string names = names_file.empty() ? find_beside(source, kClassNamesFile) : names_file;
  ZeroshotClasses classes{{}, {"{c}"}};
  if (!names.empty())
    classes.names = read_lines(names);
  else if (is_class_folder(source))
    classes.names = class_folder_names(source);
  else
    throw FileError(source, ": has no ", kClassNamesFile,
                    ", nor has the folder above it; expected one class a line");
  const std::string templates = templates_file.empty() ? find_beside(source, kTemplatesFile) : templates_file;
  if (!templates.empty()) classes.templates = read_lines(templates);
  for (const std::string& text : classes.templates) with_name(text, "");
  for (const std::string& entry : classes.names) names_of_class(entry);
  return classes;
}

std::string canonical_text(const std::string& text, bool keep_braces) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (keep_braces && text.compare(i, 2, "{}") == 0) {
      out += "{}";
      ++i;
    } else if (is_one_of(letter, "_ \t\r\n\f\v")) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (!is_one_of(letter, "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~")) {
      out += letter >= 'A' && letter <= 'Z' ? char(letter - 'A' + 'a') : letter;
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::vector<std::string> names_of_class(const std::string& entry) {
  std::vector<std::string> names = split_text(entry, "|");
  for (std::string& name : names) {
    const size_t first = name.find_first_not_of(" \t");
    if (first == std::string::npos)
      throw ValueError("zero-shot: class \"", entry, "\" has an empty name; expected NAME or NAME | NAME");
    name = name.substr(first, name.find_last_not_of(" \t") - first + 1);
  }
  return names;
}

std::vector<std::string> prompts_of(const ZeroshotClasses& classes, bool canonical) {
  std::vector<std::string> prompts;
  for (const std::string& entry : classes.names)
    for (const std::string& name : names_of_class(entry))
      for (const std::string& text : classes.templates) {
        const std::string prompt = with_name(text, name);
        prompts.push_back(canonical ? canonical_text(prompt) : prompt);
      }
  return prompts;
}

std::vector<int64_t> classes_of_prompts(const ZeroshotClasses& classes) {
  std::vector<int64_t> class_of;
  for (size_t c = 0; c < classes.names.size(); ++c)
    class_of.insert(class_of.end(), names_of_class(classes.names[c]).size() * classes.templates.size(),
                    int64_t(c));
  return class_of;
}

Tensor means_by_class(const Tensor& embeddings, const std::vector<int64_t>& class_of, int64_t classes) {
  expect_rank("zero-shot", "embeddings", embeddings, 2);
  expect_dim("zero-shot", "embeddings", embeddings, 0, int64_t(class_of.size()),
             "because class_of has that many entries");
  const Tensor rows = contiguous(embeddings);
  const int64_t width = rows.dim(1);
  std::vector<int64_t> count(size_t(classes), 0);
  std::vector<double> sums(size_t(classes * width), 0);
  for (size_t i = 0; i < class_of.size(); ++i) {
    const int64_t c = class_of[i];
    if (c < 0 || c >= classes)
      throw ValueError("zero-shot: class_of holds ", c, "; expected 0 to ", classes - 1);
    ++count[size_t(c)];
    const float* row = rows.data<float>() + int64_t(i) * width;
    for (int64_t j = 0; j < width; ++j) sums[size_t(c * width + j)] += row[j];
  }
  Tensor means = empty({classes, width});
  float* to = means.mutable_data<float>();
  for (int64_t c = 0; c < classes; ++c) {
    if (count[size_t(c)] == 0) throw ValueError("zero-shot: class ", c, " has no row; expected one or more");
    for (int64_t j = 0; j < width; ++j) *to++ = float(sums[size_t(c * width + j)] / double(count[size_t(c)]));
  }
  return means;
}

Tensor unit_rows(const Tensor& rows) {
  expect_rank("zero-shot", "rows", rows, 2);
  Tensor units = clone(rows);
  float* values = units.mutable_data<float>();
  for (int64_t row = 0; row < units.dim(0); ++row, values += units.dim(1)) {
    double squares = 0;
    for (int64_t j = 0; j < units.dim(1); ++j) squares += double(values[j]) * double(values[j]);
    const double length = std::sqrt(squares);
    if (length == 0) continue;  // prompts that cancel out: no direction, and a score of 0 for every picture
    for (int64_t j = 0; j < units.dim(1); ++j) values[j] = float(values[j] / length);
  }
  return units;
}

ClassificationResult classify(const Tensor& images, const Tensor& classes,
                              const std::vector<int64_t>& labels) {
  expect_rank("zero-shot", "images", images, 2);
  expect_rank("zero-shot", "classes", classes, 2);
  expect_dim("zero-shot", "classes", classes, 1, images.dim(1), "because images is ", images.shape());
  expect_dim("zero-shot", "images", images, 0, int64_t(labels.size()),
             "because labels has that many entries");
  const int64_t known = classes.dim(0);
  for (const int64_t label : labels)
    if (label < 0 || label >= known)
      throw ValueError("zero-shot: a label is ", label, "; expected 0 to ", known - 1,
                       ", the classes there are names for");
  const std::vector<int64_t> none(size_t(known), 0);
  ClassCounts counts{none, none, none};
  for (int64_t first = 0; first < images.dim(0); first += kClassifyChunk) {
    const int64_t end = std::min(first + kClassifyChunk, images.dim(0));
    count_answers(matmul_forward(images.slice(0, first, end), classes, {.b = true}), &labels[size_t(first)],
                  counts);
  }
  ClassificationResult result;
  result.images = counts.images;
  result.total = int64_t(labels.size());
  int64_t occurring = 0;
  for (size_t c = 0; c < size_t(known); ++c) {
    const bool occurs = counts.images[c] > 0;
    result.recall.push_back(occurs ? double(counts.first[c]) / double(counts.images[c]) : 0);
    result.mean_per_class_recall += result.recall[c];
    occurring += occurs;
  }
  if (occurring > 0) result.mean_per_class_recall /= double(occurring);
  const double total = double(std::max<int64_t>(1, result.total));
  result.acc1 = double(sum_of(counts.first)) / total;
  if (known >= 5) result.acc5 = double(sum_of(counts.among_five)) / total;
  return result;
}

}  // namespace limoe
