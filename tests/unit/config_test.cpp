#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "common/process/error.hpp"
#include "pub/pub_config.hpp"
#include "sub/sub_config.hpp"
#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

using Variables = std::map<std::string, std::string>;

PubConfig read_pub(const std::vector<std::string>& arguments, const Variables& variables = {}) {
  Output nowhere{-1, {}};
  return read_pub_config({arguments, variables}, nowhere, Console{"pub"}).value();
}

SubConfig read_sub(const std::vector<std::string>& arguments, const Variables& variables = {}) {
  Output nowhere{-1, {}};
  return read_sub_config({arguments, variables}, nowhere, Console{"sub"}).value();
}

TEST(PubConfig, WithoutArgumentsPublishesReadingsEachSecondToLocalhost) {
  const PubConfig config = read_pub({});
  EXPECT_TRUE(config.publishes_readings());
  EXPECT_EQ(config.pace.interval, std::chrono::seconds(1));
  EXPECT_EQ(config.connection.host, "localhost");
  EXPECT_EQ(config.connection.port, 1883);
  EXPECT_FALSE(config.connection.wait_for_broker);
}

TEST(PubConfig, TakesWhatMosquittoPubTakes) {
  const PubConfig config =
      read_pub({"-h", "broker", "-p", "1884", "-i", "me", "-t", "a/b", "-m", "hello", "-q", "2", "-r", "-d"});
  EXPECT_EQ(config.connection.host, "broker");
  EXPECT_EQ(config.connection.port, 1884);
  EXPECT_EQ(config.connection.client_id, "me");
  EXPECT_EQ(config.topic, "a/b");
  EXPECT_EQ(config.message, "hello");
  EXPECT_EQ(config.qos, 2);
  EXPECT_TRUE(config.retain);
  EXPECT_TRUE(config.connection.debug);
  EXPECT_FALSE(config.publishes_readings());
}

TEST(PubConfig, AMessageMayBeEmpty) { EXPECT_EQ(read_pub({"-t", "a", "-m", ""}).message, ""); }

TEST(PubConfig, AScriptWithOneMessageHearsOfALostBroker) {
  EXPECT_TRUE(read_pub({"-t", "a", "-m", "x"}).connection.reconnect_limit);
  EXPECT_FALSE(read_pub({"-t", "a", "-l"}).connection.reconnect_limit);
  EXPECT_FALSE(read_pub({}).connection.reconnect_limit);
}

TEST(PubConfig, OneMessageIsWaitedForAndNoMore) {
  const std::vector<std::string> one[] = {{"-t", "a", "-m", "x"},
                                          {"-t", "a", "-n"},
                                          {"-t", "a", "-s"},
                                          {"-t", "a", "-f", "x"},
                                          {"-t", "a", "--template", "x"},
                                          {"-t", "a", "-m", "x", "--repeat", "1"}};
  for (const auto& arguments : one) {
    const ConnectionConfig connection = read_pub(arguments).connection;
    EXPECT_EQ(connection.reconnect_limit, std::chrono::seconds(30));
    EXPECT_EQ(connection.acknowledge_limit, std::chrono::seconds(30));
    EXPECT_FALSE(connection.answer_limit);
  }
  const std::vector<std::string> more[] = {{"-t", "a", "-m", "x", "--repeat", "50000"},
                                           {"-t", "a", "-f", "x", "-f", "y"},
                                           {"-t", "a", "-l"},
                                           {"-t", "a", "-m", "x", "--interval", "1"},
                                           {}};
  for (const auto& arguments : more) {
    const ConnectionConfig connection = read_pub(arguments).connection;
    EXPECT_FALSE(connection.reconnect_limit);
    EXPECT_FALSE(connection.acknowledge_limit);
  }
}

