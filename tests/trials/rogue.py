"""A broker that breaks every rule: packets mutated or unasked for, sizes that are lies, silence, floods.

It is the tests' own broker behind a layer that spoils what it sends. pub and sub must not crash or hang, and their memory stays
bounded. Built with sanitizers they must not give these a reason to report, either."""

import concurrent.futures
import itertools
import os
import random
import select
import socket
import subprocess
import threading
import time
from typing import Iterator

import wire
from layers import Plain
from proxy import Listener, Proxy, Way
from stage import Row, Stage, Tool, wait_until
from wire import Message

NAME = "rogue"
STATUSES = (0, 1, 3, 4, 5, 6, 27)
VERSIONS = ("31", "311", "5")
AT_ONCE = 4


def run(stage: Stage) -> Iterator[Row]:
    for tool in ("pub", "sub"):
        yield mutated(stage, tool)
    for trial in (announced, never_read, blocked_stdout, blocked_stderr):
        yield trial(stage)
        stage.end_tools()


class Spoiling(Plain):
    """Spoils some of the packets that go through it, and says which."""

    def __init__(self, chance: random.Random, version: str, log: list[str]) -> None:
        super().__init__()
        self.chance, self.is_5, self.log = chance, version == "5", log

    def send(self, data: bytes) -> None:
        if self.chance.random() < 0.05:
            mutation = self.chance.choice(MUTATIONS)
            spoilt = mutation(self, data)
            self.log.append(f"{mutation.__name__[1:]} {data[:40].hex()} {spoilt[:80].hex()}")
            data = spoilt
        super().send(data)

    # Mutations

    def _bits(self, data: bytes) -> bytes:
        spoilt = bytearray(data)
        for _ in range(self.chance.choice((1, 1, 2, 8))):
            spoilt[self.chance.randrange(len(spoilt))] ^= 1 << self.chance.randrange(8)
        return bytes(spoilt)

    def _body(self, data: bytes) -> tuple[int, bytes]:
        return next(wire.split(bytearray(data)))

    def _length(self, data: bytes) -> bytes:
        first, body = self._body(data)
        said = max(0, len(body) + self.chance.choice((-3, -2, -1, 1, 2, 200, 1 << 20)))
        return bytes((first,)) + self.chance.choice((wire.length(said), b"\xff\xff\xff\xff\x01", b"\x80\x80\x80\x00")) + body

    def _shorter(self, data: bytes) -> bytes:
        """Codes or fields missing, in a packet that is whole by its length."""
        first, body = self._body(data)
        return wire.packet(first, body[:self.chance.randrange(len(body) + 1)])

    def _longer(self, data: bytes) -> bytes:
        first, body = self._body(data)
        return wire.packet(first, body, self.chance.randbytes(self.chance.choice((1, 2, 5, 1000))))

    def _flags(self, data: bytes) -> bytes:
        return bytes((data[0] ^ self.chance.randrange(1, 16),)) + data[1:]

    def _type(self, data: bytes) -> bytes:
        return bytes((data[0] & 15 | self.chance.randrange(16) << 4,)) + data[1:]

    def _packet_id(self, data: bytes) -> bytes:
        """Another packet id, or another type with the same one."""
        first, body = self._body(data)
        if first >> 4 == wire.PUBLISH:
            at = 2 + int.from_bytes(body[:2], "big")
            other = self.chance.choice((b"\0\0", b"\0\1", b"\xff\xff", self.chance.randbytes(2)))
            return wire.packet(first, body[:at], other, body[at + 2:])
        kind = self.chance.choice((wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP, wire.SUBACK, wire.UNSUBACK))
        other = self.chance.choice((body[:2], b"\0\0", b"\0\1", b"\xff\xff"))
        rest = self.chance.randbytes(self.chance.randrange(4))
        return data + wire.packet(kind << 4 | (2 if kind == wire.PUBREL else 0), other, rest)

    def _utf8(self, data: bytes) -> bytes:
        bad = self.chance.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0", b"\xf4\x90\x80\x80", b"\xe2\x80"))
        first, body = self._body(data)
        if first >> 4 == wire.PUBLISH:
            size = int.from_bytes(body[:2], "big")
            return wire.packet(first, wire.text(bad + body[2:2 + size]), body[2 + size:])
        return wire.packet(first, body[:2], wire.length(len(bad) + 3) + b"\x1f" + wire.text(bad), body[2:])

    def _properties(self, data: bytes) -> bytes:
        """Properties that stand there twice, that the packet may not have, or whose length lies."""
        one = self.chance.choice((b"\x21\0\0", b"\x1f\0\3abc", b"\x26\0\1a\0\1b", b"\x0b\x00", b"\x23\xff\xff", b"\x7e\1",
                                  b"\x13\0\1", b"\x01\2", b"\x11\0\0\0\1", b"\x1f\xff\xffabc"))
        block = one * self.chance.choice((1, 2, 40))
        block = wire.length(len(block) + self.chance.choice((0, 0, 1, -1))) + block
        first, body = self._body(data)
        if first >> 4 == wire.PUBLISH:
            at = 2 + int.from_bytes(body[:2], "big") + (2 if first & 6 else 0)
            return wire.packet(first, body[:at], block, body[at + 1:])
        at = min(2, len(body))
        has_reason = first >> 4 not in (wire.CONNACK, wire.SUBACK, wire.UNSUBACK)
        reason = self.chance.choice((b"\0", b"\x80", b"\x97")) if has_reason else b""
        return wire.packet(first, body[:at], reason, block, body[at:])

    def _codes(self, data: bytes) -> bytes:
        """A reason code that the packet may not have, or that is a refusal."""
        first, body = self._body(data)
        return wire.packet(first, body[:2], self.chance.choice((b"", b"\x80", b"\x87", b"\xff", b"\x03", b"\0\0\0\0")))

    def _unasked(self, data: bytes) -> bytes:
        rest = self.chance.randbytes(self.chance.choice((0, 1, 2, 3, 4, 20)))
        return data + wire.packet(self.chance.randrange(256), rest)

    def _twice(self, data: bytes) -> bytes:
        return data + data

    def _nothing(self, _: bytes) -> bytes:
        return b""


