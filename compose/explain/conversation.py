"""What happened, made of the frames: who took part, which connections there were, and what became of each message."""

import collections
import dataclasses
import ipaddress
import statistics

from capture import Capture, Frame, Packet

MILLISECOND = 1_000_000  # times are nanoseconds


@dataclasses.dataclass(eq=False)
class Exchange:
    """A PUBLISH and what answered it: TCP's ACK for its bytes, and with QoS 1 and 2 MQTT's own packets for the message."""
    publish: Packet
    by_client: bool  # to the broker; else from it
    connection: "Connection"
    topic: str
    ack: Frame | None = None
    answers: list[Packet] = dataclasses.field(default_factory=list)  # PUBACK, or PUBREC, PUBREL and PUBCOMP

    @property
    def key(self) -> tuple[str, bytes]:
        return self.topic, self.publish.payload


@dataclasses.dataclass(eq=False)
class Subscription:
    request: Packet
    filters: list[tuple[str, int]]  # topic filter and QoS asked for
    answer: Packet | None = None
    codes: list[int] = dataclasses.field(default_factory=list)  # of SUBACK, one for each filter


@dataclasses.dataclass(eq=False)
class Connection:
    """One TCP connection between a client and the broker, named by their addresses and ports."""
    stream: int
    client: tuple[str, int]
    broker: tuple[str, int]
    frames: list[Frame] = dataclasses.field(default_factory=list)
    packets: list[Packet] = dataclasses.field(default_factory=list)
    exchanges: list[Exchange] = dataclasses.field(default_factory=list)
    subscriptions: list[Subscription] = dataclasses.field(default_factory=list)
    acknowledged_by: dict[int, Frame] = dataclasses.field(default_factory=dict)  # number of a frame with data: its ACK
    acknowledges: dict[int, Frame] = dataclasses.field(default_factory=dict)  # number of a frame: the last whose ACK it is
    topics: dict[int, str] = dataclasses.field(default_factory=dict)  # id() of a PUBLISH: its topic name, alias or not
    name: str = ""

    def from_client(self, frame: Frame) -> bool:
        return (frame.source, frame.source_port) == self.client

    def first(self, kind: str) -> Packet | None:
        return next((packet for packet in self.packets if packet.kind == kind), None)

    def of_kind(self, kind: str) -> list[Packet]:
        return [packet for packet in self.packets if packet.kind == kind]

    def with_flag(self, *flags: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.flags >= set(flags)]

    @property
    def client_id(self) -> str:
        connack, connect = self.first("CONNACK"), self.first("CONNECT")
        return (connect.get("mqtt.clientid") if connect else "") or (
            property_value(connack, "Assigned Client Identifier") if connack else "")

    @property
    def syn(self) -> Frame | None:
        return next((frame for frame in self.frames if "SYN" in frame.flags and "ACK" not in frame.flags), None)

    @property
    def syn_ack(self) -> Frame | None:
        return next((frame for frame in self.frames if {"SYN", "ACK"} <= frame.flags), None)

    @property
    def recorded_whole(self) -> bool:
        """Whether the capture has all its packets; what is missing from one that has not may have been there."""
        return not any(frame.notes & {"lost_segment", "ack_lost_segment"} for frame in self.frames)

    @property
    def accepted(self) -> bool:
        connack = self.first("CONNACK")
        return connack is not None and reason(connack) == 0

    @property
    def publishes(self) -> bool:
        return any(exchange.by_client for exchange in self.exchanges)

    @property
    def receives(self) -> bool:
        return bool(self.subscriptions) or any(not exchange.by_client for exchange in self.exchanges)


@dataclasses.dataclass
class TopicTraffic:
    """What clients published on one topic name."""
    topic: str
    exchanges: list[Exchange]
    deliveries: int  # of these messages to subscribers

    @property
    def intervals(self) -> list[int]:
        times = [exchange.publish.frame.time for exchange in self.exchanges]
        return [after - before for before, after in zip(times, times[1:])]

    @property
    def sizes(self) -> list[int]:
        return [len(exchange.publish.payload) for exchange in self.exchanges]

    @property
    def jitter(self) -> float | None:
        """The standard deviation of the intervals, in nanoseconds; None for fewer than two of them."""
        return statistics.stdev(self.intervals) if len(self.intervals) > 1 else None


