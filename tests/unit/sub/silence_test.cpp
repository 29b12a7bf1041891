#include "sub/silence.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/process/error.hpp"
#include "tests/support/memory_session.hpp"
#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

using test::MemorySession;
using namespace std::chrono_literals;

TEST(SilenceWords, SayWhatIsKnown) {
  SubConfig config;
  config.filters = {"sister/#"};
  const auto words = [&](std::size_t left_out = 0, bool looks = false) {
    return words_on_silence(config, "localhost:1883", "sister/# (QoS 0)", 5s, left_out, looks);
  };
  EXPECT_EQ(words(),
            "nothing has come for 5 s: connected to localhost:1883, subscribed to sister/# (QoS 0), nothing retained "
            "there; --why looks which topics there are");
  EXPECT_EQ(words(0, true),
            "nothing has come for 5 s: connected to localhost:1883, subscribed to sister/# (QoS 0), nothing retained "
            "there");
  EXPECT_EQ(words(2),
            "nothing was shown for 5 s: 2 messages have come and were left out by the options; connected to "
            "localhost:1883, subscribed to sister/# (QoS 0)");
  config.skip_retained = true;
  EXPECT_EQ(words(0, true), "nothing has come for 5 s: connected to localhost:1883, subscribed to sister/# (QoS 0)");
}

TEST(SilenceWords, SayNothingOfWhatIsRetainedWhereItWouldNotCome) {
  SubConfig config;
  const auto says_so = [&] {
    return words_on_silence(config, "b", "a (QoS 0)", 5s, 0, true).find("retained") != std::string::npos;
  };
  config.filters = {"a"};
  EXPECT_TRUE(says_so());
  config.filters = {"$share/group/a"};
  EXPECT_FALSE(says_so());
  config.filters = {"a"};
  config.retain_handling = RetainHandling::send_never;
  EXPECT_FALSE(says_so());
}