TEST(PubConfig, ATimeoutIsForWhateverTheBrokerHasToAnswer) {
  const std::vector<std::string> table[] = {
      {"-W", "3", "-t", "a", "-m", "x"}, {"-W", "3", "-t", "a", "-l"}, {"-W", "3"}};
  for (const auto& arguments : table) {
    const ConnectionConfig connection = read_pub(arguments).connection;
    EXPECT_EQ(connection.answer_limit, std::chrono::seconds(3));
    EXPECT_EQ(connection.acknowledge_limit, std::chrono::seconds(3));
  }
  const ConnectionConfig request = read_pub({"-t", "a", "-m", "x", "--request", "-W", "3"}).connection;
  EXPECT_EQ(request.answer_limit, std::chrono::seconds(3));
  EXPECT_FALSE(request.acknowledge_limit) << "it waits for answers";
}

TEST(PubConfig, WhatARefusedMessageDoesIsSaidOrFollowsFromTheReport) {
  EXPECT_EQ(read_pub({"-t", "a", "-l"}).on_refusal(), OnRefusal::ends_the_run);
  EXPECT_EQ(read_pub({"-t", "a", "-l", "--report"}).on_refusal(), OnRefusal::is_counted);
  EXPECT_EQ(read_pub({"-t", "a", "-l", "--report", "--on-refused", "stop"}).on_refusal(), OnRefusal::ends_the_run);
  EXPECT_EQ(read_pub({"-t", "a", "-l", "--on-refused", "skip"}).on_refusal(), OnRefusal::is_reported);
}

TEST(PubConfig, WaitsForABrokerWithAndWithoutALimit) {
  EXPECT_TRUE(read_pub({"--wait-for-broker"}).connection.wait_for_broker);
  EXPECT_FALSE(read_pub({"--wait-for-broker"}).connection.wait_limit);
  EXPECT_DOUBLE_EQ(read_pub({"--wait-for-broker=2.5"}).connection.wait_limit->count(), 2.5);
  EXPECT_DOUBLE_EQ(read_pub({}, {{"MQTT_WAIT_FOR_BROKER", "9"}}).connection.wait_limit->count(), 9);
}

TEST(PubConfig, TheCommandLineTakesALimitBackThatTheEnvironmentSet) {
  const PubConfig config = read_pub({"--wait-for-broker"}, {{"MQTT_WAIT_FOR_BROKER", "9"}});
  EXPECT_TRUE(config.connection.wait_for_broker);
  EXPECT_FALSE(config.connection.wait_limit);
}

TEST(PubConfig, WaitsForABrokerByAWordInTheEnvironmentToo) {
  EXPECT_TRUE(read_pub({}, {{"MQTT_WAIT_FOR_BROKER", "true"}}).connection.wait_for_broker);
  EXPECT_FALSE(read_pub({}, {{"MQTT_WAIT_FOR_BROKER", "no"}}).connection.wait_for_broker);
  EXPECT_DOUBLE_EQ(read_pub({}, {{"MQTT_WAIT_FOR_BROKER", "1"}}).connection.wait_limit->count(), 1);
}

TEST(PubConfig, AContradictionNamesTheHomes) {
  try {
    (void)read_pub({"-t", "a", "-l", "-V", "311"}, {{"MQTT_SESSION_EXPIRY_INTERVAL", "5"}});
    ADD_FAILURE() << "took MQTT 5's option for MQTT 3.1.1";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "MQTT_SESSION_EXPIRY_INTERVAL and --protocol-version: only MQTT 5 has that");
  }
}

TEST(PubConfig, ASourceOnTheCommandLineWinsOverOneInTheEnvironment) {
  const PubConfig config = read_pub({"-t", "a", "-l"}, {{"MQTT_MESSAGE", "x"}});
  EXPECT_TRUE(config.lines);
  EXPECT_FALSE(config.message);
}

TEST(SubConfig, WithoutArgumentsSubscribesToSistemAndShowsTopics) {
  const SubConfig config = read_sub({}, {{"MQTT_HOST", "mqtt-broker"}});
  EXPECT_EQ(config.filters, std::vector<std::string>{"sistem/#"});
  EXPECT_TRUE(config.verbose);
  EXPECT_EQ(config.connection.host, "mqtt-broker");
}

