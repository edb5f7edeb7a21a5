#!/usr/bin/env python3
"""What deploy/monitoring gives to Prometheus and Grafana: as promtool judges it, and held against docs/metrics.md.

    monitoring_test.py MONITORING METRICS WORK [TEST...]

WORK is a directory for files. What needs promtool (Debian: prometheus) is skipped without it.
"""

import json
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from typing import List, Set

MONITORING, METRICS, WORK = (Path(argument) for argument in sys.argv[1:4])
ALERTS = (MONITORING / "alerts.yml").read_text()
ALERTS_TEST = (MONITORING / "alerts_test.yml").read_text()
DASHBOARD = json.loads((MONITORING / "grafana.json").read_text())

NAME = re.compile(r"\b(?:lekt|process)_[a-z0-9_]+")
GRID_WIDTH = 24  # of Grafana


def expressions() -> List[str]:
    """Those of the dashboard."""
    annotated = [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]
    return annotated + [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


def documented() -> Set[str]:
    """The names of all series: each row of docs/metrics.md is a metric, and a histogram is three series."""
    names = set()
    for name, kind in re.findall(r"^\| `([a-z0-9_]+)` \| (\w+) \|", METRICS.read_text(), re.MULTILINE):
        names |= {name + end for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def promtool(*arguments: str) -> str:
    """What it complains of; nothing if all is well."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


class MonitoringTest(unittest.TestCase):
    maxDiff = None

    def test_every_metric_that_is_asked_for_exists(self):
        rules = re.sub(r"^\s*(?:#|(?:summary|description):).*$", "", ALERTS, flags=re.MULTILINE)
        asked = set(NAME.findall(rules)) | set(NAME.findall("\n".join(expressions())))
        self.assertGreater(len(asked), 20)
        self.assertEqual(asked - documented(), set())

    def test_no_panels_overlap_and_each_has_an_id(self):
        places: Set = set()
        for panel in DASHBOARD["panels"]:
            grid = panel["gridPos"]
            self.assertLessEqual(grid["x"] + grid["w"], GRID_WIDTH, panel["title"])
            covered = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
            self.assertFalse(places & covered, panel["title"])
            places |= covered
        ids = [panel["id"] for panel in DASHBOARD["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_each_alert_is_shown_firing_and_not_firing(self):
        alerts = re.findall(r"alert: (\w+)", ALERTS)
        self.assertEqual(re.findall(r"alertname: (\w+)\n\s+exp_alerts:", ALERTS_TEST), alerts)
        self.assertEqual(re.findall(r"alertname: (\w+)\}", ALERTS_TEST), alerts)


@unittest.skipIf(shutil.which("promtool") is None, "promtool is not installed (Debian: apt install prometheus)")
class PromtoolTest(unittest.TestCase):
    def test_the_configuration_is_right(self):
        self.assertEqual(promtool("check", "config", str(MONITORING / "prometheus.yml")), "")

    def test_the_alerts_fire_when_they_should(self):
        self.assertEqual(promtool("test", "rules", str(MONITORING / "alerts_test.yml")), "")

    def test_every_expression_of_the_dashboard_can_be_read(self):
        WORK.mkdir(parents=True, exist_ok=True)
        rules = [{"record": f"expression_{number}", "expr": expression.replace("$__rate_interval", "1m").replace(
            "$__interval", "1m")} for number, expression in enumerate(expressions())]
        path = WORK / "dashboard.yml"
        path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))  # JSON is YAML as well
        self.assertEqual(promtool("check", "rules", str(path)), "")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
