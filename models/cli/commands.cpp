#include "models/cli/command.h"

namespace limoe {

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"data", "makes a bundled data set: pictures and captions in tar shards", declare_data},
      {"train", "trains a model and leaves a run folder: config, metrics, checkpoints", declare_train},
      {"info", "what a model costs: parameters, FLOP and memory, without making it", declare_info},
      {"eval", "retrieval, zero-shot and few-shot classification with a trained model", declare_eval},
      {"embed", "pictures and texts as unit vectors, in a safetensors file", declare_embed},
      {"report", "a run as one HTML page: curves, routing, retrieval, experts", declare_report},
      {"serve", "a local page: type a phrase, see pictures, and which expert took what", declare_serve},
      {"search", "ranks pictures for a phrase", declare_search},
      {"ops", "any op on the tensors of a file, to hold it against another library", declare_ops},
      {"bench", "how fast ops, a training step and the loading of data are here", declare_bench},
  };
  return all;
}

}  // namespace limoe
