#include "pub/presence.hpp"

#include <gtest/gtest.h>

#include "tests/support/memory_session.hpp"

namespace sistem {
namespace {

class Presence : public testing::Test {
 protected:
  std::vector<std::string> published() const {
    std::vector<std::string> all;
    for (const Message& message : session_.published) {
      all.push_back(message.topic + " " + message.payload + (message.retain ? " retained" : ""));
    }
    return all;
  }

  test::MemorySession session_;
  PresentSession present_{session_, {.topic = "host/status", .payload = "offline", .qos = 1, .retain = true}};
};

using Published = std::vector<std::string>;

TEST_F(Presence, IsSaidFirstAndTakenBackLast) {
  EXPECT_TRUE(present_.publish({"a", "1"}, {}));
  EXPECT_TRUE(present_.publish({"a", "2"}, {}));
  present_.disconnect();
  EXPECT_EQ(published(), (Published{"host/status online retained", "a 1", "a 2", "host/status offline retained"}));
  EXPECT_EQ(session_.published.front().qos, 1);
  EXPECT_TRUE(session_.flushed);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Presence, IsSaidAgainOnEachNewConnection) {
  EXPECT_TRUE(present_.publish({"a", "1"}, {}));
  session_.connections_so_far = 2;
  EXPECT_TRUE(present_.publish({"a", "2"}, {}));
  EXPECT_EQ(published(), (Published{"host/status online retained", "a 1", "host/status online retained", "a 2"}));
}

TEST_F(Presence, TheWillSpeaksWhereThereIsNoConnection) {
  EXPECT_TRUE(present_.publish({"a", "1"}, {}));
  session_.has_connection = false;
  present_.disconnect();
  EXPECT_EQ(session_.published.size(), 2U);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Presence, WhatWasNeverThereDoesNotGo) {
  present_.disconnect();
  EXPECT_TRUE(session_.published.empty());
}

}  // namespace
}  // namespace sistem
