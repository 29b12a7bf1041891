// A packet in words, for -d.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "common/mqtt/packet.hpp"
#include "common/mqtt/reason.hpp"

namespace sistem {
namespace {

std::string connack_words(int code, ProtocolVersion version) {
  if (version == ProtocolVersion::v5) {
    return reason_text(code);
  }
  const std::string_view name = return_code_name(code);
  return fmt::format("code {}, {}", code, name.empty() ? "unknown" : name);
}

std::string suback_words(int code, ProtocolVersion version) {
  if (code <= 2) {
    return fmt::format("QoS {} granted", code);
  }
  return version == ProtocolVersion::v5 ? reason_text(code) : fmt::format("refused (0x{:02X})", code);
}

/// A filter with what is asked for it, of SUBSCRIBE.
std::string words_of_filter(const RequestedFilter& one) {
  const unsigned handling = one.options >> 4U & 3U;
  return fmt::format("{} (QoS {}{}{}{})", one.filter, one.options & 3U, (one.options & 4U) != 0 ? ", no local" : "",
                     (one.options & 8U) != 0 ? ", retain as published" : "",
                     handling != 0 ? fmt::format(", retain handling {}", handling) : "");
}

std::string words_of_property(const Property& property) {
  if (is_binary(property)) {
    return fmt::format("{} of {} bytes", property_name(property.identifier), property.text.size());
  }
  const auto words = words_of({PropertyPlace::publish, property});
  return fmt::format("{}", fmt::join(words.begin() + 1, words.end(), " "));
}

std::string words_of_connect(const Packet& packet) {
  constexpr int v5 = 5;
  const char* version = packet.protocol_level == v5 ? "MQTT 5" : packet.protocol_level == 4 ? "MQTT 3.1.1" : "MQTT 3.1";
  const char* clean = packet.protocol_level == v5 ? "clean start" : "clean session";
  std::string words = fmt::format("{}, client id {}, {}, keep alive {} s{}{}", version, packet.client_id,
                                  packet.clean ? clean : "persistent session", packet.keep_alive,
                                  packet.username ? fmt::format(", user name {}", *packet.username) : "",
                                  packet.has_password ? ", password" : "");
  if (packet.will_topic) {
    words += fmt::format(", will on {} (QoS {}{}, payload of {} bytes", *packet.will_topic, packet.qos,
                         packet.retain ? ", retained" : "", packet.will_payload);
    for (const Property& property : packet.will_properties) {
      words += ", " + words_of_property(property);
    }
    words += ")";
  }
  return words;
}

std::string words_of_publish(const Packet& packet) {
  return fmt::format("{}, QoS {}{}{}, payload of {} bytes", packet.topic.empty() ? "no topic" : packet.topic,
                     packet.qos, packet.duplicate ? ", duplicate" : "", packet.retain ? ", retained" : "",
                     packet.payload);
}

}  // namespace

std::string description(const Packet& packet, ProtocolVersion version) {
  const bool is_v5 = version == ProtocolVersion::v5;
  std::vector<std::string> words;
  if (packet.id) {
    words.push_back(fmt::format("packet id {}", *packet.id));
  }
  switch (packet.type) {
    case PacketType::connect: words.push_back(words_of_connect(packet)); break;
    case PacketType::publish: words.push_back(words_of_publish(packet)); break;
    case PacketType::connack:
      words.push_back(connack_words(packet.codes.front(), version));
      if (packet.session_present) {
        words.emplace_back("session present");
      }
      break;
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      if (is_v5) {
        words.push_back(reason_text(packet.codes.empty() ? 0 : packet.codes.front()));
      }
      break;
    case PacketType::suback:
      for (const int code : packet.codes) {
        words.push_back(suback_words(code, version));
      }
      break;
    default:
      for (const int code : packet.codes) {
        words.push_back(reason_text(code));
      }
  }
  for (const RequestedFilter& one : packet.filters) {
    words.push_back(packet.type == PacketType::subscribe ? words_of_filter(one) : one.filter);
  }
  for (const Property& property : packet.properties) {
    words.push_back(words_of_property(property));
  }
  words.push_back(fmt::format("{} bytes", packet.size));
  return fmt::format("{}  {}", packet_name(packet.type), fmt::join(words, ", "));
}

}  // namespace sistem
