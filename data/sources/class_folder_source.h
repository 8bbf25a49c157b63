// Pictures sorted into folders by class: DIR/CLASS/**/*.png | jpg | jpeg | webp | bmp | gif.
//
//   label     the index of CLASS among the folders in DIR, sorted byte by byte
//   caption   its line in classnames.txt, in DIR or in the folder above it; without such a file, CLASS itself
//             with blanks for '_' and '-'
//
// Folders whose name begins with a dot are none, and other files are ignored. A folder of a class may be a
// symbolic link; links to folders below it are not followed, they may lead in circles.
#pragma once

#include <string>
#include <vector>

#include "data/sources/sample_source.h"

namespace limoe {

class ClassFolderSource final : public SampleSource {
 public:
  // FileError: no such folder, no folder in it, a classnames.txt of another number of classes.
  explicit ClassFolderSource(const std::string& folder);

  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  std::string key(int64_t sample) const override;
  std::string image_name(int64_t sample) const override;
  std::vector<uint8_t> read_image(int64_t sample) const override;
  SampleText read_text(int64_t sample) const override;
  BadSample place_of(int64_t sample) const override;

  int64_t file_count() const override { return static_cast<int64_t>(folders_.size()); }
  const char* file_kind() const override { return "class folder"; }
  std::string expected() const override { return "pictures in CLASS/"; }

 private:
  struct Sample {
    int32_t label;
    std::string file;  // within its class's folder
  };

  void index_class(int32_t label);
  const Sample& at(int64_t sample) const { return samples_[static_cast<std::size_t>(sample)]; }

  const std::string folder_;
  std::vector<std::string> folders_;  // of the classes, within folder_
  std::vector<std::string> names_;    // of the classes
  std::vector<Sample> samples_;
};

// True for a folder that has a picture in one of its folders, and no tar file.
bool is_class_folder(const std::string& folder);

// The names of a folder's classes, as ClassFolderSource has them.
std::vector<std::string> class_folder_names(const std::string& folder);

}  // namespace limoe
