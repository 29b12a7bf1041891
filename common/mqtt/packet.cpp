#include "common/mqtt/packet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/mqtt/reason.hpp"

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
  std::string_view rest = bytes.substr(std::min<std::size_t>(bytes.size(), 1));
  if (const auto length = take_variable(rest)) {
    return Header{static_cast<std::uint8_t>(bytes[0]), bytes.size() - rest.size(), *length};
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

  std::uint16_t packet_id() {
    const std::uint16_t id = number("the packet id");
    if (id == 0) {
      throw fault("its packet id is 0");
    }
    return id;
  }

  /// In MQTT 5: one of those that succeed in this packet, or any that MQTT 5 names for a failure.
  int reason_code(std::string_view what) {
    const int code = byte(what);
    if (code < first_failure ? !may_succeed_by(code) : !is_named_reason(code)) {
      throw fault(fmt::format("its reason code 0x{:02X} is none", code));
    }
    return code;
  }

  std::string text(std::string_view what) { return std::string(take(number(what), what)); }

  std::vector<Property> properties() { return properties(type_); }
  std::vector<Property> properties(PacketType place) {
    constexpr std::string_view what = "its properties";
    const auto length = take_variable(bytes_);
    if (!length) {
      constexpr std::size_t longest = 4;
      throw fault(bytes_.size() < longest ? "it ends inside of its properties"
                                          : "the length of its properties has more than four bytes");
    }
    std::string_view bytes = take(*length, what);
    std::vector<Property> all;
    std::uint64_t seen = 0;
    while (!bytes.empty()) {
      const auto property = take_property(bytes);
      if (!property) {
        throw fault("one of its properties is unknown or cut off");
      }
      if (const auto wrong = fault_of_property(*property, place, seen)) {
        throw fault(*wrong);
      }
      all.push_back({property->identifier, property->number, std::string(property->text), std::string(property->name)});
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

  [[nodiscard]] bool may_succeed_by(int code) const {
    switch (type_) {
      case PacketType::puback:
      case PacketType::pubrec: return code == 0 || code == 0x10;
      case PacketType::suback: return code <= 2;
      case PacketType::unsuback: return code == 0 || code == 0x11;
      case PacketType::disconnect: return code == 0 || code == 4;
      case PacketType::auth: return code == 0 || code == 0x18 || code == 0x19;
      default: return code == 0;
    }
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
      packet.will_properties = reader.properties(the_will);
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
  if (packet.qos == 0 && packet.duplicate) {
    throw reader.fault("it is a duplicate with QoS 0");
  }
  packet.topic = reader.text("the topic");
  if (packet.qos > 0) {
    packet.id = reader.packet_id();
  }
  if (is_v5) {
    packet.properties = reader.properties();
  }
  packet.payload = reader.left() + missing;
}

/// PUBACK, PUBREC, PUBREL, PUBCOMP: what is left out at the end means success without properties [MQTT5 3.4.2.1].
void read_acknowledgement(Packet& packet, Reader& reader, bool is_v5) {
  packet.id = reader.packet_id();
  if (is_v5 && !reader.at_end()) {
    packet.codes.push_back(reader.reason_code("the reason code"));
    if (!reader.at_end()) {
      packet.properties = reader.properties();
    }
  }
}

/// SUBACK and UNSUBACK; before MQTT 5 the latter has no codes.
void read_codes(Packet& packet, Reader& reader, bool is_v5) {
  packet.id = reader.packet_id();
  if (is_v5) {
    packet.properties = reader.properties();
    while (!reader.at_end()) {
      packet.codes.push_back(reader.reason_code("a reason code"));
    }
    return;
  }
  while (packet.type == PacketType::suback && !reader.at_end()) {
    const int code = reader.byte("a return code");
    if (code > 2 && code != first_failure) {
      throw reader.fault(fmt::format("its return code 0x{:02X} is none", code));
    }
    packet.codes.push_back(code);
  }
}

void read_connack(Packet& packet, Reader& reader, ProtocolVersion version) {
  const unsigned flags = reader.byte("the flags");
  if (flags > 1 && version != ProtocolVersion::v31) {  // where the byte has no meaning
    throw reader.fault("its reserved flags are not 0");
  }
  packet.session_present = (flags & 1U) != 0;
  packet.codes.push_back(reader.byte("the code"));
  // A broker that does not speak MQTT 5 refuses it by its own codes, and leaves the properties out.
  const bool is_of_another = reader.at_end() && packet.codes.front() != 0;
  if (version == ProtocolVersion::v5 && !is_of_another) {
    packet.properties = reader.properties();
  }
}

void read_filters(Packet& packet, Reader& reader, bool is_v5) {
  packet.id = reader.packet_id();
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

}  // namespace

std::string_view packet_name(PacketType type) {
  constexpr std::array<std::string_view, 16> names{
      "packet of type 0", "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
      "SUBSCRIBE",        "SUBACK",  "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
  return names[static_cast<std::size_t>(type) & 0xFU];
}

bool has_right_flags(std::uint8_t first_byte) {
  const PacketType type = type_of(first_byte);
  const bool has_one = type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe;
  return type == PacketType::publish ? qos_of(first_byte) < 3 : (first_byte & 0xFU) == (has_one ? 2U : 0U);
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
    case PacketType::connack: read_connack(packet, reader, version); break;
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
        packet.codes.push_back(reader.reason_code("the reason code"));
        if (!reader.at_end()) {
          packet.properties = reader.properties();
        }
      }
      break;
    default: throw Malformed("there is no packet of type 0");
  }
  if (packet.type == PacketType::publish) {
    return packet;
  }
  if (missing > 0) {
    throw reader.fault("it is cut off");
  }
  if (!reader.at_end()) {
    throw reader.fault("it has bytes behind its end");
  }
  if (!has_right_flags(header->first_byte)) {
    throw reader.fault("the flags in its first byte are not those of its type");
  }
  return packet;
}

std::optional<std::string> fault_of_property(const PropertyView& property, PacketType packet, std::uint64_t& seen) {
  const auto name = property_name(property.identifier);
  if (!may_have(packet, property.identifier)) {
    return fmt::format("it must not have the property {}", name);
  }
  const std::uint64_t bit = std::uint64_t{1} << property.identifier;
  const bool may_repeat =
      property.identifier == user_property ||
      (property.identifier == property_id::subscription_identifier && packet == PacketType::publish);
  if ((seen & bit) != 0 && !may_repeat) {
    return fmt::format("it has the property {} twice", name);
  }
  seen |= bit;
  return has_right_value(property) ? std::nullopt : std::optional(fmt::format("its {} has no value of those", name));
}

std::optional<std::uint16_t> packet_id_of(std::string_view packet) {
  const auto number_at = [&](std::size_t at) -> std::optional<std::uint16_t> {
    if (at + 1 >= packet.size()) {
      return std::nullopt;
    }
    return static_cast<std::uint16_t>(static_cast<unsigned char>(packet[at]) << 8U |
                                      static_cast<unsigned char>(packet[at + 1]));
  };
  std::size_t at = 1;
  while (at < packet.size() && (static_cast<unsigned char>(packet[at]) & 0x80U) != 0) {
    ++at;
  }
  ++at;
  if (type_of(static_cast<std::uint8_t>(packet.front())) == PacketType::publish) {
    const auto topic_size = number_at(at);
    return topic_size ? number_at(at + 2 + *topic_size) : std::nullopt;
  }
  return number_at(at);
}

std::string acknowledgement(PacketType type, std::uint16_t id, int code) {
  const int flags = type == PacketType::pubrel ? 2 : 0;
  std::string packet{static_cast<char>(static_cast<int>(type) << 4 | flags), 2, static_cast<char>(id >> 8U),
                     static_cast<char>(id & 0xFFU)};
  if (code != 0) {
    ++packet[1];  // its length
    packet += static_cast<char>(code);
  }
  return packet;
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
