#include "pub/source/template.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <regex>
#include <utility>

#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"
#include "common/process/stop.hpp"
#include "common/text/encoding.hpp"
#include "common/text/random.hpp"
#include "common/text/wall_time.hpp"
#include "common/text/words.hpp"
#include "pub/source/generator.hpp"
#include "pub/source/input.hpp"

namespace sistem {
namespace {

using std::chrono::system_clock;

/// What pads: letters that a capture shows well.
std::string filler(std::size_t count) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
  std::string text;
  text.reserve(count);
  while (text.size() < count) {
    text += letters.substr(0, count - text.size());
  }
  return text;
}

template <typename Unit>
std::int64_t since_epoch(system_clock::time_point time) {
  return std::chrono::floor<Unit>(time).time_since_epoch().count();
}

/// A version 4 UUID [RFC 9562, 5.4].
std::string uuid(Random& random) {
  std::string bytes = random.bytes(16);
  const auto set = [&](std::size_t at, unsigned kept, unsigned bits) {
    bytes[at] = static_cast<char>((static_cast<unsigned char>(bytes[at]) & kept) | bits);
  };
  set(6, 0x0FU, 0x40U);
  set(8, 0x3FU, 0x80U);
  const std::string digits = hex(bytes, HexDigits::lower);
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                     digits.substr(16, 4), digits.substr(20));
}

/// A number with so many decimals; none that rounds to zero has a minus sign.
std::string fixed(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  return text.starts_with('-') && text.find_first_of("123456789") == std::string::npos ? text.substr(1) : text;
}

/// How fmt is to write a number: what stands behind the colon, "06" or ".3f"; empty: as is usual.
class NumberFormat {
 public:
  /// Takes the colon and what is behind it, if they are there.
  NumberFormat(Scanner& scanner, bool is_whole) {
    if (!scanner.take(":")) {
      return;
    }
    const std::size_t start = scanner.position();
    const std::string spec{scanner.take_until("}")};
    // No locale, which differs from host to host, and no width that fills the memory.
    static const std::regex known("(.?[<>^])?[-+ ]?#?0?[0-9]{0,3}(\\.[0-9]{1,3})?([dxXobB]|[eEfFgG])?");
    const std::string_view expected = "a number's format, as 06 or .3f,";
    if (spec.empty() || !std::regex_match(spec, known)) {
      scanner.fail_at(start, expected);
    }
    format_ = "{:" + spec + "}";
    as_real_ = spec.find_first_of("eEfFgG.") != std::string::npos;
    if (!is_whole && spec.find_first_of("dxXobB") != std::string::npos) {
      scanner.fail_at(start, expected);
    }
    try {
      (void)(as_real_ || !is_whole ? fmt::format(fmt::runtime(format_), 0.0) : fmt::format(fmt::runtime(format_), 0));
    } catch (const fmt::format_error&) {
      scanner.fail_at(start, expected);
    }
  }

  [[nodiscard]] std::string whole(std::int64_t value) const {
    return format_.empty() ? std::to_string(value)
           : as_real_      ? fmt::format(fmt::runtime(format_), static_cast<double>(value))
                           : fmt::format(fmt::runtime(format_), value);
  }
  [[nodiscard]] std::string real(double value, int decimals) const {
    return format_.empty() ? fixed(value, decimals) : fmt::format(fmt::runtime(format_), value);
  }

 private:
  std::string format_;
  bool as_real_ = false;
};

std::size_t read_count(Scanner& scanner, std::size_t most) {
  scanner.expect(":");
  const std::size_t start = scanner.position();
  const auto count = number_of<std::size_t>(scanner.take_until("}"));
  if (!count || *count > most) {
    scanner.fail_at(start, fmt::format("a number of bytes, at most {},", most));
  }
  return *count;
}

