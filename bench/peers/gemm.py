"""Products at LIMoE's shapes against oneDNN and OpenBLAS: the processes of limoe_gemm_peers take turns; writes a table.

    python gemm.py --program build/limoe_gemm_peers [--threads 1 2] [--rounds 9] [--out bench/results/gemm]
                   [--machine NAME]

In every round each library runs for about 20 ms at each number of threads. A ratio is that of a round, and so is what
more threads gain (by the wall, of limoe alone).
"""
import argparse
import json
import math
import os
import signal
import statistics
import subprocess
from pathlib import Path

LIBRARIES = ("limoe", "oneDNN", "OpenBLAS")
SECONDS_A_TURN = 0.02


def openblas_kernels():
    """Debian's OpenBLAS takes its slowest kernels on processors newer than itself: told which, it takes the right ones."""
    has_avx512 = "avx512bw" in Path("/proc/cpuinfo").read_text()
    return {"OPENBLAS_CORETYPE": "SkylakeX"} if has_avx512 and "OPENBLAS_CORETYPE" not in os.environ else {}


class Peer:
    """One library in a process of its own, which is stopped between its turns: threads look for work awake for a while after a
    product, OpenBLAS's for longer than a turn, on the cores that the next library needs."""

    def __init__(self, program, library, threads):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads), **openblas_kernels())
        self.library, self.threads = library, threads
        self.process = subprocess.Popen([program, library, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)
        shapes = self.process.stdout.readline()
        if not shapes:
            raise SystemExit(f"gemm.py: {program} {library} {threads} ended at once; see its message above")
        self.shapes = json.loads(shapes)
        self.process.send_signal(signal.SIGSTOP)

    def turn(self, shape, calls):
        """(wall, processor) seconds of so many products."""
        self.process.send_signal(signal.SIGCONT)
        print(shape, calls, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        self.process.send_signal(signal.SIGSTOP)
        if not answer:
            raise SystemExit(f"gemm.py: {self.library} ended; see its message above")
        return tuple(map(float, answer.split()))


def measured(program, thread_counts, rounds):
    """{threads: rows of the table}"""
    peers = [Peer(program, library, threads) for threads in thread_counts for library in LIBRARIES]
    try:
        return rounds_of(peers, thread_counts, rounds)
    finally:
        for peer in peers:
            peer.process.kill()


def rounds_of(peers, thread_counts, rounds):
    results = {threads: [] for threads in thread_counts}
    for index, shape in enumerate(peers[0].shapes):
        gflop = 2e-9 * shape["m"] * shape["n"] * shape["k"]
        once = min(peer.turn(index, 1)[0] for peer in peers)
        calls = max(1, int(SECONDS_A_TURN / once))
        walls, rates = {}, {}
        for _ in range(rounds):
            for peer in peers:
                wall, processor = peer.turn(index, calls)
                seconds = processor if peer.threads == 1 else wall
                walls.setdefault((peer.threads, peer.library), []).append(wall)
                rates.setdefault((peer.threads, peer.library), []).append(gflop * calls / seconds)
        for threads in thread_counts:
            ours, *others = (rates[threads, library] for library in LIBRARIES)
            ratios = [of / max(best) for of, *best in zip(ours, *others)]
            row = dict(shape, **{library: statistics.median(rates[threads, library]) for library in LIBRARIES},
                       ratio=statistics.median(ratios), least=min(ratios), most=max(ratios))
            if threads > 1 and 1 in thread_counts:
                row["gain"] = statistics.median(one / more for one, more in zip(walls[1, "limoe"], walls[threads, "limoe"]))
            results[threads].append(row)
    return results


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(threads, rows, where, load):
    lines = [f"{where}GFLOP/s, {threads} thread(s), load before {load:.1f}; ratio to the better of the two, median of rounds (least to most)", "",
             "| m x n x k | kind | " + " | ".join(LIBRARIES) + " | ratio |" + (" gain |" if "gain" in rows[0] else ""),
             "| --- | --- | " + "--- | " * (5 if "gain" in rows[0] else 4)]
    for r in rows:
        gain = f" {r['gain']:.2f}x |" if "gain" in r else ""
        rates = " | ".join(f"{r[name]:.0f}" for name in LIBRARIES)
        lines.append(f"| {r['m']} x {r['n']} x {r['k']} | {r['kind']} | {rates} "
                     f"| {r['ratio']:.2f} ({r['least']:.2f} to {r['most']:.2f}) |{gain}")
    kinds = sorted({r["kind"] for r in rows})
    means = {kind: geometric_mean([r["ratio"] for r in rows if r["kind"] == kind]) for kind in kinds}
    means["all"] = geometric_mean([r["ratio"] for r in rows])
    lines.append("\nGeometric means: " + ", ".join(f"{kind} **{mean:.2f}x**" for kind, mean in means.items()))
    if "gain" in rows[0]:
        lines.append(f"\nGain: limoe on {threads} threads to limoe on one, by the wall; geometric mean "
                     f"**{geometric_mean([r['gain'] for r in rows]):.2f}x**")
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
    results = measured(arguments.program, arguments.threads, arguments.rounds)
    text = "\n".join(table(threads, rows, where, load) for threads, rows in results.items())
    Path(arguments.out + ".json").write_text(json.dumps(results, indent=1) + "\n")
    Path(arguments.out + ".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
