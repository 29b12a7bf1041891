"""What is short, gone or odd around a tool: disks, descriptors, memory, FIFOs, signals, clocks, sizes.

The tool says so in a clean sentence and ends with the right status; what it had acknowledged is printed, and what it had not
is still at the broker."""

import json
import os
import signal
import subprocess
import time
from typing import Iterator

from reference_broker import Here
from stage import Row, Stage, Tool, wait_until
from wire import Message

NAME = "resources"
MOST_ON_STDERR = 4000  # bytes of what is a clean sentence
LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")


class Case:
    """Collects what a case finds."""

    def __init__(self, name: str) -> None:
        self.name, self.faults, self.figures = name, [], []

    def expect(self, holds: object, fault: str) -> None:
        if not holds:
            self.faults.append(fault)

    def row(self) -> Row:
        return Row(NAME, self.name, "; ".join(self.figures), tuple(self.faults))

    def ended(self, tool: Tool, *statuses: int, limit: float = 15, word: str = "") -> int | None:
        """Its status must be one of these, and its words few and clean."""
        status = tool.wait(limit)
        said = f"{tool.label}: status {status}: {tool.last_word()}"
        if status is None:
            tool.kill()
            tool.wait()
            self.faults.append(f"has not ended after {limit:.0f} s: {said}")
        elif status not in statuses:
            self.faults.append(said)
        elif word not in tool.err():
            self.faults.append(f'not a word of "{word}": {said}')
        if tool.complaint():
            self.faults.append(f"{said}: {tool.complaint()}")
        if len(tool.err()) > MOST_ON_STDERR:
            self.faults.append(f"{len(tool.err()):,} bytes on stderr: {said[:200]}")
        return status


def run(stage: Stage) -> Iterator[Row]:
    for trial in (full_disk, small_disk, closed_descriptors, odd_outputs, few_descriptors, little_memory, fifos, stopped,
                  clock_jumps, many_filters, long_topics, great_payload):
        case = Case(trial.__doc__.rstrip("."))
        trial(stage, case)
        yield case.row()
        stage.end_tools()


def waiting(stage: Stage, messages: int, size: int, **how: object) -> Here:
    """A broker with a kept session `kept`, for which that many messages of QoS 1 wait."""
    here = stage.broker_here(**how)
    here.broker.state.begin(b"kept", True)
    here.broker.state.subscribe(b"kept", b"torture/#", 1)
    for number in range(1, messages + 1):
        here.broker.state.publish(Message(b"torture/a", b"%d " % number + b"x" * size, 1))
    return here


def left(here: Here) -> list[int]:
    """The numbers of what the broker still has for that session."""
    session = here.broker.state.sessions[b"kept"]
    return [int(message.payload.split()[0]) for message in [*(one for one, _ in session.in_flight.values()), *session.queue]]


KEPT = ("-c", "-i", "kept", "-t", "torture/#", "-q", 1)


def full_disk(stage: Stage, case: Case) -> None:
    """A full disk: stdout, --record, --report."""
    for words, out in ((KEPT, "/dev/full"), ((*KEPT, "--record", "/dev/full"), "/dev/null")):
        with waiting(stage, 500, 100) as here, open(out, "wb") as stdout:
            case.ended(stage.tool("sub", here.port, *words, stdout=stdout), 1, word="o space left")
            time.sleep(0.2)  # what was sent on the way out arrives
            missing = 500 - len(left(here))
        case.expect(missing == 0, f"{' '.join(map(str, words[7:]))} > {out}: acknowledged {missing} messages that are nowhere")
        case.figures.append(f"> {out} {' '.join(map(str, words[7:]))}: {missing} gone")
    with stage.broker_here() as here, open("/dev/full", "wb") as full:
        case.ended(stage.tool("pub", here.port, "-t", "a", "-m", "x", "--report", stdout=full), 1, word="o space left")
        case.ended(stage.tool("pub", here.port, "-t", "a", "-m", "x", "-v", stdout=full), 1, word="o space left")


