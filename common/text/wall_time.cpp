#include "common/text/wall_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono;

/// To the left with zeros. fmt would do, but a busy sub spends its time here.
void append_digits(std::uint64_t value, std::size_t count, std::string& out) {
  const std::size_t begin = out.size();
  out.append(count, '0');
  for (std::size_t at = begin + count; at > begin; value /= 10) {
    out[--at] = static_cast<char>('0' + value % 10);
  }
}

/// ".123": the first decimals of a fraction of a second, if there are to be any.
void append_fraction(std::int64_t nanoseconds, std::size_t decimals, std::string& out) {
  if (decimals > 0) {
    out += '.';
    append_digits(static_cast<std::uint64_t>(nanoseconds), 9, out);
    out.resize(out.size() - 9 + decimals);
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

LocalTime::LocalTime(WallTime time) {
  const auto whole = floor<std::chrono::seconds>(time);
  nanoseconds_ = std::chrono::nanoseconds(time - whole).count();
  const std::time_t count = system_clock::to_time_t(whole);
  ::localtime_r(&count, &local_);
}

std::string LocalTime::formatted(const char* format) const {
  std::array<char, 100> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &local_)};
}

std::string LocalTime::in_full() const {
  std::string zone = formatted("%z");
  if (zone.size() > 3) {
    zone.insert(zone.size() - 2, ":");
  }
  return fmt::format("{}.{:09}{}", formatted("%FT%T"), nanoseconds_, zone);
}

std::string time_of_day(WallTime time, std::size_t decimals) {
  const LocalTime local{time};
  std::string text = local.formatted("%T");
  append_fraction(local.nanoseconds(), decimals, text);
  return text;
}

void append_utc_time(WallTime time, std::size_t decimals, std::string& out) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<nanoseconds> clock{time - day};
  const auto append = [&](char mark, auto value) {
    out += mark;
    append_digits(static_cast<std::uint64_t>(value), 2, out);
  };
  append_digits(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4, out);
  append('-', static_cast<unsigned>(date.month()));
  append('-', static_cast<unsigned>(date.day()));
  append('T', clock.hours().count());
  append(':', clock.minutes().count());
  append(':', clock.seconds().count());
  append_fraction(clock.subseconds().count(), decimals, out);
  out += 'Z';
}

std::string utc_time(WallTime time, std::size_t decimals) {
  std::string text;
  append_utc_time(time, decimals, text);
  return text;
}

std::optional<WallTime> utc_time_of(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00T00:00:00";
  constexpr std::size_t only_date = 10;
  constexpr std::size_t without_seconds = 16;
  // Beyond these the clock's 64 bits of nanoseconds end.
  constexpr year first{1678};
  constexpr year last{2261};
  text.remove_suffix(text.size() > only_date && text.ends_with('Z') ? 1 : 0);
  const std::size_t size = std::min(text.size(), shape.size());
  const auto fits = [](char c, char in_shape) { return in_shape == '0' ? is_digit(c) : c == in_shape; };
  if (!std::equal(text.begin(), text.begin() + size, shape.begin(), fits) ||
      (size != only_date && size != without_seconds && size != shape.size())) {
    return std::nullopt;
  }
  std::string fraction;
  if (text.size() > size) {
    fraction = text.substr(size + 1);
    if (text[size] != '.' || fraction.empty() || fraction.size() > 9 || !std::ranges::all_of(fraction, is_digit)) {
      return std::nullopt;
    }
  }
  fraction.resize(9, '0');
  const std::string whole = std::string(text.substr(0, size)).append(shape.substr(size));
  const auto number_at = [&](std::size_t at, std::size_t digits) {
    return number_of<unsigned>(std::string_view(whole).substr(at, digits)).value_or(0);
  };
  const year_month_day date{year(static_cast<int>(number_at(0, 4))), month(number_at(5, 2)), day(number_at(8, 2))};
  const unsigned hour = number_at(11, 2);
  const unsigned minute = number_at(14, 2);
  const unsigned second = number_at(17, 2);
  if (!date.ok() || date.year() < first || date.year() > last || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  return sys_days(date) + hours(hour) + minutes(minute) + std::chrono::seconds(second) +
         nanoseconds(number_of<unsigned>(fraction).value_or(0));
}

}  // namespace sistem
