#!/usr/bin/env python3
"""A whole training step on a GPU, limoe's and PyTorch's, in bf16 with f32 weights.

    python gpu_step.py --limoe build-gpu/limoe [--compile] [--steps 10] [--out gpu-step] WHAT ...

WHAT is a config file or the name of a preset, with ":PAIRS" behind it for another batch: limoe-b16:256. limoe writes weights
and batch (`limoe bench step --save`), PyTorch takes its steps from them (limoe_torch.py under torch.autocast, fused AdamW,
foreach clipping): experts in a loop or as one batched product over padded capacity, padding skipped; with --compile also
compiled. The losses of the first step have to agree within 2 % before anything is compared. limoe sends the batch to the
GPU in every step; PyTorch's lies there. Medians of synchronised steps; a ratio is PyTorch's time over limoe's.
"""
import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
LOSSES_AGREE = 0.02  # of each other: bf16 has three digits, and routers break ties elsewhere
WARMUP = 3


def limoe_step(program, what, pairs, steps, folder):
    source = ["--config", what] if Path(what).exists() else ["--preset", what]
    batch = ["--batch-size", pairs] if pairs else []
    out = Path(folder) / "limoe.json"
    subprocess.run([program, "bench", "step", *source, *batch, "--device", "cuda", "--precision", "bf16", "--steps", str(steps),
                    "--warmup", str(WARMUP), "--save", folder, "--json", str(out)], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())


def torch_step(folder, experts, compile, steps):
    """(milliseconds, loss before the first update, peak bytes)."""
    from limoe_torch import Step

    torch.cuda.reset_peak_memory_stats()
    step = Step(folder, unpad=True, experts=experts, compile=compile, autocast=True)
    losses = [step.take() for _ in range(WARMUP)]
    times = []
    for _ in range(steps):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        step.take()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times), losses[0], torch.cuda.max_memory_allocated()


def compared(arguments, word):
    what, _, pairs = word.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        own = limoe_step(arguments.limoe, what, pairs, arguments.steps, folder)
        row = {"what": word, "pairs": own["pairs"], "tokens": own["tokens"], "limoe_ms": own["median_ms"],
               "limoe_bytes": own["peak_tensor_bytes"], "loss": own["losses"][0], "torch": {}}
        for experts in ("loop", "bmm"):
            for compile in (False, True) if arguments.compile else (False,):
                name = f"{'compiled' if compile else 'eager'}, {experts}"
                try:
                    milliseconds, loss, peak = torch_step(folder, experts, compile, arguments.steps)
                except (RuntimeError, torch.OutOfMemoryError) as error:
                    print(f"{word}: PyTorch {name} failed: {str(error).splitlines()[0]}", file=sys.stderr)
                    continue
                finally:
                    gc.collect()
                    torch.cuda.empty_cache()
                    torch._dynamo.reset()
                if not abs(loss - row["loss"]) <= LOSSES_AGREE * abs(row["loss"]):
                    row["wrong"] = f"the first loss is {row['loss']:.5f} by limoe and {loss:.5f} by PyTorch ({name})"
                    print(f"{word}: {row['wrong']}", file=sys.stderr)
                    continue
                row["torch"][name] = {"ms": milliseconds, "bytes": peak, "loss": loss}
    return row


def table(rows, title):
    lines = [title, "", "| step | pairs | tokens | limoe ms | PyTorch ms | ratio | limoe GiB | PyTorch GiB |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        for name, peer in row["torch"].items():
            lines.append(f"| {row['what']} | {row['pairs']:,} | {row['tokens']:,} | {row['limoe_ms']:.2f} | "
                         f"{peer['ms']:.2f} ({name}) | {peer['ms'] / row['limoe_ms']:.2f} | {row['limoe_bytes'] / 2**30:.2f} | "
                         f"{peer['bytes'] / 2**30:.2f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+")
    parser.add_argument("--limoe", required=True)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--out", default="gpu-step")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("gpu_step.py: PyTorch finds no GPU; expected one")
    torch.set_default_device("cuda")
    rows = []
    for word in arguments.what:
        rows.append(compared(arguments, word))
        title = f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, bf16 with f32 weights"
        text = table(rows, title)
        Path(arguments.out + ".json").write_text(json.dumps({"gpu": torch.cuda.get_device_name(), "torch": torch.__version__,
                                                             "rows": rows}, indent=1) + "\n")
        Path(arguments.out + ".md").write_text(text)
    print(text)
    sys.exit(any("wrong" in row for row in rows))


if __name__ == "__main__":
    main()
