#include "sub/sub_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "common/amount.hpp"
#include "common/error.hpp"
#include "common/ping.hpp"
#include "common/topic.hpp"
#include "sub/command.hpp"
#include "sub/format.hpp"
#include "sub/json_condition.hpp"
#include "sub/number_field.hpp"
#include "sub/pattern.hpp"

namespace sistem {
namespace {

/// What -F takes, for the manual.
std::vector<Paragraph> output_format() {
  return {
      {"Without an option each message is its payload and a newline; with -v its topic, a space and the payload. With "
       "-F it is what FORMAT says: text, in which sequences that begin with %, @ or \\ stand for something else. A "
       "sequence that is none is refused before sub connects."},
      {"A JSON object in one line, which pub --jsonl and pub --replay read again: topic, payload (payload_base64 "
       "where it is no text), qos, retain, dup where it is true, mid at QoS 1 and 2, arrival (UTC), monotonic_ns (of "
       "a clock that never jumps, for the time between two messages), and the MQTT 5 properties by the names that -D "
       "has.",
       "--json"},
      {"The topic, and below it the payload, 16 bytes a line: their place, in hexadecimal, and as ASCII.", "--hex"},
      {"A table with a heading: time, topic, qos, retain, payload, payload_base64. A payload that is no text stands "
       "in the last column.",
       "--csv"},
      {"The topic.", "%t"},
      {"The payload, as it came.", "%p"},
      {"The payload in hexadecimal, with small or capital letters. %.4x puts a blank between groups of four digits, "
       "%.4:x a colon.",
       "%x, %X"},
      {"The payload of 4 or 8 bytes as the float or the double that it is, with six decimals, as %.2f with two.",
       "%f, %d"},
      {"The length of the payload in bytes.", "%l"},
      {"The QoS with which the message came.", "%q"},
      {"1 where it was retained, else 0.", "%r"},
      {"The packet identifier; 0 at QoS 0.", "%m"},
      {"A JSON object in one line: time of arrival, topic, QoS, retain flag, length and payload, the packet "
       "identifier and the properties where there are some. --pretty gives it several lines. A payload that is no "
       "text is not shown as payload but in base64 as payload_base64.",
       "%j"},
      {"The same, with the payload as the JSON that it is itself; a message whose payload is no JSON is not printed, "
       "and a line on stderr says so.",
       "%J"},
      {"The time of arrival as 2026-03-01T12:30:00+0700.", "%I"},
      {"The time of arrival in seconds since 1970, with nanoseconds.", "%U"},
      {"MQTT 5 properties: topic alias, content type, correlation data, message expiry interval, payload format "
       "indicator, user properties (as name:value), response topic, subscription identifier; empty where the message "
       "has none.",
       "%A %C %D %E %F %P %R %S"},
      {"A percent sign.", "%%"},
      {"The running number of the message among those that are printed, from 1.", "%{n}"},
      {"The time of arrival as 2026-03-01T12:30:00.123456789+07:00.", "%{time}"},
      {"Seconds since the arrival of the message printed before, 0.000000 for the first. %.3{delta} has three "
       "decimals.",
       "%{delta}"},
      {"Of a message that its publisher has stamped (pub --stamp; user properties stamp-seq and stamp-time, before "
       "MQTT 5 with --stamped): its number, and the seconds from there to here by the clocks of both machines; else "
       "empty.",
       "%{seq} %{latency}"},
      {"The payload in base64.", "%{base64}"},
      {"A field of a JSON payload: names lead into objects, numbers into arrays, from 0; %{json:.} is all of it. A "
       "text stands there without its quotation marks, anything else as JSON; where there is none, nothing.",
       "%{json:a.0.b}"},
      {"The time of arrival as strftime(3) has it for %X: @H:@M:@S is 12:30:00. @N is the nanoseconds within the "
       "second, @@ an at sign.",
       "@X"},
      {"A backslash, NUL, bell, escape, newline, carriage return, tab, vertical tab.",
       "\\\\ \\0 \\a \\e \\n \\r \\t \\v"},
      {"A width may follow the %: %20t takes 20 bytes at least, with blanks before the topic, %-20t with blanks after "
       "it, and %-20.20t is exactly 20 bytes; so has %-20{json:a.b}. A 0 before the width pads numbers with zeros: "
       "%06l. A width of the payload (%p, %x, %X) is also how many of its bytes are shown at most."},
      {"A newline follows each message; with -N nothing, with --null a NUL, as xargs -0 has it."},
  };
}

/// What a terminal gets, for the manual.
std::vector<Paragraph> on_a_terminal() {
  return {
      {"On a terminal each message is a line with the time of its arrival, its topic in a colour of its own, "
       "[retained] where the broker had kept it, and its payload. A pipe or a file gets nothing but the bytes that "
       "Output format says."},
      {"What would act on the terminal instead of being seen is spelled out there: a newline as \\n, an escape as "
       "\\x1b. With -F that is done to what messages bring, but for newlines and tabs; an \\e in FORMAT itself is an "
       "escape. With -N, and for who calls sub by the name mosquitto_sub, all bytes go to the terminal as they are."},
      {"--watch and --graph draw a picture below what the terminal shows, and draw it again a few times a second; the "
       "last one stays there. Where stdout is no terminal, or TERM is dumb, --watch prints a line for each topic that "
       "had a message, once a second, and --graph a line for each number: the time, the topic, the number."},
      {"--graph FIELD takes payload or . for a payload that is a number, perhaps with a unit behind it, or the way to "
       "a number in a JSON payload: temperature, sensors.0.value."},
      {"Where nothing has come for 5 seconds, sub says to what it is connected and subscribed. --why says also which "
       "topics there are, and which of them is like the one that was asked for."},
  };
}

std::vector<Chapter> chapters_of_sub() { return {{"Output format", output_format()}, {"Terminal", on_a_terminal()}}; }

const ToolText text_of_sub{
    .name = "sub",
    .summary = "print the messages that an MQTT broker sends",
    .description =
        "Prints the messages that an MQTT broker sends for topic filters. Without one: sistem/#, each message "
        "as its topic and its payload.\n\n"
        "Whoever knows mosquitto_sub knows sub: its options mean the same here.",
    .examples =
        "# what pub publishes without options\n"
        "sub\n"
        "# topic and payload of each message one level below sistem\n"
        "sub -t 'sistem/+' -v\n"
        "# a thousand messages, or status 27 after half a minute\n"
        "sub -h broker.example -t test/count -q 1 -C 1000 -W 30 > counted.txt\n"
        "# answer each request with the time, and with what a program says\n"
        "sub -t sistem/waktu --respond @H:@M:@S\n"
        "sub -t sistem/tamu --respond-exec 'wc -c'\n"
        "# two jobs of a session that the broker keeps; the others stay there\n"
        "sub -h broker.example -c -i worker -t jobs -q 1 -C 2\n"
        "# one JSON object a line, with time, topic, QoS and properties\n"
        "sub -t 'test/#' -V 5 -F %j\n"
        "# when, where and what, in columns\n"
        "sub -t 'test/#' -F '@H:@M:@S  %-24t %p'\n"
        "# one field of JSON payloads, where another one is high\n"
        "sub -t 'sensor/#' --json-match 'suhu > 30' -F '%-20t %{json:suhu}'\n"
        "# all that comes until a job says that it is done, kept to be published again\n"
        "sub -t 'job/#' --record job.jsonl --until '^done$' -W 60\n",
    .drop_in_for = "mosquitto_sub",
    .libraries = library_versions,
    .synopsis = {"-t FILTER [-t FILTER]... [-v | -F FORMAT] [-C N] [-W SECONDS] [OPTION]..."},
    .chapters = chapters_of_sub,
};

void check_responding(SubConfig& config, const Settings& settings) {
  for (const char* option : {"respond-shell", "respond-max", "respond-timeout"}) {
    if (settings.given(option) && !config.respond_exec) {
      throw UsageError(fmt::format("{} needs --respond-exec: it is about its commands", settings.home_of(option)));
    }
  }
  if (config.response_topic && !config.responds()) {
    throw UsageError(fmt::format("{} needs --respond or --respond-exec: nothing is answered without",
                                 settings.home_of("response-topic")));
  }
  if (!config.respond_exec) {
    return;
  }
  const std::string home = settings.home_of("respond-exec");
  if (config.respond_shell) {
    config.respond_words = {"/bin/sh", "-c", *config.respond_exec};
    return;
  }
  try {
    config.respond_words = split(*config.respond_exec);
  } catch (const Expected& expected) {
    throw UsageError(fmt::format("{}: {}", home, expected.what()));
  }
  if (config.respond_words.empty()) {
    throw UsageError(fmt::format("{}: expected a program, got nothing", home));
  }
  if (const auto fault = fault_of_program(config.respond_words.front())) {
    throw UsageError(fmt::format("{}: cannot run {}: {}", home, config.respond_words.front(), *fault));
  }
}

/// A view has its own form.
void check_view(const SubConfig& config, const Settings& settings) {
  for (const char* view : {"watch", "message-rate", "graph"}) {
    for (const std::string_view form : {"format", "pretty", "no-newline", "json", "hex", "csv", "null"}) {
      // The value that is watched may have a format, as mosquitto_sub has it.
      const bool makes_sense = config.watch && (form == "format" || form == "pretty");
      if (settings.given(view) && settings.given(std::string(form)) && !makes_sense) {
        throw UsageError(fmt::format("{} and {}: it does not print messages in such a form", settings.home_of(view),
                                     settings.home_of(std::string(form))));
      }
    }
  }
}

/// Rules of --verify, which reads stamps instead of printing what they are on.
void check_verify(SubConfig& config, const Settings& settings) {
  if (!config.verify) {
    for (const char* option : {"publishers", "max-loss", "max-dup", "max-reorder", "max-p99", "min-rate", "report",
                               "report-file", "subtract-offset"}) {
      if (settings.given(option)) {
        throw UsageError(fmt::format("{} needs --verify", settings.home_of(option)));
      }
    }
    return;
  }
  for (const char* option : {"format",        "pretty",       "no-newline",    "json",
                             "hex",           "csv",          "null",          "verbose",
                             "random-filter", "unique",       "every",         "expect",
                             "respond",       "respond-exec", "dry-run",       "remove-retained",
                             "match",         "json-match",   "retained-only", "exit-after-suback"}) {
    if (settings.given(option)) {
      throw UsageError(fmt::format("{} and {}: it reports on all messages, and prints none", settings.home_of("verify"),
                                   settings.home_of(option)));
    }
  }
  config.stamped = true;
}

/// Of -F and a form with a name one can be given, or that of the home that wins. (They are no group: with -v, which is
/// in the group of the others, -F has been taken since mosquitto_sub.)
void check_form(SubConfig& config, Settings& settings) {
  const std::pair<const char*, bool&> forms[] = {{"json", config.json}, {"hex", config.hex}, {"csv", config.csv}};
  for (const auto& [name, chosen] : forms) {
    if (!config.format || !chosen) {
      continue;
    }
    const Level format = settings.homes.at("format").level;
    const Level form = settings.homes.at(name).level;
    if (format == form) {
      throw UsageError(
          fmt::format("{} and {}: only one of them can be given", settings.home_of("format"), settings.home_of(name)));
    }
    if (format < form) {
      config.format.reset();
    } else {
      chosen = false;
    }
    settings.homes.erase(format < form ? "format" : name);
  }
  for (const char* end : {"null", "no-newline"}) {
    if (config.csv && settings.given(end)) {
      throw UsageError(
          fmt::format("{} and {}: each row of a table is a line", settings.home_of("csv"), settings.home_of(end)));
    }
  }
}

/// Options that say nothing without another one.
void check_companions(const Settings& settings) {
  const std::pair<const char*, const char*> companions[] = {{"dry-run", "remove-retained"}, {"append", "record"}};
  for (const auto& [option, needed] : companions) {
    if (settings.given(option) && !settings.given(needed)) {
      throw UsageError(fmt::format("{} needs --{}", settings.home_of(option), needed));
    }
  }
}

/// What a ping has no use for.
constexpr std::array of_no_use_to_a_ping = {
    "unsubscribe", "filter-out", "skip-retained", "retained-only", "remove-retained", "match",
    "json-match",  "unique",     "every",         "random-filter", "verbose",         "format",
    "json",        "hex",        "csv",           "pretty",        "no-newline",      "null",
    "record",      "respond",    "respond-exec",  "watch",         "message-rate",    "graph",
    "why",         "count",      "expect",        "idle",          "until",           "exit-after-suback",
    "stamped",     "verify"};

/// Rules between options; a single value is checked where its row sets it.
void check(SubConfig& config, Settings& settings, const Console& console) {
  if (config.responds()) {
    mean_mqtt5(config.connection, settings, config.respond ? "respond" : "respond-exec");
  }
  check_connection(config.connection, settings, console);
  if (!config.responds()) {
    check_places(config.connection, settings, "sub", {PropertyPlace::publish});
  }
  check_responding(config, settings);
  for (const char* option : {"no-local", "retain-as-published", "retain-handling"}) {
    if (settings.given(option) && config.connection.version != ProtocolVersion::v5) {
      throw UsageError(fmt::format("{} needs MQTT 5: --protocol-version 5", settings.home_of(option)));
    }
  }
  const auto shared = std::find_if(config.filters.begin(), config.filters.end(),
                                   [](const std::string& filter) { return filter.starts_with("$share/"); });
  if (config.no_local && shared != config.filters.end()) {  // [MQTT-3.8.3-4]
    throw UsageError(
        fmt::format("{}: a shared subscription cannot have that: {}", settings.home_of("no-local"), *shared));
  }
  check_companions(settings);
  if (config.connection.ping) {
    for (const char* option : of_no_use_to_a_ping) {
      if (settings.given(option)) {
        throw UsageError(fmt::format("{} and {}: a ping prints nothing but its own line", settings.home_of("ping"),
                                     settings.home_of(option)));
      }
    }
    if (config.filters.size() > 1 || (!config.filters.empty() && fault_of_topic_name(config.filters.front()))) {
      throw UsageError(fmt::format("{}: a ping has one topic, without wildcards: {}", settings.home_of("topic"),
                                   config.filters.back()));
    }
    config.connection.answer_limit = config.timeout.value_or(ping_limit);
    return;
  }
  check_form(config, settings);
  check_view(config, settings);
  check_verify(config, settings);
  if (config.expect && !config.timeout && !config.idle) {
    throw UsageError(
        fmt::format("{} needs --timeout or --idle: until when they are expected", settings.home_of("expect")));
  }
  if (config.retained_only && config.retain_handling == RetainHandling::send_never) {
    throw UsageError(fmt::format("{} and {}: then nothing will come", settings.home_of("retained-only"),
                                 settings.home_of("retain-handling")));
  }
  config.connection.answer_limit = config.timeout;
  config.drop_in = settings.drop_in;
  config.says_when_ready = !settings.drop_in;  // mosquitto_sub says nothing
  if (config.filters.empty() && config.unsubscribe.empty()) {
    if (settings.drop_in) {
      throw UsageError("mosquitto_sub needs a topic to subscribe to: --topic");
    }
    config.filters = {"sistem/#"};
    config.verbose = true;
  }
}

/// A flag that is neither yes nor no until it is given.
Value optional_flag(std::optional<bool>& field) {
  const auto set = [&field](std::string_view value) {
    const auto answer = value.empty() ? std::optional(true) : truth(value);
    if (!answer) {
      throw Expected("expected yes or no");
    }
    field = answer;
  };
  return {set,
          [&field] { return field ? std::vector<std::string>{*field ? "yes" : "no"} : std::vector<std::string>{}; },
          [&field] { field.reset(); }};
}

/// A percentage from 0.1, as mosquitto_sub's.
Value percentage(double& field) {
  const auto set = [&field](std::string_view value) {
    double percent = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), percent);
    // Not above and not below: neither is what is no number.
    if (error != std::errc{} || end != value.data() + value.size() || !(percent >= 0.1 && percent <= 100)) {
      throw Expected("expected a percentage from 0.1 to 100");
    }
    field = percent;
  };
  return {set, [&field] { return std::vector{fmt::format("{}", field)}; }, [&field] { field = 100; }};
}

