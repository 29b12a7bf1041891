"""Joins what pub and sub said (-d, and lines with %{time} in them) with the frames of a capture."""

import bisect
import dataclasses
import datetime
import pathlib
import re

from capture import Frame, Packet
from conversation import Connection, Conversation

# `sub: 18:31:38.829507 -> CONNECT  MQTT 3.1.1, client id sub1, clean session...`, as -d prints it.
_PACKET = re.compile(r"\b(\d\d):(\d\d):(\d\d)\.(\d{6}) (->|<-) ([A-Z]+)\b(.*)")
_CLIENT_ID = re.compile(r", client id (.*?), (?:clean session|clean start|persistent session), ")
# %{time}: ISO 8601 with nanoseconds.
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,9})(Z|[+-]\d\d:\d\d)")

SECOND = 1_000_000_000
# Clocks of tools are in their own time zones; all zones differ by whole quarters of an hour.
_ZONES = 900 * SECOND


@dataclasses.dataclass
class Line:
    file: str
    number: int
    text: str
    frame: Frame | None
    apart: int = 0  # what the tool printed less the frame's own time, in nanoseconds


def join(file: pathlib.Path, conversation: Conversation) -> list[Line]:
    """Each line with a packet or a time, with its frame where one is found."""
    joiner = _Joiner(conversation)
    lines = []
    for number, text in enumerate(file.read_text(errors="replace").splitlines(), 1):
        packet, stamp = _PACKET.search(text), _STAMP.search(text)
        if packet:
            frame = joiner.packet(packet)
            printed = sum(int(packet[at + 1]) * unit for at, unit in enumerate((3600 * SECOND, 60 * SECOND, SECOND, 1000)))
            apart = (printed - frame.time + _ZONES // 2) % _ZONES - _ZONES // 2 if frame else 0
        elif stamp:
            moment = datetime.datetime.fromisoformat(stamp[1] + stamp[3].replace("Z", "+00:00"))
            printed = int(moment.timestamp()) * SECOND + int(stamp[2].ljust(9, "0"))
            frame = joiner.message(printed, text)
            apart = printed - frame.time if frame else 0
        else:
            continue
        lines.append(Line(file.name, number, text, frame, apart))
    return lines


class _Joiner:
    def __init__(self, conversation: Conversation) -> None:
        self._free = [each for each in conversation.connections if each.first("CONNECT")]
        self._left: dict[tuple[bool, str], list[Packet]] = {}  # of the connection whose lines are read
        self._messages = [exchange for connection in conversation.connections for exchange in connection.exchanges]
        self._messages.sort(key=lambda exchange: exchange.publish.frame.time)
        self._taken: set[int] = set()

    def packet(self, line: re.Match) -> Frame | None:
        """Lines of -d stand in the order of their packets, so no clock is needed: the next packet of that kind that way."""
        out, kind = line[5] == "->", line[6]
        if out and kind == "CONNECT":
            client_id = _CLIENT_ID.search(line[7])
            found = next((each for each in self._free if client_id and each.first("CONNECT").get("mqtt.clientid") ==
                          client_id[1]), None)
            self._follow(found)
        packets = self._left.get((out, kind))
        return packets.pop(0).frame if packets else None

    def _follow(self, connection: Connection | None) -> None:
        self._left = {}
        if connection is None:
            return
        self._free.remove(connection)
        for packet in connection.packets:
            self._left.setdefault((connection.from_client(packet.frame), packet.kind), []).append(packet)

    def message(self, printed: int, text: str) -> Frame | None:
        """The PUBLISH closest before that time whose topic name or payload is in the line; sub's, not pub's, if both are."""
        begin, end = (bisect.bisect(self._messages, time, key=lambda each: each.publish.frame.time)
                      for time in (printed - SECOND, printed + SECOND // 100))
        near = [each for each in self._messages[begin:end] if id(each) not in self._taken and (
            each.topic in text or each.publish.payload and each.publish.payload.decode(errors="replace") in text)]
        if not near:
            return None
        best = max(near, key=lambda each: (each.topic in text, each.publish.payload.decode(errors="replace") in text,
                                           not each.by_client, -each.publish.frame.number))
        self._taken.add(id(best))
        return best.publish.frame
