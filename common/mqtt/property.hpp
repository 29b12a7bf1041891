#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/mqtt/protocol.hpp"

namespace sistem {

/// A property of a packet [MQTT5 2.2.2.2].
struct Property {
  std::uint8_t identifier = 0;
  std::uint32_t number = 0;  ///< of a byte, a two or four byte integer, or a variable byte integer
  std::string text;          ///< of a UTF-8 string, of binary data, and the value of a user property
  std::string name = {};     ///< of a user property

  friend bool operator==(const Property&, const Property&) = default;
};

/// Identifiers [MQTT5 2.2.2.2].
namespace property_id {
inline constexpr std::uint8_t payload_format_indicator = 0x01;
inline constexpr std::uint8_t message_expiry_interval = 0x02;
inline constexpr std::uint8_t content_type = 0x03;
inline constexpr std::uint8_t response_topic = 0x08;
inline constexpr std::uint8_t correlation_data = 0x09;
inline constexpr std::uint8_t subscription_identifier = 0x0B;
inline constexpr std::uint8_t topic_alias = 0x23;
inline constexpr std::uint8_t user_property = 0x26;
}  // namespace property_id

[[nodiscard]] Property as_user_property(std::string_view name, std::string value);

/// A row of the specification's table 2-4: a property that MQTT 5 knows.
struct KnownProperty {
  enum class Kind : std::uint8_t { number, text, bytes, pair };
  using Packets = std::uint32_t;  ///< a bit for each type

  std::uint8_t identifier;
  std::string_view name;  ///< of the specification, with dashes
  Kind kind;
  std::size_t size;  ///< of a number, in bytes; 0: a variable byte integer
  Packets packets;   ///< that may have it
  std::uint32_t least = 0;
  std::uint32_t most = std::numeric_limits<std::uint32_t>::max();

  /// Whether packets of that type may have it, whoever sends them; `the_will` stands for a will.
  [[nodiscard]] bool may_be_in(PacketType packet) const;
};

/// All of them, by identifier, and one of them; null for what is none.
[[nodiscard]] std::span<const KnownProperty> known_properties();
[[nodiscard]] const KnownProperty* known_property(std::uint8_t identifier);

/// The greatest four byte integer that the library sends as it is; of seconds, 68 years.
inline constexpr std::uint32_t longest_expiry = 2'147'483'647;

/// Where a property may be sent by a client; the will's are part of CONNECT but have a list of their own.
enum class PropertyPlace { connect, publish, subscribe, unsubscribe, disconnect, will };

/// A property that the user wants in packets of one kind.
struct PlacedProperty {
  PropertyPlace place;
  Property property;

  friend bool operator==(const PlacedProperty&, const PlacedProperty&) = default;
};

/// The properties that go into packets of one kind, in order.
[[nodiscard]] std::vector<Property> properties_for(PropertyPlace place, const std::vector<PlacedProperty>& all);

/// Reads the words of `-D`: the packet, the property's name, and its value; of user-property its name and its value.
/// `connect receive-maximum 10`, `publish user-property unit °C`. Throws Expected for a word that is wrong: an unknown
/// packet or property, a property that this packet may not carry, a value of another type or out of its range.
[[nodiscard]] PlacedProperty placed_property(const std::vector<std::string>& words);

/// What a complaint says was expected where properties, each right by itself, cannot go together: one that may stand
/// only once in its packet stands twice (all but user-property [MQTT5 2.2.2.2]), or authentication-data without
/// authentication-method [MQTT5 3.1.2.11.10]. Nothing where they can.
[[nodiscard]] std::optional<std::string> fault_of_properties(const std::vector<PlacedProperty>& properties);

/// The same as words again, for --show-config and profiles.
[[nodiscard]] std::vector<std::string> words_of(const PlacedProperty& property);

/// Whether its value must not be shown: authentication-data.
[[nodiscard]] bool is_secret(const PlacedProperty& property);

/// The name of the specification with dashes, "message-expiry-interval"; empty for an identifier that is none.
[[nodiscard]] std::string_view property_name(std::uint8_t identifier);

/// A property where it stands, in bytes that go over the wire.
struct PropertyView {
  std::uint8_t identifier = 0;
  std::uint32_t number = 0;
  std::string_view text = {};
  std::string_view name = {};
};

/// Takes one property [MQTT5 2.2.2.2] off the front of `bytes`. Nothing where MQTT 5 knows none by that identifier, or
/// `bytes` ends inside of it.
[[nodiscard]] std::optional<PropertyView> take_property(std::string_view& bytes);

/// What is wrong with a property among those of a packet of that type; `the_will` stands for a will. `seen` begins as
/// 0, and is the caller's until the packet ends. Nothing where it may stand there.
[[nodiscard]] std::optional<std::string> fault_of_property(const PropertyView& property, PacketType packet,
                                                           std::uint64_t& seen);

/// The value of a number among properties, and of a text.
[[nodiscard]] std::optional<std::uint32_t> number_in(const std::vector<Property>& properties, std::string_view name);
[[nodiscard]] std::optional<std::string> text_in(const std::vector<Property>& properties, std::string_view name);

/// How many bytes they take on the wire, without their length before them [MQTT5 2.2.2.2].
[[nodiscard]] std::size_t encoded_size(const std::vector<Property>& properties);

/// Takes a number of `size` bytes off the front of `bytes`, the highest first. Nothing where there are fewer.
[[nodiscard]] std::optional<std::uint32_t> take_number(std::string_view& bytes, std::size_t size);

/// Takes a variable byte integer off the front of `bytes`: seven bits in each byte, the lowest first; the eighth says
/// that there are more [MQTT5 1.5.5]. Nothing where `bytes` ends inside of it, or it has more than four.
[[nodiscard]] std::optional<std::uint32_t> take_variable(std::string_view& bytes);

/// How many bytes it takes.
[[nodiscard]] std::size_t size_of_variable(std::size_t number);

/// What `-D` takes, for help and completion: the words for packets, each with the properties that a client may put
/// there, in the alphabet's order.
struct PropertyWords {
  std::string packet;
  std::vector<std::string> properties;
};
[[nodiscard]] std::vector<PropertyWords> property_words();

}  // namespace sistem
