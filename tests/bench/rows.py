"""The rows of the comparison: what is done, by whom, and which figures come of it."""

import dataclasses
import pathlib
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator

from clients import BESIDE, OURS, Client, output
from stage import Failed, Gauge, Stage

# Packet ids end at 65,535. mosquitto_pub -l ends too early, with status 0, when more lines than that wait at QoS 1 or 2.
MOST_WITH_IDS = 60_000
MOST = 400_000


@dataclasses.dataclass(frozen=True)
class Figure:
    section: str
    unit: str
    more_is_better: bool
    name: str = ""  # beside the row's, where a row has several of a section


FIGURES = {
    "rate": Figure("Messages a second", "messages/s", True),
    "start_median": Figure("One message, from start to exit", "ms", False, "median"),
    "start_p95": Figure("One message, from start to exit", "ms", False, "p95"),
    "latency_p50": Figure("Latency from line to line, and lateness of a pace", "ms", False, "p50"),
    "latency_p99": Figure("Latency from line to line, and lateness of a pace", "ms", False, "p99"),
    "latency_max": Figure("Latency from line to line, and lateness of a pace", "ms", False, "max"),
    "pace": Figure("The rate that a pace reached", "messages/s", True),
    "cpu": Figure("CPU seconds for a million messages", "s", False),
    "peak": Figure("Peak memory", "MiB", False),
    "file": Figure("Size, stripped", "KiB", False),
    "libraries": Figure("Size of the shared libraries, libc too", "KiB", False),
}


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much of it: a run of a rate takes about `seconds`, and `many` are those of the rows that show constant memory."""
    rounds: int
    seconds: float
    paced_seconds: float
    pause: float
    many: int
    messages: int | None = None  # given: of each run, instead of what takes `seconds`


FULL = Effort(rounds=5, seconds=0.6, paced_seconds=10, pause=5, many=10_000_000)
QUICK = Effort(rounds=2, seconds=0.25, paced_seconds=2, pause=2, many=1_000_000)

Measure = Callable[[Stage, Client, int, Effort], dict[str, float]]


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    measure: Measure
    most: int = 0  # messages of a run; 0: it is not made of as many messages as take a given time
    clients: tuple[str, ...] = ()  # only these; none: all
    rounds: int | None = None  # at most
    runs: int = 1  # in each round: more where they differ most
    can: Callable[[Client], bool] = lambda _: True

    def takes(self, client: Client) -> bool:
        return (not self.clients or client.name in self.clients) and self.can(client)


def run(stage: Stage, client: Client, command: list[str], *options: object, may_be_ended: bool = False,
        stdin: object = subprocess.DEVNULL) -> dict:
    """One run of a client to its end."""
    with stage.gauge("run", "--limit", stage.limit, *options, "--", *command, stdin=stdin) as gauge:
        result = gauge.line(stage.limit + 60)
        # Some of them end by SIGTERM, as a program does that knows nothing of it.
        if result["status"] not in ((0, 128 + 15) if may_be_ended else (0,)):
            raise Failed(f"{client.label}: status {result['status']}: {gauge.complaint() or 'it said nothing'}")
        return result


def check(client: Client, came: int, wanted: int, what: str = "messages") -> None:
    if came != wanted:
        raise Failed(f"{client.label}: {came} of {wanted} {what} came")


def cost(result: dict, messages: int) -> dict[str, float]:
    return {"cpu": (result["user_s"] + result["system_s"]) / messages * 1e6, "peak": result["peak_rss_kib"] / 1024}


def arrival_rate(came: dict) -> float:
    """From the first to the last: what a client needs to start and to end is in the rows of one message."""
    return came["messages"] / max(came["last_ns"] - came["first_ns"], 1) * 1e9


def payload_bytes(client: Client, messages: int, size: int) -> int:
    return messages * (size + client.ends_with_newline)


# --- publishing lines of stdin ----------------------------------------------------------------------------------

def publish_bare(qos: int, size: int) -> Measure:
    """To an end that only acknowledges."""
    def measure(stage: Stage, client: Client, messages: int, _: Effort) -> dict[str, float]:
        with stage.gauge("acknowledge") as end:
            command = client.command(client.publish, end.line()["port"], qos, "bench")
            result = run(stage, client, command, "--stdin", stage.lines(messages, size))
            came = end.line()
        check(client, came["messages"] - came["repeated"], messages)
        check(client, came["payload_bytes"], payload_bytes(client, messages, size), "payload bytes")
        return {"rate": arrival_rate(came), **cost(result, messages)}
    return measure


def publish_through(qos: int, size: int) -> Measure:
    """By Mosquitto to a subscriber of it."""
    def measure(stage: Stage, client: Client, messages: int, _: Effort) -> dict[str, float]:
        broker = stage.own_broker()
        with stage.gauge("take", "--port", broker.port, "--messages", messages) as taker:
            taker.line()
            command = client.command(client.publish, broker.port, qos, stage.topic())
            result = run(stage, client, command, "--stdin", stage.lines(messages, size))
            came = taker.line(stage.limit)
        check(client, came["messages"], messages)
        check(client, came["payload_bytes"], payload_bytes(client, messages, size), "payload bytes")
        return {"rate": arrival_rate(came), **cost(result, messages)}
    return measure


# --- printing what comes ----------------------------------------------------------------------------------------

def receiving(client: Client, json: bool) -> list[str]:
    return client.receive_json if json else client.receive


def receive_bare(qos: int, size: int, json: bool = False) -> Measure:
    """From the first that an end without a broker sends, until the last has been read as a line."""
    def measure(stage: Stage, client: Client, messages: int, effort: Effort, *options: object) -> dict[str, float]:
        flood = ["--messages", messages, "--size", size, "--qos", qos, *(["--json-payload"] if json else [])]
        with stage.gauge("send", *flood) as end:
            command = client.command(receiving(client, json), end.line()["port"], qos, "bench")
            result = run(stage, client, command, "--lines", messages, *options, may_be_ended=True)
            sent = end.line()
        check(client, result["lines"], messages, "lines")
        return {"rate": messages / (result["last_line_ns"] - sent["began_ns"]) * 1e9, **cost(result, messages)}
    return measure


def receive_through(qos: int, size: int, *, kept: bool = False) -> Measure:
    """From the first that a publisher hands to Mosquitto, until the last has been read as a line. `kept`: in a session that
    Mosquitto keeps, a new one each time."""
    def measure(stage: Stage, client: Client, messages: int, _: Effort) -> dict[str, float]:
        broker, topic = stage.own_broker(), stage.topic()
        session = ["-c", "-i", topic.replace("/", "-")] if kept else []
        command = client.command(client.receive, broker.port, qos, topic, *session)
        words = ["run", "--limit", stage.limit, "--lines", messages, "--", *command]
        with stage.gauge(*words) as receiver:
            broker.wait_for_subscription(topic)
            with stage.gauge("publish", "--port", broker.port, "--messages", messages, "--size", size, "--qos", qos,
                             "--topic", topic) as publisher:
                began = publisher.line(stage.limit)["began_ns"]
            result = receiver.line(stage.limit)
        check(client, result["lines"], messages, "lines")
        return {"rate": messages / (result["last_line_ns"] - began) * 1e9, **cost(result, messages)}
    return measure


# --- one message ------------------------------------------------------------------------------------------------

def one_shots(qos: int, words: Callable[[Stage, Client], list[str]]) -> Measure:
    """A block of them, one after the other, each from start to exit."""
    def measure(stage: Stage, client: Client, _: int, effort: Effort) -> dict[str, float]:
        times = min(client.block, effort.messages or client.block)
        with stage.gauge("acknowledge") as end:
            command = client.command(words(stage, client), end.line()["port"], qos, "bench")
            with stage.gauge("oneshots", times, "--", *command) as gauge:
                walls = sorted(wall / 1e6 for wall in gauge.line(stage.limit))
        return {"start_median": statistics.median(walls), "start_p95": walls[min(len(walls) - 1, len(walls) * 95 // 100)]}
    return measure


def large_file(stage: Stage, client: Client) -> list[str]:
    """One message that no socket's buffer holds."""
    return [client.oneshot[0], "-f", str(stage.lines(1, 16 << 20))]


