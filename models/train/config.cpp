#include "models/train/config.h"

#include "models/limoe/config_checks.h"
#include "models/train/fields.h"
#include "tensor/error.h"
#include "tensor/split_text.h"

namespace limoe {
namespace {

template <class... Known>
void expect_one_of(const char* key, const std::string& value, const Known&... known) {
  if (((value == known) || ...)) return;
  std::string list;
  ((list += (list.empty() ? "'" : ", '") + std::string(known) + "'"), ...);
  throw ValueError("config: ", key, " is \"", value, "\"; expected ", list);
}

}  // namespace

std::vector<double> upsampling_factors(const TrainConfig& c) {
  std::vector<double> factors;
  if (c.train_data_upsampling_factors.empty()) return factors;
  for (const std::string& text : split_text(c.train_data_upsampling_factors, "::"))
    assign_text(factors.emplace_back(), text, "config: train-data-upsampling-factors");
  return factors;
}

void validate(const TrainConfig& c) {
  if (c.train_data.empty())
    throw ValueError(
        "config: train-data is empty; expected tar shards, as `limoe data` makes them, a table, or a folder "
        "of classes");
  for (const auto& [key, value] : KeyedNumbers<int64_t>{{"batch-size", c.batch_size},
                                                        {"accum-freq", c.accum_freq},
                                                        {"epochs", c.epochs},
                                                        {"tokenizer-vocabulary", c.tokenizer_vocabulary},
                                                        {"timescale", c.timescale},
                                                        {"loss-chunk", c.loss_chunk},
                                                        {"log-every-n-steps", c.log_every_n_steps},
                                                        {"keep-checkpoints", c.keep_checkpoints},
                                                        {"trace-steps", c.trace_steps}})
    expect_at_least(key, double(value), 1);
  for (const auto& [key, value] : KeyedNumbers<double>{{"workers", c.workers},
                                                       {"max-bad", c.max_bad},
                                                       {"max-steps", c.max_steps},
                                                       {"augment-epochs", c.augment_epochs},
                                                       {"warmup", c.warmup},
                                                       {"cooldown", c.cooldown},
                                                       {"threads", c.threads},
                                                       {"save-every-steps", c.save_every_steps},
                                                       {"keep-every-steps", c.keep_every_steps},
                                                       {"lr", c.lr},
                                                       {"wd", c.wd},
                                                       {"grad-clip-norm", c.grad_clip_norm}})
    expect_at_least(key, value, 0);
  expect_at_least("max-scale", c.max_scale, 1);
  if (c.batch_size % c.accum_freq != 0)
    throw ValueError("config: accum-freq is ", c.accum_freq, "; expected a divisor of batch-size, which is ",
                     c.batch_size);
  for (const auto& [key, value] :
       KeyedNumbers<double>{{"beta1", c.beta1}, {"beta2", c.beta2}, {"patch-dropout", c.patch_dropout}})
    if (!(value >= 0 && value < 1))
      throw ValueError("config: ", key, " is ", value, "; expected 0 or more and below 1");
  if (!(c.eps > 0)) throw ValueError("config: eps is ", c.eps, "; expected more than 0");
  upsampling_factors(c);
  expect_one_of("optimizer", c.optimizer, "adamw", "adafactor");
  expect_one_of("lr-scheduler", c.lr_scheduler, "cosine", "rsqrt", "linear", "const");
  expect_one_of("device", c.device, "cpu", "cuda", "sim");
  expect_one_of("precision", c.precision, "fp32", "bf16", "auto");
  expect_one_of("gemm", c.gemm, "own", "cublas", "auto");
  if (c.gemm != "own" && c.device != "cuda")
    throw ValueError("config: gemm is ", c.gemm, " on device ", c.device,
                     "; expected own, or device cuda: cuBLASLt needs a GPU");
  for (const auto& [key, value] : {std::pair{"attention", c.attention}, std::pair{"norm", c.norm}}) {
    expect_one_of(key, value, "own", "cudnn");
    if (value != "own" && c.device != "cuda")
      throw ValueError("config: ", key, " is ", value, " on device ", c.device,
                       "; expected own, or device cuda: cuDNN needs a GPU");
  }
  if (!c.gemm_choices.empty() && c.gemm != "auto")
    throw ValueError("config: gemm-choices is given with gemm ", c.gemm,
                     "; expected gemm auto, the only one that measures");
  if (c.nvtx && c.device == "cpu")
    throw ValueError(
        "config: nvtx is true on device cpu; expected false, or device cuda: it names what a GPU is given");
  expect_one_of("spike-action", c.spike_action, "warn", "skip");
}

}  // namespace limoe