/// a|b|c up to the brace; %|, %} and %% stand for the second of the two.
std::vector<std::string> read_choices(Scanner& scanner) {
  scanner.expect(":");
  const std::size_t start = scanner.position();
  std::vector<std::string> choices(1);
  while (!scanner.at_end() && scanner.peek() != '}') {
    choices.back() += scanner.take_until("%|}");
    if (scanner.take("|")) {
      choices.emplace_back();
    } else if (scanner.take("%")) {
      const bool is_escape = scanner.peek() == '|' || scanner.peek() == '}' || scanner.peek() == '%';
      choices.back() += is_escape ? scanner.take_bytes(1) : "%";
    }
  }
  if (choices.size() == 1) {
    scanner.fail_at(start, "two choices or more, as a|b,");
  }
  return choices;
}

/// The names that every template knows.
constexpr std::array<std::string_view, 18> names{"seq",  "time", "unix",   "unix_ms", "unix_ns", "uuid",
                                                 "host", "pid",  "client", "env",     "hex",     "pad",
                                                 "pick", "rand", "normal", "walk",    "sine",    "step"};

bool is_of_a_name(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

constexpr std::chrono::milliseconds between_measurements{100};

/// What the host measures of itself, for templates that ask for one by its name, many times a second.
class LiveReadings {
 public:
  LiveReadings(Readings readings, const std::stop_token& stop) : readings_(std::move(readings)) {
    measure();
    (void)sleep_until(deadline_in(between_measurements), stop);
  }

  std::string numbers(const std::string& name) {
    if (Readings::Clock::now() >= measured_ + between_measurements) {
      measure();
    }
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) {
      throw UsageError(fmt::format("%{{{}}}: this host has no such reading", name));
    }
    return found->second;
  }

 private:
  void measure() {
    measured_ = Readings::Clock::now();
    for (const Reading& reading : readings_.measure(measured_)) {
      numbers_[reading.name] = reading.numbers();
    }
  }

  Readings readings_;
  Readings::Clock::time_point measured_;
  std::map<std::string, std::string> numbers_;  ///< what a measurement leaves out stays as it was
};

/// Compiles what the rules have found to be right.
Template compiled(const std::string& text, const TemplateWorld& world) {
  try {
    return Template{text, world};
  } catch (const Expected& expected) {
    throw UsageError(fmt::format("the {}'s template: {}", world.purpose, expected.what()));
  }
}

}  // namespace

/// Reads a template's text into its parts.
class TemplateCompiler {
 public:
  TemplateCompiler(std::string_view text, const TemplateWorld& world, Template& made)
      : scanner_(text), world_(world), made_(made) {}

  void compile() {
    std::string literal;
    while (!scanner_.at_end()) {
      literal += scanner_.take_until("%");
      if (scanner_.take("%%")) {
        literal += '%';
      } else if (scanner_.take("%{")) {
        add_literal(literal);
        literal.clear();
        placeholder();
      } else {
        literal += scanner_.take("%") ? "%" : "";
      }
    }
    add_literal(literal);
  }

 private:
  using Part = Template::Part;

  void add_literal(const std::string& literal) {
    if (!literal.empty()) {
      made_.parts_.push_back([literal](const Occasion&, std::string& out) { out += literal; });
    }
  }

  void placeholder() {
    start_ = scanner_.position();
    std::string name;
    while (is_of_a_name(scanner_.peek())) {
      name += scanner_.take_bytes(1);
    }
    if (Part part = part_named(name)) {
      made_.parts_.push_back(std::move(part));
    }
    scanner_.expect("}");
  }

