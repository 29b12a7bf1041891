#include "common/mqtt/property.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "common/mqtt/topic.hpp"
#include "common/text/encoding.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

enum class Type { byte, two_bytes, four_bytes, variable, text, topic, binary, pair };

/// Packets, a bit for each type.
using Packets = std::uint32_t;

constexpr Packets in(auto... types) { return ((Packets{1} << static_cast<unsigned>(types)) | ...); }

/// One row of the specification's table 2-4.
struct Known {
  std::uint8_t identifier;
  std::string_view name;
  Type type;
  Packets packets;
  std::uint32_t least = 0;
  std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
};

using enum PacketType;
using namespace property_id;

constexpr Packets message = in(publish, the_will);
constexpr Packets of_both = in(connect, connack);
constexpr Packets of_answers = in(puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth);
constexpr std::uint32_t largest_variable = 268'435'455;  // four bytes of seven bits [MQTT5-1.5.5]

constexpr std::uint8_t authentication_method = 0x15;
constexpr std::uint8_t authentication_data = 0x16;
constexpr std::uint8_t server_reference = 0x1C;

constexpr std::array table{
    Known{payload_format_indicator, "payload-format-indicator", Type::byte, message, 0, 1},
    Known{message_expiry_interval, "message-expiry-interval", Type::four_bytes, message},
    Known{content_type, "content-type", Type::text, message},
    Known{response_topic, "response-topic", Type::topic, message},
    Known{correlation_data, "correlation-data", Type::binary, message},
    Known{subscription_identifier, "subscription-identifier", Type::variable, in(publish, subscribe), 1,
          largest_variable},
    Known{0x11, "session-expiry-interval", Type::four_bytes, of_both | in(disconnect)},
    Known{0x12, "assigned-client-identifier", Type::text, in(connack)},
    Known{0x13, "server-keep-alive", Type::two_bytes, in(connack)},
    Known{authentication_method, "authentication-method", Type::text, of_both | in(auth)},
    Known{authentication_data, "authentication-data", Type::binary, of_both | in(auth)},
    Known{0x17, "request-problem-information", Type::byte, in(connect), 0, 1},
    Known{0x18, "will-delay-interval", Type::four_bytes, in(the_will)},
    Known{0x19, "request-response-information", Type::byte, in(connect), 0, 1},
    Known{0x1A, "response-information", Type::text, in(connack)},
    Known{server_reference, "server-reference", Type::text, in(connack, disconnect)},
    Known{0x1F, "reason-string", Type::text, of_answers | in(connack)},
    Known{0x21, "receive-maximum", Type::two_bytes, of_both, 1, 65535},
    Known{0x22, "topic-alias-maximum", Type::two_bytes, of_both, 0, 65535},
    Known{topic_alias, "topic-alias", Type::two_bytes, in(publish), 1, 65535},
    Known{0x24, "maximum-qos", Type::byte, in(connack), 0, 1},
    Known{0x25, "retain-available", Type::byte, in(connack), 0, 1},
    Known{user_property, "user-property", Type::pair, message | of_both | of_answers | in(subscribe, unsubscribe)},
    Known{0x27, "maximum-packet-size", Type::four_bytes, of_both, 1},
    Known{0x28, "wildcard-subscription-available", Type::byte, in(connack), 0, 1},
    Known{0x29, "subscription-identifier-available", Type::byte, in(connack), 0, 1},
    Known{0x2A, "shared-subscription-available", Type::byte, in(connack), 0, 1},
};

/// A packet in which a client may send properties.
struct NamedPacket {
  std::string_view word;
  std::string_view name;  ///< as the specification writes it
  PropertyPlace place;
  PacketType type;

  [[nodiscard]] bool may_carry(const Known& property) const {
    const bool is_brokers =
        property.identifier == server_reference || (property.identifier == subscription_identifier && type == publish);
    return (property.packets & in(type)) != 0 && !is_brokers;
  }
};

constexpr std::array packets{
    NamedPacket{"connect", "CONNECT", PropertyPlace::connect, connect},
    NamedPacket{"publish", "PUBLISH", PropertyPlace::publish, publish},
    NamedPacket{"subscribe", "SUBSCRIBE", PropertyPlace::subscribe, subscribe},
    NamedPacket{"unsubscribe", "UNSUBSCRIBE", PropertyPlace::unsubscribe, unsubscribe},
    NamedPacket{"disconnect", "DISCONNECT", PropertyPlace::disconnect, disconnect},
    NamedPacket{"will", "a will", PropertyPlace::will, the_will},
};

