// While a NoGradScope lives, record() makes no nodes on this thread: evaluation keeps no activations.
#pragma once

namespace limoe {

bool recording();  // true iff record() makes nodes on this thread

class NoGradScope {
 public:
  NoGradScope();
  ~NoGradScope();
  NoGradScope(const NoGradScope&) = delete;
  NoGradScope& operator=(const NoGradScope&) = delete;

 private:
  const bool outer_;
};

// The opposite, inside a NoGradScope: what recompute() needs during the backward pass.
class GradScope {
 public:
  GradScope();
  ~GradScope();
  GradScope(const GradScope&) = delete;
  GradScope& operator=(const GradScope&) = delete;

 private:
  const bool outer_;
};

}  // namespace limoe
