// Classification by names alone (Radford et al. 2021, section 3.1): a class is the mean of the unit
// embeddings of its names in every template, made a unit vector again; a picture is of the class with the
// largest inner product. A class may have several names, each weighing the same: "sofa | couch".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/train/embed.h"

namespace limoe {

struct ZeroshotClasses {
  std::vector<std::string> names;      // of every class one or several: "sofa | couch"
  std::vector<std::string> templates;  // "{c}" or "{}" stands for the name
};

// From classnames.txt and zeroshot_classification_templates.txt, in the folder itself or the one above it,
// where those two paths are empty. A folder of classes without the first has its folders' names; one without
// templates has the bare name alone. Throws FileError.
ZeroshotClasses read_zeroshot_classes(const std::string& source, const std::string& names_file = "",
                                      const std::string& templates_file = "");

// Underscores become spaces, ASCII punctuation goes, ASCII letters are lower-cased, spaces collapse; with
// keep_braces a "{}" stays.
std::string canonical_text(const std::string& text, bool keep_braces = false);

// "sofa | couch" -> sofa, couch. Throws ValueError for an empty one.
std::vector<std::string> names_of_class(const std::string& entry);

// Prompts of all classes, class by class, name by name, template by template.
std::vector<std::string> prompts_of(const ZeroshotClasses& classes, bool canonical);
// The class of each of them.
std::vector<int64_t> classes_of_prompts(const ZeroshotClasses& classes);

// Means of rows by class: embeddings [n, J], class_of [n] -> [classes, J]. Throws ValueError for a class
// without a row.
Tensor means_by_class(const Tensor& embeddings, const std::vector<int64_t>& class_of, int64_t classes);

// Every row divided by its length.
Tensor unit_rows(const Tensor& rows);

struct ClassificationResult {
  double acc1 = 0;
  std::optional<double> acc5;        // where there are five classes or more
  double mean_per_class_recall = 0;  // over the classes that occur
  std::vector<int64_t> images;       // [classes], how many there are of each
  std::vector<double> recall;        // [classes], 0 for a class that does not occur
  int64_t total = 0;
};

// images [n, J], classes [C, J], labels [n] in 0..C-1. Equal scores count for the lower class, and scores
// that are no numbers for none.
ClassificationResult classify(const Tensor& images, const Tensor& classes,
                              const std::vector<int64_t>& labels);

}  // namespace limoe
