// record(): the only way into the graph.
//
//   return record("mul", y, {a, b}, [a = save(a.value(), "a"), b = save(b.value(), "b")](const Tensor& dy,
//   auto& d) {
//     if (d.wanted(0)) d.set(0, mul_forward(dy, b.get()));   // da = dy * b
//     if (d.wanted(1)) d.set(1, mul_forward(dy, a.get()));   // db = dy * a
//   });
#pragma once

#include <span>
#include <string>
#include <vector>

#include "autograd/no_grad.h"
#include "autograd/rematerialize.h"
#include "autograd/var.h"

namespace limoe {

// A tensor that the backward pass will need. get() throws ValueError when somebody wrote to it after it was
// saved.
class Saved {
 public:
  Saved(Tensor tensor, const char* name)
      : tensor_(std::move(tensor)), name_(name), writes_(tensor_.write_count()) {}
  Saved(std::shared_ptr<const Recipe> recipe, const char* name) : recipe_(std::move(recipe)), name_(name) {}
  const Tensor& get() const;
  // The same for the last time: it is not held here any longer, so that its memory may be written to where
  // the caller owns it alone.
  Tensor take();

 private:
  std::shared_ptr<const Recipe> recipe_;  // null: the tensor itself is held
  Tensor tensor_;
  const char* name_;
  uint64_t writes_ = 0;
};

inline Saved save(const Tensor& tensor, const char* name) {
  return Saved(tensor, name);
}
// x's value, or how to make it again where that is known (rematerialize.h): the way back then gets the same
// bits, and the memory is free until then.
inline Saved save(const Var& x, const char* name) {
  return x.recipe() ? Saved(x.recipe(), name) : Saved(x.value(), name);
}

// y as a Var made by `op` out of `inputs`. Without recording, or when no input wants a gradient, there is no
// node and the backward function is dropped.
Var record(const char* op, const Tensor& y, const std::vector<Var>& inputs, BackwardFunction backward);

// The same for an op with several outputs. The backward function runs once; a gradient that nothing flowed
// into is an undefined Tensor.
using ManyBackwardFunction = std::function<void(std::span<const Tensor> dys, InputGradients& gradients)>;
std::vector<Var> record_many(const char* op, const std::vector<Tensor>& ys, const std::vector<Var>& inputs,
                             ManyBackwardFunction backward);

// Called once for every op that record() and record_many() see while it is set; an empty function takes it
// away. This is how the trainer finds the op that made the first NaN, and the tracer the shapes. One observer
// for the thread.
using RecordObserver = std::function<void(const std::string& full_name, std::span<const Var> inputs,
                                          std::span<const Tensor> ys)>;
void set_record_observer(RecordObserver observer);

}  // namespace limoe
