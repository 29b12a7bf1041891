#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "common/error.hpp"
#include "pub/pub_config.hpp"
#include "sub/sub_config.hpp"

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