/// --graph: a wrong one is told before anything is connected.
Value number_field(std::optional<std::string>& field) {
  Value value = text(field);
  value.set = [&field](std::string_view given) {
    (void)NumberField{given};
    field = std::string(given);
  };
  return value;
}

/// --match: a wrong one is told before anything is connected.
Value patterns(std::vector<std::string>& field) {
  Value value = list(field, {});
  value.set = [&field](std::string_view given) {
    (void)Pattern{given};
    field.emplace_back(given);
  };
  return value;
}

/// --json-match: the same.
Value conditions(std::vector<std::string>& field) {
  Value value = list(field, {});
  value.set = [&field](std::string_view given) {
    (void)JsonCondition{given};
    field.emplace_back(given);
  };
  return value;
}

/// --until: the same.
Value pattern(std::optional<std::string>& field) {
  Value value = text(field);
  value.set = [&field](std::string_view given) {
    (void)Pattern{given};
    field = std::string(given);
  };
  return value;
}

/// --record.
std::optional<std::string> fault_of_file(std::string_view path) {
  return path.empty() || path == "-" ? std::optional("a file; --json prints the same lines to stdout") : std::nullopt;
}

/// -F: a wrong one is told before anything is connected.
Value format(std::optional<std::string>& field) {
  Value value = text(field);
  value.set = [&field](std::string_view given) {
    (void)Format::of(given, false, End::newline);
    field = std::string(given);
  };
  return value;
}

}  // namespace

