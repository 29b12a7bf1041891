#include "pub/pub_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "common/amount.hpp"
#include "common/error.hpp"
#include "common/packet.hpp"
#include "common/ping.hpp"
#include "common/session.hpp"
#include "common/topic.hpp"
#include "pub/chapters.hpp"
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

void check_request(PubConfig& config, const Settings& settings, const std::optional<std::string>& source) {
  if (!config.request) {
    for (const char* option : {"response-topic", "no-newline", "timeout"}) {
      if (settings.given(option)) {
        throw UsageError(fmt::format("{} needs --request: only that waits for an answer", settings.home_of(option)));
      }
    }
    return;
  }
  if (!source) {
    throw UsageError(
        fmt::format("{} needs a message that asks: --topic and --message, for example", settings.home_of("request")));
  }
  for (const char* other : {"readings", "replay"}) {
    if (settings.given(other)) {
      throw UsageError(fmt::format("{} and {}: what the host says of itself, or has said, asks for nothing",
                                   settings.home_of("request"), settings.home_of(other)));
    }
  }
  const auto publish = properties_for(PropertyPlace::publish, config.connection.properties);
  if (config.response_topic && text_in(publish, "response-topic")) {
    throw UsageError(fmt::format("{} and {}: the response topic can be said once only",
                                 settings.home_of("response-topic"), settings.home_of("property")));
  }
  if (settings.given("timeout")) {
    config.connection.answer_limit = config.timeout;
  }
}

/// Rules of --stamp. Whether an empty message comes with the command is known already.
void check_stamp(const PubConfig& config, const Settings& settings) {
  if (!config.stamp) {
    if (config.clock_topic) {
      throw UsageError(
          fmt::format("{} needs --stamp: latencies are what it is good for", settings.home_of("clock-topic")));
    }
    return;
  }
  if (config.clock_topic && config.connection.version != ProtocolVersion::v5) {
    throw UsageError(fmt::format("{} needs MQTT 5: --protocol-version 5", settings.home_of("clock-topic")));
  }
  for (const auto& [is_given, option, why] :
       {std::tuple{config.connection.ping, "ping", "a ping publishes nothing but its own message"},
        std::tuple{config.request, "request",
                   "the times of round trips are told anyway, and answers have no stamps"}}) {
    if (is_given) {
      throw UsageError(fmt::format("{} and {}: {}", settings.home_of("stamp"), settings.home_of(option), why));
    }
  }
  const bool is_empty = config.null_message || config.message == "";
  if (is_empty && config.connection.version != ProtocolVersion::v5) {
    throw UsageError(fmt::format("{} and {}: before MQTT 5 a stamp is part of the payload, which is not empty then",
                                 settings.home_of("stamp"),
                                 settings.home_of(config.null_message ? "null-message" : "message")));
  }
}

/// Rules of what runs how often, and how many do.
void check_run(PubConfig& config, const Settings& settings) {
  check_pace(config.pace, settings);
  for (const char* option : {"rate", "interval", "ramp", "duration", "speed", "clock-start", "verbose", "report"}) {
    if (config.request && settings.given(option)) {
      throw UsageError(fmt::format("{} and {}: requests wait for their answers, one after the other",
                                   settings.home_of("request"), settings.home_of(option)));
    }
  }
  for (const char* option : {"rate", "interval", "ramp", "speed"}) {
    if (settings.given(option) && settings.given("repeat-delay")) {
      throw UsageError(fmt::format("{} and {}: only one of them can be given", settings.home_of(option),
                                   settings.home_of("repeat-delay")));
    }
  }
  if (config.publishes_readings()) {
    if (settings.given("burst")) {
      throw UsageError(
          fmt::format("{} needs messages: the host's readings come together anyway", settings.home_of("burst")));
    }
    if (!config.pace.is_given()) {
      config.pace.interval = std::chrono::seconds{1};
    }
  }
  if (settings.given("connect-rate") && config.clients == 1) {
    throw UsageError(fmt::format("{} needs several clients: --clients", settings.home_of("connect-rate")));
  }
  for (const char* option : {"stdin-file", "stdin-line", "topic-lines", "jsonl"}) {
    if (config.clients > 1 && settings.given(option)) {
      throw UsageError(fmt::format("{} and {}: several clients cannot share stdin", settings.home_of("clients"),
                                   settings.home_of(option)));
    }
  }
  if (config.publishes_readings() && !settings.homes.contains("one-by-one")) {
    config.connection.one_by_one = true;  // no flood, and read in captures
  }
  if (!config.publishes_readings() && !config.is_stream() && config.count() && !settings.given("reconnect-for")) {
    // One message is waited for by a script: it should hear of a broker that has gone for good.
    config.connection.reconnect_limit = std::chrono::seconds{30};
  }
}

