#!/usr/bin/env python3
"""Is the portable program right at each of its levels, and free of what a lesser processor lacks?

    python3 tests/portable/check_levels.py [BUILD]      BUILD: folder of the build [build-portable]

Run by hand: it builds -DPORTABLE=ON first, with as many jobs as CMAKE_BUILD_PARALLEL_LEVEL says. Needs binutils, and
qemu-x86_64 (Debian: qemu-user), which stops a program at an instruction that the processor it plays does not have.
Prints what it saw, ends with status 1 at the first thing that is wrong.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEVELS = ["x86-64", "x86-64-v3", "x86-64-v4"]
# The oldest x86-64 processor there is, one in front of AVX, and one of the third level.
OLDEST, BEFORE_AVX, THIRD = "Opteron_G1", "Nehalem", "Haswell"
# In f32 one rounding of a multiply-add instead of two, over three small steps.
MOST_RELATIVE_DIFFERENCE = 1e-5

# What a level's code must not have: by mnemonic for the first, which has no instruction of AVX, BMI or MOVBE (tzcnt is
# left out: it is encoded so that older processors run it as bsf), by register for the third.
FORBIDDEN = {
    "x86-64": re.compile(
        r"%[yz]mm|%k[0-7]\b|\t(v\w+|andn|bextr|bls\w+|bzhi|pdep|pext|rorx|s[ah][lr]x|mulx|lzcnt|movbe|popcnt)\b"),
    "x86-64-v3": re.compile(r"%zmm|%[xy]mm(1[6-9]|[23]\d)|%k[0-7]\b"),
    "x86-64-v4": re.compile(r"(?!)"),
}
OWN_REGISTER = {"x86-64": "%xmm", "x86-64-v3": "%ymm", "x86-64-v4": "%zmm"}

MODEL = """--tokenizer bytes --image-size 32 --patch-size 8 --width 32 --heads 2 --layers 2 --mlp-width 64
--joint-width 32 --experts 4 --batch-size 16 --max-steps 4 --log-every-n-steps 1 --lr 1e-3 --warmup 1
--workers 0""".split()


def expect(holds, what):
    if not holds:
        sys.exit(f"check_levels: {what}")


def run(words, level=None, cpu=None):
    """The finished process; with `cpu`, on that processor as qemu plays it."""
    environment = {**os.environ, "LIMOE_THREADS": "1"}
    environment.pop("LIMOE_LEVEL", None)
    if level is not None:
        environment["LIMOE_LEVEL"] = level
    emulator = ["qemu-x86_64", "-cpu", cpu] if cpu else []
    return subprocess.run(emulator + words, env=environment, capture_output=True, text=True)


def check_instructions(build):
    """By objdump, of all that the program is linked from besides the system's libraries."""
    objects = {level: build / f"limoe-{level}.o" for level in LEVELS}
    parts = [(level, file) for level, file in objects.items()]
    parts += [(LEVELS[0], file) for file in build.glob("CMakeFiles/limoe.dir/**/main.cpp.o")]
    expect(len(parts) == 4, f"{build}: {len(parts)} object files; expected three levels and main()")
    for level, file in parts:
        lines = subprocess.run(["objdump", "-d", "--no-show-raw-insn", file],
                               check=True, capture_output=True, text=True).stdout.splitlines()
        forbidden = [line for line in lines if FORBIDDEN[level].search(line)]
        expect(not forbidden, f"{file.name}: is for {level}, but has {forbidden[0].strip() if forbidden else ''}")
        own = sum(OWN_REGISTER[level] in line for line in lines)
        if file in objects.values():
            # Else the search above would be blind.
            expect(own > 1000, f"{file.name}: {own} instructions with {OWN_REGISTER[level]}; expected its level's")
            for lower in LEVELS[: LEVELS.index(level)]:
                expect(any(FORBIDDEN[lower].search(line) for line in lines), f"{file.name}: would pass as {lower}")
        print(f"{file.name}: {len(lines):,} lines, {own:,} with {OWN_REGISTER[level]}, none above {level}")


def check_emulator(scratch):
    """An instruction of AVX must not get by: else the runs on lesser processors show nothing."""
    source = scratch / "avx.c"
    source.write_text('int main(void) { __asm__ volatile("vxorps %ymm0, %ymm0, %ymm0"); return 0; }\n')
    subprocess.run(["cc", "-static", "-o", scratch / "avx", source], check=True)
    for cpu in (OLDEST, BEFORE_AVX):
        status = run([str(scratch / "avx")], cpu=cpu).returncode
        expect(status == -signal.SIGILL, f"qemu-x86_64 -cpu {cpu}: AVX ends with {status}; expected SIGILL")
    expect(run([str(scratch / "avx")], cpu=THIRD).returncode == 0, f"qemu-x86_64 -cpu {THIRD}: does not run AVX")