TEST(SubConfig, TakesWhatMosquittoSubTakes) {
  const SubConfig config = read_sub({"-t", "a", "-t", "b/x,c", "-v", "-C", "5", "-W", "2.5", "-q", "1"});
  EXPECT_EQ(config.filters, (std::vector<std::string>{"a", "b/x,c"}));
  EXPECT_TRUE(config.verbose);
  EXPECT_EQ(config.count, 5U);
  EXPECT_DOUBLE_EQ(config.timeout->count(), 2.5);
  EXPECT_EQ(config.qos, 1);
}

TEST(SubConfig, FiltersOfTheCommandLineReplaceThatOfTheEnvironment) {
  EXPECT_EQ(read_sub({"-t", "b"}, {{"MQTT_TOPIC", "a"}}).filters, std::vector<std::string>{"b"});
  EXPECT_EQ(read_sub({}, {{"MQTT_TOPIC", "a"}}).filters, std::vector<std::string>{"a"});
}

TEST(SubConfig, TheEnvironmentSaysWhatATerminalCan) {
  EXPECT_EQ(read_sub({}, {{"TERM", "xterm-256color"}}).palette, Palette::many);
  EXPECT_EQ(read_sub({}, {{"TERM", "xterm-256color"}, {"NO_COLOR", "1"}}).palette, Palette::none);
  EXPECT_FALSE(read_sub({}, {{"TERM", "xterm"}}).dumb_terminal);
  EXPECT_TRUE(read_sub({}, {{"TERM", "dumb"}}).dumb_terminal);
  EXPECT_EQ(read_sub({"--color", "always"}, {{"NO_COLOR", "1"}}).colour, ColourWhen::always);
}

TEST(SubConfig, AViewOfTheCommandLineReplacesThatOfTheEnvironment) {
  const SubConfig config = read_sub({"--graph", "a.b"}, {{"MQTT_WATCH", "yes"}});
  EXPECT_FALSE(config.watch);
  EXPECT_EQ(config.graph, "a.b");
}

