"""Findings: what a person should see in a conversation, each with the frames where it stands. Sentences are in sentences.py."""

import collections
import dataclasses
import math
import statistics
from typing import Any

from capture import Frame, Packet
from conversation import (MILLISECOND, Connection, Conversation, Exchange, matches, property_value, reason,
                          reason_name)

CONNECTIONS_TOLD = 12
TOPICS_TOLD = 20
FAULTS_TOLD = 8  # of one kind

# A receiver may hold TCP's ACK back, hoping for data to ride on; Linux does for 40 ms.
DELAYED_ACK = range(35 * MILLISECOND, 60 * MILLISECOND)
# What follows an ACK this closely was waiting for it.
AT_ONCE = 2 * MILLISECOND


@dataclasses.dataclass
class Finding:
    section: str  # who, arp, session, messages, acknowledgements, end
    key: str  # of its sentence
    values: dict[str, Any]
    wrong: bool = False


def percentile(values: list[int], percent: float) -> int:
    """The smallest value that at least `percent` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def version_name(connect: Packet) -> str:
    return {3: "MQTT 3.1", 4: "MQTT 3.1.1", 5: "MQTT 5"}.get(connect.number("mqtt.ver"), "MQTT ?")


def find(conversation: Conversation) -> list[Finding]:
    findings = [*_who(conversation), *_arp(conversation)]
    taken = _taken_over(conversation)
    told = conversation.connections[:CONNECTIONS_TOLD]
    for connection in conversation.connections:
        of_connection = [*_handshake(connection), *_session(connection), *_subscriptions(connection),
                         *(taken.get(connection.stream) or _end(connection))]
        findings += of_connection if connection in told else [finding for finding in of_connection if finding.wrong]
    if len(conversation.connections) > len(told):
        findings.append(Finding("session", "more_connections", {"count": len(conversation.connections) - len(told)}))
    findings += [*_wills(conversation), *_messages(conversation), *_retained(conversation),
                 *_forwarding(conversation), *_acknowledgements(conversation), *_steps(conversation),
                 *_network(conversation), *_capture(conversation)]
    order = ["who", "arp", "session", "messages", "acknowledgements", "network", "end"]
    findings.sort(key=lambda finding: order.index(finding.section))
    return _bounded(findings)


def _bounded(findings: list[Finding]) -> list[Finding]:
    """Of one kind of fault, so many; the others are counted."""
    kept, seen = [], collections.Counter()
    for finding in findings:
        if finding.wrong:
            seen[finding.key] += 1
            if seen[finding.key] > FAULTS_TOLD:
                continue
        kept.append(finding)
    for key, count in seen.items():
        if count > FAULTS_TOLD:
            last = max(at for at, finding in enumerate(kept) if finding.key == key)
            kept.insert(last + 1, Finding(kept[last].section, "more_faults", {"count": count - FAULTS_TOLD}, True))
    return kept


def _who(conversation: Conversation) -> list[Finding]:
    findings = []
    for address, port in conversation.brokers:
        connections = [each for each in conversation.connections if each.broker == (address, port)]
        findings.append(Finding("who", "who_broker", {
            "name": conversation.address_name(address), "address": _bracketed(address),
            "port": port, "count": len(connections)}))
    for connection in conversation.connections[:CONNECTIONS_TOLD]:
        sent = [exchange.publish.frame for exchange in connection.exchanges if exchange.by_client]
        values = {"name": connection.name, "address": connection.client[0], "port": connection.client[1],
                  "sent": len(sent), "got": len(connection.exchanges) - len(sent)}
        if connection.publishes and connection.receives:
            findings.append(Finding("who", "who_both", values | {"frame": sent[0]}))
        elif connection.publishes:
            findings.append(Finding("who", "who_publisher", values | {"frame": sent[0]}))
        elif connection.receives:
            packet = connection.first("SUBSCRIBE") or connection.first("PUBLISH")
            findings.append(Finding("who", "who_subscriber", values | {"frame": packet.frame}))
        else:
            findings.append(Finding("who", "who_neither", values | {"frame": connection.frames[0]}))
    return findings


def _arp(conversation: Conversation) -> list[Finding]:
    if not conversation.arp:
        return [Finding("arp", "arp_none", {})]
    findings, further = [], []
    told: set[tuple[str, str]] = set()
    waiting: dict[tuple[str, str], Frame] = {}
    for frame in conversation.arp:
        arp = frame.arp
        if arp.request:
            waiting.setdefault((arp.sender, arp.target), frame)
            continue
        request = waiting.pop((arp.target, arp.sender), None)
        if request is None or (arp.target, arp.sender) in told:
            further += [each for each in (request, frame) if each]
            continue
        told.add((arp.target, arp.sender))
        findings.append(Finding("arp", "arp", {
            "request": request, "reply": frame, "asker": conversation.address_name(arp.target),
            "asked": conversation.address_name(arp.sender), "hardware": arp.sender_hardware}))
    for frame in waiting.values():
        # An announcement asks for the sender's own address, and wants no answer (RFC 5227, 2.3).
        if frame.arp.sender != frame.arp.target:
            findings.append(Finding("arp", "arp_unanswered", {
                "request": frame, "asker": conversation.address_name(frame.arp.sender), "asked": frame.arp.target}, True))
    if further:
        findings.append(Finding("arp", "arp_again", {"frames": further}))
    return findings


def _handshake(connection: Connection) -> list[Finding]:
    address, port = connection.broker
    values = {"client": connection.name, "broker": f"{_bracketed(address)}:{port}"}
    syn, syn_ack = connection.syn, connection.syn_ack
    if syn is None:
        return [Finding("session", "handshake_missing", values | {"frame": connection.frames[0]})]
    if syn_ack is None:
        reset = next((frame for frame in connection.frames if "RST" in frame.flags), None)
        if reset:
            return [Finding("session", "handshake_refused", values | {"syn": syn, "reset": reset}, True)]
        return [Finding("session", "handshake_silent", values | {"syn": syn}, True)]
    ack = next((frame for frame in connection.frames if frame.number > syn_ack.number and connection.from_client(frame)
                and "ACK" in frame.flags), None)
    if ack is None:
        return [Finding("session", "handshake_half", values | {"syn": syn, "syn_ack": syn_ack}, True)]
    return [Finding("session", "handshake", values | {"syn": syn, "syn_ack": syn_ack, "ack": ack,
                                                      "time": syn_ack.time - syn.time})]


def _session(connection: Connection) -> list[Finding]:
    connect, connack = connection.first("CONNECT"), connection.first("CONNACK")
    if connect is None:
        if connection.syn is None or connection.syn_ack is None:
            return []
        if any(frame.encrypted for frame in connection.frames):
            return [Finding("session", "encrypted", {"client": connection.name}, True)]
        sent = [frame for frame in connection.frames if frame.data]
        return [Finding("session", "connect_missing_data" if sent else "connect_missing", {
            "client": connection.name, "frame": sent[0] if sent else connection.syn}, True)]
    findings = [Finding("session", "connect", {
        "frame": connect.frame, "client": connection.name, "version": version_name(connect),
        "id": connect.get("mqtt.clientid"), "clean": connect.flag("mqtt.conflag.cleansess"),
        "keep_alive": connect.number("mqtt.kalive"), "user": connect.get("mqtt.username"),
        "password": connect.flag("mqtt.conflag.passwd"),
        "will": connect.get("mqtt.willtopic") if connect.flag("mqtt.conflag.willflag") else ""})]
    if connack is None:
        findings.append(Finding("session", "connack_missing", {"frame": connect.frame}, True))
    elif reason(connack):
        findings.append(Finding("session", "connack_refused", {
            "frame": connack.frame, "code": reason(connack), "reason": reason_name(connack)}, True))
    else:
        findings.append(Finding("session", "connack", {"frame": connack.frame}))
        if connack.flag("mqtt.conack.flags.sp"):
            findings.append(Finding("session", "session_present", {"frame": connack.frame}))
        server_keep_alive = property_value(connack, "Server Keep Alive")
        if server_keep_alive:
            findings.append(Finding("session", "server_keep_alive", {"frame": connack.frame, "seconds": server_keep_alive}))
        if connection.client_id != connect.get("mqtt.clientid"):
            findings.append(Finding("session", "id_assigned", {"frame": connack.frame, "id": connection.client_id}))
    pings, answers = connection.of_kind("PINGREQ"), connection.of_kind("PINGRESP")
    if pings and answers:
        findings.append(Finding("session", "pings", {
            "client": connection.name, "count": len(pings), "request": pings[0].frame, "answer": answers[0].frame}))
    if len(pings) > len(answers):
        findings.append(Finding("session", "ping_unanswered", {"frame": pings[len(answers)].frame}, True))
    return findings


def _subscriptions(connection: Connection) -> list[Finding]:
    findings = []
    for subscription in connection.subscriptions:
        for at, (filter_, asked) in enumerate(subscription.filters):
            values = {"client": connection.name, "request": subscription.request.frame, "filter": filter_, "asked": asked}
            if subscription.answer is None:
                findings.append(Finding("session", "suback_missing", values, True))
                continue
            code = subscription.codes[at] if at < len(subscription.codes) else 0x80
            values |= {"answer": subscription.answer.frame, "granted": code}
            if code >= 0x80:
                findings.append(Finding("session", "subscription_refused", values, True))
            else:
                findings.append(Finding("session", "subscription" if code == asked else "subscription_less", values))
    return findings


def _end(connection: Connection) -> list[Finding]:
    values: dict[str, Any] = {"client": connection.name}
    goodbye = connection.first("DISCONNECT")
    closing = next((frame for frame in connection.frames if frame.flags & {"FIN", "RST"}), None)
    if goodbye and closing and closing.number < goodbye.frame.number:
        goodbye = None  # said to somebody who had hung up already
    if connection.syn is not None and connection.syn_ack is None:
        return []  # it never stood, which is told already
    if goodbye and not connection.from_client(goodbye.frame):
        return [Finding("end", "end_by_broker", values | {
            "frame": goodbye.frame, "code": reason(goodbye), "reason": reason_name(goodbye)}, True)]
    if goodbye and reason(goodbye) == 4:  # MQTT 5.0, 3.14.2.1: with will message
        return [Finding("end", "end_with_will", values | {"frame": goodbye.frame})]
    if goodbye and closing:
        return [Finding("end", "end_clean", values | {"frame": goodbye.frame, "closing": closing})]
    if goodbye:
        return [Finding("end", "end_clean_open", values | {"frame": goodbye.frame})]
    if closing is None:
        return [Finding("end", "end_open", values)]
    if connection.first("CONNACK") and not connection.accepted:
        return [Finding("end", "end_refused", values | {"frame": closing})]  # as it must (MQTT 3.1.1, 3.2.2-5)
    if connection.first("CONNECT") is None and connection.syn is not None:
        return [Finding("end", "end_silent", values | {"frame": closing})]  # its silence is the fault, and is told
    who = "client" if connection.from_client(closing) else "broker"
    how = "reset" if "RST" in closing.flags else "fin"
    return [Finding("end", f"end_{how}_{who}", values | {"frame": closing}, True)]


def _taken_over(conversation: Conversation) -> dict[int, list[Finding]]:
    """Streams that ended as a second client came with the same id: the broker must end the first (MQTT 3.1.1, 3.1.4-2)."""
    findings = {}
    connections = [each for each in conversation.connections if each.first("CONNECT") and each.client_id]
    for first in connections:
        ended = next((frame for frame in first.frames if frame.flags & {"FIN", "RST"} and not first.from_client(frame)), None)
        goodbye = first.first("DISCONNECT")
        if ended is None or goodbye and first.from_client(goodbye.frame) and goodbye.frame.number < ended.number:
            continue
        for second in connections:
            connect = second.first("CONNECT").frame
            if second is not first and second.client_id == first.client_id and (
                    first.first("CONNECT").frame.number < connect.number < ended.number):
                findings[first.stream] = [Finding("end", "taken_over", {
                    "id": first.client_id, "connect": connect, "ended": ended}, True)]
                break
    return findings


def _wills(conversation: Conversation) -> list[Finding]:
    findings = []
    sent = {id(published) for _, published in conversation.forwards}
    for connection in conversation.connections:
        connect = connection.first("CONNECT")
        if connect is None or not connect.flag("mqtt.conflag.willflag"):
            continue
        topic = connect.get("mqtt.willtopic")
        will = next((exchange for other in conversation.connections for exchange in other.exchanges
                     if not exchange.by_client and exchange.topic == topic and id(exchange) not in sent
                     and exchange.publish.frame.number > connection.frames[-1].number - 1
                     and exchange.publish.frame.number > connect.frame.number), None)
        if will is None:  # it may overtake the last frames of its client's connection
            will = next((exchange for other in conversation.connections for exchange in other.exchanges
                         if not exchange.by_client and exchange.topic == topic and id(exchange) not in sent
                         and exchange.publish.frame.number > connect.frame.number), None)
        if will:
            findings.append(Finding("end", "will_sent", {
                "frame": will.publish.frame, "client": connection.name, "topic": topic}))
    return findings


def _messages(conversation: Conversation) -> list[Finding]:
    findings = []
    subscribed = [filter_ for connection in conversation.connections for subscription in connection.subscriptions
                  for (filter_, _), code in zip(subscription.filters, subscription.codes) if code < 0x80]
    for at, topic in enumerate(conversation.topics):
        exchanges = topic.exchanges
        values = {"topic": topic.topic, "count": len(exchanges), "qos": sorted({each.publish.qos for each in exchanges}),
                  "retained": sum(each.publish.flag("mqtt.retain") for each in exchanges),
                  "sizes": (min(topic.sizes), max(topic.sizes)), "frame": exchanges[0].publish.frame,
                  "client": list(dict.fromkeys(each.connection.name for each in exchanges))}
        if at < TOPICS_TOLD:
            if len(exchanges) > 2:
                findings.append(Finding("messages", "topic", values | {
                    "interval": round(statistics.mean(topic.intervals)), "jitter": round(topic.jitter)}))
            else:
                findings += [Finding("messages", "publish_clears" if not each.publish.payload and each.publish.flag(
                    "mqtt.retain") else "publish", values | {
                    "client": each.connection.name, "frame": each.publish.frame, "size": len(each.publish.payload), "qos": [each.publish.qos],
                    "retained": int(each.publish.flag("mqtt.retain"))}) for each in exchanges]
        # What is retained waits at the broker for a subscriber; the others are gone.
        if values["retained"] < len(exchanges) and not topic.deliveries and not any(
                matches(filter_, topic.topic) for filter_ in subscribed):
            findings.append(Finding("messages", "no_subscriber", values, True))
    if len(conversation.topics) > TOPICS_TOLD:
        findings.append(Finding("messages", "more_topics", {"count": len(conversation.topics) - TOPICS_TOLD}))
    return findings


def _retained(conversation: Conversation) -> list[Finding]:
    """Messages that the broker had kept: RETAIN is set on what a subscriber gets, with no PUBLISH that brought it."""
    forwarded = {id(out) for _, out in conversation.forwards}
    findings = [Finding("messages", "retained_sent", {"frame": exchange.publish.frame, "topic": exchange.topic,
                                                     "client": connection.name})
                for connection in conversation.connections for exchange in connection.exchanges
                if not exchange.by_client and exchange.publish.flag("mqtt.retain") and id(exchange) not in forwarded]
    more = findings[FAULTS_TOLD:]
    return findings[:FAULTS_TOLD] + ([Finding("messages", "more_retained", {"count": len(more)})] if more else [])


def _forwarding(conversation: Conversation) -> list[Finding]:
    if not conversation.forwards:
        return []
    times = [out.publish.frame.time - published.publish.frame.time for published, out in conversation.forwards]
    first = conversation.forwards[0]
    return [Finding("messages", "forward_one" if len(times) == 1 else "forward", {
        "count": len(times), "p50": percentile(times, 50), "p99": percentile(times, 99), "max": max(times),
        "into": first[0].publish.frame, "out": first[1].publish.frame})]


def _acknowledgements(conversation: Conversation) -> list[Finding]:
    """The two layers' answers to the first message of each QoS in each direction, and all that a layer owes."""
    findings, told = [], set()
    for exchange in sorted((each for connection in conversation.connections for each in connection.exchanges),
                           key=lambda each: each.publish.frame.number):
        findings += _unanswered(exchange)
        kind = exchange.by_client, exchange.publish.qos
        refused = any(reason(packet) >= 0x80 for packet in exchange.answers)
        if kind in told or refused or exchange.ack is None or exchange.publish.flag("mqtt.dupflag"):
            continue
        publish, answers = exchange.publish, {packet.kind: packet.frame for packet in exchange.answers}
        values = {"frame": publish.frame, "ack": exchange.ack, "time": exchange.ack.time - publish.frame.time,
                  "id": publish.id, "receiver": "the_broker" if exchange.by_client else "the_subscriber"}
        if publish.qos == 0:
            findings.append(Finding("acknowledgements", "ack_qos0", values))
        elif publish.qos == 1 and "PUBACK" in answers:
            key = "ack_qos1_together" if answers["PUBACK"] is exchange.ack else "ack_qos1"
            findings.append(Finding("acknowledgements", key, values | {
                "puback": answers["PUBACK"], "puback_time": answers["PUBACK"].time - publish.frame.time}))
        elif publish.qos == 2 and "PUBCOMP" in answers and "PUBREC" in answers and "PUBREL" in answers:
            findings.append(Finding("acknowledgements", "ack_qos2", values | {
                "pubrec": answers["PUBREC"], "pubrel": answers["PUBREL"], "pubcomp": answers["PUBCOMP"],
                "total": answers["PUBCOMP"].time - publish.frame.time}))
        else:
            continue
        told.add(kind)
    if not told:
        return findings
    counts = collections.Counter(packet.kind for connection in conversation.connections for packet in connection.packets)
    pure = sum(frame.flags == {"ACK"} and not frame.data for connection in conversation.connections
               for frame in connection.frames)
    findings.append(Finding("acknowledgements", "ack_counts", {
        "pure": pure, "puback": counts["PUBACK"], "pubrec": counts["PUBREC"], "pubcomp": counts["PUBCOMP"]}))
    return findings


