#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sub/match/json_text.hpp"

namespace sistem {

/// Where in a payload a number stands: all of it is one ("payload" or "."), perhaps with a unit behind it, or a field
/// of the JSON that it is ("temperature", "sensors.0.value").
class NumberField {
 public:
  /// Throws Expected for a path with nothing between two points.
  explicit NumberField(std::string_view path);

  /// Nothing where no number stands there. true and false are 1 and 0.
  [[nodiscard]] std::optional<double> of(std::string_view payload) const;

  /// As it was given.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<JsonPath> field_;  ///< nothing: the payload itself
};

}  // namespace sistem
