#include "pub/source/readings.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <utility>

#include "common/process/error.hpp"
#include "common/process/stop.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {
namespace {

Reading one_number(std::string number, std::string unit) {
  return {{}, {{"value", std::move(number)}}, std::move(unit)};
}

Reading percent(double part, double whole) { return one_number(fmt::format("{:.1f}", 100.0 * part / whole), "%"); }

std::uint64_t grown(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;  // a counter starts again when its device does
}

/// Millidegrees Celsius from the first of `folder`'s entries that has a readable `file`, in the order of their names.
std::optional<long> first_temperature(const std::filesystem::path& folder, const std::string& prefix,
                                      const std::string& file) {
  std::vector<std::filesystem::path> entries;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (entry.path().filename().string().starts_with(prefix)) {
      entries.push_back(entry.path());
    }
  }
  std::sort(entries.begin(), entries.end());
  for (const auto& entry : entries) {
    long millidegrees = 0;
    if (std::ifstream(entry / file) >> millidegrees) {
      return millidegrees;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string Reading::text() const {
  if (unit.empty()) {
    return numbers();
  }
  std::string all;
  for (const Quantity& quantity : quantities) {
    all += fmt::format("{}{} {}", all.empty() ? "" : ", ", quantity.number, unit);
    all += quantities.size() == 1 ? "" : " " + quantity.name;
  }
  return all;
}

std::string Reading::numbers() const {
  std::string all;
  for (const Quantity& quantity : quantities) {
    all += (all.empty() ? "" : " ") + quantity.number;
  }
  return all;
}

const std::vector<std::string>& reading_names() {
  static const std::vector<std::string> names{"cpu", "memori", "beban", "disk", "jaringan", "uptime", "suhu"};
  return names;
}

std::vector<Reading> Readings::measure(Clock::time_point now) {
  std::vector<Reading> readings;
  auto name = reading_names().begin();
  for (Measured& measured : std::array{cpu(), memory(), load(), disk(), network(now), uptime(), temperature()}) {
    if (measured) {
      readings.push_back(std::move(*measured));
      readings.back().name = *name;
    }
    ++name;
  }
  return readings;
}

/// The share of time since the last call in which the processors were not idle: proc(5), /proc/stat.
std::optional<Reading> Readings::cpu() {
  std::ifstream stat(root_ / "proc/stat");
  std::string label;
  std::array<std::uint64_t, 8> time{};  // user nice system idle iowait irq softirq steal
  stat >> label;
  for (std::uint64_t& value : time) {
    stat >> value;
  }
  if (!stat || label != "cpu") {
    return std::nullopt;
  }
  CpuTime now;
  for (const std::uint64_t value : time) {
    now.all += value;
  }
  now.busy = now.all - time[3] - time[4];
  const auto before = std::exchange(cpu_before_, now);
  if (!before || now.all <= before->all) {
    return std::nullopt;
  }
  return percent(static_cast<double>(grown(before->busy, now.busy)), static_cast<double>(now.all - before->all));
}

/// What cannot be had without swapping, of all there is.
std::optional<Reading> Readings::memory() const {
  std::ifstream meminfo(root_ / "proc/meminfo");
  double total = 0;
  std::optional<double> available;
  for (std::string line; std::getline(meminfo, line);) {
    std::istringstream words(line);
    std::string key;
    double kibibytes = 0;
    words >> key >> kibibytes;
    if (words && key == "MemTotal:") {
      total = kibibytes;
    } else if (words && key == "MemAvailable:") {
      available = kibibytes;
    }
  }
  if (total <= 0 || !available) {
    return std::nullopt;
  }
  return percent(total - *available, total);
}

/// The mean number of processes that run or want to, over 1, 5 and 15 minutes.
std::optional<Reading> Readings::load() const {
  std::ifstream loadavg(root_ / "proc/loadavg");
  std::string one;
  std::string five;
  std::string fifteen;
  if (!(loadavg >> one >> five >> fifteen)) {
    return std::nullopt;
  }
  return Reading{{}, {{"1min", one}, {"5min", five}, {"15min", fifteen}}, ""};
}

/// What is used of the file system at the root, as df(1) counts: blocks kept for root are neither used nor free.
std::optional<Reading> Readings::disk() const {
  struct statvfs space {};
  if (::statvfs(root_.c_str(), &space) != 0 || space.f_blocks == 0) {
    return std::nullopt;
  }
  const auto used = static_cast<double>(space.f_blocks - space.f_bfree);
  return percent(used, used + static_cast<double>(space.f_bavail));
}

/// Bytes per second since the last call over all interfaces but the loopback.
std::optional<Reading> Readings::network(Clock::time_point now) {
  std::ifstream dev(root_ / "proc/net/dev");
  Traffic traffic{0, 0, now};
  bool any = false;
  for (std::string line; std::getline(dev, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || line.substr(0, colon).ends_with(" lo") || line.starts_with("lo:")) {
      continue;
    }
    std::istringstream words(line.substr(colon + 1));
    std::array<std::uint64_t, 9> counters{};  // bytes in is the first, bytes out the ninth
    for (std::uint64_t& counter : counters) {
      words >> counter;
    }
    if (words) {
      any = true;
      traffic.in += counters.front();
      traffic.out += counters.back();
    }
  }
  if (!any) {
    return std::nullopt;
  }
  const auto before = std::exchange(traffic_before_, traffic);
  const double seconds = before ? std::chrono::duration<double>(now - before->at).count() : 0;
  if (seconds <= 0) {
    return std::nullopt;
  }
  const auto rate = [&](std::uint64_t bytes) { return fmt::format("{:.0f}", static_cast<double>(bytes) / seconds); };
  return Reading{
      {}, {{"in", rate(grown(before->in, traffic.in))}, {"out", rate(grown(before->out, traffic.out))}}, "B/s"};
}

std::optional<Reading> Readings::uptime() const {
  double seconds = 0;
  if (!(std::ifstream(root_ / "proc/uptime") >> seconds)) {
    return std::nullopt;
  }
  return one_number(fmt::format("{:.0f}", seconds), "s");
}

std::optional<Reading> Readings::temperature() const {
  auto millidegrees = first_temperature(root_ / "sys/class/thermal", "thermal_zone", "temp");
  if (!millidegrees) {
    millidegrees = first_temperature(root_ / "sys/class/hwmon", "hwmon", "temp1_input");
  }
  if (!millidegrees) {
    return std::nullopt;
  }
  return one_number(fmt::format("{:.1f}", static_cast<double>(*millidegrees) / 1000.0), "°C");
}

Source readings_of(Readings readings, const SourceConfig& config, Message pattern, std::chrono::milliseconds between) {
  constexpr int most_attempts = 20;  // two of the readings are differences: alone, they are not there at first
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
