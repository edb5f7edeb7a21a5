"""Rows of the comparison: values of all rounds, their medians and ratios, as a table, as JSON and as a chart."""

import operator
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List, Tuple

COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "": lambda *_: True}
Pair = Tuple[str, str]


def holds(value: float, target: str) -> bool:
    if not target:
        return True
    sign, limit = target.split()
    return COMPARISONS[sign](value, float(limit))


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Row:
    """One kind of work and one figure of it, for each server and round."""

    def __init__(self, name: str, work: str, figure: str, key: str, unit: str,
                 measure: Callable[..., Dict[str, dict]], ratios: Dict[Pair, str],
                 values: Dict[str, str] | None = None) -> None:
        self.name, self.work, self.figure, self.key, self.unit = name, work, figure, key, unit
        self.measure = measure
        self.ratio_targets = ratios
        self.value_targets = values or {}
        self.rounds: List[Dict[str, float]] = []

    def add(self, results: Dict[str, dict]) -> None:
        values = {}
        for server, result in results.items():
            value = result
            for part in self.key.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                values[server] = float(value)
        self.rounds.append(values)

    def servers(self) -> List[str]:
        return list(self.rounds[0])

    def values(self, server: str) -> List[float]:
        return [values[server] for values in self.rounds]

    def ratios(self, pair: Pair) -> List[float]:
        """Within each round, since the machine may be faster in the next one."""
        return [values[pair[0]] / values[pair[1]] for values in self.rounds]

    def judgements(self) -> List[Tuple[str, List[float], str]]:
        """What is shown and held against a target: words, values of the rounds, target."""
        found = [(f"{over} / {under}", self.ratios((over, under)), target)
                 for (over, under), target in self.ratio_targets.items()]
        if "before" in self.servers():
            found.append(("lekt / before", self.ratios(("lekt", "before")), ""))
        return found + [(f"{server}, {self.unit}".rstrip(", "), self.values(server), target)
                        for server, target in self.value_targets.items()]

    def met(self) -> bool:
        return all(holds(median(values), target) for _, values, target in self.judgements())


def print_table(rows: List[Row]) -> None:
    heads = ("work", "figure", "medians", "compared", "median", "lowest .. highest", "target", "")
    lines = []
    for row in rows:
        medians = ", ".join(f"{server} {number(median(row.values(server)))}" for server in row.servers())
        for words, values, target in row.judgements():
            verdict = "" if not target else "met" if holds(median(values), target) else "MISSED"
            lines.append((row.work, f"{row.figure} {row.unit}".strip(), medians, words, number(median(values)),
                          f"{number(min(values))} .. {number(max(values))}", target, verdict))
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]
    for line in (heads, tuple("-" * width for width in widths), *lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def document(rows: List[Row], machine: dict) -> dict:
    return {"machine": machine, "rows": [
        {"name": row.name, "work": row.work, "figure": row.figure, "unit": row.unit,
         "values": {server: row.values(server) for server in row.servers()},
         "compared": [{"what": words, "median": median(values), "lowest": min(values), "highest": max(values),
                       "target": target, "met": holds(median(values), target)}
                      for words, values, target in row.judgements()]} for row in rows]}


def pyplot_or_none():
    """Debian's python3-matplotlib, if it is there."""
    try:
        import matplotlib
        matplotlib.use("Agg")
        matplotlib.rcParams.update({"svg.hashsalt": "lekt", "svg.fonttype": "none", "font.size": 10})
        from matplotlib import pyplot
        return pyplot
    except ImportError:
        return None


def draw(results: dict, path: Path) -> None:
    """Bars of processor time a request, the floor being 1; from a document()."""
    pyplot = pyplot_or_none()
    drawn = [row for row in results["rows"] if row["figure"] == "processor time" and "floor" in row["values"]]
    if not drawn or pyplot is None:
        return
    colours = {"floor": "#9aa0a6", "lekt": "#1a73e8", "redis": "#d93025", "etcd": "#f9ab00"}
    figure, axes = pyplot.subplots(figsize=(9, 0.9 + 0.75 * len(drawn)))
    labels = []
    position = 0.0
    for row in reversed(drawn):
        shown = [name for name in reversed(colours) if name in row["values"]]
        labels.append((position + (len(shown) - 1) / 2, row["work"]))
        for name in shown:
            rounds = zip(row["values"][name], row["values"]["floor"])
            ratio = median([value / floor for value, floor in rounds])
            axes.barh(position, ratio, color=colours[name], height=0.85)
            axes.text(ratio * 1.03, position, f"{name} {number(ratio)}", va="center", fontsize=8)
            position += 1
        position += 0.6
    axes.set_xscale("log")
    axes.set_xlim(0.5, axes.get_xlim()[1] * 2)
    axes.set_yticks([at for at, _ in labels], [work for _, work in labels])
    axes.set_xlabel("server's processor time a request; a bare epoll server with the same bytes is 1")
    axes.axvline(1, color="#5f6368", linewidth=0.8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    if path.suffix == ".svg":
        path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
