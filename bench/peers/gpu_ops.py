#!/usr/bin/env python3
"""Kernels on a GPU against cuBLASLt, cuDNN and PyTorch: times PyTorch's side and writes the table of ratios.

    python gpu_ops.py --own own.json --vendor vendor.json [--out gpu-ops] [--device cuda|cpu] [--repetitions 21]

own.json and vendor.json are what `limoe_device_bench --json` wrote, with --by own and --by vendor; a case the vendor's
libraries had no plan for counts as not theirs. PyTorch runs the same case: its shapes are read from the case's name. It
is torch.matmul for products (cuBLAS), scaled_dot_product_attention with cuDNN's and the flash backend, whichever is
faster, layer_norm, gelu, softmax, embedding. Each call is timed alone by events after 256 MiB were written, as
limoe_device_bench does it; the median counts. --device cpu runs every case small and once, without a GPU, to see that
this file is right.

Ratios are (the peer's time) / (limoe's time): above 1 limoe is faster.
"""
import argparse
import json
import math
import re
import statistics
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
FLUSH_BYTES = 256 << 20


# ---- cases: what is called, from the name of a case ---------------------------------------------------------------


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


class Deferred:
    """A call that is still to be made."""

    def __init__(self, make):
        self.make = make


class Maker:
    """Tensors for one case. `small` shrinks the first axis, for a run without a GPU."""

    def __init__(self, device, dtype, small):
        self.device, self.dtype, self.small = device, dtype, small

    def rows(self, count):
        return min(count, 64) if self.small else count

    def normal(self, *shape):
        return torch.randn(*shape, device=self.device, dtype=torch.float32).to(self.dtype)


def linear(make, passed, shape):
    if passed == "backward bias":
        rows, out = numbers(shape)
        dy = make.normal(make.rows(rows), out)
        return {"torch": lambda: dy.sum(0)}
    rows, inner, _, out = numbers(shape)
    rows = make.rows(rows)
    x, kernel, dy, bias = make.normal(rows, inner), make.normal(inner, out), make.normal(rows, out), make.normal(out)
    return {"torch": {"forward": lambda: torch.addmm(bias, x, kernel),
                      "backward x": lambda: torch.matmul(dy, kernel.T),
                      "backward kernel": lambda: torch.matmul(x.T, dy)}[passed]}


def attention(make, passed, shape):
    """One call a backend, made when it is asked for: a backend may refuse dtype or shape."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    sequences, length, heads, width = numbers(shape)
    sequences = min(sequences, 2) if make.small else sequences
    qkv = make.normal(sequences, length, 3, heads, width).requires_grad_(passed == "backward")
    backends = {"torch": None}
    if make.device == "cuda":
        backends = {"cuDNN by torch": SDPBackend.CUDNN_ATTENTION, "flash by torch": SDPBackend.FLASH_ATTENTION,
                    "efficient by torch": SDPBackend.EFFICIENT_ATTENTION}

    def call(backend):
        q, k, v = qkv.permute(2, 0, 3, 1, 4)

        def forward():
            if backend is None:
                return F.scaled_dot_product_attention(q, k, v)
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(q, k, v)

        if passed == "forward":
            return forward
        y = forward()
        dy = torch.randn_like(y)
        return lambda: torch.autograd.grad(y, qkv, dy, retain_graph=True)

    return {name: Deferred(lambda backend=backend: call(backend)) for name, backend in backends.items()}


def backward_of(function, inputs):
    for x in inputs:
        x.requires_grad_(True)
    y = function(*inputs)
    dy = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)


def rowwise(function, parameters=0):
    def make_calls(make, passed, shape):
        rows, width = numbers(shape)
        inputs = [make.normal(make.rows(rows), width)] + [make.normal(width) for _ in range(parameters)]
        if passed == "forward":
            return {"torch": lambda: function(*inputs)}
        return {"torch": backward_of(function, inputs)}

    return make_calls


def embedding(make, passed, shape):
    count, vocabulary, width = numbers(shape)
    count, table = make.rows(count), make.normal(vocabulary, width)
    ids = torch.randint(vocabulary, (count,), device=make.device)
    if passed == "forward":
        return {"torch": lambda: F.embedding(ids, table)}
    return {"torch": backward_of(lambda t: F.embedding(ids, t), [table])}


OPS = {
    "linear": linear,
    "attention": attention,
    "layer_norm": rowwise(lambda x, scale, bias: F.layer_norm(x, (x.shape[1],), scale, bias, 1e-6), 2),
    "gelu": rowwise(lambda x: F.gelu(x, approximate="tanh")),
    "softmax": rowwise(lambda x: torch.softmax(x, 1)),
    "l2_normalize": rowwise(lambda x: F.normalize(x, dim=1)),
    "embedding": embedding,
}


def calls_of(name, dtype, device, small):
    """{peer: call} for a case, empty where PyTorch has no such op; a peer that refuses the case is left out."""
    op, passed, shape = name.split("/", 2)
    if op not in OPS:
        return {}
    calls = {}
    for peer, call in OPS[op](Maker(device, DTYPES[dtype], small), passed, shape).items():
        try:
            call = call.make() if isinstance(call, Deferred) else call
            call()
        except RuntimeError as error:
            print(f"{name} {dtype}: {peer} cannot: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        calls[peer] = call
    return calls


# ---- timing -------------------------------------------------------------------------------------------------------


def microseconds(call, device, repetitions):
    if device == "cpu":
        call()
        return math.nan
    flush = torch.empty(FLUSH_BYTES // 4, dtype=torch.int32, device=device)
    for _ in range(3):
        call()
    times = []
    for _ in range(repetitions):
        flush.zero_()
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        end.synchronize()
        times.append(1e3 * begin.elapsed_time(end))
    return statistics.median(times)


# ---- the table ----------------------------------------------------------------------------------------------------


def by_case(path):
    """{(name, dtype): case} of a file of limoe_device_bench, and the file."""
    if not path:
        return {}, {}
    document = json.loads(Path(path).read_text())
    return {(case["name"], case["dtype"]): case for case in document["cases"]}, document


def time_of(case):
    """Microseconds; NaN for a case that was wrong."""
    return case.get("microseconds", math.nan)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def ratio(peer, own):
    return peer / own if peer is not None else math.nan


def row_of(key, own, vendor, peers):
    """vendor: the microseconds of the library, None where it had no plan and limoe's own kernels ran."""
    torch_best = min((time for time in peers.values() if not math.isnan(time)), default=None)
    return {"name": key[0], "dtype": key[1], "own_microseconds": own, "vendor_microseconds": vendor,
            "peers_microseconds": peers, "ratio_to_vendor": ratio(vendor, own), "ratio_to_torch": ratio(torch_best, own)}


