"""The clients that are compared: which command line of each does the same work, and whether it is there."""

import dataclasses
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
OURS = "ours"
BESIDE = "beside"


@dataclasses.dataclass(frozen=True)
class Client:
    """Command lines, as words; a port and a topic are added. `publish` reads lines from stdin, `receive` prints messages as
    lines until it is ended, `oneshot` publishes one message, `subscribe` ends when its subscription is granted."""
    name: str
    label: str
    version: str
    publish: list[str]
    receive: list[str]
    oneshot: list[str]
    subscribe: list[str] | None = None
    receive_json: list[str] | None = None
    repeat: list[str] | None = None
    script: bool = False  # its port and topic are plain words
    ends_with_newline: bool = False  # its payloads have the newline of their line
    files: tuple[pathlib.Path, ...] = ()

    @property
    def block(self) -> int:
        """How many one-shots make a round: fewer where each takes long."""
        return 25 if self.name in (OURS, BESIDE, "mosquitto") else 8

    def command(self, words: list[str], port: int, qos: int, topic: str, *more: str) -> list[str]:
        if self.script:
            return [*words, str(port), str(qos), topic]
        return [*words, "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-q", str(qos), *more]


def output(command: list[str]) -> str:
    """What a command prints, on either stream, whatever its status; empty where it cannot be started."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else "unknown"


def ours(folder: pathlib.Path, name: str = OURS, label: str = "pub, sub") -> Client:
    pub, sub = folder / "pub", folder / "sub"
    return Client(name, label, " ".join(output([str(pub), "--version"]).split()) or "unknown",
                  publish=[str(pub), "-l"], receive=[str(sub)], receive_json=[str(sub), "--json"],
                  oneshot=[str(pub), "-m", "x"], subscribe=[str(sub), "-E"],
                  repeat=[str(pub), "-m", "x", "--rate", "{rate}", "--repeat", "{count}"], files=(pub, sub))


def mosquitto() -> Client | str:
    pub, sub = shutil.which("mosquitto_pub"), shutil.which("mosquitto_sub")
    if not pub or not sub:
        return "mosquitto_pub and mosquitto_sub are not there"
    return Client("mosquitto", "mosquitto_pub, mosquitto_sub", first(r"version (\S+)", output([pub, "--help"])),
                  publish=[pub, "-l"], receive=[sub], receive_json=[sub, "-F", "%j"], oneshot=[pub, "-m", "x"],
                  subscribe=[sub, "-E"], repeat=[pub, "-m", "x", "--repeat", "{count}", "--repeat-delay", "{delay}"],
                  files=(pathlib.Path(pub), pathlib.Path(sub)))


def python() -> Client | str:
    interpreter = "/usr/bin/python3"
    version = output([interpreter, "-c", "import paho.mqtt; print('paho', paho.mqtt.__version__)"])
    if not version.startswith("paho"):
        return "python3-paho-mqtt is not there"
    call = [interpreter, str(HERE / "paho_peer.py")]
    return Client("python", "python3-paho-mqtt", version.split()[1], publish=[*call, "publish"], receive=[*call, "receive"],
                  oneshot=[*call, "oneshot"], subscribe=[*call, "subscribe"], script=True)


def paho_c() -> Client | str:
    # paho_cs_pub, for paho_c_pub does not end with its stdin, and drops what it cannot queue.
    pub, sub = shutil.which("paho_cs_pub"), shutil.which("paho_c_sub")
    if not pub or not sub:
        return "paho.mqtt.c-examples are not there"
    return Client("paho-c", "paho_cs_pub, paho_c_sub", first(r"Version: (\S+)", output([pub, "--help"])),
                  publish=[pub, "--maxdatalen", "65536"], receive=[sub], oneshot=[pub, "-m", "x"], ends_with_newline=True)


def mqttjs() -> Client | str:
    # Debian's modules are where its own node looks, and others must be told.
    call = ["env", "NODE_PATH=/usr/share/nodejs", "node"]
    version = output([*call, "-e", "console.log('mqtt', require('mqtt/package.json').version)"])
    if not version.startswith("mqtt "):
        return "node finds no module mqtt (--with-mqttjs installs it)"
    call.append(str(HERE / "mqttjs_peer.js"))
    return Client("mqttjs", "MQTT.js", version.split()[1], publish=[*call, "publish"], receive=[*call, "receive"],
                  oneshot=[*call, "oneshot"], subscribe=[*call, "subscribe"], script=True)


def find(folder: pathlib.Path, beside: pathlib.Path | None) -> tuple[list[Client], dict[str, str]]:
    """Ours, another build of ours where one is given, and the peers that are there; of the others why they are not."""
    there, absent = [ours(folder)], {}
    if beside:
        there.append(ours(beside, BESIDE, f"{beside}/pub, sub"))
    for name, peer in (("mosquitto", mosquitto()), ("python", python()), ("paho-c", paho_c()), ("mqttjs", mqttjs())):
        if isinstance(peer, Client):
            there.append(peer)
        else:
            absent[name] = peer
    return there, absent
