#!/usr/bin/python3
"""A broker that never errs: whatever it has acknowledged it has kept, though it be killed at any moment.

It speaks 3.1, 3.1.1 and 5 at QoS 0 to 2, over TCP, TLS or WebSocket; it has neither wills nor shared subscriptions, and says
so. Everything that must survive is an event (sessions.py), and no byte leaves before the events behind it are in the journal's
file. That is enough against SIGKILL, which takes nothing from a file; a machine that loses its power is not what is tried.

    reference_broker.py PORT JOURNAL [--window N]"""

import argparse
import dataclasses
import os
import pathlib
import pickle
import selectors
import socket
import struct
import sys
import threading
import time
from typing import Callable, TextIO

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import wire  # noqa: E402
from layers import Plain  # noqa: E402
from sessions import Session, State, matches  # noqa: E402
from wire import Malformed, Message, Reader  # noqa: E402

NOT_SUPPORTED, TAKEN_OVER, TOO_LARGE_JOURNAL = 0x83, 0x8E, 1 << 25


class Journal:
    """The state and, behind it, the events since then, in a file; without one nothing outlives the process."""

    def __init__(self, file: pathlib.Path | None) -> None:
        self.file, self.state, self.pending, self.size = file, State(), [], 0
        self.descriptor: int | None = None
        if file and file.exists():
            self._load(file)
        for client in [client for client, session in self.state.sessions.items() if not session.kept]:
            self.state.end(client)
        if file:
            self._write_anew()

    def do(self, event: str, *of: object):
        """Changes the state; `keep` must come before anybody is told."""
        if self.file:
            self.pending.append(pickle.dumps((event, of)))
        return getattr(self.state, event)(*of)

    def keep(self) -> None:
        if self.pending:
            written = b"".join(self.pending)
            self.pending.clear()
            self.size += len(written)
            self._write(written)
            if self.size > TOO_LARGE_JOURNAL:
                self._write_anew()

    def _load(self, file: pathlib.Path) -> None:
        with file.open("rb") as stored:
            self.state = pickle.load(stored)
            while True:
                try:
                    event, of = pickle.load(stored)
                except (EOFError, pickle.UnpicklingError):  # the last one may be cut off: nobody was told of it
                    return
                getattr(self.state, event)(*of)

    def _write_anew(self) -> None:
        """A new file takes the old one's place in one step."""
        new = self.file.with_suffix(".new")
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._write(pickle.dumps(self.state))
        os.rename(new, self.file)
        self.size = 0

    def _write(self, written: bytes) -> None:
        while written:
            written = written[os.write(self.descriptor, written):]


@dataclasses.dataclass
class Fault:
    """Close the connection in the middle of the first packet of this type, after that many of its bytes."""
    kind: int
    bytes: int
    incoming: bool  # from the client
    happened: bool = False


class Connection:
    def __init__(self, peer: socket.socket, layer: Plain) -> None:
        self.socket, self.layer = peer, layer
        self.received = bytearray()
        self.client: bytes | None = None  # once it has sent CONNECT
        self.session: Session | None = None
        self.version, self.window, self.keep_alive = wire.V311, 0, 0
        self.last_heard = time.monotonic()
        self.blocked = False  # it takes no more bytes just now
        self.ending = False  # what is to be sent still goes, and nothing more is read

    def send(self, packet: bytes) -> None:
        self.layer.send(packet)


