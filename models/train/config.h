// How a LIMoE is trained. Keys are open_clip's where it has one.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

struct TrainConfig {
  // Data
  std::string train_data;
  std::string train_data_upsampling_factors;
  std::string val_data;
  std::string tokenizer = "sentencepiece";
  int64_t tokenizer_vocabulary = 1000;
  std::string json_text_key;
  std::string csv_img_key = "filepath";
  std::string csv_caption_key = "title";
  std::string csv_separator = "tab";
  int64_t workers = 1;
  int64_t max_bad = 100;
  bool augment = true;
  double augment_min_scale = 0.6;
  double augment_max_scale = 1.2;
  double augment_max_aspect = 1.15;
  double augment_color = 0.1;
  double augment_erase = 0;
  bool augment_flip = false;
  bool vary_caption = true;
  double patch_dropout = 0;
  double augment_share = 1;
  int64_t augment_epochs = 0;
  double keep_phrase = 0.5;
  double keep_name = 1;
  double replace_token = 0;

  // Length
  int64_t batch_size = 128;
  int64_t accum_freq = 1;
  int64_t epochs = 1;
  int64_t max_steps = 0;

  // Optimizer
  std::string optimizer = "adamw";
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double wd = 0.1;
  std::string lr_scheduler = "cosine";
  int64_t warmup = 100;
  int64_t cooldown = 0;
  int64_t timescale = 10000;
  double grad_clip_norm = 1.0;
  double max_scale = 100;
  int64_t loss_chunk = 512;

  // Run
  uint64_t seed = 0;
  std::string device = "cpu";
  std::string precision = "fp32";
  std::string gemm = "own";
  std::string gemm_choices;
  std::string attention = "own";
  std::string norm = "own";
  bool nvtx = false;
  int64_t threads = 0;
  int64_t log_every_n_steps = 10;
  int64_t save_every_steps = 0;
  int64_t keep_checkpoints = 2;
  int64_t keep_every_steps = 0;
  std::string spike_action = "warn";
  std::string trace;
  int64_t trace_steps = 3;
};

void validate(const TrainConfig& config);  // throws ValueError naming the key

// The numbers of train-data-upsampling-factors; none where it is empty. ValueError for what is no number.
std::vector<double> upsampling_factors(const TrainConfig& config);