  Part part_named(const std::string& name) {
    const std::map<std::string_view, std::function<std::int64_t(const Occasion&)>> wholes{
        {"seq", [](const Occasion& now) { return static_cast<std::int64_t>(now.number); }},
        {"unix", [](const Occasion& now) { return since_epoch<std::chrono::seconds>(now.wall); }},
        {"unix_ms", [](const Occasion& now) { return since_epoch<std::chrono::milliseconds>(now.wall); }},
        {"unix_ns", [](const Occasion& now) { return since_epoch<std::chrono::nanoseconds>(now.wall); }},
        {"pid", [process = world_.process](const Occasion&) { return process; }},
        {"client", [client = static_cast<std::int64_t>(world_.client)](const Occasion&) { return client; }}};
    if (const auto whole = wholes.find(name); whole != wholes.end()) {
      return [get = whole->second, format = NumberFormat{scanner_, true}](const Occasion& now, std::string& out) {
        out += format.whole(get(now));
      };
    }
    if (name == "time") {
      return [](const Occasion& now, std::string& out) { append_utc_time(now.wall, 3, out); };
    }
    if (name == "host") {
      return text(world_.host);
    }
    if (name == "env") {
      return variable();
    }
    if (name == "pad") {
      return pad();
    }
    if (name == "uuid") {
      return [random = stream()](const Occasion&, std::string& out) mutable { out += uuid(random); };
    }
    if (name == "hex") {
      const std::size_t count = read_count(scanner_, largest_packet / 2);
      return [count, random = stream()](const Occasion&, std::string& out) mutable {
        out += hex(random.bytes(count), HexDigits::lower);
      };
    }
    if (name == "pick") {
      auto choices = read_choices(scanner_);
      return [choices = std::move(choices), random = stream()](const Occasion&, std::string& out) mutable {
        out += choices[static_cast<std::size_t>(random.whole(0, static_cast<std::int64_t>(choices.size()) - 1))];
      };
    }
    return generated(name);
  }

  Part generated(const std::string& name) {
    // What it draws depends on what it is, not on how it is written out: the format is not read yet.
    const Scanner before = scanner_;
    if (!read_generator(name, scanner_, Random{0})) {
      return reading(name);
    }
    const Random random = stream();
    scanner_ = before;
    auto generator = *read_generator(name, scanner_, random);
    NumberFormat format{scanner_, generator.decimals == 0};
    return [generator = std::move(generator), format = std::move(format)](const Occasion& now, std::string& out) {
      const double value = generator.next(now.elapsed);
      out += generator.decimals == 0 ? format.whole(std::llround(value)) : format.real(value, generator.decimals);
    };
  }

  Part reading(const std::string& name) {
    const auto& readings = world_.readings;
    if (std::find(readings.begin(), readings.end(), name) == readings.end()) {
      throw_unknown(name);
    }
    made_.readings_.push_back(name);
    return [name, reading = world_.reading](const Occasion&, std::string& out) { out += reading(name); };
  }

  [[noreturn]] void throw_unknown(const std::string& name) const {
    std::vector<std::string> known(names.begin(), names.end());
    known.insert(known.end(), world_.readings.begin(), world_.readings.end());
    const std::string meant = suggestion(name, known, "%{");
    if (!meant.empty()) {
      throw Expected(fmt::format("expected a placeholder's name at character {}{}", scanner_.character(start_),
                                 meant.substr(0, meant.size() - 1) + "}?"));
    }
    scanner_.fail_at(start_, fmt::format("a placeholder's name ({})", fmt::join(known, ", ")));
  }

  static Part text(std::string value) {
    return [value = std::move(value)](const Occasion&, std::string& out) { out += value; };
  }

  Part variable() {
    scanner_.expect(":");
    const std::size_t start = scanner_.position();
    const std::string name{scanner_.take_until("}")};
    if (name.empty()) {
      scanner_.fail_at(start, "the name of a variable");
    }
    const auto value = world_.variable(name);
    if (!value) {
      scanner_.fail_at(start, fmt::format("a variable that is set, which {} is not,", name));
    }
    return text(*value);
  }

  /// Filler; nothing where it is what the size leaves, which is not known before the rest.
  Part pad() {
    if (scanner_.peek() == ':') {
      return text(filler(read_count(scanner_, largest_packet)));
    }
    if (!world_.size) {
      scanner_.fail("a number of bytes as in %{pad:100}, or --size,");
    }
    if (made_.filler_before_) {
      scanner_.fail_at(start_, "one %{pad} only");
    }
    made_.filler_before_ = made_.parts_.size();
    return {};
  }

