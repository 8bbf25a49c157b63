#include "models/train/run_parts.h"

#include <algorithm>
#include <optional>

#include "models/limoe/info.h"
#include "models/limoe/parameters.h"
#include "models/optim/adafactor.h"
#include "models/optim/adamw.h"
#include "models/train/checkpoint.h"
#include "models/train/model_inputs.h"
#include "models/train/readable.h"
#include "ops/matmul_precision.h"
#include "tensor/cpu_level.h"
#include "tensor/error.h"
#include "tensor/host_slabs.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

// A unigram model of so few pieces does not change with more captions than this.
constexpr int64_t kMostCaptions = 20000;

std::vector<std::string> captions_of(const Dataset& dataset) {
  const int64_t step = std::max<int64_t>(1, dataset.size() / kMostCaptions);
  std::vector<std::string> captions;
  for (int64_t i = 0; i < dataset.size(); i += step) {
    try {
      captions.push_back(dataset.read_text(i).caption);
    } catch (const FileError& error) {
      dataset.report_bad(i, error.what());
    }
  }
  return captions;
}

std::shared_ptr<const Tokenizer> make_tokenizer(const TrainConfig& config, const TextOptions& text,
                                                const Dataset& dataset) {
  if (config.tokenizer != "sentencepiece") return load_tokenizer(config.tokenizer);
  std::vector<std::string> captions = captions_of(dataset);
  for (std::string& caption : captions) caption = prepared_text(caption, text);
  return train_sentencepiece(captions, {.vocab_size = int32_t(config.tokenizer_vocabulary)});
}

// --wd is multiplied by the learning rate, whichever the optimizer: Adafactor's own decay follows the
// schedule alone.
std::unique_ptr<Optimizer> make_optimizer(const TrainConfig& config, const ParameterArena& arena) {
  if (config.optimizer == "adafactor")
    return std::make_unique<Adafactor>(
        arena, AdafactorSettings{
                   .beta1 = config.beta1, .beta2_cap = config.beta2, .weight_decay = config.wd * config.lr});
  return std::make_unique<AdamW>(
      arena,
      AdamWSettings{
          .beta1 = config.beta1, .beta2 = config.beta2, .epsilon = config.eps, .weight_decay = config.wd});
}

}  // namespace

