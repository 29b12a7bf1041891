#include "common/packet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "common/reason.hpp"

namespace sistem {
namespace {

constexpr std::size_t longest_header = 5;  // type and flags, and up to four bytes of length [MQTT5 2.1]

struct Header {
  std::uint8_t first_byte = 0;
  std::size_t size = 0;       ///< of the header
  std::size_t remaining = 0;  ///< bytes of the packet that follow it
};

/// Nothing where the header is not all there. Throws Malformed.
std::optional<Header> read_header(std::string_view bytes) {
  std::size_t length = 0;
  for (std::size_t at = 1; at < bytes.size() && at < longest_header; ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    length |= static_cast<std::size_t>(byte & 0x7FU) << (7 * (at - 1));
    if ((byte & 0x80U) == 0) {
      return Header{static_cast<std::uint8_t>(bytes[0]), at + 1, length};
    }
  }
  if (bytes.size() >= longest_header) {
    throw Malformed("the length of a packet has more than four bytes");
  }
  return std::nullopt;
}

/// Takes fields off the front of a packet's body.
class Reader {
 public:
  Reader(std::string_view bytes, PacketType type) : bytes_(bytes), type_(type) {}

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

  std::uint8_t byte(std::string_view what) { return static_cast<std::uint8_t>(take(1, what).front()); }

  std::uint16_t number(std::string_view what) {
    const std::string_view two = take(2, what);
    return static_cast<std::uint16_t>(static_cast<unsigned char>(two[0]) << 8U | static_cast<unsigned char>(two[1]));
  }

  std::string text(std::string_view what) { return std::string(take(number(what), what)); }

  std::vector<Property> properties() {
    constexpr std::string_view what = "its properties";
    std::size_t length = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t next = byte(what);
      length |= static_cast<std::size_t>(next & 0x7FU) << shift;
      if ((next & 0x80U) == 0) {
        break;
      }
      if (shift == 21) {
        throw fault("the length of its properties has more than four bytes");
      }
    }
    std::string_view bytes = take(length, what);
    std::vector<Property> all;
    while (!bytes.empty()) {
      auto property = take_property(bytes);
      if (!property) {
        throw fault("one of its properties is unknown or cut off");
      }
      all.push_back(std::move(*property));
    }
    return all;
  }

  [[nodiscard]] Malformed fault(std::string_view what) const {
    return Malformed(fmt::format("{}: {}", packet_name(type_), what));
  }

