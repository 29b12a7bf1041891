#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

/// What writing and reading of records have in common.
namespace sistem::record_detail {

/// How a property that PUBLISH carries stands in the JSON.
enum class Kind : std::uint8_t { number, text, binary, pairs, numbers };

struct KnownProperty {
  std::uint8_t identifier;
  Kind kind;
  bool is_sent_again = true;
};

// [MQTT5-3.3.2.3]
inline constexpr std::array known_properties{
    KnownProperty{0x01, Kind::number},        KnownProperty{0x02, Kind::number},
    KnownProperty{0x03, Kind::text},          KnownProperty{0x08, Kind::text},
    KnownProperty{0x09, Kind::binary},        KnownProperty{0x0B, Kind::numbers, false},
    KnownProperty{0x23, Kind::number, false},  // the alias of a topic on one connection
    KnownProperty{0x26, Kind::pairs},
};

inline const KnownProperty* known_as(std::uint8_t identifier) {
  const auto* const found = std::find_if(known_properties.begin(), known_properties.end(),
                                         [&](const KnownProperty& one) { return one.identifier == identifier; });
  return found == known_properties.end() ? nullptr : found;
}

/// Of the name of a member whose value is in base64.
inline constexpr std::string_view base64_suffix = "_base64";

}  // namespace sistem::record_detail
