"""Run Autobahn|Testsuite's fuzzing client against the lab's server, and keep what it found.

    python -m tests.autobahn.run PYTHON2.7 [CASE …]

The suite needs a Python 2.7; it gets an environment of its own under build/autobahn/, made on first use. With
cases (`7.*`, `6.4.3`) only those are run, and take the place of what was kept of them.
"""

# ruff: noqa: T201  programs that were asked for; its output is for whoever runs it

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from labkit import __version__
from labkit.bench.children import serving
from labkit.errors import Absent, Failed, LabError, WrongUse
from tests.autobahn.result import FILE, PAGE, Result

__all__ = ["environment", "main", "run"]

_ROOT = Path(__file__).parents[2]
_FOLDER = _ROOT / "build" / "autobahn"
_SUITE = "autobahntestsuite==25.10.1"  # it names its own dependencies, each with a version for Python 2.7
_MAKER = "virtualenv<20.22"  # the last that makes environments for Python 2.7
_SET_UP_TIME, _RUN_TIME = 900.0, 3600.0  # seconds; a whole run takes 24 minutes on a busy machine
_LARGEST = 16 << 20  # bytes: the suite's largest message


def _done(*command: str | Path, patience: float) -> str:
    """Run a command to its end; return what it wrote."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=_FOLDER, timeout=patience)
    except OSError as error:
        raise Absent(f"{words[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"`{' '.join(words)}` did not end in {patience:g} s") from None
    if done.returncode:
        raise Failed(f"`{' '.join(words)}` ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def environment(python2: str) -> Path:
    """Return the folder of the programs of an environment with the suite, made with this Python 2.7 if there is none."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    found = _done(python2, "-c", "import sys; print(sys.version_info[:2] == (2, 7))", patience=30)
    if found.strip() != "True":
        raise WrongUse(f"{python2} is no Python 2.7, which the suite needs: name one with PY2=…")
    programs = _FOLDER / "suite" / "bin"
    if not (programs / "wstest").exists():
        print("Setting up build/autobahn; this takes a few minutes.", flush=True)
        venv.create(_FOLDER / "maker", clear=True, with_pip=True)
        maker = _FOLDER / "maker" / "bin"
        _done(maker / "python", "-m", "pip", "install", "--quiet", _MAKER, patience=_SET_UP_TIME)
        _done(maker / "virtualenv", "--quiet", "--python", python2, _FOLDER / "suite", patience=_SET_UP_TIME)
        _done(programs / "python", "-m", "pip", "install", "--quiet", _SUITE, patience=_SET_UP_TIME)
    return programs


def _versions(programs: Path) -> dict[str, str]:
    listed = _done(programs / "python", "-m", "pip", "freeze", patience=60)
    theirs = dict(re.findall(r"(?m)^(autobahn|autobahntestsuite|Twisted)==(\S+)$", listed))
    return {**theirs, "labkit": __version__, "websockets": version("websockets"), "Python": platform.python_version()}


def run(python2: str, cases: Sequence[str] = ("*",)) -> Result:
    """Run these cases against a server of its own process; return what was found.

    Raises:
        LabError: a program is absent, or ended badly.
    """
    programs = environment(python2)
    with serving("--max-size", str(_LARGEST), "--no-trace") as port:
        servers = [{"agent": "labkit", "url": f"ws://127.0.0.1:{port}/", "options": {"version": 18}}]
        asked = {
            "outdir": "reports",
            "servers": servers,
            "cases": list(cases),
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        (_FOLDER / "asked.json").write_text(json.dumps(asked))
        _done(programs / "wstest", "-m", "fuzzingclient", "-s", "asked.json", patience=_RUN_TIME)
    return Result.of_report(json.loads((_FOLDER / "reports" / "index.json").read_text()), _versions(programs))


def main(words: Sequence[str]) -> int:
    """Run what is asked for; 1 where a case failed."""
    if not words or not words[0]:
        print("name a Python 2.7: make autobahn PY2=/path/to/python2.7", file=sys.stderr)
        return 2
    try:
        result = run(words[0], words[1:] or ("*",))
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    kept = result.over(Result.load()) if words[1:] and FILE.exists() else result
    FILE.write_text(kept.to_json(), encoding="utf-8")
    PAGE.write_text(kept.page(), encoding="utf-8")
    print(result.page())
    return 1 if result.counts()["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
