// What the routers did, per MoE block and modality, summed over any number of forward passes.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "models/limoe/limoe.h"

namespace limoe {

struct RouterStatistics {
  int64_t block = 0;
  Modality modality = Modality::image;
  int64_t tokens = 0;
  std::vector<double> load;   // share of the modality's choices that went to each expert, before dropping
  double drop_rate = 0;       // share of the choices that found no place
  double mean_gate = 0;       // mean top-1 probability
  double local_entropy = 0;   // mean over tokens of H(p)
  double global_entropy = 0;  // H(mean over tokens of p); exp of it is the number of experts in effective use
  double largest_load() const;
};

class RouterTally {
 public:
  void add(const LimoeOutputs& outputs);
  std::vector<RouterStatistics> statistics()
      const;  // by block, images first; modalities without tokens left out
  void clear() { sums_.clear(); }

 private:
  struct Sums {
    int64_t tokens = 0;
    double chosen = 0, kept = 0, gate = 0, entropy = 0;
    std::vector<double> chosen_by_expert, probability_by_expert;
  };
  std::map<std::pair<int64_t, Modality>, Sums> sums_;
};

}  // namespace limoe
