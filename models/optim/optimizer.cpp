#include "models/optim/optimizer.h"

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

void expect_fits(const std::string& name, const Tensor& saved, const Tensor& state) {
  if (saved.shape() != state.shape())
    throw ShapeError("optimizer state: ", name, " is ", saved.shape(), "; expected ", state.shape());
  if (saved.dtype() != state.dtype())
    throw DTypeError("optimizer state: ", name, " is ", saved.dtype(), "; expected ", state.dtype());
}

}  // namespace

Optimizer::Optimizer(const ParameterArena& arena)
    : size_(arena.size()), dtype_(arena.values().dtype()), steps_(zeros({}, DType::i32)) {
  for (const Parameter& parameter : arena.parameters())
    slots_.push_back({parameter.spec, parameter.offset, parameter.spec.shape.element_count()});
}

void Optimizer::begin_step(const ParameterArena& arena) {
  if (arena.size() != size_ || arena.parameters().size() != slots_.size() || arena.values().dtype() != dtype_)
    throw ValueError(name(), ": the arena has ", arena.parameters().size(), " parameters in ", arena.size(),
                     " ", arena.values().dtype(), " elements; expected ", slots_.size(), " in ", size_, " ",
                     dtype_, " as when the optimizer was made");
  ++*steps_.mutable_data<int32_t>();
}

void Optimizer::add_views(std::map<std::string, Tensor>& state, const std::string& kind,
                          const Tensor& flat) const {
  for (const Slot& slot : slots_)
    state.emplace(kind + "." + slot.spec.name,
                  flat.slice(0, slot.offset, slot.offset + slot.count).reshape(slot.spec.shape));
}

void Optimizer::load_state(const std::map<std::string, Tensor>& saved) {
  std::map<std::string, Tensor> state = this->state();
  std::vector<std::string> known;
  for (const auto& [name, tensor] : state) known.push_back(name);
  for (const auto& [name, tensor] : saved)
    if (!state.contains(name))
      throw ValueError("optimizer state: ", name, " is unknown to ", this->name(),
                       "; the nearest known name is ", nearest_name(name, known));
  for (const auto& [name, tensor] : state) {
    const auto found = saved.find(name);
    if (found == saved.end())
      throw ValueError("optimizer state: ", name, " is missing; expected all of ", this->name(), "'s");
    expect_fits(name, found->second, tensor);
  }
  for (auto& [name, tensor] : state)
    copy_into(tensor, contiguous(to_device(saved.at(name), tensor.device())));
}

}  // namespace limoe
