// contrastive_loss: the symmetric InfoNCE of n pairs, without an n x n tensor.
//
//   A = exp(log_scale) * image text^T
//   loss = 1/(2n) * sum over j of [lse_k(A[j, k]) - A[j, j]] + [lse_k(A[k, j]) - A[j, j]]
//
// van den Oord et al. 2018 (arXiv 1807.03748), equation 4, in both directions as in Radford et al. 2021
// (arXiv 2103.00020), figure 3. image, text: [n, D], row j of each is a pair; unit rows are what the loss is
// meant for and are not enforced. log_scale: []. All f32 or all f64; n >= 1; the loss is [].
// On a device image and text are f32 or bf16, log_scale is that or f32, and losses and log-sum-exps are f32.
//
// A is computed `chunk` rows at a time. The forward pass keeps the log-sum-exp of every row and column, less
// the maximum as always; the backward pass computes the blocks again. With R and Q the softmax of A over rows
// and over columns, dA = (R + Q - 2I) / (2n):
//   dimage = exp(log_scale) dA text,  dtext = exp(log_scale) dA^T image,  dlog_scale = sum(dA * A)
#pragma once

#include "autograd/var.h"

namespace limoe {

Var contrastive_loss(const Var& image, const Var& text, const Var& log_scale, int64_t chunk = 512);

struct ContrastiveOutput {
  Tensor loss;                 // [], the mean of the two below
  Tensor image_to_text;        // [], over rows of A: which text belongs to the picture
  Tensor text_to_image;        // [], over columns of A
  Tensor row_lse, column_lse;  // [n]
};
ContrastiveOutput contrastive_loss_forward(const Tensor& image, const Tensor& text, const Tensor& log_scale,
                                           int64_t chunk);

struct ContrastiveGradients {
  Tensor dimage, dtext, dlog_scale;
};
ContrastiveGradients contrastive_loss_backward(const Tensor& image, const Tensor& text,
                                               const Tensor& log_scale, const Tensor& row_lse,
                                               const Tensor& column_lse, const Tensor& dloss, int64_t chunk);

}  // namespace limoe
