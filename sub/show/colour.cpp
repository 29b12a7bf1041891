#include "sub/show/colour.hpp"

#include <fmt/format.h>

#include <array>

#include "common/text/random.hpp"

namespace sistem {
namespace {

// Readable on a dark and on a light background: neither near black nor near white, no pure blue, no yellow.
constexpr std::array<unsigned, 17> many_colours{33,  37,  61,  65,  68,  71,  97,  101, 130,
                                                132, 133, 136, 137, 139, 166, 167, 173};
constexpr std::array<unsigned, 6> few_colours{6, 2, 5, 3, 4, 1};

// Far from each other, for lines that cross.
constexpr std::array<unsigned, Paint::series_colours> series_of_many{33, 166, 71, 133, 136, 37};

std::string value_of(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

}  // namespace

Palette palette_of(const std::map<std::string, std::string>& environment) {
  const std::string terminal = value_of(environment, "TERM");
  if (!value_of(environment, "NO_COLOR").empty() || terminal == "dumb") {
    return Palette::none;
  }
  const bool has_many = terminal.find("256color") != std::string::npos || !value_of(environment, "COLORTERM").empty();
  return has_many ? Palette::many : Palette::few;
}

std::string Paint::topic(std::string_view topic, std::string_view text) const {
  const std::uint64_t hash = hash_of(topic) >> 18U;  // so the lab's topics get colours that differ
  return in(
      palette_ == Palette::many ? many_colours[hash % many_colours.size()] : few_colours[hash % few_colours.size()],
      text);
}

std::string Paint::series(std::size_t number, std::string_view text) const {
  return in(palette_ == Palette::many ? series_of_many[number % series_colours] : few_colours[number % series_colours],
            text);
}

std::string Paint::in(unsigned colour, std::string_view text) const {
  return with(palette_ == Palette::many ? fmt::format("38;5;{}", colour) : fmt::format("{}", 30 + colour), text);
}

std::string Paint::with(std::string_view look, std::string_view text) const {
  return palette_ == Palette::none || text.empty() ? std::string(text) : fmt::format("\x1b[{}m{}\x1b[0m", look, text);
}

}  // namespace sistem