const NamedPacket& packet_of(PropertyPlace place) {
  return *std::find_if(packets.begin(), packets.end(),
                       [&](const NamedPacket& packet) { return packet.place == place; });
}

/// By identifier: the row of the table, and one more.
constexpr auto rows = [] {
  std::array<std::uint8_t, 256> all{};
  for (std::size_t row = 0; row < table.size(); ++row) {
    all[table[row].identifier] = static_cast<std::uint8_t>(row + 1);
  }
  return all;
}();

const Known* known(std::uint8_t identifier) {
  const std::size_t row = rows[identifier];
  return row == 0 ? nullptr : &table[row - 1];
}

const NamedPacket& packet_named(const std::string& word) {
  const std::string wanted = in_small_letters(word);
  for (const NamedPacket& packet : packets) {
    if (packet.word == wanted) {
      return packet;
    }
  }
  const std::string those = "expected connect, publish, subscribe, unsubscribe, disconnect or will";
  for (const std::string_view refused : {"puback", "pubrec", "pubrel", "pubcomp"}) {
    if (refused == wanted) {
      throw Expected(those + "; the library that answers messages adds no properties to its answers");
    }
  }
  if (wanted == "auth") {
    throw Expected(those + "; an authentication by AUTH packets is not supported");
  }
  for (const std::string_view refused : {"connack", "suback", "unsuback"}) {
    if (refused == wanted) {
      throw Expected(those + "; that packet is sent by the broker");
    }
  }
  throw Expected(those);
}

const Known& property_named(const std::string& word, const NamedPacket& packet) {
  const std::string wanted = in_small_letters(word);
  std::vector<std::string_view> allowed;
  for (const Known& one : table) {
    if (packet.may_carry(one)) {
      if (one.name == wanted) {
        return one;
      }
      allowed.push_back(one.name);
    }
  }
  throw Expected(fmt::format("expected a property that {} may carry: {}", packet.name, fmt::join(allowed, ", ")));
}

/// What strings and binary data have in common: their length travels in two bytes [MQTT5-1.5.4, 1.5.6].
void check_length(std::string_view name, std::string_view value) {
  if (value.size() > 65535) {
    throw Expected(fmt::format("expected at most 65535 bytes in {}", name));
  }
}

std::string checked_text(std::string_view name, const std::string& value) {
  check_length(name, value);
  if (!is_mqtt_text(value)) {
    throw Expected(fmt::format("expected UTF-8 without control characters in {}", name));
  }
  return value;
}

std::uint32_t most_of(const Known& property) {
  switch (property.type) {
    case Type::byte: return std::min<std::uint32_t>(property.most, 255);
    case Type::two_bytes: return std::min<std::uint32_t>(property.most, 65535);
    // Paho C 1.3.12 writes greater ones as other numbers: 4294967295 as 255.
    case Type::four_bytes: return std::min<std::uint32_t>(property.most, longest_expiry);
    default: return property.most;
  }
}

/// How the value of a binary property may be written, by what stands behind its name.
struct Notation {
  std::string_view suffix;
  std::optional<std::string> (*bytes_of)(std::string_view text);
  std::string_view expected;
};

constexpr std::array notations{
    Notation{":hex", bytes_of_hex, "hexadecimal digits, two for each byte"},
    Notation{":base64", bytes_of_base64, "base64, with its padding"},
};

/// Cuts such a suffix off; nullptr where there is none.
const Notation* take_notation(std::string& word) {
  for (const Notation& notation : notations) {
    if (word.ends_with(notation.suffix)) {
      word.resize(word.size() - notation.suffix.size());
      return &notation;
    }
  }
  return nullptr;
}

