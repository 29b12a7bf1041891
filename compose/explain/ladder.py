"""The conversation as a ladder: a lane for each who takes part, a row for each frame, long repeats folded."""

import collections
import dataclasses

from capture import Frame, Packet
from conversation import Connection, Conversation, reason
from sentences import Words, printable

# Clients with a lane of their own; a picture of more is not one that a person can read.
CLIENTS_DRAWN = 6
# So many rows are shown without folding any.
ROWS_UNFOLDED = 60
# A shorter run of rows of which all have been seen is not worth a fold.
FOLD_FROM = 6


@dataclasses.dataclass
class Row:
    frame: Frame
    source: int  # the lanes; for ARP's question to everybody, `target` is the farthest one
    target: int
    layer: str  # arp, tcp or mqtt
    label: str
    wrong: bool = False


@dataclasses.dataclass
class Fold:
    first: Frame
    last: Frame
    count: int
    what: str


@dataclasses.dataclass
class Ladder:
    lanes: list[str]
    rows: list[Row | Fold]
    not_drawn: int


def describe(packet: Packet, connection: Connection, words: Words) -> str:
    """A control packet in a few words; its topic name is never cut off."""
    parts = [packet.kind]
    if packet.kind == "PUBLISH":
        parts += [printable(connection.topics[id(packet)]), f"QoS {packet.qos}"]
        if packet.qos:
            parts.append(f"id {packet.id}")
        parts += [name for name, flag in (("RETAIN", "mqtt.retain"), ("DUP", "mqtt.dupflag")) if packet.flag(flag)]
        parts.append(f"({words.size(len(packet.payload))})")
    elif packet.kind == "CONNECT":
        parts.append(printable(packet.get("mqtt.clientid")))
    elif packet.kind in ("SUBSCRIBE", "UNSUBSCRIBE"):
        parts += [*map(printable, packet.all("mqtt.topic")), f"id {packet.id}"]
    elif packet.kind == "SUBACK":
        codes = packet.all("mqtt.suback.qos") or packet.all("mqtt.suback.reason_code")
        parts += ["code " + " ".join(str(int(code, 0)) for code in codes), f"id {packet.id}"]
    elif packet.kind == "CONNACK":
        parts.append(f"code {reason(packet)}")
    elif packet.id:
        parts.append(f"id {packet.id}")
    if packet.kind not in ("CONNACK", "SUBACK") and reason(packet):
        parts.append(f"code {reason(packet)}")
    return " ".join(part for part in parts if part)


def tcp_flags(frame: Frame) -> str:
    names = [flag for flag in ("SYN", "FIN", "RST", "ACK") if flag in frame.flags]
    return "-".join(names) if "SYN" in names else ", ".join(names)


def describe_frame(frame: Frame, connection: Connection | None, words: Words) -> str:
    if frame.arp:
        arp = frame.arp
        return f"ARP {arp.target}?" if arp.request else f"ARP {arp.sender} = {arp.sender_hardware}"
    if connection is None:
        return tcp_flags(frame)
    acknowledged = connection.acknowledges.get(frame.number)
    if frame.packets:
        what = " · ".join(describe(packet, connection, words) for packet in frame.packets)
        if "FIN" in frame.flags:
            what += " · FIN"
        if acknowledged:
            what += f" · {words.plain('carries_ack', frame=acknowledged)}"
        return what
    what = tcp_flags(frame)
    if frame.data:
        what += f" ({words.size(frame.data)})"
    if frame.again:
        what += f" · {words.plain('sent_again')}"
    elif acknowledged and frame.flags == {"ACK"}:
        what += f" {words.plain('acks', frame=acknowledged)}"
    return what


def layer(frame: Frame) -> str:
    return "arp" if frame.arp else "mqtt" if frame.packets else "tcp"


def is_wrong(frame: Frame) -> bool:
    return frame.again or bool(frame.notes & {"duplicate_ack", "zero_window"}) or "RST" in frame.flags or any(
        reason(packet) >= 0x80 or packet.kind == "CONNACK" and reason(packet) for packet in frame.packets)


def draw(conversation: Conversation, words: Words) -> Ladder:
    lanes, place = _lanes(conversation)
    by_stream = {connection.stream: connection for connection in conversation.connections}
    rows = []
    for frame in conversation.capture.frames:
        connection = by_stream.get(frame.stream)
        if frame.arp:
            ends = _arp_ends(frame, place, len(lanes))
        elif connection and connection.stream in place:
            ends = place[connection.stream], place[connection.broker]
            if not connection.from_client(frame):
                ends = ends[::-1]
        else:
            ends = None
        if ends:
            rows.append(Row(frame, *ends, layer(frame), describe_frame(frame, connection, words), is_wrong(frame)))
    drawn = sum(connection.stream in place for connection in conversation.connections)
    return Ladder(lanes, _folded(conversation, rows, words), len(conversation.connections) - drawn)