std::vector<Option> sub_rows(SubConfig& config) {
  const std::string subscribing = "Subscribing";
  const std::string choosing = "Choosing messages";
  const std::string printing = "Printing";
  const std::string answering = "Answering requests";
  const std::string watching = "Watching";
  const std::string verifying = "Verifying";
  const std::string ending = "Ending";
  std::vector<Option> rows{
      {.name = "topic",
       .letter = 't',
       .value = "FILTER",
       .section = subscribing,
       .help = "Topic filter to subscribe to; may be repeated. + stands for one level, # at the end for all the rest.",
       .field = list(config.filters, fault_of_topic_filter)},
      {.name = "qos",
       .letter = 'q',
       .value = "QOS",
       .section = subscribing,
       .help = "The highest QoS that messages may arrive with: 0, 1 or 2.",
       .field = qos(config.qos)},
      {.name = "unsubscribe",
       .letter = 'U',
       .value = "FILTER",
       .section = subscribing,
       .help = "Topic filter to unsubscribe from, after subscribing; may be repeated.",
       .field = list(config.unsubscribe, fault_of_topic_filter)},
      {.name = "no-local",
       .section = subscribing,
       .help = "Leave out what is published with this client's own id. MQTT 5.",
       .field = flag(config.no_local)},
      {.name = "require-all",
       .value = "[=no]",
       .section = subscribing,
       .help = "One filter that the broker refuses ends the run with status 5, also where others are granted. With "
               "--count, --expect, --until and --exit-after-suback that is the default, and --require-all=no switches "
               "it off.",
       .field = optional_flag(config.require_all)},
      {.name = "retain-as-published",
       .section = subscribing,
       .help = "Messages come with the retain flag that they were published with. MQTT 5.",
       .field = flag(config.retain_as_published)},
      {.name = "retain-handling",
       .value = "WHEN",
       .section = subscribing,
       .help = "Have retained messages sent always, for a new subscription only, or never: always, new, never. MQTT 5.",
       .field = choice<std::optional<RetainHandling>>(config.retain_handling, {{"always", RetainHandling::send_always},
                                                                               {"new", RetainHandling::send_if_new},
                                                                               {"never", RetainHandling::send_never}})},
      {.name = "filter-out",
       .letter = 'T',
       .value = "FILTER",
       .section = choosing,
       .help = "Leave out messages whose topic matches this filter; may be repeated.",
       .field = list(config.filter_out, fault_of_topic_filter)},
      {.name = "skip-retained",
       .letter = 'R',
       .section = choosing,
       .help = "Leave out retained messages.",
       .field = flag(config.skip_retained),
       .group = "retained"},
      {.name = "retained-only",
       .section = choosing,
       .help = "Only retained messages; the first other one ends the run.",
       .field = flag(config.retained_only),
       .group = "retained"},
      {.name = "remove-retained",
       .section = choosing,
       .help = "Have the broker forget each retained message that arrives and is not left out by --filter-out, --match "
               "or --json-match.",
       .field = flag(config.remove_retained)},
      {.name = "dry-run",
       .section = choosing,
       .help = "With --remove-retained: remove nothing, and print only what would be removed, without another form the "
               "topics.",
       .field = flag(config.dry_run)},
      {.name = "match",
       .value = "REGEX",
       .section = choosing,
       .help = "Only messages in whose payload this regular expression (RE2's syntax) is found; of several one is "
               "enough.",
       .field = patterns(config.match)},
      {.name = "json-match",
       .value = "CONDITION",
       .section = choosing,
       .help = "Only messages whose payload is JSON for which this holds: 'suhu > 30', 'a.0.b == \"on\"' (also !=, <, "
               "<=, >=), 'tags contains \"lab\"', 'name ~ REGEX', or 'suhu' alone: that there is such a field; of "
               "several all must hold.",
       .field = conditions(config.json_match)},
      {.name = "unique",
       .section = choosing,
       .help = "Leave out messages with the same payload as the one before on their topic. Past 100000 topics it "
               "forgets what they had, and begins anew.",
       .field = flag(config.unique)},
      {.name = "every",
       .value = "N",
       .section = choosing,
       .help = "Only the first of each N messages that are not left out otherwise.",
       .field = number(config.every, 1, 1'000'000'000'000'000)},
      {.name = "random-filter",
       .value = "PERCENT",
       .section = choosing,
       .help = "Print only so many of the messages, chosen at random.",
       .field = percentage(config.random_filter)},
      {.name = "stamped",
       .section = printing,
       .help = "Take the line off the payload in which pub --stamp says before MQTT 5 what it has user properties for "
               "in MQTT 5. From there on the message has these properties, and %{seq} and %{latency} show them. A "
               "payload without such a line stays as it is.",
       .field = flag(config.stamped)},
      {.name = "verbose",
       .letter = 'v',
       .section = printing,
       .help = "Print the topic and a space before each payload.",
       .field = flag(config.verbose),
       .group = "form"},
      {.name = "format",
       .letter = 'F',
       .value = "FORMAT",
       .section = printing,
       .help =
           "Print each message so: %t topic, %p payload, %x payload in hexadecimal, %l its length, %q QoS, %r retain, "
           "%I time, %j all as JSON, %{json:a.b} a field of a JSON payload; --help output has them all.",
       .field = format(config.format)},
      {.name = "json",
       .section = printing,
       .help = "Print each message as a JSON object in one line, which pub can publish again; binary payloads, too.",
       .field = flag(config.json),
       .group = "form"},
      {.name = "hex",
       .section = printing,
       .help = "Print the topic, and below it the payload in hexadecimal and as ASCII.",
       .field = flag(config.hex),
       .group = "form"},
      {.name = "csv",
       .section = printing,
       .help = "Print a table with a heading: time,topic,qos,retain,payload,payload_base64.",
       .field = flag(config.csv),
       .group = "form"},
      {.name = "pretty",
       .section = printing,
       .help = "JSON over several lines, of --json and of %j and %J in a format.",
       .field = flag(config.pretty)},
      {.name = "no-newline",
       .letter = 'N',
       .section = printing,
       .help = "No newline after each message.",
       .field = flag(config.no_newline),
       .group = "end"},
      {.name = "null",
       .section = printing,
       .help = "A NUL after each message instead of a newline, for xargs -0.",
       .field = flag(config.null),
       .group = "end"},
      {.name = "record",
       .value = "FILE",
       .section = printing,
       .help = "Keep what is printed in this file, too, as --json has it. It begins anew, unless --append is given.",
       .field = text(config.record, fault_of_file),
       .completes = Completes::file},
      {.name = "append",
       .section = printing,
       .help = "With --record: begin behind what the file holds already.",
       .field = flag(config.append)},
      {.name = "respond",
       .value = "FORMAT",
       .section = answering,
       .help = "Answer each message that asks for it with what FORMAT makes of it, as -F: %p is an echo. Means MQTT 5, "
               "where requests say on which topic they are answered. --count counts all messages, also those that ask "
               "for nothing.",
       .field = format(config.respond),
       .group = "respond"},
      {.name = "respond-exec",
       .value = "COMMAND",
       .section = answering,
       .help =
           "Answer with the output of this program, without a newline at its end. It gets the payload on stdin, and "
           "the variables REQUEST_TOPIC, REQUEST_QOS and REQUEST_RESPONSE_TOPIC. No answer where its status is not "
           "0.",
       .field = text(config.respond_exec),
       .group = "respond"},
      {.name = "respond-shell",
       .section = answering,
       .help =
           "Have COMMAND read by /bin/sh. Without, it is a program and its arguments, and double quotation marks hold "
           "a word together.",
       .field = flag(config.respond_shell)},
      {.name = "respond-max",
       .value = "N",
       .section = answering,
       .help = "So many commands may run at the same time; further requests wait.",
       .field = number(config.respond_max, 1, 1000)},
      {.name = "respond-timeout",
       .value = "SECONDS",
       .section = answering,
       .help = "A command that takes longer is ended, and its request not answered.",
       .field = seconds(config.respond_timeout, Zero::refused)},
      {.name = "response-topic",
       .value = "FORMAT",
       .section = answering,
       .help = "Where requests are answered that do not say it: before MQTT 5 %t/response, that is the request's topic "
               "and /response; with MQTT 5 such messages are answered only with this option.",
       .field = format(config.response_topic)},
      {.name = "overflow",
       .value = "POLICY",
       .section = printing,
       .help = "Where the reader of stdout is slow and 1000 messages wait: block, so that the broker has to wait, or "
               "drop-oldest, or drop-newest, which tells at the end how many and gives status 1.",
       .field = choice<Overflow>(config.overflow, {{"block", Overflow::block},
                                                   {"drop-oldest", Overflow::drop_oldest},
                                                   {"drop-newest", Overflow::drop_newest}})},
      {.name = "color",
       .value = "WHEN",
       .section = watching,
       .help =
           "Use colours always, never, or auto: on a terminal, unless NO_COLOR is set. With always the layout for a "
           "terminal goes into a pipe, too.",
       .field = choice<ColourWhen>(
           config.colour,
           {{"auto", ColourWhen::automatic}, {"always", ColourWhen::always}, {"never", ColourWhen::not_at_all}})},
      {.name = "watch",
       .letter = 'w',
       .section = watching,
       .help =
           "Show one line for each topic, with its last message, how old that is, and how many there were and come.",
       .field = flag(config.watch),
       .group = "view"},
      {.name = "message-rate",
       .section = watching,
       .help = "Instead of messages print each second how many have come, how many a second, and how many wait.",
       .field = flag(config.message_rate),
       .group = "view"},
      {.name = "graph",
       .value = "FIELD",
       .section = watching,
       .help = "Draw the numbers that come, a line for each topic: payload, or a field of JSON payloads such as a.b.",
       .field = number_field(config.graph),
       .group = "view"},
      {.name = "verify",
       .section = verifying,
       .help =
           "Instead of printing messages look at the stamps that pub --stamp gives them, and report at the end what "
           "was lost, came twice, out of order or damaged, and how long messages took. Ends when the publishers "
           "say that they have ended, or by --count, --timeout or --idle; what silence ends before they have is status "
           "27. To be started before they are: a "
           "message that was sent before counts as lost.",
       .field = flag(config.verify),
       .group = "view"},
      {.name = "publishers",
       .value = "N",
       .section = verifying,
       .help = "With --verify: end when N publishers have ended.",
       .field = number(config.publishers, 1, 1'000'000)},
      {.name = "subtract-offset",
       .section = verifying,
       .help = "With --verify: take off each latency by how much this machine's clock is ahead of the publisher's, as "
               "pub --clock-topic has found it out. Without this it is only shown.",
       .field = flag(config.subtract_offset)},
      {.name = "max-loss",
       .value = "N",
       .section = verifying,
       .help = "With --verify: end with status 6 where more than N messages are lost; a corrupted one is lost.",
       .field = number(config.budgets.max_loss, 0, 1'000'000'000'000'000)},
      {.name = "max-dup",
       .value = "N",
       .section = verifying,
       .help = "The same where more than N have come twice.",
       .field = number(config.budgets.max_dup, 0, 1'000'000'000'000'000)},
      {.name = "max-reorder",
       .value = "N",
       .section = verifying,
       .help = "The same where more than N have come after a later one.",
       .field = number(config.budgets.max_reorder, 0, 1'000'000'000'000'000)},
      {.name = "max-p99",
       .value = "TIME",
       .section = verifying,
       .help = "The same where one message of a hundred took longer: 5ms. It counts from when a message was due, where "
               "its publisher had a pace, else from when it was sent.",
       .field = duration(config.budgets.max_p99)},
      {.name = "min-rate",
       .value = "RATE",
       .section = verifying,
       .help = "The same where fewer messages a second came, from the first to the last.",
       .field = rate(config.budgets.min_rate, "messages a second")},
      {.name = "report",
       .value = "[=FORMAT]",
       .section = verifying,
       .help = "With --verify: how it reports, as text, json or csv.",
       .field = report_format(config.report)},
      {.name = "report-file",
       .value = "FILE",
       .section = verifying,
       .help = "With --verify: put the report behind what the file holds already, not on stdout: with csv a series of "
               "runs is one table.",
       .field = text(config.report_file)},
      {.name = "why",
       .section = watching,
       .help =
           "Where nothing has come for 5 seconds, look with a second connection which topics there are, and say so.",
       .field = flag(config.why)},
      {.name = "count",
       .letter = 'C',
       .value = "N",
       .section = ending,
       .help = "End with status 0 after N messages.",
       .field = number(config.count, 1, 1'000'000'000'000'000),
       .group = "count"},
      {.name = "expect",
       .value = "N",
       .section = ending,
       .help = "End with status 0 after N messages, and with 6 where --timeout or --idle comes first.",
       .field = number(config.expect, 1, 1'000'000'000'000'000),
       .group = "count"},
      {.name = "timeout",
       .letter = 'W',
       .value = "SECONDS",
       .section = ending,
       .help = "End with status 27 so long after the broker granted the subscriptions; fractions are fine.",
       .field = seconds(config.timeout)},
      {.name = "idle",
       .value = "SECONDS",
       .section = ending,
       .help = "End when nothing has come for so long: with status 0, or with 27 where --count or --until was to come, "
               "with 6 where --expect was. The time without a connection does not count.",
       .field = seconds(config.idle)},
      {.name = "until",
       .value = "REGEX",
       .section = ending,
       .help = "End with status 0 after the first message in whose payload this regular expression is found.",
       .field = pattern(config.until)},
      {.name = "exit-after-suback",
       .letter = 'E',
       .section = ending,
       .help = "End as soon as the broker has answered the subscriptions.",
       .field = flag(config.exit_after_suback)},
  };
  std::ranges::move(connection_rows(config.connection), std::back_inserter(rows));
  return rows;
}

std::optional<SubConfig> read_sub_config(const Sources& sources, Output& output, const Console& console) {
  auto config = read_config<SubConfig>(text_of_sub, sub_rows, check, sources, output, console);
  if (config) {
    const auto terminal = sources.environment.find("TERM");
    config->palette = palette_of(sources.environment);
    config->dumb_terminal = terminal != sources.environment.end() && terminal->second == "dumb";
  }
  return config;
}

}  // namespace sistem
