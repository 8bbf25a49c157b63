// A data set's folder, written whole or not at all.
//
// Everything goes into OUT.tmp-<process id>, which commit() renames to OUT. Destroyed before commit(), the
// temporary folder is removed, so an interrupted maker leaves no half a data set.
//
// OUT must not exist or be empty. With `force` it may also hold a data set (a folder with dataset.json),
// which commit() replaces; any other folder is refused even then, so that a mistyped path cannot delete a
// home folder.
#pragma once

#include <string>

namespace limoe {

class OutputFolder {
 public:
  OutputFolder(const std::string& out, bool force);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  // Where to write until commit().
  const std::string& path() const { return temporary_; }

  void commit();

 private:
  std::string out_;
  std::string temporary_;
  bool committed_ = false;
};

}  // namespace limoe
