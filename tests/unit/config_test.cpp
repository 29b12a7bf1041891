#include <fcntl.h>
#include <gtest/gtest.h>

#include <map>

#include "common/error.hpp"
#include "pub/pub_config.hpp"
#include "sub/sub_config.hpp"

namespace sistem {
namespace {

using Variables = std::map<std::string, std::string>;

Environment environment(const Variables& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

PubConfig read_pub(const std::vector<std::string>& arguments, const Variables& variables = {}) {
  Output nowhere{-1, {}};
  return read_pub_config({arguments, environment(variables)}, nowhere).value();
}

SubConfig read_sub(const std::vector<std::string>& arguments, const Variables& variables = {}) {
  Output nowhere{-1, {}};
  return read_sub_config({arguments, environment(variables)}, nowhere).value();
}

template <typename Read>
void expect_complaint(Read read, const std::vector<std::string>& arguments, const std::string& complaint) {
  try {
    (void)read(arguments, Variables{});
    ADD_FAILURE() << "no complaint where one was due: " << complaint;
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find(complaint), std::string::npos) << error.what();
  }
}

TEST(PubConfig, WithoutArgumentsPublishesReadingsEachSecondToLocalhost) {
  const PubConfig config = read_pub({});
  EXPECT_TRUE(config.publishes_readings());
  EXPECT_EQ(config.interval, std::chrono::seconds(1));
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
  Output nowhere{-1, {}};
  try {
    (void)read_pub_config({{"-t", "a", "-l"}, environment({{"MQTT_MESSAGE", "x"}})}, nowhere);
    ADD_FAILURE() << "took two sources";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "MQTT_MESSAGE and --stdin-line: a message comes from one of them, not both");
  }
}

TEST(PubConfig, WrongOnesAreToldBeforeAnythingIsConnected) {
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"-t", "a"}, "--topic needs something to publish"},
      {{"-m", "x"}, "--message needs a topic"},
      {{"-l"}, "--stdin-line needs a topic"},
      {{"-t", "a", "-m", "x", "-l"}, "--message and --stdin-line"},
      {{"-t", "a/#", "-m", "x"}, "--topic: expected a topic name without wildcards"},
      {{"-t", "", "-m", "x"}, "--topic: expected at least one character, got \"\""},
      {{"-q", "3"}, "--qos: expected 0, 1 or 2, got \"3\""},
      {{"-p", "0"}, "--port: expected a port from 1 to 65535, got \"0\""},
      {{"-p", "65536"}, "--port: expected a port from 1 to 65535"},
      {{"-h", ""}, "--host: expected a host name or an address"},
      {{"--wait-for-broker=x"}, "--wait-for-broker: expected seconds above 0, got \"x\""},
  };
  for (const auto& [arguments, complaint] : table) {
    expect_complaint(read_pub, arguments, complaint);
  }
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

TEST(SubConfig, WithATopicPrintsPayloadsOnly) { EXPECT_FALSE(read_sub({"-t", "a"}).verbose); }

TEST(SubConfig, WrongOnesAreToldBeforeAnythingIsConnected) {
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"-t", "a/#/b"}, "--topic: expected # only as the last level, got \"a/#/b\""},
      {{"-t", ""}, "--topic: expected at least one character"},
      {{"-C", "0"}, "--count: expected a whole number from 1"},
      {{"-C", "many"}, "--count: expected a whole number"},
      {{"-W", "0"}, "--timeout: expected seconds above 0"},
      {{"-q", "x"}, "--qos: expected 0, 1 or 2, got \"x\""},
      {{"-m", "x"}, "no such option: -m"},
  };
  for (const auto& [arguments, complaint] : table) {
    expect_complaint(read_sub, arguments, complaint);
  }
}

}  // namespace
}  // namespace sistem
