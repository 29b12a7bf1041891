#include "pub/pub_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/mqtt/packet.hpp"
#include "common/mqtt/topic.hpp"
#include "common/options/amount.hpp"
#include "common/options/report_value.hpp"
#include "common/options/rules.hpp"
#include "common/ping.hpp"
#include "common/process/error.hpp"
#include "common/session.hpp"
#include "pub/chapters.txt.hpp"
#include "pub/source_options.hpp"

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

void check_request(PubConfig& config, const Settings& settings) {
  if (!config.request) {
    return;
  }
  const auto publish = properties_for(PropertyPlace::publish, config.connection.properties);
  if (text_in(publish, "response-topic")) {
    check_both(settings, "response-topic", "property", "the response topic can be said once only");
  }
  if (settings.given("timeout")) {
    config.connection.answer_limit = config.timeout;
  }
}

/// How long is waited for a broker that is away, or that does not acknowledge.
void set_limits(PubConfig& config, const Settings& settings) {
  // One message is waited for by a script: it should hear of a broker that has gone for good.
  constexpr std::chrono::seconds patience_for_one{30};
  if (config.publishes_one() && !settings.given("reconnect-for")) {
    config.connection.reconnect_limit = patience_for_one;
  }
  if (config.request) {
    return;  // which waits for its answers
  }
  if (settings.given("timeout")) {
    config.connection.answer_limit = config.timeout;
    config.connection.acknowledge_limit = config.timeout;
  } else if (config.publishes_one()) {
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
  }
  for (const char* option : {"stdin-file", "stdin-line", "topic-lines", "jsonl"}) {
    if (config.clients > 1) {
      check_both(settings, "clients", option, "several clients cannot share stdin");
    }
  }
  if (config.publishes_readings() && !settings.homes.contains("one-by-one")) {
    config.connection.one_by_one = true;  // no flood, and read in captures
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
  check_request(config, settings);
  check_source(config, settings, text_of_pub.drop_in_for);
  check_run(config, settings);
  set_limits(config, settings);
}

}  // namespace

