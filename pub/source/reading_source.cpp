#include "pub/source/reading_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/process/error.hpp"
#include "common/process/stop.hpp"
#include "common/text/wall_time.hpp"
#include "pub/source/template.hpp"

namespace sistem {
namespace {

/// Two of the readings are differences: alone, they are not there before the second measurement.
constexpr int most_attempts = 20;

}  // namespace

Source readings_of(Readings readings, const SourceConfig& config, Message pattern, std::chrono::milliseconds between) {
  const std::vector<std::string> wanted = config.readings.value_or(std::vector<std::string>{});
  const auto turn_at = [wanted, pattern = std::move(pattern), prefix = config.prefix, format = config.reading_format](
                           const std::vector<Reading>& measured, const Moment& moment) {
    Turn turn;
    for (const Reading& reading : measured) {
      if (wanted.empty() || std::ranges::find(wanted, reading.name) != wanted.end()) {
        turn.messages.push_back(pattern);
        turn.messages.back().topic = prefix + "/" + reading.name;
        turn.messages.back().payload = format == ReadingFormat::json ? json_of(reading, moment.wall) : reading.text();
      }
    }
    return turn;
  };
  return [readings = std::move(readings), turn_at, between](const Moment& moment, const std::stop_token& stop) mutable {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      Turn turn = turn_at(readings.measure(Readings::Clock::now()), moment);
      if (!turn.messages.empty() || !sleep_until(deadline_in(between), stop)) {
        return turn;
      }
    }
    throw Error("this host tells nothing of what --readings asks for");
  };
}

std::string json_of(const Reading& reading, std::chrono::system_clock::time_point time) {
  std::string json = "{";
  for (const Quantity& quantity : reading.quantities) {
    json += fmt::format("\"{}\":{},", quantity.name, quantity.number);
  }
  if (!reading.unit.empty()) {
    json += fmt::format("\"unit\":\"{}\",", reading.unit);
  }
  return json + fmt::format("\"time\":\"{}\"}}", utc_time(time, 3));
}

}  // namespace sistem
