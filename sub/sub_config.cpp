#include "sub/sub_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "common/mqtt/topic.hpp"
#include "common/options/amount.hpp"
#include "common/options/report_value.hpp"
#include "common/options/rules.hpp"
#include "common/ping.hpp"
#include "common/process/error.hpp"
#include "sub/chapters.txt.hpp"
#include "sub/command.hpp"
#include "sub/match/json_condition.hpp"
#include "sub/match/number_field.hpp"
#include "sub/match/pattern.hpp"
#include "sub/show/format.hpp"

namespace sistem {
namespace {

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
    .chapters = sub_chapters,
};

void check_responding(SubConfig& config, const Settings& settings) {
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

/// Rules between options; a single value is checked where its row sets it.
void check(SubConfig& config, Settings& settings, const Console& console) {
  check_connection(config.connection, settings, console);
  if (!config.responds()) {
    check_places(config.connection, settings, "sub", {PropertyPlace::publish});
  }
  check_responding(config, settings);
  const auto shared = std::find_if(config.filters.begin(), config.filters.end(),
                                   [](const std::string& filter) { return filter.starts_with("$share/"); });
  if (config.no_local && shared != config.filters.end()) {  // [MQTT-3.8.3-4]
    throw UsageError(
        fmt::format("{}: a shared subscription cannot have that: {}", settings.home_of("no-local"), *shared));
  }
  if (config.connection.ping) {
    if (config.filters.size() > 1 || (!config.filters.empty() && fault_of_topic_name(config.filters.front()))) {
      throw UsageError(fmt::format("{}: a ping has one topic, without wildcards: {}", settings.home_of("topic"),
                                   config.filters.back()));
    }
    config.connection.answer_limit = config.timeout.value_or(ping_limit);
    return;
  }
  config.stamped = config.stamped || config.verify;  // it reads stamps instead of printing what they are on
  if (config.retain_handling == RetainHandling::send_never) {
    check_both(settings, "retained-only", "retain-handling", "then nothing will come");
  }
  config.connection.answer_limit = config.timeout;
  config.drop_in = settings.drop_in;
  config.topics = config.dry_run;
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
  const Rule of_verify{"verify"};
  const Rule of_commands{"respond-exec", "it is about its commands"};
  const char* no_such_form = "it does not print messages in such a form";
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
       .field = flag(config.no_local),
       .mqtt5 = Mqtt5::needed},
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
       .field = flag(config.retain_as_published),
       .mqtt5 = Mqtt5::needed},
      {.name = "retain-handling",
       .value = "WHEN",
       .section = subscribing,
       .help = "Have retained messages sent always, for a new subscription only, or never: always, new, never. MQTT 5.",
       .field = choice<std::optional<RetainHandling>>(config.retain_handling, {{"always", RetainHandling::send_always},
                                                                               {"new", RetainHandling::send_if_new},
                                                                               {"never", RetainHandling::send_never}}),
       .mqtt5 = Mqtt5::needed},
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
       .groups = {"retained"}},
      {.name = "retained-only",
       .section = choosing,
       .help = "Only retained messages; the first other one ends the run.",
       .field = flag(config.retained_only),
       .groups = {"retained"}},
      {.name = "remove-retained",
       .section = choosing,
       .help = "Have the broker forget each retained message that arrives and is not left out by --filter-out, --match "
               "or --json-match.",
       .field = flag(config.remove_retained)},
      {.name = "dry-run",
       .section = choosing,
       .help = "With --remove-retained: remove nothing, and print only what would be removed, without another form the "
               "topics.",
       .field = flag(config.dry_run),
       .needs = {{"remove-retained"}}},
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
       .groups = {"form"}},
      {
          .name = "format",
          .letter = 'F',
          .value = "FORMAT",
          .section = printing,
          .help = "Print each message so: %t topic, %p payload, %x payload in hexadecimal, %l its length, %q QoS, %r "
                  "retain, "
                  "%I time, %j all as JSON, %{json:a.b} a field of a JSON payload; --help output has them all.",
          .field = format(config.format),
          .groups = {"layout"}  // and not "form": -v -F has been taken since mosquitto_sub
      },
      {.name = "json",
       .section = printing,
       .help = "Print each message as a JSON object in one line, which pub can publish again; binary payloads, too.",
       .field = flag(config.json),
       .groups = {"form", "layout"}},
      {.name = "hex",
       .section = printing,
       .help = "Print the topic, and below it the payload in hexadecimal and as ASCII.",
       .field = flag(config.hex),
       .groups = {"form", "layout"}},
      {.name = "csv",
       .section = printing,
       .help = "Print a table with a heading: time,topic,qos,retain,payload,payload_base64.",
       .field = flag(config.csv),
       .groups = {"form", "layout"},
       .excludes = {{"null no-newline", "each row of a table is a line"}}},
      {.name = "pretty",
       .section = printing,
       .help = "JSON over several lines, of %j and %J in a format.",
       .field = flag(config.pretty),
       .excludes = {{"json", "each message is one line of it"}}},
      {.name = "no-newline",
       .letter = 'N',
       .section = printing,
       .help = "No newline after each message.",
       .field = flag(config.no_newline),
       .groups = {"end"}},
      {.name = "null",
       .section = printing,
       .help = "A NUL after each message instead of a newline, for xargs -0.",
       .field = flag(config.null),
       .groups = {"end"}},
      {.name = "record",
       .value = "FILE",
       .section = printing,
       .help = "Keep what is printed in this file, too, as --json has it. It begins anew, unless --append is given.",
       .field = text(config.record, fault_of_file),
       .completes = Completes::file},
      {.name = "append",
       .section = printing,
       .help = "With --record: begin behind what the file holds already.",
       .field = flag(config.append),
       .needs = {{"record"}}},
      {.name = "respond",
       .value = "FORMAT",
       .section = answering,
       .help = "Answer each message that asks for it with what FORMAT makes of it, as -F: %p is an echo. Means MQTT 5, "
               "where requests say on which topic they are answered. --count counts all messages, also those that ask "
               "for nothing.",
       .field = format(config.respond),
       .groups = {"respond"},
       .mqtt5 = Mqtt5::preferred},
      {.name = "respond-exec",
       .value = "COMMAND",
       .section = answering,
       .help =
           "Answer with the output of this program, without a newline at its end. It gets the payload on stdin, and "
           "the variables REQUEST_TOPIC, REQUEST_QOS and REQUEST_RESPONSE_TOPIC, and not MQTT_PASSWORD and MQTT_PSK. "
           "No answer where its status is not 0.",
       .field = text(config.respond_exec),
       .groups = {"respond"},
       .mqtt5 = Mqtt5::preferred},
      {.name = "respond-shell",
       .section = answering,
       .help =
           "Have COMMAND read by /bin/sh. Without, it is a program and its arguments, and double quotation marks hold "
           "a word together.",
       .field = flag(config.respond_shell),
       .needs = {of_commands}},
      {.name = "respond-max",
       .value = "N",
       .section = answering,
       .help = "So many commands may run at the same time; further requests wait.",
       .field = number(config.respond_max, 1, 1000),
       .needs = {of_commands}},
      {.name = "respond-timeout",
       .value = "SECONDS",
       .section = answering,
       .help = "A command that takes longer is ended, and its request not answered.",
       .field = seconds(config.respond_timeout, Zero::refused),
       .needs = {of_commands}},
      {.name = "response-topic",
       .value = "FORMAT",
       .section = answering,
       .help = "Where requests are answered that do not say it: before MQTT 5 %t/response, that is the request's topic "
               "and /response; with MQTT 5 such messages are answered only with this option.",
       .field = format(config.response_topic),
       .needs = {{"respond respond-exec", "nothing is answered without"}}},
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
       .groups = {"view"},
       .excludes = {{"no-newline json hex csv null", no_such_form}}},
      {.name = "message-rate",
       .section = watching,
       .help = "Instead of messages print each second how many have come, how many a second, and how many wait.",
       .field = flag(config.message_rate),
       .groups = {"view"},
       .excludes = {{"format pretty no-newline json hex csv null", no_such_form}}},
      {.name = "graph",
       .value = "FIELD",
       .section = watching,
       .help = "Draw the numbers that come, a line for each topic: payload, or a field of JSON payloads such as a.b.",
       .field = number_field(config.graph),
       .groups = {"view"},
       .excludes = {{"format pretty no-newline json hex csv null", no_such_form}}},
      {.name = "verify",
       .section = verifying,
       .help =
           "Instead of printing messages look at the stamps that pub --stamp gives them, and report at the end what "
           "was lost, came twice, out of order or damaged, and how long messages took. Ends when the publishers "
           "say that they have ended, or by --count, --timeout or --idle; what silence ends before they have is status "
           "27. To be started before they are: a "
           "message that was sent before counts as lost.",
       .field = flag(config.verify),
       .groups = {"view"},
       .excludes = {{"format pretty no-newline json hex csv null verbose random-filter unique expect respond "
                     "respond-exec dry-run remove-retained match json-match retained-only exit-after-suback",
                     "it reports on all messages, and prints none"}}},
      {.name = "publishers",
       .value = "N",
       .section = verifying,
       .help = "With --verify: end when N publishers have ended.",
       .field = number(config.publishers, 1, 1'000'000),
       .needs = {of_verify}},
      {.name = "subtract-offset",
       .section = verifying,
       .help = "With --verify: take off each latency by how much this machine's clock is ahead of the publisher's, as "
               "pub --clock-topic has found it out. Without this it is only shown.",
       .field = flag(config.subtract_offset),
       .needs = {of_verify}},
      {.name = "max-loss",
       .value = "N",
       .section = verifying,
       .help = "With --verify: end with status 6 where more than N messages are lost; a corrupted one is lost.",
       .field = number(config.budgets.max_loss, 0, 1'000'000'000'000'000),
       .needs = {of_verify}},
      {.name = "max-dup",
       .value = "N",
       .section = verifying,
       .help = "The same where more than N have come twice.",
       .field = number(config.budgets.max_dup, 0, 1'000'000'000'000'000),
       .needs = {of_verify}},
      {.name = "max-reorder",
       .value = "N",
       .section = verifying,
       .help = "The same where more than N have come after a later one.",
       .field = number(config.budgets.max_reorder, 0, 1'000'000'000'000'000),
       .needs = {of_verify}},
      {.name = "max-p99",
       .value = "TIME",
       .section = verifying,
       .help = "The same where one message of a hundred took longer: 5ms. It counts from when a message was due, where "
               "its publisher had a pace, else from when it was sent.",
       .field = duration(config.budgets.max_p99),
       .needs = {of_verify}},
      {.name = "min-rate",
       .value = "RATE",
       .section = verifying,
       .help = "The same where fewer messages a second came, from the first to the last.",
       .field = rate(config.budgets.min_rate, "messages a second"),
       .needs = {of_verify}},
      {.name = "report",
       .value = "[=FORMAT]",
       .section = verifying,
       .help = "With --verify: how it reports, as text, json or csv.",
       .field = report_format(config.report),
       .needs = {of_verify}},
      {.name = "report-file",
       .value = "FILE",
       .section = verifying,
       .help = "With --verify: put the report behind what the file holds already, not on stdout: with csv a series of "
               "runs is one table.",
       .field = text(config.report_file),
       .needs = {of_verify}},
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
       .groups = {"count"}},
      {.name = "expect",
       .value = "N",
       .section = ending,
       .help = "End with status 0 after N messages, and with 6 where --timeout or --idle comes first.",
       .field = number(config.expect, 1, 1'000'000'000'000'000),
       .groups = {"count"},
       .needs = {{"timeout idle", "until when they are expected"}}},
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
               "with 6 where --expect was, with 3 if the broker is away by then.",
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
  std::ranges::find(rows, "ping", &Option::name)->excludes = {
      {"unsubscribe filter-out skip-retained retained-only remove-retained match json-match unique random-filter "
       "verbose format json hex csv pretty no-newline null record respond respond-exec watch message-rate graph why "
       "count "
       "expect idle until exit-after-suback stamped verify",
       "a ping prints nothing but its own line"}};
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
