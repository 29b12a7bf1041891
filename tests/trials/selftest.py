"""That the referees see what they are there to see: the broker that never errs, and the judge of the tapes."""

import os
import pathlib
import socket
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import judge  # noqa: E402
import wire  # noqa: E402
from proxy import TO_BROKER, TO_CLIENT, Tape  # noqa: E402
from stage import ReferenceBroker  # noqa: E402
from wire import Message  # noqa: E402


def connect(client: bytes, version: int = wire.V311, clean: bool = False) -> bytes:
    properties = b"\5\x11\xff\xff\xff\xff" if version == wire.V5 else b""
    return wire.packet(wire.CONNECT << 4, wire.text(b"MQTT"), bytes((version, 2 if clean else 0)), b"\0\0", properties,
                       wire.text(client))


def number(value: int, qos: int) -> Message:
    return Message(b"a", b"%d" % value, qos)


class Client:
    """Speaks to a broker by hand, as long as its test lasts."""

    def __init__(self, test: unittest.TestCase, client: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", test.broker.port), 5)
        test.addCleanup(self.socket.close)
        self.received, self.packets = bytearray(), []
        self.send(connect(client))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def next(self) -> tuple[int, bytes]:
        while not self.packets:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.received += data
            self.packets += wire.split(self.received)
        return self.packets.pop(0)


class Broker(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.broker = ReferenceBroker(pathlib.Path(self.folder.name))
        self.broker.start()

    def tearDown(self) -> None:
        self.broker.kill()
        self.folder.cleanup()

    def restart(self) -> None:
        self.broker.kill()
        self.broker.start()

    def subscribe(self, client: Client, qos: int) -> None:
        client.send(wire.packet(wire.SUBSCRIBE << 4 | 2, b"\0\1", wire.text(b"a"), bytes((qos,))))
        self.assertEqual(client.next(), (0x90, b"\0\1" + bytes((qos,))))

    def test_what_was_acknowledged_outlives_a_kill(self) -> None:
        client = Client(self, b"one")
        self.assertEqual(client.next(), (0x20, b"\0\0"))
        self.subscribe(client, 1)
        client.send(wire.publish(number(1, 1), 7, wire.V311))
        self.assertEqual({client.next()[0] >> 4, client.next()[0] >> 4}, {wire.PUBACK, wire.PUBLISH})
        self.restart()
        client = Client(self, b"one")
        self.assertEqual(client.next(), (0x20, b"\1\0"))
        first, body = client.next()
        self.assertEqual(wire.read_publish(first, body, wire.V311), (number(1, 1), 1, True))
        client.send(wire.acknowledgement(wire.PUBACK, 1))
        client.send(wire.packet(wire.PINGREQ << 4))
        self.assertEqual(client.next()[0] >> 4, wire.PINGRESP)  # so that has been kept
        self.restart()
        client = Client(self, b"one")
        self.assertEqual(client.next(), (0x20, b"\1\0"))
        client.send(wire.packet(wire.PINGREQ << 4))
        self.assertEqual(client.next()[0] >> 4, wire.PINGRESP, "a message came again that was acknowledged")

    def test_an_exchange_of_qos_2_goes_on_after_a_kill(self) -> None:
        client = Client(self, b"two")
        client.next()
        self.subscribe(client, 2)
        client.send(wire.publish(number(1, 2), 7, wire.V311))
        self.assertEqual({client.next()[0] >> 4, client.next()[0] >> 4}, {wire.PUBREC, wire.PUBLISH})
        client.send(wire.acknowledgement(wire.PUBREC, 1))
        self.assertEqual(client.next(), (0x62, b"\0\1"))
        self.restart()
        client = Client(self, b"two")
        self.assertEqual(client.next(), (0x20, b"\1\0"))
        self.assertEqual(client.next(), (0x62, b"\0\1"))
        client.send(wire.publish(number(1, 2), 7, wire.V311, duplicate=True))  # pub had not seen its PUBREC
        self.assertEqual(client.next(), (0x50, b"\0\7"))
        client.send(wire.acknowledgement(wire.PUBREL, 7) + wire.acknowledgement(wire.PUBCOMP, 1))
        self.assertEqual(client.next(), (0x70, b"\0\7"))
        client.send(wire.publish(number(2, 2), 7, wire.V311))
        self.assertEqual({client.next()[0] >> 4, client.next()[0] >> 4}, {wire.PUBREC, wire.PUBLISH})

    def test_a_clean_session_ends_with_its_connection(self) -> None:
        client = Client(self, b"three")
        client.next()
        self.subscribe(client, 1)
        client.send(wire.packet(wire.DISCONNECT << 4))
        self.assertRaises(EOFError, client.next)
        clean = socket.create_connection(("127.0.0.1", self.broker.port), 5)
        clean.sendall(connect(b"three", clean=True))
        self.assertEqual(clean.recv(4), b"\x20\2\0\0")
        clean.close()

    def test_what_is_not_mqtt_ends_the_connection(self) -> None:
        for nonsense in (b"\xff\xff\xff\xff\xff", wire.acknowledgement(wire.PUBCOMP, 9)[:3] + b"\0", b"\x20\2\0\0"):
            client = Client(self, b"four")
            client.next()
            client.send(nonsense + wire.packet(wire.CONNECT << 4))
            self.assertRaises(EOFError, client.next)


class Judge(unittest.TestCase):
    @staticmethod
    def tape(*pieces: tuple[int, bytes]) -> list:
        tape = Tape()
        tape.pieces = [(TO_BROKER, connect(b"x")), *pieces]
        return judge.by_client([tape])["x"]

    def test_qos_1_must_be_printed_once_acknowledged(self) -> None:
        received = judge.of_subscriber(self.tape(
            (TO_CLIENT, b"\x20\2\0\0" + wire.publish(number(1, 1), 1, 4) + wire.publish(number(2, 1), 2, 4)),
            (TO_BROKER, wire.acknowledgement(wire.PUBACK, 2)), (TO_CLIENT, wire.publish(number(2, 1), 3, 4))))
        self.assertEqual((received.least, received.most), ({2: 1}, {1: 1, 2: 2}))

    def test_qos_2_sent_again_in_its_exchange_is_the_same_message(self) -> None:
        exchange = [(TO_CLIENT, b"\x20\2\1\0"), (TO_CLIENT, wire.publish(number(5, 2), 1, 4)),
                    (TO_CLIENT, wire.publish(number(5, 2), 1, 4, duplicate=True))]
        self.assertEqual(judge.of_subscriber(self.tape(*exchange)).most, {5: 1})
        again = [*exchange, (TO_BROKER, wire.acknowledgement(wire.PUBREC, 1)),
                 (TO_CLIENT, wire.acknowledgement(wire.PUBREL, 1)), (TO_BROKER, wire.acknowledgement(wire.PUBCOMP, 1)),
                 (TO_CLIENT, wire.publish(number(5, 2), 1, 4))]
        received = judge.of_subscriber(self.tape(*again))
        self.assertEqual((received.least, received.most), ({5: 1}, {5: 2}))

    def test_qos_2_of_one_that_is_killed_is_acknowledged_by_pubrec(self) -> None:
        half = self.tape((TO_CLIENT, b"\x20\2\1\0" + wire.publish(number(5, 2), 1, 4)),
                         (TO_BROKER, wire.acknowledgement(wire.PUBREC, 1)))
        self.assertEqual(judge.of_subscriber(half).least, {})
        self.assertEqual(judge.of_subscriber(half, forgets=True).least, {5: 1})

    def test_pieces_are_put_together(self) -> None:
        whole = wire.publish(number(3, 1), 1, 4)
        received = judge.of_subscriber(self.tape((TO_CLIENT, whole[:3]), (TO_BROKER, b""), (TO_CLIENT, whole[3:])))
        self.assertEqual(received.most, {3: 1})

    def test_a_publisher_that_begins_a_released_message_again_is_seen(self) -> None:
        exchange = [(TO_CLIENT, b"\x20\2\1\0"), (TO_BROKER, wire.publish(number(1, 2), 1, 4)),
                    (TO_CLIENT, wire.acknowledgement(wire.PUBREC, 1)), (TO_BROKER, wire.acknowledgement(wire.PUBREL, 1))]
        self.assertEqual(judge.of_publisher(self.tape(*exchange)).twice, set())
        self.assertEqual(judge.of_publisher(self.tape(*exchange, (TO_BROKER, wire.publish(number(1, 2), 2, 4)))).twice, {1})
        done = judge.of_publisher(self.tape(*exchange, (TO_CLIENT, wire.acknowledgement(wire.PUBCOMP, 1))))
        self.assertEqual((done.twice, done.acknowledged), (set(), {1}))


if __name__ == "__main__":
    unittest.main()
