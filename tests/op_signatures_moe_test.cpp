// Every op of the mixture of experts through `limoe ops run` against the op itself.
#include <doctest/doctest.h>

#include "ops/global_entropy_loss.h"
#include "ops/grouped_linear.h"
#include "ops/gshard_loss.h"
#include "ops/importance_loss.h"
#include "ops/load_loss.h"
#include "ops/local_entropy.h"
#include "ops/mlp.h"
#include "ops/moe_combine.h"
#include "ops/moe_dispatch.h"
#include "ops/moe_mlp.h"
#include "ops/moe_route.h"
#include "ops/normalize_gates.h"
#include "ops/router_z_loss.h"
#include "ops/select_gates.h"
#include "ops/softmax.h"
#include "tensor/factory.h"
#include "tests/support/routing_fixture.h"
#include "tests/support/signature_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

constexpr int64_t kTokens = 11, kExperts = 4;

Tensor logits() {
  return normal({kTokens, kExperts}, 3);
}

Tensor probabilities() {
  return softmax_forward(logits());
}

Tensor groups() {
  return from_vector<int32_t>({kTokens}, groups_of_three(kTokens));
}

// K = 2, some choices dropped, one token not routed.
Routing routing() {
  return moe_route(probabilities(), groups(), 3,
                   {.experts_per_token = 2, .capacity_factor = 0.7, .capacity_multiple = 1});
}

NamedTensors with_routing(NamedTensors tensors) {
  const Routing r = routing();
  tensors["expert_of"] = r.expert_of;
  tensors["row_of"] = r.row_of;
  tensors["choice_of"] = r.choice_of;
  tensors["row_begin"] = r.row_begin;
  return tensors;
}

Routing routing_in(const NamedVars& in) {
  return {in.at("expert_of").value(), in.at("row_of").value(), in.at("choice_of").value(),
          in.at("row_begin").value()};
}

Vars outputs_of(const Routing& r) {
  return {Var(r.expert_of), Var(r.row_of), Var(r.choice_of), Var(r.row_begin)};
}

}  // namespace

TEST_CASE("ops run: moe_route is the function itself, with every option") {
  const NamedTensors inputs{{"probs", probabilities()}, {"group_of", groups()}};
  check_signature("moe_route", inputs, {{"groups", "3"}}, [](const NamedVars& in) {
    return outputs_of(moe_route(in.at("probs").value(), in.at("group_of").value(), 3, {}));
  });
  const NamedTexts options{{"groups", "3"},
                           {"experts-per-token", "2"},
                           {"capacity-factor", "0.7"},
                           {"capacity-rounding", "round"},
                           {"capacity-multiple", "1"},
                           {"batch-priority", "false"}};
  check_signature("moe_route", inputs, options, [](const NamedVars& in) {
    return outputs_of(moe_route(in.at("probs").value(), in.at("group_of").value(), 3,
                                {.experts_per_token = 2,
                                 .capacity_factor = 0.7,
                                 .rounding = CapacityRounding::round,
                                 .capacity_multiple = 1,
                                 .batch_priority = false}));
  });
}

TEST_CASE("ops run: dispatch and combine are the ops themselves") {
  check_signature("moe_dispatch", with_routing({{"x", normal({kTokens, 5})}}), {},
                  [](const NamedVars& in) { return Vars{moe_dispatch(in.at("x"), routing_in(in))}; });
  check_signature(
      "moe_combine",
      with_routing({{"rows", normal({2 * kTokens, 5})}, {"gates", uniform({kTokens, 2}, 0, 1, 1)}}), {},
      [](const NamedVars& in) { return Vars{moe_combine(in.at("rows"), in.at("gates"), routing_in(in))}; });
}

