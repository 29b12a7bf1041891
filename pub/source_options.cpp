#include "pub/source_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "common/mqtt/topic.hpp"
#include "common/options/settings.hpp"
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
  const auto read = [](std::string_view value) -> std::optional<std::vector<std::string>> {
    std::vector<std::string> names;
    if (const auto answer = on_or_off(value)) {
      return *answer ? std::optional(names) : std::nullopt;
    }
    for (std::size_t start = 0; start <= value.size();) {
      const std::size_t end = std::min(value.find(',', start), value.size());
      names.emplace_back(value.substr(start, end - start));
      start = end + 1;
      if (std::ranges::find(reading_names(), names.back()) == reading_names().end()) {
        throw Expected(expected_one_of(reading_names()) + ", or several with commas between them");
      }
    }
    return names;
  };
  return parsed(field, read, [](const std::vector<std::string>& held) {
    return held.empty() ? "true" : fmt::format("{}", fmt::join(held, ","));
  });
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

void check_template(const PubConfig& config, const Settings& settings, const char* option, const std::string& text) {
  if (const auto fault = fault_of_template(text, world_of(config, option))) {
    refuse(settings, option, "expected " + *fault, text);
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
    refuse(settings, "topic", "expected " + *fault, *config.topic);
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
    throw UsageError(fmt::format("--prefix: expected {}, got \"{}\"", *fault, shortened(config.prefix)));
  }
  if (config.status) {
    config.connection.will = {.topic = config.prefix + "/status", .payload = "offline", .qos = 1, .retain = true};
  }
}

std::vector<Option> source_rows(PubConfig& config, const std::string& source) {
  const Traits a_source{.groups = {source}};
  const Traits of_lines{.groups = {"delimiter"}, .needs = {{.options = "stdin-line topic-lines", .what = "lines"}}};
  const Traits of_a_recording{.needs = {{.options = "replay", .what = "a recording"}}};
  const Rule not_readings{sources_but_readings, "only readings of the host have that"};
  return {
      {"--topic-lines", "Publish each line of stdin as a message: its topic, a blank, its payload.",
       flag(config.topic_lines), a_source},
      {"--jsonl",
       "Publish each line of stdin as a message: a JSON object with topic, payload or payload_base64, qos, retain, "
       "properties, delay (in seconds, after the message before). --topic, --qos, --retain and --property are the "
       "defaults of lines without them. It reads what sub --json prints.",
       flag(config.json_lines), a_source},
      {"--template TEXT",
       "Publish messages made from this text, with placeholders such as %{seq} and %{rand:20..35}, which --help "
       "templates lists.",
       text(config.payload_template),
       {.groups = {source}, .needs = {to_a_topic}}},
      {"--readings[=NAMES]",
       "Publish this host's readings, as pub does without a topic, or only these: cpu, memori, beban (load), disk, "
       "jaringan (network), uptime, suhu (temperature), separated by commas.",
       names_of_readings(config.readings), a_source},
      {"--replay FILE",
       "Publish what sub --record has written to this file, with the delays, QoS and retain flags that the messages "
       "arrived with, unless --qos or --retain is given.",
       completed(text(config.replay), Completes::file), a_source},
      {"--delimiter BYTES",
       "What ends a line of --stdin-line and --topic-lines instead of a newline; \\n, \\t, \\r, \\0 and \\xHH stand "
       "for single bytes.",
       parsed(config.delimiter, bytes_of_escapes, escaped), of_lines},
      {"--null", "Each line ends with a NUL byte, as after find -print0: a line may then hold newlines.",
       flag(config.null_delimited), of_lines},
      {"--on-bad-line WHAT",
       "What to do with a line that is no message: stop, with status 2 once everything before it is acknowledged, or "
       "skip, which reports each one and how many there were, and is no failure.",
       choice(config.on_bad_line, {{"stop", OnBadLine::stop}, {"skip", OnBadLine::skip}}),
       {.needs = {{.options = "stdin-line topic-lines jsonl replay", .what = "lines"}}}},
      {"--on-refused WHAT",
       "What to do if the broker refuses a message, by an acknowledgement, by its limits or by closing the connection "
       "each time it gets it: stop, once those before it are acknowledged, or skip, which reports each one and goes on "
       "with the others. The status is 5 in both cases. Without this option stop; with --report refused messages are "
       "skipped and only counted.",
       choice(config.on_refused, {{"stop", OnRefusal::ends_the_run}, {"skip", OnRefusal::is_reported}})},
      {"--size BYTES",
       "Fill each payload of --template up to this size, at its end or at %{pad}.",
       number(config.size, 0, 268'435'455),
       {.needs = {{.options = "template", .what = "a template"}}}},
      {"--seed N", "Seed of the random values of a template and of --jitter: the same seed gives the same messages.",
       number(config.seed, 0, INT64_MAX)},
      {"--prefix TEXT",
       "The topic levels before the names of the host's readings: a template, which is rendered once.",
       text(config.prefix),
       {.excludes = {not_readings}}},
      {"--reading-format FORMAT",
       "How readings are published: as text, or as json with numbers, unit and time.",
       choice(config.reading_format, {{"text", ReadingFormat::text}, {"json", ReadingFormat::json}}),
       {.excludes = {not_readings}}},
      {"--status",
       "Keep a message at the broker, on PREFIX/status, that says whether pub is there: online, or offline after it "
       "has ended or was lost.",
       flag(config.status),
       {.excludes = {not_readings, {"will-topic", "a client has one will, and the status is it"}}}},
      {"--topic-map FROM=TO",
       "Replay topics that begin with the levels FROM with TO in their place; may be repeated, and the first match "
       "counts. Without FROM: all topics, below TO.",
       parsed_list(config.topic_map, topic_mapping, [](const TopicMapping& held) { return held.from + "=" + held.to; }),
       of_a_recording},
      {"--loop", "Replay the file again and again, until stopped.", flag(config.loop), of_a_recording},
  };
}

}  // namespace sistem
