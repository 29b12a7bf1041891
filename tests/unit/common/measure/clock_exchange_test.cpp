#include "common/measure/stamp.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::chrono_literals;

Stamp::Time at_nanosecond(std::int64_t number) { return Stamp::Time{std::chrono::nanoseconds{number}}; }

/// A question of that moment, as it arrives at another, and its answer of a third.
std::optional<Message> answer(std::int64_t asked, std::int64_t heard, std::int64_t answered) {
  Message question = clock_question("a/x", "a/x/clock/p", at_nanosecond(asked));
  question.arrival = at_nanosecond(heard);
  return clock_answer(question, at_nanosecond(answered));
}

TEST(ClockExchange, WhatTheWayThereTakesLongerIsADifferenceOfTheClocks) {
  struct Row {
    std::int64_t asked, heard, answered, arrival, ahead, within;
  };
  const Row table[] = {
      {1000, 1310, 1320, 1020, 305, 6},   // ours is ahead
      {1000, 710, 720, 1020, -295, 6},    // behind
      {1000, 1005, 1015, 1020, 0, 5},     // the same
      {1000, 1500, 1500, 1510, 245, 256}  // a way there that is long may be a difference: within says so
  };
  for (const Row& row : table) {
    const auto message = answer(row.asked, row.heard, row.answered);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->topic, "a/x/clock/p");
    const auto offset = offset_of(*message, at_nanosecond(row.arrival));
    ASSERT_TRUE(offset);
    EXPECT_EQ(offset->ahead.count(), row.ahead);
    EXPECT_EQ(offset->within.count(), row.within);
    EXPECT_TRUE(is_about_clocks(*message));
  }
}

TEST(ClockExchange, WhatWasFoundIsTold) {
  const Message word = clock_word("a/x", "lab pub", {-300ns, 7ns});
  const auto read = clock_word_of(word);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->publisher, "lab pub");
  EXPECT_EQ(read->offset.ahead, -300ns);
  EXPECT_EQ(read->offset.within, 7ns);
  EXPECT_TRUE(is_about_clocks(word));
  EXPECT_FALSE(is_about_clocks({.topic = "a"}));
  EXPECT_FALSE(clock_word_of({.topic = "a"}));
}

TEST(ClockExchange, WhatMakesNoSenseIsNoneOfIt) {
  EXPECT_FALSE(clock_answer({.topic = "a"}, at_nanosecond(1)));
  for (const char* said :
       {"", "x", "1 2", "1 2 3 4", "1 2 x", "-1 2 3", "1 2 9223372036854775807", "1 2 99999999999999999999"}) {
    EXPECT_FALSE(offset_of({.topic = "a", .properties = {as_user_property(clock_answer_at, said)}}, at_nanosecond(5)))
        << said;
  }
  Message question = clock_question("a/x", "a/#", at_nanosecond(1));
  EXPECT_FALSE(clock_answer(question, at_nanosecond(2))) << "nothing can be published there";
  question = clock_question("a/x", "a/b", at_nanosecond(1));
  question.properties.back().text = "soon";
  EXPECT_FALSE(clock_answer(question, at_nanosecond(2)));
}

}  // namespace
}  // namespace sistem