TEST_CASE("ops run: experts and gates are the ops themselves") {
  check_signature("grouped_linear",
                  {{"rows", normal({7, 3}, 1)},
                   {"kernel", normal({3, 3, 2}, 2)},
                   {"bias", normal({3, 2}, 3)},
                   {"row_begin", from_vector<int32_t>({4}, {0, 3, 3, 5})}},
                  {}, [](const NamedVars& in) {
                    return Vars{grouped_linear(in.at("rows"), in.at("kernel"), in.at("bias"),
                                               in.at("row_begin").value())};
                  });
  check_signature("grouped_mlp",
                  {{"rows", normal({7, 3}, 1)},
                   {"up", normal({3, 3, 2}, 2)},
                   {"up_bias", normal({3, 2}, 3)},
                   {"down", normal({3, 2, 4}, 4)},
                   {"down_bias", normal({3, 4}, 5)},
                   {"row_begin", from_vector<int32_t>({4}, {0, 3, 3, 5})}},
                  {}, [](const NamedVars& in) {
                    return Vars{grouped_mlp(in.at("rows"), in.at("up"), in.at("up_bias"), in.at("down"),
                                            in.at("down_bias"), in.at("row_begin").value())};
                  });
  check_signature("moe_mlp",
                  with_routing({{"x", normal({kTokens, 3}, 1)},
                                {"gates", uniform({kTokens, 2}, 0, 1, 1)},
                                {"up", normal({kExperts, 3, 2}, 2)},
                                {"up_bias", normal({kExperts, 2}, 3)},
                                {"down", normal({kExperts, 2, 5}, 4)},
                                {"down_bias", normal({kExperts, 5}, 5)}}),
                  {}, [](const NamedVars& in) {
                    return Vars{moe_mlp(in.at("x"), in.at("gates"), in.at("up"), in.at("up_bias"),
                                        in.at("down"), in.at("down_bias"), routing_in(in))};
                  });
  check_signature(
      "select_gates", {{"probs", probabilities()}, {"expert_of", routing().expert_of}}, {},
      [](const NamedVars& in) { return Vars{select_gates(in.at("probs"), in.at("expert_of").value())}; });
  check_signature("normalize_gates", {{"gates", uniform({5, 2}, 0.1, 1)}}, {},
                  [](const NamedVars& in) { return Vars{normalize_gates(in.at("gates"))}; });
}

TEST_CASE("ops run: losses on router logits are the ops themselves") {
  const NamedTensors inputs{{"logits", logits()}, {"group_of", groups()}};
  const NamedTexts three{{"groups", "3"}};
  check_signature("local_entropy", inputs, three, [](const NamedVars& in) {
    return Vars{local_entropy(in.at("logits"), in.at("group_of").value(), 3)};
  });
  check_signature("global_entropy_loss", inputs, {{"groups", "3"}, {"threshold", "1.38"}},
                  [](const NamedVars& in) {
                    return Vars{global_entropy_loss(in.at("logits"), 1.38, in.at("group_of").value(), 3)};
                  });
  check_signature("router_z_loss", inputs, three, [](const NamedVars& in) {
    return Vars{router_z_loss(in.at("logits"), in.at("group_of").value(), 3)};
  });
  check_signature(
      "load_loss",
      {{"logits", logits()}, {"noisy_logits", normal({kTokens, kExperts}, 4)}, {"group_of", groups()}},
      {{"groups", "3"}, {"experts-per-token", "2"}, {"noise-deviation", "0.25"}}, [](const NamedVars& in) {
        return Vars{load_loss(in.at("logits"), in.at("noisy_logits"), 2, 0.25, in.at("group_of").value(), 3)};
      });
}

TEST_CASE("ops run: losses on router probabilities are the ops themselves") {
  const NamedTensors inputs{{"probs", probabilities()}, {"group_of", groups()}};
  check_signature("importance_loss", inputs, {{"groups", "3"}}, [](const NamedVars& in) {
    return Vars{importance_loss(in.at("probs"), in.at("group_of").value(), 3)};
  });
  check_signature("gshard_loss", inputs, {{"groups", "3"}}, [](const NamedVars& in) {
    return Vars{gshard_loss(in.at("probs"), in.at("group_of").value(), 3)};
  });
}
