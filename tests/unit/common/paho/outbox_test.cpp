#include "common/paho/outbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace sistem {
namespace {

using namespace std::chrono_literals;

constexpr int not_authorized = 0x87;

Packet answer(PacketType type, std::uint16_t id, int code = 0) {
  Packet packet;
  packet.type = type;
  packet.id = id;
  if (code != 0) {
    packet.codes = {code};
  }
  return packet;
}

class OutboxTest : public testing::Test {
 protected:
  explicit OutboxTest(bool is_kept = false)
      : outbox_({.max_inflight = 10, .is_v5 = true, .is_kept = is_kept, .has_aliases = false}, suspicion_) {
    outbox_.ledger().record_deliveries(deliveries_, OnRefusal::is_reported);
    connect();
  }

  void connect(bool goes_on = false) {
    if (!goes_on) {
      outbox_.start_anew();
    }
    outbox_.new_connection("home:1883");
    outbox_.limit(limits_);
    outbox_.accepted(goes_on);
  }
  void take(const std::string& payload, int qos) { outbox_.take({.topic = "t", .payload = payload, .qos = qos}, now_); }
  /// The payloads that are to be sent now, in order; and their numbers in `sent_`.
  std::vector<std::string> send() {
    std::vector<std::string> payloads;
    while (const auto outgoing = outbox_.next(now_)) {
      payloads.push_back(outgoing->message().payload);
      sent_.push_back(outgoing->number);
    }
    return payloads;
  }

  Deadline now_{1s};
  BrokerLimits limits_;
  Suspicion suspicion_;
  std::shared_ptr<Deliveries> deliveries_ = std::make_shared<Deliveries>();
  Outbox outbox_;
  std::vector<std::uint64_t> sent_;
};

using Strings = std::vector<std::string>;

TEST_F(OutboxTest, WhatIsAcknowledgedIsDoneAndWhatIsNotGoesAgainInOrder) {
  for (const char* payload : {"a", "b", "c"}) {
    take(payload, 1);
  }
  EXPECT_EQ(send(), (Strings{"a", "b", "c"}));
  EXPECT_EQ(send(), Strings{});
  outbox_.acknowledged(sent_[1], now_);
  outbox_.lost();
  take("d", 1);
  connect();
  EXPECT_EQ(send(), (Strings{"a", "c", "d"}));
  EXPECT_EQ(outbox_.unacknowledged(), 3U);
  EXPECT_EQ(outbox_.settled(), 1U);
}

TEST_F(OutboxTest, OneOfQos0IsDoneWhenItIsWrittenAndWithTheSystemInEitherOrder) {
  take("a", 0);
  take("b", 0);
  (void)send();
  outbox_.written(sent_[0], now_);
  EXPECT_EQ(outbox_.unacknowledged(), 2U) << "it may wait in the wire";
  outbox_.handed_on(1, false, now_);
  EXPECT_EQ(outbox_.unacknowledged(), 1U);
  outbox_.handed_on(2, true, now_);
  EXPECT_EQ(outbox_.unacknowledged(), 1U) << "which one it was is not known yet";
  outbox_.written(sent_[1], now_);
  EXPECT_EQ(outbox_.unacknowledged(), 0U);
}

TEST_F(OutboxTest, OneOfQos0ThatWasWrittenAndIsNotWithTheSystemGoesAgain) {
  take("a", 0);
  (void)send();
  outbox_.written(sent_[0], now_);
  outbox_.lost();
  outbox_.handed_on(1, true, now_);
  EXPECT_EQ(outbox_.unacknowledged(), 1U) << "what is told of a connection that is gone tells nothing";
  EXPECT_FALSE(outbox_.has_lost_unacknowledgeable());
  connect();
  EXPECT_EQ(send(), Strings{"a"});
}

TEST_F(OutboxTest, OfQos0SomethingMayBeLostWithTheConnection) {
  take("a", 0);
  (void)send();
  outbox_.written(sent_[0], now_);
  outbox_.handed_on(1, true, now_);
  EXPECT_FALSE(outbox_.has_lost_unacknowledgeable());
  outbox_.lost();
  EXPECT_TRUE(outbox_.has_lost_unacknowledgeable());
  connect();
  outbox_.regained();
  EXPECT_FALSE(outbox_.has_lost_unacknowledgeable());
}

TEST_F(OutboxTest, WhatTheBrokerRefusesIsDoneAndTold) {
  take("a", 1);
  take("b", 1);
  (void)send();
  outbox_.on_answer(answer(PacketType::puback, 1, not_authorized), now_);
  outbox_.refused(sent_[0], 1, not_authorized, now_);
  EXPECT_EQ(outbox_.unacknowledged(), 1U);
  EXPECT_EQ(outbox_.ledger().take_notes(), Strings{"the broker refused the message to t: not authorized (0x87)"});
  EXPECT_FALSE(outbox_.ledger().has_notes());
  EXPECT_EQ(deliveries_->sums().refused.at("not authorized (0x87)"), 1U);
  outbox_.ledger().record_deliveries(deliveries_, OnRefusal::ends_the_run);
  outbox_.refused(sent_[1], 2, not_authorized, now_);
  ASSERT_TRUE(outbox_.ledger().has_refusal());
  EXPECT_EQ(outbox_.ledger().take_refusal()->status(), ExitStatus::topic_refused);
  EXPECT_FALSE(outbox_.ledger().take_refusal()) << "it is told once";
}

TEST_F(OutboxTest, WhatTheBrokerSaysThatItDoesNotTakeIsNotSent) {
  limits_.maximum_qos = 0;
  connect();
  take("a", 1);
  take("b", 0);
  EXPECT_EQ(send(), Strings{"b"});
  EXPECT_EQ(outbox_.ledger().take_notes(),
            Strings{"the broker at home:1883 would refuse the message to t: it takes QoS 0 at most"});
}

TEST_F(OutboxTest, NoMoreIsUnderWayThanTheBrokerTakes) {
  limits_.receive_maximum = 2;
  connect();
  for (const char* payload : {"a", "b", "c"}) {
    take(payload, 1);
  }
  EXPECT_EQ(send(), (Strings{"a", "b"}));
  EXPECT_TRUE(outbox_.must_wait());
  outbox_.acknowledged(sent_[0], now_);
  EXPECT_EQ(send(), Strings{"c"});
}

TEST_F(OutboxTest, WhatTheLibraryDidNotTakeIsGivenOnceMore) {
  take("a", 1);
  const auto outgoing = outbox_.next(now_);
  ASSERT_TRUE(outgoing);
  EXPECT_FALSE(outgoing->is_again);
  EXPECT_TRUE(outgoing->is_last);
  outbox_.put_back(*outgoing);
  outbox_.lost();
  connect();
  const auto again = outbox_.next(now_);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->is_again) << "no connection has seen it";
  outbox_.lost();
  connect();
  EXPECT_TRUE(outbox_.next(now_)->is_again);
}

