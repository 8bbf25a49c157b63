// The gradients of one training step, exact for any number of micro-batches.
//
// A contrastive loss compares every picture of a batch with every text, so the gradients of its micro-batches
// cannot simply be added. The step is computed in two passes instead (Gao et al. 2021, "Scaling deep
// contrastive learning batch size under memory limited setup"):
//
//   1. embed all micro-batches without recording; from all embeddings together the loss and its gradient with
//   respect to
//      each embedding;
//   2. embed each micro-batch again, recording, and go back from those gradients.
//
// The second pass uses the routing decisions of the first, so that rounding cannot send a token elsewhere.
// Auxiliary losses are means over routing groups, and a micro-batch counts by its share of the batch. With
// one micro-batch there is one pass.
#pragma once

#include <functional>
#include <vector>

#include "data/batch.h"
#include "models/limoe/limoe.h"

namespace limoe {

struct StepOptions {
  int64_t micro_batches = 1;  // divides the batch
  int64_t loss_chunk = 512;
  uint64_t noise_seed = 0;
  int64_t step = 0;
};

struct StepLosses {
  double contrastive = 0;
  double auxiliary = 0;                         // the weighted sum
  std::vector<AuxiliaryLoss> auxiliary_losses;  // each loss and block, averaged over micro-batches
  double total() const { return contrastive + auxiliary; }
};

// Called with each micro-batch's outputs; telemetry reads its routing there.
using OutputsObserver = std::function<void(const LimoeOutputs&)>;

// Adds the gradients of the total loss to the arena the model's parameters live in; the caller zeroes them
// first.
StepLosses accumulate_gradients(const Limoe& model, const Batch& batch, const StepOptions& options,
                                const OutputsObserver& observe = {});

}  // namespace limoe
