#pragma once

#include <string>

#include "common/mqtt/property.hpp"

namespace sistem {

/// As `-D publish NAME VALUE` gives it.
inline Property property(const std::string& name, const std::string& value) {
  return placed_property({"publish", name, value}).property;
}

}  // namespace sistem
