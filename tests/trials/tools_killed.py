"""sub and pub are killed with SIGKILL and started again.

What sub has acknowledged was printed, and pub's input can be replayed from what it has printed.
sub prints into a pipe whose reader is slow by turns: what it prints and what write(2) has taken differ then. The union of what
its runs have printed must hold every message. At QoS 2 of MQTT 5 only those may stand there twice that were printed and not yet
acknowledged when it was killed."""

import collections
import os
import random
import threading
import time
from typing import Iterator

import judge
from proxy import Proxy
from stage import Failed, Lines, ReferenceBroker, Row, Stage, wait_until

NAME = "kill"
QUIET = 5  # seconds without anything: then nothing comes any more
WINDOW = 50  # messages that the broker has in flight to a client


def run(stage: Stage) -> Iterator[Row]:
    for trial, qos, version in ((kill_sub, 1, "311"), (kill_sub, 1, "5"), (kill_sub, 2, "5"), (kill_pub, 1, "311"),
                                (kill_pub, 1, "5")):
        yield trial(stage, qos, version)
        stage.end_tools()


class SlowReader:
    """Reads what a tool prints, with pauses, and after its end the rest of what it had handed to the pipe."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.bytes, self.lines, self.hurry = chance, bytearray(), 0, False
        self.end, self.tools_end = os.pipe()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while piece := os.read(self.end, 4096):
            self.bytes += piece
            self.lines += piece.count(b"\n")
            if not self.hurry and self.chance.random() < 0.2:
                time.sleep(self.chance.uniform(0, 0.04))
        os.close(self.end)

    def all(self) -> list[bytes]:
        """The whole lines, once nobody has the other end any more."""
        self.hurry = True
        self.thread.join()
        return bytes(self.bytes).split(b"\n")[:-1]


def kill_sub(stage: Stage, qos: int, version: str) -> Row:
    messages, kills = (6000, 8) if stage.short else (50_000, 50)
    chance = stage.random(NAME, "sub", qos, version)
    words = ("-V", version, "-q", qos, "-c", "-i", "killed", "-t", "torture/#", "-F", "%p")
    count: collections.Counter[int] = collections.Counter()
    faults = []
    with ReferenceBroker(stage.folder, WINDOW) as broker, Proxy(broker.port, tapes=True) as proxy:
        if stage.tool("sub", proxy.port, *words, "-E").wait() != 0:
            raise Failed("sub -E did not make the session")
        publisher = stage.tool("pub", broker.port, "-V", version, "-q", qos, "-t", "torture/a", "--template", "%{seq} %{pad}",
                               "--size", 200, "--repeat", messages, "--rate", messages / (3 if stage.short else 10))
        ends = []
        for life in range(kills + 1):
            reader = SlowReader(chance)
            tool = stage.tool("sub", proxy.port, *words, stdout=reader.tools_end)
            os.close(reader.tools_end)
            if life < kills:
                enough = chance.randrange(1, 2 * messages // (kills + 1))
                wait_until(lambda reader=reader, enough=enough: reader.lines >= enough or tool.ended(), 10, 0.0005)
                tool.kill()
                tool.wait()
            else:
                publisher.wait(120)
                last = -1
                while reader.lines > last:
                    last = reader.lines
                    wait_until(lambda last=last, reader=reader: reader.lines > last, QUIET)
                if (status := tool.stop()) != 0:
                    faults.append(f"sub ended with status {status} after SIGTERM: {tool.last_word()}")
            ends.append(tool.status)
            lines = [int(line.split()[0]) for line in reader.all() if len(line) == 200]
            count.update(lines)
        if publisher.status != 0:
            raise Failed(f"pub ended with status {publisher.status}: {publisher.last_word()}")
    if complaint := broker.log.read_text():
        faults.append(f"the broker complains of what is not MQTT: {complaint.splitlines()[0]}")
    never = set(range(1, messages + 1)) - set(count)
    again = sum(count.values()) - len(count)
    delivered = judge.of_subscriber(judge.by_client(proxy.tapes)["killed"], forgets=True)
    lost = {one for one in never if delivered.least[one]}
    if lost:
        faults.append(f"{len(lost)} messages were acknowledged and never printed, such as {min(lost)}")
    if never - lost:
        faults.append(f"{len(never - lost)} messages were still at the broker when nothing had come for {QUIET} s")
    if qos == 2 and again > kills * WINDOW:
        faults.append(f"{again} messages came again, more than {kills} kills with {WINDOW} in flight explain")
    if qos == 2 and any(count[one] > delivered.most[one] for one in count):
        faults.append("a message was printed more often than it was delivered")
    if any(status != -9 for status in ends[:-1]):
        faults.append(f"a run ended by itself: {collections.Counter(ends[:-1])}")
    figures = f"{messages:,} messages, {kills} kills; printed {sum(count.values()):,}, lost {len(lost)}, again {again:,}"
    return Row(NAME, f"sub, QoS {qos}, MQTT {'3.1.1' if version == '311' else '5'}", figures, tuple(faults))


def kill_pub(stage: Stage, qos: int, version: str) -> Row:
    """pub -v prints a line when it takes a message, and no more than --max-inflight of these are not acknowledged: its input
    is replayed from that many lines before the last one printed."""
    messages, kills = (6000, 8) if stage.short else (50_000, 50)
    in_flight = 20
    chance = stage.random(NAME, "pub", qos, version)
    lines = [b"%d" % number for number in range(1, messages + 1)]
    faults = []
    begin, lives = 0, 0
    with ReferenceBroker(stage.folder, WINDOW) as broker:
        listener = stage.tool("sub", broker.port, "-V", version, "-q", qos, "-c", "-i", "listener", "-t", "torture/#", "-F",
                              "%p")
        if not wait_until(lambda: "subscribed to" in listener.err()):
            raise Failed(f"sub did not subscribe: {listener.last_word()}")
        arrived = Lines(listener)
        while begin < messages:
            file = stage.folder / "input"
            file.write_bytes(b"\n".join(lines[begin:]) + b"\n")
            with file.open("rb") as stdin:
                tool = stage.tool("pub", broker.port, "-V", version, "-q", qos, "-c", "-i", "publisher", "-t", "torture/a",
                                  "-l", "-v", "-M", in_flight, stdin=stdin)
            lives += 1
            if lives <= kills:
                enough = arrived.count() + chance.randrange(1, 2 * messages // (kills + 1))
                wait_until(lambda enough=enough, tool=tool: arrived.count() >= enough or tool.ended(), 30, 0.0005)
                tool.kill()
            tool.wait(60)
            if tool.status == 0:
                break
            if tool.status != -9:
                raise Failed(f"pub ended with status {tool.status}: {tool.last_word()}")
            begin = max(begin, begin + tool.out().count(b"\n") - in_flight)
        wait_until(lambda: listener.out().count(b"\n") >= messages and listener.out().endswith(b"\n%d\n" % messages), 10, 0.2)
        if (status := listener.stop()) != 0:
            faults.append(f"sub ended with status {status}: {listener.last_word()}")
    if complaint := broker.log.read_text():
        faults.append(f"the broker complains of what is not MQTT: {complaint.splitlines()[0]}")
    count = collections.Counter(listener.out().split())
    never = set(lines) - set(count)
    if never:
        faults.append(f"{len(never)} messages were never published, such as {min(map(int, never))}")
    figures = (f"{messages:,} messages, {min(lives - 1, kills)} kills; arrived {sum(count.values()):,}, never {len(never)}, "
               f"again {sum(count.values()) - len(count):,}")
    return Row(NAME, f"pub -l, QoS {qos}, MQTT {'3.1.1' if version == '311' else '5'}", figures, tuple(faults))
