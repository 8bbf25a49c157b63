"""Products at LIMoE's shapes against oneDNN and OpenBLAS: runs limoe_gemm_peers, which takes turns, and writes a table.

    python gemm.py --program build/limoe_gemm_peers [--threads 1 2] [--rounds 9] [--out bench/results/gemm]
                   [--machine NAME]
"""
import argparse
import json
import math
import os
import subprocess
from pathlib import Path

LIBRARIES = ("limoe", "oneDNN", "OpenBLAS")


def openblas_kernels():
    """Debian's OpenBLAS takes its slowest kernels on processors newer than itself: told which, it takes the right ones."""
    has_avx512 = "avx512bw" in Path("/proc/cpuinfo").read_text()
    return {"OPENBLAS_CORETYPE": "SkylakeX"} if has_avx512 and "OPENBLAS_CORETYPE" not in os.environ else {}


def measured(program, threads, rounds):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads), **openblas_kernels())
    run = subprocess.run([program, str(threads), str(rounds)], check=True, capture_output=True, text=True,
                         env=environment)
    return json.loads(run.stdout)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(threads, rows, where, load):
    lines = [f"{where}GFLOP/s, {threads} thread(s), load before {load:.1f}; ratio to the better of the two, median of rounds (least to most)", "",
             "| m x n x k | kind | " + " | ".join(LIBRARIES) + " | ratio |", "| --- | --- | " + "--- | " * 4]
    for r in rows:
        rates = " | ".join(f"{r[name]:.0f}" for name in LIBRARIES)
        lines.append(f"| {r['m']} x {r['n']} x {r['k']} | {r['kind']} | {rates} "
                     f"| {r['ratio']:.2f} ({r['least']:.2f} to {r['most']:.2f}) |")
    kinds = sorted({r["kind"] for r in rows})
    means = {kind: geometric_mean([r["ratio"] for r in rows if r["kind"] == kind]) for kind in kinds}
    means["all"] = geometric_mean([r["ratio"] for r in rows])
    lines.append("\nGeometric means: " + ", ".join(f"{kind} **{mean:.2f}x**" for kind, mean in means.items()))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/limoe_gemm_peers")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", default="bench/results/gemm")
    parser.add_argument("--machine", default="", help="what to call this machine in the table, where its own name says too little")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    where = f"{arguments.machine}; " if arguments.machine else ""
    results = {threads: measured(arguments.program, threads, arguments.rounds) for threads in arguments.threads}
    text = "\n".join(table(threads, rows, where, load) for threads, rows in results.items())
    Path(arguments.out + ".json").write_text(json.dumps(results, indent=1) + "\n")
    Path(arguments.out + ".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
