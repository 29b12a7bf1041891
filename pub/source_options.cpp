#include "pub/source_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "common/error.hpp"
#include "common/payload.hpp"
#include "common/template.hpp"
#include "common/topic.hpp"
#include "pub/generated.hpp"
#include "pub/readings.hpp"

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

/// Whether a source brings its topics itself, and why there is no other then; nothing where it does not.
std::optional<std::string> own_topics(const PubConfig& config) {
  return config.topic_lines ? std::optional("each line has a topic of its own")
         : config.replay    ? std::optional("the recording has topics of its own; --topic-map changes them")
         : config.readings  ? std::optional("readings have topics of their own; --prefix changes them")
                            : std::nullopt;
}

/// An option that means something beside certain others only.
struct Companion {
  const char* option;
  bool is_in_place;
  const char* needs;
};

void check_companions(const PubConfig& config, const Settings& settings) {
  const bool cuts_lines = config.lines || config.topic_lines;
  const bool reads_lines = config.is_stream();
  const bool has_readings = config.publishes_readings();
  const bool replays = config.replay.has_value();
  for (const Companion& companion : {
           Companion{"delimiter", cuts_lines, "lines: --stdin-line or --topic-lines"},
           Companion{"null", cuts_lines, "lines: --stdin-line or --topic-lines"},
           Companion{"on-bad-line", reads_lines, "lines: --stdin-line, --topic-lines, --jsonl or --replay"},
           Companion{"size", config.generates(), "a template: --template"},
           Companion{"prefix", has_readings, "the host's readings: --readings"},
           Companion{"reading-format", has_readings, "the host's readings: --readings"},
           Companion{"status", has_readings, "the host's readings: --readings"},
           Companion{"topic-map", replays, "a recording: --replay"},
           Companion{"loop", replays, "a recording: --replay"},
       }) {
    if (settings.given(companion.option) && !companion.is_in_place) {
      throw UsageError(fmt::format("{} needs {}", settings.home_of(companion.option), companion.needs));
    }
  }
}

void check_template(const PubConfig& config, const Settings& settings, const char* option, const std::string& text) {
  if (const auto fault = fault_of_template(text, world_of(config, option))) {
    throw UsageError(fmt::format("{}: expected {}, got \"{}\"", settings.home_of(option), *fault, text));
  }
}

}  // namespace

/// The one option that says what is published, or nothing.
std::optional<std::string> source_given(const Settings& settings) {
  for (const char* source : {"message", "null-message", "file", "stdin-file", "stdin-line", "topic-lines", "jsonl",
                             "template", "readings", "replay"}) {
    if (settings.given(source)) {
      return source;
    }
  }
  return std::nullopt;
}

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
  const auto source = source_given(settings);
  if (const auto why = own_topics(config); why && config.topic) {
    throw UsageError(fmt::format("{} and {}: {}", settings.home_of("topic"), settings.home_of(*source), *why));
  }
  if (config.topic && !source) {
    throw UsageError(
        fmt::format("{} needs something to publish: --message, --file, --stdin-line, --stdin-file, --null-message, "
                    "--template or --jsonl",
                    settings.home_of("topic")));
  }
  const bool may_lack_a_topic = config.json_lines || own_topics(config) || (!source && !settings.drop_in);
  if (!config.topic && !may_lack_a_topic) {
    throw UsageError(
        fmt::format("{} needs a topic to publish to: --topic", source ? settings.home_of(*source) : drop_in_for));
  }
  check_companions(config, settings);
  if (config.status && !config.connection.will.topic.empty()) {
    throw UsageError(fmt::format("{} and {}: a client has one will, and the status is it", settings.home_of("status"),
                                 settings.home_of("will-topic")));
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
  return {
      {.name = "topic-lines",
       .section = section,
       .help = "Publish each line of stdin as a message: its topic, a blank, its payload.",
       .field = flag(config.topic_lines),
       .group = source},
      {.name = "jsonl",
       .section = section,
       .help = "Publish each line of stdin as a message: a JSON object with topic, payload or payload_base64, qos, "
               "retain, properties, delay (in seconds, after the message before). --topic, --qos, --retain and "
               "--property are for lines that do not say it. It takes what sub prints by -F %j.",
       .field = flag(config.json_lines),
       .group = source},
      {.name = "template",
       .value = "TEXT",
       .section = section,
       .help = "Publish a message that is another one each time: the text with placeholders, %{seq} or "
               "%{rand:20..35}, which --help templates lists.",
       .field = text(config.payload_template),
       .group = source},
      {.name = "readings",
       .value = "[=NAMES]",
       .section = section,
       .help = "Publish what this host measures of itself, as pub does without a topic, or only these: cpu, memori, "
               "beban (load), disk, jaringan (network), uptime, suhu (temperature), with commas between them.",
       .field = names_of_readings(config.readings),
       .group = source},
      {.name = "replay",
       .value = "FILE",
       .section = section,
       .help = "Publish what sub --record has written there, as long after each other as it arrived, with its QoS and "
               "retain flag unless --qos or --retain is given.",
       .field = text(config.replay),
       .completes = Completes::file,
       .group = source},
      {.name = "delimiter",
       .value = "BYTES",
       .section = section,
       .help = "What ends a line of --stdin-line and --topic-lines instead of a newline; \\n, \\t, \\r, \\0 and \\xHH "
               "stand for the bytes that they are elsewhere.",
       .field = bytes(config.delimiter),
       .group = "delimiter"},
      {.name = "null",
       .section = section,
       .help = "Each line ends with a NUL byte, as after find -print0: a line may then hold newlines.",
       .field = flag(config.null_delimited),
       .group = "delimiter"},
      {.name = "on-bad-line",
       .value = "WHAT",
       .section = section,
       .help = "What is done about a line that is no message: stop, with status 2 and all before it acknowledged, or "
               "skip, which tells each and how many there were, and is no failure.",
       .field = choice(config.on_bad_line, {{"stop", OnBadLine::stop}, {"skip", OnBadLine::skip}})},
      {.name = "size",
       .value = "BYTES",
       .section = section,
       .help = "Fill each payload of --template up to this size, at its end or where %{pad} stands.",
       .field = number(config.size, 0, 268'435'455)},
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
       .field = text(config.prefix)},
      {.name = "reading-format",
       .value = "FORMAT",
       .section = section,
       .help = "How readings are published: as text, or as json with numbers, unit and time.",
       .field = choice(config.reading_format, {{"text", ReadingFormat::text}, {"json", ReadingFormat::json}})},
      {.name = "status",
       .section = section,
       .help =
           "Keep a message at the broker, on PREFIX/status, that says whether pub is there: online, or offline when "
           "it has ended or is lost.",
       .field = flag(config.status)},
      {.name = "topic-map",
       .value = "FROM=TO",
       .section = section,
       .help = "Replay topics that begin with the levels FROM with TO in their place; may be repeated, and the first "
               "that fits counts. Without FROM: all topics, below TO.",
       .field = mappings(config.topic_map)},
      {.name = "loop",
       .section = section,
       .help = "Replay the file again and again, until stopped.",
       .field = flag(config.loop)},
  };
}

}  // namespace sistem
