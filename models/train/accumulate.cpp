#include "models/train/accumulate.h"

#include "autograd/backward.h"
#include "autograd/no_grad.h"
#include "ops/add.h"
#include "ops/concat.h"
#include "ops/contrastive_loss.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

LimoeInputs inputs_of(const Batch& batch, int64_t begin, int64_t end) {
  return {batch.images.slice(0, begin, end), batch.ids.slice(0, begin, end),
          batch.text_valid.slice(0, begin, end),
          batch.patches.defined() ? batch.patches.slice(0, begin, end) : Tensor()};
}

ForwardOptions forward_options(const StepOptions& options, int64_t micro_batch, RoutingTape* tape) {
  return {.training = true,
          .noise_seed = options.noise_seed,
          .noise_counter = uint64_t(options.step * options.micro_batches + micro_batch),
          .tape = tape};
}

// Averages losses over micro-batches: they come in the same order each time.
void add_share(StepLosses& losses, const LimoeOutputs& outputs, double share) {
  if (outputs.auxiliary.value().defined()) losses.auxiliary += share * item(outputs.auxiliary.value());
  if (losses.auxiliary_losses.empty()) {
    for (AuxiliaryLoss loss : outputs.auxiliary_losses) {
      loss.value = full({}, share * item(loss.value), DType::f64);
      losses.auxiliary_losses.push_back(loss);
    }
    return;
  }
  for (size_t i = 0; i < outputs.auxiliary_losses.size(); ++i)
    losses.auxiliary_losses[i].value.mutable_data<double>()[0] +=
        share * item(outputs.auxiliary_losses[i].value);
}

StepLosses single_pass(const Limoe& model, const Batch& batch, const StepOptions& options,
                       const OutputsObserver& observe) {
  const LimoeOutputs outputs =
      model.forward(inputs_of(batch, 0, batch.size()), forward_options(options, 0, nullptr));
  const Var contrastive = contrastive_loss(outputs.image_embeddings, outputs.text_embeddings,
                                           model.log_scale(), options.loss_chunk);
  StepLosses losses;
  losses.contrastive = item(contrastive.value());
  add_share(losses, outputs, 1);
  if (observe) observe(outputs);
  backward(outputs.auxiliary.value().defined() ? add(contrastive, outputs.auxiliary) : contrastive);
  return losses;
}

// Leaves whose gradients are those of the loss with respect to every embedding of the batch.
struct EmbeddingGradients {
  Var images, texts;  // [B, J]
};

EmbeddingGradients embed_all(const Limoe& model, const Batch& batch, const StepOptions& options,
                             std::vector<RoutingTape>& tapes, StepLosses& losses,
                             const OutputsObserver& observe) {
  const NoGradScope no_grad;
  const int64_t pairs = batch.size() / options.micro_batches;
  std::vector<Var> images, texts;
  for (int64_t i = 0; i < options.micro_batches; ++i) {
    const LimoeOutputs outputs = model.forward(inputs_of(batch, i * pairs, (i + 1) * pairs),
                                               forward_options(options, i, &tapes[size_t(i)]));
    images.push_back(outputs.image_embeddings);
    texts.push_back(outputs.text_embeddings);
    add_share(losses, outputs, 1.0 / double(options.micro_batches));
    if (observe) observe(outputs);
  }
  return {leaf(concat(images, 0).value()), leaf(concat(texts, 0).value())};
}

}  // namespace

StepLosses accumulate_gradients(const Limoe& model, const Batch& batch, const StepOptions& options,
                                const OutputsObserver& observe) {
  const int64_t micro_batches = options.micro_batches;
  if (micro_batches < 1 || batch.size() % micro_batches != 0)
    throw ValueError("train: micro-batches are ", micro_batches,
                     "; expected a divisor of the batch, which is ", batch.size());
  if (micro_batches == 1) return single_pass(model, batch, options, observe);

  StepLosses losses;
  std::vector<RoutingTape> tapes(static_cast<size_t>(micro_batches));
  const EmbeddingGradients embeddings = embed_all(model, batch, options, tapes, losses, observe);
  const Var contrastive =
      contrastive_loss(embeddings.images, embeddings.texts, model.log_scale(), options.loss_chunk);
  losses.contrastive = item(contrastive.value());
  backward(contrastive);

  const int64_t pairs = batch.size() / micro_batches;
  for (int64_t i = 0; i < micro_batches; ++i) {
    const int64_t begin = i * pairs, end = begin + pairs;
    const LimoeOutputs outputs =
        model.forward(inputs_of(batch, begin, end), forward_options(options, i, &tapes[size_t(i)]));
    std::vector<GradientSeed> seeds{
        {outputs.image_embeddings, embeddings.images.gradient().slice(0, begin, end)},
        {outputs.text_embeddings, embeddings.texts.gradient().slice(0, begin, end)}};
    if (outputs.auxiliary.value().defined())
      seeds.push_back({outputs.auxiliary, full({}, 1.0 / double(micro_batches), outputs.auxiliary.dtype(),
                                               outputs.auxiliary.value().device())});
    backward(seeds);
  }
  return losses;
}

}  // namespace limoe