class Broker:
    def __init__(self, listener: socket.socket, layer: Callable[[], Plain] = Plain, journal: pathlib.Path | None = None,
                 window: int = 20, fault: Fault | None = None, log: TextIO | None = None) -> None:
        self.log = log
        self.listener, self.layer, self.window, self.fault = listener, layer, window, fault
        self.journal = Journal(journal)
        self.state, self.do = self.journal.state, self.journal.do
        self.connections: dict[bytes, Connection] = {}
        self.accepted = 0
        self.complaints: list[str] = []  # of clients that do not keep to MQTT
        self.stop = False
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)

    def run(self) -> None:
        while not self.stop:
            for key, _ in self.selector.select(0.1):
                if key.data is None:
                    self._accept()
                else:
                    self._read(key.data)
            self.journal.keep()
            for key in list(self.selector.get_map().values()):
                if key.data is not None:
                    self._write(key.data)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def _accept(self) -> None:
        peer, _ = self.listener.accept()
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted += 1
        self.selector.register(peer, selectors.EVENT_READ, Connection(peer, self.layer()))

    def _read(self, connection: Connection) -> None:
        if connection.ending:
            return
        try:
            data = connection.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        connection.last_heard = time.monotonic()
        try:
            connection.received += connection.layer.received(data)
            for first, body in wire.split(connection.received):
                if self._cuts_incoming(first >> 4):
                    connection.ending = True
                if connection.ending:
                    break
                self._handle(connection, first, body)
            if connection.received and self._cuts_incoming(connection.received[0] >> 4, len(connection.received)):
                connection.ending = True
        except (Malformed, KeyError, UnicodeError) as problem:
            self.complaints.append(f"{connection.client}: {type(problem).__name__} {problem}")
            if self.log:
                print(self.complaints[-1], file=self.log, flush=True)
            connection.ending = True

    def _write(self, connection: Connection) -> None:
        out = connection.layer.out
        try:
            while out:
                del out[:connection.socket.send(out[:1 << 18])]
        except BlockingIOError:
            pass
        except OSError:
            out.clear()
            connection.ending = True
        if connection.ending and not out:
            self._drop(connection)
        elif connection.keep_alive and time.monotonic() - connection.last_heard > 1.5 * connection.keep_alive:
            self._drop(connection)
        elif connection.blocked != bool(out):
            connection.blocked = bool(out)
            self.selector.modify(connection.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if out else 0), connection)

    def _drop(self, connection: Connection) -> None:
        if connection.socket.fileno() < 0:
            return
        self.selector.unregister(connection.socket)
        connection.socket.close()
        if connection.client is not None and self.connections.get(connection.client) is connection:
            del self.connections[connection.client]
            if not connection.session.kept:
                self.do("end", connection.client)

    # Faults

    def _cuts_incoming(self, kind: int, arrived: int | None = None) -> bool:
        """Whether the connection is to be closed before this packet, of which that much has arrived, is handled."""
        fault = self.fault
        if not fault or fault.happened or not fault.incoming or fault.kind != kind:
            return False
        fault.happened = arrived is None or arrived >= fault.bytes
        return fault.happened

    def _send(self, connection: Connection, packet: bytes) -> None:
        fault = self.fault
        if connection.ending:
            return
        if fault and not fault.happened and not fault.incoming and fault.kind == packet[0] >> 4:
            fault.happened = True
            packet = packet[:fault.bytes]
            connection.ending = True
        connection.send(packet)

    # Packets

    def _handle(self, connection: Connection, first: int, body: bytes) -> None:
        kind = first >> 4
        if connection.client is None and kind != wire.CONNECT:
            raise Malformed(f"{wire.NAMES[kind]} before CONNECT")
        handler = self._handlers.get(kind)
        if not handler:
            raise Malformed(f"{wire.NAMES[kind]} from a client")
        handler(self, connection, first, body)

    def _connect(self, connection: Connection, _: int, body: bytes) -> None:
        if connection.client is not None:
            raise Malformed("a second CONNECT")
        reader = Reader(body)
        reader.text()
        connection.version = reader.number(1)
        is_5 = connection.version == wire.V5
        flags = reader.number(1)
        connection.keep_alive = reader.number(2)
        properties = wire.numbers_among(reader.properties()) if is_5 else {}
        client = reader.text()
        given = b""
        if flags & 4:
            self._send(connection, wire.packet(wire.CONNACK << 4, bytes((0, NOT_SUPPORTED, 0)) if is_5 else b"\0\5"))
            connection.ending = True
            return
        if not client:
            client = b"reference-" + str(self.accepted).encode()
            given = b"\x12" + wire.text(client)
        connection.window = min(self.window, properties.get(wire.RECEIVE_MAXIMUM, 65535))
        kept = properties.get(wire.SESSION_EXPIRY, 0) > 0 if is_5 else not flags & 2
        if other := self.connections.get(client):
            if other.version == wire.V5:
                self._send(other, wire.packet(wire.DISCONNECT << 4, bytes((TAKEN_OVER, 0))))
            other.ending = True
            del self.connections[client]
            if not other.session.kept:
                self.do("end", client)
        present = client in self.state.sessions and not flags & 2
        if present:
            self.do("keep", client, kept)
        else:
            self.do("begin", client, kept)
        connection.client, connection.session = client, self.state.sessions[client]
        self.connections[client] = connection
        # Neither wildcards in shared subscriptions nor identifiers: those are features, and it has none.
        answer = (b"\x21" + struct.pack(">H", 65535) + b"\x2a\0" + b"\x29\0" + given) if is_5 else b""
        self._send(connection, wire.packet(wire.CONNACK << 4, bytes((present, 0)), wire.length(len(answer)) if is_5 else b"",
                                           answer))
        for packet_id, (message, released) in connection.session.in_flight.items():
            self._send(connection, wire.acknowledgement(wire.PUBREL, packet_id) if released
                       else wire.publish(message, packet_id, connection.version, duplicate=True))
        self._pump(connection)

    def _publish(self, connection: Connection, first: int, body: bytes) -> None:
        message, packet_id, _ = wire.read_publish(first, body, connection.version)
        if not message.topic or b"+" in message.topic or b"#" in message.topic:
            raise Malformed("a topic name that is none")
        if message.qos == 2:
            if packet_id not in connection.session.received:
                self._take(message, connection.client, packet_id)
            self._send(connection, wire.acknowledgement(wire.PUBREC, packet_id))
        else:
            self._take(message)
            if message.qos:
                self._send(connection, wire.acknowledgement(wire.PUBACK, packet_id))

    def _take(self, message: Message, *exchange: object) -> None:
        self.do("publish", message, *exchange)
        for client, (_, qos) in self.state.routes(message.topic).items():
            if receiver := self.connections.get(client):
                if min(message.qos, qos) == 0:
                    self._send(receiver, wire.publish(message._replace(qos=0, retain=False), 0, receiver.version))
                self._pump(receiver)

    def _pump(self, connection: Connection) -> None:
        """Sends what the client may have now."""
        session = connection.session
        while session.queue and len(session.in_flight) < connection.window and not connection.ending:
            packet_id = self.do("send", connection.client)
            message = session.in_flight[packet_id][0]
            self._send(connection, wire.publish(message, packet_id, connection.version))

    def _puback(self, connection: Connection, first: int, body: bytes) -> None:
        self._finish(connection, first, body, 1)

    def _pubcomp(self, connection: Connection, first: int, body: bytes) -> None:
        self._finish(connection, first, body, 2)

    def _finish(self, connection: Connection, first: int, body: bytes, qos: int) -> None:
        packet_id = Reader(body).number(2)
        message, released = connection.session.in_flight.get(packet_id, (None, False))
        if message and message.qos == qos and released == (qos == 2):
            self.do("acknowledge", connection.client, packet_id)
            self._pump(connection)
        elif message:
            raise Malformed(f"{wire.NAMES[first >> 4]} for a message of QoS {message.qos} that is not that far")

    def _pubrec(self, connection: Connection, _: int, body: bytes) -> None:
        packet_id = Reader(body).number(2)
        message, released = connection.session.in_flight.get(packet_id, (None, False))
        if len(body) > 2 and body[2] >= 0x80:
            if message:
                self.do("acknowledge", connection.client, packet_id)
                self._pump(connection)
            return
        if message and message.qos != 2:
            raise Malformed("PUBREC for a message of QoS 1")
        if message and not released:
            self.do("pubrec", connection.client, packet_id)
        self._send(connection, wire.acknowledgement(wire.PUBREL, packet_id))

    def _pubrel(self, connection: Connection, _: int, body: bytes) -> None:
        packet_id = Reader(body).number(2)
        if packet_id in connection.session.received:
            self.do("release", connection.client, packet_id)
        self._send(connection, wire.acknowledgement(wire.PUBCOMP, packet_id))

    def _subscribe(self, connection: Connection, _: int, body: bytes) -> None:
        reader = Reader(body)
        packet_id, codes, new = reader.take(2), bytearray(), []
        if connection.version == wire.V5:
            reader.properties()
        while reader.rest():
            topic_filter, qos = reader.text(), reader.number(1) & 3
            self.do("subscribe", connection.client, topic_filter, qos)
            codes.append(qos)
            new.append((topic_filter, qos))
        self._send(connection, wire.packet(wire.SUBACK << 4, packet_id, self._no_properties(connection), bytes(codes)))
        for topic_filter, qos in new:
            self._send_retained(connection, topic_filter, qos)
        self._pump(connection)

    def _send_retained(self, connection: Connection, topic_filter: bytes, qos: int) -> None:
        for message in [one for topic, one in self.state.retained.items() if matches(topic_filter, topic)]:
            granted = message._replace(qos=min(qos, message.qos))
            if granted.qos:
                self.do("give", connection.client, granted)
            else:
                self._send(connection, wire.publish(granted, 0, connection.version))

    def _unsubscribe(self, connection: Connection, _: int, body: bytes) -> None:
        reader = Reader(body)
        packet_id, codes = reader.take(2), bytearray()
        if connection.version == wire.V5:
            reader.properties()
        while reader.rest():
            topic_filter = reader.text()
            codes.append(0 if topic_filter in connection.session.filters else 0x11)
            self.do("unsubscribe", connection.client, topic_filter)
        self._send(connection, wire.packet(wire.UNSUBACK << 4, packet_id, self._no_properties(connection),
                                           bytes(codes) if connection.version == wire.V5 else b""))

    def _ping(self, connection: Connection, *_) -> None:
        self._send(connection, wire.packet(wire.PINGRESP << 4))

    def _disconnect(self, connection: Connection, *_) -> None:
        connection.ending = True

    @staticmethod
    def _no_properties(connection: Connection) -> bytes:
        return b"\0" if connection.version == wire.V5 else b""

    _handlers = {wire.CONNECT: _connect, wire.PUBLISH: _publish, wire.PUBACK: _puback, wire.PUBREC: _pubrec,
                 wire.PUBREL: _pubrel, wire.PUBCOMP: _pubcomp, wire.SUBSCRIBE: _subscribe, wire.UNSUBSCRIBE: _unsubscribe,
                 wire.PINGREQ: _ping, wire.DISCONNECT: _disconnect}


def listen(port: int = 0) -> socket.socket:
    """A listener on the loopback; port 0: one that nobody has."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


class Here:
    """The broker in a thread of this process, for faults that need no SIGKILL."""

    def __init__(self, **how: object) -> None:
        listener = listen()
        self.port = listener.getsockname()[1]
        self.broker = Broker(listener, **how)
        self.thread = threading.Thread(target=self.broker.run, daemon=True)

    def __enter__(self) -> "Here":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.broker.stop = True
        self.thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("journal", type=pathlib.Path)
    parser.add_argument("--window", type=int, default=20, metavar="N", help="messages in flight to a client")
    chosen = parser.parse_args()
    Broker(listen(chosen.port), journal=chosen.journal, window=chosen.window, log=sys.stderr).run()


if __name__ == "__main__":
    main()