def _unanswered(exchange: Exchange) -> list[Finding]:
    publish = exchange.publish
    if publish.qos == 0:
        return []
    values = {"frame": publish.frame, "id": publish.id, "topic": exchange.topic}
    refusal = next((packet for packet in exchange.answers if reason(packet) >= 0x80), None)
    if refusal:
        return [Finding("acknowledgements", "publish_refused", values | {
            "answer": refusal.frame, "kind": refusal.kind, "code": reason(refusal), "reason": reason_name(refusal)}, True)]
    lonely = next((packet for packet in exchange.answers if reason(packet) == 0x10), None)
    if lonely and not publish.flag("mqtt.retain"):
        return [Finding("acknowledgements", "no_matching", values | {"answer": lonely.frame, "kind": lonely.kind}, True)]
    kinds = {packet.kind for packet in exchange.answers}
    wanted = {1: ["PUBACK"], 2: ["PUBREC", "PUBREL", "PUBCOMP"]}[publish.qos]
    missing = next((kind for kind in wanted if kind not in kinds), None)
    if missing is None or not exchange.connection.recorded_whole:
        return []
    return [Finding("acknowledgements", "answer_missing", values | {"kind": missing}, True)]


def _steps(conversation: Conversation) -> list[Finding]:
    """Bytes that waited for an ACK which was itself held back: Nagle's algorithm meets the delayed ACK."""
    findings = []
    for connection in conversation.connections:
        steps = []
        previous: dict[bool, Frame] = {}
        for frame in connection.frames:
            if not frame.data or frame.again:
                continue
            side = connection.from_client(frame)
            before = previous.get(side)
            previous[side] = frame
            ack = connection.acknowledged_by.get(before.number) if before else None
            if ack and ack.time - before.time in DELAYED_ACK and 0 <= frame.time - ack.time < AT_ONCE:
                steps.append((before, ack, frame))
        if steps:
            before, ack, after = steps[0]
            findings.append(Finding("network", "step" if len(steps) == 1 else "steps", {
                "count": len(steps), "client": connection.name, "before": before, "ack": ack, "after": after,
                "time": ack.time - before.time,
                "who": connection.name if connection.from_client(before) else "the_broker"}, len(steps) > 1))
            continue
        delayed = next(((frame, connection.acknowledged_by[frame.number]) for frame in connection.frames
                        if frame.number in connection.acknowledged_by and frame.packets
                        and connection.acknowledged_by[frame.number].time - frame.time in DELAYED_ACK), None)
        if delayed and not any(finding.key == "delayed_ack" for finding in findings):
            findings.append(Finding("network", "delayed_ack", {
                "frame": delayed[0], "ack": delayed[1], "time": delayed[1].time - delayed[0].time}))
    return findings


