#include "models/optim/guard.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

const std::string kLosses = "losses", kGradientNorms = "gradient_norms";

void say(std::string& words, const std::string& more) {
  words += (words.empty() ? "" : "; ") + more;
}

// Judges one quantity; returns its z-score.
double judge(const char* what, double value, double z_limit, SpikeWindow& window, GuardReport& report) {
  if (!std::isfinite(value)) {
    report.is_finite = false;
    say(report.words, concatenate(what, " is ", value));
    return 0;
  }
  const double z = window.z_score(value);
  if (z > z_limit) {
    report.is_spike = true;
    say(report.words, concatenate(what, " is ", value, ", ", z, " standard deviations above its last ",
                                  SpikeWindow::kSize, " values"));
  }
  window.add(value);
  return z;
}

std::vector<double> window_of(const std::map<std::string, Tensor>& saved, const std::string& name) {
  const auto found = saved.find(name);
  if (found == saved.end())
    throw ValueError("guard state: ", name, " is missing; expected up to ", SpikeWindow::kSize, " values");
  const Tensor& values = found->second;
  if (values.dtype() != DType::f64 || values.rank() != 1 || values.dim(0) > int64_t(SpikeWindow::kSize))
    throw ValueError("guard state: ", name, " is ", values.dtype(), " ", values.shape(),
                     "; expected f64 [0..", SpikeWindow::kSize, "]");
  return to_vector<double>(values);
}

}  // namespace

double SpikeWindow::z_score(double value) const {
  if (values_.size() < kSize) return 0;
  const double first = values_.front();
  // Equal values have no deviation, and rounding their mean would invent one.
  if (std::all_of(values_.begin(), values_.end(), [=](double x) { return x == first; }))
    return value == first ? 0 : std::copysign(std::numeric_limits<double>::infinity(), value - first);
  double mean = 0, variance = 0;
  for (const double x : values_) mean += x / double(kSize);
  for (const double x : values_) variance += (x - mean) * (x - mean) / double(kSize);
  return (value - mean) / std::sqrt(variance);
}

void SpikeWindow::add(double value) {
  if (values_.size() == kSize) values_.erase(values_.begin());
  values_.push_back(value);
}

LossGuard::LossGuard(double z_limit) : z_limit_(z_limit) {
  if (!(z_limit > 0)) throw ValueError("guard: z_limit is ", z_limit, "; expected more than 0");
}

GuardReport LossGuard::look(double loss, double gradient_norm) {
  GuardReport report;
  report.loss_z = judge("loss", loss, z_limit_, losses_, report);
  report.gradient_norm_z = judge("gradient norm", gradient_norm, z_limit_, gradient_norms_, report);
  return report;
}

std::map<std::string, Tensor> LossGuard::state() const {
  const auto tensor = [](const SpikeWindow& window) {
    return from_vector<double>({int64_t(window.values().size())}, window.values());
  };
  return {{kLosses, tensor(losses_)}, {kGradientNorms, tensor(gradient_norms_)}};
}

void LossGuard::load_state(const std::map<std::string, Tensor>& saved) {
  std::vector<double> losses = window_of(saved, kLosses), norms = window_of(saved, kGradientNorms);
  losses_.assign(std::move(losses));
  gradient_norms_.assign(std::move(norms));
}

}  // namespace limoe
