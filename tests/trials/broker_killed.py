"""The broker is killed with SIGKILL and started again while both tools work.

A message may then come twice at QoS 1; nothing may ever be lost, nor come twice at QoS 2. What a broker itself has forgotten or
doubled shows on the wire."""

import collections
import itertools
import json
import time
from typing import Iterator

import judge
from proxy import Proxy
from stage import Failed, KillableBroker, Lines, Mosquitto, ReferenceBroker, Row, Stage, wait_until

NAME = "broker"


def run(stage: Stage) -> Iterator[Row]:
    for kind, qos, version in itertools.product((ReferenceBroker, Mosquitto), (1, 2), ("311", "5")):
        yield trial(stage, kind(stage.folder), qos, version)
        stage.end_tools()


def trial(stage: Stage, broker: KillableBroker, qos: int, version: str) -> Row:
    messages, kills = (3000, 3) if stage.short else (100_000, 20)
    chance = stage.random(NAME, broker.name, qos, version)
    moments = sorted(chance.randrange(messages // 50, messages * 9 // 10) for _ in range(kills))
    common = ("-V", version, "-q", qos, "-c", "--reconnect-max-delay", 0.5)
    with broker, Proxy(broker.port, tapes=True) as proxy:
        printer = stage.tool("sub", proxy.port, *common, "-i", "printer", "-t", "torture/#", "--stamped", "-F", "%p")
        verifier = stage.tool("sub", proxy.port, *common, "-i", "verifier", "-t", "torture/#", "--verify", "--report=json")
        for tool in (printer, verifier):
            if not wait_until(lambda tool=tool: "subscribed to" in tool.err()):
                raise Failed(f"sub did not subscribe: {tool.last_word()}")
        # Mosquitto 2.0.11 counts what is in flight wrongly after a restart, and throws out who has more than a few there.
        publisher = stage.tool("pub", proxy.port, *common, "-i", "publisher", "-t", "torture/a", "--template", "%{seq}",
                               "--repeat", messages, "--stamp", "--report=json", "--reconnect-for", 120, "-M", 10)
        printed, begun = Lines(printer), time.monotonic()
        for moment in moments:
            wait_until(lambda moment=moment: printed.count() >= moment or publisher.ended(), 120, 0.001)
            broker.kill()
            time.sleep(chance.uniform(0.02, 0.3))
            broker.start()
        publisher.wait(120 + messages / 500)
        verifier.wait(30)
        _quiet(printed, 0.5 if stage.short else 2)
        seconds = time.monotonic() - begun
        verdict = verifier.stop() if not verifier.ended() else verifier.status
        ended = printer.stop()
        if publisher.stop() is None:
            raise Failed(f"pub did not end: {publisher.last_word()}")
    return _row(broker, qos, version, messages, kills, seconds, proxy, publisher, printer, (ended, verdict), verifier)


def _quiet(printed: Lines, seconds: float) -> None:
    """Until nothing is printed any more."""
    last = -1
    while printed.count() > last:
        last = printed.count()
        wait_until(lambda last=last: printed.count() > last, seconds)


def _row(broker, qos, version, messages, kills, seconds, proxy, publisher, printer, statuses, verifier) -> Row:
    wanted = set(range(1, messages + 1))
    count = collections.Counter(judge.number_of(line) for line in printer.out().split(b"\n") if line.isdigit())
    connections = judge.by_client(proxy.tapes)
    received = judge.of_subscriber(connections["printer"])
    published = judge.of_publisher(connections["publisher"])
    lost = {one for one in received.least if count[one] == 0}
    too_often = {one for one in count if count[one] > received.most[one]}
    never = wanted - set(count)
    twice = sum(count.values()) - len(count)
    unacknowledged = wanted - published.acknowledged
    report = json.loads(verifier.out() or b"{}")
    faults = []
    if lost:
        faults.append(f"sub acknowledged {len(lost)} messages that it did not print, such as {min(lost)}")
    if too_often:
        faults.append(f"sub printed {len(too_often)} messages more often than they were delivered, such as {min(too_often)}")
    if publisher.status == 0 and unacknowledged:
        faults.append(f"pub ended with 0 and {len(unacknowledged)} messages were never acknowledged")
    if published.twice:
        faults.append(f"pub published {len(published.twice)} messages of QoS 2 twice, such as {min(published.twice)}")
    if publisher.status != 0:
        faults.append(f"pub ended with status {publisher.status}: {publisher.last_word()}")
    if statuses[0] != 0:
        faults.append(f"sub ended with status {statuses[0]}: {printer.last_word()}")
    if isinstance(broker, ReferenceBroker):  # which is no excuse
        if complaint := broker.log.read_text():
            faults.append(f"the broker complains of what is not MQTT: {complaint.splitlines()[0]}")
        if never:
            faults.append(f"{len(never)} messages were never printed, such as {min(never)}")
        if qos == 2 and twice:
            faults.append(f"{twice} messages were printed twice")
        if statuses[1] != 0 or report.get("lost") != 0 or report.get("sent") != messages:
            faults.append(f"sub --verify ended with status {statuses[1]}, lost {report.get('lost')} of {report.get('sent')}")
        if qos == 2 and report.get("duplicated", 0):
            faults.append(f"sub --verify counts {report['duplicated']} doubled")
    forgotten = len(never - lost)
    figures = (f"{messages:,} messages, {kills} kills, {seconds:.1f} s; printed {sum(count.values()):,}, lost {len(lost)}"
               f"{f', twice {len(too_often)}' if qos == 2 else f', again {twice:,}'}; --verify: lost {report.get('lost')}, "
               f"again {report.get('duplicated')}; the broker's own: {forgotten} forgotten"
               f"{f', {twice - len(too_often):,} doubled' if qos == 2 else ''}")
    name = f"QoS {qos}, MQTT {'3.1.1' if version == '311' else '5'}, {broker.name}"
    return Row(NAME, name, figures, tuple(faults))
