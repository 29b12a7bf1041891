"""A long run through a real broker with many reconnects: memory and descriptors stay flat.

An hour with 500 reconnects and 20 million messages with --hour, and less of the same without."""

import json
import time
from typing import Iterator

from proxy import Proxy, random_cuts
from stage import Failed, Mosquitto, Row, Stage, Tool, wait_until

NAME = "soak"
RATE = 5600  # messages a second
BYTES = 100  # that a message takes on the wire, with its stamp and its acknowledgement
GROWTH = 2.0  # MB that a tool may grow from the second quarter on


class Watch:
    """What a tool has taken, second by second."""

    def __init__(self, tool: Tool) -> None:
        self.tool, self.memory, self.descriptors = tool, [], []

    def look(self) -> None:
        self.memory.append(self.tool.memory())
        self.descriptors.append(self.tool.descriptors())

    def quarter(self, values: list, number: int) -> float:
        size = len(values) // 4
        return max(values[number * size:(number + 1) * size])

    def faults(self) -> list[str]:
        name, found = self.tool.label.split()[0], []
        second, last = (self.quarter(self.memory, number) for number in (1, 3))
        if last > second + GROWTH:
            found.append(f"{name} grew from {second:.1f} to {last:.1f} MB")
        if self.quarter(self.descriptors, 3) > self.quarter(self.descriptors, 1):
            found.append(f"{name} has {self.quarter(self.descriptors, 3)} descriptors, not "
                         f"{self.quarter(self.descriptors, 1)} any more")
        return found

    def figures(self) -> str:
        return (f"{self.tool.label.split()[0]} {self.quarter(self.memory, 1):.1f} to {self.quarter(self.memory, 3):.1f} MB, "
                f"{self.quarter(self.descriptors, 3)} descriptors")


def run(stage: Stage) -> Iterator[Row]:
    seconds, reconnects = (3600, 500) if stage.hour else (20, 10) if stage.short else (180, 40)
    messages = RATE * seconds
    chance = stage.random(NAME)
    mean = 2 * messages * BYTES // reconnects  # of pub's connections and sub's
    common = ("-q", 1, "-c", "--reconnect-max-delay", 0.1)
    cuts = random_cuts(chance, 2 * reconnects, mean // 2, mean * 3 // 2)
    with Mosquitto(stage.folder, "max_inflight_messages 0\n") as broker, Proxy(broker.port, cuts) as proxy:
        verifier = stage.tool("sub", proxy.port, *common, "-i", "verifier", "-t", "torture/#", "--verify", "--report=json")
        if not wait_until(lambda: "subscribed to" in verifier.err()):
            raise Failed(f"sub did not subscribe: {verifier.last_word()}")
        publisher = stage.tool("pub", proxy.port, *common, "-i", "publisher", "-t", "torture/a", "-m", "x", "--stamp",
                               "--rate", RATE, "--repeat", messages, "--report=json", "--reconnect-for", 60)
        watches = [Watch(publisher), Watch(verifier)]
        begun = time.monotonic()
        while not publisher.ended() and time.monotonic() < begun + 2 * seconds + 120:
            try:
                for watch in watches:
                    watch.look()
            except OSError:  # it has just ended
                break
            time.sleep(0.25 if stage.short else 1)
        publisher.wait(30)
        verifier.wait(30)
        taken = time.monotonic() - begun
        statuses = (publisher.stop(), verifier.stop())
    faults = [fault for watch in watches for fault in watch.faults()]
    report = json.loads(verifier.out() or b"{}")
    for tool, status in zip((publisher, verifier), statuses):
        if status != 0:
            faults.append(f"{tool.label.split()[0]} ended with status {status}: {tool.last_word()}")
    if report.get("lost") != 0:
        faults.append(f"{report.get('lost')} messages were lost")
    yield Row(NAME, f"{taken:.0f} s, {proxy.connections - 2} reconnects, {messages:,} messages",
              f"{'; '.join(watch.figures() for watch in watches)}; lost {report.get('lost')}, again {report.get('duplicated')}",
              tuple(faults))
