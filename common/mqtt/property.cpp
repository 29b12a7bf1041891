#include "common/mqtt/property.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "common/mqtt/topic.hpp"
#include "common/text/encoding.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using Kind = KnownProperty::Kind;
using enum PacketType;
using namespace property_id;

constexpr KnownProperty::Packets in(auto... types) {
  return ((KnownProperty::Packets{1} << static_cast<unsigned>(types)) | ...);
}

constexpr KnownProperty::Packets message = in(publish, the_will);
constexpr KnownProperty::Packets of_both = in(connect, connack);
constexpr KnownProperty::Packets of_answers = in(puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth);
constexpr std::uint32_t largest_variable = 268'435'455;  // four bytes of seven bits [MQTT5-1.5.5]

constexpr std::uint8_t authentication_method = 0x15;
constexpr std::uint8_t authentication_data = 0x16;
constexpr std::uint8_t server_reference = 0x1C;

constexpr KnownProperty table[] = {
    {payload_format_indicator, "payload-format-indicator", Kind::number, 1, message, 0, 1},
    {message_expiry_interval, "message-expiry-interval", Kind::number, 4, message},
    {content_type, "content-type", Kind::text, 0, message},
    {response_topic, "response-topic", Kind::text, 0, message},
    {correlation_data, "correlation-data", Kind::bytes, 0, message},
    {subscription_identifier, "subscription-identifier", Kind::number, 0, in(publish, subscribe), 1, largest_variable},
    {0x11, "session-expiry-interval", Kind::number, 4, of_both | in(disconnect)},
    {0x12, "assigned-client-identifier", Kind::text, 0, in(connack)},
    {0x13, "server-keep-alive", Kind::number, 2, in(connack)},
    {authentication_method, "authentication-method", Kind::text, 0, of_both | in(auth)},
    {authentication_data, "authentication-data", Kind::bytes, 0, of_both | in(auth)},
    {0x17, "request-problem-information", Kind::number, 1, in(connect), 0, 1},
    {0x18, "will-delay-interval", Kind::number, 4, in(the_will)},
    {0x19, "request-response-information", Kind::number, 1, in(connect), 0, 1},
    {0x1A, "response-information", Kind::text, 0, in(connack)},
    {server_reference, "server-reference", Kind::text, 0, in(connack, disconnect)},
    {0x1F, "reason-string", Kind::text, 0, of_answers | in(connack)},
    {0x21, "receive-maximum", Kind::number, 2, of_both, 1, 65535},
    {0x22, "topic-alias-maximum", Kind::number, 2, of_both, 0, 65535},
    {topic_alias, "topic-alias", Kind::number, 2, in(publish), 1, 65535},
    {0x24, "maximum-qos", Kind::number, 1, in(connack), 0, 1},
    {0x25, "retain-available", Kind::number, 1, in(connack), 0, 1},
    {user_property, "user-property", Kind::pair, 0, message | of_both | of_answers | in(subscribe, unsubscribe)},
    {0x27, "maximum-packet-size", Kind::number, 4, of_both, 1},
    {0x28, "wildcard-subscription-available", Kind::number, 1, in(connack), 0, 1},
    {0x29, "subscription-identifier-available", Kind::number, 1, in(connack), 0, 1},
    {0x2A, "shared-subscription-available", Kind::number, 1, in(connack), 0, 1},
};

/// A packet in which a client may send properties.
struct NamedPacket {
  std::string_view word;
  std::string_view name;  ///< as the specification writes it
  PropertyPlace place;
  PacketType type;

