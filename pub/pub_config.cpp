#include "pub/pub_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/mqtt/packet.hpp"
#include "common/mqtt/topic.hpp"
#include "common/options/option.hpp"
#include "common/options/settings.hpp"
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
  check_source(config, settings, text_of_pub.drop_in_for);
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
       "How long the broker may take to answer: until pub is connected, and then until it acknowledges something while "
       "messages of QoS 1 or 2 wait for that. With --request: how long each answer may take; with --ping: how long all "
       "of it may take. Then the status is 27. Fractions are allowed.",
       seconds(config.timeout, Zero::refused)},
  };
}

}  // namespace

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
