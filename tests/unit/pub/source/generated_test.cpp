#include "pub/pub_config.hpp"
#include "pub/source/template.hpp"

#include <gtest/gtest.h>

#include "common/process/error.hpp"
#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

PubConfig rendering(const std::string& topic, const std::string& text) {
  PubConfig config;
  config.topic = topic;
  config.payload_template = text;
  config.seed = 1;
  return config;
}

Message first(const PubConfig& config) {
  return template_source(config, {"", "", 1, true}, Readings{}, {})({}, {}).messages.at(0);
}

std::string complaint(const PubConfig& config, const Readings& readings = Readings{}) {
  try {
    (void)template_source(config, {}, readings, {})({}, {});
  } catch (const UsageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no complaint";
  return {};
}

TEST(Generated, EachCallIsANewMessage) {
  Source source = template_source(rendering("lab/%{seq}", "%{seq} of %{seq:03}"), {"", "", 1, true}, Readings{}, {});
  for (const char* number : {"1", "2", "3"}) {
    const auto messages = source({}, {}).messages;
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].topic, std::string("lab/") + number);
    EXPECT_EQ(messages[0].payload, std::string(number) + " of 00" + number);
    EXPECT_EQ(messages[0].qos, 1);
    EXPECT_TRUE(messages[0].retain);
  }
}

TEST(Generated, TimesAreThoseOfTheTurn) {
  Source source = template_source(rendering("t", "%{sine:0..2,4s} %{unix}"), {}, Readings{}, {});
  EXPECT_EQ(source({1s, std::chrono::system_clock::time_point{77s}}, {}).messages.at(0).payload, "2.00 77");
}

TEST(Generated, TopicAndPayloadDrawOnTheirOwn) {
  const Message message = first(rendering("%{hex:8}", "%{hex:8}"));
  EXPECT_NE(message.topic, message.payload);
  EXPECT_EQ(first(rendering("%{hex:8}", "%{hex:8}")).topic, message.topic);
}

TEST(Generated, ClientsDrawOnTheirOwnToo) {
  PubConfig config = rendering("%{client}", "%{hex:8}");
  const Message alone = first(config);
  EXPECT_EQ(alone.topic, "1");
  config.client_number = 2;
  EXPECT_EQ(first(config).topic, "2");
  EXPECT_NE(first(config).payload, alone.payload);
}

TEST(Generated, ATopicThatIsNoneIsToldWithItsMessage) {
  EXPECT_EQ(complaint(rendering("a/%{pick:+|#}", "x")).substr(0, 78),
            "--topic: expected a topic name without wildcards (+ and # are for subscribing)");
  EXPECT_EQ(complaint(rendering("%{pad:0}", "x")), "--topic: expected at least one character at message 1, got \"\"");
}

TEST(Generated, AReadingIsANumberWithoutItsUnit) {
  const std::string payload = first(rendering("t", "%{uptime}")).payload;
  EXPECT_EQ(payload.find_first_not_of("0123456789"), std::string::npos) << payload;
  EXPECT_NO_THROW((void)std::stod(first(rendering("t", "%{cpu}")).payload)) << "a difference, the first time too";
}

TEST(Generated, AReadingThatTheHostDoesNotHaveIsToldAtOnce) {
  const test::TemporaryFolder host;
  EXPECT_EQ(complaint(rendering("t", "%{suhu}"), Readings{host.path()}), "%{suhu}: this host has no such reading");
}

TEST(Settle, RendersThePrefixOnce) {
  PubConfig config;
  config.prefix = "lab/%{client}";
  settle(config);
  EXPECT_EQ(config.prefix, "lab/1");
}

TEST(Settle, APrefixThatIsNoTopicIsTold) {
  PubConfig config;
  config.prefix = "%{pad:0}";
  EXPECT_THROW(settle(config), UsageError);
}

}  // namespace
}  // namespace sistem
