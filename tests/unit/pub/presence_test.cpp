#include "pub/presence.hpp"

#include <gtest/gtest.h>

#include "tests/support/memory_session.hpp"

namespace sistem {
namespace {

class PresenceTest : public testing::Test {
 protected:
  std::vector<std::string> published() const {
    std::vector<std::string> all;
    for (const Message& message : session_.published) {
      all.push_back(message.topic + " " + message.payload + (message.retain ? " retained" : ""));
    }
    return all;
  }

  bool publish(const char* payload) { return presence_.announce(session_, {}) && session_.publish({"a", payload}, {}); }

  test::MemorySession session_;
  Presence presence_{{.topic = "host/status", .payload = "offline", .qos = 1, .retain = true}};
};

using Published = std::vector<std::string>;

TEST_F(PresenceTest, IsSaidFirstAndTakenBackLast) {
  EXPECT_TRUE(publish("1"));
  EXPECT_TRUE(publish("2"));
  presence_.leave(session_);
  EXPECT_EQ(published(), (Published{"host/status online retained", "a 1", "a 2", "host/status offline retained"}));
  EXPECT_EQ(session_.published.front().qos, 1);
  EXPECT_TRUE(session_.flushed);
}

TEST_F(PresenceTest, IsSaidAgainOnEachNewConnection) {
  EXPECT_TRUE(publish("1"));
  session_.connections_so_far = 2;
  EXPECT_TRUE(publish("2"));
  EXPECT_EQ(published(), (Published{"host/status online retained", "a 1", "host/status online retained", "a 2"}));
}

TEST_F(PresenceTest, TheWillSpeaksWhereThereIsNoConnection) {
  EXPECT_TRUE(publish("1"));
  session_.has_connection = false;
  presence_.leave(session_);
  EXPECT_EQ(session_.published.size(), 2U);
}

TEST_F(PresenceTest, WhatWasNeverThereDoesNotGo) {
  presence_.leave(session_);
  EXPECT_TRUE(session_.published.empty());
}

}  // namespace
}  // namespace sistem
