#include "models/optim/adamw.h"

#include "models/optim/expect_settings.h"
#include "tensor/factory.h"

namespace limoe {

AdamW::AdamW(const ParameterArena& arena, const AdamWSettings& settings)
    : Optimizer(arena),
      settings_(settings),
      first_moment_(zeros_like(arena.values())),
      second_moment_(zeros_like(arena.values())) {
  for (const Tensor& moment : {first_moment_, second_moment_}) moment.name_memory("moments of adamw");
  expect_share("adamw", "beta1", settings.beta1);
  expect_share("adamw", "beta2", settings.beta2);
  expect_not_negative("adamw", "weight_decay", settings.weight_decay);
  expect_positive("adamw", "epsilon", settings.epsilon);
  for (size_t i = 0; i < slots().size(); ++i) {
    const int64_t end = i + 1 < slots().size() ? slots()[i + 1].offset : arena.size();
    const bool decays = slots()[i].spec.decays;
    if (!runs_.empty() && runs_.back().decays == decays)
      runs_.back().end = end;
    else
      runs_.push_back({slots()[i].offset, end, decays});
  }
}

void AdamW::step(ParameterArena& arena, const StepRates& rates) {
  begin_step(arena);
  adamw_update(
      arena.values(), arena.gradients(), first_moment_, second_moment_, runs_,
      {settings_.beta1, settings_.beta2, settings_.epsilon, rates.lr, settings_.weight_decay, steps()});
}

std::map<std::string, Tensor> AdamW::state() const {
  std::map<std::string, Tensor> state = common_state();
  add_views(state, "first_moment", first_moment_);
  add_views(state, "second_moment", second_moment_);
  return state;
}

}  // namespace limoe
