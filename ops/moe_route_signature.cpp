#include "ops/moe_route.h"
#include "ops/signature.h"
#include "tensor/error.h"

namespace limoe {
namespace {

CapacityRounding rounding_of(const OpCall& call) {
  const std::string& word = call.word("capacity-rounding");
  if (word != "ceil" && word != "round")
    throw UsageError("moe_route: capacity-rounding is \"", word, "\"; expected ceil or round");
  return word == "ceil" ? CapacityRounding::ceil : CapacityRounding::round;
}

}  // namespace

OpSignature moe_route_signature() {
  return {
      .summary =
          "top-K routing under a capacity limit; its outputs are the inputs of moe_dispatch and moe_combine",
      .inputs = {{.name = "probs",
                  .shape = "[N, E]",
                  .meaning = "rows need not add up to 1",
                  .kind = InputKind::constant},
                 {.name = "group_of",
                  .shape = "[N]",
                  .meaning = "the group of each token, 0 to groups - 1; -1: not counted",
                  .kind = InputKind::integer}},
      .outputs = {{"expert_of", "[N, K]", "expert of each choice, -1 for a token that is not routed"},
                  {"row_of", "[N, K]", "row of the expert buffer, -1: dropped"},
                  {"choice_of", "[N K]", "row -> n K + k, -1: nobody uses it"},
                  {"row_begin", "[E + 1]", "expert e owns rows row_begin[e] to row_begin[e + 1] - 1"}},
      .parameters = {{"groups", ParameterType::integer, "groups the tokens are counted in", "1"},
                     {"experts-per-token", ParameterType::integer, "K", "1"},
                     {"capacity-factor", ParameterType::number,
                      "an expert takes tokens K factor / E choices of a group; 0: all", "1.05"},
                     {"capacity-rounding", ParameterType::word, "ceil, or round (half to even)", "ceil"},
                     {"capacity-multiple", ParameterType::integer,
                      "capacities are raised to a multiple of this", "4"},
                     {"batch-priority", ParameterType::truth,
                      "the surest tokens are placed first; else in array order", "true"}},
      .run = [](const OpCall& call) {
        RouteOptions options;
        options.experts_per_token = call.integer("experts-per-token");
        options.capacity_factor = call.number("capacity-factor");
        options.rounding = rounding_of(call);
        options.capacity_multiple = call.integer("capacity-multiple");
        options.batch_priority = call.truth("batch-priority");
        const Routing routing =
            moe_route(call.tensor("probs"), call.tensor("group_of"), call.integer("groups"), options);
        return Vars{Var(routing.expert_of), Var(routing.row_of), Var(routing.choice_of),
                    Var(routing.row_begin)};
      }};
}

}  // namespace limoe
