#!/usr/bin/env python3
"""Holds a run's event file against its metrics.jsonl, read by TensorBoard's own reader.

usage: read_events.py RUN        (pip install tensorboard)
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def numbers(line: dict) -> dict:
    flat = {}
    for key, value in line.items():
        values = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, number in values:
            if isinstance(number, (int, float)) and key != "step":
                flat[key if index is None else f"{key}/{index}"] = number
    return flat


def main(run: Path) -> None:
    accumulator = EventAccumulator(str(run), size_guidance={"scalars": 0})
    accumulator.Reload()
    seen = {
        (tag, event.step): event.value
        for tag in accumulator.Tags()["scalars"]
        for event in accumulator.Scalars(tag)
    }
    expected = {
        (tag, line["step"]): number
        for line in map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
        for tag, number in numbers(line).items()
    }
    missing = expected.keys() - seen.keys()
    extra = seen.keys() - expected.keys()
    wrong = [k for k in expected.keys() & seen.keys() if not math.isclose(seen[k], np.float32(expected[k]), rel_tol=1e-6)]
    print(f"{len(expected)} numbers of {len(accumulator.Tags()['scalars'])} tags: "
          f"{len(missing)} missing, {len(extra)} not in metrics.jsonl, {len(wrong)} different")
    if missing or extra or wrong or not expected:
        sys.exit(f"first: {sorted(missing)[:1]} {sorted(extra)[:1]} {wrong[:1]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
