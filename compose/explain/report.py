"""The reports: what the templates report.html and report.md are filled with."""

import datetime
import pathlib
import statistics

import jinja2
import markupsafe

import charts
import ladder
from capture import Frame, Packet
from conversation import Conversation, Exchange
from findings import Finding
from sentences import Words, linked, printable, span, unmarked
from tool_log import Line

# What a page holds without becoming slow; what is left out is counted.
FRAMES_LISTED = 1000
EXCHANGES_LISTED = 40
TOPICS_LISTED = 100

HEADER_NAMES = {"eth": "Ethernet", "ip": "IP", "ipv6": "IPv6", "tcp": "TCP", "mqtt": "MQTT"}


def write(folder: pathlib.Path, file: pathlib.Path, conversation: Conversation, findings: list[Finding], lines: list[Line],
          words: Words) -> None:
    """report.html and report.md in `folder`, which is made where it is missing."""
    view = _view(file, conversation, findings, lines, words)
    folder.mkdir(parents=True, exist_ok=True)
    for name, escape in (("report.html", True), ("report.md", False)):
        environment = jinja2.Environment(loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), trim_blocks=True,
                                         lstrip_blocks=True, autoescape=escape, undefined=jinja2.StrictUndefined)
        listed = {row["number"] for row in view["frames"]}
        environment.filters["linked"] = lambda text, listed=listed: _links(text, listed)
        environment.filters["plain"] = unmarked
        environment.filters["cell"] = _cell
        environment.globals["say"] = words.plain
        (folder / name).write_text(environment.get_template(name + ".j2").render(view), encoding="utf-8")


def _links(text: str, listed: set[int]) -> markupsafe.Markup:
    """Text for the page, in which the number of a frame is a link to its row in the table."""
    def link(number: int) -> str:
        return f'<a href="#f{number}">{number}</a>' if number in listed else str(number)
    return markupsafe.Markup(linked(str(markupsafe.escape(text)), link))


def _cell(text: str) -> str:
    """Text for a cell of a table in Markdown, where it means itself."""
    for special in "\\`*_{}[]<>|#~&":
        text = text.replace(special, "\\" + special)
    return text


def _view(file: pathlib.Path, conversation: Conversation, findings: list[Finding], lines: list[Line],
          words: Words) -> dict:
    frames = conversation.capture.frames
    picture = ladder.draw(conversation, words)
    return {
        "language": words.language,
        "file": printable(file.name),
        "subtitle": words.plain("subtitle", file=printable(file.name), frames=len(frames),
                                time=frames[-1].time - frames[0].time, begin=_date(frames[0])),
        "wrong": sum(finding.wrong for finding in findings),
        "sections": _sections(findings, words),
        "lanes": picture.lanes,
        "rows": [_row(row, len(picture.lanes), conversation, words) for row in picture.rows],
        "text_ladder": _text_ladder(picture, conversation, words),
        "not_drawn": picture.not_drawn,
        "charts": [(name, title, markupsafe.Markup(svg)) for name, title, svg in charts.draw(conversation, words)],
        "topics": _topics(conversation, words),
        "topics_left": max(0, len(conversation.topics) - TOPICS_LISTED),
        **_exchanges(conversation, words),
        "anatomy": _anatomy(conversation, words),
        "frames": _frames(conversation, lines, words),
        "frames_left": max(0, len(frames) - FRAMES_LISTED),
        "logs": bool(lines),
    }