def _lanes(conversation: Conversation) -> tuple[list[str], dict]:
    """Publishers to the left of the broker and the others to its right; the place of each stream, broker and address."""
    clients: dict[str, list[Connection]] = {}
    for connection in conversation.connections:
        clients.setdefault(connection.name, []).append(connection)
    drawn = list(clients)[:CLIENTS_DRAWN]
    left = [name for name in drawn if any(each.publishes for each in clients[name])
            and not any(each.receives for each in clients[name])]
    right = [name for name in drawn if name not in left]
    brokers = conversation.brokers
    lanes = [*left, *(conversation.address_name(address) if conversation.address_name(address) != address
                      else f"broker {address}" for address, _ in brokers), *right]
    place: dict = {}
    for at, name in enumerate([*left, *brokers, *right]):
        if isinstance(name, tuple):
            place[name] = at
            place.setdefault(name[0], at)
            continue
        for connection in clients[name]:
            place[connection.stream] = at
            place.setdefault(connection.client[0], at)
    return lanes, place


def _arp_ends(frame: Frame, place: dict, lanes: int) -> tuple[int, int] | None:
    source, target = place.get(frame.arp.sender), place.get(frame.arp.target)
    if source is None and target is None:
        return None
    if target is None or source is None:
        source = target if source is None else source
        target = 0 if source >= lanes / 2 else lanes - 1
    return source, target


# What comes again and again while messages flow; everything else is an event.
_STEADY = {"PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "PINGREQ", "PINGRESP"}


def _folded(conversation: Conversation, rows: list[Row], words: Words) -> list[Row | Fold]:
    if len(rows) <= ROWS_UNFOLDED:
        return list(rows)
    told = _told(conversation)
    result: list[Row | Fold] = []
    run: list[Row] = []

    def end_run() -> None:
        if len(run) < FOLD_FROM:
            result.extend(run)
        else:
            kinds = collections.Counter(kind for row in run for kind in _kinds(row.frame))
            what = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common())
            result.append(Fold(run[0].frame, run[-1].frame, len(run), what))
        run.clear()

    for row in rows:
        frame = row.frame
        steady = not row.wrong and not frame.arp and not frame.flags & {"SYN", "FIN", "RST"} and all(
            packet.kind in _STEADY for packet in frame.packets)
        if steady and frame.number not in told:
            run.append(row)
        else:
            end_run()
            result.append(row)
    end_run()
    return result


def _kinds(frame: Frame) -> list[str]:
    return [packet.kind for packet in frame.packets] or ["ARP" if frame.arp else "TCP"]


def _told(conversation: Conversation) -> set[int]:
    """The frames of the first stories: the first message of each QoS, all its answers, and where it went; the first ping;
    what follows a handshake."""
    numbers: set[int] = set()
    forwards: dict[int, list] = collections.defaultdict(list)
    for into, out in conversation.forwards:
        forwards[id(into)].append(out)
    seen = collections.Counter()

    def tell(exchange) -> None:
        numbers.add(exchange.publish.frame.number)
        if exchange.ack:
            numbers.add(exchange.ack.number)
        for answer in exchange.answers:
            numbers.add(answer.frame.number)
            ack = exchange.connection.acknowledged_by.get(answer.frame.number)
            if ack:
                numbers.add(ack.number)

    for connection in conversation.connections:
        for exchange in connection.exchanges:
            kind = exchange.by_client, exchange.publish.qos, exchange.publish.flag("mqtt.retain")
            seen[kind] += 1
            if seen[kind] <= 2:
                tell(exchange)
                for out in forwards[id(exchange)]:
                    tell(out)
        for kind in ("PINGREQ", "PINGRESP"):
            packet = connection.first(kind)
            if packet:
                numbers.add(packet.frame.number)
        for frame in connection.frames:
            if "FIN" in frame.flags or any(packet.kind not in _STEADY for packet in frame.packets):
                ack = connection.acknowledged_by.get(frame.number)
                if ack:
                    numbers.add(ack.number)
        if connection.syn_ack:  # the third step of the handshake
            third = next((frame for frame in connection.frames if frame.number > connection.syn_ack.number), None)
            if third:
                numbers.add(third.number)
    return numbers
