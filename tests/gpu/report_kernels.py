#!/usr/bin/env python3
"""Registers, shared memory, stack and spills of every kernel, from ptxas: what a build for a GPU costs, on a machine without one.

  tests/gpu/report_kernels.py [--nvcc NVCC] [--arch sm_90a] [--out FILE.md]

Compiles every cuda/*.cu with -Xptxas -v and writes a table. Exit status 1 when a kernel spills.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ptxas_output(nvcc, arch, source):
    virtual = arch.replace("sm_", "compute_")
    command = [nvcc, "-std=c++20", "-O3", "--expt-relaxed-constexpr", "--extended-lambda", f"-I{ROOT}",
               f"--generate-code=arch={virtual},code={arch}", "-Xptxas=-v", "-c", str(source), "-o", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{source.name}: nvcc failed:\n{done.stderr[-2000:]}")
    return done.stderr


def demangled(names):
    tool = shutil.which("c++filt")
    if not tool or not names:
        return names
    text = subprocess.run([tool], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return text.rstrip("\n").split("\n")


def kernels_of(text):
    """(mangled name, registers, shared bytes, stack bytes, spilled bytes) of every entry function."""
    found = []
    for part in re.split(r"Compiling entry function '", text)[1:]:
        name = part[: part.index("'")]
        number = lambda pattern: int(m.group(1)) if (m := re.search(pattern, part)) else 0
        found.append((name, number(r"Used (\d+) registers"), number(r"(\d+) bytes smem"),
                      number(r"(\d+) bytes stack frame"),
                      number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")))
    return found


def short(name):
    name = re.sub(r"\(.*", "", name)
    return name.replace("void ", "").replace("limoe::cuda::", "").replace("limoe::", "").replace("(anonymous namespace)::", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nvcc", default=shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc")
    parser.add_argument("--arch", default="sm_90a")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    sources = sorted((ROOT / "cuda").glob("*.cu"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(lambda s: ptxas_output(arguments.nvcc, arguments.arch, s), sources))
    lines = [f"# Kernels for {arguments.arch}", "", f"`tests/gpu/report_kernels.py --arch {arguments.arch}`", "",
             "| file | kernel | registers | static shared bytes | stack bytes | spilled bytes |", "| --- | --- | --- | --- | --- | --- |"]
    count = spilling = 0
    for source, output in zip(sources, outputs):
        kernels = kernels_of(output)
        for pretty, (_, registers, shared, stack, spilled) in zip(demangled([k[0] for k in kernels]), kernels):
            lines.append(f"| {source.name} | `{short(pretty)}` | {registers} | {shared} | {stack} | {spilled} |")
            count += 1
            spilling += spilled > 0
    lines += ["", f"{count} kernels, {spilling} of them spill."]
    text = "\n".join(lines) + "\n"
    if arguments.out:
        arguments.out.write_text(text)
    else:
        print(text)
    sys.exit(1 if spilling else 0)


if __name__ == "__main__":
    main()
