// Which kind of source a path is:
//
//   PATH.csv | PATH.tsv                                    a table, csv_source.h
//   DIR with pictures in its folders and no *.tar in it    a folder of classes, class_folder_source.h
//   everything else                                        tar shards, tar_source.h
//
// Braces in the path of a table or a folder list several: {a,b}.csv.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/sources/csv_source.h"
#include "data/sources/sample_source.h"

namespace limoe {

struct SourceOptions {
  std::string json_text_key;
  CsvColumns csv;
};

// `path` is one part of SOURCE::SOURCE.
std::vector<std::unique_ptr<SampleSource>> open_source(const std::string& path, const SourceOptions& options,
                                                       BadSampleLog& bad);

}  // namespace limoe
