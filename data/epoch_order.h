// Which samples an epoch visits, in which order: a pure function of (seed, epoch, position), so that an epoch
// can be entered anywhere and no list of its samples is kept.
//
// Source i has n_i samples and an upsampling factor f_i, and gives an epoch m_i = max(1, round(f_i n_i))
// draws: every sample floor(m_i / n_i) times, and the rest of the draws to samples chosen anew in every
// epoch, none twice. With factors of at most 1 no sample appears twice in an epoch; with 1 everywhere an
// epoch visits each sample once. Named after open_clip's --train-data-upsampling-factors; there the draws are
// independent.
#pragma once

#include <cstdint>
#include <vector>

namespace limoe {

struct EpochOrderOptions {
  std::vector<double> factors = {};  // one a source; empty: 1 for each
  bool shuffle = true;               // false: source after source, samples in their order
  uint64_t seed = 0;
};

class EpochOrder {
 public:
  // source_sizes: n_i. ValueError: factors that are not one a source, negative, zero, or no number.
  EpochOrder(const std::vector<int64_t>& source_sizes, const EpochOrderOptions& options);

  int64_t size() const { return size_; }  // positions in an epoch: the sum of m_i

  // The sample at a position of 0..size()-1: an index into the sources' samples, one source after another.
  int64_t sample_at(int64_t epoch, int64_t position) const;

 private:
  struct Source {
    int64_t first_sample;
    int64_t samples;
    int64_t draws;
  };

  std::vector<Source> sources_;
  bool shuffle_;
  uint64_t seed_;
  int64_t size_ = 0;
};

}  // namespace limoe
