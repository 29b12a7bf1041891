"""What a broker has to remember. It changes by events alone, so that a journal of them is all that must be kept."""

import collections
import functools

from wire import Message


class Session:
    """What the broker keeps for one client id."""

    def __init__(self, kept: bool) -> None:
        self.kept = kept  # beyond the connection
        self.filters: dict[bytes, int] = {}  # and the QoS that each was granted
        self.queue: collections.deque[Message] = collections.deque()
        self.in_flight: dict[int, tuple[Message, bool]] = {}  # by packet id, in the order they were sent; True: PUBREC came
        self.received: set[int] = set()  # packet ids of QoS 2 whose PUBREL is still to come
        self.last_id = 0

    def next_id(self) -> int:
        packet_id = self.last_id % 65535 + 1
        while packet_id in self.in_flight:
            packet_id = packet_id % 65535 + 1
        return packet_id


def matches(topic_filter: bytes, topic: bytes) -> bool:
    wanted, levels = topic_filter.split(b"/"), topic.split(b"/")
    if topic.startswith(b"$") and wanted[0] in (b"#", b"+"):
        return False
    for at, level in enumerate(wanted):
        if level == b"#":
            return True
        if at >= len(levels) or level not in (b"+", levels[at]):
            return False
    return len(wanted) == len(levels)


class State:
    """All sessions and retained messages. Each method is an event: done again in the same order, they give the same state."""

    def __init__(self) -> None:
        self.sessions: dict[bytes, Session] = {}
        self.retained: dict[bytes, Message] = {}

    def begin(self, client: bytes, kept: bool) -> None:
        self.sessions[client] = Session(kept)
        self._forget_routes()

    def keep(self, client: bytes, kept: bool) -> None:
        self.sessions[client].kept = kept

    def end(self, client: bytes) -> None:
        self.sessions.pop(client, None)
        self._forget_routes()

    def subscribe(self, client: bytes, topic_filter: bytes, qos: int) -> None:
        self.sessions[client].filters[topic_filter] = qos
        self._forget_routes()

    def unsubscribe(self, client: bytes, topic_filter: bytes) -> None:
        self.sessions[client].filters.pop(topic_filter, None)
        self._forget_routes()

    def publish(self, message: Message, client: bytes = b"", packet_id: int = 0) -> None:
        """With a client and packet id it is of QoS 2: taking it and remembering that id is one event."""
        if packet_id:
            self.sessions[client].received.add(packet_id)
        if message.retain:
            if message.payload:
                self.retained[message.topic] = message
            else:
                self.retained.pop(message.topic, None)
        for session, qos in self.routes(message.topic).values():
            if granted := min(qos, message.qos):
                session.queue.append(message._replace(qos=granted, retain=False))

    def give(self, client: bytes, message: Message) -> None:
        """A retained message for a new subscription."""
        self.sessions[client].queue.append(message)

    def release(self, client: bytes, packet_id: int) -> None:
        self.sessions[client].received.discard(packet_id)

    def send(self, client: bytes) -> int:
        """The packet id with which the next message in the queue is sent."""
        session = self.sessions[client]
        session.last_id = session.next_id()
        session.in_flight[session.last_id] = (session.queue.popleft(), False)
        return session.last_id

    def pubrec(self, client: bytes, packet_id: int) -> None:
        message, _ = self.sessions[client].in_flight[packet_id]
        self.sessions[client].in_flight[packet_id] = (message, True)

    def acknowledge(self, client: bytes, packet_id: int) -> None:
        del self.sessions[client].in_flight[packet_id]

    def routes(self, topic: bytes) -> dict[bytes, tuple[Session, int]]:
        """Each client whose filters match the topic, with its session and the highest QoS that it was granted."""
        return self._routes(topic)

    @functools.cached_property
    def _routes(self):
        @functools.lru_cache(maxsize=1000)
        def find(topic: bytes) -> dict[bytes, tuple[Session, int]]:
            found = {}
            for client, session in self.sessions.items():
                granted = [qos for topic_filter, qos in session.filters.items() if matches(topic_filter, topic)]
                if granted:
                    found[client] = (session, max(granted))
            return found
        return find

    def _forget_routes(self) -> None:
        self.__dict__.pop("_routes", None)

    def __getstate__(self) -> dict:
        return {"sessions": self.sessions, "retained": self.retained}
