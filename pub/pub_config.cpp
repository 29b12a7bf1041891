#include "pub/pub_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "common/mqtt/packet.hpp"
#include "common/mqtt/topic.hpp"
#include "common/options/option.hpp"
#include "common/options/settings.hpp"
#include "common/ping.hpp"
#include "common/process/error.hpp"
#include "common/text/encoding.hpp"
#include "common/text/words.hpp"
#include "pub/chapters.txt.hpp"
#include "pub/source/readings.hpp"
#include "pub/source/template.hpp"

namespace sistem {
namespace {

const ToolText text_of_pub{
    .name = "pub",
    .summary = "publish messages to an MQTT broker",
    .description =
        "Publishes messages to an MQTT broker. Without a topic: what this host measures of itself, each "
        "second, on sistem/cpu, sistem/memori and others, until stopped.\n\n"
        "Whoever knows mosquitto_pub knows pub: its options mean the same here.",
    .examples =
        "# what this host measures, each second\n"
        "pub\n"
        "# one message, kept by the broker, acknowledged before pub ends\n"
        "pub -t sistem/suhu -m '28.0 °C' -r -q 1\n"
        "# each line as a message, over one connection\n"
        "seq 1000 | pub -h broker.example -t test/count -l -q 1\n"
        "# keep the broker and the user's name for the next time\n"
        "pub -h broker.example -u me --password-file ~/.pw --save-profile lab\n"
        "pub --profile lab -t test -m hello\n"
        "# ask, and print the answer of whoever runs sub --respond\n"
        "pub -t sistem/waktu -m now --request\n"
        "# does the broker work?\n"
        "pub -h broker.example --ping\n",
    .drop_in_for = "mosquitto_pub",
    .libraries = library_versions,
    .synopsis = {"-t TOPIC -m PAYLOAD [OPTION]...", "-t TOPIC -n | -f FILE | -s | -l | --template TEXT [OPTION]...",
                 "--topic-lines | --jsonl | --replay FILE | --readings [OPTION]..."},
    .chapters = pub_chapters,
};

/// The options that say what is published, but for the host's readings.
constexpr std::string_view sources_but_readings =
    "message null-message file stdin-file stdin-line topic-lines jsonl template replay";

/// What a source needs that does not bring its topics.
constexpr Rule to_a_topic{.options = "topic", .what = "a topic to publish to"};

/// --readings[=NAMES]: as a flag, all of them.
Value names_of_readings(std::optional<std::vector<std::string>>& field) {
  const auto read = [](std::string_view value) -> std::optional<std::vector<std::string>> {
    if (const auto answer = on_or_off(value)) {
      return *answer ? std::optional(std::vector<std::string>()) : std::nullopt;
    }
    const std::vector<std::string> names = pieces(std::string(value) + ",", ",");
    for (const std::string& name : names) {
      if (std::ranges::find(reading_names(), name) == reading_names().end()) {
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

/// A slash at the end changes nothing: levels are compared whole anyway.
std::string levels(std::string_view text) {
  return std::string(text.ends_with('/') ? text.substr(0, text.size() - 1) : text);
}

void check_template(const PubConfig& config, const Settings& settings, const char* option, const std::string& text) {
  if (const auto fault = fault_of_template(text, world_of(config, option))) {
    refuse(settings, option, "expected " + *fault, text);
  }
}

/// The rules of templates, and of the topic, which may be one.
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

/// The rules of what is published, beside those.
void check_source(PubConfig& config, const Settings& settings) {
  // Every other source needs one, or brings its own.
  const auto sources = split(sources_but_readings);
  const bool has_source = config.readings || std::any_of(sources.begin(), sources.end(),
                                                         [&](const auto& one) { return settings.given(one); });
  if (settings.drop_in && !config.topic && !has_source) {
    throw UsageError(fmt::format("{} needs a topic to publish to: --topic", text_of_pub.drop_in_for));
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

/// How long is waited for a broker that is away, or that does not acknowledge.
void set_limits(PubConfig& config, const Settings& settings) {
  // One message is waited for by a script: it should hear of a broker that has gone for good.
  constexpr std::chrono::seconds patience_for_one{30};
  if (config.publishes_one() && !settings.given("reconnect-for")) {
    config.connection.reconnect_limit = patience_for_one;
  }
  if (settings.given("timeout")) {
    config.connection.answer_limit = config.timeout;
  }
  if (!config.request && settings.given("timeout")) {  // a request waits for its answer instead
    config.connection.acknowledge_limit = config.timeout;
  } else if (!config.request && config.publishes_one()) {
    config.connection.acknowledge_limit = patience_for_one;
  }
}

void check_stamp(const PubConfig& config, const Settings& settings) {
  const bool is_empty = config.null_message || config.message == "";
  if (is_empty && config.connection.version != ProtocolVersion::v5) {
    check_both(settings, "stamp", config.null_message ? "null-message" : "message",
               "before MQTT 5 a stamp is part of the payload, which is not empty then");
  }
}

/// Rules of what runs how often, and how many do.
void check_run(PubConfig& config, const Settings& settings) {
  if (config.publishes_readings()) {
    if (settings.given("burst")) {
      throw UsageError(
          fmt::format("{} needs messages: the host's readings come together anyway", settings.home_of("burst")));
    }
    if (!config.pace.is_given()) {
      config.pace.interval = std::chrono::seconds{1};
    }
    if (!settings.homes.contains("one-by-one")) {
      config.connection.one_by_one = true;  // no flood, and read in captures
    }
  }
  for (const char* option : {"stdin-file", "stdin-line", "topic-lines", "jsonl"}) {
    if (config.clients > 1) {
      check_both(settings, "clients", option, "several clients cannot share stdin");
    }
  }
}

/// Rules between options; a single value is checked where its row sets it.
void check(PubConfig& config, Settings& settings, const Console& console) {
  check_connection(config.connection, settings, console);
  check_places(config.connection, settings, "pub", {PropertyPlace::subscribe, PropertyPlace::unsubscribe});
  check_topic_and_templates(config, settings);
  check_stamp(config, settings);
  if (config.connection.ping) {
    if (!settings.given("timeout")) {
      config.timeout = ping_limit;
    }
    config.connection.answer_limit = config.timeout;
    return;
  }
  const auto properties = properties_for(PropertyPlace::publish, config.connection.properties);
  if (config.request && text_in(properties, "response-topic")) {
    check_both(settings, "response-topic", "property", "the response topic can be said once only");
  }
  check_source(config, settings);
  check_run(config, settings);
  set_limits(config, settings);
}

std::vector<Option> publishing_rows(PubConfig& config, const std::string& source) {
  const Traits of_a_topic{.groups = {source}, .needs = {to_a_topic}};
  const Rule one_message{.options = "message file stdin-file null-message template", .what = "one message to repeat"};
  return {
      {"-t, --topic TOPIC",
       "Topic name to publish to; with --template it may have placeholders, too.",
       text(config.topic),
       {.needs = {{.options = "message file stdin-line stdin-file null-message template jsonl ping",
                   .what = "something to publish"}},
        .excludes = {{"topic-lines", "each line has a topic of its own"},
                     {"replay", "the recording has topics of its own; --topic-map changes them"},
                     {"readings", "readings have topics of their own; --prefix changes them"}}}},
      {"-m, --message PAYLOAD", "Publish this one message.", text(config.message), of_a_topic},
      {"-n, --null-message", "Publish one empty message; with --retain the broker forgets the one it keeps.",
       flag(config.null_message), of_a_topic},
      {"-f, --file FILE", "Publish the content of this file as one message; may be repeated, for one message per file.",
       completed(list(config.files), Completes::file), of_a_topic},
      {"-s, --stdin-file", "Publish all of stdin as one message.", flag(config.stdin_file), of_a_topic},
      {"-l, --stdin-line", "Publish each line of stdin as a message, as soon as it is read.", flag(config.lines),
       of_a_topic},
      {"-q, --qos QOS",
       "0: at most once, 1: at least once, 2: exactly once. With 1 and 2 pub ends when the broker has acknowledged "
       "everything.",
       qos(config.qos)},
      {"-r, --retain", "The broker keeps the last message of a topic for those who subscribe later.",
       flag(config.retain)},
      {"--repeat N",
       "Publish the message N times; none is skipped when the pace cannot be kept.",
       number(config.repeat, 1),
       {.needs = {one_message}}},
      {"--repeat-delay SECONDS",
       "Wait SECONDS between two of them; fractions are allowed.",
       seconds(config.repeat_delay, Zero::allowed),
       {.needs = {one_message}, .excludes = {{"rate interval ramp speed", "only one of them can be given"}}}},
      {"-v, --verbose", "Print each published message on stdout, as its topic and its payload.", flag(config.verbose)},
      {"--report[=FORMAT]",
       "Print a report on stdout at the end: how many messages were sent, acknowledged, refused and not sent, the "
       "rate, how late messages were, and how long acknowledgements took. As text, json or csv. A refused message is "
       "then counted and does not end the run, but the status is still 5.",
       report_format(config.report)},
      {"--stamp",
       "Stamp each message with its sender (the client id), its number, from 1, and the time when it was sent and, "
       "with a pace, was due: in MQTT 5 as user properties, before it as a line before the payload, which sub "
       "--stamped removes. --help stamps shows their form.",
       flag(config.stamp),
       {.excludes = {{"ping", "a ping publishes nothing but its own message"},
                     {"request", "the times of round trips are told anyway, and answers have no stamps"}}}},
      {"--clock-topic TOPIC",
       "With --stamp, in MQTT 5: before the first message, compare clocks with the sub --verify that has subscribed to "
       "this topic, and send it the difference. Its report shows it; sub --subtract-offset subtracts it from the "
       "latencies.",
       text(config.clock_topic, fault_of_topic_name),
       {.needs = {{"stamp", "latencies are what it is good for"}}, .mqtt5 = Mqtt5::needed}},
      {"--clients N",
       "Publish over N connections at the same time, each by a process of its own, which publishes everything and "
       "keeps the pace by itself. Client ids end in -1 to -N if --id or --id-prefix is given. There is one report, and "
       "one status: the worst.",
       number(config.clients, 1, 1000)},
      {"--connect-rate N",
       "Start N of the --clients per second; fractions are allowed.",
       rate(config.connect_rate, "clients a second"),
       {.needs = {{.options = "clients", .what = "several clients"}}}},
  };
}

std::vector<Option> asking_rows(PubConfig& config) {
  const Traits of_a_request{.needs = {{"request", "only that waits for an answer"}}};
  return {
      {"--request",
       "Each message is a request: wait for its answer, and print that and a newline. With --repeat the times of the "
       "round trips are reported, too. Means MQTT 5; before it both sides must have agreed on the topic of the "
       "answers.",
       flag(config.request),
       {.needs = {{.options = "message null-message file stdin-file stdin-line topic-lines jsonl template",
                   .what = "a message that asks"}},
        .excludes = {{"readings replay", "what the host says of itself, or has said, asks for nothing"},
                     {"rate interval ramp duration speed clock-start verbose report on-refused",
                      "requests wait for their answers, one after the other"}},
        .mqtt5 = Mqtt5::preferred}},
      {"--response-topic TOPIC", "Topic of the answers; without this option response/ID, before MQTT 5 TOPIC/response.",
       text(config.response_topic, fault_of_topic_name), of_a_request},
      {"-N, --no-newline", "Print only the bytes of each answer, without a newline.", flag(config.no_newline),
       of_a_request},
      {"-W, --timeout SECONDS",
       "Limit for connecting, and then for each wait for an acknowledgement (QoS 1 and 2). With --request: for each "
       "answer; with --ping: for all of it. When it is over the status is 27. Fractions are allowed.",
       seconds(config.timeout, Zero::refused)},
  };
}

/// The rows of those sources that mosquitto_pub does not have, and of all that says more of a source. `source` is the
/// group of the options that say what is published.
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

}  // namespace

TopicMapping topic_mapping(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || text == "=") {
    throw Expected("expected FROM=TO, the first levels of a topic and what takes their place");
  }
  TopicMapping mapping{levels(text.substr(0, equals)), levels(text.substr(equals + 1))};
  for (const std::string& side : {mapping.from, mapping.to}) {
    if (const auto fault = side.empty() ? std::nullopt : fault_of_topic_name(side)) {
      throw Expected("expected " + *fault);
    }
  }
  return mapping;
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

std::vector<Option> pub_rows(PubConfig& config) {
  const std::string source = "message";
  std::vector<Option> rows = table_of({{"Publishing", publishing_rows(config, source)},
                                       {"Asking", asking_rows(config)},
                                       {"Sources", source_rows(config, source)},
                                       {"Pace", pace_rows(config.pace)}});
  const char* no_message = "a ping publishes nothing but its own message";
  std::ranges::move(connection_rows(config.connection, {{sources_but_readings, no_message}, {"readings", no_message}}),
                    std::back_inserter(rows));
  return rows;
}

std::optional<PubConfig> read_pub_config(const Sources& sources, Output& output, const Console& console) {
  return read_config<PubConfig>(text_of_pub, pub_rows, check, sources, output, console);
}

}  // namespace sistem
