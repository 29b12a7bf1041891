#include "common/paho/admission.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sistem {
namespace {

using Fate = Admission::Fate;

Gate::PublishHead head(int qos, std::uint16_t id = 1) { return {qos, id}; }

TEST(Admission, SoManyPassAndTheOthersWaitInOrder) {
  Admission admission{Admits::all, 1, {}};
  EXPECT_EQ(admission.admit(head(1), 10), Fate::passes);
  for (const char* packet : {"b", "c"}) {
    EXPECT_EQ(admission.admit(head(1), 1), Fate::waits);
    admission.hold({packet, head(1)});
  }
  EXPECT_EQ(admission.unconsumed(), 3U);
  EXPECT_FALSE(admission.next());
  admission.limit(2);
  const auto passed = admission.next();
  EXPECT_EQ(passed->first.packet, "b");
  EXPECT_EQ(passed->second, Fate::passes);
  EXPECT_FALSE(admission.next());
  admission.consumed(2);
  EXPECT_FALSE(admission.next()) << "two were wanted, and have come";
  admission.limit({});
  EXPECT_EQ(admission.next()->first.packet, "c");
}

TEST(Admission, WhatIsNotLetInStaysWithTheBroker) {
  Admission none{Admits::none, {}, {}};
  EXPECT_EQ(none.admit(head(0), 1), Fate::is_dropped);
  Admission some{Admits::only_qos_0, {}, {}};
  EXPECT_EQ(some.admit(head(0), 1), Fate::passes);
  EXPECT_EQ(some.admit(head(1), 1), Fate::is_dropped);
  EXPECT_TRUE(some.lets_in(0));
  EXPECT_FALSE(some.lets_in(2));
}

TEST(Admission, OneOfQos2IsDeliveredOnceUntilItsPubrel) {
  Admission admission{Admits::all, {}, {7}};
  EXPECT_EQ(admission.admit(head(2, 7), 1), Fate::is_known) << "an earlier connection has delivered it";
  EXPECT_EQ(admission.admit(head(2, 8), 1), Fate::passes);
  EXPECT_EQ(admission.admit(head(2, 8), 1), Fate::is_known);
  EXPECT_TRUE(admission.had_qos_2(8));
  EXPECT_FALSE(admission.all_exchanged());
  EXPECT_TRUE(admission.end_exchange(7));
  EXPECT_TRUE(admission.end_exchange(8));
  EXPECT_FALSE(admission.end_exchange(8));
  EXPECT_TRUE(admission.all_exchanged());
  EXPECT_EQ(admission.admit(head(2, 8), 1), Fate::passes) << "the packet id is free again";
}

TEST(Admission, OneThatWaitedTwiceIsDeliveredOnce) {
  Admission admission{Admits::all, 0, {}};
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(admission.admit(head(2, 7), 1), Fate::waits);
    admission.hold({"a", head(2, 7)});
  }
  admission.limit({});
  EXPECT_EQ(admission.next()->second, Fate::passes);
  EXPECT_EQ(admission.next()->second, Fate::is_known);
}

TEST(Admission, NoMoreIsReadThanMayWaitButOneMessageToItsEnd) {
  constexpr std::size_t large = 2 << 20;
  Admission admission{Admits::all, 1, {}};
  EXPECT_TRUE(admission.may_read(large)) << "it will pass";
  EXPECT_EQ(admission.admit(head(1), large), Fate::passes);
  EXPECT_FALSE(admission.may_read(large)) << "this one would wait";
  admission.read_without_limit(true);
  EXPECT_TRUE(admission.may_read(large));
  admission.read_without_limit(false);
  admission.hold({std::string(large, 'x'), head(1)});
  EXPECT_FALSE(admission.may_read(0));
  admission.close();
  EXPECT_TRUE(admission.may_read(0));
  EXPECT_EQ(admission.unconsumed(), 1U);
}

}  // namespace
}  // namespace sistem
