"""Ops of the `limoe` program against PyTorch: values and every gradient, through files.

    python tests/interop/ops_against_torch.py [build/limoe]

Needs numpy, torch and safetensors; run by hand. Every case draws its inputs, writes them to a safetensors file, lets
`limoe ops run OP --grad` compute, and compares with PyTorch's autograd on the same numbers. Prints the largest
error of each case, relative to the largest value of its tensor, and fails above 1e-12 in f64 and 2e-6 in f32.
"""

import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

LIMITS = {torch.float64: 1e-12, torch.float32: 2e-6}


def attention(qkv, heads, lengths):
    outputs = []
    for part in qkv.split(lengths):
        q, k, v = (x.reshape(len(part), heads, -1).transpose(0, 1)[None] for x in part.chunk(3, dim=1))
        outputs.append(F.scaled_dot_product_attention(q, k, v)[0].transpose(0, 1).reshape(len(part), -1))
    return torch.cat(outputs)


def contrastive(image, text, log_scale):
    logits = log_scale.exp() * image @ text.T
    own = torch.arange(len(image))
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def entropy(p):
    return -torch.special.xlogy(p, p).sum(-1)


def patches(images, side):
    columns = F.unfold(images.permute(0, 3, 1, 2), side, stride=side)  # [B, C P P, T]: channel first
    b, _, t = columns.shape
    return columns.reshape(b, 3, side * side, t).permute(0, 3, 2, 1).reshape(b, t, -1)


def squared_variation(x):
    return x.var(unbiased=False) / x.mean() ** 2


def gshard(probs):
    experts = probs.shape[1]
    shares = F.one_hot(probs.argmax(1), experts).to(probs.dtype).mean(0)
    return experts * (shares * probs.mean(0)).sum()


def grouped(rows, kernel, bias, begin):
    parts = [rows[a:b] @ kernel[e] + bias[e] for e, (a, b) in enumerate(zip(begin, begin[1:]))]
    return torch.cat([*parts, torch.zeros_like(rows[begin[-1]:]) @ kernel[0]])


def mlp(x, up, up_bias, down, down_bias):
    return F.gelu(x @ up + up_bias, approximate="tanh") @ down + down_bias