/// Rules between options; a single value is checked where its row sets it.
void check(PubConfig& config, Settings& settings, const Console& console) {
  if (config.request) {
    mean_mqtt5(config.connection, settings, "request");
  }
  check_connection(config.connection, settings, console);
  check_places(config.connection, settings, "pub", {PropertyPlace::subscribe, PropertyPlace::unsubscribe});
  check_topic_and_templates(config, settings);
  check_stamp(config, settings);
  if (config.connection.ping) {
    if (const auto source = source_given(settings)) {
      throw UsageError(fmt::format("{} and {}: a ping publishes nothing but its own message", settings.home_of("ping"),
                                   settings.home_of(*source)));
    }
    if (!settings.given("timeout")) {
      config.timeout = ping_limit;
    }
    config.connection.answer_limit = config.timeout;
    return;
  }
  check_request(config, settings, source_given(settings));
  check_source(config, settings, text_of_pub.drop_in_for);
  for (const char* option : {"repeat", "repeat-delay"}) {
    if (settings.given(option) && (config.publishes_readings() || config.is_stream())) {
      throw UsageError(
          fmt::format("{} needs one message to repeat: --message, --file, --stdin-file, --null-message or "
                      "--template",
                      settings.home_of(option)));
    }
  }
  check_run(config, settings);
}

}  // namespace

std::vector<Option> pub_rows(PubConfig& config) {
  const std::string section = "Publishing";
  const std::string asking = "Asking";
  const std::string source = "message";
  std::vector<Option> rows{
      {.name = "topic",
       .letter = 't',
       .value = "TOPIC",
       .section = section,
       .help = "Topic name to publish to; with --template it may have placeholders, too.",
       .field = text(config.topic)},
      {.name = "message",
       .letter = 'm',
       .value = "PAYLOAD",
       .section = section,
       .help = "Publish this one message.",
       .field = text(config.message),
       .group = source},
      {.name = "null-message",
       .letter = 'n',
       .section = section,
       .help = "Publish one empty message; with --retain the broker forgets the one it keeps.",
       .field = flag(config.null_message),
       .group = source},
      {.name = "file",
       .letter = 'f',
       .value = "FILE",
       .section = section,
       .help = "Publish what is in this file as one message; may be repeated, for a message of each file.",
       .field = list(config.files, {}),
       .completes = Completes::file,
       .group = source},
      {.name = "stdin-file",
       .letter = 's',
       .section = section,
       .help = "Publish all of stdin as one message.",
       .field = flag(config.stdin_file),
       .group = source},
      {.name = "stdin-line",
       .letter = 'l',
       .section = section,
       .help = "Publish each line of stdin as a message, as it comes.",
       .field = flag(config.lines),
       .group = source},
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
       .field = number(config.repeat, 1, 1'000'000'000'000'000)},
      {.name = "repeat-delay",
       .value = "SECONDS",
       .section = section,
       .help = "Wait so long between two of those; fractions are fine.",
       .field = seconds(config.repeat_delay, Zero::allowed)},
      {.name = "request",
       .section = asking,
       .help = "Each message is a request: wait for its answer and print that, and a newline. With --repeat the times "
               "of the round "
               "trips are told, too. Means MQTT 5; before it both sides must have agreed on the topic of the answers.",
       .field = flag(config.request)},
      {.name = "response-topic",
       .value = "TOPIC",
       .section = asking,
       .help = "Where answers are expected; without this option response/ID, before MQTT 5 TOPIC/response.",
       .field = text(config.response_topic, fault_of_topic_name)},
      {.name = "no-newline",
       .letter = 'N',
       .section = asking,
       .help = "Print no newline after each answer: its bytes alone.",
       .field = flag(config.no_newline)},
      {.name = "timeout",
       .letter = 'W',
       .value = "SECONDS",
       .section = asking,
       .help = "How long an answer may take, or --ping; then the status is 27. Fractions are fine.",
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
       .field = flag(config.stamp)},
      {.name = "clock-topic",
       .value = "TOPIC",
       .section = section,
       .help = "With --stamp, in MQTT 5: before the first message ask sub --verify on this topic, which it has "
               "subscribed to, how its clock stands, and tell it what the difference is. Its report shows it; "
               "sub --subtract-offset takes it off the latencies.",
       .field = text(config.clock_topic, fault_of_topic_name)},
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
       .field = rate(config.connect_rate, "clients a second")},
  };
  std::ranges::move(source_rows(config, source), std::back_inserter(rows));
  std::ranges::move(pace_rows(config.pace), std::back_inserter(rows));
  std::ranges::move(connection_rows(config.connection), std::back_inserter(rows));
  return rows;
}

std::optional<PubConfig> read_pub_config(const Sources& sources, Output& output, const Console& console) {
  return read_config<PubConfig>(text_of_pub, pub_rows, check, sources, output, console);
}

}  // namespace sistem
