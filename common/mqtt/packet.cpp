#include "common/mqtt/packet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "common/mqtt/reason.hpp"
#include "common/text/encoding.hpp"

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
  Reader(std::string_view bytes, PacketType type, bool is_v5) : has_properties(is_v5), bytes_(bytes), type_(type) {}

  bool has_properties;  ///< it is of MQTT 5

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

  std::uint8_t byte(std::string_view what) { return static_cast<std::uint8_t>(take(1, what).front()); }

  std::uint16_t number(std::string_view what) {
    return static_cast<std::uint16_t>(number_of_big_endian(take(2, what)));
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
  /// None before MQTT 5.
  std::vector<Property> properties(PacketType place) {
    std::vector<Property> all;
    if (!has_properties) {
      return all;
    }
    const auto length = take_variable(bytes_);
    if (!length) {
      constexpr std::size_t longest = 4;
      throw fault(bytes_.size() < longest ? "it ends inside of its properties"
                                          : "the length of its properties has more than four bytes");
    }
    std::string_view bytes = take(*length, "its properties");
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
  reader.has_properties = packet.protocol_level == 5;
  const unsigned flags = reader.byte("the flags");
  packet.keep_alive = reader.number("the keep alive");
  packet.properties = reader.properties();
  packet.clean = (flags & 0x02U) != 0;
  packet.client_id = reader.text("the client id");
  if ((flags & 0x04U) != 0) {
    packet.qos = static_cast<int>(flags >> 3U & 3U);
    packet.retain = (flags & 0x20U) != 0;
    packet.will_properties = reader.properties(the_will);
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

void read_publish(Packet& packet, Reader& reader, std::uint8_t first_byte, std::size_t missing) {
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
  packet.properties = reader.properties();
  packet.payload = reader.left() + missing;
}

/// The end of PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT and AUTH: what is left out means success without properties
/// [MQTT5 3.4.2.1].
void read_outcome(Packet& packet, Reader& reader) {
  if (reader.has_properties && !reader.at_end()) {
    packet.codes.push_back(reader.reason_code("the reason code"));
    packet.properties = reader.at_end() ? std::vector<Property>{} : reader.properties();
  }
}

/// SUBACK and UNSUBACK; before MQTT 5 the latter has no codes.
void read_codes(Packet& packet, Reader& reader) {
  packet.id = reader.packet_id();
  if (reader.has_properties) {
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
  packet.properties = is_of_another ? std::vector<Property>{} : reader.properties();
}

void read_filters(Packet& packet, Reader& reader) {
  packet.id = reader.packet_id();
  packet.properties = reader.properties();
  while (!reader.at_end()) {
    RequestedFilter& one = packet.filters.emplace_back();
    one.filter = reader.text("a topic filter");
    if (packet.type == PacketType::subscribe) {
      one.options = reader.byte("a filter's options");
    }
  }
}

// In words, for -d -------------------------------------------------------------------------------------------------

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
  const KnownProperty* const known = known_property(property.identifier);
  if (known == nullptr || known->kind == KnownProperty::Kind::bytes) {
    return fmt::format("{} of {} bytes", property_name(property.identifier), property.text.size());
  }
  const auto words = words_of({PropertyPlace::publish, property});
  return fmt::format("{}", fmt::join(words.begin() + 1, words.end(), " "));
}

std::string words_of_connect(const Packet& packet) {
  const auto version = static_cast<ProtocolVersion>(packet.protocol_level);
  const char* clean = version == ProtocolVersion::v5 ? "clean start" : "clean session";
  std::string words = fmt::format("{}, client id {}, {}, keep alive {} s{}{}", version_name(version), packet.client_id,
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
  Reader reader{body, packet.type, version == ProtocolVersion::v5};
  switch (packet.type) {
    case PacketType::connect: read_connect(packet, reader); break;
    case PacketType::connack: read_connack(packet, reader, version); break;
    case PacketType::publish: read_publish(packet, reader, header->first_byte, missing); break;
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      packet.id = reader.packet_id();
      read_outcome(packet, reader);
      break;
    case PacketType::suback:
    case PacketType::unsuback: read_codes(packet, reader); break;
    case PacketType::subscribe:
    case PacketType::unsubscribe: read_filters(packet, reader); break;
    case PacketType::pingreq:
    case PacketType::pingresp: break;
    case PacketType::disconnect:
    case PacketType::auth: read_outcome(packet, reader); break;
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

std::optional<std::uint16_t> packet_id_of(std::string_view packet) {
  const PacketType type = type_of(static_cast<std::uint8_t>(packet.front()));
  packet.remove_prefix(1);
  if (!take_variable(packet)) {
    return std::nullopt;
  }
  if (type == PacketType::publish) {
    const auto topic = take_number(packet, 2);
    packet.remove_prefix(std::min<std::size_t>(topic.value_or(0), packet.size()));
  }
  const auto id = take_number(packet, 2);
  return id ? std::optional(static_cast<std::uint16_t>(*id)) : std::nullopt;
}

std::string acknowledgement(PacketType type, std::uint16_t id, int code) {
  const int flags = type == PacketType::pubrel ? 2 : 0;
  const bool has_code = code != 0;
  std::string packet{static_cast<char>(static_cast<int>(type) << 4 | flags), static_cast<char>(has_code ? 3 : 2)};
  packet += big_endian(id, 2);
  return has_code ? packet + static_cast<char>(code) : packet;
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