def cases(n):
    """(op, differentiable inputs, other inputs, flags, what PyTorch computes)"""
    group = {"group_of": torch.zeros(9, dtype=torch.int32)}
    ids = torch.tensor([3, 0, 3, 6], dtype=torch.int32)
    begin = [0, 3, 3, 5]
    yield "gelu", {"x": n(3, 5)}, {}, [], lambda x: F.gelu(x, approximate="tanh")
    yield "softmax", {"x": n(4, 7)}, {}, [], lambda x: x.softmax(-1)
    yield "layer_norm", {"x": n(4, 7), "scale": n(7), "bias": n(7)}, {}, ["--epsilon", "1e-5"], \
        lambda x, scale, bias: F.layer_norm(x, (7,), scale, bias, 1e-5)
    yield "l2_normalize", {"x": n(4, 7)}, {}, [], lambda x: x / (x.norm(dim=-1, keepdim=True) + 1e-8)
    yield "matmul", {"a": n(3, 8), "b": n(8, 5)}, {}, [], torch.matmul
    yield "batched_matmul", {"a": n(2, 3, 8), "b": n(2, 8, 5)}, {}, [], torch.matmul
    yield "linear", {"x": n(2, 3, 8), "kernel": n(8, 5), "bias": n(5)}, {}, [], \
        lambda x, kernel, bias: F.linear(x, kernel.T, bias)
    yield "embedding", {"table": n(7, 3)}, {"ids": ids}, [], lambda table: F.embedding(ids.long(), table)
    yield "attention", {"qkv": n(10, 24)}, {}, ["--heads", "2", "--sequences", "2x3,1x4"], \
        lambda qkv: attention(qkv, 2, [3, 3, 4])
    yield "concat", {"part0": n(2, 3), "part1": n(2, 4)}, {}, ["--axis", "-1"], \
        lambda part0, part1: torch.cat([part0, part1], -1)
    yield "transpose", {"x": n(2, 3, 4)}, {}, ["--axis-a", "0", "--axis-b", "-1"], lambda x: x.transpose(0, -1)
    yield "patchify", {"images": n(2, 4, 6, 3)}, {}, ["--patch", "2"], lambda images: patches(images, 2)
    yield "contrastive_loss", {"image": n(5, 4), "text": n(5, 4), "log_scale": n().abs()}, {}, ["--chunk", "2"], \
        contrastive
    yield "grouped_linear", {"rows": n(7, 3), "kernel": n(3, 3, 2), "bias": n(3, 2)}, \
        {"row_begin": torch.tensor(begin, dtype=torch.int32)}, [], \
        lambda rows, kernel, bias: grouped(rows, kernel, bias, begin)
    mlp_inputs = {"up": n(3, 5), "up_bias": n(5), "down": n(5, 4), "down_bias": n(4)}
    yield "mlp", {"x": n(2, 6, 3), **mlp_inputs}, {}, [], mlp
    yield "grouped_mlp", {"rows": n(7, 3), "up": n(3, 3, 5), "up_bias": n(3, 5), "down": n(3, 5, 4), "down_bias": n(3, 4)}, \
        {"row_begin": torch.tensor(begin, dtype=torch.int32)}, [], \
        lambda rows, up, up_bias, down, down_bias: grouped(
            F.gelu(grouped(rows, up, up_bias, begin), approximate="tanh"), down, down_bias, begin)
    # Tokens 0 to 4 go to experts 1, 0, -, 1, 0; that of token 3 has no place left.
    tables = {"expert_of": [[1], [0], [-1], [1], [0]], "row_of": [[2], [0], [-1], [-1], [1]],
              "choice_of": [1, 4, 0, -1, -1], "row_begin": [0, 2, 3, 3]}
    yield "moe_mlp", {"x": n(5, 3), "gates": n(5, 1), "up": n(3, 3, 5), "up_bias": n(3, 5), "down": n(3, 5, 4), \
                      "down_bias": n(3, 4)}, \
        {name: torch.tensor(table, dtype=torch.int32) for name, table in tables.items()}, [], \
        lambda x, gates, up, up_bias, down, down_bias: torch.stack(
            [gates[t, 0] * mlp(x[t], up[e], up_bias[e], down[e], down_bias[e]) if e is not None else 0 * x.new_zeros(4)
             for t, e in enumerate([1, 0, None, None, 0])])
    yield "local_entropy", {"logits": n(9, 4)}, group, [], lambda logits: entropy(logits.softmax(-1)).mean()
    yield "global_entropy_loss", {"logits": n(9, 4)}, group, ["--threshold", str(math.log(4))], \
        lambda logits: F.relu(math.log(4) - entropy(logits.softmax(-1).mean(0)))
    yield "router_z_loss", {"logits": n(9, 4)}, group, [], lambda logits: (logits.logsumexp(-1) ** 2).mean()
    yield "importance_loss", {"probs": n(9, 4).softmax(-1)}, group, [], lambda probs: squared_variation(probs.sum(0))
    yield "gshard_loss", {"probs": n(9, 4).softmax(-1)}, group, [], gshard


def limoe(binary, folder, op, tensors, flags):
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, folder / "in.safetensors")
    subprocess.run([binary, "ops", "run", op, "--in", folder / "in.safetensors", "--out", folder / "out.safetensors",
                    "--grad", *flags], check=True, stdout=subprocess.DEVNULL)
    return load_file(folder / "out.safetensors")


def error_of(got, wanted):
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        return math.inf
    error = (got - wanted).abs().max().item() / max(wanted.abs().max().item(), 1e-30)
    return math.inf if math.isnan(error) else error


def compare(binary, folder, dtype):
    torch.manual_seed(1)
    worst = 0
    for op, inputs, others, flags, reference in cases(lambda *shape: torch.randn(shape, dtype=dtype)):
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in inputs.items()}
        y = reference(**leaves) if op not in ("matmul", "batched_matmul") else reference(*leaves.values())
        dy = torch.randn(y.shape, dtype=dtype)
        y.backward(dy)
        got = limoe(binary, folder, op, {**inputs, **others, "dy": dy}, flags)
        wanted = {"y": y.detach(), **{"d" + name: leaf.grad for name, leaf in leaves.items()}}
        if got.keys() != wanted.keys():
            sys.exit(f"{op}: wrote {sorted(got)}; expected {sorted(wanted)}")
        error = max(error_of(got[name], wanted[name]) for name in wanted)
        print(f"{op:20} {str(dtype)[6:]}  {error:.1e}")
        if not error <= LIMITS[dtype]:
            sys.exit(f"{op}: the error is {error:.1e}; expected at most {LIMITS[dtype]:.0e}")
        worst = max(worst, error)
    print(f"worst of {str(dtype)[6:]}: {worst:.1e}\n")


def main():
    binary = Path(sys.argv[1] if len(sys.argv) > 1 else "build/limoe").resolve()
    with tempfile.TemporaryDirectory() as folder:
        for dtype in LIMITS:
            compare(binary, Path(folder), dtype)


if __name__ == "__main__":
    main()