def small_disk(stage: Stage, case: Case) -> None:
    """A disk that becomes full, for stdout and --record."""
    folder = stage.folder / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        case.figures.append("no small tmpfs can be mounted here: not tried")
        return
    try:
        for name in ("stdout", "--record"):
            file = folder / "file"
            with waiting(stage, 2000, 100) as here, open(file if name == "stdout" else "/dev/null", "wb") as stdout:
                more = ["--record", file] if name == "--record" else ["-F", "%p"]
                case.ended(stage.tool("sub", here.port, *KEPT, *more, stdout=stdout), 1, word="o space left")
                time.sleep(0.2)
                there = left(here)
            lines = file.read_bytes().split(b"\n")[:-1]
            if name == "--record":
                printed = {int(json.loads(line)["payload"].split()[0]) for line in lines}
            else:
                printed = {int(line.split()[0]) for line in lines}
            never = set(range(1, 2001)) - printed - set(there)
            case.expect(not never, f"{name}: {len(never)} messages are neither in the file nor at the broker")
            case.figures.append(f"{name}: {len(printed)} in the file, {len(there)} at the broker, {len(never)} nowhere")
            file.unlink()
    finally:
        subprocess.run(["umount", folder], check=True)


def closed_descriptors(stage: Stage, case: Case) -> None:
    """Closed descriptors 0, 1 and 2, in all combinations."""
    runs = 0
    for bits in range(8):
        closed = [number for number in range(3) if bits >> number & 1]
        around = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
        for tool, words, wants in (("sub", ("-t", "torture/#", "-C", 1, "-W", 10), 1),
                                   ("pub", ("-t", "torture/b", "-m", "x", "-q", 1), None),
                                   ("pub", ("-t", "torture/b", "-l", "-q", 1), 0)):
            with stage.broker_here() as here:
                here.broker.state.retained[b"torture/a"] = Message(b"torture/a", b"there", 1, True)
                started = stage.tool(tool, here.port, *words, around=around)
                case.ended(started, 1 if wants in closed else 0)
                complaints = here.broker.complaints
            case.expect(not complaints, f"{tool} with {closed} closed wrote what is not MQTT to the broker: {complaints}")
            if tool == "sub" and 1 not in closed:
                case.expect(started.out() == b"there\n", f"sub with {closed} closed printed {started.out()!r}")
            runs += 1
    case.figures.append(f"{runs} runs")


def odd_outputs(stage: Stage, case: Case) -> None:
    """Outputs that cannot be written, inputs that cannot be read."""
    with stage.broker_here() as here:
        here.broker.state.retained[b"torture/a"] = Message(b"torture/a", b"there", 1, True)
        with open("/dev/null", "rb") as read_only:
            case.ended(stage.tool("sub", here.port, "-t", "#", "-C", 1, stdout=read_only), 1, word="ad file descriptor")
        for words in (("--record", "/proc/version"), ("--record", stage.folder), ("--record", stage.folder / "no" / "file")):
            case.ended(stage.tool("sub", here.port, "-t", "#", "-C", 1, *words), 1, 2, word=str(words[1]))
        for words in (("-f", stage.folder), ("-f", stage.folder / "none"), ("--replay", stage.folder / "none"),
                      ("--replay", "/proc/version"), ("-t", "a", "-m", "x", "--password-file", stage.folder / "none")):
            case.ended(stage.tool("pub", here.port, *(() if words[0] in ("--replay", "-t") else ("-t", "a")), *words), 1, 2)
    case.figures.append("9 runs")


def few_descriptors(stage: Stage, case: Case) -> None:
    """RLIMIT_NOFILE from 3 to 16."""
    found = {}
    for limit in range(3, 9 if stage.short else 17):
        with stage.broker_here() as here:
            for tool, words in (("pub", ("-t", "a", "-m", "x", "-q", 1)), ("sub", ("-t", "a", "-E"))):
                status = case.ended(started := stage.tool(tool, here.port, *words, around=f"ulimit -n {limit};"), 0, 1, 127)
                case.expect("is it an MQTT broker" not in started.err(), f"{tool} at {limit} descriptors blames the broker")
                case.expect(status == 0 or started.err(), f"{tool} at {limit} descriptors: status {status} and not a word")
                found.setdefault((tool, status), limit)
    case.figures.append(", ".join(f"{tool}: status {status} from {limit}" for (tool, status), limit in found.items()))