TEST_F(OutboxTest, WhatTheLibraryNeverTakesIsForgottenAndNotCalledAcknowledged) {
  take("a", 1);
  outbox_.forget(*outbox_.next(now_));
  EXPECT_EQ(outbox_.unacknowledged(), 0U);
  EXPECT_EQ(deliveries_->sums().acknowledged, 0U);
}

TEST_F(OutboxTest, TheBookHasEachMessageAndItsTime) {
  take("abc", 1);
  (void)send();
  now_ += 30ms;
  outbox_.acknowledged(sent_[0], now_);
  EXPECT_EQ(deliveries_->sums().taken, 1U);
  EXPECT_EQ(deliveries_->sums().bytes, 3U);
  EXPECT_EQ(deliveries_->sums().acknowledged, 1U);
  EXPECT_EQ(outbox_.progress_at(), now_);
}

TEST_F(OutboxTest, ThatAMessageIsClosedForIsSaidOfThatMessage) {
  take("abc", 1);
  take("d", 1);
  (void)send();
  EXPECT_EQ(
      outbox_.accusation(sent_[0], false),
      "the broker at home:1883 closes the connection each time it gets the message to t (3 bytes, QoS 1) and 1 after "
      "it: is it allowed there, is it too large?");
  EXPECT_EQ(outbox_.words_on_unacknowledged(), "; not acknowledged: the message to t and 1 after it");
  outbox_.refuse_suspect(sent_[0], "guilty", now_);
  outbox_.acknowledged(sent_[1], now_);
  EXPECT_EQ(outbox_.words_on_unacknowledged(), "");
  EXPECT_FALSE(outbox_.accusation(sent_[1] + 1, true));
}