  /// The numbers of the placeholder that was read up to here.
  Random stream() {
    const std::string written{scanner_.taken_since(start_)};
    return Random{world_.seed,
                  fmt::format("{} {} {} {}", world_.purpose, world_.client, ++occurrences_[written], written)};
  }

  Scanner scanner_;
  const TemplateWorld& world_;
  Template& made_;
  std::size_t start_ = 0;  ///< of the name of the placeholder that is read
  std::map<std::string, int> occurrences_;
};

Template::Template(std::string_view text, const TemplateWorld& world) : size_(world.size) {
  TemplateCompiler{text, world, *this}.compile();
}

std::string Template::render(const Occasion& occasion) {
  std::string text;
  std::optional<std::size_t> filler_at;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (part == filler_before_) {
      filler_at = text.size();
    }
    parts_[part](occasion, text);
  }
  if (size_ && text.size() > *size_) {
    throw UsageError(fmt::format("--size: the template gives {} bytes at message {}, more than {}", text.size(),
                                 occasion.number, *size_));
  }
  if (size_) {
    text.insert(filler_at.value_or(text.size()), filler(*size_ - text.size()));
  }
  return text;
}

std::optional<std::string> fault_of_template(std::string_view text, const TemplateWorld& world) {
  try {
    (void)Template{text, world};
  } catch (const Expected& expected) {
    return std::string(expected.what()).substr(std::string_view("expected ").size());
  }
  return std::nullopt;
}

TemplateWorld this_world() {
  std::array<char, HOST_NAME_MAX + 1> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  return {.process = ::getpid(), .host = host.data(), .variable = [](const std::string& name) {
            const char* const value = std::getenv(name.c_str());
            return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
          }};
}

TemplateWorld world_of(const SourceConfig& config, const std::string& purpose) {
  TemplateWorld world = this_world();
  world.seed = config.seed ? *config.seed : random_seed();
  world.purpose = purpose;
  world.client = std::max(1U, config.client_number);
  if (purpose != "prefix") {
    world.readings = reading_names();
  }
  if (purpose == "template") {
    world.size = config.size;
  }
  return world;
}

Source generated(Template topic, Template payload, Message pattern) {
  return [topic = std::move(topic), payload = std::move(payload), pattern = std::move(pattern),
          number = std::uint64_t{0}](const Moment& moment, const std::stop_token&) mutable {
    const Occasion occasion{++number, moment.elapsed, moment.wall};
    Message message = pattern;
    message.topic = topic.render(occasion);
    if (const auto fault = fault_of_topic_name(message.topic)) {
      throw UsageError(
          fmt::format("--topic: expected {} at message {}, got \"{}\"", *fault, number, shortened(message.topic)));
    }
    message.payload = payload.render(occasion);
    if (const std::size_t limit = payload_limit(message); message.payload.size() > limit) {
      throw UsageError(
          fmt::format("--template: the payload of message {} is larger than one MQTT message can be: {} "
                      "bytes, at most {} here",
                      number, message.payload.size(), limit));
    }
    return Turn{{std::move(message)}};
  };
}

Source template_source(const SourceConfig& config, Message pattern, Readings readings, const std::stop_token& stop) {
  const auto live = std::make_shared<std::optional<LiveReadings>>();
  const auto world = [&](const char* purpose) {
    TemplateWorld made = world_of(config, purpose);
    made.reading = [live](const std::string& name) { return live->value().numbers(name); };
    return made;
  };
  Template topic = compiled(config.topic.value_or(""), world("topic"));
  Template payload = compiled(config.payload_template.value_or(""), world("template"));
  if (!topic.readings().empty() || !payload.readings().empty()) {
    live->emplace(std::move(readings), stop);
  }
  for (const auto* used : {&topic.readings(), &payload.readings()}) {
    for (const std::string& name : *used) {
      (void)live->value().numbers(name);  // a host without it is told before there is a connection
    }
  }
  return generated(std::move(topic), std::move(payload), std::move(pattern));
}

}  // namespace sistem
