"""What somebody writes with Debian's python3-paho-mqtt (1.6 or 2.1) who needs pub -l, pub -m, sub or sub -E."""

import sys

import paho.mqtt.client as mqtt
import paho.mqtt.publish


def new_client() -> mqtt.Client:
    if hasattr(mqtt, "CallbackAPIVersion"):  # from 2.0 on it must be said which arguments callbacks get
        return mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    return mqtt.Client()


def publish(port: int, qos: int, topic: str) -> None:
    """Each line of stdin is a message."""
    client = new_client()
    client.connect("127.0.0.1", port)
    client.loop_start()
    last = None
    for line in sys.stdin.buffer:
        last = client.publish(topic, line.rstrip(b"\n"), qos)
    if last:
        last.wait_for_publish()
    client.disconnect()
    client.loop_stop()


def receive(port: int, qos: int, topic: str) -> None:
    """Prints each message as a line, at once."""
    def on_message(_client, _data, message) -> None:
        sys.stdout.buffer.write(message.payload + b"\n")
        sys.stdout.buffer.flush()

    client = new_client()
    client.on_connect = lambda *_: client.subscribe(topic, qos)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


def oneshot(port: int, qos: int, topic: str) -> None:
    paho.mqtt.publish.single(topic, "x", qos, hostname="127.0.0.1", port=port)


def subscribe(port: int, qos: int, topic: str) -> None:
    """Ends when the broker has granted the subscription."""
    client = new_client()
    client.on_connect = lambda *_: client.subscribe(topic, qos)
    client.on_subscribe = lambda *_: client.disconnect()
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    ACTIONS = {"publish": publish, "receive": receive, "oneshot": oneshot, "subscribe": subscribe}
    ACTIONS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