std::vector<Option> pub_rows(PubConfig& config) {
  const std::string section = "Publishing";
  const std::string asking = "Asking";
  const std::string source = "message";
  const Rule one_message{.options = "message file stdin-file null-message template", .what = "one message to repeat"};
  std::vector<Option> rows{
      {.name = "topic",
       .letter = 't',
       .value = "TOPIC",
       .section = section,
       .help = "Topic name to publish to; with --template it may have placeholders, too.",
       .field = text(config.topic),
       .needs = {{.options = "message file stdin-line stdin-file null-message template jsonl ping",
                  .what = "something to publish"}},
       .excludes = {{"topic-lines", "each line has a topic of its own"},
                    {"replay", "the recording has topics of its own; --topic-map changes them"},
                    {"readings", "readings have topics of their own; --prefix changes them"}}},
      {.name = "message",
       .letter = 'm',
       .value = "PAYLOAD",
       .section = section,
       .help = "Publish this one message.",
       .field = text(config.message),
       .groups = {source},
       .needs = {to_a_topic}},
      {.name = "null-message",
       .letter = 'n',
       .section = section,
       .help = "Publish one empty message; with --retain the broker forgets the one it keeps.",
       .field = flag(config.null_message),
       .groups = {source},
       .needs = {to_a_topic}},
      {.name = "file",
       .letter = 'f',
       .value = "FILE",
       .section = section,
       .help = "Publish what is in this file as one message; may be repeated, for a message of each file.",
       .field = list(config.files, {}),
       .completes = Completes::file,
       .groups = {source},
       .needs = {to_a_topic}},
      {.name = "stdin-file",
       .letter = 's',
       .section = section,
       .help = "Publish all of stdin as one message.",
       .field = flag(config.stdin_file),
       .groups = {source},
       .needs = {to_a_topic}},
      {.name = "stdin-line",
       .letter = 'l',
       .section = section,
       .help = "Publish each line of stdin as a message, as it comes.",
       .field = flag(config.lines),
       .groups = {source},
       .needs = {to_a_topic}},
      {.name = "qos",
       .letter = 'q',
       .value = "QOS",
       .section = section,
       .help = "0: at most once, 1: at least once, 2: exactly once. With 1 and 2 pub ends when the broker has "
               "acknowledged everything.",
       .field = qos(config.qos)},
      {.name = "retain",
       .letter = 'r',
       .section = section,
       .help = "The broker keeps the last message of a topic for those who subscribe later.",
       .field = flag(config.retain)},
      {.name = "repeat",
       .value = "N",
       .section = section,
       .help = "Publish the one message so often: none of them is left out where a pace cannot be kept.",
       .field = number(config.repeat, 1, 1'000'000'000'000'000),
       .needs = {one_message}},
      {.name = "repeat-delay",
       .value = "SECONDS",
       .section = section,
       .help = "Wait so long between two of those; fractions are fine.",
       .field = seconds(config.repeat_delay, Zero::allowed),
       .needs = {one_message},
       .excludes = {{"rate interval ramp speed", "only one of them can be given"}}},
      {.name = "request",
       .section = asking,
       .help = "Each message is a request: wait for its answer and print that, and a newline. With --repeat the times "
               "of the round "
               "trips are told, too. Means MQTT 5; before it both sides must have agreed on the topic of the answers.",
       .field = flag(config.request),
       .needs = {{.options = "message null-message file stdin-file stdin-line topic-lines jsonl template",
                  .what = "a message that asks"}},
       .excludes = {{"readings replay", "what the host says of itself, or has said, asks for nothing"},
                    {"rate interval ramp duration speed clock-start verbose report on-refused",
                     "requests wait for their answers, one after the other"}},
       .mqtt5 = Mqtt5::preferred},
      {.name = "response-topic",
       .value = "TOPIC",
       .section = asking,
       .help = "Where answers are expected; without this option response/ID, before MQTT 5 TOPIC/response.",
       .field = text(config.response_topic, fault_of_topic_name),
       .needs = {{"request", "only that waits for an answer"}}},
      {.name = "no-newline",
       .letter = 'N',
       .section = asking,
       .help = "Print no newline after each answer: its bytes alone.",
       .field = flag(config.no_newline),
       .needs = {{"request", "only that waits for an answer"}}},
      {.name = "timeout",
       .letter = 'W',
       .value = "SECONDS",
       .section = asking,
       .help =
           "How long the broker may take to answer: until pub is connected, and then until it acknowledges something "
           "while messages of QoS 1 or 2 wait for that. With --request: how long each answer may take, with --ping "
           "all of it. Then the status is 27. Fractions are fine.",
       .field = seconds(config.timeout, Zero::refused)},
      {.name = "verbose",
       .letter = 'v',
       .section = section,
       .help = "Print each message that is published on stdout, as its topic and its payload.",
       .field = flag(config.verbose)},
      {.name = "report",
       .value = "[=FORMAT]",
       .section = section,
       .help = "Print at the end, on stdout, how it went: what was sent, acknowledged, refused and not sent, the rate, "
               "how late messages were, how long acknowledgements took. As text, json or csv. A refused message is "
               "then counted and does not end the run; the status is 5 all the same.",
       .field = report_format(config.report)},
      {.name = "stamp",
       .section = section,
       .help = "Each message says who has sent it (the client id), its number, from 1, and the time when it was sent "
               "and, with a pace, was due: in MQTT 5 as user properties, before it as a line before the payload, which "
               "sub --stamped takes off. --help stamps says how they look.",
       .field = flag(config.stamp),
       .excludes = {{"ping", "a ping publishes nothing but its own message"},
                    {"request", "the times of round trips are told anyway, and answers have no stamps"}}},
      {.name = "clock-topic",
       .value = "TOPIC",
       .section = section,
       .help = "With --stamp, in MQTT 5: before the first message ask sub --verify on this topic, which it has "
               "subscribed to, how its clock stands, and tell it what the difference is. Its report shows it; "
               "sub --subtract-offset takes it off the latencies.",
       .field = text(config.clock_topic, fault_of_topic_name),
       .needs = {{"stamp", "latencies are what it is good for"}},
       .mqtt5 = Mqtt5::needed},
      {.name = "clients",
       .value = "N",
       .section = section,
       .help = "Publish by so many connections at the same time, each of a process of its own, which does all that is "
               "asked for and keeps the pace by itself. Client ids end in -1 to -N where --id or --id-prefix is given. "
               "There is one report, and one status: the worst.",
       .field = number(config.clients, 1, 1000)},
      {.name = "connect-rate",
       .value = "N",
       .section = section,
       .help = "Start so many of the --clients a second, fractions too.",
       .field = rate(config.connect_rate, "clients a second"),
       .needs = {{.options = "clients", .what = "several clients"}}},
  };
  std::ranges::move(source_rows(config, source), std::back_inserter(rows));
  std::ranges::move(pace_rows(config.pace), std::back_inserter(rows));
  std::ranges::move(connection_rows(config.connection), std::back_inserter(rows));
  std::ranges::find(rows, "ping", &Option::name)->excludes = {
      {sources_but_readings, "a ping publishes nothing but its own message"},
      {"readings", "a ping publishes nothing but its own message"}};
  return rows;
}

std::optional<PubConfig> read_pub_config(const Sources& sources, Output& output, const Console& console) {
  return read_config<PubConfig>(text_of_pub, pub_rows, check, sources, output, console);
}

}  // namespace sistem
