#include "pub/source_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"
#include "common/text/encoding.hpp"
#include "common/text/words.hpp"
#include "pub/source/generated.hpp"
#include "pub/source/readings.hpp"
#include "pub/source/template.hpp"

namespace sistem {
namespace {

/// --readings[=NAMES]: as a flag, all of them.
Value names_of_readings(std::optional<std::vector<std::string>>& field) {
  const auto set = [&field](std::string_view value) {
    const auto answer = value.empty() ? std::optional(true) : truth(value);
    if (answer) {
      field = *answer ? std::optional<std::vector<std::string>>{std::in_place} : std::nullopt;
      return;
    }
    std::vector<std::string> names;
    for (std::size_t start = 0; start <= value.size();) {
      const std::size_t end = std::min(value.find(',', start), value.size());
      names.emplace_back(value.substr(start, end - start));
      start = end + 1;
      if (std::ranges::find(reading_names(), names.back()) == reading_names().end()) {
        throw Expected(expected_one_of(reading_names()) + ", or several with commas between them");
      }
    }
    field = std::move(names);
  };
  const auto get = [&field]() -> std::vector<std::string> {
    if (!field) {
      return {};
    }
    std::string names;
    for (const std::string& name : *field) {
      names += (names.empty() ? "" : ",") + name;
    }
    return {names.empty() ? "true" : names};
  };
  return {set, get, [&field] { field.reset(); }};
}

/// Bytes as a person types them: \n, \t, \r, \0, \\ and \xHH stand for one each.
std::string bytes_of_escapes(std::string_view text) {
  constexpr std::string_view letters = "ntr0\\";
  constexpr std::string_view meanings{"\n\t\r\0\\", letters.size()};
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      bytes += text[at];
      continue;
    }
    const std::size_t letter = ++at < text.size() ? letters.find(text[at]) : std::string_view::npos;
    const auto byte = letter == std::string_view::npos && text.substr(at).starts_with('x')
                          ? bytes_of_hex(text.substr(at + 1, 2))
                          : std::nullopt;
    if (letter != std::string_view::npos) {
      bytes += meanings[letter];
    } else if (byte && byte->size() == 1) {
      bytes += *byte;
      at += 2;
    } else {
      throw Expected("expected \\n, \\t, \\r, \\0, \\\\ or \\xHH where a backslash stands");
    }
  }
  if (bytes.empty()) {
    throw Expected("expected one byte or more, as ; or \\t");
  }
  return bytes;
}

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += c == '\n'                     ? "\\n"
            : c == '\\'                   ? "\\\\"
            : byte < 0x20 || byte >= 0x7F ? "\\x" + hex({&c, 1}, HexDigits::lower)
                                          : std::string(1, c);
  }
  return text;
}

Value bytes(std::string& field) {
  return {[&field](std::string_view value) { field = bytes_of_escapes(value); },
          [&field] { return std::vector{escaped(field)}; }, [&field, initial = field] { field = initial; }};
}

Value mappings(std::vector<TopicMapping>& field) {
  const auto get = [&field] {
    std::vector<std::string> texts;
    texts.reserve(field.size());
    for (const TopicMapping& mapping : field) {
      texts.push_back(mapping.from + "=" + mapping.to);
    }
    return texts;
  };
  return {[&field](std::string_view value) { field.push_back(topic_mapping(value)); },
          get,
          [&field] { field.clear(); },
          {},
          true};
}

void check_template(const PubConfig& config, const Settings& settings, const char* option, const std::string& text) {
  if (const auto fault = fault_of_template(text, world_of(config, option))) {
    throw UsageError(fmt::format("{}: expected {}, got \"{}\"", settings.home_of(option), *fault, text));
  }
}

}  // namespace

void check_topic_and_templates(const PubConfig& config, const Settings& settings) {
  if (config.payload_template) {
    check_template(config, settings, "template", *config.payload_template);
  }
  if (config.topic && config.generates()) {
    check_template(config, settings, "topic", *config.topic);
  } else if (const auto fault = config.topic ? fault_of_topic_name(*config.topic) : std::nullopt) {
    throw UsageError(fmt::format("{}: expected {}, got \"{}\"", settings.home_of("topic"), *fault, *config.topic));
  }
  check_template(config, settings, "prefix", config.prefix);
}

void check_source(PubConfig& config, const Settings& settings, const std::string& drop_in_for) {
  // Every other source needs one, or brings its own.
  const auto sources = split(sources_but_readings);
  const bool has_source = config.readings || std::any_of(sources.begin(), sources.end(),
                                                         [&](const auto& one) { return settings.given(one); });
  if (settings.drop_in && !config.topic && !has_source) {
    throw UsageError(fmt::format("{} needs a topic to publish to: --topic", drop_in_for));
  }
  if (config.null_message) {
    config.message = "";
  }
  if (config.null_delimited) {
    config.delimiter = std::string(1, '\0');
  }
  config.qos_given = settings.homes.contains("qos");
  config.retain_given = settings.homes.contains("retain");
}

void settle(PubConfig& config) {
  if (!config.publishes_readings()) {
    return;
  }
  config.prefix =
      Template{config.prefix, world_of(config, "prefix")}.render({.wall = std::chrono::system_clock::now()});
  if (const auto fault = fault_of_topic_name(config.prefix)) {
    throw UsageError(fmt::format("--prefix: expected {}, got \"{}\"", *fault, config.prefix));
  }
  if (config.status) {
    config.connection.will = {.topic = config.prefix + "/status", .payload = "offline", .qos = 1, .retain = true};
  }
}