MUTATIONS = [method for name, method in vars(Spoiling).items() if name.startswith("_") and name not in ("__init__", "_body")
             and callable(method)]


def mutated(stage: Stage, tool: str) -> Row:
    """Several runs at a time, which mostly wait, each with a broker of its own and another seed."""
    seconds = 6 if stage.short else 60
    deadline = time.monotonic() + seconds
    numbers = itertools.count()

    def lane(_: int) -> list[tuple[list[str], int, float]]:
        found = []
        while time.monotonic() < deadline:
            found.append(_one_run(stage, tool, f"{tool}/{next(numbers)}"))
        return found

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = [result for found in pool.map(lane, range(AT_ONCE)) for result in found]
    runs, faults = len(results), [fault for found, _, _ in results for fault in found]
    spoilt, peak = sum(count for _, count, _ in results), max(most for _, _, most in results)
    bound = 600 if stage.sanitized else 100
    if peak > bound:
        faults.append(f"a run took {peak:.0f} MB")
    return Row(NAME, f"mutated packets, {tool}", f"{runs} runs, {spoilt:,} packets spoilt, {seconds} s; at most {peak:.0f} MB",
               tuple(faults[:10]))


def _one_run(stage: Stage, tool: str, number: str) -> tuple[list[str], int, float]:
    """What it did wrong, how many packets were spoilt, and the most memory that it had."""
    chance = stage.random(NAME, number)
    version = chance.choice(VERSIONS)
    log: list[str] = []
    here = stage.broker_here()
    here.broker.layer = lambda: Spoiling(chance, version, log)
    state = here.broker.state
    state.begin(b"kept", True)
    for qos in (0, 1, 2):
        state.subscribe(b"kept", b"torture/%d" % qos, qos)
    for at in range(300):
        qos = chance.randrange(1, 3)
        properties = chance.choice((b"", b"\x26\0\1a\0\1b", b"\x03\0\3txt")) if version == "5" else b""
        state.publish(Message(b"torture/%d" % qos, chance.randbytes(chance.choice((0, 10, 2000))), qos, False, properties))
    qos = chance.randrange(3)
    words = ["-V", version, "-q", qos, "-c", "-i", "kept", "--reconnect-max-delay", 0.05, "-k", chance.choice((1, 60)),
             *chance.choice(([], [], ["-d"]))]
    if tool == "pub":
        words += ["-t", "torture/x", "-m", "x" * 50, "--repeat", 2000, "-W", 0.5, "--reconnect-for", 0.5,
                  *chance.choice(([], ["--stamp", "--report"], ["--on-refused", "skip"], ["--rate", 2000]))]
    else:
        words += ["-t", "torture/#", *chance.choice((["-t", "a/+"], [])), "-W", 0.5,
                  *chance.choice(([], ["--json"], ["-v"], ["--verify"], ["-F", "%j"], ["--stamped", "--hex"],
                                  ["--message-rate"]))]
    with here:
        started = stage.tool(tool, here.port, *words)
        wait_until(lambda: here.broker.accepted or started.ended())
        status = started.wait(2)
        faults = []
        if status is None:
            begun = time.monotonic()
            if (status := started.stop(5)) is None:
                faults.append(f"seed {stage.seed}, run {number}: {started.label}: does not end by SIGTERM")
            elif time.monotonic() - begun > (5 if stage.sanitized else 1.5):
                faults.append(f"seed {stage.seed}, run {number}: {started.label}: took {time.monotonic() - begun:.1f} s to end")
    if status is not None and status not in STATUSES:
        faults.append(f"seed {stage.seed}, run {number}: {started.label}: status {status}: {started.last_word()}; "
                      f"the last spoilt: {log[-1:]}")
    if started.complaint():
        faults.append(f"seed {stage.seed}, run {number}: {started.label}: {started.complaint()}")
    peak = started.peak
    for file in (started.out_file, started.err_file):
        file.unlink()
    stage.tools.remove(started)
    return faults, len(log), peak


