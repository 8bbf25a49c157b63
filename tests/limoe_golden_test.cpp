// A whole tiny LIMoE against the same model in PyTorch (tests/golden/README.md).
#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "ops/add.h"
#include "ops/contrastive_loss.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/golden_limoe.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// expert, and slot within (expert, group) rather than row of the packed buffer: what the golden tables hold.
struct SlotTable {
  Tensor expert, slot;  // i32 [N, K]
};

SlotTable slots_of(const Routing& routing, const TokenLayout& layout, int64_t experts) {
  const std::vector<int32_t> expert = to_vector<int32_t>(routing.expert_of),
                             row = to_vector<int32_t>(routing.row_of);
  const std::vector<int32_t> group = to_vector<int32_t>(layout.group_of);
  const size_t choices = expert.size() / group.size();
  // The first row that any token of (expert, group) holds.
  std::vector<int32_t> first(size_t(experts * layout.groups), INT32_MAX);
  const auto cell = [&](size_t i) {
    return size_t(expert[i]) * size_t(layout.groups) + size_t(group[i / choices]);
  };
  for (size_t i = 0; i < row.size(); ++i)
    if (row[i] != kDropped) first[cell(i)] = std::min(first[cell(i)], row[i]);
  std::vector<int32_t> slot(row.size(), -1);
  for (size_t i = 0; i < row.size(); ++i)
    if (row[i] != kDropped) slot[i] = row[i] - first[cell(i)];
  return {routing.expert_of, from_vector(routing.row_of.shape(), slot)};
}

void check_routing(const GoldenLimoe& golden, const LimoeOutputs& outputs) {
  for (const RouterReport& report : outputs.routers) {
    const std::string key = "routing." + std::to_string(report.block);
    const SlotTable table = slots_of(report.routing, outputs.layout, golden.config.experts);
    CHECK_SAME_BITS(table.expert, golden.without_padding(golden.tensor(key + ".expert")));
    const std::vector<int32_t> capacity = to_vector<int32_t>(golden.tensor(key + ".capacity"));
    const std::vector<int32_t> group = to_vector<int32_t>(outputs.layout.group_of);
    std::vector<int32_t> wanted = to_vector<int32_t>(golden.without_padding(golden.tensor(key + ".slot")));
    const size_t choices = wanted.size() / group.size();
    for (size_t i = 0; i < wanted.size(); ++i)
      if (wanted[i] >= 0 && wanted[i] >= capacity[size_t(group[i / choices])]) wanted[i] = -1;
    CHECK_SAME_BITS(table.slot, from_vector(table.slot.shape(), wanted));
  }
}

}  // namespace

TEST_CASE("a tiny LIMoE has PyTorch's embeddings, losses, routing and every parameter gradient") {
  for (const char* name : {"k1", "k2", "two_layers", "noise"}) {
    CAPTURE(name);
    const GoldenLimoe golden(name);
    const Batch batch = golden.batch();
    const LimoeOutputs outputs =
        golden.model->forward({batch.images, batch.ids, batch.text_valid}, golden.options());
    CHECK_CLOSE(outputs.image_embeddings.value(), golden.tensor("image_embedding"), tolerance::kModelF32);
    CHECK_CLOSE(outputs.text_embeddings.value(), golden.tensor("text_embedding"), tolerance::kModelF32);
    check_routing(golden, outputs);
    for (const AuxiliaryLoss& loss : outputs.auxiliary_losses)
      CHECK_CLOSE(loss.value, golden.tensor("auxiliary." + std::to_string(loss.block) + "." + loss.name),
                  tolerance::kModelF32);
    const Var contrastive =
        contrastive_loss(outputs.image_embeddings, outputs.text_embeddings, golden.model->log_scale());
    CHECK_CLOSE(contrastive.value(), golden.tensor("contrastive"), tolerance::kModelF32);
    const Var total = add(contrastive, outputs.auxiliary);
    CHECK_CLOSE(total.value(), golden.tensor("total"), tolerance::kModelF32);
    backward(total);
    for (const Parameter& parameter : golden.arena->parameters()) {
      CAPTURE(parameter.spec.name);
      CHECK_CLOSE(parameter.var.gradient(), golden.tensor("gradients." + parameter.spec.name),
                  tolerance::kModelF32);
    }
  }
}
