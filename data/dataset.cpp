#include "data/dataset.h"

#include <algorithm>
#include <map>

#include "data/shard_list.h"
#include "data/sources/open_source.h"
#include "tensor/error.h"

namespace limoe {

Dataset::Dataset(const std::string& source, const DatasetOptions& options)
    : source_(source), options_(options), bad_(options.max_bad) {
  if (options.max_bad < 0) throw ValueError("dataset: max_bad is ", options.max_bad, "; expected 0 or more");
  for (const std::string& part : split_sources(source)) open(part);
}

Dataset::~Dataset() = default;

void Dataset::open(const std::string& part) {
  const int64_t earlier = size();
  const SourceOptions options{options_.json_text_key,
                              {options_.csv_img_key, options_.csv_caption_key, options_.csv_separator}};
  int64_t files = 0;
  for (std::unique_ptr<SampleSource>& source : open_source(part, options, bad_)) {
    files += source->file_count();
    first_.push_back(size() + source->size());
    sources_.push_back(std::move(source));
  }
  source_sizes_.push_back(size() - earlier);
  if (source_sizes_.back() > 0) return;
  const std::vector<BadSample> bad = bad_.samples();
  throw FileError(part, ": no usable sample in ", files, " ", sources_.back()->file_kind(), "(s); expected ",
                  sources_.back()->expected(), ". Skipped: ", bad.size(),
                  bad.empty() ? "" : ", the first, " + bad[0].member + ": " + bad[0].reason);
}

Dataset::Place Dataset::at(int64_t sample) const {
  if (sample < 0 || sample >= size())
    throw ValueError(source_, ": sample is ", sample, "; expected 0..", size() - 1);
  const auto source = std::upper_bound(first_.begin(), first_.end(), sample) - first_.begin() - 1;
  const auto index = static_cast<std::size_t>(source);
  return {*sources_[index], sample - first_[index]};
}

int64_t Dataset::file_count() const {
  int64_t count = 0;
  for (const auto& source : sources_) count += source->file_count();
  return count;
}

std::string Dataset::extent() const {
  std::map<std::string, int64_t> counts;
  for (const auto& source : sources_) counts[source->file_kind()] += source->file_count();
  std::string text;
  for (const auto& [kind, count] : counts)
    text += concatenate(text.empty() ? "" : ", ", count, " ", kind, count == 1 ? "" : "s");
  return text;
}

bool Dataset::has_many_captions() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return source->has_many_captions(); });
}

std::string Dataset::key(int64_t sample) const {
  const Place place = at(sample);
  return place.source.key(place.sample);
}

std::string Dataset::image_name(int64_t sample) const {
  const Place place = at(sample);
  return place.source.image_name(place.sample);
}

std::vector<uint8_t> Dataset::read_image(int64_t sample) const {
  const Place place = at(sample);
  return place.source.read_image(place.sample);
}

Image Dataset::decode(int64_t sample, const std::vector<uint8_t>& file, int least_side) const {
  return decode_image(file, image_name(sample), options_.max_pixels, least_side);
}

SampleText Dataset::read_text(int64_t sample) const {
  const Place place = at(sample);
  return place.source.read_text(place.sample);
}

void Dataset::report_bad(int64_t sample, const std::string& reason) const {
  const Place place = at(sample);
  BadSample bad = place.source.place_of(place.sample);
  bad.reason = reason;
  bad_.add(bad);
}

}  // namespace limoe
