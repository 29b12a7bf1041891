"""A TCP proxy before a broker, which does to its connections what a bad network does, and remembers what went through."""

import collections
import dataclasses
import random
import select
import socket
import struct
import threading
import time
from typing import Callable, Self

from reference_broker import listen

TO_BROKER, TO_CLIENT = 0, 1
PIECE = 1 << 16


@dataclasses.dataclass(frozen=True)
class Way:
    """What a connection goes through."""
    cut_after: int | None = None  # bytes, both directions together; then both sides are closed
    reset: bool = False  # by RST, not FIN
    hole: threading.Event | None = None  # once it is set nothing passes any more, and nothing is closed
    segment: int = PIECE  # bytes in one segment
    rate: float | None = None  # bytes a second, in each direction
    delay: float = 0  # seconds, towards the client


class Tape:
    """What went over one connection, in order: each piece before it was sent on, so that no answer stands before its cause."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []


class Listener:
    """Listens on a port of its own until it is left, and does what `_serve` says on a thread, which looks at `stopping`."""

    def __init__(self) -> None:
        self.listener = listen()
        self.port = self.listener.getsockname()[1]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stopping.set()
        self.thread.join()
        self.listener.close()

    def _serve(self) -> None:
        raise NotImplementedError


class Proxy(Listener):
    """`way(number)` says what the connection of that number, from 0, meets."""

    def __init__(self, broker_port: int, way: Callable[[int], Way] = lambda _: Way(), tapes: bool = False) -> None:
        super().__init__()
        self.broker_port, self.way, self.keeps_tapes = broker_port, way, tapes
        self.tapes: list[Tape] = []
        self.connections = 0
        self.cuts = 0
        self.passed = 0  # bytes

    def _serve(self) -> None:
        threads = []
        while not self.stopping.is_set():
            if not select.select([self.listener], [], [], 0.05)[0]:
                continue
            client, _ = self.listener.accept()
            link = _Link(self, client, self.way(self.connections))
            self.connections += 1
            threads.append(threading.Thread(target=link.run, daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()


class _Link:
    def __init__(self, proxy: Proxy, client: socket.socket, way: Way) -> None:
        self.proxy, self.client, self.way = proxy, client, way
        self.broker = socket.socket()
        self.tape = Tape()
        self.passed = 0

    def run(self) -> None:
        """Until either side closes, it is cut, or the proxy ends."""
        try:
            self.broker.connect(("127.0.0.1", self.proxy.broker_port))
            for end in (self.client, self.broker):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.setblocking(False)
            if self.proxy.keeps_tapes:
                self.proxy.tapes.append(self.tape)
            self._pass_on()
        except OSError:
            pass
        finally:
            if self.way.reset:
                for end in (self.client, self.broker):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.close()
            self.broker.close()

    def _pass_on(self) -> None:
        lanes = [_Lane(self.client, self.broker, 0), _Lane(self.broker, self.client, self.way.delay)]
        while not self.proxy.stopping.is_set() and not all(lane.closed for lane in lanes):
            now = time.monotonic()
            reads = [lane.source for lane in lanes if not lane.ended and len(lane.waiting) < 1000]
            writes = [lane.sink for lane in lanes if lane.due(now)]
            times = [lane.next_time() - now for lane in lanes if lane.waiting and not lane.due(now)]
            readable, writable, _ = select.select(reads, writes, [], min([0.05, *(max(0.0005, one) for one in times)]))
            for direction, lane in enumerate(lanes):
                if lane.source in readable and not lane.read() and self._in_hole():
                    return
                if lane.sink in writable and not self._send(direction, lane):
                    return
                if lane.ended and not lane.waiting and not lane.closed:
                    lane.sink.shutdown(socket.SHUT_WR)
                    lane.closed = True

    def _in_hole(self) -> bool:
        return self.way.hole is not None and self.way.hole.is_set()

    def _send(self, direction: int, lane: "_Lane") -> bool:
        """Sends on what is due; False when the connection is to be cut."""
        way = self.way
        if self._in_hole():
            lane.waiting.clear()
            return True
        _, data = lane.waiting.popleft()
        piece = data[:way.segment]
        if way.cut_after is not None:
            piece = piece[:max(0, way.cut_after - self.passed)]
        self.tape.pieces.append((direction, piece))
        sent = lane.sink.send(piece) if piece else 0
        self.tape.pieces[-1] = (direction, piece[:sent])
        if data[sent:]:
            lane.waiting.appendleft((0, data[sent:]))
        self.passed += sent
        self.proxy.passed += sent
        if way.rate:
            lane.not_before = time.monotonic() + sent / way.rate
        if way.cut_after is not None and self.passed >= way.cut_after:
            self.proxy.cuts += 1
            return False
        return True


class _Lane:
    """One direction."""

    def __init__(self, source: socket.socket, sink: socket.socket, delay: float) -> None:
        self.source, self.sink, self.delay = source, sink, delay
        self.waiting: collections.deque[tuple[float, bytes]] = collections.deque()  # with the time when it may go
        self.not_before = 0.0
        self.ended = False  # nothing more comes from the source
        self.closed = False  # and the sink has been told

    def read(self) -> bool:
        """Takes what has arrived; False where that is the end."""
        data = self.source.recv(PIECE)
        if data:
            self.waiting.append((time.monotonic() + self.delay, data))
        else:
            self.ended = True
        return bool(data)

    def next_time(self) -> float:
        return max(self.waiting[0][0], self.not_before)

    def due(self, now: float) -> bool:
        return bool(self.waiting) and self.next_time() <= now


def random_cuts(random_: random.Random, cuts: int, least: int, most: int) -> Callable[[int], Way]:
    """The first `cuts` connections end at a random byte, by FIN or RST."""
    ways = [Way(cut_after=random_.randint(least, most), reset=random_.random() < 0.5) for _ in range(cuts)]
    return lambda number: ways[number] if number < cuts else Way()
