// The pictures that `limoe search` and `limoe embed` are pointed at: a folder of picture files (and folders
// of them), a tar file, or a folder of tar files. Nothing but pictures is needed; a KEY.txt beside KEY.png,
// in a folder as in a tar, is its caption.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/image.h"
#include "data/tar.h"
#include "models/train/embed.h"

namespace limoe {

struct Picture {
  std::string name;     // within the source: "sub/cat.png", or the tar member's name
  std::string caption;  // empty where there is none
};

class PictureSource {
 public:
  // In the order of their names. Throws FileError when there is no such path or no picture in it.
  explicit PictureSource(const std::string& path);

  int64_t size() const { return int64_t(entries_.size()); }
  Picture picture(int64_t index) const;  // reads the caption's file
  Image read(int64_t index) const;       // throws FileError

 private:
  struct File {
    std::string path;    // of the file, or of the tar it is in
    TarMember member{};  // without a name for a plain file
  };
  struct Entry {
    std::string name;
    File image, caption;  // caption.path is empty where there is none
  };

  void add_folder(const std::string& folder);
  void add_tar(const std::string& path);
  void add_named(const std::map<std::string, File>& files);
  static std::vector<uint8_t> bytes_of(const File& file);

  std::vector<Entry> entries_;
};

// Unit embeddings of all pictures that can be read.
struct EmbeddedPictures {
  Tensor embeddings;                  // f32 [n, J]
  std::vector<Picture> pictures;      // [n]
  std::vector<std::string> warnings;  // one for each picture left out
};
EmbeddedPictures embed_pictures(const Limoe& model, const PictureSource& source, const EmbedOptions& options);

}  // namespace limoe