def figures(limoe, scratch, level=None, cpu=None, says=None):
    """Loss and gradient norm of each step of a short training; what it prints must have the words `says`."""
    out = scratch / "run"
    data = str(scratch / "shapes" / "train")
    ran = run([limoe, "train", *MODEL, "--train-data", data, "--out", str(out), "--overwrite"], level, cpu)
    where = f"LIMOE_LEVEL={level} on {cpu or 'this processor'}"
    expect(ran.returncode == 0, f"{where}: status {ran.returncode}: {ran.stderr.strip()[-300:]}")
    expect(says in ran.stdout, f"{where}: the log does not say '{says}'")
    steps = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    found = [step[key] for step in steps if "train/loss" in step for key in ("train/loss", "train/grad_norm")]
    expect(len(found) == 8, f"{where}: {len(found)} figures; expected loss and gradient norm of 4 steps")
    print(f"{where}: {says.split(',')[0]}; losses {' '.join(f'{loss:.7f}' for loss in found[::2])}")
    return found


def difference(some, others):
    """The largest relative difference; NaN, which no limit allows, where one is NaN."""
    differences = [abs(a - b) / abs(b) for a, b in zip(some, others, strict=True)]
    return float("nan") if any(d != d for d in differences) else max(differences)


def check_difference():
    limit = MOST_RELATIVE_DIFFERENCE
    for wrong in ([2.0, 1.0 + 3e-5], [2.0, float("nan")]):
        expect(not difference(wrong, [2.0, 1.0]) <= limit, f"the comparison passes {wrong}")


def check_training(limoe, scratch, runs_here):
    chosen, asked = "chosen for this processor among", "as LIMOE_LEVEL says, of"
    among = "x86-64, x86-64-v3 and x86-64-v4"
    subprocess.run([limoe, "data", "shapes", "--out", scratch / "shapes", "--count", "64"],
                   check=True, capture_output=True)
    expected = figures(limoe, scratch, says=f"built for {runs_here[-1]}, {chosen} {among}")
    others = [figures(limoe, scratch, level, says=f"built for {level}, {asked} {among}") for level in runs_here]
    for cpu, level in ((OLDEST, "x86-64"), (BEFORE_AVX, "x86-64"), (THIRD, "x86-64-v3")):
        others.append(figures(limoe, scratch, cpu=cpu, says=f"built for {level}, {chosen} {among}"))
    expect(others[len(runs_here) - 1] == expected, f"{runs_here[-1]}: chosen and asked for, its figures differ")
    if len(runs_here) > 1:
        # Only in the last bits, and those of a loss may agree by chance; eight of both do not.
        expect(others[0] != expected, "the lowest and the highest level give the same bits: one of them did not run")
    worst = max(difference(some, expected) for some in others)
    expect(all(difference(some, expected) <= MOST_RELATIVE_DIFFERENCE for some in others),
           f"losses and gradient norms differ by {worst:.1e}; expected {MOST_RELATIVE_DIFFERENCE:.0e} at most")
    print(f"losses and gradient norms differ by {worst:.1e} of their value at most")


def check_refusals(limoe):
    cases = [(level, None, "x86-64, x86-64-v3 or x86-64-v4") for level in ("x86-64-v2", "")]
    for level, cpu, highest in (("x86-64-v3", OLDEST, "x86-64"), ("x86-64-v3", BEFORE_AVX, "x86-64"),
                                ("x86-64-v4", BEFORE_AVX, "x86-64"), ("x86-64-v4", THIRD, "x86-64-v3")):
        cases.append((level, cpu, f"{highest} at most, for this processor has no more"))
    for level, cpu, expected in cases:
        message = f"limoe: LIMOE_LEVEL: is \"{level}\"; expected {expected}\n"
        ran = run([limoe, "--version"], level, cpu)
        # qemu warns of what its own processor lacks.
        said = "".join(line for line in ran.stderr.splitlines(True) if not line.startswith("qemu-x86_64: warning:"))
        expect((ran.returncode, said) == (2, message),
               f"{level} on {cpu}: status {ran.returncode}, '{said}'; expected 2, '{message}'")
        print(f"on {cpu or 'this processor'}: {said.strip()}")


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build-portable")
    subprocess.run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DPORTABLE=ON"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build, "--target", "limoe"], check=True, stdout=subprocess.DEVNULL)
    limoe = str(build / "limoe")
    runs_here = [level for level in LEVELS if run([limoe, "--version"], level).returncode == 0]
    print("this processor runs", ", ".join(runs_here))
    expect(runs_here[:1] == ["x86-64"], "the lowest level does not run here")
    check_difference()
    check_instructions(build)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        check_emulator(scratch)
        check_training(limoe, scratch, runs_here)
    check_refusals(limoe)


main()