@dataclasses.dataclass
class Conversation:
    capture: Capture
    connections: list[Connection]
    arp: list[Frame]
    names: dict[str, str]  # of addresses, as the hosts file has them
    forwards: list[tuple[Exchange, Exchange]]  # into the broker, and out of it again
    topics: list[TopicTraffic]

    @property
    def begin(self) -> int:
        return self.capture.frames[0].time if self.capture.frames else 0

    @property
    def brokers(self) -> list[tuple[str, int]]:
        return list(dict.fromkeys(connection.broker for connection in self.connections))

    def address_name(self, address: str) -> str:
        return self.names.get(address, address)


def property_value(packet: Packet, name: str) -> str:
    """The value of an MQTT 5 property by the name that the specification has for it; empty where there is none."""
    for at, field in enumerate(packet.fields):
        if field.name == "mqtt.property_id" and f": {name} " in field.line:
            return next((value.show for value in packet.fields[at + 1:at + 3]
                         if value.name in ("mqtt.prop_number", "mqtt.prop_string") or
                         value.name.startswith("mqtt.property.")), "")
    return ""


def reason(packet: Packet) -> int:
    """The reason code of an answer, 0 where it has none (MQTT 5.0, 2.4; a DISCONNECT without one is normal)."""
    names = {"CONNACK": ("mqtt.conack.val", "mqtt.connack.reason_code")}.get(
        packet.kind, (f"mqtt.{packet.kind.lower()}.reason_code",))
    return next((packet.number(name) for name in names if packet.get(name)), 0)


def reason_name(packet: Packet) -> str:
    """What tshark calls that code, without the number."""
    for field in packet.fields:
        if field.name.endswith(("reason_code", "conack.val")):
            return field.line.partition(": ")[2].rpartition(" (")[0]
    return ""


def matches(filter_: str, topic: str) -> bool:
    """Whether a topic filter matches a topic name (MQTT 5.0, 4.7); a shared subscription by the filter in it."""
    if filter_.startswith("$share/"):
        filter_ = filter_.split("/", 2)[-1]
    levels, names = filter_.split("/"), topic.split("/")
    if topic.startswith("$") and levels[0] in ("+", "#"):
        return False
    for at, level in enumerate(levels):
        if level == "#":
            return True
        if at >= len(names) or level not in ("+", names[at]):
            return False
    return len(levels) == len(names)


def understand(capture: Capture, names: dict[str, str]) -> Conversation:
    connections = _connections(capture)
    for connection in connections:
        _acknowledge(connection)
        _converse(connection)
    _name(connections, names)
    forwards = _forwards(connections)
    return Conversation(capture, connections, [frame for frame in capture.frames if frame.arp], names, forwards,
                        _topics(connections, forwards))


def _connections(capture: Capture) -> list[Connection]:
    found: dict[int, Connection] = {}
    for frame in capture.frames:
        if frame.stream < 0:
            continue
        connection = found.get(frame.stream)
        if connection is None:
            source, destination = (frame.source, frame.source_port), (frame.destination, frame.destination_port)
            # The broker is whom a SYN goes to; where the beginning is missing, whose port is one of MQTT's.
            to_broker = "ACK" not in frame.flags if "SYN" in frame.flags else frame.destination_port in capture.ports
            client, broker = (source, destination) if to_broker else (destination, source)
            connection = found[frame.stream] = Connection(frame.stream, client, broker)
        connection.frames.append(frame)
        connection.packets += frame.packets
    return list(found.values())


def _acknowledge(connection: Connection) -> None:
    waiting: dict[bool, collections.deque[Frame]] = {True: collections.deque(), False: collections.deque()}
    for frame in connection.frames:
        from_client = connection.from_client(frame)
        if "ACK" in frame.flags:
            others = waiting[not from_client]
            while others and others[0].end <= frame.acknowledges:
                acknowledged = others.popleft()
                connection.acknowledged_by[acknowledged.number] = frame
                connection.acknowledges[frame.number] = acknowledged
        if frame.data and not frame.again:
            waiting[from_client].append(frame)