Property with_value(const Known& property, const std::vector<std::string>& values) {
  const std::string& value = values.back();
  switch (property.type) {
    case Type::text: return {property.identifier, 0, checked_text(property.name, value)};
    case Type::topic:
      if (const auto fault = fault_of_topic_name(value)) {
        throw Expected(fmt::format("expected {} in {}", *fault, property.name));
      }
      return {property.identifier, 0, value};
    case Type::binary: check_length(property.name, value); return {property.identifier, 0, value};
    case Type::pair:
      return {property.identifier, 0, checked_text(property.name, value), checked_text(property.name, values.front())};
    default: break;
  }
  const std::uint32_t most = most_of(property);
  const auto number = whole_number(
      value, property.least, most,
      most == 1 ? fmt::format("expected 0 or 1 for {}", property.name)
                : fmt::format("expected a number from {} to {} for {}", property.least, most, property.name));
  return {property.identifier, static_cast<std::uint32_t>(number), {}};
}

/// A big-endian number of so many bytes.
std::optional<std::uint32_t> take_number(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  for (const char byte : bytes.substr(0, size)) {
    number = number << 8U | static_cast<unsigned char>(byte);
  }
  bytes.remove_prefix(size);
  return number;
}

std::optional<std::string_view> take_text(std::string_view& bytes) {
  const auto size = take_number(bytes, 2);
  if (!size || bytes.size() < *size) {
    return std::nullopt;
  }
  const std::string_view text = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return text;
}

}  // namespace

std::optional<PropertyView> take_property(std::string_view& bytes) {
  const auto identifier = take_number(bytes, 1);
  const Known* const row = identifier ? known(static_cast<std::uint8_t>(*identifier)) : nullptr;
  if (row == nullptr) {
    return std::nullopt;
  }
  std::optional<std::uint32_t> number = 0;
  std::optional<std::string_view> name = "";
  std::optional<std::string_view> text = "";
  switch (row->type) {
    case Type::byte: number = take_number(bytes, 1); break;
    case Type::two_bytes: number = take_number(bytes, 2); break;
    case Type::four_bytes: number = take_number(bytes, 4); break;
    case Type::variable: number = take_variable(bytes); break;
    case Type::pair:
      name = take_text(bytes);
      text = name ? take_text(bytes) : std::nullopt;
      break;
    default: text = take_text(bytes);
  }
  if (!number || !name || !text) {
    return std::nullopt;
  }
  return PropertyView{row->identifier, *number, *text, *name};
}

bool has_right_value(const PropertyView& property) {
  const Known* const row = known(property.identifier);
  if (row == nullptr) {
    return false;
  }
  switch (row->type) {
    case Type::text:
    case Type::binary:
    case Type::pair: return true;
    case Type::topic: return property.text.find_first_of(std::string_view{"+#\0", 3}) == std::string_view::npos;
    default: return property.number >= row->least && property.number <= row->most;
  }
}

bool may_have(PacketType packet, std::uint8_t identifier) {
  const Known* const row = known(identifier);
  return row != nullptr && (row->packets & in(packet)) != 0;
}

std::span<const PublishProperty> publish_properties() {
  static const auto all = [] {
    std::vector<PublishProperty> of_publish;
    for (const Known& one : table) {
      if (may_have(publish, one.identifier)) {
        const auto kind = one.type == Type::pair                              ? PublishProperty::Kind::pair
                          : one.type == Type::binary                          ? PublishProperty::Kind::bytes
                          : one.type == Type::text || one.type == Type::topic ? PublishProperty::Kind::text
                                                                              : PublishProperty::Kind::number;
        of_publish.push_back({one.identifier, one.name, kind});
      }
    }
    return of_publish;
  }();
  return all;
}

const PublishProperty* publish_property(std::uint8_t identifier) {
  const auto all = publish_properties();
  const auto found = std::ranges::find(all, identifier, &PublishProperty::identifier);
  return found == all.end() ? nullptr : &*found;
}

bool is_binary(const Property& property) {
  const Known* const row = known(property.identifier);
  return row == nullptr || row->type == Type::binary;
}

