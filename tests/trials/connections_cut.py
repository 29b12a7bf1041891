"""A bad network between the two: cut at any byte, half-open, slow, late, in single bytes; in TCP, TLS and WebSocket.

Whatever it does, the run ends with the right status, nothing is lost, nothing comes twice at QoS 2, no tool spins, and a
connection on which nothing passes any more is given up within one and a half keep alives."""

import collections
import concurrent.futures
import contextlib
import subprocess
import threading
import time
from typing import Iterator

import wire
from proxy import Proxy, Way, random_cuts
from reference_broker import Fault
from stage import Row, Stage, Tool, wait_until
from wire import Message

NAME = "cuts"
TRANSPORTS = ("tcp", "tls", "ws")
AT_ONCE = 4  # runs that mostly wait
RECONNECTS = 0.5  # seconds after the loss at the most, where the proxy sees that it was noticed


def run(stage: Stage) -> Iterator[Row]:
    for transport in TRANSPORTS:
        for qos, version in ((1, "311"), (2, "5")) if stage.short else ((1, "311"), (2, "311"), (1, "5"), (2, "5")):
            yield cut_at_random(stage, transport, qos, version)
            stage.end_tools()
    stage.own_certificate()  # before several want it
    with concurrent.futures.ThreadPoolExecutor(len(TRANSPORTS)) as pool:
        for trial in (half_open, slow, packets):
            yield from pool.map(lambda transport, trial=trial: trial(stage, transport), TRANSPORTS)


def spins(tool: Tool, seconds: float, stage: Stage) -> bool:
    """A tool that has little to do and uses more than a third of a CPU for more than a moment."""
    return tool.cpu() > (10 if stage.sanitized else 1) + seconds / 3


