"""A training step of limoe against the same step in PyTorch.

    python step.py --limoe build/limoe --config configs/emoji.toml --threads 1 2 [--rounds 7] [--out results/step]

Both sides start from the same weights and take the same batch; first their losses over three steps must agree to
1e-4, or to 1e-2 where `--precision bf16` lets both use bf16: limoe for the operands of linear layers, PyTorch as it is
fastest, by torch.autocast, by float32 matmul precision "medium", or not at all. Then they take turns: in every round
each side takes a few steps, limoe in a fresh process, PyTorch in one that waits in between (a compiled step costs a
minute to make). A round's time is its median step; the ratio is taken round
by round, so that what else the machine does falls on both. Memory is the most the process held, less what it held
before the model was made.
"""
import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CHECKED_STEPS = 3
EAGER = (("--unpad",), (), ("--unpad", "--experts", "bmm"), ("--experts", "bmm"))
COMPILED = (("--compile", "--unpad"), ("--compile",))
BF16_TOO = {"eager": EAGER + (("--unpad", "--bf16", "autocast"), ("--unpad", "--bf16", "medium")),
            "compile": COMPILED + (("--compile", "--unpad", "--bf16", "autocast"),)}
FORMS = {"fp32": {"eager": EAGER, "compile": COMPILED}, "bf16": BF16_TOO}
ALLOWED = {"fp32": 1e-4, "bf16": 1e-2}


class Torch:
    def __init__(self, folder, threads, flags):
        command = [sys.executable, str(HERE / "torch_step.py"), folder, "--threads", str(threads), *flags]
        self.name = "PyTorch " + (" ".join(flags) or "(no flags)")
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), TORCHINDUCTOR_CPP_WRAPPER="0")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment, stderr=subprocess.DEVNULL)

    def steps(self, count):
        self.process.stdin.write(f"steps {count}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.name + " ended without an answer; run torch_step.py by hand to see why")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def limoe_steps(program, config, threads, precision, count, save=None):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [program, "bench", "step", "--config", config, "--threads", str(threads), "--steps", str(count),
                   "--precision", precision, "--json", file.name] + (["--save", save] if save else [])
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.load(open(file.name))


def expect_equal(ours, theirs, allowed, name):
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if not abs(a - b) <= allowed * max(1.0, abs(a)):
            raise SystemExit(f"{name}: the loss of step {i + 1} is {b}; limoe's is {a}: not the same work, not timed")


def fastest(folder, threads, precision, forms, ours, steps):
    """The form with the shortest median step; forms take turns, so that what else the machine does falls on all."""
    sides, failed = [], {}
    for flags in forms:
        side = Torch(folder, threads, flags)
        try:
            first = side.steps(CHECKED_STEPS)
        except RuntimeError as error:
            failed[side.name] = str(error)
            continue
        expect_equal(ours, first["losses"], ALLOWED[precision], side.name)
        sides.append(side)
    if not sides:
        raise SystemExit(f"no form of the peer runs: {failed}")
    times = {side.name: [] for side in sides}
    for _ in range(3):
        for side in sides:
            times[side.name] += side.steps(steps)["ms"]
    medians = {name: statistics.median(ms) for name, ms in times.items()}
    for name, median in medians.items():
        print(f"  {name}: {median:.1f} ms", flush=True)
    best = min(sides, key=lambda side: medians[side.name])
    for side in sides:
        if side is not best:
            side.close()
    return best, medians | failed


def memory(answer):
    return answer["peak_resident_bytes"] - answer["resident_before_bytes"]


def compare(program, config, threads, precision, rounds, steps, with_compile):
    with tempfile.TemporaryDirectory() as folder:
        ours = limoe_steps(program, config, threads, precision, CHECKED_STEPS, folder)
        print(f"{config}, {precision}, {threads} thread(s): limoe {ours['median_ms']:.1f} ms", flush=True)
        sides, tried = {}, {}
        for kind, forms in FORMS[precision].items():
            if kind == "compile" and not with_compile:
                continue
            sides[kind], tried[kind] = fastest(folder, threads, precision, forms, ours["losses"], steps)
        times = {"limoe": [], **{kind: [] for kind in sides}}
        peaks = {}
        for _ in range(rounds):
            answer = limoe_steps(program, config, threads, precision, steps)
            times["limoe"].append(statistics.median(answer["ms"]))
            peaks["limoe"] = memory(answer)
            for kind, side in sides.items():
                answer = side.steps(steps)
                times[kind].append(statistics.median(answer["ms"]))
                peaks[kind] = memory(answer)
        for side in sides.values():
            side.close()
    result = {"config": config, "threads": threads, "precision": precision, "pairs": ours["pairs"],
              "tokens": ours["tokens"], "tried": tried,
              "ms": times, "peak_bytes": peaks, "losses": ours["losses"][:CHECKED_STEPS]}
    for kind, side in sides.items():
        ratios = sorted(b / a for a, b in zip(times["limoe"], times[kind]))
        result[kind] = {"form": side.name, "ratio": statistics.median(ratios), "least": ratios[0], "most": ratios[-1],
                        "memory_ratio": peaks["limoe"] / peaks[kind]}
    return result


def table(results):
    lines = ["| config | products | threads | limoe | against | its time | ratio (rounds: least to most) "
             "| memory, limoe to it |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for r in results:
        for kind in ("eager", "compile"):
            if kind not in r:
                continue
            one, ms = r[kind], r["ms"]
            mib = {name: peak / 2**20 for name, peak in r["peak_bytes"].items()}
            lines.append(
                f"| {r['config']} | {r['precision']} | {r['threads']} "
                f"| {statistics.median(ms['limoe']):.1f} ms | {one['form']} | {statistics.median(ms[kind]):.1f} ms "
                f"| **{one['ratio']:.2f}x** ({one['least']:.2f} to "
                f"{one['most']:.2f}) | {mib['limoe']:.0f} to {mib[kind]:.0f} MiB = {one['memory_ratio']:.2f}x |")
    return "\n".join(lines) + "\n"


def machine():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    import torch

    return {"processor": names[0] if names else platform.machine(), "processors": os.cpu_count(),
            "torch": torch.__version__, "load_before": os.getloadavg()[0]}


def has_tiles():
    return "amx_bf16" in Path("/proc/cpuinfo").read_text()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--limoe", default="build/limoe")
    parser.add_argument("--config", nargs="+", default=["configs/emoji.toml", "bench/peers/w384.toml"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--precision", choices=list(ALLOWED), nargs="+", default=["fp32"] + ["bf16"] * has_tiles(),
                        help="bf16 too where the processor has matrix tiles (AMX)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--out", default="bench/results/step")
    arguments = parser.parse_args()
    where, results = machine(), []
    for config in arguments.config:
        for threads, precision in itertools.product(arguments.threads, arguments.precision):
            results.append(compare(arguments.limoe, config, threads, precision, arguments.rounds, arguments.steps,
                                   not arguments.no_compile))
            Path(arguments.out + ".json").write_text(json.dumps({"machine": where, "results": results}, indent=1))
            Path(arguments.out + ".md").write_text(
                f"{where['processor']}, PyTorch {where['torch']}, load before {where['load_before']:.1f}\n\n"
                + table(results))
    print(table(results))


if __name__ == "__main__":
    main()