# Which packet, going which way, belongs to the exchange that a PUBLISH began: PUBREL follows the PUBLISH, the others come back.
_ANSWERS = {"PUBACK": False, "PUBREC": False, "PUBREL": True, "PUBCOMP": False}


def _converse(connection: Connection) -> None:
    open_: dict[tuple[bool, int], Exchange] = {}
    aliases: dict[tuple[bool, str], str] = {}
    asked: dict[int, Subscription] = {}
    for packet in connection.packets:
        by_client = connection.from_client(packet.frame)
        if packet.kind == "PUBLISH":
            topic, alias = packet.topic, property_value(packet, "Topic Alias")
            if alias:  # MQTT 5.0, 3.3.2.3.4: an empty topic name means the one that the alias was given with
                topic = aliases[by_client, alias] = topic or aliases.get((by_client, alias), "")
            connection.topics[id(packet)] = topic
            exchange = Exchange(packet, by_client, connection, topic, connection.acknowledged_by.get(packet.frame.number))
            connection.exchanges.append(exchange)
            if packet.qos:
                open_[by_client, packet.id] = exchange
        elif packet.kind in _ANSWERS:
            exchange = open_.get((by_client == _ANSWERS[packet.kind], packet.id))
            if exchange:
                exchange.answers.append(packet)
        elif packet.kind == "SUBSCRIBE":
            qos = [int(value, 0) & 3 for value in packet.all("mqtt.sub.qos") or packet.all("mqtt.subscription_options")]
            filters = packet.all("mqtt.topic")
            subscription = Subscription(packet, list(zip(filters, qos + [0] * (len(filters) - len(qos)))))
            connection.subscriptions.append(subscription)
            asked[packet.id] = subscription
        elif packet.kind == "SUBACK" and packet.id in asked:
            subscription = asked.pop(packet.id)
            subscription.answer = packet
            subscription.codes = [int(value, 0) for value in
                                  packet.all("mqtt.suback.qos") or packet.all("mqtt.suback.reason_code")]


def _name(connections: list[Connection], names: dict[str, str]) -> None:
    """A client is called by its host, where it has one of its own; else by its client id; else by its port."""
    brokers = {connection.broker[0] for connection in connections}
    for connection in connections:
        address, port = connection.client
        shared = address in brokers or ipaddress.ip_address(address).is_loopback
        if address in names and not shared:
            connection.name = names[address]
        elif shared:
            connection.name = connection.client_id or f"port {port}"
        else:
            connection.name = connection.client_id or address


def _forwards(connections: list[Connection]) -> list[tuple[Exchange, Exchange]]:
    """Pairs each message that the broker sent with the oldest one of that topic and payload that it had got since that
    subscriber asked for it, and had not sent it yet."""
    published = sorted((exchange for connection in connections for exchange in connection.exchanges if exchange.by_client
                        and not exchange.publish.flag("mqtt.dupflag")), key=lambda exchange: exchange.publish.frame.number)
    pairs = []
    for connection in connections:
        delivered = [exchange for exchange in connection.exchanges if not exchange.by_client]
        if not delivered:
            continue
        since = connection.subscriptions[0].request.frame.number if connection.subscriptions else 0
        waiting: dict[tuple[str, bytes], collections.deque[Exchange]] = collections.defaultdict(collections.deque)
        for exchange in published:
            if exchange.publish.frame.number > since:
                waiting[exchange.key].append(exchange)
        for out in delivered:
            queue = waiting.get(out.key)
            if queue and not out.publish.flag("mqtt.dupflag") and (
                    queue[0].publish.frame.number < out.publish.frame.number):
                pairs.append((queue.popleft(), out))
    return pairs


def _topics(connections: list[Connection], forwards: list[tuple[Exchange, Exchange]]) -> list[TopicTraffic]:
    by_topic: dict[str, list[Exchange]] = {}
    for connection in connections:
        for exchange in connection.exchanges:
            if exchange.by_client:
                by_topic.setdefault(exchange.topic, []).append(exchange)
    for exchanges in by_topic.values():
        exchanges.sort(key=lambda exchange: exchange.publish.frame.number)
    delivered = collections.Counter(published.topic for published, _ in forwards)
    return [TopicTraffic(topic, exchanges, delivered[topic]) for topic, exchanges in by_topic.items()]
