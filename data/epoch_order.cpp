#include "data/epoch_order.h"

#include <algorithm>
#include <cmath>

#include "data/permutation.h"
#include "data/random_streams.h"
#include "tensor/error.h"

namespace limoe {
namespace {

// More draws than this from one source are no epoch any more, and would leave 64 bits when summed.
constexpr double kMostDraws = 1e15;

}  // namespace

EpochOrder::EpochOrder(const std::vector<int64_t>& source_sizes, const EpochOrderOptions& options)
    : shuffle_(options.shuffle), seed_(options.seed) {
  if (!options.factors.empty() && options.factors.size() != source_sizes.size())
    throw ValueError("loader: there are ", options.factors.size(),
                     " upsampling factors; expected one for each of ", source_sizes.size(), " data sources");
  int64_t first_sample = 0;
  for (std::size_t i = 0; i < source_sizes.size(); ++i) {
    const double factor = options.factors.empty() ? 1.0 : options.factors[i];
    const double draws = std::round(factor * double(source_sizes[i]));
    if (!(factor > 0) || !(draws < kMostDraws))
      throw ValueError("loader: upsampling factor ", i, " is ", factor, "; expected more than 0, and below ",
                       kMostDraws / double(source_sizes[i]));
    sources_.push_back({first_sample, source_sizes[i], std::max<int64_t>(1, int64_t(draws))});
    first_sample += source_sizes[i];
    size_ += sources_.back().draws;
  }
}

int64_t EpochOrder::sample_at(int64_t epoch, int64_t position) const {
  int64_t draw =
      shuffle_ ? shuffled(position, size_, seed_, data_stream(DataStream::kShuffle, epoch)) : position;
  std::size_t at = 0;
  while (draw >= sources_[at].draws) draw -= sources_[at++].draws;
  const Source& source = sources_[at];
  const int64_t within = draw % source.samples;
  const bool is_whole_pass = draw - within + source.samples <= source.draws;
  if (is_whole_pass) return source.first_sample + within;
  const uint64_t stream = data_stream(DataStream::kSubset, epoch * int64_t(sources_.size()) + int64_t(at));
  return source.first_sample + shuffled(within, source.samples, seed_, stream);
}

}  // namespace limoe