 private:
  std::string_view take(std::size_t size, std::string_view what) {
    if (bytes_.size() < size) {
      throw fault(fmt::format("it ends inside of {}", what));
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  PacketType type_;
};

void read_connect(Packet& packet, Reader& reader) {
  (void)reader.text("the protocol's name");
  packet.protocol_level = reader.byte("the protocol's level");
  const bool is_v5 = packet.protocol_level == 5;
  const unsigned flags = reader.byte("the flags");
  packet.keep_alive = reader.number("the keep alive");
  if (is_v5) {
    packet.properties = reader.properties();
  }
  packet.clean = (flags & 0x02U) != 0;
  packet.client_id = reader.text("the client id");
  if ((flags & 0x04U) != 0) {
    packet.qos = static_cast<int>(flags >> 3U & 3U);
    packet.retain = (flags & 0x20U) != 0;
    if (is_v5) {
      packet.will_properties = reader.properties();
    }
    packet.will_topic = reader.text("the will's topic");
    packet.will_payload = reader.text("the will's payload").size();
  }
  if ((flags & 0x80U) != 0) {
    packet.username = reader.text("the user name");
  }
  packet.has_password = (flags & 0x40U) != 0;
  if (packet.has_password) {
    (void)reader.text("the password");
  }
}

void read_publish(Packet& packet, Reader& reader, std::uint8_t first_byte, std::size_t missing, bool is_v5) {
  packet.duplicate = is_duplicate(first_byte);
  packet.qos = qos_of(first_byte);
  packet.retain = (first_byte & 1U) != 0;
  if (packet.qos > 2) {
    throw reader.fault("its QoS is 3");
  }
  packet.topic = reader.text("the topic");
  if (packet.qos > 0) {
    packet.id = reader.number("the packet id");
  }
  if (is_v5) {
    packet.properties = reader.properties();
  }
  packet.payload = reader.left() + missing;
}

/// PUBACK, PUBREC, PUBREL, PUBCOMP: what is left out at the end means success without properties [MQTT5 3.4.2.1].
void read_acknowledgement(Packet& packet, Reader& reader, bool is_v5) {
  packet.id = reader.number("the packet id");
  if (is_v5 && !reader.at_end()) {
    packet.codes.push_back(reader.byte("the reason code"));
    if (!reader.at_end()) {
      packet.properties = reader.properties();
    }
  }
}

void read_codes(Packet& packet, Reader& reader, bool is_v5) {
  packet.id = reader.number("the packet id");
  if (is_v5) {
    packet.properties = reader.properties();
  }
  while (!reader.at_end()) {
    packet.codes.push_back(reader.byte("a reason code"));
  }
}

void read_filters(Packet& packet, Reader& reader, bool is_v5) {
  packet.id = reader.number("the packet id");
  if (is_v5) {
    packet.properties = reader.properties();
  }
  while (!reader.at_end()) {
    RequestedFilter& one = packet.filters.emplace_back();
    one.filter = reader.text("a topic filter");
    if (packet.type == PacketType::subscribe) {
      one.options = reader.byte("a filter's options");
    }
  }
}

// Words -------------------------------------------------------------------------------------------------------

std::string connack_words(int code, ProtocolVersion version) {
  if (version == ProtocolVersion::v5) {
    return reason_text(code);
  }
  constexpr std::array names{"accepted",
                             "protocol version not supported",
                             "client id not accepted",
                             "service not available",
                             "bad user name or password",
                             "not authorized"};
  const auto at = static_cast<std::size_t>(code);
  return fmt::format("code {}, {}", code, at < names.size() ? names[at] : "unknown");
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

std::string_view packet_name(PacketType type) {
  constexpr std::array<std::string_view, 16> names{
      "packet of type 0", "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
      "SUBSCRIBE",        "SUBACK",  "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
  return names[static_cast<std::size_t>(type) & 0xFU];
}

Packet read_packet(std::string_view bytes, ProtocolVersion version) {
  const auto header = read_header(bytes);
  if (!header) {
    throw Malformed("a packet ends inside of its header");
  }
  Packet packet;
  packet.type = type_of(header->first_byte);
  packet.size = header->size + header->remaining;
  const std::string_view body = bytes.substr(header->size, header->remaining);
  const std::size_t missing = header->remaining - body.size();
  const bool is_v5 = version == ProtocolVersion::v5;
  Reader reader{body, packet.type};
  switch (packet.type) {
    case PacketType::connect: read_connect(packet, reader); break;
    case PacketType::connack:
      packet.session_present = (reader.byte("the flags") & 1U) != 0;
      packet.codes.push_back(reader.byte("the code"));
      if (is_v5 && !reader.at_end()) {  // a broker that does not speak MQTT 5 leaves them out with its refusal
        packet.properties = reader.properties();
      }
      break;
    case PacketType::publish: read_publish(packet, reader, header->first_byte, missing, is_v5); break;
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: read_acknowledgement(packet, reader, is_v5); break;
    case PacketType::suback:
    case PacketType::unsuback: read_codes(packet, reader, is_v5); break;
    case PacketType::subscribe:
    case PacketType::unsubscribe: read_filters(packet, reader, is_v5); break;
    case PacketType::pingreq:
    case PacketType::pingresp: break;
    case PacketType::disconnect:
    case PacketType::auth:
      if (is_v5 && !reader.at_end()) {
        packet.codes.push_back(reader.byte("the reason code"));
        if (!reader.at_end()) {
          packet.properties = reader.properties();
        }
      }
      break;
    default: throw Malformed("there is no packet of type 0");
  }
  if (missing > 0 && packet.type != PacketType::publish) {
    throw reader.fault("it is cut off");
  }
  return packet;
}

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

std::optional<std::uint32_t> number_in(const std::vector<Property>& properties, std::string_view name) {
  for (const Property& property : properties) {
    if (property_name(property.identifier) == name) {
      return property.number;
    }
  }
  return std::nullopt;
}

std::optional<std::string> text_in(const std::vector<Property>& properties, std::string_view name) {
  for (const Property& property : properties) {
    if (property_name(property.identifier) == name) {
      return property.text;
    }
  }
  return std::nullopt;
}

std::optional<PacketCutter::Piece> PacketCutter::next(std::string_view& bytes) {
  if (bytes.empty()) {
    return std::nullopt;
  }
  if (left_ > 0) {
    const std::string_view part = bytes.substr(0, left_);
    bytes.remove_prefix(part.size());
    left_ -= part.size();
    return Piece{part, first_byte_, packet_size_, false, left_ == 0};
  }
  // Most often all of the header is here; where some of it came before, it is put together in header_.
  if (header_size_ == 0) {
    if (const auto header = read_header(bytes)) {
      return begin(bytes, header->size + header->remaining);
    }
  }
  while (header_size_ < header_.size() && !bytes.empty()) {
    header_[header_size_++] = bytes.front();
    bytes.remove_prefix(1);
    if (const auto header = read_header({header_.data(), header_size_})) {
      std::string_view whole{header_.data(), header_size_};
      return begin(whole, header->size + header->remaining);
    }
  }
  return std::nullopt;
}

PacketCutter::Piece PacketCutter::begin(std::string_view& bytes, std::size_t size) {
  header_size_ = 0;
  first_byte_ = static_cast<std::uint8_t>(bytes.front());
  packet_size_ = size;
  const std::string_view part = bytes.substr(0, size);
  bytes.remove_prefix(part.size());
  left_ = size - part.size();
  return {part, first_byte_, packet_size_, true, left_ == 0};
}

}  // namespace sistem
