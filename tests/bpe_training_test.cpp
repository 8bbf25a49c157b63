// Training with CLIP's kind of tokenizer: from a merges file to a checkpoint that needs none.
#include <doctest/doctest.h>

#include <filesystem>

#include "models/train/checkpoint.h"
#include "models/train/embed.h"
#include "models/train/trainer.h"
#include "tests/support/compare.h"
#include "tests/support/paths.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE(
    "training with a merges file: the checkpoint holds the tokenizer, and training goes on without the "
    "file") {
  const ScratchFolder scratch;
  write_pairs(scratch / "pairs", 32, 16, 16);
  std::filesystem::copy(golden_path("bpe_merges.txt"), scratch / "merges.txt");
  TrainRequest request;
  request.model.image_size = 16;
  request.model.patch_size = 8;
  request.model.text_length = 8;
  request.model.width = request.model.joint_width = request.model.mlp_width = 16;
  request.model.layers = request.model.heads = 2;
  request.model.experts = 4;
  request.train.train_data = scratch / "pairs";
  request.train.tokenizer = scratch / "merges.txt";
  request.train.replace_token = 0.5;
  request.train.batch_size = 8;
  request.train.warmup = 1;
  request.train.workers = 0;
  TrainObserver nobody;
  const auto run = [&](const std::string& out, int64_t steps, bool resume) {
    request.train.max_steps = steps;
    request.resume = resume;
    RunFolder folder(scratch / out, resume);
    return train(request, folder, nobody).steps;
  };
  CHECK(run("whole", 6, false) == 6);
  std::filesystem::remove(scratch / "merges.txt");
  CHECK(run("whole", 8, true) == 8);
  const LoadedModel loaded = load_model(scratch / "whole");
  CHECK(loaded.tokenizer->kind() == "bpe");
  CHECK(loaded.config.vocabulary == loaded.tokenizer->vocab_size());
  const Tensor rows = embed_texts(*loaded.model, *loaded.tokenizer, {"thing 1", "thing 2"});
  CHECK(!same_bits(rows.slice(0, 0, 1), rows.slice(0, 1, 2)).ok);
}

TEST_CASE("random tokens of a BPE text are pieces, and its start and end stay") {
  const ScratchFolder scratch;
  write_pairs(scratch / "pairs", 16, 16);
  const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(golden_path("bpe_merges.txt"));
  LoaderOptions options;
  options.batch_size = 16;
  options.image_size = 12;
  options.text.max_len = 8;
  options.workers = 0;
  options.epochs = 1;
  options.augment = AugmentOptions{.replace_token = 1};
  Loader loader(std::make_shared<const Dataset>(scratch / "pairs", DatasetOptions{}), tokenizer, options);
  const Batch batch = loader.next();
  const int32_t start = tokenizer->vocab_size() - 2, end = start + 1;
  int64_t changed = 0;
  for (int64_t row = 0; row < 16; ++row) {
    const int32_t* ids = batch.ids.data<int32_t>() + row * 8;
    const TextIds plain = tokenize(*tokenizer, batch.captions[size_t(row)], options.text);
    CHECK(ids[0] == start);
    CHECK(ids[plain.valid - 1] == end);
    for (int32_t i = 1; i + 1 < plain.valid; ++i) {
      CHECK(ids[i] < start);
      changed += ids[i] != plain.ids[size_t(i)];
    }
  }
  CHECK(changed > 16);
}