TEST(SilenceWords, AFilterIsComparedLevelByLevel) {
  const struct {
    const char* filter;
    const char* topic;
    const char* meant;
  } rows[] = {
      {"sister/suhu", "sistem/suhu", "sistem/suhu"},
      {"sister/#", "sistem/suhu", "sistem/#"},
      {"sister/#", "sistem", "sistem"},
      {"+/suhu", "sistem/shu", "+/shu"},
      {"sister/+/x", "sistem/a/y", "sistem/+/y"},
      {"a", "a/b/c", "a/b/c"},
      {"a/b/c", "a", "a"},
      {"#", "a/b", "#"},
      {"/a", "/b", "/b"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(meant_by(row.filter, row.topic), row.meant) << row.filter << " " << row.topic;
  }
}

TEST(SilenceWords, SayWhichTopicsThereAreAndWhichWasMeant) {
  EXPECT_EQ(words_on_topics({}, {"a"}, 2s), "no topic has a retained message, and none had a new one in 2 s");
  EXPECT_EQ(words_on_topics({"sistem/cpu", "sistem/suhu"}, {"sister/suhu"}, 2s),
            "did you mean sistem/suhu for sister/suhu? there are sistem/cpu, sistem/suhu");
  EXPECT_EQ(words_on_topics({"sistem/cpu"}, {"sister/#", "Sistem/cpu"}, 2s),
            "did you mean sistem/# for sister/#? did you mean sistem/cpu for Sistem/cpu? there are sistem/cpu");
  EXPECT_EQ(words_on_topics({"sistem/cpu"}, {"sistem"}, 2s), "did you mean sistem/# for sistem? there are sistem/cpu");
  EXPECT_EQ(words_on_topics({"sistem/cpu"}, {"$share/g/sistem/cpi"}, 2s),
            "did you mean sistem/cpu for sistem/cpi? there are sistem/cpu");
  EXPECT_EQ(words_on_topics({"sistem/cpu"}, {"kitchen/light"}, 2s), "there are sistem/cpu");
  EXPECT_EQ(words_on_topics({"a\x1b[2J"}, {"kitchen/light"}, 2s), "there are a\\x1b[2J");
}

TEST(SilenceWords, ALongListOfTopicsIsCut) {
  std::set<std::string> topics;
  for (int topic = 0; topic < 25; ++topic) {
    topics.insert(fmt::format("t{:02}", topic));
  }
  EXPECT_EQ(words_on_topics(topics, {"other"}, 2s),
            "there are t00, t01, t02, t03, t04, t05, t06, t07, t08, t09 and 15 more");
}

TEST(SilenceLook, IsASessionOfItsOwnThatLeavesNothingBehind) {
  ConnectionConfig config;
  config.host = "broker";
  config.username = "me";
  config.client_id = "shelf";
  config.clean_session = false;
  config.session_expiry = 100;
  config.will.topic = "gone";
  config.wait_for_broker = true;
  const ConnectionConfig second = look_config(config);
  EXPECT_EQ(second.host, "broker");
  EXPECT_EQ(second.username, "me");
  EXPECT_EQ(second.client_id, "");
  EXPECT_TRUE(second.clean_session);
  EXPECT_FALSE(second.session_expiry);
  EXPECT_EQ(second.will.topic, "");
  EXPECT_FALSE(second.wait_for_broker);
  EXPECT_FALSE(second.reconnect);
}

/// A silence of milliseconds.
class SilenceTest : public testing::Test {
 protected:
  SilenceTest() {
    config_.filters = {"sister/cpu"};
    config_.why = true;
  }
  Silence silence() {
    return {config_,
            "sister/cpu (QoS 0)",
            [this](const ConnectionConfig& /*config*/, const Console& /*console*/, const std::stop_token& /*stop*/,
                   const Intake& /*intake*/) {
              ++opened_;
              if (unreachable_) {
                throw Error{"no broker at memory:1883", ExitStatus::no_broker};
              }
              return SessionPointer{&second_};
            },
            console_,
            {5ms, 5ms}};
  }
  /// Attends to it until it has nothing to do any more.
  void attend(Silence& silence) {
    while (silence.due() != never) {
      (void)sleep_until(silence.due(), {});
      silence.attend(first_, {});
    }
  }
  std::string said() {
    pipe_.close_writer();
    return pipe_.read_to_end();
  }

  SubConfig config_;
  MemorySession first_;
  MemorySession second_;
  int opened_ = 0;
  bool unreachable_ = false;
  test::Pipe pipe_;
  Console console_{"sub", false, pipe_.writer()};
};

TEST_F(SilenceTest, LooksWithASecondSessionAndSaysWhatItSees) {
  second_.batches = {{{"sistem/cpu", "1"}}, {{"sistem/memori", "2"}, {"sistem/cpu", "3"}}};
  Silence silent = silence();
  attend(silent);
  EXPECT_EQ(said(),
            "sub: nothing has come for 0.005 s: connected to memory:1883, subscribed to sister/cpu (QoS 0), nothing "
            "retained there\n"
            "sub: did you mean sistem/cpu for sister/cpu? there are sistem/cpu, sistem/memori\n");
  EXPECT_EQ(opened_, 1);
  ASSERT_EQ(second_.subscribed.size(), 1U);
  EXPECT_EQ(second_.subscribed[0].filter, "#");
  EXPECT_TRUE(second_.disconnected);
  EXPECT_TRUE(first_.subscribed.empty());
  EXPECT_FALSE(first_.disconnected);
}

TEST_F(SilenceTest, SaysThatTheBrokerRefusesTheLook) {
  second_.refused = {"#"};
  Silence silent = silence();
  attend(silent);
  EXPECT_NE(said().find("sub: cannot look which topics there are: the broker refused the subscription to #: not "
                        "authorized (0x87)\n"),
            std::string::npos);
  EXPECT_TRUE(second_.disconnected);
}

TEST_F(SilenceTest, ALookThatFailsIsToldAndNoMore) {
  unreachable_ = true;
  Silence silent = silence();
  attend(silent);
  EXPECT_NE(said().find("sub: cannot look which topics there are: no broker at memory:1883\n"), std::string::npos);
}

TEST_F(SilenceTest, IsOverWithTheFirstMessageThatIsShown) {
  Silence silent = silence();
  silent.hear(1, 1);
  EXPECT_EQ(silent.due(), never);
  EXPECT_EQ(said(), "");
}

TEST_F(SilenceTest, AMessageEndsTheLook) {
  Silence silent = silence();
  (void)sleep_until(silent.due(), {});
  silent.attend(first_, {});
  EXPECT_EQ(opened_, 1);
  silent.hear(1, 1);
  EXPECT_EQ(silent.due(), never);
  EXPECT_TRUE(second_.disconnected);
  EXPECT_EQ(said().find("there are"), std::string::npos);
}

TEST_F(SilenceTest, WhereTheOptionsLeaveAllOutThereIsNothingToLookFor) {
  Silence silent = silence();
  silent.hear(3, 0);
  attend(silent);
  EXPECT_NE(said().find("3 messages have come and were left out by the options"), std::string::npos);
  EXPECT_EQ(opened_, 0);
}

TEST_F(SilenceTest, WaitsForAConnectionThatIsLost) {
  first_.has_connection = false;
  Silence silent = silence();
  (void)sleep_until(silent.due(), {});
  silent.attend(first_, {});
  EXPECT_NE(silent.due(), never);
  EXPECT_EQ(said(), "");
}

TEST_F(SilenceTest, WithoutAPersonNothingIsSaidButWithWhy) {
  config_.why = false;
  EXPECT_EQ(silence().due(), never);  // a pipe is no terminal
  config_.why = true;
  EXPECT_NE(silence().due(), never);
}

}  // namespace
}  // namespace sistem