std::vector<Option> source_rows(PubConfig& config, const std::string& source) {
  const std::string section = "Sources";
  const Rule cut_lines{.options = "stdin-line topic-lines", .what = "lines"};
  const Rule a_recording{.options = "replay", .what = "a recording"};
  const Rule not_readings{sources_but_readings, "only readings of the host have that"};
  return {
      {.name = "topic-lines",
       .section = section,
       .help = "Publish each line of stdin as a message: its topic, a blank, its payload.",
       .field = flag(config.topic_lines),
       .groups = {source}},
      {.name = "jsonl",
       .section = section,
       .help = "Publish each line of stdin as a message: a JSON object with topic, payload or payload_base64, qos, "
               "retain, properties, delay (in seconds, after the message before). --topic, --qos, --retain and "
               "--property are for lines that do not say it. It takes what sub prints by --json.",
       .field = flag(config.json_lines),
       .groups = {source}},
      {.name = "template",
       .value = "TEXT",
       .section = section,
       .help = "Publish a message that is another one each time: the text with placeholders, %{seq} or "
               "%{rand:20..35}, which --help templates lists.",
       .field = text(config.payload_template),
       .groups = {source},
       .needs = {to_a_topic}},
      {.name = "readings",
       .value = "[=NAMES]",
       .section = section,
       .help = "Publish what this host measures of itself, as pub does without a topic, or only these: cpu, memori, "
               "beban (load), disk, jaringan (network), uptime, suhu (temperature), with commas between them.",
       .field = names_of_readings(config.readings),
       .groups = {source}},
      {.name = "replay",
       .value = "FILE",
       .section = section,
       .help = "Publish what sub --record has written there, as long after each other as it arrived, with its QoS and "
               "retain flag unless --qos or --retain is given.",
       .field = text(config.replay),
       .completes = Completes::file,
       .groups = {source}},
      {.name = "delimiter",
       .value = "BYTES",
       .section = section,
       .help = "What ends a line of --stdin-line and --topic-lines instead of a newline; \\n, \\t, \\r, \\0 and \\xHH "
               "stand for the bytes that they are elsewhere.",
       .field = bytes(config.delimiter),
       .groups = {"delimiter"},
       .needs = {cut_lines}},
      {.name = "null",
       .section = section,
       .help = "Each line ends with a NUL byte, as after find -print0: a line may then hold newlines.",
       .field = flag(config.null_delimited),
       .groups = {"delimiter"},
       .needs = {cut_lines}},
      {.name = "on-bad-line",
       .value = "WHAT",
       .section = section,
       .help = "What is done about a line that is no message: stop, with status 2 and all before it acknowledged, or "
               "skip, which tells each and how many there were, and is no failure.",
       .field = choice(config.on_bad_line, {{"stop", OnBadLine::stop}, {"skip", OnBadLine::skip}}),
       .needs = {{.options = "stdin-line topic-lines jsonl replay", .what = "lines"}}},
      {.name = "on-refused",
       .value = "WHAT",
       .section = section,
       .help =
           "What is done about a message that the broker refuses, by an acknowledgement, by its limits or by closing "
           "the connection each time it gets it: stop, with those before it acknowledged, or skip, which reports "
           "each and goes on with the others. The status is 5 in both cases. Without this option stop; with "
           "--report refused messages are skipped and only counted.",
       .field = choice(config.on_refused, {{"stop", OnRefusal::ends_the_run}, {"skip", OnRefusal::is_reported}})},
      {.name = "size",
       .value = "BYTES",
       .section = section,
       .help = "Fill each payload of --template up to this size, at its end or where %{pad} stands.",
       .field = number(config.size, 0, 268'435'455),
       .needs = {{.options = "template", .what = "a template"}}},
      {.name = "seed",
       .value = "N",
       .section = section,
       .help =
           "Draw the random values of a template, and --jitter, from this number: the same number, the same messages.",
       .field = number(config.seed, 0, INT64_MAX)},
      {.name = "prefix",
       .value = "TEXT",
       .section = section,
       .help = "The levels before the names of the host's readings: a template, which is rendered once.",
       .field = text(config.prefix),
       .excludes = {not_readings}},
      {.name = "reading-format",
       .value = "FORMAT",
       .section = section,
       .help = "How readings are published: as text, or as json with numbers, unit and time.",
       .field = choice(config.reading_format, {{"text", ReadingFormat::text}, {"json", ReadingFormat::json}}),
       .excludes = {not_readings}},
      {.name = "status",
       .section = section,
       .help =
           "Keep a message at the broker, on PREFIX/status, that says whether pub is there: online, or offline when "
           "it has ended or is lost.",
       .field = flag(config.status),
       .excludes = {not_readings, {"will-topic", "a client has one will, and the status is it"}}},
      {.name = "topic-map",
       .value = "FROM=TO",
       .section = section,
       .help = "Replay topics that begin with the levels FROM with TO in their place; may be repeated, and the first "
               "that fits counts. Without FROM: all topics, below TO.",
       .field = mappings(config.topic_map),
       .needs = {a_recording}},
      {.name = "loop",
       .section = section,
       .help = "Replay the file again and again, until stopped.",
       .field = flag(config.loop),
       .needs = {a_recording}},
  };
}

}  // namespace sistem
