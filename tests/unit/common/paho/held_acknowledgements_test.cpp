#include "common/paho/held_acknowledgements.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

TEST(HeldAcknowledgements, OneGoesWhenItsMessageIsWrittenWhicheverOfTheTwoIsFirst) {
  HeldAcknowledgements held{{}};
  held.await(1);
  held.hold(1, "a");
  EXPECT_FALSE(held.next());
  held.written(1);
  EXPECT_EQ(held.next(), "a");
  held.await(2);
  held.written(2);
  EXPECT_FALSE(held.next());
  held.hold(2, "b");
  EXPECT_EQ(held.next(), "b");
  EXPECT_TRUE(held.empty());
}

TEST(HeldAcknowledgements, TheyGoInTheOrderOfTheirMessages) {
  HeldAcknowledgements held{{}};
  for (const auto& [id, packet] : {std::pair{1, "a"}, {2, "b"}, {3, "c"}}) {
    held.await(static_cast<std::uint16_t>(id));
    held.hold(static_cast<std::uint16_t>(id), packet);
  }
  held.written(3);
  held.written(2);
  EXPECT_FALSE(held.next()) << "the first is not written yet";
  held.written(1);
  EXPECT_EQ(held.next(), "a");
  EXPECT_EQ(held.next(), "b");
  EXPECT_EQ(held.next(), "c");
}

TEST(HeldAcknowledgements, WhatCameOnAnEarlierConnectionIsAwaitedToo) {
  HeldAcknowledgements held{{7}};
  held.hold(7, "known");
  EXPECT_FALSE(held.next());
  held.written(7);
  EXPECT_EQ(held.next(), "known");
  held.hold(8, "was written long ago");
  EXPECT_EQ(held.next(), "was written long ago");
}

}  // namespace
}  // namespace sistem
