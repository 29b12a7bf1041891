"""What lies between TCP and MQTT at the broker's side of a connection: nothing, TLS, or WebSocket. No sockets here: bytes
that arrived go in, bytes to send come out."""

import base64
import hashlib
import ssl

from wire import Malformed

WEBSOCKET_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, BINARY, CLOSE, PING, PONG = 0, 2, 8, 9, 10


class Plain:
    """MQTT over TCP; and what a layer is."""

    def __init__(self) -> None:
        self.out = bytearray()  # to be sent as it is

    def received(self, data: bytes) -> bytes:
        """The MQTT in it."""
        return data

    def send(self, data: bytes) -> None:
        self.out += data


class Tls(Plain):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self.arrived, self.sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.arrived, self.sent, server_side=True)
        self.waiting = bytearray()  # for the end of the handshake
        self.ready = False

    def received(self, data: bytes) -> bytes:
        self.arrived.write(data)
        plain = bytearray()
        try:
            if not self.ready:
                self.tls.do_handshake()
                self.ready = True
                self.send(b"")
            while piece := self.tls.read(1 << 16):
                plain += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError as error:
            raise Malformed(f"TLS: {error.reason}") from error
        finally:
            self.out += self.sent.read()
        return bytes(plain)

    def send(self, data: bytes) -> None:
        self.waiting += data
        if self.ready and self.waiting:
            self.tls.write(self.waiting)
            self.waiting.clear()
            self.out += self.sent.read()


class WebSocket(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.bytes = bytearray()
        self.upgraded = False

    def received(self, data: bytes) -> bytes:
        self.bytes += data
        if not self.upgraded and not self._upgrade():
            return b""
        plain = bytearray()
        while frame := self._frame():
            kind, payload = frame
            if kind in (CONTINUATION, BINARY):
                plain += payload
            elif kind == PING:
                self._send_frame(PONG, payload)
            elif kind == CLOSE:
                self._send_frame(CLOSE, payload)
            elif kind != PONG:
                raise Malformed(f"a WebSocket frame of type {kind}")
        return bytes(plain)

    def send(self, data: bytes) -> None:
        if data:
            self._send_frame(BINARY, data)

    def _upgrade(self) -> bool:
        head, end, rest = bytes(self.bytes).partition(b"\r\n\r\n")
        if not end:
            return False
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))}
        key = fields.get(b"sec-websocket-key")
        if not key:
            raise Malformed("no WebSocket handshake")
        accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_KEY).digest())
        self.out += (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
        self.bytes[:] = rest
        self.upgraded = True
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame: its type, and its payload without the mask."""
        if len(self.bytes) < 6:
            return None
        size, at = self.bytes[1] & 127, 2
        if not self.bytes[1] & 128:
            raise Malformed("a client's WebSocket frame without a mask")
        if size > 125:
            at += 2 if size == 126 else 8
            size = int.from_bytes(self.bytes[2:at], "big")
        if len(self.bytes) < at + 4 + size:
            return None
        mask = bytes(self.bytes[at:at + 4]) * (size // 4 + 1)
        payload = self.bytes[at + 4:at + 4 + size]
        kind = self.bytes[0] & 15
        del self.bytes[:at + 4 + size]
        clear = int.from_bytes(payload, "big") ^ int.from_bytes(mask[:size], "big")
        return kind, clear.to_bytes(size, "big")

    def _send_frame(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = (bytes((size,)) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65536
                else b"\x7f" + size.to_bytes(8, "big"))
        self.out += bytes((128 | kind,)) + head + payload
