#include "common/measure/stamp.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "common/text/words.hpp"

namespace sistem {
namespace {

/// In the place of what a line does not say.
constexpr std::string_view none = "-";

/// Before the number of the message that comes last.
constexpr char end_sign = '=';

/// The longest publisher: MQTT's strings are no longer.
constexpr std::size_t longest_publisher = 65535;

/// One since 1970: what is before would overflow where latency is reckoned.
std::optional<Stamp::Time> parsed_time(std::string_view text) {
  const auto number = number_of<std::int64_t>(text);
  return number && *number >= 0 ? std::optional(Stamp::Time{std::chrono::nanoseconds{*number}}) : std::nullopt;
}

std::string text_of(Stamp::Time time) {
  return std::to_string(std::chrono::nanoseconds{time.time_since_epoch()}.count());
}

/// Takes the word off that ends with the next blank.
std::optional<std::string_view> take_word(std::string_view& line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view word = line.substr(0, blank);
  line.remove_prefix(blank + 1);
  return word;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }

std::string line_of(const std::string& number, Stamp::Time sent, std::string_view due, std::string_view checksum,
                    const std::string& publisher) {
  return fmt::format("{} {} {} {} {} {}\n", stamp_word, number, text_of(sent), due, checksum, publisher);
}

std::string text_of_checksum(std::uint32_t checksum) { return fmt::format("{:08x}", checksum); }

std::optional<std::uint32_t> checksum_of(std::string_view text) {
  constexpr std::size_t digits = 8;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  const bool is_whole = error == std::errc{} && end == text.data() + text.size() && text.size() == digits;
  return is_whole ? std::optional(number) : std::nullopt;
}

std::uint32_t checksum_of_payload(std::string_view payload) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): zlib's bytes are unsigned
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(payload.data()), payload.size()));
}

using Pair = std::pair<std::string_view, std::string>;

/// The properties that a stamp's line stands for; none where it is no such line.
std::vector<Pair> properties_of_line(std::string_view line) {
  const auto word = take_word(line);
  const auto sequence = take_word(line);
  const auto sent = take_word(line);
  const auto due = take_word(line);
  const auto checksum = take_word(line);
  if (!checksum || *word != stamp_word || line.size() > longest_publisher || std::ranges::any_of(line, is_control)) {
    return {};
  }
  const bool is_end = sequence->starts_with(end_sign);
  const std::string_view number = sequence->substr(is_end ? 1 : 0);
  if (!number_of<std::uint64_t>(number) || !parsed_time(*sent) || (!parsed_time(*due) && *due != none) ||
      (!checksum_of(*checksum) && *checksum != none)) {
    return {};
  }
  std::vector<Pair> pairs{{stamp_publisher, std::string(line)},
                          {is_end ? stamp_count : stamp_seq, std::string(number)},
                          {stamp_time, std::string(*sent)}};
  if (*due != none) {
    pairs.emplace_back(stamp_due, *due);
  }
  if (*checksum != none) {
    pairs.emplace_back(stamp_crc, *checksum);
  }
  return pairs;
}

void put(const std::vector<Pair>& pairs, Message& message) {
  for (const auto& [name, value] : pairs) {
    message.properties.push_back({user_property, 0, value, std::string(name)});
  }
}

/// All that the properties say, of several stamps what the last one does.
struct Said {
  Stamp stamp;
  std::optional<std::uint64_t> sequence;
  std::optional<std::uint64_t> count;
  std::optional<Stamp::Time> sent;
};

Said said_by(const Message& message) {
  Said said;
  for (const Property& property : message.properties) {
    if (property.identifier != user_property) {
      continue;
    }
    if (property.name == stamp_publisher) {
      said.stamp.publisher = property.text;
    } else if (property.name == stamp_seq) {
      said.sequence = number_of<std::uint64_t>(property.text);
      said.count.reset();
    } else if (property.name == stamp_count) {
      said.count = number_of<std::uint64_t>(property.text);
      said.sequence.reset();
    } else if (property.name == stamp_time) {
      said.sent = parsed_time(property.text);
      said.stamp.due.reset();  // those of a stamp before this one
      said.stamp.checksum.reset();
    } else if (property.name == stamp_due) {
      said.stamp.due = parsed_time(property.text);
    } else if (property.name == stamp_crc) {
      said.stamp.checksum = checksum_of(property.text);
    }
  }
  return said;
}

}  // namespace

std::optional<Stamp> stamp_of(const Message& message) {
  Said said = said_by(message);
  if (!said.sequence || !said.sent) {
    return std::nullopt;
  }
  said.stamp.sequence = *said.sequence;
  said.stamp.sent = *said.sent;
  return std::move(said.stamp);
}

std::optional<StampEnd> stamp_end_of(const Message& message) {
  Said said = said_by(message);
  if (!said.count || !said.sent) {
    return std::nullopt;
  }
  return StampEnd{std::move(said.stamp.publisher), *said.count, *said.sent};
}

bool is_intact(const Message& message, const Stamp& stamp) {
  return !stamp.checksum || *stamp.checksum == checksum_of_payload(message.payload);
}

void put_stamp(const Stamp& stamp, StampPlace place, Message& message) {
  const std::string number = std::to_string(stamp.sequence);
  const std::string checksum = text_of_checksum(checksum_of_payload(message.payload));
  if (place == StampPlace::payload) {
    message.payload.insert(
        0, line_of(number, stamp.sent, stamp.due ? text_of(*stamp.due) : std::string(none), checksum, stamp.publisher));
    return;
  }
  put({{stamp_publisher, stamp.publisher}, {stamp_seq, number}, {stamp_time, text_of(stamp.sent)}}, message);
  if (stamp.due) {
    put({{stamp_due, text_of(*stamp.due)}}, message);
  }
  put({{stamp_crc, checksum}}, message);
}

void put_stamp_end(const StampEnd& end, StampPlace place, Message& message) {
  if (place == StampPlace::payload) {
    message.payload.insert(0, line_of(fmt::format("{}{}", end_sign, end.count), end.sent, none, none, end.publisher));
    return;
  }
  put({{stamp_publisher, end.publisher}, {stamp_count, std::to_string(end.count)}, {stamp_time, text_of(end.sent)}},
      message);
}

void take_stamp_off(Message& message) {
  if (!message.payload.starts_with(stamp_word) || stamp_of(message) || stamp_end_of(message)) {
    return;
  }
  const std::size_t end = message.payload.find('\n');
  if (end == std::string::npos) {
    return;
  }
  if (const auto pairs = properties_of_line(std::string_view(message.payload).substr(0, end)); !pairs.empty()) {
    put(pairs, message);
    message.payload.erase(0, end + 1);
  }
}

}  // namespace sistem
