#include "data/sources/tar_source.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <unordered_map>

#include "data/class_names.h"
#include "data/lower_case.h"
#include "data/shard_list.h"
#include "data/tar.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr std::array<const char*, 4> kImageExtensions = {"png", "jpg", "jpeg", "webp"};

struct MemberName {
  std::string key;
  std::string extension;  // lower case, all after the first dot of the last path component
};

MemberName split_name(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t dot = name.find('.', slash == std::string::npos ? 0 : slash + 1);
  if (dot == std::string::npos) return {name, ""};
  return {name.substr(0, dot), lower_case(std::string_view(name).substr(dot + 1))};
}

int8_t image_extension_index(const std::string& extension) {
  const auto found = std::find(kImageExtensions.begin(), kImageExtensions.end(), extension);
  return found == kImageExtensions.end() ? int8_t{-1} : static_cast<int8_t>(found - kImageExtensions.begin());
}

std::string with_extension(const std::string& key, int8_t extension) {
  return key + '.' + kImageExtensions[static_cast<std::size_t>(extension)];
}

}  // namespace

// A sample while its members are being collected.
struct TarSource::Gathered {
  Sample sample;
  std::string extensions;    // "png, txt", for messages
  int64_t first_offset = 0;  // of its first member
  std::string problem;
};

TarSource::TarSource(const std::string& source, const std::string& json_text_key, BadSampleLog& bad)
    : json_text_key_(json_text_key), shards_(find_shards(source)) {
  read_metadata();
  for (int32_t shard = 0; shard < static_cast<int32_t>(shards_.size()); ++shard) index_shard(shard, bad);
}

void TarSource::read_metadata() {
  const std::string folder = std::filesystem::path(shards_.at(0)).parent_path().string();
  if (const std::string names = find_beside(folder, kClassNamesFile); !names.empty())
    class_names_ = read_lines(names);
  if (const std::string type = find_beside(folder, "dataset_type.txt"); !type.empty())
    many_captions_ = read_lines(type).at(0) == "retrieval";
}

void TarSource::index_shard(int32_t shard, BadSampleLog& bad) {
  std::vector<Gathered> in_order;
  std::unordered_map<std::string, std::size_t> place_of;
  for (const TarMember& member : read_tar_index(shards_[static_cast<std::size_t>(shard)])) {
    const MemberName name = split_name(member.name);
    const auto [found, is_new] = place_of.try_emplace(name.key, in_order.size());
    if (is_new) {
      in_order.emplace_back();
      in_order.back().sample.key = name.key;
      in_order.back().sample.shard = shard;
      in_order.back().first_offset = member.offset;
    }
    Gathered& gathered = in_order[found->second];
    gathered.extensions += (is_new ? "" : ", ") + name.extension;
    assign_member(gathered, name.extension, {member.offset, member.size});
  }
  for (Gathered& gathered : in_order) accept(gathered, bad);
}

void TarSource::assign_member(Gathered& gathered, const std::string& extension, const Member& member) {
  const int8_t image = image_extension_index(extension);
  Member* place = image >= 0            ? &gathered.sample.image
                  : extension == "txt"  ? &gathered.sample.text
                  : extension == "json" ? &gathered.sample.json
                  : extension == "cls"  ? &gathered.sample.label
                                        : nullptr;
  if (place == nullptr) return;
  if (place->offset >= 0)
    gathered.problem =
        "a second " + (image >= 0 ? std::string("picture") : extension) + " member; expected one";
  if (image >= 0) gathered.sample.image_extension = image;
  *place = member;
}

std::string TarSource::caption_problem(const Gathered& gathered) const {
  const Sample& sample = gathered.sample;
  const bool from_json = !json_text_key_.empty();
  if ((from_json ? sample.json : sample.text).offset >= 0) return "";
  if (!from_json && sample.label.offset >= 0 && !class_names_.empty()) return "";
  return "no caption, only " + gathered.extensions + "; expected " + (from_json ? "json" : "txt");
}

void TarSource::accept(Gathered& gathered, BadSampleLog& bad) {
  std::string problem = gathered.problem;
  if (problem.empty() && gathered.sample.image.offset < 0)
    problem = "no picture, only " + gathered.extensions + "; expected png, jpg, jpeg or webp";
  if (problem.empty()) problem = caption_problem(gathered);
  if (problem.empty())
    samples_.push_back(std::move(gathered.sample));
  else
    bad.add({shard_of(gathered.sample), gathered.sample.key, gathered.first_offset, problem});
}

std::string TarSource::expected() const {
  return std::string("members KEY.png (jpg, jpeg, webp) and ") +
         (json_text_key_.empty() ? "KEY.txt" : "KEY.json") + " that share KEY";
}

std::string TarSource::image_name(int64_t sample) const {
  const Sample& entry = at(sample);
  return shard_of(entry) + ": " + with_extension(entry.key, entry.image_extension);
}

BadSample TarSource::place_of(int64_t sample) const {
  const Sample& entry = at(sample);
  return {shard_of(entry), with_extension(entry.key, entry.image_extension), entry.image.offset, ""};
}

std::vector<uint8_t> TarSource::read_image(int64_t sample) const {
  const Sample& entry = at(sample);
  if (entry.image.size > kMaxImageBytes)
    throw FileError(image_name(sample), ": holds ", entry.image.size, " bytes; expected at most ",
                    kMaxImageBytes);
  return read_tar_member(shard_of(entry), {with_extension(entry.key, entry.image_extension),
                                           entry.image.offset, entry.image.size});
}

std::string TarSource::read_member(const Sample& sample, const Member& member, const char* extension) const {
  if (member.offset < 0) return {};
  const std::string& shard = shard_of(sample);
  const std::string name = sample.key + '.' + extension;
  if (member.size > kMaxTextBytes)
    throw FileError(shard, ": ", name, ": holds ", member.size, " bytes; expected at most ", kMaxTextBytes);
  const std::vector<uint8_t> bytes = read_tar_member(shard, {name, member.offset, member.size});
  return {bytes.begin(), bytes.end()};
}

std::string TarSource::class_name_of(const std::string& label, const std::string& name) const {
  const int64_t index = parse_class_label(label, name);
  const auto classes = static_cast<int64_t>(class_names_.size());
  if (index < 0 || index >= classes)
    throw FileError(name, ".cls: the class is ", index, "; expected 0 to ", classes - 1, ", the lines of ",
                    kClassNamesFile);
  return class_names_[static_cast<std::size_t>(index)];
}

SampleText TarSource::read_text(int64_t sample) const {
  const Sample& entry = at(sample);
  const std::string name = shard_of(entry) + ": " + entry.key;
  SampleTextFiles files = {read_member(entry, entry.text, "txt"), read_member(entry, entry.json, "json"),
                           read_member(entry, entry.label, "cls")};
  if (json_text_key_.empty() && entry.text.offset < 0) files.text = class_name_of(files.label, name);
  return parse_sample_text(files, {.json_text_key = json_text_key_, .many_captions = many_captions_}, name);
}

}  // namespace limoe