/// What sub has against these options; nothing where it takes them.
std::string refusal_of_sub(const std::vector<std::string>& arguments, const Variables& variables = {}) {
  try {
    (void)read_sub(arguments, variables);
    return "nothing";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(SubConfig, OfTwoFormsInOneHomeNoneWins) {
  const std::tuple<std::vector<std::string>, Variables, std::string> table[] = {
      {{"--json", "-F", "%p"}, {}, "--json and --format: only one of them can be given"},
      {{"-F", "%p", "--hex"}, {}, "--format and --hex: only one of them can be given"},
      {{"--csv", "-F", "%p"}, {}, "--csv and --format: only one of them can be given"},
      {{"--json", "--hex"}, {}, "--json and --hex: only one of them can be given"},
      {{"--hex", "--csv"}, {}, "--hex and --csv: only one of them can be given"},
      {{"-v", "--json"}, {}, "--verbose and --json: only one of them can be given"},
      {{"-N", "--null"}, {}, "--no-newline and --null: only one of them can be given"},
      {{"--csv", "--null"}, {}, "--csv and --null: each row of a table is a line"},
      {{"--csv", "-N"}, {}, "--csv and --no-newline: each row of a table is a line"},
      {{"-N"}, {{"MQTT_CSV", "yes"}}, "MQTT_CSV and --no-newline: each row of a table is a line"},
      {{"--csv"}, {{"MQTT_NULL", "yes"}}, "--csv and MQTT_NULL: each row of a table is a line"},
      {{}, {{"MQTT_FORMAT", "%p"}, {"MQTT_JSON", "yes"}}, "MQTT_FORMAT and MQTT_JSON: only one of them can be given"},
      {{"-F", "%p", "--json"}, {{"MQTT_HEX", "yes"}}, "--format and --json: only one of them can be given"},
  };
  for (const auto& [arguments, variables, complaint] : table) {
    EXPECT_EQ(refusal_of_sub(arguments, variables), complaint);
  }
}

TEST(SubConfig, OfTwoFormsTheHomeThatWinsDecides) {
  const SubConfig json = read_sub({"--json"}, {{"MQTT_FORMAT", "%p"}});
  EXPECT_TRUE(json.json);
  EXPECT_FALSE(json.format);
  const SubConfig format =
      read_sub({"-F", "%p", "-N"}, {{"MQTT_CSV", "yes"}});  // a table could not be without newlines
  EXPECT_EQ(format.format, "%p");
  EXPECT_FALSE(format.csv);
  const SubConfig hex = read_sub({"--hex"}, {{"MQTT_JSON", "yes"}, {"MQTT_VERBOSE", "no"}});
  EXPECT_TRUE(hex.hex);
  EXPECT_FALSE(hex.json);
  const SubConfig null = read_sub({"--null"}, {{"MQTT_NO_NEWLINE", "yes"}});
  EXPECT_TRUE(null.null);
  EXPECT_FALSE(null.no_newline);
  EXPECT_EQ(read_sub({"-v", "-F", "%p"}).format, "%p");  // as mosquitto_sub takes it
  EXPECT_TRUE(read_sub({"--csv"}, {{"MQTT_NULL", "no"}}).csv);
}

TEST(SubConfig, AViewTakesNoFormButWhereItShowsValues) {
  for (const auto& view : std::vector<std::vector<std::string>>{{"--watch"}, {"--message-rate"}, {"--graph", "."}}) {
    for (const auto& form : std::vector<std::vector<std::string>>{
             {"--json"}, {"--hex"}, {"--csv"}, {"--null"}, {"--no-newline"}, {"--pretty"}, {"--format", "%p"}}) {
      std::vector<std::string> both = view;
      both.insert(both.end(), form.begin(), form.end());
      const bool makes_sense = view[0] == "--watch" && (form[0] == "--format" || form[0] == "--pretty");
      EXPECT_EQ(refusal_of_sub(both),
                makes_sense ? "nothing" : view[0] + " and " + form[0] + ": it does not print messages in such a form");
    }
  }
  EXPECT_EQ(refusal_of_sub({"--json"}, {{"MQTT_WATCH", "no"}}), "nothing");
}

TEST(SubConfig, WhatSaysNothingAloneNeedsItsCompanion) {
  const std::tuple<std::vector<std::string>, Variables, std::string> table[] = {
      {{"--append"}, {}, "--append needs --record"},
      {{"--append", "--ping"}, {}, "--append needs --record"},
      {{"--append", "--record", "r"}, {}, "nothing"},
      {{}, {{"MQTT_APPEND", "yes"}}, "MQTT_APPEND needs --record"},
      {{}, {{"MQTT_APPEND", "no"}}, "nothing"},
      {{}, {{"MQTT_APPEND", "yes"}, {"MQTT_RECORD", "r"}}, "nothing"},
      {{"--dry-run"}, {}, "--dry-run needs --remove-retained"},
      {{"--dry-run", "--ping"}, {}, "--dry-run needs --remove-retained"},
      {{"--dry-run", "--remove-retained"}, {}, "nothing"},
      {{"--respond-shell"}, {}, "--respond-shell needs --respond-exec: it is about its commands"},
      {{"--respond-timeout", "1", "--respond", "x"},
       {},
       "--respond-timeout needs --respond-exec: it is about its commands"},
      {{"--response-topic", "x"},
       {},
       "--response-topic needs --respond or --respond-exec: nothing is answered without"},
      {{"--expect", "1", "--idle", "1"}, {}, "nothing"},
      {{"--retain-handling", "never", "--retained-only", "-V", "5"},
       {},
       "--retained-only and --retain-handling: then nothing will come"},
  };
  for (const auto& [arguments, variables, complaint] : table) {
    EXPECT_EQ(refusal_of_sub(arguments, variables), complaint);
  }
}

TEST(SubConfig, AWrongValueIsToldBeforeAnythingIsConnected) {
  const std::string names =
      ": expected base64, delta, json:FIELD, latency, n, seq or time in the braces of the sequence at character ";
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"--match", "("}, "--match: expected a regular expression: missing ): (, got \"(\""},
      {{"--match", "a", "--match", "*"},
       "--match: expected a regular expression: no argument for repetition operator: *, got \"*\""},
      {{"--until", "[a"}, "--until: expected a regular expression: missing ]: [a, got \"[a\""},
      {{"--json-match", "suhu >"},
       "--json-match: expected a number, or text in double quotes, at character 7, got \"suhu >\""},
      {{"--json-match", "a ~ ("},
       "--json-match: expected a regular expression: missing ): ( at character 5, got \"a ~ (\""},
      {{"--json-match", ""},
       "--json-match: expected the way to a field, as suhu or sensors.0.value, at character 1, got \"\""},
      {{"--idle", "0"}, "--idle: expected seconds above 0, got \"0\""},
      {{"--expect", "0", "-W", "1"}, "--expect: expected a whole number from 1 to 1000000000000000, got \"0\""},
      {{"--record", "-"}, "--record: expected a file; --json prints the same lines to stdout, got \"-\""},
      {{"--record", ""}, "--record: expected a file; --json prints the same lines to stdout, got \"\""},
      {{"-F", "°%{nosuch}"}, "--format" + names + "2, got \"°%{nosuch}\""},
      {{"--respond", "%{}"}, "--respond" + names + "1, got \"%{}\""},
      {{"--respond", "x", "--response-topic", "%t/%{"},
       "--response-topic: expected a } after the name in the sequence at character 4, got \"%t/%{\""},
      {{"--respond-max", "0", "--respond-exec", "cat"},
       "--respond-max: expected a whole number from 1 to 1000, got \"0\""},
      {{"--respond-timeout", "0", "--respond-exec", "cat"}, "--respond-timeout: expected seconds above 0, got \"0\""},
      {{"--respond-exec", "echo \"a"}, "--respond-exec: expected a quotation that ends"},
      {{"--respond-exec", " "}, "--respond-exec: expected a program, got nothing"},
  };
  for (const auto& [arguments, complaint] : table) {
    EXPECT_EQ(refusal_of_sub(arguments), complaint);
  }
}