PlacedProperty placed_property(const std::vector<std::string>& words) {
  if (words.empty()) {
    throw Expected("expected a packet, the name of a property and its value: publish content-type text/plain");
  }
  const NamedPacket& packet = packet_named(words.front());
  if (words.size() < 2) {
    throw Expected(fmt::format("expected the name of a property and its value after {}", packet.word));
  }
  std::string name = words[1];
  const Notation* const notation = take_notation(name);
  const Known& property = property_named(name, packet);
  if (notation != nullptr && property.type != Type::binary) {
    throw Expected(fmt::format("expected {} without {}: its value is not binary", property.name, notation->suffix));
  }
  std::vector<std::string> values(words.begin() + 2, words.end());
  if (notation != nullptr && values.size() == 1) {
    auto bytes = notation->bytes_of(values.front());
    if (!bytes) {
      throw Expected(fmt::format("expected {} after {}", notation->expected, shortened(words[1])));
    }
    values.front() = std::move(*bytes);
  }
  if (property.type == Type::pair ? values.size() != 2 : values.size() != 1) {
    throw Expected(fmt::format("expected {} after {}", property.type == Type::pair ? "a name and a value" : "one value",
                               property.name));
  }
  return {packet.place, with_value(property, values)};
}

std::optional<std::string> fault_of_properties(const std::vector<PlacedProperty>& properties) {
  const auto count = [&](PropertyPlace place, std::uint8_t identifier) {
    return std::count_if(properties.begin(), properties.end(), [&](const PlacedProperty& one) {
      return one.place == place && one.property.identifier == identifier;
    });
  };
  for (const auto& [place, property] : properties) {
    const std::uint8_t identifier = property.identifier;
    if (identifier != user_property && count(place, identifier) > 1) {
      return fmt::format("expected {} only once in {}", property_name(identifier), packet_of(place).name);
    }
    if (identifier == authentication_data && count(place, authentication_method) == 0) {
      return "expected authentication-method beside authentication-data";
    }
  }
  return std::nullopt;
}

std::vector<std::string> words_of(const PlacedProperty& property) {
  const auto& [place, value] = property;
  std::vector<std::string> words{std::string(packet_of(place).word), std::string(property_name(value.identifier))};
  const Known* const row = known(value.identifier);
  switch (row != nullptr ? row->type : Type::binary) {
    case Type::pair: words.insert(words.end(), {value.name, value.text}); break;
    case Type::binary:
      if (!is_mqtt_text(value.text)) {
        words.back() += notations.front().suffix;
        words.push_back(hex(value.text, HexDigits::lower));
        break;
      }
      [[fallthrough]];
    case Type::text:
    case Type::topic: words.push_back(value.text); break;
    default: words.push_back(std::to_string(value.number));
  }
  return words;
}

std::string_view property_name(std::uint8_t identifier) {
  const Known* const row = known(identifier);
  return row != nullptr ? row->name : std::string_view{};
}

bool is_secret(const PlacedProperty& property) { return property.property.identifier == authentication_data; }

std::vector<PropertyWords> property_words() {
  std::vector<PropertyWords> words;
  for (const NamedPacket& packet : packets) {
    PropertyWords& of_packet = words.emplace_back(PropertyWords{std::string(packet.word), {}});
    for (const Known& one : table) {
      if (packet.may_carry(one)) {
        of_packet.properties.emplace_back(one.name);
      }
    }
    std::sort(of_packet.properties.begin(), of_packet.properties.end());
  }
  return words;
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

std::optional<std::uint32_t> take_variable(std::string_view& bytes) {
  std::uint32_t number = 0;
  for (std::size_t at = 0; at < bytes.size() && at < 4; ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    number |= static_cast<std::uint32_t>(byte & 0x7FU) << (7 * at);
    if ((byte & 0x80U) == 0) {
      bytes.remove_prefix(at + 1);
      return number;
    }
  }
  return std::nullopt;
}

std::size_t size_of_variable(std::size_t number) {
  std::size_t bytes = 1;
  for (number >>= 7U; number > 0; number >>= 7U) {
    ++bytes;
  }
  return bytes;
}

std::size_t encoded_size(const std::vector<Property>& properties) {
  std::size_t size = 0;
  for (const Property& property : properties) {
    const Known* const row = known(property.identifier);
    size += 1;
    switch (row == nullptr ? Type::byte : row->type) {
      case Type::byte: size += 1; break;
      case Type::two_bytes: size += 2; break;
      case Type::four_bytes: size += 4; break;
      case Type::variable: size += size_of_variable(property.number); break;
      case Type::text:
      case Type::topic:
      case Type::binary: size += 2 + property.text.size(); break;
      case Type::pair: size += 4 + property.name.size() + property.text.size(); break;
    }
  }
  return size;
}

}  // namespace sistem
