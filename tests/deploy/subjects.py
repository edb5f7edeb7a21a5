"""What the tests in this folder share: the programs that they are about, and the folder with their files.

Each is started with the project's version and the paths of the programs."""

import subprocess
import sys
import unittest
from pathlib import Path
from typing import Dict, List

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
VERSION = sys.argv[1]
PROGRAMS: Dict[str, Path] = {Path(path).name: Path(path).resolve() for path in sys.argv[2:]}


def output_of(command: List[str], **more) -> str:
    """Its standard output; an error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def run_tests() -> None:
    unittest.main(argv=sys.argv[:1], verbosity=2)