def little_memory(stage: Stage, case: Case) -> None:
    """RLIMIT_AS: at the start, and with a message of 60 MB."""
    if stage.sanitized:
        case.figures.append("a sanitizer maps more than any limit here allows: not tried")
        return
    works = {}
    with stage.broker_here() as here:
        here.broker.state.retained[b"great"] = Message(b"great", b"x" * 60_000_000, 1, True)
        step = 6 if stage.short else 1
        for limit in (*range(12_000, 52_000, step * 1000), *range(60_000, 320_000, step * 20_000)):
            for tool, words in (("pub", ("-t", "a", "-m", "x", "-q", 1, "-W", 3, "--no-reconnect")),
                                ("sub", ("-t", "great", "-q", 1, "-C", 1, "-N", "--no-reconnect"))):
                started = stage.tool(tool, here.port, *words, around=f"ulimit -v {limit};", stdout=subprocess.DEVNULL)
                status = case.ended(started, 0, 1, 127, limit=20)
                case.expect(status == 0 or started.err(), f"{tool} with {limit} KB: status {status} and not a word")
                case.expect("is it an MQTT broker" not in started.err(), f"{tool} with {limit} KB blames the broker")
                if status == 0:
                    works.setdefault(tool, limit)
    case.figures.append(", ".join(f"{tool} works from {limit // 1000} MB" for tool, limit in works.items()))


def fifos(stage: Stage, case: Case) -> None:
    """FIFOs without the other end: SIGTERM ends the tool."""
    fifo = stage.folder / "fifo"
    os.mkfifo(fifo)
    with stage.broker_here() as here:
        tools = [stage.tool("sub", here.port, "-t", "a", "--record", fifo), stage.tool("pub", here.port, "-t", "a", "-f", fifo),
                 stage.tool("pub", here.port, "--replay", fifo), stage.tool("sub", here.port, "-t", "a", "-o", fifo),
                 stage.tool("pub", here.port, "-t", "a", "-m", "x", "-u", "u", "--password-file", fifo)]
        time.sleep(0.5)
        for tool in tools:
            begun = time.monotonic()
            tool.kill(signal.SIGTERM)
            status = tool.wait(5)
            name = tool.label
            case.expect(status is not None, f"{name} does not end by SIGTERM")
            case.expect(status in (None, 0, 1, 2, 3, -signal.SIGTERM, 143), f"{name}: status {status}: {tool.last_word()}")
            case.expect(time.monotonic() - begun < 2, f"{name} took {time.monotonic() - begun:.1f} s to end")
    case.figures.append(f"{len(tools)} runs")


def stopped(stage: Stage, case: Case) -> None:
    """SIGSTOP for more than two keep alives, and SIGCONT."""
    rate, messages = 100, 700
    with stage.broker_here() as here:
        listener = stage.tool("sub", here.port, *KEPT, "-k", 1, "-F", "%p")
        wait_until(lambda: "subscribed to" in listener.err())
        publisher = stage.tool("pub", here.port, "-t", "torture/a", "--template", "%{seq}", "-q", 1, "-k", 1, "--rate", rate,
                               "--repeat", messages, "-c", "-i", "pub")
        wait_until(lambda: listener.out().count(b"\n") > rate)
        for tool in (publisher, listener):
            tool.kill(signal.SIGSTOP)
            time.sleep(2.5)
            tool.kill(signal.SIGCONT)
        case.ended(publisher, 0, limit=60)
        wait_until(lambda: len(set(listener.out().split())) >= messages, 10, 0.1)
        case.expect(listener.stop() == 0, f"sub: {listener.last_word()}")
    never = messages - len(set(listener.out().split()))
    case.expect(never == 0, f"{never} messages were lost")
    case.figures.append(f"{messages} messages, {never} lost; CPU of pub {publisher.cpu():.2f} s, of sub {listener.cpu():.2f} s")


