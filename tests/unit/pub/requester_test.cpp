#include "pub/requester.hpp"

#include <gtest/gtest.h>

#include "common/mqtt/property.hpp"
#include "tests/support/memory_session.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/property.hpp"

namespace sistem {
namespace {

using test::MemorySession;

/// What an honest responder of MQTT 5 gives back.
Message echo(const Message& request) {
  return {.topic = text_in(request.properties, "response-topic").value_or(""),
          .payload = "re: " + request.payload,
          .properties = {property("correlation-data", text_in(request.properties, "correlation-data").value_or(""))}};
}

class Requests : public testing::Test {
 protected:
  Requests() {
    config_.topic = "ask";
    config_.request = true;
    config_.timeout = std::chrono::seconds(60);  // only a failing test waits that long
    config_.connection.version = ProtocolVersion::v5;
  }
  ExitStatus request(std::vector<Message> messages) {
    Output output{pipe_.writer(), stop_.get_token()};
    Source source = [messages = std::move(messages)](const Moment&, const std::stop_token&) mutable {
      return Turn{std::exchange(messages, {})};
    };
    return request_all(session_, source, config_, output, Console{"pub", false}, stop_.get_token());
  }
  std::string printed() {
    pipe_.close_writer();
    return pipe_.read_to_end();
  }
  std::string said(std::size_t at, const char* name) {
    return text_in(session_.published.at(at).properties, name).value_or("");
  }

  MemorySession session_;
  PubConfig config_;
  std::stop_source stop_;
  test::Pipe pipe_;
};

TEST_F(Requests, SayWhereTheyAreAnsweredAndPrintTheAnswer) {
  session_.answers = [](const Message& request) { return std::vector{echo(request)}; };
  EXPECT_EQ(request({{"ask", "one"}, {"ask", "two"}}), ExitStatus::success);
  EXPECT_EQ(printed(), "re: one\nre: two\n");
  ASSERT_EQ(session_.subscribed.size(), 1U);
  EXPECT_EQ(session_.subscribed.front().filter, "response/memory");
  EXPECT_EQ(said(0, "response-topic"), "response/memory");
  EXPECT_NE(said(0, "correlation-data"), said(1, "correlation-data"));
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Requests, PassOverWhatAnswersAnotherOrNobody) {
  session_.answers = [](const Message& request) {
    Message other = echo(request);
    other.payload = "other";
    other.properties = {property("correlation-data", "of another")};
    Message bare = other;
    bare.payload = "bare";
    bare.properties.clear();
    Message kept = echo(request);
    kept.payload = "kept";
    kept.retain = true;
    Message elsewhere = echo(request);
    elsewhere.topic = "elsewhere";
    return std::vector{other, bare, kept, elsewhere, echo(request)};
  };
  EXPECT_EQ(request({{"ask", "one"}}), ExitStatus::success);
  EXPECT_EQ(printed(), "re: one\n");
}

TEST_F(Requests, ThatNobodyAnswersAreStatus27AndTheOthersAreAsked) {
  config_.timeout = std::chrono::milliseconds(200);  // in which the other is answered, however busy the machine is
  session_.answers = [](const Message& request) {
    return request.payload == "mute" ? std::vector<Message>{} : std::vector{echo(request)};
  };
  EXPECT_EQ(request({{"ask", "mute"}, {"ask", "two"}}), ExitStatus::timed_out);
  EXPECT_EQ(printed(), "re: two\n");
}

TEST_F(Requests, AreRepeated) {
  config_.repeat = 3;
  session_.answers = [](const Message& request) { return std::vector{echo(request)}; };
  EXPECT_EQ(request({{"ask", "one"}}), ExitStatus::success);
  EXPECT_EQ(printed(), "re: one\nre: one\nre: one\n");
  EXPECT_NE(said(0, "correlation-data"), said(2, "correlation-data"));
}

TEST_F(Requests, KeepWhatTheUserSaysOfTheAnswer) {
  session_.answers = [](const Message& request) { return std::vector{echo(request)}; };
  EXPECT_EQ(request({{.topic = "ask",
                      .payload = "one",
                      .properties = {property("response-topic", "mine"), property("correlation-data", "7")}}}),
            ExitStatus::success);
  EXPECT_EQ(session_.subscribed.front().filter, "mine");
  EXPECT_EQ(session_.published.front().properties.size(), 2U);
  EXPECT_EQ(said(0, "correlation-data"), "7");
}

TEST_F(Requests, OfOlderVersionsAreAnsweredOnAnAgreedTopic) {
  config_.connection.version = ProtocolVersion::v311;
  session_.answers = [](const Message& request) { return std::vector<Message>{{request.topic + "/response", "yes"}}; };
  EXPECT_EQ(request({{"ask", "one"}}), ExitStatus::success);
  EXPECT_EQ(printed(), "yes\n");
  EXPECT_EQ(session_.subscribed.front().filter, "ask/response");
  EXPECT_TRUE(session_.published.front().properties.empty());
}

TEST_F(Requests, ThatMayNotHearTheirAnswersAreRefused) {
  session_.refused.insert("response/memory");
  try {
    (void)request({{"ask", "one"}});
    FAIL() << "no Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::topic_refused);
  }
  EXPECT_TRUE(session_.published.empty());
}

TEST_F(Requests, ThatAreStoppedAreAFailure) {
  config_.timeout = std::chrono::hours(1);
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(request({{"ask", "one"}}), ExitStatus::failure);
}

}  // namespace
}  // namespace sistem
