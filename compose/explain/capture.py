"""Frames of a capture, as tshark reads them. Nothing here takes a protocol apart: every value is one that tshark says."""

import dataclasses
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

# A report is for a person: what is beyond this many frames is left out, and said to be.
FRAMES_READ = 200_000

MQTT_PORTS = (1883, 8883)

# The types of MQTT control packets by their number (MQTT 5.0, 2.1.2).
KINDS = ("reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
         "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH")


class Unreadable(Exception):
    """A file that tshark cannot read, or a machine without tshark; the message says which."""


@dataclasses.dataclass(frozen=True)
class Field:
    """What tshark says of some bytes: its name for them, the value, a line for people, and where they stand."""
    name: str
    show: str
    line: str
    position: int
    size: int
    value: str  # the bytes in hexadecimal


@dataclasses.dataclass(eq=False)
class Packet:
    """One MQTT control packet. A frame may carry several, and one may have come in several frames: `frame` is the last."""
    frame: "Frame"
    kind: str
    size: int
    fields: list[Field]

    def all(self, name: str) -> list[str]:
        return [field.show for field in self.fields if field.name == name]

    def get(self, name: str, default: str = "") -> str:
        return next((field.show for field in self.fields if field.name == name), default)

    def number(self, name: str, default: int = 0) -> int:
        text = self.get(name)
        if text in ("True", "False"):  # flags, since tshark 4.2
            return int(text == "True")
        return int(text, 0) if text else default

    def flag(self, name: str) -> bool:
        return self.get(name).lower() in ("1", "true")

    @property
    def qos(self) -> int:
        return self.number("mqtt.qos")

    @property
    def id(self) -> int:
        return self.number("mqtt.msgid")

    @property
    def topic(self) -> str:
        return self.get("mqtt.topic")

    @property
    def payload(self) -> bytes:
        return bytes.fromhex(next((field.value for field in self.fields if field.name == "mqtt.msg"), ""))


@dataclasses.dataclass(frozen=True)
class Arp:
    request: bool
    sender: str
    sender_hardware: str
    target: str


@dataclasses.dataclass(eq=False)
class Frame:
    number: int
    time: int  # nanoseconds since 1970
    size: int
    source: str = ""
    destination: str = ""
    source_port: int = 0
    destination_port: int = 0
    stream: int = -1
    begin: int = 0  # the first byte of its data and the one after the last, counted from the stream's beginning
    end: int = 0
    acknowledges: int = 0  # all bytes of the other direction before this one have arrived
    data: int = 0  # bytes that TCP carries
    flags: frozenset[str] = frozenset()
    notes: frozenset[str] = frozenset()  # tshark's analysis: retransmission, duplicate_ack...
    headers: tuple[tuple[str, int], ...] = ()  # what lies around the data, and its bytes
    packets: list[Packet] = dataclasses.field(default_factory=list)
    arp: Arp | None = None
    encrypted: bool = False  # TLS that no key log opened

    @property
    def again(self) -> bool:
        """Bytes that were sent before."""
        return bool(self.notes & {"retransmission", "fast_retransmission", "spurious_retransmission"})


@dataclasses.dataclass
class Capture:
    frames: list[Frame]
    ports: list[int]  # where MQTT was looked for
    cut_short: bool  # tshark found the file's end in the midst of a frame
    more: bool  # there are frames beyond FRAMES_READ


