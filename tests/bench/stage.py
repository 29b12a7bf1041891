"""What a client is measured on: the ends that gauge plays, a Mosquitto, files of lines. All of it is ended by its id."""

import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE = 15  # seconds without anything, where something is to come


class Failed(Exception):
    """A measurement that gave no number; the sentence says why."""


class Gauge:
    """A gauge that works beside a client. It is of a group of its own, so that it can be ended with what it has started."""

    def __init__(self, gauge: pathlib.Path, *words: object, stdin: object = subprocess.DEVNULL) -> None:
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([gauge, *map(str, words)], stdin=stdin, stdout=subprocess.PIPE, stderr=self.errors,
                                        start_new_session=True)
        self.bytes = b""

    def __enter__(self) -> "Gauge":
        return self

    def __exit__(self, *_) -> None:
        # Whether it has ended or not, something that it has started may live on; its id is its own until it is waited for.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def line(self, patience: float = PATIENCE) -> dict | list:
        """The next line that it prints: JSON."""
        deadline = time.monotonic() + patience
        while b"\n" not in self.bytes:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Failed("nothing came any more")
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                raise Failed(self.complaint() or "gauge ended and said nothing")
            self.bytes += more
        line, _, self.bytes = self.bytes.partition(b"\n")
        return json.loads(line)

    def complaint(self) -> str:
        """The last that was said on stderr, by it or by the client that it has started."""
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(said) if line), "")


class Broker:
    """A Mosquitto without limits on a port of loopback that nobody had. Its log says who has subscribed."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.log = pathlib.Path(self.folder.name) / "log"

    def __enter__(self) -> "Broker":
        for _ in range(10):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            conf = pathlib.Path(self.folder.name) / "mosquitto.conf"
            conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
                            "max_inflight_messages 0\nlog_dest stderr\nlog_type subscribe\n")
            path = os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin"
            with self.log.open("w") as log:
                self.process = subprocess.Popen(["mosquitto", "-c", conf], env=os.environ | {"PATH": path},
                                                stdout=subprocess.DEVNULL, stderr=log)
            if self.answers():
                return self
            self.process.kill()
            self.process.wait()
        raise Failed("Mosquitto did not start")

    def answers(self) -> bool:
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.02)
        return False

    def wait_for_subscription(self, topic: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while f" {topic}\n" not in self.log.read_text(errors="replace"):
            if time.monotonic() > deadline:
                raise Failed("the client did not subscribe")
            time.sleep(0.005)

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


class Stage:
    """All that a run of the benchmark has in common."""

    def __init__(self, gauge: pathlib.Path, limit: int) -> None:
        self.gauge_file = gauge
        self.limit = limit  # seconds for one run of one client
        self.folder = tempfile.TemporaryDirectory()
        self.topics = 0
        self.broker: Broker | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_) -> None:
        if self.broker:
            self.broker.__exit__()
        self.folder.cleanup()

    def gauge(self, *words: object, stdin: object = subprocess.DEVNULL) -> Gauge:
        return Gauge(self.gauge_file, *words, stdin=stdin)

    def own_broker(self) -> Broker:
        """One for all rows that want one, begun with the first."""
        if not self.broker:
            self.broker = Broker().__enter__()
        return self.broker

    def topic(self) -> str:
        """Another one for each run, so that none hears of the one before."""
        self.topics += 1
        return f"bench/{self.topics}"

    def lines(self, count: int, size: int) -> pathlib.Path:
        """A file of so many lines, for stdin. Only the latest is kept."""
        file = pathlib.Path(self.folder.name) / f"{count}-{size}"
        if not file.exists():
            for old in file.parent.iterdir():
                old.unlink()
            with file.open("wb") as out:
                subprocess.run([self.gauge_file, "lines", "--count", str(count), "--size", str(size)], stdout=out, check=True)
        return file
