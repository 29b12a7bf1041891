#include "sub/responder.hpp"

#include <gtest/gtest.h>

#include "common/mqtt/property.hpp"
#include "tests/support/memory_session.hpp"
#include "tests/support/property.hpp"

namespace sistem {
namespace {

using test::MemorySession;

class Answers : public testing::Test {
 protected:
  Answers() {
    config_.connection.version = ProtocolVersion::v5;
    config_.respond = "%t: %p";
  }
  /// Gives these to a responder, one after the other; how many went unanswered.
  std::size_t respond(const std::vector<Message>& requests) {
    Responder responder{session_, config_, console_};
    for (const Message& request : requests) {
      responder.take(request, {});
    }
    responder.finish({});
    return responder.unanswered();
  }

  MemorySession session_;
  SubConfig config_;
  const Console console_{"sub", false};
};

TEST_F(Answers, GoWhereTheRequestSaysWithItsCorrelationData) {
  const Message request{.topic = "ask",
                        .payload = "one",
                        .qos = 1,
                        .properties = {property("content-type", "text/plain"), property("correlation-data", "\x01\x02"),
                                       property("response-topic", "there")}};
  EXPECT_EQ(respond({request}), 0U);
  ASSERT_EQ(session_.published.size(), 1U);
  const Message& answer = session_.published.front();
  EXPECT_EQ(answer.topic, "there");
  EXPECT_EQ(answer.payload, "ask: one");
  EXPECT_EQ(answer.qos, 1);
  EXPECT_EQ(answer.properties, std::vector{property("correlation-data", "\x01\x02")});
}

TEST_F(Answers, CarryThePropertiesThatTheUserNames) {
  config_.connection.properties = {placed_property({"publish", "content-type", "text/csv"})};
  EXPECT_EQ(respond({{.topic = "ask", .properties = {property("response-topic", "there")}}}), 0U);
  EXPECT_EQ(session_.published.at(0).properties, std::vector{property("content-type", "text/csv")});
}

TEST_F(Answers, AreNotGivenToMessagesThatAskForNone) {
  EXPECT_EQ(respond({{"ask", "one"}, {"ask", "two"}}), 0U);
  EXPECT_TRUE(session_.published.empty());
}

TEST_F(Answers, GoToAnAgreedTopicWhereOneIsNamed) {
  config_.response_topic = "answers/%t";
  EXPECT_EQ(respond({{"ask", "one"}}), 0U);
  EXPECT_EQ(session_.published.at(0).topic, "answers/ask");
}

TEST_F(Answers, GoToTheAgreedTopicOfOlderVersions) {
  config_.connection.version = ProtocolVersion::v311;
  EXPECT_EQ(respond({{"ask", "one"}}), 0U);
  EXPECT_EQ(session_.published.at(0).topic, "ask/response");
}

TEST_F(Answers, AreNotAnsweredThemselves) {
  config_.connection.version = ProtocolVersion::v311;
  EXPECT_EQ(respond({{"ask", "one"}, {"ask/response", "ask: one"}, {"ask/response", "ask: two"}}), 0U);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Answers, AreNotAnsweredWhereTheRequestNamedTheirTopic) {
  config_.response_topic = "%t/response";
  EXPECT_EQ(respond({{.topic = "ask", .properties = {property("response-topic", "there")}},
                     {"there", "ask: "},
                     {.topic = "elsewhere", .properties = {property("correlation-data", "of another's answer")}}}),
            0U);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Answers, ThatCannotBeMadeAreCounted) {
  config_.respond = "%J";
  EXPECT_EQ(respond({{.topic = "ask", .payload = "no JSON", .properties = {property("response-topic", "there")}}}), 1U);
  EXPECT_TRUE(session_.published.empty());
}

TEST_F(Answers, ThatWereNotAcknowledgedAreCounted) {
  session_.unacknowledged = 2;
  EXPECT_EQ(respond({}), 2U);
}

}  // namespace
}  // namespace sistem