def cut_at_random(stage: Stage, transport: str, qos: int, version: str) -> Row:
    """Both tools, each behind a proxy of its own."""
    messages, cuts = (2000, 16) if stage.short else (20_000, 125)
    chance = stage.random(NAME, transport, qos, version)
    most = messages * 250 // cuts
    common = ("-V", version, "-q", qos, "-c", "--reconnect-max-delay", 0.1, "--wait-for-broker=20")
    begun = time.monotonic()
    with stage.broker_here(transport) as broker, \
            Proxy(broker.port, random_cuts(chance, cuts // 2, 100, most)) as before_sub, \
            Proxy(broker.port, random_cuts(chance, cuts // 2, 100, most)) as before_pub:
        listener = stage.tool("sub", before_sub.port, *common, "-i", "sub", "-t", "torture/#", "-F", "%p", transport=transport)
        wait_until(lambda: "subscribed to" in listener.err() or listener.ended())
        publisher = stage.tool("pub", before_pub.port, *common, "-i", "pub", "-t", "torture/a", "--template", "%{seq} %{pad}",
                               "--size", 100, "--repeat", messages, "--reconnect-for", 60, transport=transport)
        publisher.wait(120)
        wait_until(lambda: listener.out().count(b"\n") >= messages or listener.ended(), 10, 0.2)
        seconds = time.monotonic() - begun
        statuses = (publisher.stop(), listener.stop())
    count = collections.Counter(int(line.split()[0]) for line in listener.out().splitlines())
    never = messages - len(count)
    again = sum(count.values()) - len(count)
    faults = []
    for tool, status in zip((publisher, listener), statuses):
        if status != 0:
            faults.append(f"{tool.label.split()[0]} ended with status {status}: {tool.last_word()}")
        if spins(tool, seconds, stage):
            faults.append(f"{tool.label.split()[0]} took {tool.cpu():.1f} s of CPU in {seconds:.1f} s")
    if never:
        faults.append(f"{never} messages were lost")
    if qos == 2 and again:
        faults.append(f"{again} messages came twice")
    figures = (f"{messages:,} messages, {before_pub.cuts} + {before_sub.cuts} cuts, {seconds:.1f} s; lost {never}, "
               f"again {again}; CPU {publisher.cpu():.2f} + {listener.cpu():.2f} s")
    name = f"{transport}, cut at random, QoS {qos}, MQTT {'3.1.1' if version == '311' else '5'}"
    return Row(NAME, name, figures, tuple(faults))


def half_open(stage: Stage, transport: str) -> Row:
    """At a moment nothing passes any more: an idle and a busy sub, an idle and a busy pub."""
    keep_alive = 4
    cases = {
        "idle sub": ("sub", ("-t", "a")),
        "sub of QoS 1": ("sub", ("-t", "torture/#", "-q", 1, "-c", "-i", "half")),
        "idle pub": ("pub", ("-t", "a", "-l")),
        "pub of QoS 0": ("pub", ("-t", "torture/a", "-m", "x", "--rate", 200)),
        "pub of QoS 1": ("pub", ("-t", "torture/a", "-m", "x", "-q", 1, "--rate", 200)),
    }
    faults, figures = [], []
    hole = threading.Event()
    with stage.broker_here(transport) as broker, contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(Proxy(broker.port, lambda number: Way(hole=None if number else hole)))
                   for name in cases}
        tools = {name: stage.tool(tool, proxies[name].port, "-k", keep_alive, "--reconnect-max-delay", 0.1, *words,
                                  transport=transport, **({"stdin": subprocess.PIPE} if "-l" in words else {}))
                 for name, (tool, words) in cases.items()}
        steady = stage.tool("pub", broker.port, "-t", "torture/b", "-m", "x", "-q", 1, "--rate", 50, transport=transport)
        wait_until(lambda: all(proxy.passed > 0 for proxy in proxies.values()))
        time.sleep(1)  # until all of them do what they do
        before = {name: tool.cpu() for name, tool in tools.items()}
        hole.set()
        begun = time.monotonic()
        noticed: dict[str, float] = {}

        def look() -> bool:
            for name, proxy in proxies.items():
                if name not in noticed and proxy.connections > 1:
                    noticed[name] = time.monotonic() - begun
            return len(noticed) == len(proxies)

        wait_until(look, 4 * keep_alive)
        time.sleep(0.5)
        for name, tool in tools.items():
            spent = tool.cpu() - before[name]
            figures.append(f"{name} {noticed.get(name, float('nan')):.1f} s")
            if name not in noticed:
                faults.append(f"{name}: not noticed within {4 * keep_alive} s")
            elif noticed[name] > 1.5 * keep_alive + RECONNECTS:
                faults.append(f"{name}: noticed after {noticed[name]:.1f} s, which is more than {1.5 * keep_alive} s")
            if spent > (5 if stage.sanitized else 0.5):
                faults.append(f"{name}: {spent:.1f} s of CPU while nothing passed")
            if (status := tool.stop()) != 0 and not (name == "pub of QoS 1" and status == 1):
                faults.append(f"{name}: status {status} after SIGTERM: {tool.last_word()}")
        steady.stop()
    name = f"{transport}, half-open, keep alive {keep_alive} s"
    return Row(NAME, name, "noticed after: " + ", ".join(figures), tuple(faults))


def slow(stage: Stage, transport: str) -> Row:
    """1 KB a second; a byte a segment; answers that come 5 s late."""
    ways = {"1 KB/s": (Way(rate=1000, segment=50), 20), "single bytes": (Way(segment=1), 300), "5 s late": (Way(delay=5), 20)}
    if stage.short:
        ways = {"1 KB/s": (ways["1 KB/s"][0], 5), "single bytes": ways["single bytes"], "2 s late": (Way(delay=2), 20)}
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        results = list(pool.map(lambda name: _through(stage, transport, name, *ways[name]), ways))
    return Row(NAME, f"{transport}, slow", "; ".join(figures for figures, _ in results),
               tuple(fault for _, faults in results for fault in faults))


def _through(stage: Stage, transport: str, name: str, way: Way, messages: int) -> tuple[str, list[str]]:
    faults = []
    begun = time.monotonic()
    with stage.broker_here(transport) as broker, Proxy(broker.port, lambda _: way) as proxy:
        listener = stage.tool("sub", proxy.port, "-t", "torture/#", "-q", 2, "-C", messages, "-F", "%p", transport=transport)
        if not wait_until(lambda: "subscribed to" in listener.err() or listener.ended(), 60):
            faults.append(f"{name}: sub had not subscribed in 60 s")
        publisher = stage.tool("pub", proxy.port, "-t", "torture/a", "--template", "%{seq}", "--repeat", messages, "-q", 2,
                               "-W", 30, transport=transport)
        statuses = (publisher.wait(60), listener.wait(60))
        seconds = time.monotonic() - begun
    for tool, status in zip((publisher, listener), statuses):
        if status != 0:
            faults.append(f"{name}: {tool.label.split()[0]} ended with {status}: {tool.last_word()}")
        if tool.ended() and spins(tool, seconds, stage):
            faults.append(f"{name}: {tool.cpu():.1f} s of CPU")
    if listener.out().split() != [b"%d" % number for number in range(1, messages + 1)]:
        faults.append(f"{name}: not all {messages} messages came once and in order")
    return f"{name}: {messages} messages in {seconds:.1f} s", faults


# Packet type, whether it comes from the client, the tool, the QoS at which it is sent.
CUT_PACKETS = [
    *((kind, incoming, tool, 1) for tool in ("pub", "sub") for kind, incoming in ((wire.CONNECT, True), (wire.CONNACK, False))),
    (wire.SUBSCRIBE, True, "sub", 1), (wire.SUBACK, False, "sub", 1), (wire.PUBLISH, False, "sub", 1),
    (wire.PUBLISH, False, "sub", 2), (wire.PUBACK, True, "sub", 1), (wire.PUBREC, True, "sub", 2),
    (wire.PUBREL, False, "sub", 2), (wire.PUBCOMP, True, "sub", 2), (wire.PINGREQ, True, "sub", 1),
    (wire.PINGRESP, False, "sub", 1), (wire.DISCONNECT, True, "sub", 1), (wire.PUBLISH, True, "pub", 1),
    (wire.PUBACK, False, "pub", 1), (wire.PUBLISH, True, "pub", 2), (wire.PUBREC, False, "pub", 2),
    (wire.PUBREL, True, "pub", 2), (wire.PUBCOMP, False, "pub", 2), (wire.DISCONNECT, True, "pub", 1),
]


def packets(stage: Stage, transport: str) -> Row:
    """The connection closes in the middle of a packet of each type, in both directions."""
    chance = stage.random(NAME, "packets", transport)
    runs = [(version, *cut, at) for version in ("311", "5") for cut in CUT_PACKETS for at in (1, 3)
            if at == 1 or cut[0] not in (wire.PINGREQ, wire.PINGRESP, wire.DISCONNECT)]
    if stage.short:
        runs = chance.sample(runs, 10)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE // 2) as pool:
        faults = [fault for found in pool.map(lambda one: _cut_packet(stage, transport, *one), runs) for fault in found]
    return Row(NAME, f"{transport}, closed within a packet", f"{len(runs)} runs", tuple(faults))


def _cut_packet(stage: Stage, transport: str, version: str, kind: int, incoming: bool, tool: str, qos: int,
                at: int) -> list[str]:
    messages = 5
    fault = Fault(kind, at, incoming)
    here = stage.broker_here(transport, fault=fault)
    state = here.broker.state
    state.begin(b"kept", True)
    state.subscribe(b"kept", b"torture/#", 2)
    words = ["-V", version, "-q", qos, "-c", "--reconnect-max-delay", 0.1]
    if tool == "sub":
        for number in range(1, messages + 1):
            state.publish(Message(b"torture/a", b"%d" % number, qos))
        pings = kind in (wire.PINGREQ, wire.PINGRESP)
        words += ["-i", "kept", "-t", "torture/#", "-F", "%p", "--idle", 3 if pings else 1, *(["-k", 1] if pings else [])]
    else:
        words += ["-i", "pub", "-t", "torture/a", "--template", "%{seq}", "--repeat", messages]
    begun = time.monotonic()
    with here:
        run_ = stage.tool(tool, here.port, *words, transport=transport)
        status = run_.wait(20)
        seconds = time.monotonic() - begun
        if status is None:
            run_.kill()
            run_.wait()
    arrived = run_.out().split() if tool == "sub" else [message.payload for message in state.sessions[b"kept"].queue]
    never_connected = kind in (wire.CONNECT, wire.CONNACK)
    name = (f"{tool}, MQTT {version}, QoS {qos}, {wire.NAMES[kind]} {'of the client' if incoming else 'of the broker'} "
            f"after {at} bytes")
    wanted = [] if never_connected else [b"%d" % number for number in range(1, messages + 1)]
    faults = []
    if not fault.happened:
        faults.append(f"{name}: no such packet was sent")
    if status != (3 if never_connected else 0):
        faults.append(f"{name}: status {status}: {run_.last_word()}")
    if sorted(set(arrived)) != wanted or (qos == 2 and len(arrived) != len(wanted)):
        faults.append(f"{name}: {arrived} arrived")
    if spins(run_, seconds, stage):
        faults.append(f"{name}: {run_.cpu():.1f} s of CPU")
    return faults
