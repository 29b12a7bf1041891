#include "common/paho/keeper.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// A keeper on this thread, with a clock that sleeping sets.
class KeeperTest : public testing::Test {
 protected:
  /// Loses as many connections as there are lives, and regains them by these attempts.
  void keep(std::optional<Retry::Seconds> limit = {}) {
    Keeper keeper{{.wait_for_loss =
                       [this](const std::stop_token&) {
                         if (lives_.empty()) {
                           return false;
                         }
                         life_ = lives_.front();
                         lives_.pop_front();
                         now_ += life_.lasted;
                         return true;
                       },
                   .is_over = [this] { return end_.has_value(); },
                   .life = [this] { return life_; },
                   .explain = [this](const std::stop_token&) { return explain_(); },
                   .regain =
                       [this](Deadline attempt_limit, const std::stop_token&) {
                         limits_.push_back(attempt_limit);
                         times_.push_back(now_);
                         if (attempts_.empty()) {
                           return Keeper::Attempt{};
                         }
                         const Keeper::Attempt attempt = attempts_.front();
                         attempts_.pop_front();
                         return attempt;
                       },
                   .broker = [] { return "home:1883"; },
                   .end = [this](const Error& error) { end_ = error; },
                   .now = [this] { return now_; },
                   .sleep =
                       [this](Deadline until, const std::stop_token&) {
                         now_ = std::max(now_, until);
                         return true;
                       }},
                  limit,
                  5s};
    keeper.run({});
  }

  static constexpr Keeper::Attempt regained{.is_regained = true};

  Deadline now_{100s};
  std::deque<Keeper::Life> lives_;
  std::deque<Keeper::Attempt> attempts_;
  std::function<Keeper::Told()> explain_ = [] { return Keeper::Told::is_told; };
  Keeper::Life life_;
  std::vector<Deadline> times_;   ///< of attempts
  std::vector<Deadline> limits_;  ///< and how long they might take
  std::optional<Error> end_;
};

TEST_F(KeeperTest, AfterTheFirstLossItTriesAtOnceAndThenLessAndLessOften) {
  lives_ = {{1s}};
  attempts_ = {{}, {}, {}, regained};
  keep();
  ASSERT_EQ(times_.size(), 4U);
  EXPECT_EQ(times_[0], Deadline{101s});
  EXPECT_GE(times_[1] - times_[0], 50ms);
  EXPECT_LE(times_[1] - times_[0], 100ms);
  EXPECT_GE(times_[3] - times_[2], 200ms);
  EXPECT_FALSE(end_);
}

TEST_F(KeeperTest, AConnectionThatDoesNotHoldIsNotMadeUpForInAHurry) {
  lives_ = {{1s}, {0s}, {0s}, {0s}};
  attempts_ = {regained, regained, regained, regained};
  keep();
  ASSERT_EQ(times_.size(), 4U);
  EXPECT_GE(times_[1] - times_[0], 50ms);
  EXPECT_GE(times_[3] - times_[2], 200ms);
}

TEST_F(KeeperTest, OneThatHeldIsRegainedAtOnce) {
  for (const Keeper::Life& held : {Keeper::Life{1s, true}, Keeper::Life{10s, false}}) {
    times_.clear();
    lives_ = {{1s}, held};
    attempts_ = {regained, regained};
    keep();
    ASSERT_EQ(times_.size(), 2U);
    EXPECT_EQ(times_[1] - times_[0], held.lasted);
  }
}

TEST_F(KeeperTest, GivesUpAtItsLimitWithALastAttempt) {
  lives_ = {{1s}};
  keep(3s);
  ASSERT_TRUE(end_);
  EXPECT_STREQ(end_->what(), "the connection to the broker at home:1883 was lost and not regained in 3 s");
  EXPECT_EQ(end_->status(), ExitStatus::no_broker);
  EXPECT_EQ(times_.back(), Deadline{104s});
  EXPECT_GT(limits_.back(), Deadline{104s}) << "which gets a moment to succeed in";
}

TEST_F(KeeperTest, TellsConnectionsThatWereOfNoUseFromNone) {
  lives_ = {{1s}};
  attempts_ = {{.was_connected = true}, {.was_connected = true}};
  keep(3s);
  ASSERT_TRUE(end_);
  EXPECT_STREQ(end_->what(),
               "the connection to the broker at home:1883 was regained 2 times in 3 s and lost again before "
               "it was of use");
}

TEST_F(KeeperTest, SoItDoesOfThoseThatWereRegainedAndLostAtOnce) {
  lives_ = {{1s}, {0s}, {0s}};
  attempts_ = {{.is_regained = true, .was_connected = true}, {.is_regained = true, .was_connected = true}};
  keep(3s);
  ASSERT_TRUE(end_);
  EXPECT_NE(std::string(end_->what()).find("was regained 2 times in 3 s and lost again"), std::string::npos)
      << end_->what();
}

TEST_F(KeeperTest, ALimitIsForOneOutageWhichEndsWhereAConnectionIsOfUse) {
  for (int connection = 0; connection < 10; ++connection) {
    lives_.push_back({1s, true});
    attempts_.push_back(regained);
  }
  keep(3s);
  EXPECT_FALSE(end_);
  EXPECT_EQ(times_.size(), 10U);
}

TEST_F(KeeperTest, WhatIsExplainedIsTriedAgainSoon) {
  lives_ = {{1s}, {0s}, {0s}, {0s}};
  attempts_ = {regained, regained, regained, regained};
  explain_ = [] { return Keeper::Told::is_explained; };
  keep();
  ASSERT_EQ(times_.size(), 4U);
  EXPECT_LE(times_[3] - times_[2], 100ms);
}

TEST_F(KeeperTest, AnErrorEndsIt) {
  lives_ = {{1s}, {1s}};
  explain_ = []() -> Keeper::Told { throw Error{"not allowed", ExitStatus::topic_refused}; };
  keep();
  ASSERT_TRUE(end_);
  EXPECT_STREQ(end_->what(), "not allowed");
  EXPECT_EQ(end_->status(), ExitStatus::topic_refused);
  EXPECT_TRUE(times_.empty());
}

TEST_F(KeeperTest, AStopEndsItWithoutAWord) {
  lives_ = {{1s}};
  explain_ = [] { return Keeper::Told::is_over; };
  keep();
  EXPECT_FALSE(end_);
  EXPECT_TRUE(times_.empty());
}

TEST(KeeperThread, BeginsWhenItMayAndEndsWhenItIsStopped) {
  int waits = 0;
  Keeper::Tasks tasks;
  tasks.wait_for_loss = [&](const std::stop_token& stop) {
    ++waits;
    return sleep_until(never, stop);
  };
  Keeper keeper{tasks, {}, 1s};
  keeper.start();
  keeper.stop();
  EXPECT_EQ(waits, 0) << "it was not allowed to";
  keeper.allow();
  keeper.start();
  keeper.start();
  keeper.stop();
  EXPECT_EQ(waits, 1);
  keeper.start();
  keeper.stop();
  EXPECT_EQ(waits, 1) << "it has ended for good";
}

}  // namespace
}  // namespace sistem
