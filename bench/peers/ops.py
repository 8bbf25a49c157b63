"""Single ops and layers of limoe against PyTorch's, forward and backward together, one thread.

    python ops.py --build build [--rounds 7] [--out bench/results/ops-peers]

First each op's result and gradients on the same tensors must agree (`limoe ops run` against PyTorch). Then the sides
take turns: limoe_bench in a fresh process, PyTorch here, each about a third of a second a round; the ratio is that of
a round, the median over rounds. PyTorch gets what suits it best: q, k, v apart and contiguous, weights in its layout.
"""
import argparse
import json
import math
import os
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from limoe_torch import Mlp, Moe, read_safetensors


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def leaf(*shape, scale=1.0):
    return (torch.randn(*shape) * scale).requires_grad_()


# ---- the cases: (name of limoe's cases, PyTorch's forward on its leaves, how to run limoe's op on the same tensors) ----


def attention(sequences, length, width, heads):
    q, k, v = (leaf(sequences, heads, length, width // heads) for _ in range(3))
    rows = sequences * length
    flat = lambda t: t.detach().transpose(1, 2).reshape(rows, width)  # noqa: E731
    return {
        "case": f"attention/*/{sequences} x {length} tokens, {heads} heads of {width // heads}",
        "leaves": [q, k, v],
        "forward": lambda: F.scaled_dot_product_attention(q, k, v),
        "op": "attention", "parameters": {"heads": heads, "sequences": f"{sequences}x{length}"},
        "inputs": lambda: {"qkv": torch.cat([flat(t) for t in (q, k, v)], 1)},
        "dy": lambda y: flat(y),
        "gradients": lambda g: {"dqkv": torch.cat([flat(t) for t in g], 1)},
        "y": lambda y: flat(y),
    }


def rowwise(op, rows, width, forward, extra=()):
    x = leaf(rows, width)
    others = {name: leaf(width) for name in extra}
    return {
        "case": f"{op}/*/[{rows}, {width}]",
        "leaves": [x, *others.values()],
        "forward": lambda: forward(x, *others.values()),
        "op": op, "parameters": {},
        "inputs": lambda: {"x": x.detach(), **{name: t.detach() for name, t in others.items()}},
        "dy": lambda y: y.detach(),
        "gradients": lambda g: dict(zip(("dx", *("d" + name for name in extra)), g)),
        "y": lambda y: y.detach(),
    }


def layer(case, module, rows, width):
    x = leaf(rows, width)
    return {"case": case, "leaves": [x, *module.parameters()], "forward": lambda: module(x), "op": None}


def moe(rows, width, hidden, experts, form):
    params = {"moe.router.kernel": torch.randn(width, experts) / math.sqrt(width),
              "moe.up.kernel": torch.randn(experts, width, hidden) / math.sqrt(width),
              "moe.up.bias": torch.randn(experts, hidden) / 10,
              "moe.down.kernel": torch.randn(experts, hidden, width) / math.sqrt(hidden),
              "moe.down.bias": torch.randn(experts, width) / 10}
    config = {"experts": experts, "experts-per-token": 1, "capacity-factor": 0, "capacity-rounding": "ceil",
              "capacity-multiple": 4}
    module = Moe(params, "moe", config, form)
    wrapped = layer(f"moe_layer/step/[{rows}, {width}], {experts} of hidden {hidden}", module, rows, width)
    x = wrapped["leaves"][0]
    wrapped["forward"] = lambda: module(x)[0]
    return wrapped


def mlp(rows, width, hidden):
    params = {"mlp.up.kernel": torch.randn(width, hidden) / math.sqrt(width), "mlp.up.bias": torch.randn(hidden) / 10,
              "mlp.down.kernel": torch.randn(hidden, width) / math.sqrt(hidden),
              "mlp.down.bias": torch.randn(width) / 10}
    return layer(f"mlp/step/[{rows}, {width}], hidden {hidden}", Mlp(params, "mlp"), rows, width)


TOWERS = ((8192, 96, 384), (4160, 384, 1536), (1696, 768, 3072))  # rows, width, hidden: bench/support/shapes.h


def cases():
    yield attention(256, 16, 96, 3)
    yield attention(256, 16, 384, 6)
    yield attention(64, 50, 384, 6)
    yield attention(64, 64, 384, 6)
    yield attention(8, 196, 768, 12)
    for rows, width, hidden in TOWERS:
        norm = lambda x, scale, bias, width=width: F.layer_norm(x, (width,), scale, bias, 1e-6)  # noqa: E731
        yield rowwise("layer_norm", rows, width, norm, ("scale", "bias"))
    for rows, width, hidden in TOWERS:
        yield rowwise("gelu", rows, hidden, lambda x: F.gelu(x, approximate="tanh"))
    for rows, width in ((8192, 8), (8192, 32), (4096, 1000)):
        yield rowwise("softmax", rows, width, lambda x: x.softmax(1))
    for rows, width, hidden in TOWERS:
        yield moe(rows, width, hidden, 8, "loop")
        yield mlp(rows, width, hidden)


# ---- checking and timing ------------------------------------------------------------------------------------------


def expect_agrees(case, limoe):
    """limoe's op on PyTorch's tensors gives PyTorch's result and gradients."""
    y = case["forward"]()
    dy = torch.randn_like(y)
    gradients = torch.autograd.grad(y, case["leaves"], dy)
    with tempfile.TemporaryDirectory() as folder:
        write_safetensors(folder + "/in.safetensors", case["inputs"]() | {"dy": case["dy"](dy)})
        command = [limoe, "ops", "run", case["op"], "--in", folder + "/in.safetensors", "--out",
                   folder + "/out.safetensors", "--grad"]
        for name, value in case["parameters"].items():
            command += ["--" + name, str(value)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        got = read_safetensors(folder + "/out.safetensors")
    for name, wanted in ({"y": case["y"](y)} | case["gradients"](gradients)).items():
        error = (got[name] - wanted).abs().max().item()
        scale = wanted.abs().max().item()
        if not error <= 2e-5 * max(scale, 1.0):
            raise SystemExit(f"{case['case']}: {name} differs by {error} where the largest is {scale}: not timed")


def torch_microseconds(case, dy, repetitions=7, seconds=0.05):
    """As limoe_bench does it: the median of seven repetitions, each the mean of as many calls as take 50 ms."""
    call = lambda: torch.autograd.grad(case["forward"](), case["leaves"], dy)  # noqa: E731
    begin = time.perf_counter()
    call()
    calls = max(1, int(seconds / (time.perf_counter() - begin)))
    means = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        means.append(1e6 * (time.perf_counter() - begin) / calls)
    return statistics.median(means)


def limoe_microseconds(program, case):
    """The sum over the passes of the op's cases at this shape."""
    op, passes, shape = case["case"].split("/", 2)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        pattern = "^" + "".join("." if c in "[]()+*" else c for c in shape) + "/"
        pattern = f"^{op}/[a-z ]+/{pattern[1:]}" if passes == "*" else f"^{op}/{passes}/{pattern[1:]}"
        command = [program, op, "--threads=1", "--benchmark_filter=" + pattern, "--benchmark_out=" + file.name,
                   "--benchmark_out_format=json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        runs = json.load(open(file.name))["benchmarks"]
    medians = [run["real_time"] for run in runs if run.get("aggregate_name") == "median"]
    if not medians:
        raise SystemExit(f"{case['case']}: limoe_bench has no such case")
    return sum(medians)


def measure(case, build, rounds):
    if case["op"]:
        expect_agrees(case, build + "/limoe")
    dy = torch.randn_like(case["forward"]())
    torch_microseconds(case, dy)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(limoe_microseconds(build + "/limoe_bench", case))
        theirs.append(torch_microseconds(case, dy))
    ratios = sorted(b / a for a, b in zip(ours, theirs))
    return {"case": case["case"], "limoe_us": statistics.median(ours), "torch_us": statistics.median(theirs),
            "ratio": statistics.median(ratios), "least": ratios[0], "most": ratios[-1], "checked": bool(case["op"])}


def table(results, load):
    lines = [f"Forward and backward, one thread, load before {load:.1f}, PyTorch {torch.__version__}. The MoE layer and the MLP "
             "are checked by the training step's losses.", "",
             "| case | limoe | PyTorch | ratio (least to most) |", "| --- | --- | --- | --- |"]
    for r in results:
        lines.append(f"| {r['case'].replace('/*/', ' ').replace('/step/', ' ')} | {r['limoe_us']:.0f} us "
                     f"| {r['torch_us']:.0f} us | **{r['ratio']:.2f}x** ({r['least']:.2f} to {r['most']:.2f}) |")
    by_case = {r["case"]: r for r in results}
    for rows, width, hidden in TOWERS:
        sparse = by_case.get(f"moe_layer/step/[{rows}, {width}], 8 of hidden {hidden}")
        dense = by_case.get(f"mlp/step/[{rows}, {width}], hidden {hidden}")
        if sparse and dense:
            share = sparse["limoe_us"] / dense["limoe_us"] - 1
            theirs = sparse["torch_us"] / dense["torch_us"] - 1
            lines.append(f"\nMoE layer over its dense twin, [{rows}, {width}]: limoe {100 * share:+.0f} %, "
                         f"PyTorch {100 * theirs:+.0f} %")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="cases whose name begins so")
    parser.add_argument("--out", default="bench/results/ops-peers")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    os.environ["LIMOE_THREADS"] = "1"
    results, load = [], os.getloadavg()[0]
    for case in cases():
        if not case["case"].startswith(arguments.only):
            continue
        results.append(measure(case, arguments.build, arguments.rounds))
        print(f"{results[-1]['case']}: {results[-1]['ratio']:.2f}x", flush=True)
        Path(arguments.out + ".json").write_text(json.dumps(results, indent=1) + "\n")
        Path(arguments.out + ".md").write_text(table(results, load))
    print("\n" + table(results, load))


if __name__ == "__main__":
    main()
