"""Puts what the benches printed into docs/performance.md and docs/gpu.md.

    python3 bench/fill_tables.py          (from the root of the project, after the commands the page names)

A page says where with a pair of comments; what lies between them is replaced by the file's content:

    <!-- bench/results/step.md -->  ...  <!-- end -->

A .json of `limoe bench step --by-op --json FILE` becomes a table by op, the longest first.
"""
import json
import re
from pathlib import Path

PAGES = [Path("docs/performance.md"), Path("docs/gpu.md")]
LEAST_SHARE = 0.005  # of the step; shorter ones are added up


def by_op(step):
    whole = sum(op["ms"] for op in step["ops"])
    lines = [f"{step['pairs']} pairs, {step['tokens']:,} tokens, {step['threads']} thread(s): {step['median_ms']:.1f} ms "
             f"(with tracing {whole:.1f} ms)", "", "| op | pass | calls | ms | of the step | rate | of its limit |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    rest = 0.0
    for op in step["ops"]:
        if op["ms"] < LEAST_SHARE * whole or op["op"] == "other":
            rest += op["ms"]
            continue
        amount, unit = (op["flop"], "GFLOP/s") if op["flop"] else (op["bytes"], "GB/s")
        rate = f"{amount / op['ms'] / 1e6:.0f} {unit}" if amount else ""
        share = f"{100 * op['share_of_limit']:.0f} %" if op.get("share_of_limit") else ""
        lines.append(f"| {op['op']} | {op['pass'] if op['pass'] != 'phase' else ''} | {op['calls']:.0f} | {op['ms']:.2f} "
                     f"| {100 * op['ms'] / whole:.1f} % | {rate} | {share} |")
    lines.append(f"| all others | | | {rest:.2f} | {100 * rest / whole:.1f} % | | |")
    return "\n".join(lines)


def content(path):
    text = Path(path).read_text()
    if path.endswith(".json"):
        return by_op(json.loads(text))
    return text.strip() if path.endswith(".md") else "```\n" + text.strip() + "\n```"


def main():
    pattern = re.compile(r"(<!-- (bench/results/\S+) -->\n).*?(<!-- end -->)", re.S)

    def filled(match):
        if not Path(match[2]).exists():
            raise SystemExit(f"{match[2]} is missing; run the command that the page names beside it")
        return match[1] + "\n" + content(match[2]) + "\n\n" + match[3]

    for page in PAGES:
        page.write_text(pattern.sub(filled, page.read_text()))


if __name__ == "__main__":
    main()
