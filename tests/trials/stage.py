"""What a trial works with: the tools, brokers that can be killed, certificates. All of it is ended by its id."""

import dataclasses
import itertools
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from typing import Callable

import reference_broker
from layers import Plain, Tls, WebSocket
from reference_broker import listen

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60  # seconds, where something is sure to come
TICKS = os.sysconf("SC_CLK_TCK")
SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer", "stack smashing",
                   "terminate called")


_numbers = itertools.count(1)  # of the files in the folder


class Failed(Exception):
    """A trial that could not go on; the sentence says why."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table."""
    trial: str
    case: str
    figures: str
    faults: tuple[str, ...] = ()  # none: it held

    @property
    def held(self) -> bool:
        return not self.faults


class Tool:
    """A run of pub or sub. What it prints goes to files, unless the trial wants a pipe."""

    def __init__(self, label: str, words: list[str], folder: pathlib.Path, **how: object) -> None:
        self.label = label  # for sentences
        number = next(_numbers)
        self.out_file, self.err_file = folder / f"{number}.out", folder / f"{number}.err"
        with self.out_file.open("wb") as out, self.err_file.open("wb") as err:
            how = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err} | how
            self.process = subprocess.Popen(words, **how)
        self.pid = self.process.pid
        self.status: int | None = None
        self.usage = None
        self.peak = 0.0  # MB; what the system remembers begins with this process's own, from before exec

    def ended(self) -> bool:
        if self.status is None:
            self.peak = max(self.peak, self.memory("VmHWM"))
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.usage = usage
                self.status = self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self, limit: float = PATIENCE) -> int | None:
        """Its status; None where it is still there after so long."""
        wait_until(self.ended, limit, 0.002)
        return self.status

    def kill(self, by: int = signal.SIGKILL) -> None:
        if not self.ended():
            os.kill(self.pid, by)

    def stop(self, limit: float = PATIENCE) -> int | None:
        """Its status after SIGTERM; one that does not end is killed, and has none."""
        self.kill(signal.SIGTERM)
        status = self.wait(limit)
        if status is None:
            self.kill()
            self.wait()
        return status

    def out(self) -> bytes:
        return self.out_file.read_bytes()

    def err(self) -> str:
        return self.err_file.read_text(errors="replace")

    def last_word(self) -> str:
        lines = [line for line in self.err().splitlines() if line]
        return lines[-1][:200] if lines else "nothing on stderr"

    def complaint(self) -> str | None:
        """What a sanitizer or the C++ library has said of a fault in the program."""
        return next((line for line in self.err().splitlines() if any(word in line for word in SANITIZER_WORDS)), None)

    def cpu(self) -> float:
        """Seconds until now, or of all of it."""
        if self.usage:
            return self.usage.ru_utime + self.usage.ru_stime
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, name: str = "VmRSS") -> float:
        """In MB: VmRSS is now, VmHWM the most until now."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        return 0.0  # it has just ended

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class Lines:
    """How many a tool has printed until now."""

    def __init__(self, tool: Tool) -> None:
        self.file, self.lines = tool.out_file.open("rb"), 0

    def count(self) -> int:
        while piece := self.file.read(1 << 20):
            self.lines += piece.count(b"\n")
        return self.lines


def wait_until(condition: Callable[[], object], limit: float = PATIENCE, pause: float = 0.01) -> bool:
    """Whether it came true within so long."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def free_port() -> int:
    with listen() as listener:
        return listener.getsockname()[1]


