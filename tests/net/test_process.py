"""A child process is bounded in time and output, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.errors import Failed
from labkit.net import process
from labkit.net.process import bounded, clean_environment, run_child, running_child


def python(code: str, **settings):
    return run_child([sys.executable, "-c", code], **{"patience": 30, **settings})


def alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_the_end_of(number: int) -> None:
    until = time.monotonic() + 10
    while alive(number) and Path(f"/proc/{number}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_it_wrote_and_how_it_ended():
    """Both outputs and the exit code come back apart."""
    done = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (done.code, done.out.split(), done.err.split(), done.ended, done.dropped) == (3, [b"out"], [b"err"], "", 0)


def test_a_signal_is_told_by_its_number():
    """A child that dies of a signal has a code below 0, as the standard library has it."""
    assert python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").code == -11


def test_what_was_written_before_the_end_is_kept():
    """A child that does not end is ended, and what it had written is there."""
    began = time.monotonic()
    done = python("import time; print('so far', flush=True); time.sleep(60)", patience=1)
    assert (done.code, done.out.split(), done.ended) == (None, [b"so", b"far"], "it had not ended after 1 s")
    assert time.monotonic() - began < 10


def test_its_children_end_with_it():
    """A process that the child started and left behind is ended too."""
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    wait_for_the_end_of(int(python(code).out))


def test_much_output_is_dropped_and_counted():
    """Of 3 MB the first bytes are kept, and the rest is counted."""
    done = python("import sys; sys.stdout.write('x' * 3_000_000)", most=1000)
    assert (done.code, len(done.out), done.dropped) == (0, 1000, 2_999_000)


def test_too_much_output_ends_it(monkeypatch: pytest.MonkeyPatch):
    """A child that writes without end is ended, long before its time is over."""
    monkeypatch.setattr(process, "_MOST_WRITTEN", 1 << 20)
    done = python("while True: print('x' * 10_000)", most=10)
    assert (done.code, done.out, done.ended) == (None, b"x" * 10, "it wrote more than 1 MiB")


def test_it_is_fed_as_the_feed_says():
    """Bytes are written when the feed gives them, and its end closes the input."""

    def feed() -> Iterator[bytes | None]:
        yield b"one"
        yield None
        yield b"two"

    assert python("import sys; print(sys.stdin.read())", feed=feed()).out.split() == [b"onetwo"]


def test_a_child_that_does_not_read_is_no_obstacle():
    """Input that nobody takes waits, and the child's time is over all the same."""
    done = python("import time; time.sleep(60)", feed=iter([b"x" * (1 << 20)]), patience=1)
    assert done.ended == "it had not ended after 1 s"


def test_a_child_that_closed_its_input_goes_on():
    """Input for a child that reads no more is dropped; its end is still waited for."""

    def feed() -> Iterator[bytes | None]:
        while True:
            yield b"x" * 1000

    assert python("import os, time; os.close(0); time.sleep(0.3); print('end')", feed=feed()).out.split() == [b"end"]


def test_what_cannot_be_started_is_told():
    """A path that is no program is one sentence."""
    with pytest.raises(Failed, match=r"/no/such could not be started: .*No such file"):
        run_child(["/no/such"], patience=1)


def test_a_nul_in_an_argument_is_told():
    """No system can pass on a NUL in an argument."""
    with pytest.raises(Failed, match="could not be started"):
        run_child([sys.executable, "a\0b"], patience=1)


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "ALL_PROXY", "no_proxy"])
def test_proxy_settings_do_not_reach_it(monkeypatch: pytest.MonkeyPatch, name: str):
    """A child's requests go where they say, whatever the environment says of proxies."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert name not in clean_environment()
    assert python("import os; print(sorted(os.environ))").out.count(b"roxy") == 0


TALKING = "import subprocess, sys; other = subprocess.Popen([sys.executable, '-c', 'input()']); print(other.pid, flush=True); input()"


def test_a_running_child_can_be_talked_to():
    """Its pipes are there while it runs, and closed when the block is left; so is it, with its own children."""
    with running_child([sys.executable, "-c", TALKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        other = int(child.stdout.readline())
        assert child.poll() is None
        assert child in process._RUNNING
    assert child.returncode == -9
    assert (child.stdin.closed, child.stdout.closed) == (True, True)
    assert child not in process._RUNNING
    wait_for_the_end_of(other)


def test_a_running_child_ends_with_an_error_too():
    """Whatever happens in the block, nothing is left behind."""
    with pytest.raises(KeyError), running_child([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        raise KeyError
    assert child.returncode == -9


def test_a_running_child_ends_with_the_interpreter():
    """A block that is never left is no obstacle: what runs is ended before the interpreter is."""
    code = (
        "import subprocess, sys\n"
        "from labkit.net.process import running_child\n"
        "block = running_child([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(block.__enter__().pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    wait_for_the_end_of(int(done.stdout))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_child_may_run_as_another_user():
    """Root's child runs as the user and the group that are told, and in no other group."""
    with running_child(["/bin/sh", "-c", "id -u; id -G"], stdout=subprocess.PIPE, user=65534) as process:
        assert process.communicate(timeout=20)[0].split() == [b"65534", b"65534"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can bound a process that runs")
def test_a_childs_files_are_bounded(tmp_path):
    """A file that grows beyond its bound ends the child that writes it."""
    with running_child(["/bin/sh", "-c", "read x; yes > much"], stdin=subprocess.PIPE, folder=tmp_path) as process:
        bounded(process, 1 << 16)
        process.stdin.write(b"\n")
        assert process.wait(20) != 0
    assert (tmp_path / "much").stat().st_size <= 1 << 16