// visit(key, field, help), as for LimoeConfig.
template <class Config, class Visit>
requires std::same_as<std::remove_const_t<Config>, TrainConfig>
void visit_fields(Config& c, const Visit& visit) {
  visit("train-data", c.train_data,
        "tar shards (a folder, a file, {0..9}.tar ranges), a .csv or .tsv, a folder of classes; several "
        "joined by ::");
  visit("train-data-upsampling-factors", c.train_data_upsampling_factors,
        "how often an epoch draws each source of train-data, joined by ::, as in 1::0.3; empty: once");
  visit("val-data", c.val_data, "held-out sets to report retrieval on at the end, joined by ::");
  visit("tokenizer", c.tokenizer,
        "'sentencepiece' (trained from the captions), 'bytes', a .model file, or CLIP's merges");
  visit("tokenizer-vocabulary", c.tokenizer_vocabulary, "pieces of a tokenizer trained here");
  visit("json-text-key", c.json_text_key, "take captions from this field of KEY.json instead of KEY.txt");
  visit("csv-img-key", c.csv_img_key, "column of a .csv or .tsv with the paths of the pictures");
  visit("csv-caption-key", c.csv_caption_key, "column with their captions");
  visit("csv-separator", c.csv_separator, "what parts its columns: 'tab', or one character");
  visit("workers", c.workers, "threads that make batches ahead; 0: none");
  visit("max-bad", c.max_bad, "stop when more samples than this are bad");
  visit("augment", c.augment, "vary pictures: random crop, zoom, colours");
  visit("augment-min-scale", c.augment_min_scale, "least share of the picture's area in a crop");
  visit("augment-max-scale", c.augment_max_scale, "most; above 1 zooms out");
  visit("augment-max-aspect", c.augment_max_aspect,
        "a crop's width to height is at most this, and at least its inverse");
  visit("augment-color", c.augment_color, "brightness, contrast and saturation vary by this share");
  visit("augment-erase", c.augment_erase, "probability that a rectangle of a picture is painted over");
  visit("augment-flip", c.augment_flip, "mirror half of the pictures whose caption names no side");
  visit("patch-dropout", c.patch_dropout,
        "share of a picture's patches that a training step leaves out; evaluation looks at all");
  visit("vary-caption", c.vary_caption, "drop and shuffle the phrases of a caption");
  visit("augment-share", c.augment_share,
        "share of the pairs of an epoch that vary; the others are taken as they are");
  visit("augment-epochs", c.augment_epochs,
        "after this many epochs pictures and captions are taken as they are; 0: never");
  visit("keep-phrase", c.keep_phrase, "probability that a phrase of a caption stays");
  visit("keep-name", c.keep_name, "probability that the name stays where another phrase does");
  visit("replace-token", c.replace_token, "probability that a token of a text is replaced by a random one");
  visit("batch-size", c.batch_size, "pairs that are contrasted with one another in a step");
  visit("accum-freq", c.accum_freq, "micro-batches a step is computed in; the gradient is the same");
  visit("epochs", c.epochs, "passes over the training data");
  visit("max-steps", c.max_steps, "stop after this many steps; 0: after the epochs");
  visit("optimizer", c.optimizer, "'adamw' or 'adafactor' (big_vision's variant)");
  visit("lr", c.lr, "peak learning rate");
  visit("beta1", c.beta1, "decay of the first moment");
  visit("beta2", c.beta2, "decay of the second moment");
  visit("eps", c.eps, "AdamW's epsilon");
  visit("wd", c.wd, "decoupled weight decay of the kernels, multiplied by the learning rate");
  visit("lr-scheduler", c.lr_scheduler, "'cosine', 'rsqrt', 'linear' or 'const', each after a linear warmup");
  visit("warmup", c.warmup, "steps of linear warmup");
  visit("cooldown", c.cooldown, "last steps with a linear way to 0 (rsqrt)");
  visit("timescale", c.timescale, "steps after which rsqrt has fallen to 0.7");
  visit("grad-clip-norm", c.grad_clip_norm, "gradients longer than this are shortened to it; 0: off");
  visit("max-scale", c.max_scale, "the logit scale is held at or below this");
  visit("loss-chunk", c.loss_chunk, "rows of the similarity matrix that exist at a time");
  visit("seed", c.seed, "of initialisation, data order, augmentation and noise");
  visit("device", c.device, "'cpu', 'cuda' (a GPU), 'sim' (the kernels of cuda/ simulated on the CPU)");
  visit("precision", c.precision,
        "'fp32', or 'bf16': activations and products, beside master weights in fp32; on the CPU products of "
        "linear layers alone. 'auto': bf16 on a CPU that multiplies it faster (AMX), else fp32");
  visit("gemm", c.gemm,
        "who multiplies matrices on a GPU: 'own' kernels (the same bits in every run), 'cublas', or 'auto': "
        "the faster one for each shape, measured once");
  visit(
      "gemm-choices", c.gemm_choices,
      "file that keeps what gemm 'auto' measured; empty: limoe/gemm-choices-<gpu>.txt in $XDG_CACHE_HOME or "
      "~/.cache");
  visit("attention", c.attention,
        "who computes attention on a GPU: 'own' kernels, or 'cudnn' where it can (bf16, no padding)");
  visit("norm", c.norm, "who computes LayerNorm on a GPU: 'own' kernels, or 'cudnn' where it can");
  visit("nvtx", c.nvtx, "name ops for Nsight Systems, as LIMOE_NVTX=1 does");
  visit("threads", c.threads, "CPU threads; 0: all. The bits do not depend on it");
  visit("log-every-n-steps", c.log_every_n_steps, "steps between lines of metrics");
  visit("save-every-steps", c.save_every_steps, "steps between checkpoints; 0: at the end only");
  visit("keep-checkpoints", c.keep_checkpoints, "newest checkpoints that are kept");
  visit("keep-every-steps", c.keep_every_steps,
        "checkpoints whose step is a multiple of this are never removed; 0: none");
  visit("spike-action", c.spike_action,
        "'warn', or 'skip' the step, when loss or gradient norm jumps out of its window");
  visit("trace", c.trace, "file for a trace of the run's third and further steps, for ui.perfetto.dev");
  visit("trace-steps", c.trace_steps, "how many steps are traced");
}

}  // namespace limoe