class KillableBroker:
    """A broker as a process of its own on a port that stays the same: it can be killed and started again."""

    port: int
    name: str

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin"})
        if not wait_until(lambda: self.process.poll() is not None or self._answers()) or self.process.poll() is not None:
            self.kill()
            raise Failed(f"{self.name} did not start: {self.log.read_text(errors='replace')[-300:]}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.kill()


class ReferenceBroker(KillableBroker):
    name = "the tests' own"

    def __init__(self, folder: pathlib.Path, window: int = 20) -> None:
        self.port, self.window = free_port(), window
        number = next(_numbers)
        self.journal, self.log = folder / f"{number}.journal", folder / f"{number}.log"

    def command(self) -> list[str]:
        return [sys.executable, str(HERE / "reference_broker.py"), str(self.port), str(self.journal), "--window",
                str(self.window)]


class Mosquitto(KillableBroker):
    """With persistence at each change. `more`: lines of its configuration."""
    name = "Mosquitto"

    def __init__(self, folder: pathlib.Path, more: str = "") -> None:
        self.port = free_port()
        number = next(_numbers)
        self.log = folder / f"{number}.log"
        # It writes all it has at each change, and waits for the disk.
        self.memory = tempfile.TemporaryDirectory(prefix="torture-", dir="/dev/shm" if os.path.isdir("/dev/shm") else folder)
        self.store = pathlib.Path(self.memory.name)
        self.configuration = folder / f"{number}.conf"
        user = "user root\n" if os.getuid() == 0 else ""
        self.configuration.write_text(
            f"{user}listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_dest stderr\n"
            f"persistence true\npersistence_location {self.store}/\nautosave_on_changes true\nautosave_interval 1\n{more}")

    def command(self) -> list[str]:
        return ["mosquitto", "-c", str(self.configuration)]


class Stage:
    """What all trials have in common."""

    def __init__(self, bin_folder: pathlib.Path, seed: int, short: bool, hour: bool) -> None:
        self.bin, self.seed, self.short, self.hour = bin_folder, seed, short, hour
        self.temporary = tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True)
        self.folder = pathlib.Path(self.temporary.name)
        self.tools: list[Tool] = []
        self.sanitized = b"__asan_init" in (bin_folder / "sub").read_bytes()
        self.certificate: pathlib.Path | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_) -> None:
        self.end_tools()
        self.temporary.cleanup()

    def end_tools(self) -> None:
        for tool in self.tools:
            tool.kill()
            tool.wait()
        self.tools.clear()

    def random(self, *of: object) -> random.Random:
        """The same choices for the same seed and words, whatever else runs."""
        return random.Random("/".join(map(str, (self.seed, *of))))

    def tool(self, name: str, port: int, *words: object, transport: str = "tcp", around: str = "", **how: object) -> Tool:
        """pub or sub, started against that port. `around`: by a shell, with redirections or behind a command that ends with
        a semicolon. `how` goes to Popen."""
        command = [str(self.bin / name), "-h", "127.0.0.1", "-p", str(port), *self.transport_words(transport), *map(str, words)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MQTT_")}
        how.setdefault("env", environment)
        if around:
            before, after = (around, "") if around.endswith(";") else ("", around)
            command = ["sh", "-c", f'{before} exec "$@" {after}', *command[:1], *command]
        self.tools.append(Tool(" ".join([name, *map(str, words)])[:100], command, self.folder, **how))
        return self.tools[-1]

    def transport_words(self, transport: str) -> list[str]:
        return {"tcp": [], "tls": ["--cafile", str(self.own_certificate())] if transport == "tls" else [],
                "ws": ["--ws"]}[transport]

    def own_certificate(self) -> pathlib.Path:
        """Of 127.0.0.1, signed by itself, with its key in the same file."""
        if not self.certificate:
            self.certificate = self.folder / "certificate.pem"
            key = self.folder / "key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                            "-out", self.certificate], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with self.certificate.open("a") as file:
                file.write(key.read_text())
        return self.certificate

    def layer(self, transport: str) -> Callable[[], Plain]:
        """The broker's side of it."""
        if transport == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.own_certificate())
            return lambda: Tls(context)
        return {"tcp": Plain, "ws": WebSocket}[transport]

    def broker_here(self, transport: str = "tcp", **how: object) -> reference_broker.Here:
        return reference_broker.Here(layer=self.layer(transport), **how)