def clock_jumps(stage: Stage, case: Case) -> None:
    """The system's clock jumps an hour ahead and two back."""
    library = next((one for one in LIBRARIES if os.path.exists(one)), None)
    if not library or stage.sanitized:
        case.figures.append("libfaketime is not installed: not tried" if not library else "not with sanitizers")
        return
    offset = stage.folder / "offset"
    offset.write_text("+0\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MQTT_")} | {
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    rate = 100
    with stage.broker_here() as here:
        listener = stage.tool("sub", here.port, *KEPT, "-k", 2, "-F", "%p", env=environment)
        wait_until(lambda: "subscribed to" in listener.err())
        publisher = stage.tool("pub", here.port, "-t", "torture/a", "--template", "%{seq}", "-q", 1, "-k", 2, "--rate", rate,
                               "--repeat", rate * 6, env=environment)
        begun = time.monotonic()
        for jump in ("+3600\n", "-7200\n", "+0\n"):
            time.sleep(1.5)
            offset.write_text(jump)
        case.ended(publisher, 0, limit=20)
        seconds = time.monotonic() - begun
        wait_until(lambda: len(listener.out().split()) >= rate * 6, 10, 0.1)
        case.expect(listener.stop() == 0, f"sub: {listener.last_word()}")
    never = rate * 6 - len(set(listener.out().split()))
    case.expect(never == 0, f"{never} messages were lost")
    case.expect(4 < seconds < 9, f"600 messages at 100 a second took {seconds:.1f} s")
    case.figures.append(f"{rate * 6} messages in {seconds:.1f} s, {never} lost")


def many_filters(stage: Stage, case: Case) -> None:
    """10,000 topic filters."""
    options = stage.folder / "filters"
    options.write_text("".join(f"topic = many/{number}\n" for number in range(10_000)))
    with stage.broker_here() as here:
        here.broker.state.retained[b"many/9999"] = Message(b"many/9999", b"there", 1, True)
        listener = stage.tool("sub", here.port, "-o", options, "-C", 1, "-W", 20)
        case.ended(listener, 0, limit=30)
        case.expect(listener.out() == b"there\n", f"printed {listener.out()[:100]!r}")
    case.figures.append(f"{len(listener.err()):,} bytes on stderr, {listener.cpu():.2f} s of CPU")


def long_topics(stage: Stage, case: Case) -> None:
    """Topics of 65,535 bytes, and of one more."""
    longest = "t" * 65535
    with stage.broker_here() as here:
        listener = stage.tool("sub", here.port, "-t", longest, "-C", 1, "-F", "%t", "-q", 1)
        wait_until(lambda: "subscribed" in listener.err() or listener.ended())
        case.ended(stage.tool("pub", here.port, "-t", longest, "-m", "x", "-q", 1), 0)
        case.ended(listener, 0)
        case.expect(listener.out() == longest.encode() + b"\n", f"printed {len(listener.out())} bytes")
        for tool in ("pub", "sub"):
            case.ended(stage.tool(tool, here.port, "-t", longest + "t", *(("-m", "x") if tool == "pub" else ())), 2)
    case.figures.append("4 runs")


def great_payload(stage: Stage, case: Case) -> None:
    """A payload of 256 MB, and of a byte more than a packet may hold."""
    size = (1 << (25 if stage.short else 28)) - 100
    file = stage.folder / "great"
    with file.open("wb") as great:
        great.truncate(size)
    with stage.broker_here() as here:
        taken = stage.folder / "taken"
        with taken.open("wb") as stdout:
            listener = stage.tool("sub", here.port, "-t", "great", "-q", 1, "-C", 1, "-N", stdout=stdout)
        wait_until(lambda: "subscribed to" in listener.err())
        publisher = stage.tool("pub", here.port, "-t", "great", "-f", file, "-q", 1, "-W", 60)
        case.ended(publisher, 0, limit=120)
        case.ended(listener, 0, limit=120)
        case.expect(taken.stat().st_size == size, f"{taken.stat().st_size:,} of {size:,} bytes came")
        with file.open("wb") as great:
            great.truncate(1 << 28)
        case.ended(stage.tool("pub", here.port, "-t", "great", "-f", file, "-q", 1), 1, 2, 5, limit=60)
    for tool, times in ((publisher, 4.5), (listener, 4.5)):
        peak = tool.peak
        name = tool.label.split()[0]
        case.figures.append(f"{name} peaks at {peak:,.0f} MB for {size / 1e6:,.0f} MB")
        case.expect(peak < times * size / 1e6 + 100, f"{name} needs {peak:,.0f} MB")
    file.unlink()
    taken.unlink()
