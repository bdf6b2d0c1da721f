"""How long a start takes, beside the imports any such program pays for."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.benchmarks.report import Measure, beside_peer, interleaved
from tests.world import Sqlite

ROUNDS = 9
LONGEST = 30.0  # seconds until a service must be ready


@contextmanager
def serving(url: str) -> Iterator[tuple[psutil.Process, str]]:
    """A service that is ready, with its address; stopped at the end."""
    environment = {**os.environ, "DOLUONG_DATABASE_URL": url, "DOLUONG_PORT": "0"}
    command = [sys.executable, "-m", "bot", "run"]
    service = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert service.stdout
        assert service.stderr
        address = service.stdout.readline().strip()
        if not address:
            raise RuntimeError(service.stderr.read())
        _wait_until_ready(address)
        yield psutil.Process(service.pid), address
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(LONGEST)


def _wait_until_ready(address: str) -> None:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=LONGEST):
                return
        except urllib.error.URLError:
            time.sleep(0.002)
    raise TimeoutError("the service is not ready")


def measure() -> Iterator[Measure]:
    """The service until /readyz answers, and `--help`."""
    with tempfile.TemporaryDirectory() as folder:
        url = Sqlite(Path(folder)).new()
        found = interleaved(
            ROUNDS,
            lambda: [lambda: _ready(url), lambda: _run("-c", "import telegram.ext")],
        )
    yield beside_peer("start to ready", "ms CPU", "import telegram.ext", found, goal=4.0)
    found = interleaved(ROUNDS, lambda: [lambda: _run("-m", "bot", "--help"), lambda: _run("-c", "pass")])
    yield beside_peer("python -m bot --help", "ms CPU", "python -c pass", found, goal=8.0)


def _ready(url: str) -> float:
    """Milliseconds of CPU until the service is ready."""
    with serving(url) as (service, _):
        used = service.cpu_times()
        return float(used.user + used.system) * 1000


def _run(*arguments: str) -> float:
    """Milliseconds of CPU of an interpreter with these arguments."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return (used.ru_utime + used.ru_stime) * 1000