namespace {

// The simulator steps through kernels lane by lane, at about a two-thousandth of what the CPU's own code
// reaches.
constexpr double kMostSimulatedFlop = 2e11;

void expect_short(const LimoeConfig& model, const TrainConfig& train, int64_t steps) {
  const ModelInfo info = model_info(
      model, {.batch_size = train.batch_size, .accum_freq = train.accum_freq, .optimizer = train.optimizer});
  const double flop = double(info.training_pair_flop) * double(train.batch_size) * double(steps);
  if (flop > kMostSimulatedFlop)
    throw ValueError(
        "config: device is sim for ", steps, " steps of ", with_decimals(flop / double(steps) / 1e9, 1),
        " GFLOP; expected at most ", with_decimals(kMostSimulatedFlop / 1e9, 0),
        " in all: the simulator shows that kernels are right, slowly; lower --max-steps or --batch-size, "
        "or train on cpu or cuda");
}

std::string joined(const std::vector<int64_t>& numbers) {
  std::string text;
  for (const int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

ReportTable model_table(const LimoeConfig& c, const ModelInfo& info) {
  ReportTable table{"Model", {}};
  table.rows.push_back({"tower", concatenate(c.layers, " blocks, width ", c.width, ", ", c.heads,
                                             " heads, MLP ", c.mlp_width)});
  if (info.moe_blocks.empty())
    table.rows.push_back({"experts", "none: the dense twin"});
  else
    table.rows.push_back(
        {"experts", concatenate(c.experts, info.moe_blocks.size() == 1 ? " in block " : " in blocks ",
                                joined(info.moe_blocks), ", ", c.experts_per_token, " a token, ",
                                info.expert_capacity == 0 ? std::string("no limit of")
                                                          : std::to_string(info.expert_capacity),
                                " places each")});
  table.rows.push_back(
      {"parameters", concatenate(grouped_digits(info.parameters), ", ",
                                 grouped_digits(info.active_parameters), " active a token")});
  table.rows.push_back(
      {"pictures, texts", concatenate(c.image_size, " px in patches of ", c.patch_size, ": ",
                                      info.image_tokens, " tokens; ", info.text_tokens, " tokens")});
  table.rows.push_back(
      {"FLOP a pair", with_decimals(double(info.training_pair_flop) / 1e9, 3) + " G in training"});
  return table;
}

std::string precision_in_words(const TrainConfig& config) {
  if (config.device != "cpu") return activations_of(config) == DType::bf16 ? "bf16" : "fp32";
  if (products_of(config) == MatmulPrecision::fp32) return "fp32";
  return bf16_products_are_fast()
             ? "fp32, linear layers' products in bf16 by matrix tiles (AMX)"
             : "fp32, linear layers' products rounded to bf16, which this processor does slower than fp32";
}

std::string pages_in_words() {
  if (!HostSlabs::kUsed) return "small pages, so that AddressSanitizer sees where tensors end";
  return huge_pages_are_allowed()
             ? "pages of 2 MiB for larger tensors"
             : "small pages; /sys/kernel/mm/transparent_hugepage/enabled set to madvise allows larger ones";
}

ReportTable memory_table(const MemoryEstimate& memory) {
  return {"Memory, estimated",
          {{"weights, gradients, optimizer", concatenate(readable_bytes(double(memory.weights)), ", ",
                                                         readable_bytes(double(memory.gradients)), ", ",
                                                         readable_bytes(double(memory.optimizer)))},
           {"activations, batches", concatenate(readable_bytes(double(memory.activations)), ", ",
                                                readable_bytes(double(memory.data)))},
           {"in all", readable_bytes(double(memory.total()))}}};
}

}  // namespace

std::vector<ReportTable> RunParts::startup_tables() const {
  const ModelInfo info = model_info(
      model_config,
      {.batch_size = config.batch_size, .accum_freq = config.accum_freq, .optimizer = config.optimizer});
  const ReportTable data{
      "Data",
      {{"pairs",
        concatenate(grouped_digits(dataset->size()), " in ", dataset->extent(), " of ", config.train_data)},
       {"tokenizer",
        concatenate(tokenizer->kind(), ", ", grouped_digits(tokenizer->vocab_size()), " pieces")},
       {"batch", concatenate(config.batch_size, " pairs in ", config.accum_freq,
                             config.accum_freq == 1 ? " micro-batch" : " micro-batches")},
       {"length",
        concatenate(grouped_digits(total_steps), " steps, ", loader->steps_per_epoch(), " to an epoch")}}};
  ReportTable machine_table{
      "Machine",
      {{"device", concatenate(config.device, " in ", precision_in_words(config), "; ",
                              counted(thread_count(), "thread"), ", built for ", cpu_level_in_words())},
       {"loader", counted(config.workers, "worker")}}};
  if (config.device == "cpu") machine_table.rows.push_back({"memory", pages_in_words()});
  machine_table.rows.insert(machine_table.rows.end(), machine.begin(), machine.end());
  return {model_table(model_config, info), data, memory_table(info.memory), machine_table};
}

DType activations_of(const TrainConfig& train) {
  return train.precision == "bf16" && train.device != "cpu" ? DType::bf16 : DType::f32;
}

MatmulPrecision products_of(const TrainConfig& train) {
  if (train.device != "cpu") return MatmulPrecision::fp32;  // those of tensors as they are
  const bool rounded = train.precision == "bf16" || (train.precision == "auto" && bf16_products_are_fast());
  return rounded ? MatmulPrecision::bf16 : MatmulPrecision::fp32;
}

DatasetOptions dataset_options(const TrainConfig& train) {
  return {.json_text_key = train.json_text_key,
          .max_bad = train.max_bad,
          .csv_img_key = train.csv_img_key,
          .csv_caption_key = train.csv_caption_key,
          .csv_separator = train.csv_separator};
}

LoaderOptions training_loader_options(const TrainConfig& train, const LimoeConfig& model) {
  LoaderOptions options{.batch_size = train.batch_size,
                        .image_size = int(model.image_size),
                        .patches = model.image_tokens(),
                        .text = text_options(model),
                        .seed = train.seed,
                        .upsampling_factors = upsampling_factors(train),
                        .augment = {},
                        .workers = int(train.workers)};
  const double color = train.augment ? train.augment_color : 0;
  AugmentOptions augment{.brightness = color, .contrast = color, .saturation = color};
  augment.min_scale = train.augment ? train.augment_min_scale : 1;
  augment.max_scale = train.augment ? train.augment_max_scale : 1;
  augment.max_aspect = train.augment ? train.augment_max_aspect : 1;
  augment.flip = train.augment && train.augment_flip;
  augment.vary_caption = train.vary_caption;
  augment.keep_phrase = train.keep_phrase;
  augment.keep_name = train.keep_name;
  augment.erase = train.augment ? train.augment_erase : 0;
  augment.replace_token = train.replace_token;
  augment.patch_dropout = train.patch_dropout;
  augment.share = train.augment_share;
  augment.epochs = train.augment_epochs;
  if (train.augment || train.vary_caption || train.patch_dropout > 0) options.augment = augment;
  return options;
}

RunParts::RunParts(const TrainRequest& request, const std::string& run, TrainObserver& observer)
    : config(request.train), model_config(request.model), machine(request.machine) {
  if (config.threads > 0) set_thread_count(int(config.threads));
  observer.note("reading " + config.train_data);
  dataset = std::make_shared<Dataset>(config.train_data, dataset_options(config));
  std::optional<LoadedModel> earlier;
  if (request.resume && has_checkpoints(run)) earlier = load_model(run);
  tokenizer = earlier ? earlier->tokenizer : make_tokenizer(config, text_options(model_config), *dataset);
  model_config.vocabulary = tokenizer->vocab_size();
  device = parse_device(config.device);
  arena = std::make_unique<ParameterArena>(parameter_specs(model_config), config.seed, DType::f32, device);
  if (earlier) {
    for (const std::string& warning : earlier->warnings) observer.warning(warning);
    for (const Parameter& parameter : arena->parameters())
      arena->assign(parameter.spec.name, (*earlier->arena)[parameter.spec.name].value());
    resumed_from = earlier->path;
  }
  model = std::make_unique<Limoe>(model_config, *arena, activations_of(config), products_of(config));
  optimizer = make_optimizer(config, *arena);
  loader = std::make_unique<Loader>(dataset, tokenizer, training_loader_options(config, model_config));
  total_steps = config.max_steps > 0 ? config.max_steps : config.epochs * loader->steps_per_epoch();
  schedule = {.kind = parse_schedule_kind(config.lr_scheduler),
              .total_steps = total_steps,
              .warmup_steps = std::min(config.warmup, total_steps),
              .cooldown_steps = config.cooldown,
              .timescale = config.timescale};
  validate(schedule);
  if (device.kind == DeviceKind::sim) expect_short(model_config, config, total_steps);
  const int64_t micro_batch = config.batch_size / config.accum_freq;
  if (model_config.group_pairs > 0 && micro_batch % model_config.group_pairs != 0)
    throw ValueError("config: group-pairs is ", model_config.group_pairs,
                     "; expected a divisor of the micro-batch, which is ", micro_batch, " pairs");
}

}  // namespace limoe