# What a broker can do without breaking a packet.


class Feeder(Listener):
    """A broker for one client that answers CONNECT and SUBSCRIBE, and then does what `then` says with the socket."""

    def __init__(self, then) -> None:
        super().__init__()
        self.then, self.sent = then, 0

    def _serve(self) -> None:
        try:
            client = self.accept()
            received = bytearray()
            while not self.stopping.is_set():
                data = client.recv(4096)
                if not data:
                    return
                received += data
                for first, body in list(wire.split(received)):
                    if first >> 4 == wire.CONNECT:
                        client.sendall(wire.packet(wire.CONNACK << 4, b"\0\0"))
                    elif first >> 4 == wire.SUBSCRIBE:
                        client.sendall(wire.packet(wire.SUBACK << 4, body[:2], b"\1"))
                        self.then(self, client)
                        return
        except OSError:
            pass

    def accept(self) -> socket.socket:
        while not select.select([self.listener], [], [], 0.1)[0]:
            if self.stopping.is_set():
                raise OSError("nobody came")
        return self.listener.accept()[0]

    def send(self, client: socket.socket, data: bytes) -> bool:
        """Sends all of it, as far as the client takes it; False once the trial is over."""
        view = memoryview(data)
        while view and not self.stopping.is_set():
            if select.select([], [client], [], 0.1)[1]:
                count = client.send(view[:1 << 16])
                self.sent += count
                view = view[count:]
        return not self.stopping.is_set()


def _held(stage: Stage, tool: Tool, name: str, figures: str, limit_mb: float, faults: list[str]) -> Row:
    """What all of these end with: memory, CPU at rest, and SIGTERM."""
    peak = tool.memory("VmHWM")
    if peak > limit_mb * (5 if stage.sanitized else 1):
        faults.append(f"took {peak:.0f} MB")
    begun = time.monotonic()
    status = tool.stop(10)
    seconds = time.monotonic() - begun
    if status is None or seconds > (5 if stage.sanitized else 1.5):
        faults.append(f"SIGTERM took {seconds:.1f} s")
    elif status < 0 or tool.complaint():
        faults.append(f"status {status}: {tool.complaint() or tool.last_word()}")
    return Row(NAME, name, f"{figures}; at most {peak:.0f} MB, ended in {seconds:.1f} s with status {status}", tuple(faults))


def announced(stage: Stage) -> Row:
    def slowly(feeder: Feeder, client: socket.socket) -> None:
        feeder.send(client, bytes((wire.PUBLISH << 4,)) + wire.length((1 << 28) - 1) + wire.text(b"a"))
        while feeder.send(client, b"x" * 50_000):
            time.sleep(0.05)

    with Feeder(slowly) as feeder:
        tool = stage.tool("sub", feeder.port, "-t", "a")
        wait_until(lambda: feeder.sent or tool.ended())
        time.sleep(2 if stage.short else 5)
        sent = feeder.sent
        return _held(stage, tool, "a packet announced with 256 MB, sent slowly", f"{sent / 1e6:.1f} MB of it sent",
                     20 + 4 * sent / 1e6, [])