TEST(SubConfig, APingTakesNothingThatIsAboutMessages) {
  const std::vector<std::string> table[] = {
      {"--expect", "1", "-W", "1"},
      {"--format", "%p"},
      {"--verbose"},
      {"--unsubscribe", "a"},
      {"--exit-after-suback"},
      {"--remove-retained"},
      {"--retained-only"},
      {"--respond", "x"},
      {"--respond-exec", "cat"},
      {"--message-rate"},
      {"--graph", "."},
      {"--json"},
      {"--hex"},
      {"--csv"},
      {"--pretty"},
      {"--no-newline"},
      {"--null"},
      {"--record", "r"},
      {"--filter-out", "a"},
      {"--skip-retained"},
      {"--random-filter", "50"},
      {"--match", "a"},
      {"--json-match", "a"},
      {"--unique"},
      {"--until", "a"},
      {"--idle", "1"},
      {"--why"},
  };
  for (std::vector<std::string> arguments : table) {
    const std::string option = arguments[0];
    arguments.emplace_back("--ping");
    EXPECT_EQ(refusal_of_sub(arguments), "--ping and " + option + ": a ping prints nothing but its own line");
  }
  EXPECT_EQ(refusal_of_sub({"--ping", "-t", "a", "-t", "b"}), "--topic: a ping has one topic, without wildcards: b");
  EXPECT_EQ(refusal_of_sub({"--ping", "-t", "a", "-q", "1", "-W", "1"}), "nothing");
}

