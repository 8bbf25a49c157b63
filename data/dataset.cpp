#include "data/dataset.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "data/lower_case.h"
#include "data/sample_text.h"
#include "data/shard_list.h"
#include "data/tar.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr std::array<const char*, 4> kImageExtensions = {"png", "jpg", "jpeg", "webp"};

// A member's size comes from the file and is allocated before it is read.
constexpr int64_t kMaxTextBytes = int64_t{1} << 20;
constexpr int64_t kMaxImageBytes = int64_t{1} << 28;

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

}  // namespace

// A sample while its members are being collected.
struct Dataset::Gathered {
  Sample sample;
  std::string extensions;    // "png, txt", for messages
  int64_t first_offset = 0;  // of its first member
  std::string problem;
};

Dataset::Dataset(const std::string& source, const DatasetOptions& options)
    : source_(source), options_(options), bad_(options.max_bad) {
  if (options.max_bad < 0) throw ValueError("dataset: max_bad is ", options.max_bad, "; expected 0 or more");
  for (const std::string& part : split_sources(source)) index_source(part);
}

void Dataset::index_source(const std::string& source) {
  const int64_t earlier = size();
  const auto first_shard = static_cast<int32_t>(shards_.size());
  for (std::string& shard : find_shards(source)) shards_.push_back(std::move(shard));
  const auto last_shard = static_cast<int32_t>(shards_.size());
  for (int32_t shard = first_shard; shard < last_shard; ++shard) index_shard(shard);
  source_sizes_.push_back(size() - earlier);
  if (source_sizes_.back() > 0) return;
  const std::vector<BadSample> bad = bad_.samples();
  const std::string wanted = options_.json_text_key.empty() ? "KEY.txt" : "KEY.json";
  throw FileError(source, ": no usable sample in ", last_shard - first_shard,
                  " shard(s); expected members KEY.png (jpg, jpeg, ", "webp) and ", wanted,
                  " that share KEY. Skipped: ", bad.size(),
                  bad.empty() ? "" : ", the first, " + bad[0].member + ": " + bad[0].reason);
}

void Dataset::index_shard(int32_t shard) {
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
    const int8_t image = image_extension_index(name.extension);
    Member* place = image >= 0                 ? &gathered.sample.image
                    : name.extension == "txt"  ? &gathered.sample.text
                    : name.extension == "json" ? &gathered.sample.json
                    : name.extension == "cls"  ? &gathered.sample.label
                                               : nullptr;
    if (place == nullptr) continue;
    if (place->offset >= 0)
      gathered.problem =
          "a second " + std::string(image >= 0 ? "picture" : name.extension) + " member; expected one";
    if (image >= 0) gathered.sample.image_extension = image;
    *place = {member.offset, member.size};
  }
  for (Gathered& gathered : in_order) accept(gathered);
}

void Dataset::accept(Gathered& gathered) {
  const bool from_json = !options_.json_text_key.empty();
  const Member& caption = from_json ? gathered.sample.json : gathered.sample.text;
  std::string problem = gathered.problem;
  if (problem.empty() && gathered.sample.image.offset < 0)
    problem = "no picture, only " + gathered.extensions + "; expected png, jpg, jpeg or webp";
  if (problem.empty() && caption.offset < 0)
    problem = "no caption, only " + gathered.extensions + "; expected " + (from_json ? "json" : "txt");
  if (problem.empty()) {
    samples_.push_back(std::move(gathered.sample));
    return;
  }
  const std::string& shard = shards_[static_cast<std::size_t>(gathered.sample.shard)];
  bad_.add({shard, gathered.sample.key, gathered.first_offset, problem});
}

const Dataset::Sample& Dataset::at(int64_t sample) const {
  if (sample < 0 || sample >= size())
    throw ValueError(source_, ": sample is ", sample, "; expected 0..", size() - 1);
  return samples_[static_cast<std::size_t>(sample)];
}

std::string Dataset::image_name(int64_t sample) const {
  const Sample& entry = at(sample);
  return shards_[static_cast<std::size_t>(entry.shard)] + ": " + entry.key + '.' +
         kImageExtensions[static_cast<std::size_t>(entry.image_extension)];
}

std::vector<uint8_t> Dataset::read_image(int64_t sample) const {
  const Sample& entry = at(sample);
  if (entry.image.size > kMaxImageBytes)
    throw FileError(image_name(sample), ": holds ", entry.image.size, " bytes; expected at most ",
                    kMaxImageBytes);
  const std::string name =
      entry.key + '.' + kImageExtensions[static_cast<std::size_t>(entry.image_extension)];
  return read_tar_member(shards_[static_cast<std::size_t>(entry.shard)],
                         {name, entry.image.offset, entry.image.size});
}

Image Dataset::decode(int64_t sample, const std::vector<uint8_t>& file) const {
  return decode_image(file, image_name(sample), options_.max_pixels);
}

std::string Dataset::read_member(const Sample& sample, const Member& member, const char* extension) const {
  if (member.offset < 0) return {};
  const std::string& shard = shards_[static_cast<std::size_t>(sample.shard)];
  const std::string name = sample.key + '.' + extension;
  if (member.size > kMaxTextBytes)
    throw FileError(shard, ": ", name, ": holds ", member.size, " bytes; expected at most ", kMaxTextBytes);
  const std::vector<uint8_t> bytes = read_tar_member(shard, {name, member.offset, member.size});
  return {bytes.begin(), bytes.end()};
}

SampleText Dataset::read_text(int64_t sample) const {
  const Sample& entry = at(sample);
  const SampleTextFiles files = {read_member(entry, entry.text, "txt"),
                                 read_member(entry, entry.json, "json"),
                                 read_member(entry, entry.label, "cls")};
  const std::string name = shards_[static_cast<std::size_t>(entry.shard)] + ": " + entry.key;
  return parse_sample_text(files, options_.json_text_key, name);
}

void Dataset::report_bad(int64_t sample, const std::string& reason) const {
  const Sample& entry = at(sample);
  const std::string member =
      entry.key + '.' + kImageExtensions[static_cast<std::size_t>(entry.image_extension)];
  bad_.add({shards_[static_cast<std::size_t>(entry.shard)], member, entry.image.offset, reason});
}

}  // namespace limoe