TEST(OutboxWithAliases, ATopicIsSentOnceAndThenItsAlias) {
  Suspicion suspicion;
  Outbox outbox{{.max_inflight = {}, .is_v5 = true, .is_kept = false, .has_aliases = true}, suspicion};
  outbox.start_anew();
  outbox.new_connection("home:1883");
  outbox.limit({.topic_alias_maximum = 1});
  outbox.accepted(false);
  for (const char* topic : {"a", "a", "b"}) {
    outbox.take({.topic = topic, .payload = "", .qos = 0}, {});
  }
  const std::vector<std::pair<std::string, bool>> expected{{"a", true}, {"", true}, {"b", false}};
  for (const auto& [topic, has_alias] : expected) {
    const auto outgoing = outbox.next({});
    ASSERT_TRUE(outgoing);
    EXPECT_EQ(outgoing->message().topic, topic);
    EXPECT_EQ(outgoing->message().properties.size(), has_alias ? 1U : 0U);
  }
}

/// In a session that the broker keeps the library carries on what it has.
class KeptOutboxTest : public OutboxTest {
 protected:
  KeptOutboxTest() : OutboxTest(true) {}
};

TEST_F(KeptOutboxTest, WhatALossInterruptsIsDoneWhenItsAnswerComesOnTheNextConnection) {
  take("a", 1);
  take("b", 2);
  EXPECT_EQ(send(), (Strings{"a", "b"}));
  outbox_.on_sent(7);
  outbox_.lost();
  connect(true);
  EXPECT_EQ(send(), Strings{}) << "the library has them";
  EXPECT_TRUE(outbox_.resend(7, now_).now);
  EXPECT_TRUE(outbox_.resend(8, now_).now) << "it had not left before the loss";
  outbox_.on_answer(answer(PacketType::puback, 7), now_);
  EXPECT_EQ(outbox_.unacknowledged(), 1U);
  outbox_.on_answer(answer(PacketType::pubrec, 8), now_);
  EXPECT_EQ(outbox_.unacknowledged(), 1U) << "that is half of it";
  outbox_.on_answer(answer(PacketType::pubcomp, 8), now_);
  EXPECT_EQ(outbox_.unacknowledged(), 0U);
}

// PUBCOMP was lost with the connection, and the library has sent PUBREL again.
TEST_F(KeptOutboxTest, AnExchangeThatTheBrokerHasEndedIsNoRefusal) {
  constexpr int packet_identifier_not_found = 0x92;
  take("a", 2);
  (void)send();
  outbox_.on_sent(7);
  outbox_.on_answer(answer(PacketType::pubrec, 7), now_);
  outbox_.lost();
  connect(true);
  outbox_.on_answer(answer(PacketType::pubcomp, 7, packet_identifier_not_found), now_);
  EXPECT_EQ(outbox_.unacknowledged(), 0U);
  outbox_.refused(sent_[0], 7, packet_identifier_not_found, now_);
  EXPECT_FALSE(outbox_.ledger().has_notes());
  EXPECT_EQ(deliveries_->sums().acknowledged, 1U);
}

TEST_F(KeptOutboxTest, WhatIsSentAgainKeepsToTheNewLimits) {
  take("a", 1);
  take("b", 1);
  take("c", 2);
  (void)send();
  for (std::uint16_t id = 1; id <= 3; ++id) {
    outbox_.on_sent(id);
  }
  outbox_.lost();
  limits_.receive_maximum = 1;
  limits_.maximum_qos = 1;
  connect(true);
  EXPECT_TRUE(outbox_.resend(1, now_).now);
  const auto second = outbox_.resend(2, now_);
  EXPECT_FALSE(second.now);
  EXPECT_EQ(second.answer, "") << "it waits";
  const auto third = outbox_.resend(3, now_);
  EXPECT_FALSE(third.now);
  EXPECT_EQ(third.answer, std::string("\x50\3\0\3\x83", 5)) << "the library hears PUBREC that says no";
  EXPECT_EQ(outbox_.ledger().take_notes().size(), 1U);
  outbox_.on_answer(answer(PacketType::puback, 1), now_);
  EXPECT_TRUE(outbox_.resend(2, now_).now);
}

TEST_F(KeptOutboxTest, IfTheBrokerHasForgottenTheSessionAllGoesAgain) {
  take("a", 1);
  take("b", 0);
  (void)send();
  outbox_.on_sent(1);
  outbox_.lost();
  connect(false);
  EXPECT_EQ(send(), (Strings{"a", "b"}));
}

TEST_F(KeptOutboxTest, WhatHasQos0IsLostWithTheConnectionIfTheSessionGoesOn) {
  take("a", 0);
  (void)send();
  outbox_.lost();
  connect(true);
  EXPECT_EQ(send(), Strings{});
  EXPECT_EQ(outbox_.unacknowledged(), 0U);
}

}  // namespace
}  // namespace sistem