TEST(SubConfig, WhatWaitsForSomethingNeedsAllFilters) {
  const std::vector<std::string> waiting[] = {
      {"-C", "1"}, {"--expect", "1", "-W", "1"}, {"--until", "x"}, {"-E"}, {"--verify"}, {"--require-all"}};
  for (const auto& arguments : waiting) {
    EXPECT_TRUE(read_sub(arguments).needs_all()) << arguments.front();
  }
  const std::vector<std::string> others[] = {
      {}, {"-W", "1"}, {"--idle", "1"}, {"-C", "1", "--require-all=no"}, {"--exit-after-suback=false"}};
  for (const auto& arguments : others) {
    EXPECT_FALSE(read_sub(arguments).needs_all()) << (arguments.empty() ? "nothing" : arguments.front());
  }
}

TEST(SubConfig, InAKeptSessionNoMoreIsTakenThanUntilWaitsFor) {
  EXPECT_EQ(read_sub({}).takes_at_once(), std::nullopt);
  EXPECT_EQ(read_sub({"-C", "5"}).takes_at_once(), 5U);
  EXPECT_EQ(read_sub({"--until", "x"}).takes_at_once(), std::nullopt);
  EXPECT_EQ(read_sub({"--until", "x", "-C", "5"}).takes_at_once(), 5U);
  EXPECT_EQ(read_sub({"--until", "x", "-c", "-i", "me"}).takes_at_once(), 1U);
  EXPECT_EQ(read_sub({"--until", "x", "-x", "60", "-i", "me"}).takes_at_once(), 1U);
}

TEST(SubConfig, WithATopicPrintsPayloadsOnly) { EXPECT_FALSE(read_sub({"-t", "a"}).verbose); }

TEST(Connection, AUrlIsHostPortLoginAndTopic) {
  const PubConfig config = read_pub({"-L", "mqtts://me:secret@broker/a/b", "-m", "x"});
  EXPECT_EQ(config.connection.host, "broker");
  EXPECT_EQ(config.connection.port, 8883);
  EXPECT_TRUE(config.connection.tls.enabled);
  EXPECT_TRUE(config.connection.tls.system_store);
  EXPECT_EQ(config.connection.username, "me");
  EXPECT_EQ(config.connection.password, "secret");
  EXPECT_EQ(config.topic, "a/b");
  EXPECT_EQ(read_sub({"-L", "ws://broker:9001/a/#", "-t", "b"}).filters, (std::vector<std::string>{"a/#", "b"}));
}

TEST(Connection, ThePortFollowsFromTls) {
  EXPECT_EQ(read_pub({}).connection.port, 1883);
  EXPECT_EQ(read_pub({"--cafile", "ca.pem"}).connection.port, 8883);
  EXPECT_EQ(read_pub({"--cafile", "ca.pem", "-p", "1"}).connection.port, 1);
  EXPECT_TRUE(read_pub({"-p", "8883"}).connection.tls.enabled);
  EXPECT_FALSE(read_pub({"-p", "8883", "--no-tls"}).connection.tls.enabled);
  EXPECT_FALSE(read_pub({"--cafile", "ca.pem"}).connection.tls.system_store);
  EXPECT_FALSE(read_pub({"--psk", "aa", "--psk-identity", "me"}).connection.tls.system_store);
}

TEST(Connection, APlaceOfTheCommandLineReplacesThatOfTheEnvironment) {
  EXPECT_EQ(read_pub({"-h", "broker"}, {{"MQTT_UNIX", "/run/mqtt.sock"}}).connection.unix_path, "");
  const ConnectionConfig unix_socket = read_pub({"--unix", "/run/mqtt.sock"}, {{"MQTT_HOST", "broker"}}).connection;
  EXPECT_EQ(place(unix_socket), "/run/mqtt.sock");
  EXPECT_NO_THROW(read_pub({"--unix", "/run/mqtt.sock"}, {{"MQTT_PORT", "1884"}})) << "it loses to the socket";
  EXPECT_THROW(read_pub({"-p", "1884"}, {{"MQTT_UNIX", "/run/mqtt.sock"}}), UsageError);
}

