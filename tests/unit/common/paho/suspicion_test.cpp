#include "common/paho/suspicion.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace sistem {
namespace {

using namespace std::chrono_literals;
using End = Suspicion::End;
using Finding = Suspicion::Finding;

/// One connection on which these were sent, from the first unacknowledged one on, and which was lost then.
Finding connection(Suspicion& suspicion, std::initializer_list<Suspicion::Suspect> sent,
                   End end = End::closed_by_broker, std::chrono::milliseconds after = 1ms) {
  for (const auto one : sent) {
    suspicion.sent(one, sent.size() == 1);
  }
  return suspicion.lost(end, after, sent.size() > 0);
}

TEST(SuspicionTest, TheThirdLossInARowWithThePacketAloneConvictsIt) {
  Suspicion suspicion;
  EXPECT_EQ(connection(suspicion, {7, 8, 9}), Finding::nothing);
  EXPECT_FALSE(suspicion.is_careful());
  EXPECT_EQ(connection(suspicion, {7, 8, 9}), Finding::nothing);
  EXPECT_TRUE(suspicion.is_careful());
  EXPECT_EQ(suspicion.suspect(), 7);
  EXPECT_EQ(connection(suspicion, {7}), Finding::guilty);
  EXPECT_EQ(suspicion.last_suspect(), 7U);
  EXPECT_FALSE(suspicion.suspect());
  EXPECT_TRUE(suspicion.is_careful()) << "another one may be refused as well";
  suspicion.all_acknowledged();
  EXPECT_FALSE(suspicion.is_careful());
}

TEST(SuspicionTest, OneThatCannotBeSentAloneIsNamedLater) {
  Suspicion suspicion;
  for (int loss = 1; loss < 5; ++loss) {
    EXPECT_EQ(connection(suspicion, {7, 8}), Finding::nothing) << loss;
  }
  EXPECT_EQ(connection(suspicion, {7, 8}), Finding::guilty_among_others);
}

TEST(SuspicionTest, WhatHasNothingToDoWithThePacketStartsTheCountAnew) {
  struct Row {
    std::string what;
    std::function<void(Suspicion&)> happens;
  };
  const Row table[] = {
      {"the broker was away", [](Suspicion& s) { s.broker_was_away(); }},
      {"nothing was sent", [](Suspicion& s) { (void)connection(s, {}); }},
      {"the network", [](Suspicion& s) { (void)connection(s, {7}, End::by_something_else); }},
      {"the broker had worked on it", [](Suspicion& s) { (void)connection(s, {7}, End::closed_by_broker, 3s); }},
      {"another packet was first",
       [](Suspicion& s) {
         (void)connection(s, {6, 7});
       }},
      {"it was acknowledged",
       [](Suspicion& s) {
         s.sent(7, true);
         s.acknowledged();
         (void)s.lost(End::closed_by_broker, 1ms, false);
       }},
  };
  for (const Row& row : table) {
    Suspicion suspicion;
    (void)connection(suspicion, {7});
    (void)connection(suspicion, {7});
    row.happens(suspicion);
    EXPECT_EQ(connection(suspicion, {7}), Finding::nothing) << row.what;
    EXPECT_EQ(connection(suspicion, {7}), Finding::nothing) << row.what;
    EXPECT_EQ(connection(suspicion, {7}), Finding::guilty) << row.what;
  }
}

TEST(SuspicionTest, ADisconnectThatRefusesItIsBelieved) {
  Suspicion suspicion;
  EXPECT_EQ(connection(suspicion, {7, 8}, End::refused_by_broker), Finding::nothing);
  EXPECT_TRUE(suspicion.is_careful()) << "which of the two is not known";
  EXPECT_EQ(connection(suspicion, {7}, End::refused_by_broker), Finding::guilty);
  EXPECT_EQ(connection(suspicion, {Suspicion::subscribe}, End::refused_by_broker), Finding::guilty);
}

TEST(SuspicionTest, SomeAcknowledgementsBeforeEachLossMakeItCarefulAndConvictNothing) {
  Suspicion suspicion;
  for (int loss = 1; loss <= 4; ++loss) {
    suspicion.sent(7, true);
    suspicion.sent(8, false);
    suspicion.acknowledged();
    EXPECT_EQ(suspicion.lost(End::closed_by_broker, 1ms, true), Finding::nothing);
    EXPECT_EQ(suspicion.is_careful(), loss >= 2);
  }
}

TEST(SuspicionTest, AnAcknowledgementMovesTheSuspicionToWhatIsSentNext) {
  Suspicion suspicion;
  suspicion.sent(Suspicion::subscribe, true);
  suspicion.acknowledged();
  EXPECT_EQ(connection(suspicion, {3}), Finding::nothing);
  suspicion.sent(Suspicion::subscribe, true);
  suspicion.acknowledged();
  EXPECT_EQ(connection(suspicion, {3}), Finding::nothing);
  EXPECT_EQ(connection(suspicion, {3}), Finding::guilty);
}

}  // namespace
}  // namespace sistem
