#include "sub/subscriber.hpp"

#include <gtest/gtest.h>

#include "tests/support/memory_session.hpp"
#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

using test::MemorySession;
using namespace std::string_literals;

class Subscriber : public testing::Test {
 protected:
  Subscriber() {
    config_.filters = {"a", "b"};
    session_.batches = {{{"a", "one"}, {"b", "two"}}, {{"a", "three"}}};
  }
  ExitStatus subscribe() {
    Output output{pipe_.writer(), stop_.get_token()};
    return print_messages(session_, config_, output, Console{"sub", false}, stop_.get_token());
  }
  std::string printed() {
    pipe_.close_writer();
    return pipe_.read_to_end();
  }

  MemorySession session_;
  SubConfig config_;
  std::stop_source stop_;
  test::Pipe pipe_;
};

TEST_F(Subscriber, SubscribesToEveryFilterWithTheQosAskedFor) {
  config_.count = 1;
  config_.qos = 2;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  ASSERT_EQ(session_.subscribed.size(), 2U);
  EXPECT_EQ(session_.subscribed[1].filter, "b");
  EXPECT_EQ(session_.subscribed[1].qos, 2);
}

TEST_F(Subscriber, EndsAtTheCountAndPrintsNoMore) {
  config_.count = 1;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "one\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, PrintsTopicsWhenVerbose) {
  config_.count = 3;
  config_.verbose = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "a one\nb two\na three\n");
}

TEST_F(Subscriber, PassesPayloadsThroughUntouched) {
  session_.batches = {{{"a", "\0\xFF\x1B[31m"s}, {"a", ""}}};
  config_.count = 2;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "\0\xFF\x1B[31m\n\n"s);
}

TEST_F(Subscriber, TimeIsUpBeforeTheCount) {
  config_.count = 4;
  config_.timeout = std::chrono::milliseconds(10);
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, TimeIsUpWithoutACountAsForMosquittoSub) {
  config_.timeout = std::chrono::milliseconds(10);
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
}

TEST_F(Subscriber, AStopIsAGoodEndWhereNoCountWasAskedFor) {
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, AStopBeforeTheCountIsAFailure) {
  config_.count = 4;
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(subscribe(), ExitStatus::failure);
}

TEST_F(Subscriber, ARefusedFilterEndsTheRunWhereNoneIsGranted) {
  session_.refused = {"a", "b"};
  try {
    (void)subscribe();
    ADD_FAILURE() << "went on without a subscription";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::topic_refused);
    EXPECT_STREQ(error.what(), "the broker refused the subscription to a, b");
  }
}

TEST_F(Subscriber, ARefusedFilterEndsARunThatCounts) {
  session_.refused = {"b"};
  config_.count = 1;
  EXPECT_THROW((void)subscribe(), Error);
}

TEST_F(Subscriber, OneRefusedFilterOfSeveralIsInTheStatus) {
  session_.refused = {"b"};
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(subscribe(), ExitStatus::topic_refused);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
}

TEST_F(Subscriber, AClosedPipeIsNoticedWithoutAMessage) {
  session_.batches.clear();
  pipe_.close_reader();
  EXPECT_THROW((void)subscribe(), OutputClosed);
}

}  // namespace
}  // namespace sistem
