"""The real service as a process of its own, over real HTTP on loopback."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


def environment(url: str, **more: str) -> dict[str, str]:
    """The machine's environment without its own DOLUONG_* settings, and these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOLUONG_")}
    return {**kept, "DOLUONG_DATABASE_URL": url, "DOLUONG_SECRET_KEY": "k" * 32, "PYTHONUTF8": "1", **more}


def command(
    *arguments: str, url: str, given: str = "", cwd: Path = ROOT, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run one `python -m bot` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=cwd,
        env=environment(url, **more),
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@dataclass
class Running:
    """A running service and where it is found."""

    process: subprocess.Popen[str]
    address: str

    def stop(self) -> int:
        """Ask it to stop, and wait."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """Give it no chance."""
        self.process.kill()
        self.process.wait(30)


def start(url: str, *, port: int = 0, **more: str) -> Running:
    """Start the service; returns when it has printed its address, and so takes connections."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        cwd=ROOT,
        env=environment(url, DOLUONG_PORT=str(port), **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        _, errors = process.communicate(timeout=10)
        raise RuntimeError(errors)
    return Running(process, address)


@contextmanager
def running(url: str, **more: str) -> Iterator[Running]:
    """A service for the length of a block."""
    service = start(url, **more)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
        for pipe in (service.process.stdout, service.process.stderr):
            if pipe:
                pipe.close()