def _tshark(arguments: list[str]) -> subprocess.Popen:
    try:
        return subprocess.Popen(["tshark", "-n", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Unreadable("tshark is not installed (Debian's package is tshark)") from None


def _lines(file: pathlib.Path, filter_: str, fields: list[str]) -> list[list[str]]:
    """The values of some fields in the frames that a display filter lets through."""
    words = ["-r", str(file), "-Y", filter_, "-T", "fields"]
    for name in fields:
        words += ["-e", name]
    output, complaint = _tshark(words).communicate()
    _complain(file, complaint.decode(errors="replace"), bool(output))
    return [line.split("\t") for line in output.decode(errors="replace").splitlines()]


def _complain(file: pathlib.Path, said: str, something: bool) -> bool:
    """Whether the capture was cut short; anything worse is raised, with tshark's own word for it."""
    said = "\n".join(line for line in said.splitlines() if not line.startswith("Running as user"))
    if "cut short" in said:
        return True
    if said and not something and re.search(r"isn't a capture file|doesn't exist|permission|[Ii]s a directory|error", said):
        raise Unreadable(f"{file}: {said.removeprefix('tshark: ').splitlines()[0]}")
    return False


def listening_ports(file: pathlib.Path) -> dict[int, int]:
    """The ports that somebody connected to, with the number of frames that went there and back."""
    ports = {int(row[0]): 0 for row in _lines(file, "tcp.flags.syn == 1 && tcp.flags.ack == 0", ["tcp.dstport"])}
    for source, destination in _lines(file, "tcp", ["tcp.srcport", "tcp.dstport"]):
        for port in {int(source), int(destination)} & ports.keys():
            ports[port] += 1
    return ports


def _decoding(file: pathlib.Path, ports: list[int]) -> list[str]:
    """How tshark is to read the ports: TLS where there is a handshake of TLS, with MQTT in it, MQTT elsewhere. What came out
    of order is read in order; not so where bytes were acknowledged that the file lacks: tshark would wait for them until its
    end, and read nothing that follows them."""
    rows = _lines(file, "tls.handshake.type == 1 || tcp.analysis.ack_lost_segment",
                  ["tcp.dstport", "tls.handshake.type", "tcp.analysis.ack_lost_segment"])
    secure = {int(port) for port, handshake, _ in rows if "1" in handshake.split(",")}
    words = [] if any(lost for _, _, lost in rows) else ["-o", "tcp.reassemble_out_of_order:TRUE"]
    for port in ports:
        words += ["-d", f"tcp.port=={port},tls", "-d", f"tls.port=={port},mqtt"] if port in secure else [
            "-d", f"tcp.port=={port},mqtt"]
    return words


def read(file: pathlib.Path, ports: list[int], keylog: pathlib.Path | None) -> Capture:
    """All frames of ARP and of TCP on `ports`. Throws Unreadable."""
    if not file.is_file():
        raise Unreadable(f"{file}: no such file")
    wanted = " || ".join(["arp", *(f"tcp.port == {port}" for port in ports)])
    words = ["-r", str(file), "-Y", wanted, "-T", "pdml", "-J", "eth ip ipv6 arp tcp tls mqtt",
             *_decoding(file, ports)]
    if keylog:
        words += ["-o", f"tls.keylog_file:{keylog}"]
    process = _tshark(words)
    frames = []
    more = False
    try:
        for _, element in ElementTree.iterparse(process.stdout):
            if element.tag != "packet":
                continue
            if len(frames) == FRAMES_READ:
                more = True
                process.kill()
                break
            frames.append(_frame(element))
            element.clear()
    except ElementTree.ParseError:
        if not frames:  # else the file ends in the midst of a frame, as tshark says below
            complaint = process.stderr.read().decode(errors="replace")
            _complain(file, complaint, False)
            raise Unreadable(f"{file}: tshark printed nothing that could be read") from None
    complaint = process.stderr.read().decode(errors="replace")
    process.wait()
    _mark_repeated(frames)
    return Capture(frames, ports, _complain(file, complaint, bool(frames)), more)


def _mark_repeated(frames: list[Frame]) -> None:
    """Bytes that come late are `out_of_order` for tshark where little time has passed, also when the file has them already:
    then they were sent again."""
    seen = set()
    for frame in frames:
        place = frame.stream, frame.source_port, frame.begin
        if "out_of_order" in frame.notes and place in seen:
            frame.notes |= {"retransmission"}
        if frame.data:
            seen.add(place)


def _fields(element: ElementTree.Element) -> list[Field]:
    return [Field(field.get("name", ""), field.get("show", ""), field.get("showname", ""), int(field.get("pos", 0)),
                  int(field.get("size", 0)), field.get("value", ""))
            for field in element.iter("field")]


def _frame(element: ElementTree.Element) -> Frame:
    protocols = [(proto.get("name"), int(proto.get("size", 0)), _fields(proto)) for proto in element.findall("proto")]
    general = {field.name: field for field in protocols[0][2]}
    seconds, _, nanoseconds = general["timestamp"].value.partition(".")
    frame = Frame(int(general["num"].show), int(seconds) * 1_000_000_000 + int(nanoseconds.ljust(9, "0")[:9] or 0),
                  int(general["len"].show))
    headers = []
    for name, size, fields in protocols[1:]:
        values = {field.name: field.show for field in fields}
        if name in ("eth", "ip", "ipv6", "tcp"):
            headers.append((name, size))
        if name in ("ip", "ipv6"):
            frame.source, frame.destination = values[f"{name}.src"], values[f"{name}.dst"]
        elif name == "tcp":
            frame.source_port, frame.destination_port = int(values["tcp.srcport"]), int(values["tcp.dstport"])
            frame.stream = int(values["tcp.stream"])
            frame.data = int(values["tcp.len"])
            frame.begin = int(values["tcp.seq"])
            frame.end = int(values.get("tcp.nxtseq", frame.begin))
            frame.acknowledges = int(values.get("tcp.ack", 0))
            bits = int(values["tcp.flags"], 16)
            frame.flags = frozenset(flag for bit, flag in enumerate(("FIN", "SYN", "RST", "PSH", "ACK")) if bits >> bit & 1)
            frame.notes = frozenset(field.name.removeprefix("tcp.analysis.") for field in fields
                                    if field.name.startswith("tcp.analysis."))
        elif name == "arp":
            frame.arp = Arp(values.get("arp.opcode") == "1", values.get("arp.src.proto_ipv4", ""),
                            values.get("arp.src.hw_mac", ""), values.get("arp.dst.proto_ipv4", ""))
        elif name == "tls":
            frame.encrypted = "tls.app_data" in values
        elif name == "mqtt":
            kind = next((int(field.show) for field in fields if field.name == "mqtt.msgtype"), 0)
            frame.packets.append(Packet(frame, KINDS[kind], size, fields))
    if frame.packets:
        frame.encrypted = False
    frame.headers = tuple(headers)
    return frame
