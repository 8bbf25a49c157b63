#!/usr/bin/env python3
"""Takes every barrier and every wait for asynchronous copies and products out of the kernels, one at a time, and tells which
removals the tests do not notice. A survivor is either redundant, and then it should go, or a test is missing.

  cmake -B build -DGPU=sim && cmake --build build --target limoe_kernel_tests
  tests/mutation/remove_barriers.py --build build [--only gemm] [--json FILE]

A mutant is compiled from a copy of its file (a header: with every kernel file that includes it), linked to the objects of
the build, and run against the tests of its op in three orders of lanes. Exit status 1 when a mutant survives that is not named
in tests/mutation/explained.txt, one a line: file, the text of the line, and why the tests cannot see it.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYNC = re.compile(r"__syncthreads\(\);|__syncwarp\([^)]*\);|wait_for_(?:copies|products)<[^;]*>\(\);"
                  r"|(?:meet|arrive)_at\([^;]*\);")
EXPLAINED = pathlib.Path(__file__).with_name("explained.txt")


def sites(only):
    """(file, line number, begin, end) of every synchronisation in kernels; the door and comments are left out."""
    found = []
    for path in sorted(ROOT.glob("cuda/*.cu*")):
        if path.name in ("device.cuh", "mma.cuh") or only not in path.name:
            continue
        for number, line in enumerate(path.read_text().splitlines(keepends=True), 1):
            for match in SYNC.finditer(line.split("//")[0]):
                found.append((path, number, match.start(), match.end()))
    return found


def including(header, cache={}):
    """Kernel files that include `header`, through others or not."""
    if not cache:
        for path in ROOT.glob("cuda/*.cu*"):
            cache[path.name] = set(re.findall(r'#include "cuda/([a-z0-9_]+\.cuh)"', path.read_text()))
    wanted, result = {header.name}, set()
    grew = True
    while grew:
        more = {name for name, includes in cache.items() if includes & wanted}
        grew = not more <= wanted
        wanted |= more
    return sorted(ROOT / "cuda" / name for name in wanted if name.endswith(".cu"))


def tests_of(source):
    """Patterns of test files for a kernel file: the longest names that begin alike, else all."""
    names = [path.stem.removesuffix("_test") for path in ROOT.glob("tests/*_test.cpp")]
    stem = source.stem
    fitting = [n for n in names if stem.startswith(n) or n.startswith(stem) or n == "device_" + stem.split("_")[0]]
    if stem.startswith(("gemm", "grouped")):
        fitting += ["device_gemm", "grouped_linear", "linear"]
    return [f"*/{name}_test.cpp" for name in sorted(set(fitting))] or ["*"]


class Build:
    def __init__(self, folder):
        self.folder = folder
        output = subprocess.run(["ninja", "-C", str(folder), "-t", "commands", "limoe_kernel_tests"], capture_output=True,
                                text=True, check=True).stdout
        lines = [l for l in output.splitlines() if " -c " in l or " -o limoe_kernel_tests" in l]
        self.link = next(l for l in lines if " -o limoe_kernel_tests" in l)
        self.compile = {}
        for line in lines:
            if match := re.search(r" -c (\S+\.cu)(\s|$)", line):
                self.compile[pathlib.Path(match.group(1)).name] = line

    def run(self, command, timeout=600):
        return subprocess.run(command, shell=True, cwd=self.folder, capture_output=True, text=True, timeout=timeout)

    def mutant(self, site, folder):
        """The program with the site taken out, and the tests to run; None when nothing that is tested uses it."""
        path, number, begin, end = site
        lines = path.read_text().splitlines(keepends=True)
        lines[number - 1] = lines[number - 1][:begin] + ";" + lines[number - 1][end:]
        overlay = folder / "cuda"
        overlay.mkdir(exist_ok=True)
        (overlay / path.name).write_text("".join(lines))
        users = [path] if path.suffix == ".cu" else including(path)
        link, patterns = self.link, []
        for user in users:
            command = self.compile.get(user.name)
            if not command:
                continue
            old = re.search(r" -o (\S+)", command).group(1)
            new = folder / (user.name + ".o")
            text = overlay / user.name if user == path else user
            command = re.sub(r" -o \S+", f" -o {new}", command)
            command = re.sub(r" -c \S+", f" -c {text}", command).replace(f" -I{ROOT} ", f" -I{folder} -I{ROOT} ", 1)
            command = re.sub(r" -MD -MT \S+ -MF \S+", "", command) + " -Wno-error"  # an `if` may be left empty
            done = self.run(command)
            if done.returncode:
                sys.exit(f"{path.name}:{number}: the mutant does not compile:\n{done.stderr[-1500:]}")
            link = link.replace(f" {old} ", f" {new} ")
            patterns += tests_of(user)
        if not patterns:
            return None
        program = folder / "mutant"
        done = self.run(re.sub(r" -o limoe_kernel_tests", f" -o {program}", link))
        if done.returncode:
            sys.exit(f"{path.name}:{number}: the mutant does not link:\n{done.stderr[-1500:]}")
        return program, ["*"] if "*" in patterns else sorted(set(patterns))


def killed_by(program, patterns):
    for order in ("forward", "reverse", "shuffled"):
        command = [str(program), "--source-file=" + ",".join(patterns), "--abort-after=1"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=900, env={**os.environ, "LIMOE_SIM_ORDER": order})
        except subprocess.TimeoutExpired:
            return f"a run that does not end ({order})"
        if done.returncode:
            return order
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--only", default="", help="files whose name holds this")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    build = Build(arguments.build.resolve())
    explained = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    results, all_sites = [], sites(arguments.only)
    for count, site in enumerate(all_sites, 1):
        path, number, begin, end = site
        text = path.read_text().splitlines()[number - 1].strip()
        with tempfile.TemporaryDirectory() as folder:
            mutant = build.mutant(site, pathlib.Path(folder))
            outcome = killed_by(*mutant) if mutant else None
        known = outcome is None and f"{path.name}: {text}" in explained
        verdict = f"noticed ({outcome})" if outcome else "survives, as explained" if known else "SURVIVES"
        print(f"[{count}/{len(all_sites)}] {path.name}:{number}: {text}: {verdict}", flush=True)
        results.append({"file": path.name, "line": number, "text": text, "noticed_by": outcome, "explained": known})
    survivors = [r for r in results if r["noticed_by"] is None and not r["explained"]]
    print(f"{len(results)} removals, {len(survivors)} unnoticed and not explained")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    sys.exit(1 if survivors or not results else 0)


if __name__ == "__main__":
    main()