# --- a thousand a second ----------------------------------------------------------------------------------------

RATE = 1000


def latency(qos: int) -> Measure:
    """Lines that carry the time, by a client's publisher, Mosquitto and its subscriber, and how old they are then. Those of
    the first second do not count: they waited while the publisher was starting."""
    def measure(stage: Stage, client: Client, _: int, effort: Effort) -> dict[str, float]:
        broker, topic = stage.own_broker(), stage.topic()
        count = round(RATE * (1 + effort.paced_seconds))
        with subprocess.Popen(client.command(client.receive, broker.port, qos, topic), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as receiver:
            try:
                with stage.gauge("collect", "--count", count, "--skip", RATE, stdin=receiver.stdout) as collector:
                    broker.wait_for_subscription(topic)
                    with stage.gauge("feed", "--rate", RATE, "--seconds", 1 + effort.paced_seconds) as feed:
                        run(stage, client, client.command(client.publish, broker.port, qos, topic), stdin=feed.process.stdout)
                    ages = collector.line(stage.limit)
            finally:
                receiver.terminate()
        check(client, ages["count"], count, "lines")
        return {f"latency_{name}": ages[f"{name}_ms"] for name in ("p50", "p99", "max")}
    return measure


def lateness(stage: Stage, client: Client, _: int, effort: Effort) -> dict[str, float]:
    """A message each millisecond: how long after its time each came, if that which was least late was on time, and the rate
    that was reached."""
    count = round(RATE * effort.paced_seconds)
    values = {"rate": RATE, "count": count, "delay": 1 / RATE}
    with stage.gauge("acknowledge", "--arrivals") as end:
        words = [word.format(**values) for word in client.repeat]
        run(stage, client, client.command(words, end.line()["port"], 0, "bench"))
        arrivals = end.line()["arrivals_us"]
    check(client, len(arrivals), count)
    late = sorted(arrival / 1000 - 1000 * number / RATE for number, arrival in enumerate(arrivals))
    late = [value - late[0] for value in late]
    return {"latency_p50": late[len(late) // 2], "latency_p99": late[len(late) * 99 // 100], "latency_max": late[-1],
            "pace": (count - 1) / (arrivals[-1] / 1e6)}


# --- memory and size --------------------------------------------------------------------------------------------

def slow_reader(stage: Stage, client: Client, _: int, effort: Effort) -> dict[str, float]:
    """Nobody reads the client's stdout for some seconds, while messages come as fast as it takes them."""
    messages = effort.messages or effort.many // 4
    figures = receive_bare(0, 64)(stage, client, messages, effort, "--pause", effort.pause, "--patience", effort.pause + 15)
    return {"peak": figures["peak"]}


def publish_many(stage: Stage, client: Client, _: int, effort: Effort) -> dict[str, float]:
    messages = effort.messages or effort.many
    with stage.gauge("acknowledge") as end, stage.gauge("lines", "--count", messages) as lines:
        command = client.command(client.publish, end.line()["port"], 0, "bench")
        result = run(stage, client, command, stdin=lines.process.stdout)
        check(client, end.line()["messages"], messages)
    return {"peak": result["peak_rss_kib"] / 1024}


def receive_many(stage: Stage, client: Client, _: int, effort: Effort) -> dict[str, float]:
    return {"peak": receive_bare(0, 64)(stage, client, effort.messages or effort.many, effort)["peak"]}


def size_of(which: int) -> Measure:
    def measure(_: Stage, client: Client, __: int, ___: Effort) -> dict[str, float]:
        file = client.files[which]
        if not shutil.which("strip"):
            raise Failed("there is no strip (binutils)")
        with tempfile.TemporaryDirectory() as folder:
            stripped = pathlib.Path(folder) / "stripped"
            subprocess.run(["strip", "-o", stripped, file], check=True)
            libraries = {word for line in output(["ldd", str(file)]).splitlines() for word in line.split()
                         if word.startswith("/")}
            return {"file": stripped.stat().st_size / 1024,
                    "libraries": sum(pathlib.Path(library).stat().st_size for library in libraries) / 1024}
    return measure


# --- all of them ------------------------------------------------------------------------------------------------

def flood_rows() -> Iterator[Row]:
    for prefix, publish, receive in (("", publish_bare, receive_bare), ("through-", publish_through, receive_through)):
        for size_name, size in (("", 64), ("1k-", 1024)):
            for qos in (0, 1, 2):
                # Payloads of 1 KiB fill a file and the memory of who does not keep up: fewer of them.
                most = MOST_WITH_IDS if qos else MOST if size == 64 else MOST // 4
                yield Row(f"{prefix}publish-{size_name}qos{qos}", publish(qos, size), most)
                yield Row(f"{prefix}receive-{size_name}qos{qos}", receive(qos, size), most)
    yield Row("receive-json", receive_bare(0, 64, json=True), MOST, can=lambda client: bool(client.receive_json))


PAIR = (OURS, BESIDE, "mosquitto")
ROWS = (
    *sorted(flood_rows(), key=lambda row: (row.name.startswith("through-"), "receive" in row.name)),
    Row("through-receive-kept-qos1", receive_through(1, 64, kept=True), MOST_WITH_IDS, clients=PAIR),
    Row("through-receive-kept-qos2", receive_through(2, 64, kept=True), MOST_WITH_IDS, clients=PAIR),
    Row("oneshot-qos0", one_shots(0, lambda _, client: client.oneshot)),
    Row("oneshot-qos1", one_shots(1, lambda _, client: client.oneshot)),
    Row("oneshot-16m", one_shots(0, large_file), clients=PAIR),
    Row("subscribe-oneshot", one_shots(0, lambda _, client: client.subscribe), can=lambda client: bool(client.subscribe)),
    Row("latency-1000-qos0", latency(0), clients=PAIR, rounds=3, runs=2),
    Row("latency-1000-qos1", latency(1), clients=PAIR, rounds=3, runs=2),
    Row("lateness-1000", lateness, clients=PAIR, rounds=3),
    Row("memory-slow-reader", slow_reader, clients=PAIR, rounds=1),
    Row("memory-publish-many", publish_many, clients=PAIR, rounds=1),
    Row("memory-receive-many", receive_many, clients=PAIR, rounds=1),
    Row("size-publish", size_of(0), rounds=1, can=lambda client: bool(client.files)),
    Row("size-receive", size_of(1), rounds=1, can=lambda client: bool(client.files)),
)


def enough(stage: Stage, client: Client, row: Row, effort: Effort) -> int:
    """So many messages that a run takes about as long as it is to, found by trying with more and more; this also warms up
    what a first run would find cold."""
    if not row.most or effort.messages:
        return min(effort.messages or 0, row.most)
    messages, rate = 10, 0.0
    while True:
        rate = row.measure(stage, client, messages, effort)["rate"]
        if messages / rate > effort.seconds / 4 or messages == row.most:
            return max(10, min(row.most, round(rate * effort.seconds)))
        messages = min(row.most, messages * 10)