def never_read(stage: Stage) -> Row:
    case = "acknowledgements to a broker that never reads"

    def flood(feeder: Feeder, client: socket.socket) -> None:
        block = b"".join(wire.publish(Message(b"a", b"x" * 20, 1), number, wire.V311) for number in range(1, 20001))
        while feeder.send(client, block):
            pass

    with Feeder(flood) as feeder:
        tool = stage.tool("sub", feeder.port, "-t", "a", "-q", 1, "-k", 4, "--no-reconnect", stdout=subprocess.DEVNULL)
        wait_until(lambda: feeder.sent or tool.ended())
        ended = wait_until(tool.ended, 4 if stage.short else 12, 0.1)
        if ended:
            figures = f"{feeder.sent / 27e6:.1f} million messages; given up: {tool.last_word()}"
            peak = tool.peak
            faults = [f"took {peak:.0f} MB"] if peak > 64 * (5 if stage.sanitized else 1) else []
            if tool.status != 3:
                faults.append(f"status {tool.status}: {tool.last_word()}")
            return Row(NAME, case, f"{figures}; at most {peak:.0f} MB", tuple(faults))
        return _held(stage, tool, case, f"{feeder.sent / 27e6:.1f} million messages", 64, [])


def blocked_stdout(stage: Stage) -> Row:
    def flood(feeder: Feeder, client: socket.socket) -> None:
        block = wire.publish(Message(b"a", b"x" * 1000, 0), 0, wire.V311) * 1000
        while feeder.send(client, block):
            pass

    end, tools_end = os.pipe()
    with Feeder(flood) as feeder:
        tool = stage.tool("sub", feeder.port, "-t", "a", stdout=tools_end)
        os.close(tools_end)
        wait_until(lambda: feeder.sent or tool.ended())
        time.sleep(2)
        before, sent = tool.cpu(), feeder.sent
        time.sleep(1)
        spent = tool.cpu() - before
        faults = [f"{spent:.2f} s of CPU in a second without a reader"] if spent > 0.2 else []
        if feeder.sent != sent:
            faults.append(f"took {feeder.sent - sent:,} more bytes without a reader")
        row = _held(stage, tool, "a flood, and a stdout that nobody reads", f"{sent / 1e6:.1f} MB taken, then none", 64, faults)
    os.close(end)
    return row


def blocked_stderr(stage: Stage) -> Row:
    """-d whose lines nobody reads: messages go on, and the lines that were dropped are counted."""
    messages, case = 3000, "-d with a stderr that nobody reads, and a lost connection"
    end, tools_end = os.pipe()
    here = stage.broker_here()
    here.broker.state.begin(b"kept", True)
    here.broker.state.subscribe(b"kept", b"a", 1)
    for number in range(messages):
        here.broker.state.publish(Message(b"a", b"%d" % number, 1))
    said = bytearray()
    reader = threading.Thread(target=lambda: said.extend(b"".join(iter(lambda: os.read(end, 65536), b""))), daemon=True)
    # In the middle the connection is lost: what is noted of that has no reader, either.
    with here, Proxy(here.port, lambda number: Way(cut_after=20_000 if number == 0 else None)) as proxy:
        tool = stage.tool("sub", proxy.port, "-d", "-c", "-i", "kept", "-t", "a", "-q", 1, "-k", 2,
                          "--reconnect-max-delay", 0.1, stderr=tools_end)
        os.close(tools_end)
        wait_until(lambda: len(set(tool.out().split())) == messages, pause=0.1)
        arrived = len(set(tool.out().split()))
        reader.start()
        row = _held(stage, tool, case, f"{arrived:,} messages", 64, [])
    reader.join(5)
    left_out = [line for line in bytes(said).decode(errors="replace").splitlines() if "left out" in line]
    faults = list(row.faults)
    if arrived < messages:
        faults.append(f"{arrived:,} of {messages:,} messages came")
    if not left_out:
        faults.append("no line says how many were left out")
    return Row(NAME, case, f"{row.figures}; {len(left_out)} lines say what was left out", tuple(faults))
