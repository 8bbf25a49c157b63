// Rematerialisation (Briggs, Cooper and Torczon, "Rematerialization", 1992; of activations Chen et al. 2016):
// a value that takes less to compute again than to keep is not kept for the way back, but how to make it is.
//
//   const LayerNormOutput output = layer_norm_forward(x.value(), ...);
//   return rematerialized(record("layer_norm", output.y, ...),
//                         [x = save(x.value(), "x"), ...] { return layer_norm_forward(x.get(), ...).y; });
//
// For ops that read what is kept anyway and cost no more than the memory they move: norms, gathers, patches.
// Whoever needs the value on the way back asks save(const Var&) for it (record.h); the first to call get()
// makes it, and it lives until the last of them has run. `make` computes the same bits each time.
#pragma once

#include <functional>

#include "autograd/var.h"

namespace limoe {

class Recipe {
 public:
  explicit Recipe(std::function<Tensor()> make) : make_(std::move(make)) {}
  const Tensor& value() const;  // made when first asked for

 private:
  std::function<Tensor()> make_;
  mutable Tensor value_;
};

// y, which saves that come from it will make again. Without recording it is y alone.
Var rematerialized(Var y, std::function<Tensor()> make);

}  // namespace limoe