def text_of(value, digits=2):
    return "" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def table(rows, title):
    lines = [title, "", "| op | pass | shape | dtype | limoe us | cuBLASLt, cuDNN us | PyTorch us | to vendor | to PyTorch |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        peers = ", ".join(f"{time:.1f} ({name})" if name != "torch" else f"{time:.1f}"
                          for name, time in row["peers_microseconds"].items() if not math.isnan(time))
        lines.append("| " + " | ".join([*row["name"].split("/", 2), row["dtype"], text_of(row["own_microseconds"], 1),
                                        text_of(row["vendor_microseconds"], 1), peers,
                                        text_of(row["ratio_to_vendor"]), text_of(row["ratio_to_torch"])]) + " |")
    for peer in ("vendor", "torch"):
        good = lambda row: not math.isnan(row["ratio_to_" + peer])  # noqa: E731
        for dtype in DTYPES:
            by_op = {}
            for row in filter(good, rows):
                if row["dtype"] == dtype:
                    by_op.setdefault("/".join(row["name"].split("/")[:1]), []).append(row["ratio_to_" + peer])
            means = ", ".join(f"{op} **{geometric_mean(values):.2f}x**" for op, values in by_op.items())
            if means:
                lines.append(f"\nGeometric means to {peer}, {dtype}: {means}")
    return "\n".join(lines) + "\n"


def without_nan(value):
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--own", required=True)
    parser.add_argument("--vendor", default="")
    parser.add_argument("--out", default="gpu-ops")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--repetitions", type=int, default=21)
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("gpu_ops.py: PyTorch finds no GPU; expected one, or --device cpu")
    torch.backends.cuda.matmul.allow_tf32 = False  # limoe's f32 products are exact products
    own, document = by_case(arguments.own)
    vendor, _ = by_case(arguments.vendor)
    rows = []
    for key, case in own.items():
        calls = calls_of(*key, arguments.device, arguments.device == "cpu")
        peers = {name: microseconds(call, arguments.device, arguments.repetitions) for name, call in calls.items()}
        there = vendor.get(key, {})
        rows.append(row_of(key, time_of(case), time_of(there) if there.get("by_vendor") else None, peers))
    gpu = document.get("gpu", "")
    title = f"{gpu}, PyTorch {torch.__version__}, {document.get('cublas') or 'no cuBLASLt'}, {document.get('cudnn') or 'no cuDNN'}"
    Path(arguments.out + ".json").write_text(json.dumps(without_nan({"gpu": gpu, "torch": torch.__version__, "rows": rows}),
                                                        indent=1) + "\n")
    text = table(rows, title)
    Path(arguments.out + ".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
