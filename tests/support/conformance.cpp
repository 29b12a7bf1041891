#include "tests/support/conformance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/mqtt/topic.hpp"
#include "common/text/encoding.hpp"

namespace sistem::test {

void Conformance::begin() {
  connected_ = false;
  ended_ = false;
  limits_ = {};
  aliases_.clear();
  resent_.clear();
  unasked_.clear();
  requests_.clear();
}

void Conformance::client_sent(std::string_view bytes) {
  Packet packet;
  try {
    packet = read_packet(bytes, version_);
  } catch (const Malformed& malformed) {
    fault(malformed.what());
    return;
  }
  const auto name = packet_name(packet.type);
  if (ended_) {
    fault(fmt::format("{} after DISCONNECT [MQTT-3.14.4-2]", name));
  }
  if (!connected_ && packet.type != PacketType::connect) {
    fault(fmt::format("the first packet is {} and not CONNECT [MQTT-3.1.0-1]", name));
  }
  if (packet.size > limits_.maximum_packet_size) {
    fault(fmt::format("{} has {} bytes, more than the broker takes [MQTT-3.2.2-15]", name, packet.size));
  }
  switch (packet.type) {
    case PacketType::connect: check_connect(packet); break;
    case PacketType::publish: check_publish(packet); break;
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: check_acknowledgement(packet); break;
    case PacketType::subscribe:
    case PacketType::unsubscribe: check_request(packet); break;
    case PacketType::pingreq:
    case PacketType::auth: break;
    case PacketType::disconnect: ended_ = true; break;
    default: fault(fmt::format("{} is not a client's to send", name));
  }
}

void Conformance::check_connect(const Packet& packet) {
  if (connected_) {
    fault("a second CONNECT on a connection [MQTT-3.1.0-2]");
  }
  connected_ = true;
  version_ = static_cast<ProtocolVersion>(packet.protocol_level);
  if (version_ != ProtocolVersion::v5 && packet.client_id.empty() && !packet.clean) {
    fault("no client id for a session that is to be kept [MQTT-3.1.3-7]");
  }
  if (packet.will_topic && fault_of_topic_name(*packet.will_topic)) {
    fault("the will's topic is no topic name [MQTT-3.1.3-10]");
  }
  if (packet.clean) {
    under_way_.clear();
    incoming_.clear();
  }
}

void Conformance::check_publish(const Packet& packet) {
  std::string topic = packet.topic;
  const auto alias = number_in(packet.properties, "topic-alias");
  if (alias && (*alias == 0 || *alias > limits_.topic_alias_maximum)) {
    fault(fmt::format("topic alias {} is more than the broker takes [MQTT-3.3.2-9]", *alias));
  }
  if (alias && !topic.empty()) {
    aliases_[*alias] = topic;
  } else if (alias && aliases_.contains(*alias)) {
    topic = aliases_[*alias];
  } else if (topic.empty()) {
    fault("a message without a topic, whose alias was not set on this connection [MQTT-3.3.2-8]");
  }
  if (!topic.empty() && fault_of_topic_name(topic)) {
    fault(fmt::format("\"{}\" is no topic name [MQTT-3.3.2-2]", topic));
  }
  if (static_cast<std::uint32_t>(packet.qos) > limits_.maximum_qos) {
    fault("a QoS that the broker does not take [MQTT-3.2.2-11]");
  }
  if (packet.retain && !limits_.retain_available) {
    fault("a retained message, which the broker does not take [MQTT-3.2.2-14]");
  }
  if (packet.qos == 0) {
    return;
  }
  const std::uint16_t id = *packet.id;
  const std::string content = fmt::format("{} of {} bytes", topic, packet.payload);
  const auto known = under_way_.find(id);
  if (requests_.contains(id)) {
    fault(fmt::format("packet id {} is that of a request without an answer [MQTT-2.2.1-4]", id));
  } else if (known == under_way_.end()) {
    if (packet.duplicate) {
      fault(fmt::format("DUP on the first sending of packet id {} [MQTT-3.3.1-1]", id));
    }
    if (under_way_.size() >= limits_.receive_maximum) {
      fault(fmt::format("more than {} messages without an acknowledgement [MQTT-3.3.4-9]", limits_.receive_maximum));
    }
    under_way_[id] = {content, packet.qos};
  } else if (!packet.duplicate || known->second.content != content || known->second.qos != packet.qos) {
    fault(fmt::format("packet id {} is used again before it is free [MQTT-2.2.1-3]", id));
  } else if (!resent_.insert(id).second) {
    fault(fmt::format("packet id {} is sent again on a connection that stands [MQTT-4.4.0-1]", id));
  } else if (known->second.received) {
    fault(fmt::format("PUBLISH with packet id {} again after its PUBREC [MQTT-4.3.3-6]", id));
  }
}

void Conformance::check_acknowledgement(const Packet& packet) {
  const std::uint16_t id = *packet.id;
  const auto name = packet_name(packet.type);
  if (packet.type == PacketType::pubrel) {
    const auto known = under_way_.find(id);
    // A PUBREC that comes for nothing has to be answered all the same [MQTT5 4.3.3].
    if (!unasked_.contains({PacketType::pubrec, id}) && (known == under_way_.end() || !known->second.received)) {
      fault(fmt::format("PUBREL of packet id {} without a PUBREC [MQTT-4.3.3-4]", id));
    }
    return;
  }
  if (packet.type == PacketType::pubcomp && unasked_.contains({PacketType::pubrel, id})) {
    return;
  }
  const auto known = incoming_.find(id);
  const int qos = packet.type == PacketType::puback ? 1 : 2;
  if (known == incoming_.end() || known->second != qos) {
    fault(fmt::format("{} of packet id {}, which was not sent at that QoS [MQTT-4.3.2-4]", name, id));
  } else if (packet.type != PacketType::pubrec) {
    incoming_.erase(known);
  }
}

void Conformance::check_request(const Packet& packet) {
  const auto name = packet_name(packet.type);
  if (under_way_.contains(*packet.id) || !requests_.insert(*packet.id).second) {
    fault(fmt::format("the packet id {} of {} is not free [MQTT-2.2.1-3]", *packet.id, name));
  }
  if (packet.filters.empty()) {
    fault(fmt::format("{} without a topic filter [MQTT-3.8.3-2]", name));
  }
  const bool with_identifier = number_in(packet.properties, "subscription-identifier").has_value();
  for (const RequestedFilter& one : packet.filters) {
    if (fault_of_topic_filter(one.filter)) {
      fault(fmt::format("\"{}\" is no topic filter [MQTT-4.7.1-2]", one.filter));
    }
    if (packet.type == PacketType::subscribe && fault_of_subscription(one.filter, with_identifier, limits_)) {
      fault(fmt::format("{}: {}", one.filter, *fault_of_subscription(one.filter, with_identifier, limits_)));
    }
  }
}

void Conformance::broker_sent(std::string_view bytes) {
  PacketCutter cutter;
  std::string packet;
  try {
    while (const auto piece = cutter.next(bytes)) {
      packet += piece->bytes;
      if (piece->ends) {
        take(read_packet(packet, version_));
        packet.clear();
      }
    }
  } catch (const Malformed&) {
    return;  // a rogue's right
  }
}

void Conformance::take(const Packet& packet) {
  switch (packet.type) {
    case PacketType::connack:
      limits_ = limits_in(packet.properties);
      if (version_ != ProtocolVersion::v5) {
        limits_ = {};
      }
      if (!packet.session_present) {
        under_way_.clear();
        incoming_.clear();
      }
      break;
    case PacketType::publish:
      if (packet.id) {
        incoming_[*packet.id] = packet.qos;
      }
      break;
    case PacketType::pubrec:
      if (const auto known = under_way_.find(*packet.id); known != under_way_.end()) {
        known->second.received = true;
        if (!packet.codes.empty() && packet.codes.front() >= 0x80) {
          under_way_.erase(known);
        }
      } else {
        unasked_.emplace(packet.type, *packet.id);
      }
      break;
    case PacketType::pubrel:
      if (!incoming_.contains(*packet.id)) {
        unasked_.emplace(packet.type, *packet.id);
      }
      break;
    case PacketType::puback:
    case PacketType::pubcomp: under_way_.erase(*packet.id); break;
    case PacketType::suback:
    case PacketType::unsuback: requests_.erase(*packet.id); break;
    default: break;
  }
}

}  // namespace sistem::test
