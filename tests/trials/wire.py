"""MQTT packets as bytes, in 3.1, 3.1.1 and 5: what a broker has to write and to read."""

import struct
from typing import Iterator, NamedTuple

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP,
 DISCONNECT, AUTH) = range(1, 16)
NAMES = ("", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE",
         "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH")
V31, V311, V5 = 3, 4, 5

SESSION_EXPIRY, RECEIVE_MAXIMUM = 0x11, 0x21

_BYTES = {**dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1), **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
          **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4)}
_TEXTS = {0x03: 1, 0x08: 1, 0x09: 1, 0x12: 1, 0x15: 1, 0x16: 1, 0x1A: 1, 0x1C: 1, 0x1F: 1, 0x26: 2}
_SUBSCRIPTION_ID = 0x0B


class Malformed(Exception):
    """Bytes that are not MQTT."""


class Message(NamedTuple):
    topic: bytes
    payload: bytes
    qos: int
    retain: bool = False
    properties: bytes = b""  # of MQTT 5, as they came


class Publish(NamedTuple):
    message: Message
    id: int
    duplicate: bool


class Reader:
    """What is read of a packet's body, piece by piece."""

    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0

    def take(self, count: int) -> bytes:
        piece = self.body[self.at:self.at + count]
        if len(piece) < count:
            raise Malformed("a packet ends too early")
        self.at += count
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> bytes:
        return self.take(self.number(2))

    def length(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise Malformed("a length of more than four bytes")

    def properties(self) -> bytes:
        return self.take(self.length())

    def rest(self) -> bytes:
        return self.body[self.at:]


def numbers_among(properties: bytes) -> dict[int, int]:
    """The properties that are numbers, by their identifiers."""
    reader, found = Reader(properties), {}
    while reader.at < len(properties):
        name = reader.number(1)
        if name in _BYTES:
            found[name] = reader.number(_BYTES[name])
        elif name == _SUBSCRIPTION_ID:
            found[name] = reader.length()
        elif name in _TEXTS:
            for _ in range(_TEXTS[name]):
                reader.text()
        else:
            raise Malformed(f"a property 0x{name:02x}, which there is not")
    return found


def length(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


def text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def packet(first: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((first,)) + length(len(body)) + body


def acknowledgement(kind: int, packet_id: int) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP without a reason code, which in MQTT 5 is the same."""
    return struct.pack(">BBH", kind << 4 | (2 if kind == PUBREL else 0), 2, packet_id)


def publish(message: Message, packet_id: int, version: int, duplicate: bool = False) -> bytes:
    first = PUBLISH << 4 | duplicate << 3 | message.qos << 1 | message.retain
    return packet(first, text(message.topic), struct.pack(">H", packet_id) if message.qos else b"",
                  length(len(message.properties)) + message.properties if version == V5 else b"", message.payload)


def read_publish(first: int, body: bytes, version: int) -> Publish:
    reader = Reader(body)
    qos = first >> 1 & 3
    topic = reader.text()
    packet_id = reader.number(2) if qos else 0
    properties = reader.properties() if version == V5 else b""
    return Publish(Message(topic, reader.rest(), qos, bool(first & 1), properties), packet_id, bool(first & 8))


def split(received: bytearray) -> Iterator[tuple[int, bytes]]:
    """Each whole packet as its first byte and its body. They are removed from `received` when all have been taken."""
    at = 0
    while len(received) - at >= 2:
        body, shift, size = at + 1, 0, 0
        while True:
            if body == len(received):
                size = -1
                break
            byte = received[body]
            body += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
            if shift > 21:
                raise Malformed("a length of more than four bytes")
        if size < 0 or body + size > len(received):
            break
        yield received[at], bytes(received[body:body + size])
        at = body + size
    del received[:at]


def publish_id(body: bytes) -> int:
    """The packet id of a PUBLISH of QoS 1 or 2, without reading all of it."""
    return int.from_bytes(body[2 + int.from_bytes(body[:2], "big"):][:2], "big")