def _network(conversation: Conversation) -> list[Finding]:
    findings = []
    clean = True
    for connection in conversation.connections:
        sent: dict[tuple[bool, int], Frame] = {}
        for frame in connection.frames:
            place = connection.from_client(frame), frame.begin
            if frame.again:
                clean = False
                original = sent.get(place)
                values = {"frame": frame, "bytes": frame.data}
                if "SYN" in frame.flags:
                    findings.append(Finding("network", "syn_again", values, True))
                elif original:
                    findings.append(Finding("network", "retransmission", values | {
                        "original": original, "time": frame.time - original.time}, True))
                else:
                    findings.append(Finding("network", "retransmission_alone", values, True))
            elif "out_of_order" in frame.notes:
                clean = False
                findings.append(Finding("network", "out_of_order", {"frame": frame, "bytes": frame.data}, True))
            elif frame.data or "SYN" in frame.flags:
                sent[place] = frame
        duplicates = [frame for frame in connection.frames if "duplicate_ack" in frame.notes]
        if duplicates:
            clean = False
            findings.append(Finding("network", "duplicate_acks", {
                "frames": duplicates, "client": connection.name, "count": len(duplicates)}, True))
        # A gap in the bytes of one side that a later frame fills was made on the way here, not by the recording.
        lost = [frame for at, frame in enumerate(connection.frames)
                if "ack_lost_segment" in frame.notes or "lost_segment" in frame.notes
                and not _is_filled(connection, frame, connection.frames[at:])]
        if lost:
            findings.append(Finding("network", "not_captured", {"frames": lost}))
        full = [frame for frame in connection.frames if "zero_window" in frame.notes and "RST" not in frame.flags]
        if full:
            findings.append(Finding("network", "zero_window", {
                "frames": full, "who": connection.name if connection.from_client(full[0]) else "the_broker"}, True))
        again = [packet.frame for packet in connection.packets if packet.kind == "PUBLISH" and packet.flag("mqtt.dupflag")]
        if again:
            findings.append(Finding("network", "dup", {"frames": again, "client": connection.name}, True))
    if clean and conversation.connections:
        findings.append(Finding("network", "nothing_lost", {}))
    return findings


def _is_filled(connection: Connection, frame: Frame, later: list[Frame]) -> bool:
    """Whether the bytes before a frame came later, from the same side."""
    return any((each.again or "out_of_order" in each.notes) and each.begin < frame.begin
               and connection.from_client(each) == connection.from_client(frame) for each in later)


def _capture(conversation: Conversation) -> list[Finding]:
    findings = []
    if conversation.capture.cut_short:
        findings.append(Finding("end", "cut_short", {}))
    if conversation.capture.more:
        findings.append(Finding("end", "more_frames", {"count": len(conversation.capture.frames)}))
    return findings