  [[nodiscard]] bool may_carry(const KnownProperty& property) const {
    const bool is_brokers =
        property.identifier == server_reference || (property.identifier == subscription_identifier && type == publish);
    return property.may_be_in(type) && !is_brokers;
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
  for (std::size_t row = 0; row < std::size(table); ++row) {
    all[table[row].identifier] = static_cast<std::uint8_t>(row + 1);
  }
  return all;
}();

const NamedPacket& packet_named(const std::string& word) {
  const std::string wanted = in_small_letters(word);
  for (const NamedPacket& packet : packets) {
    if (packet.word == wanted) {
      return packet;
    }
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> refused{{
      {"puback pubrec pubrel pubcomp", "; the library that answers messages adds no properties to its answers"},
      {"auth", "; an authentication by AUTH packets is not supported"},
      {"connack suback unsuback", "; that packet is sent by the broker"},
  }};
  std::string complaint = "expected connect, publish, subscribe, unsubscribe, disconnect or will";
  for (const auto& [words, why] : refused) {
    const auto all = split(words);
    complaint += std::ranges::find(all, wanted) != all.end() ? why : "";
  }
  throw Expected(complaint);
}

const KnownProperty& property_named(const std::string& word, const NamedPacket& packet) {
  const std::string wanted = in_small_letters(word);
  std::vector<std::string_view> allowed;
  for (const KnownProperty& one : table) {
    if (packet.may_carry(one)) {
      if (one.name == wanted) {
        return one;
      }
      allowed.push_back(one.name);
    }
  }
  throw Expected(fmt::format("expected a property that {} may carry: {}", packet.name, fmt::join(allowed, ", ")));
}

/// The length of strings and of binary data travels in two bytes [MQTT5-1.5.4, 1.5.6].
void check_text(const KnownProperty& property, std::string_view value) {
  if (value.size() > 65535) {
    throw Expected(fmt::format("expected at most 65535 bytes in {}", property.name));
  }
  if (property.kind != Kind::bytes && !is_mqtt_text(value)) {
    throw Expected(fmt::format("expected UTF-8 without control characters in {}", property.name));
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

Property with_value(const KnownProperty& property, const std::vector<std::string>& values) {
  const std::string& value = values.back();
  if (property.kind == Kind::number) {
    // Paho C 1.3.12 writes greater ones of four bytes as other numbers: 4294967295 as 255.
    const std::uint32_t most = std::min(property.most, longest_expiry);
    const auto read = whole_number(
        value, property.least, most,
        most == 1 ? fmt::format("expected 0 or 1 for {}", property.name)
                  : fmt::format("expected a number from {} to {} for {}", property.least, most, property.name));
    return {property.identifier, static_cast<std::uint32_t>(read), {}};
  }
  if (property.identifier == response_topic) {
    if (const auto fault = fault_of_topic_name(value)) {
      throw Expected(fmt::format("expected {} in {}", *fault, property.name));
    }
  }
  check_text(property, value);
  check_text(property, values.front());
  return {property.identifier, 0, value, property.kind == Kind::pair ? values.front() : ""};
}

const Property* property_in(const std::vector<Property>& properties, std::string_view name) {
  const auto one = std::ranges::find_if(
      properties, [&](const Property& property) { return property_name(property.identifier) == name; });
  return one == properties.end() ? nullptr : &*one;
}

std::optional<std::string_view> take_text(std::string_view& bytes) {
  const auto size = take_number(bytes, 2);
  if (!size || bytes.size() < *size) {
    return std::nullopt;
  }
  const std::string_view taken = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return taken;
}

bool has_right_value(const KnownProperty& row, const PropertyView& property) {
  if (row.kind == Kind::number) {
    return property.number >= row.least && property.number <= row.most;
  }
  return row.identifier != response_topic ||
         property.text.find_first_of(std::string_view{"+#\0", 3}) == std::string_view::npos;
}

}  // namespace

bool KnownProperty::may_be_in(PacketType packet) const { return (packets & in(packet)) != 0; }

std::span<const KnownProperty> known_properties() { return table; }

const KnownProperty* known_property(std::uint8_t identifier) {
  const std::size_t row = rows[identifier];
  return row == 0 ? nullptr : &table[row - 1];
}

Property as_user_property(std::string_view name, std::string value) {
  return {user_property, 0, std::move(value), std::string(name)};
}

std::optional<std::uint32_t> take_number(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) {
    return std::nullopt;
  }
  const auto taken = static_cast<std::uint32_t>(number_of_big_endian(bytes.substr(0, size)));
  bytes.remove_prefix(size);
  return taken;
}

std::optional<PropertyView> take_property(std::string_view& bytes) {
  const auto identifier = take_number(bytes, 1);
  const KnownProperty* const row = identifier ? known_property(static_cast<std::uint8_t>(*identifier)) : nullptr;
  if (row == nullptr) {
    return std::nullopt;
  }
  if (row->kind == Kind::number) {
    const auto value = row->size > 0 ? take_number(bytes, row->size) : take_variable(bytes);
    return value ? std::optional(PropertyView{row->identifier, *value}) : std::nullopt;
  }
  const auto name = row->kind == Kind::pair ? take_text(bytes) : std::optional(std::string_view{});
  const auto value = name ? take_text(bytes) : std::nullopt;
  return value ? std::optional(PropertyView{row->identifier, 0, *value, *name}) : std::nullopt;
}

std::optional<std::string> fault_of_property(const PropertyView& property, PacketType packet, std::uint64_t& seen) {
  const KnownProperty* const row = known_property(property.identifier);
  if (row == nullptr || !row->may_be_in(packet)) {
    return fmt::format("it must not have the property {}", property_name(property.identifier));
  }
  const std::uint64_t bit = std::uint64_t{1} << row->identifier;
  const bool may_repeat =
      row->identifier == user_property || (row->identifier == subscription_identifier && packet == publish);
  if ((seen & bit) != 0 && !may_repeat) {
    return fmt::format("it has the property {} twice", row->name);
  }
  seen |= bit;
  return has_right_value(*row, property) ? std::nullopt
                                         : std::optional(fmt::format("its {} has no value of those", row->name));
}

std::vector<Property> properties_for(PropertyPlace place, const std::vector<PlacedProperty>& all) {
  std::vector<Property> properties;
  for (const PlacedProperty& one : all) {
    if (one.place == place) {
      properties.push_back(one.property);
    }
  }
  return properties;
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
  const KnownProperty& property = property_named(name, packet);
  if (notation != nullptr && property.kind != Kind::bytes) {
    throw Expected(fmt::format("expected {} without {}: its value is not binary", property.name, notation->suffix));
  }
  std::vector<std::string> values(words.begin() + 2, words.end());
  if (notation != nullptr && values.size() == 1) {
    auto value = notation->bytes_of(values.front());
    if (!value) {
      throw Expected(fmt::format("expected {} after {}", notation->expected, shortened(words[1])));
    }
    values.front() = std::move(*value);
  }
  if (const bool is_pair = property.kind == Kind::pair; values.size() != (is_pair ? 2 : 1)) {
    throw Expected(fmt::format("expected {} after {}", is_pair ? "a name and a value" : "one value", property.name));
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
  const KnownProperty* const row = known_property(value.identifier);
  const Kind kind = row != nullptr ? row->kind : Kind::bytes;
  if (kind == Kind::number) {
    words.push_back(std::to_string(value.number));
  } else if (kind == Kind::pair) {
    words.insert(words.end(), {value.name, value.text});
  } else if (kind == Kind::text || is_mqtt_text(value.text)) {
    words.push_back(value.text);
  } else {
    words.back() += notations.front().suffix;
    words.push_back(hex(value.text, HexDigits::lower));
  }
  return words;
}

std::string_view property_name(std::uint8_t identifier) {
  const KnownProperty* const row = known_property(identifier);
  return row != nullptr ? row->name : std::string_view{};
}

bool is_secret(const PlacedProperty& property) { return property.property.identifier == authentication_data; }

std::vector<PropertyWords> property_words() {
  std::vector<PropertyWords> words;
  for (const NamedPacket& packet : packets) {
    PropertyWords& of_packet = words.emplace_back(PropertyWords{std::string(packet.word), {}});
    for (const KnownProperty& one : table) {
      if (packet.may_carry(one)) {
        of_packet.properties.emplace_back(one.name);
      }
    }
    std::sort(of_packet.properties.begin(), of_packet.properties.end());
  }
  return words;
}

std::optional<std::uint32_t> number_in(const std::vector<Property>& properties, std::string_view name) {
  const Property* const one = property_in(properties, name);
  return one != nullptr ? std::optional(one->number) : std::nullopt;
}

std::optional<std::string> text_in(const std::vector<Property>& properties, std::string_view name) {
  const Property* const one = property_in(properties, name);
  return one != nullptr ? std::optional(one->text) : std::nullopt;
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
    const KnownProperty* const row = known_property(property.identifier);
    if (row == nullptr || row->kind == Kind::number) {
      size += 1 + (row != nullptr && row->size > 0 ? row->size : size_of_variable(property.number));
    } else {
      size += 1 + 2 + property.text.size() + (row->kind == Kind::pair ? 2 + property.name.size() : 0);
    }
  }
  return size;
}

}  // namespace sistem
