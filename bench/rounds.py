"""Rounds of a comparison: what bench/compare and bench/devices share."""

import os
import platform
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional

from results import Row


def say(progress: str) -> None:
    """Over the line before on a terminal, on a line of its own elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)
    elif progress:
        print(progress, file=sys.stderr, flush=True)


def measure(bench: object, before: Optional[object], rows: List[Row], rounds: int) -> None:
    """Each name is measured once a round, rows that share it read different values; `before` has another release."""
    for number in range(1, rounds + 1):
        done: Dict[str, Dict[str, dict]] = {}
        for row in rows:
            if row.name not in done:
                say(f"round {number} of {rounds}: {row.name}")
                done[row.name] = row.measure(bench)
                if before:
                    done[row.name]["before"] = row.measure(before)["lekt"]
            row.add(done[row.name])
    say("")


def machine() -> dict:
    model = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"date": time.strftime("%Y-%m-%d"), "kernel": platform.release(), "processor": model[0] if model else "?",
            "cores": os.cpu_count()}
