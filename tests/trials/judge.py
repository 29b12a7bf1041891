"""What went over the wire between tools and a broker, read from a proxy's tapes: who has acknowledged what, and so whose fault
it is if a message is missing or came twice."""

import collections
import dataclasses
from typing import Iterator

import wire
from proxy import TO_CLIENT, Tape
from wire import Reader


@dataclasses.dataclass
class Received:
    """What a subscriber must have printed, by the number of each message."""
    least: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    most: collections.Counter = dataclasses.field(default_factory=collections.Counter)


@dataclasses.dataclass
class Published:
    """What became of a publisher's messages."""
    acknowledged: set = dataclasses.field(default_factory=set)
    twice: set = dataclasses.field(default_factory=set)  # begun again by the publisher in a session that the broker had kept


def number_of(payload: bytes) -> int | None:
    """It is the first word of the payload, which in MQTT 3.1.1 stands behind the line of its stamp."""
    word = payload.rpartition(b"\n")[2].partition(b" ")[0]
    return int(word) if word.isdigit() else None


def packets(tape: Tape) -> Iterator[tuple[int, int, bytes]]:
    """Direction, first byte and body of each packet that went through as a whole."""
    halves = (bytearray(), bytearray())
    for direction, piece in tape.pieces:
        halves[direction].extend(piece)
        for first, body in wire.split(halves[direction]):
            yield direction, first, body


def by_client(tapes: list[Tape]) -> dict[str, list[list[tuple[int, int, bytes]]]]:
    """The connections of each client id, in order."""
    found = collections.defaultdict(list)
    for tape in tapes:
        all_of_it = list(packets(tape))
        if all_of_it:
            found[client_of(all_of_it[0][2])[0]].append(all_of_it)
    return found


def client_of(connect: bytes) -> tuple[str, int]:
    """The client id and the version of a CONNECT."""
    reader = Reader(connect)
    reader.text()
    version = reader.number(1)
    reader.take(3)
    if version == wire.V5:
        reader.properties()
    return reader.text().decode(), version


def of_subscriber(connections: list, forgets: bool = False) -> Received:
    """What one that `forgets` knows ends with its connection: it was killed.
    QoS 1: each acknowledged message was printed; none was printed more often than it was delivered. QoS 2: a packet id
    stands for one exchange until PUBREL has ended it; whether a PUBREL has arrived is certain with its PUBCOMP only."""
    received = Received()
    exchanges: dict[int, int | None] = {}  # of QoS 2, by packet id: the message
    doubtful: set[int] = set()  # whose PUBREL may have arrived
    for connection in connections:
        version = client_of(connection[0][2])[1]
        delivered: dict[int, int | None] = {}  # of QoS 1, by packet id
        for direction, first, body in connection:
            kind = first >> 4
            if direction == TO_CLIENT:
                if kind == wire.CONNACK and (forgets or not body[0] & 1):
                    exchanges.clear()
                    doubtful.clear()
                elif kind == wire.PUBLISH:
                    message, packet_id, _ = wire.read_publish(first, body, version)
                    number = number_of(message.payload)
                    if message.qos == 2 and packet_id in exchanges and packet_id not in doubtful:
                        continue
                    received.most[number] += 1
                    if message.qos == 1:
                        delivered[packet_id] = number
                    elif message.qos == 2:
                        exchanges[packet_id] = None if packet_id in doubtful else number
                elif kind == wire.PUBREL and Reader(body).number(2) in exchanges:
                    doubtful.add(Reader(body).number(2))
            elif kind == wire.PUBACK:
                received.least[delivered.pop(Reader(body).number(2), None)] = 1
            elif kind == wire.PUBREC and forgets:  # which is the last that the broker knows of the message itself
                received.least[exchanges.get(Reader(body).number(2))] = 1
            elif kind == wire.PUBCOMP:
                packet_id = Reader(body).number(2)
                received.least[exchanges.pop(packet_id, None)] = 1
                doubtful.discard(packet_id)
    for counts in (received.least, received.most):
        counts.pop(None, None)
    return received


def of_publisher(connections: list) -> Published:
    published = Published()
    begun: dict[int, int] = {}  # packet id -> message, until it is acknowledged
    released: set[int] = set()  # messages of QoS 2 that the publisher has released
    for connection in connections:
        version = client_of(connection[0][2])[1]
        for direction, first, body in connection:
            kind = first >> 4
            if direction == TO_CLIENT:
                if kind == wire.CONNACK and not body[0] & 1:
                    begun.clear()
                    released.clear()
                elif kind in (wire.PUBACK, wire.PUBCOMP):
                    number = begun.pop(Reader(body).number(2), None)
                    if number is not None:
                        published.acknowledged.add(number)
            elif kind == wire.PUBREL:
                released.add(begun.get(Reader(body).number(2)))
            elif kind == wire.PUBLISH:
                message, packet_id, _ = wire.read_publish(first, body, version)
                number = number_of(message.payload)
                if message.qos == 2 and number is not None:
                    other = next((one for one, of in begun.items() if of == number and one != packet_id), None)
                    if number in released or other is not None:
                        published.twice.add(number)
                begun[packet_id] = number
    return published