TEST(Connection, WhatOnlyMqtt5HasMeansMqtt5) {
  EXPECT_EQ(read_pub({}).connection.version, ProtocolVersion::v311);
  EXPECT_EQ(read_pub({"-x", "10"}).connection.version, ProtocolVersion::v5);
  EXPECT_EQ(read_pub({"-D", "connect", "receive-maximum", "5"}).connection.version, ProtocolVersion::v5);
  EXPECT_EQ(read_pub({"-V", "mqttv31"}).connection.version, ProtocolVersion::v31);
  EXPECT_EQ(read_pub({"-x", "-1", "-i", "me"}).connection.session_expiry, 2147483647U);
  EXPECT_EQ(read_pub({"-x", "∞", "-i", "me"}).connection.session_expiry, 2147483647U);
  EXPECT_EQ(read_pub({"-V", "5", "-c", "-i", "me"}).connection.session_expiry, 2147483647U);
}

TEST(Connection, AnIdPrefixEndsInTheNumberOfTheProcess) {
  EXPECT_EQ(read_pub({"-I", "lab-"}).connection.client_id, "lab-" + std::to_string(::getpid()));
}

TEST(Connection, APasswordOnTheCommandLineIsToldWhicheverOptionBringsIt) {
  const auto notes = [](const std::vector<std::string>& arguments, const Variables& variables = {}) {
    Output nowhere{-1, {}};
    test::Pipe pipe;
    (void)read_pub_config({arguments, variables}, nowhere, Console{"pub", false, pipe.writer()});
    pipe.close_writer();
    return pipe.read_to_end();
  };
  const std::pair<std::vector<std::string>, std::string> told[] = {
      {{"-u", "me", "-P", "hush"}, "what follows --password in"},
      {{"-u", "me", "--pw", "hush"}, "what follows --password in"},
      {{"-L", "mqtt://me:hush@broker"}, "what follows --url in"},
      {{"--psk", "c0ffee", "--psk-identity", "me"}, "what follows --psk in"},
      {{"--proxy", "http://me:hush@proxy"}, "the password in --proxy in"},
      {{"--proxy", "socks5h://me:hush@proxy"}, "the password in --proxy in"},
      {{"-D", "connect", "authentication-method", "m", "-D", "connect", "authentication-data", "hush"},
       "the authentication data of --property in"},
  };
  for (const auto& [arguments, words] : told) {
    const std::string said = notes(arguments);
    EXPECT_TRUE(said.starts_with("pub: others on this machine can read " + words + " the list of processes; ")) << said;
    EXPECT_EQ(said.find("hush"), std::string::npos) << said;
  }
  EXPECT_EQ(notes({"-L", "mqtt://me@broker", "--proxy", "http://me@proxy"}), "");
  EXPECT_EQ(notes({}, {{"MQTT_URL", "mqtt://me:hush@broker"}, {"MQTT_PROXY", "http://me:hush@proxy"}}), "");
}

TEST(Connection, APasswordIsAskedForWhereAUserNameIsTypedWithoutOne) {
  Output nowhere{-1, {}};
  std::string question;
  const auto ask = [&](const std::string& text) {
    question = text;
    return std::optional<std::string>("typed");
  };
  const auto password = [&](const std::vector<std::string>& arguments, const Variables& variables,
                            const std::string& called_as) {
    question.clear();
    const Sources sources{arguments, variables, called_as, ask};
    return read_pub_config(sources, nowhere, Console{"pub"}).value().connection.password;
  };
  EXPECT_EQ(password({"-u", "me", "-h", "broker"}, {}, "pub"), "typed");
  EXPECT_EQ(question, "Password of me at broker:1883: ");
  EXPECT_EQ(password({"-u", "me"}, {{"MQTT_PASSWORD", "variable"}}, "pub"), "variable");
  EXPECT_EQ(question, "");
  EXPECT_EQ(password({}, {{"MQTT_USERNAME", "me"}}, "pub"), std::nullopt);
  EXPECT_EQ(password({"-t", "a", "-m", "x", "-u", "me"}, {}, "mosquitto_pub"), std::nullopt);
  EXPECT_EQ(question, "");
}

}  // namespace
}  // namespace sistem