def _date(frame: Frame) -> str:
    return datetime.datetime.fromtimestamp(frame.time // 1_000_000_000, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _sections(findings: list[Finding], words: Words) -> list[tuple[str, str, list[tuple[bool, str]]]]:
    sections: dict[str, list[tuple[bool, str]]] = {}
    for finding in findings:
        sections.setdefault(finding.section, []).append((finding.wrong, words.say(finding.key, **finding.values)))
    return [(name, words.plain(f"section_{name}"), sentences) for name, sentences in sections.items()]


def _seconds(conversation: Conversation, frame: Frame) -> str:
    return f"{(frame.time - conversation.begin) / 1e9:.6f}"


def _row(row: ladder.Row | ladder.Fold, lanes: int, conversation: Conversation, words: Words) -> dict:
    if isinstance(row, ladder.Fold):
        return {"fold": words.say("folded", count=row.count, first=row.first, last=row.last, what=row.what)}
    left, right = sorted((row.source, row.target))
    width = 100 / lanes
    middle = (left + right + 1) / 2 * width
    reach = min(middle, 100 - middle)
    return {"fold": "", "number": row.frame.number, "time": _seconds(conversation, row.frame), "layer": row.layer,
            "label": row.label, "wrong": row.wrong, "to_right": row.target >= row.source,
            "arrow_left": round((left + 0.5) * width, 2), "arrow_width": round((right - left) * width, 2),
            "label_left": round(middle - reach, 2), "label_width": round(2 * reach, 2)}


def _text_ladder(picture: ladder.Ladder, conversation: Conversation, words: Words) -> str:
    """The ladder in letters, for the report in Markdown."""
    lane = max(24, *(len(name) + 2 for name in picture.lanes)) if picture.lanes else 24
    centres = [at * lane + lane // 2 for at in range(len(picture.lanes))]
    gutter = " " * 22
    lines = [gutter + "".join(name.center(lane) for name in picture.lanes).rstrip()]
    for row in picture.rows:
        if isinstance(row, ladder.Fold):
            lines.append(gutter + "⋮ " + words.plain("folded", count=row.count, first=row.first, last=row.last,
                                                      what=row.what))
            continue
        line = [" "] * (lane * len(picture.lanes))
        for centre in centres:
            line[centre] = "│"
        begin, end = sorted((centres[row.source], centres[row.target]))
        if begin == end:
            line[begin] = "•"
        for at in range(begin + 1, end):
            line[at] = "─" if row.layer == "mqtt" else "·"
        if begin != end:
            line[end - 1 if row.target >= row.source else begin + 1] = "▶" if row.target >= row.source else "◀"
        mark = "!" if row.wrong else " "
        lines.append(f"{row.frame.number:>6} {_seconds(conversation, row.frame):>13} {mark}{''.join(line).rstrip()}"
                     f"  {row.layer.upper() + ' ' if row.layer == 'tcp' else ''}{row.label}")
    return "\n".join(lines)


def _topics(conversation: Conversation, words: Words) -> list[dict]:
    rows = []
    for topic in sorted(conversation.topics, key=lambda topic: -len(topic.exchanges))[:TOPICS_LISTED]:
        low, high = min(topic.sizes), max(topic.sizes)
        rows.append({
            "topic": printable(topic.topic), "messages": len(topic.exchanges), "delivered": topic.deliveries,
            "qos": ", ".join(map(str, sorted({each.publish.qos for each in topic.exchanges}))),
            "retained": sum(each.publish.flag("mqtt.retain") for each in topic.exchanges),
            "bytes": words.size(low) if low == high else words.plain("bytes_from_to", low=low, high=high),
            "interval": span(statistics.mean(topic.intervals)) if topic.intervals else "",
            "jitter": span(topic.jitter) if topic.jitter is not None else ""})
    return rows


def _exchanges(conversation: Conversation, words: Words) -> dict:
    everything = sorted((each for connection in conversation.connections for each in connection.exchanges),
                        key=lambda each: each.publish.frame.number)
    # Exchanges with an answer of MQTT first: they are what the table is for. Those of QoS 0 show the difference.
    chosen = [each for each in everything if each.publish.qos][:EXCHANGES_LISTED * 3 // 4]
    chosen += [each for each in everything if not each.publish.qos][:EXCHANGES_LISTED - len(chosen)]
    chosen.sort(key=lambda each: each.publish.frame.number)
    return {"exchanges": [_exchange(each, words) for each in chosen], "exchanges_left": len(everything) - len(chosen)}


def _exchange(exchange: Exchange, words: Words) -> dict:
    publish = exchange.publish

    def answer(frame: Frame, what: str) -> str:
        return f"{what} \x02{frame.number}\x03, {span(frame.time - publish.frame.time)}"
    client, broker = exchange.connection.name, words.plain("the_broker")
    return {"frame": f"\x02{publish.frame.number}\x03", "topic": printable(exchange.topic),
            "qos": publish.qos, "id": publish.id,
            "way": f"{client} → {broker}" if exchange.by_client else f"{broker} → {client}",
            "tcp": answer(exchange.ack, "ACK") if exchange.ack else "–",
            "mqtt": words.plain("qos0_nothing") if publish.qos == 0 else
                    "; ".join(answer(packet.frame, packet.kind) for packet in exchange.answers) or "–"}


def _anatomy(conversation: Conversation, words: Words) -> dict | None:
    """The first message of a client to the broker, one with a packet identifier where there is one."""
    messages = [exchange.publish for connection in conversation.connections for exchange in connection.exchanges
                if exchange.by_client and len(exchange.publish.frame.packets) == 1]
    packet = next((each for each in messages if each.qos), messages[0] if messages else None)
    if packet is None:
        return None
    frame = packet.frame
    headers = [*frame.headers, ("mqtt", packet.size)]
    return {"hint": words.say("anatomy_hint", frame=frame, size=words.size(frame.size),
                              parts=", ".join(f"{HEADER_NAMES[name]} {size}" for name, size in headers)),
            "headers": [{"name": HEADER_NAMES[name], "size": size, "layer": name} for name, size in headers],
            "parts": list(_parts(packet, words))}


def _parts(packet: Packet, words: Words):
    begin = packet.fields[0].position
    meaning = {"mqtt.hdrflags": "part_type", "mqtt.len": "part_length", "mqtt.topic_len": "part_topic_length",
               "mqtt.topic": "part_topic", "mqtt.msgid": "part_id", "mqtt.properties": "part_properties",
               "mqtt.msg": "part_payload"}
    for field in packet.fields:
        if field.name not in meaning or not field.size:
            continue
        value = field.show
        if field.name == "mqtt.msg":
            value = packet.payload.decode(errors="replace")
        yield {"at": f"{field.position - begin}–{field.position - begin + field.size - 1}" if field.size > 1
                     else str(field.position - begin),
               "hex": " ".join(field.value[at:at + 2] for at in range(0, min(len(field.value), 128), 2)) +
                      (" …" if len(field.value) > 128 else ""),
               "meaning": words.plain(meaning[field.name], value=value, dup=packet.number("mqtt.dupflag"), qos=packet.qos,
                                      retain=packet.number("mqtt.retain"))}


def _frames(conversation: Conversation, lines: list[Line], words: Words) -> list[dict]:
    by_stream = {connection.stream: connection for connection in conversation.connections}
    said: dict[int, list[str]] = {}
    for line in lines:
        if line.frame:
            said.setdefault(line.frame.number, []).append(
                f"{line.file}:{line.number} ({'+' if line.apart >= 0 else '−'}{span(abs(line.apart))}): {printable(line.text)}")
    rows = []
    for frame in conversation.capture.frames[:FRAMES_LISTED]:
        connection = by_stream.get(frame.stream)
        rows.append({
            "number": frame.number, "time": _seconds(conversation, frame), "layer": ladder.layer(frame),
            "source": _party(frame, True, conversation, connection),
            "target": _party(frame, False, conversation, connection) or words.plain("everybody"),
            "what": ladder.describe_frame(frame, connection, words), "size": frame.size,
            "wrong": ladder.is_wrong(frame), "said": said.get(frame.number, [])})
    return rows


def _party(frame: Frame, source: bool, conversation: Conversation, connection) -> str:
    if frame.arp:
        address = frame.arp.sender if source else "" if frame.arp.request else frame.arp.target
        return conversation.address_name(address)
    if connection is None:
        return frame.source if source else frame.destination
    if connection.from_client(frame) == source:
        return connection.name
    address = connection.broker[0]
    return conversation.address_name(address) if address in conversation.names else f"broker {address}"
