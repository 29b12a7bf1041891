#include "sub/sub_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/mqtt/topic.hpp"
#include "common/options/option.hpp"
#include "common/options/settings.hpp"
#include "common/ping.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"
#include "sub/chapters.txt.hpp"
#include "sub/command.hpp"
#include "sub/match/condition.hpp"
#include "sub/show/format.hpp"
#include "sub/show/graph.hpp"

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
  if (config.respond_shell) {
    config.respond_words = {"/bin/sh", "-c", *config.respond_exec};
    return;
  }
  try {
    config.respond_words = split(*config.respond_exec);
  } catch (const Expected& expected) {
    refuse(settings, "respond-exec", expected.what());
  }
  if (config.respond_words.empty()) {
    refuse(settings, "respond-exec", "expected a program, got nothing");
  }
  if (const auto fault = fault_of_program(config.respond_words.front())) {
    refuse(settings, "respond-exec", fmt::format("cannot run {}: {}", shortened(config.respond_words.front()), *fault));
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
    refuse(settings, "no-local", fmt::format("a shared subscription cannot have that: {}", shortened(*shared)));
  }
  if (config.connection.ping) {
    if (config.filters.size() > 1 || (!config.filters.empty() && fault_of_topic_name(config.filters.front()))) {
      refuse(settings, "topic",
             fmt::format("a ping has one topic, without wildcards: {}", shortened(config.filters.back())));
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
  config.ends_when_met = settings.ends_when_met;
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

/// --require-all[=no]: neither yes nor no until it is given.
Value optional_flag(std::optional<bool>& field) {
  const auto read = [](std::string_view value) {
    const auto answer = on_or_off(value);
    if (!answer) {
      throw Expected("expected yes or no");
    }
    return answer;
  };
  return parsed(field, read, [](bool held) { return held ? "yes" : "no"; });
}

/// A percentage from 0.1, as mosquitto_sub's.
double percentage_of(std::string_view value) {
  const auto percent = number_of<double>(value);
  if (!percent || !(*percent >= 0.1 && *percent <= 100)) {  // not above and not below: neither is nan
    throw Expected("expected a percentage from 0.1 to 100");
  }
  return *percent;
}

std::optional<std::string> fault_of_file(std::string_view path) {
  return path.empty() || path == "-" ? std::optional("a file; --json prints the same lines to stdout") : std::nullopt;
}

/// A wrong one is refused before anything is connected, as a wrong expression is.
std::optional<std::string> fault_of_format(std::string_view format) {
  (void)Format{format, false, End::newline};
  return std::nullopt;
}

std::vector<Option> subscribing_rows(SubConfig& config) {
  const Traits of_mqtt5{.mqtt5 = Mqtt5::needed};
  return {
      {"-t, --topic FILTER",
       "Topic filter to subscribe to; may be repeated. + stands for one level, # at the end for all the rest.",
       list(config.filters, fault_of_topic_filter)},
      {"-q, --qos QOS", "The highest QoS at which messages may arrive: 0, 1 or 2.", qos(config.qos)},
      {"-U, --unsubscribe FILTER", "Topic filter to unsubscribe from, after subscribing; may be repeated.",
       list(config.unsubscribe, fault_of_topic_filter)},
      {"--no-local", "Leave out messages published with this client's own id. MQTT 5.", flag(config.no_local),
       of_mqtt5},
      {"--require-all[=no]",
       "One filter that the broker refuses ends the run with status 5, even if others are granted. That is the default "
       "with --count, --expect, --until, --exit-after-suback and --verify; --require-all=no switches it off.",
       optional_flag(config.require_all)},
      {"--retain-as-published", "Messages arrive with the retain flag that they were published with. MQTT 5.",
       flag(config.retain_as_published), of_mqtt5},
      {"--retain-handling WHEN",
       "When the broker sends retained messages: always, new (for a new subscription only) or never. MQTT 5.",
       choice(config.retain_handling, {{"always", RetainHandling::send_always},
                                       {"new", RetainHandling::send_if_new},
                                       {"never", RetainHandling::send_never}}),
       of_mqtt5},
  };
}

std::vector<Option> choosing_rows(SubConfig& config) {
  const Traits about_retained{.groups = {"retained"}};
  return {
      {"-T, --filter-out FILTER", "Leave out messages whose topic matches this filter; may be repeated.",
       list(config.filter_out, fault_of_topic_filter)},
      {"-R, --skip-retained", "Leave out retained messages.", flag(config.skip_retained), about_retained},
      {"--retained-only", "Only retained messages; the first other message ends the run.", flag(config.retained_only),
       about_retained},
      {"--remove-retained",
       "Have the broker forget each retained message that arrives, unless --filter-out, --match or --json-match leaves "
       "it out.",
       flag(config.remove_retained)},
      {"--dry-run",
       "With --remove-retained: remove nothing, and print only what would be removed; its topics, unless another form "
       "is asked for.",
       flag(config.dry_run),
       {.needs = {{"remove-retained"}}}},
      {"--match REGEX",
       "Only messages whose payload contains a match of this regular expression (RE2's syntax); may be repeated, and "
       "one match is enough.",
       list(config.match, fault_as<Pattern>)},
      {"--json-match CONDITION",
       "Only messages with a JSON payload for which this holds: 'suhu > 30', 'a.0.b == \"on\"' (also !=, <, <=, >=), "
       "'tags contains \"lab\"', 'name ~ REGEX', or 'suhu' alone: there is such a field; may be repeated, and all must "
       "hold.",
       list(config.json_match, fault_as<JsonCondition>)},
      {"--unique",
       "Leave out messages with the same payload as the one before on their topic. Past 100000 topics it forgets these "
       "payloads, and starts anew.",
       flag(config.unique)},
      {"--random-filter PERCENT", "Print only this percentage of the messages, chosen at random.",
       parsed(config.random_filter, percentage_of, [](double held) { return fmt::format("{}", held); })},
  };
}

std::vector<Option> printing_rows(SubConfig& config) {
  const Traits a_form{.groups = {"form", "layout"}};
  const Traits an_end{.groups = {"end"}};
  return {
      {"--stamped",
       "Without MQTT 5, pub --stamp adds a line in front of the payload. Remove it, and treat it as the user "
       "properties "
       "that it is in MQTT 5: %{seq} and %{latency} show them. A payload without such a line stays as it is.",
       flag(config.stamped)},
      {"-v, --verbose", "Print the topic and a space before each payload.", flag(config.verbose), {.groups = {"form"}}},
      {"-F, --format FORMAT",
       "Print each message in this format: %t topic, %p payload, %x payload in hexadecimal, %l its length, %q QoS, %r "
       "retain, %I time, %j all as JSON, %{json:a.b} a field of a JSON payload; --help output lists them all.",
       text(config.format, fault_of_format),
       {.groups = {"layout"}}},  // and not "form": -v -F has been taken since mosquitto_sub
      {"--json", "Print each message as a JSON object on one line, which pub can publish again; binary payloads, too.",
       flag(config.json), a_form},
      {"--hex", "Print the topic, and below it the payload in hexadecimal and as ASCII.", flag(config.hex), a_form},
      {"--csv",
       "Print a table with a heading: time,topic,qos,retain,payload,payload_base64.",
       flag(config.csv),
       {.groups = {"form", "layout"}, .excludes = {{"null no-newline", "each row of a table is a line"}}}},
      {"--pretty",
       "JSON over several lines, for %j and %J in a format.",
       flag(config.pretty),
       {.excludes = {{"json", "each message is one line of it"}}}},
      {"-N, --no-newline", "No newline after each message.", flag(config.no_newline), an_end},
      {"--null", "A NUL after each message instead of a newline, for xargs -0.", flag(config.null), an_end},
      {"--record FILE",
       "Also write what is printed to this file, as --json prints it. The file starts empty, unless --append is given.",
       completed(text(config.record, fault_of_file), Completes::file)},
      {"--append",
       "With --record: append to what the file holds already.",
       flag(config.append),
       {.needs = {{"record"}}}},
      {"--overflow POLICY",
       "What to do if the reader of stdout is slow and 1000 messages wait: block, so that the broker has to wait, or "
       "drop-oldest, or drop-newest, which acknowledge what they drop, and report at the end how many were dropped; "
       "the "
       "status is then 1.",
       choice(config.overflow, {{"block", Overflow::block},
                                {"drop-oldest", Overflow::drop_oldest},
                                {"drop-newest", Overflow::drop_newest}})},
  };
}

std::vector<Option> answering_rows(SubConfig& config) {
  const Traits of_commands{.needs = {{"respond-exec", "it is about its commands"}}};
  return {
      {"--respond FORMAT",
       "Answer each message that asks for an answer in this format, as -F: %p is an echo. Means MQTT 5, where requests "
       "name the topic of the answer. --count counts all messages, also those that ask for nothing.",
       text(config.respond, fault_of_format),
       {.groups = {"respond"}, .mqtt5 = Mqtt5::preferred}},
      {"--respond-exec COMMAND",
       "Answer with the output of this program, without a newline at its end. It gets the payload on stdin, and the "
       "variables REQUEST_TOPIC, REQUEST_QOS and REQUEST_RESPONSE_TOPIC, but none of ours that may hold a secret, such "
       "as MQTT_PASSWORD. No answer if its status is not 0.",
       text(config.respond_exec),
       {.groups = {"respond"}, .mqtt5 = Mqtt5::preferred}},
      {"--respond-shell",
       "Run COMMAND with /bin/sh. Without this option it is a program and its arguments, and double quotation marks "
       "hold words together.",
       flag(config.respond_shell), of_commands},
      {"--respond-max N", "Run at most N commands at the same time; further requests wait.",
       number(config.respond_max, 1, 1000), of_commands},
      {"--respond-timeout SECONDS", "End a command that takes longer than this; its request is not answered.",
       seconds(config.respond_timeout, Zero::refused), of_commands},
      {"--response-topic FORMAT",
       "Topic of the answers to requests that name none: before MQTT 5 %t/response, that is the request's topic and "
       "/response; with MQTT 5 such messages are answered only with this option.",
       text(config.response_topic, fault_of_format),
       {.needs = {{"respond respond-exec", "nothing is answered without"}}}},
  };
}

std::vector<Option> watching_rows(SubConfig& config) {
  const char* no_such_form = "it does not print messages in such a form";
  const Traits a_view{.groups = {"view"}, .excludes = {{"format pretty no-newline json hex csv null", no_such_form}}};
  return {
      {"--color WHEN",
       "Use colours always, never, or auto: on a terminal, unless NO_COLOR is set. With always a pipe gets the layout "
       "of a terminal, too.",
       choice<ColourWhen>(
           config.colour,
           {{"auto", ColourWhen::automatic}, {"always", ColourWhen::always}, {"never", ColourWhen::not_at_all}})},
      {"-w, --watch",
       "Show one line per topic: its last message, how old that is, how many there were, and how fast they arrive.",
       flag(config.watch),
       {.groups = {"view"}, .excludes = {{"no-newline json hex csv null", no_such_form}}}},
      {"--message-rate",
       "Instead of messages, print each second how many have arrived, how many per second, and how many wait.",
       flag(config.message_rate), a_view},
      {"--graph FIELD",
       "Draw the numbers that arrive, one line per topic: payload, or a field of JSON payloads such as a.b.",
       text(config.graph, fault_as<NumberField>), a_view},
      {"--why",
       "If nothing arrives for 5 seconds, look with a second connection which topics there are, and report them.",
       flag(config.why)},
  };
}

std::vector<Option> verifying_rows(SubConfig& config) {
  const Traits of_verify{.needs = {{"verify"}}};
  return {
      {"--verify",
       "Instead of printing messages, check the stamps of pub --stamp, and report at the end what was lost, "
       "duplicated, out of order or damaged, and how long messages took. Ends when the publishers report that they "
       "have ended, or by --count, --timeout or --idle; if silence ends it before they have, the status is 27. Start "
       "it before them: a message that was sent earlier counts as lost.",
       flag(config.verify),
       {.groups = {"view"},
        .excludes = {{"format pretty no-newline json hex csv null verbose random-filter unique expect respond "
                      "respond-exec dry-run remove-retained match json-match retained-only exit-after-suback",
                      "it reports on all messages, and prints none"}},
        .ends_run = EndsRun::when_met}},
      {"--publishers N", "With --verify: end when N publishers have ended.", number(config.publishers, 1, 1'000'000),
       of_verify},
      {"--subtract-offset",
       "With --verify: subtract from each latency how far this machine's clock is ahead of the publisher's, as pub "
       "--clock-topic has found it. Without this option it is only shown.",
       flag(config.subtract_offset), of_verify},
      {"--max-loss N", "With --verify: end with status 6 if more than N messages are lost; a corrupted one is lost.",
       number(config.budgets.max_loss, 0), of_verify},
      {"--max-dup N", "The same if more than N arrived twice.", number(config.budgets.max_dup, 0), of_verify},
      {"--max-reorder N", "The same if more than N arrived after a later one.", number(config.budgets.max_reorder, 0),
       of_verify},
      {"--max-p99 TIME",
       "The same if one message of a hundred took longer than this: 5ms. It counts from when a message was due, if its "
       "publisher had a pace, else from when it was sent.",
       duration(config.budgets.max_p99), of_verify},
      {"--min-rate RATE", "The same if fewer messages per second arrived, from the first to the last.",
       rate(config.budgets.min_rate, "messages a second"), of_verify},
      {"--report[=FORMAT]", "With --verify: how it reports, as text, json or csv.", report_format(config.report),
       of_verify},
      {"--report-file FILE",
       "With --verify: append the report to this file instead of writing it to stdout: with csv a series of runs is "
       "one table.",
       text(config.report_file), of_verify},
  };
}

std::vector<Option> ending_rows(SubConfig& config) {
  return {
      {"-C, --count N",
       "End with status 0 after N messages.",
       number(config.count, 1),
       {.groups = {"count"}, .ends_run = EndsRun::when_met}},
      {"--expect N",
       "End with status 0 after N messages, or with 6 if --timeout or --idle comes first.",
       number(config.expect, 1),
       {.groups = {"count"},
        .needs = {{"timeout idle", "until when they are expected"}},
        .ends_run = EndsRun::when_met}},
      {"-W, --timeout SECONDS",
       "End with status 27 SECONDS after the broker granted the subscriptions; fractions are allowed.",
       seconds(config.timeout),
       {.ends_run = EndsRun::in_time}},
      {"--idle SECONDS",
       "End when nothing has arrived for SECONDS: with status 0, or with 27 if --count or --until still waits, with 6 "
       "if --expect does, with 3 if the broker is away by then.",
       seconds(config.idle),
       {.ends_run = EndsRun::in_time}},
      {"--until REGEX",
       "End with status 0 after the first message whose payload contains a match of this regular expression.",
       text(config.until, fault_as<Pattern>),
       {.ends_run = EndsRun::when_met}},
      {"-E, --exit-after-suback",
       "End as soon as the broker has answered the subscriptions.",
       flag(config.exit_after_suback),
       {.ends_run = EndsRun::when_met}},
  };
}

}  // namespace

std::vector<Option> sub_rows(SubConfig& config) {
  std::vector<Option> rows = table_of({{"Subscribing", subscribing_rows(config)},
                                       {"Choosing messages", choosing_rows(config)},
                                       {"Printing", printing_rows(config)},
                                       {"Answering requests", answering_rows(config)},
                                       {"Watching", watching_rows(config)},
                                       {"Verifying", verifying_rows(config)},
                                       {"Ending", ending_rows(config)}});
  const Rule about_messages{
      "unsubscribe filter-out skip-retained retained-only remove-retained match json-match unique random-filter "
      "verbose format json hex csv pretty no-newline null record respond respond-exec watch message-rate graph why "
      "count "
      "expect idle until exit-after-suback stamped verify",
      "a ping prints nothing but its own line"};
  std::ranges::move(connection_rows(config.connection, {about_messages}), std::back_inserter(rows));
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
