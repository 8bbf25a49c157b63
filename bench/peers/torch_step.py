"""The PyTorch side of bench/peers/step.py: takes training steps when told to.

    torch_step.py DIR --threads N [--unpad] [--experts loop|bmm] [--compile] [--bf16 medium|autocast]

DIR is what `limoe bench step --save DIR` wrote. For each line "steps N" on the standard input it takes N steps and
answers with a line of JSON: the milliseconds and the loss of each, and the memory of the process so far.
"""
import argparse
import json
import resource
import sys
import time

import torch


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--unpad", action="store_true")
    parser.add_argument("--experts", choices=("loop", "bmm"), default="loop")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", choices=("medium", "autocast"), help="float32 matmul precision, or torch.autocast")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_float32_matmul_precision("medium" if arguments.bf16 == "medium" else "highest")
    from limoe_torch import Step

    before = resident_bytes()
    step = Step(arguments.folder, arguments.unpad, arguments.experts, arguments.compile, arguments.bf16 == "autocast")
    for line in sys.stdin:
        milliseconds, losses = [], []
        for _ in range(int(line.split()[1])):
            begin = time.perf_counter()
            losses.append(step.take())
            milliseconds.append(1000 * (time.perf_counter() - begin))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer = {"ms": milliseconds, "losses": losses, "resident_before_bytes": before, "peak_resident_bytes": peak}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
