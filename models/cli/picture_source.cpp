#include "models/cli/picture_source.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "data/shard_list.h"
#include "data/sources/picture_file.h"
#include "data/square.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

// "a/b.c.png" -> "a/b.c"
std::string without_ending(const std::string& name) {
  return name.substr(0, name.rfind('.'));
}

bool holds_tars(const std::string& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".tar") return true;
  return false;
}

std::string one_line(const std::vector<uint8_t>& bytes) {
  std::string text(bytes.begin(), bytes.end());
  std::replace_if(
      text.begin(), text.end(), [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; }, ' ');
  const size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

}  // namespace

PictureSource::PictureSource(const std::string& path) {
  if (!fs::exists(path) && path.find_first_of("{:") == std::string::npos)
    throw FileError(
        path, ": no such file or folder; expected a folder of pictures, a .tar, or a folder of .tar files");
  if (fs::is_directory(path) && !holds_tars(path))
    add_folder(path);
  else
    for (const std::string& shard : find_shards(path)) add_tar(shard);
  if (entries_.empty())
    throw FileError(
        path,
        ": holds no picture; expected .png, .jpg, .webp, .bmp or .gif files, in folders or in tar files");
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.name < b.name; });
}

void PictureSource::add_folder(const std::string& folder) {
  std::map<std::string, File> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(folder).string()] = {entry.path().string(), {}};
  add_named(files);
}

void PictureSource::add_tar(const std::string& path) {
  std::map<std::string, File> files;
  for (const TarMember& member : read_tar_index(path)) files[member.name] = {path, member};
  add_named(files);
}

void PictureSource::add_named(const std::map<std::string, File>& files) {
  for (const auto& [name, file] : files) {
    if (!has_picture_ending(name)) continue;
    const auto caption = files.find(without_ending(name) + ".txt");
    entries_.push_back({name, file, caption == files.end() ? File{} : caption->second});
  }
}

std::vector<uint8_t> PictureSource::bytes_of(const File& file) {
  if (!file.member.name.empty()) return read_tar_member(file.path, file.member);
  return read_picture_file(file.path, "under --images");
}

Picture PictureSource::picture(int64_t index) const {
  const Entry& entry = entries_.at(size_t(index));
  return {entry.name, entry.caption.path.empty() ? "" : one_line(bytes_of(entry.caption))};
}

Image PictureSource::read(int64_t index) const {
  const Entry& entry = entries_.at(size_t(index));
  return decode_image(bytes_of(entry.image), entry.image.path + ": " + entry.name);
}

EmbeddedPictures embed_pictures(const Limoe& model, const PictureSource& source,
                                const EmbedOptions& options) {
  EmbeddedPictures result;
  std::vector<Tensor> parts;
  std::vector<Image> batch;
  const auto embed_batch = [&] {
    if (batch.empty()) return;
    parts.push_back(embed_images(model, int64_t(batch.size()), [&](int64_t i) { return batch[size_t(i)]; },
                                 {.batch_size = options.batch_size}));
    batch.clear();
  };
  for (int64_t i = 0; i < source.size(); ++i) {
    try {
      batch.push_back(fit_square(source.read(i), int(model.config().image_size)));
      result.pictures.push_back(source.picture(i));
    } catch (const Error& error) {
      result.warnings.push_back(concatenate("left out: ", error.what()));
    }
    if (int64_t(batch.size()) == options.batch_size) embed_batch();
    if (options.progress) options.progress("embedding pictures", i + 1, source.size());
  }
  embed_batch();
  result.embeddings = empty({int64_t(result.pictures.size()), model.config().joint_width});
  std::byte* to = result.embeddings.raw_mutable_data();
  for (const Tensor& part : parts) {
    std::memcpy(to, part.raw_data(), part.byte_count());
    to += part.byte_count();
  }
  return result;
}

}  // namespace limoe
