#include "common/property.hpp"
#include "common/option.hpp"
namespace sistem {
PlacedProperty placed_property(const std::vector<std::string>&) { throw Expected("expected PACKET PROPERTY VALUE"); }
std::vector<std::string> words_of(const PlacedProperty&) { return {}; }
std::string_view property_name(std::uint8_t) { return {}; }
}  // namespace sistem
