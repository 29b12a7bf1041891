#include "common/paho/wire.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/process/descriptor.hpp"
#include "tests/support/wire_fixture.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

TEST_F(WireTest, AMessageThatIsLargerThanWhatMayWaitPassesWhenThereIsRoom) {
  const std::string large = large_message('\x32');
  EXPECT_FALSE(wire_->pass_at_most(0));
  std::size_t written = 0;
  while (broker_sends_what_fits(large, written)) {
    EXPECT_EQ(received(), "");
  }
  EXPECT_LT(written, large.size()) << "all was read";
  EXPECT_TRUE(wire_->pass_at_most(1)) << "reading goes on";
  std::string got;
  do {
    got += received();
  } while (broker_sends_what_fits(large, written));
  got += received();
  EXPECT_TRUE(got == large) << got.size() << " bytes";
}

TEST_F(WireTest, SoDoesOneThatIsSentAgain) {
  const std::string large = large_message('\x3C');
  std::string got;
  std::size_t written = 0;
  for (int attempt = 0; attempt < 10000 && written < large.size(); ++attempt) {
    const ssize_t count = ::write(peer_, large.data() + written, large.size() - written);
    written += count > 0 ? static_cast<std::size_t>(count) : 0;
    got += received();
  }
  got += received();
  EXPECT_TRUE(got == large_message('\x3A')) << got.size() << " bytes";
}

TEST_F(WireTest, PassesBytesOnAndShowsThePacketsInThem) {
  ping(1);
  const std::string bytes = message(1) + pingresp + message(2);
  std::string all;
  for (const char byte : bytes) {
    broker_sends({byte});
    all += received();
  }
  EXPECT_EQ(all, bytes);
  EXPECT_EQ(seen_in_, (std::vector{message(1), pingresp, message(2)}));
  send("\xC0\0"s);
  send("\xE0\0"s);
  EXPECT_EQ(seen_out_, (std::vector{"\xC0\0"s, "\xE0\0"s}));
  EXPECT_EQ(at_the_broker(), "\xC0\0\xE0\0"s);
}

TEST_F(WireTest, HoldsMessagesBackThatMayNotPassAndNothingElse) {
  ping(1);
  (void)wire_->pass_at_most(1);
  broker_sends(message(1) + message(2) + pingresp + message(3));
  EXPECT_EQ(received(), message(1) + pingresp);
  EXPECT_FALSE(wire_->consumed(1)) << "one was the limit";
  EXPECT_EQ(received(), "");
  EXPECT_TRUE(wire_->pass_at_most(1));
  EXPECT_EQ(received(), message(2));
  EXPECT_FALSE(wire_->pass_at_most(1)) << "the one on its way is among them";
  EXPECT_TRUE(wire_->pass_at_most(std::nullopt));
  EXPECT_EQ(received(), message(3));
}

TEST_F(WireTest, NeverLetsAMessageIntoTheMiddleOfAnotherPacket) {
  const std::string suback = "\x90\3\0\1\0"s;
  send("\x82\6\0\1\0\1t\0"s);
  (void)wire_->pass_at_most(0);
  broker_sends(message(1) + suback.substr(0, 3));
  EXPECT_EQ(received(), "") << "half a packet is for no library";
  EXPECT_TRUE(wire_->pass_at_most(std::nullopt));
  EXPECT_EQ(received(), message(1));
  broker_sends(suback.substr(3) + message(2));
  EXPECT_EQ(received(), suback + message(2));
}

TEST_F(WireTest, AMessageThatIsHalfThereWaitsUntilItIsWhole) {
  (void)wire_->pass_at_most(0);
  broker_sends(message(1).substr(0, 5));
  EXPECT_EQ(received(), "");
  EXPECT_FALSE(wire_->pass_at_most(std::nullopt));
  broker_sends(message(1).substr(5) + message(2));
  EXPECT_EQ(received(), message(1) + message(2));
}

TEST_F(WireTest, StopsReadingWhenNobodyTakesMessagesButNotWhileAnAnswerIsAwaited) {
  (void)wire_->pass_at_most(0);
  const std::string large = "\x30\x80\x80\x10\0\1t"s + std::string((256 << 10) - 3, 'x');  // 256 KiB after the header
  std::size_t written = 0;
  std::string all;
  for (int at = 0; at < 8; ++at) {
    all += large;
  }
  const auto push = [&] {
    while (written < all.size()) {
      const bool some = broker_sends_what_fits(all, written);
      (void)wire_->advance(true);
      if (!some && (wire_->awaited() & POLLIN) == 0) {
        break;
      }
    }
  };
  push();
  EXPECT_EQ(wire_->awaited() & POLLIN, 0);
  EXPECT_LT(written, all.size());
  send("\xC0\0"s);
  EXPECT_EQ(received(), pingresp) << "the broker's own cannot be read";
  EXPECT_TRUE(wire_->read_without_limit(true));
  push();
  EXPECT_EQ(written, all.size());
}

// As when the answer to SUBSCRIBE comes with a flood behind it: whoever has the answer wants no more to be read, and
// one block after the other comes.
TEST(WireInAFlood, ThatThereIsALimitAgainIsHeardWhileMuchComes) {
  constexpr std::size_t endless = 2'000'000;
  const std::string message = "\x30\x0B\0\1t12345678"s;
  std::string messages;
  while (messages.size() < 10 * message.size() * 1000) {
    messages += message;
  }
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  const Descriptor peer{ends[1]};
  std::size_t seen = 0;
  std::size_t written = 0;
  std::unique_ptr<Wire> wire;
  std::jthread listener;  // ends before the wire that it uses
  // More is there whenever the wire looks, as long as it has not seen too many.
  const auto feed = [&] {
    for (ssize_t count = 1; count > 0 && seen < endless;
         written += static_cast<std::size_t>(std::max<ssize_t>(count, 0))) {
      const std::size_t at = written % messages.size();
      count = ::write(peer.get(), messages.data() + at, messages.size() - at);
    }
  };
  const auto sees = [&](Wire::Way, std::string_view) {
    feed();
    if (++seen == 10'000) {
      listener = std::jthread([&] { (void)wire->read_without_limit(false); });
    }
  };
  wire = std::make_unique<Wire>(Channel{Descriptor{ends[0]}},
                                Wire::Observer{[](Wire::Way, std::uint8_t, std::size_t) { return true; }, sees, [] {},
                                               [](std::uint64_t, bool) {}, [] {}},
                                Wire::Start{.at_most = 0, .without_limit = true});
  EXPECT_EQ(::write(peer.get(), "\x20\2\0", 4), 4);
  feed();
  (void)wire->advance(true);
  EXPECT_GE(seen, 10'000U);
  EXPECT_LT(seen, endless) << "it was read on and on";
}

TEST_F(WireTest, PingsWhereNothingWasSentForSoLong) {
  wire_->ping_after(1h);
  EXPECT_EQ(at_the_broker(), "");
  wire_->ping_after(0s);
  EXPECT_EQ(at_the_broker(), "\xC0\0"s);
  EXPECT_EQ(seen_out_.back(), "\xC0\0"s);
}

TEST_F(WireTest, TheEndComesAfterWhatCameBeforeIt) {
  ping(2);
  broker_sends(pingresp);
  ::shutdown(peer_, SHUT_WR);
  EXPECT_TRUE(wire_->advance(true));
  EXPECT_NE(wire_->take(2), nullptr);
  EXPECT_TRUE(wire_->advance(true)) << "the end is something to tell";
  EXPECT_EQ(wire_->take(1), nullptr);
  EXPECT_TRUE(wire_->has_ended());
}

TEST_F(WireTest, WhatWasReadToItsEndIsNotReadAgainBeforePollSaysSo) {
  ping(2);
  broker_sends(pingresp);
  EXPECT_EQ(received(), pingresp);
  broker_sends(pingresp);
  EXPECT_FALSE(wire_->advance(false));
  EXPECT_TRUE(wire_->advance(true));
  EXPECT_EQ(received(), pingresp);
}

TEST_F(WireTest, AfterAPauseInWhichPollWasNotAskedReadingGoesOn) {
  const std::string large = large_message('\x32');
  EXPECT_FALSE(wire_->pass_at_most(0));
  std::size_t written = 0;
  do {
    ASSERT_TRUE(broker_sends_what_fits(large, written)) << "all should have been read so far";
    EXPECT_FALSE(wire_->advance(true));
  } while (wire_->awaited() != 0);
  while (broker_sends_what_fits(large, written)) {
  }
  ASSERT_LT(written, large.size());
  EXPECT_TRUE(wire_->pass_at_most(1));
  (void)wire_->advance(false);  // nobody will say that it is readable
  EXPECT_TRUE(broker_sends_what_fits(large, written));
}

TEST_F(WireTest, ADeadConnectionTakesEverythingAndIsToldWhereItIsRead) {
  ::shutdown(peer_, SHUT_RDWR);
  send(message(1));
  EXPECT_TRUE(lost_);
  EXPECT_TRUE(seen_out_.empty());
  EXPECT_EQ(wire_->take(1), nullptr);
  EXPECT_TRUE(wire_->has_ended());
}

TEST_F(WireTest, WhatIsNoMqttEndsTheConnectionAndSaysSo) {
  broker_sends("\x30\xFF\xFF\xFF\xFF\xFF"s);
  EXPECT_TRUE(wire_->advance(true));
  EXPECT_EQ(wire_->take(1), nullptr);
  EXPECT_TRUE(wire_->has_ended());
  EXPECT_EQ(wire_->last_word(), "it sent a packet that is malformed: the length of a packet has more than four bytes");
}

TEST_F(WireTest, TellsOfEachMessageOfQos0ThatIsWithTheSystem) {
  send(quick_message);
  EXPECT_EQ(handed_on_, 1U);
  EXPECT_TRUE(all_handed_on_);
  send(message(1));
  EXPECT_EQ(handed_on_, 1U) << "that one has an acknowledgement to come";
}

TEST_F(WireTest, WhoeverReadsIsToldThatThereIsNothingMore) {
  EXPECT_FALSE(wire_->flush());
  EXPECT_EQ(idle_, 0);
  EXPECT_FALSE(wire_->advance(true));
  EXPECT_EQ(idle_, 1);
}

TEST_F(WireTest, ForTheLibraryAMessageOfQos2IsOneOfQos1) {
  for (int time = 0; time < 2; ++time) {  // the packet id is free again afterwards
    for (const char byte : precious) {
      broker_sends({byte});
    }
    EXPECT_EQ(received(), message(7));
    EXPECT_EQ(seen_in_.back(), precious) << "whoever looks sees what it was";
    EXPECT_TRUE(wire_->had_qos_2(7));
    EXPECT_FALSE(wire_->had_qos_2(8));
    send(puback);
    EXPECT_EQ(at_the_broker(), pubrec);
    EXPECT_EQ(seen_out_.back(), pubrec);
    EXPECT_FALSE(wire_->wait_until_exchanged(std::chrono::steady_clock::now()));
    broker_sends(pubrel);
    EXPECT_EQ(received(), "");
    EXPECT_EQ(at_the_broker(), pubcomp);
    EXPECT_FALSE(wire_->had_qos_2(7));
    EXPECT_TRUE(wire_->wait_until_exchanged(std::chrono::steady_clock::now()));
  }
  broker_sends(message(7));
  EXPECT_EQ(received(), message(7));
  send(puback);
  EXPECT_EQ(at_the_broker(), puback) << "that one had QoS 1";
}

TEST_F(WireTest, OneThatIsSentAgainBeforeItsPubrelIsAcknowledgedAndDoesNotPassTwice) {
  ping(1);
  std::string again = precious;
  again.front() = '\x3C';
  broker_sends(precious);
  EXPECT_EQ(received(), message(7));
  broker_sends(again + pingresp);
  EXPECT_EQ(received(), pingresp);
  EXPECT_EQ(at_the_broker(), pubrec);
  EXPECT_EQ(wire_->unconsumed(), 1U);
}

TEST_F(WireTest, APubrelThatNothingIsKnownOfIsAnsweredToo) {
  broker_sends(pubrel);
  EXPECT_EQ(received(), "");
  EXPECT_EQ(at_the_broker(), pubcomp);
}

TEST_F(WireTest, OneThatIsHeldBackIsOpenWhenItPasses) {
  (void)wire_->pass_at_most(0);
  broker_sends(precious);
  EXPECT_EQ(received(), "");
  EXPECT_FALSE(wire_->had_qos_2(7));
  EXPECT_TRUE(wire_->pass_at_most(1));
  EXPECT_EQ(received(), message(7));
  EXPECT_TRUE(wire_->had_qos_2(7));
}

TEST_F(WireTest, WhatIsNotAdmittedIsReadAndForgotten) {
  ping(1);
  (void)wire_->pass_at_most(1);
  broker_sends(message(1) + message(2) + precious);
  EXPECT_EQ(received(), message(1));
  EXPECT_EQ(wire_->unconsumed(), 3U);
  EXPECT_FALSE(wire_->admit_no_more()) << "reading had not paused";
  EXPECT_EQ(wire_->unconsumed(), 1U);
  (void)wire_->pass_at_most(std::nullopt);
  broker_sends(message(3) + quick_message + precious + pubrel + pingresp);
  EXPECT_EQ(received(), pingresp);
  EXPECT_EQ(at_the_broker(), pubcomp) << "what is not let in is not acknowledged; an exchange is ended";
}

TEST_F(WireTest, InTheMiddleOfAMessageTheRestIsForgottenToo) {
  ping(1);
  (void)wire_->pass_at_most(0);
  broker_sends(message(1).substr(0, 5));
  EXPECT_EQ(received(), "");
  (void)wire_->admit_no_more();
  broker_sends(message(1).substr(5) + pingresp);
  EXPECT_EQ(received(), pingresp);
}

TEST_F(WireTest, NorDoesTheRestOfALargeOneHoldUpWhatIsBehindIt) {
  ping(1);
  (void)wire_->pass_at_most(0);
  const std::string all = large_message('\x32') + pingresp;
  std::size_t written = 0;
  do {
    (void)broker_sends_what_fits(all, written);
    EXPECT_EQ(received(), "");
  } while ((wire_->awaited() & POLLIN) != 0);
  EXPECT_TRUE(wire_->admit_no_more()) << "reading goes on";
  std::string got;
  for (int attempt = 0; attempt < 10000 && got.empty(); ++attempt) {
    (void)broker_sends_what_fits(all, written);
    got = received();
  }
  EXPECT_EQ(got, pingresp);
}

TEST_F(WireTest, NothingIsReadOfWhatIsDrained) {
  broker_sends(message(1) + message(2));
  send(puback);
  std::thread broker([&] {
    pollfd closed{peer_, POLLRDHUP, 0};
    (void)::poll(&closed, 1, -1);
    broker_sends(message(3));
    (void)::shutdown(peer_, SHUT_WR);
  });
  wire_->end();
  wire_->drain(std::chrono::steady_clock::now() + 20s);
  broker.join();
  EXPECT_EQ(at_the_broker(), puback);
  EXPECT_EQ(wire_->take(1), nullptr);
  EXPECT_TRUE(wire_->has_ended());
}

/// The same by MQTT 5.
class HoldingWireTest : public WireTest {
 protected:
  HoldingWireTest() : WireTest({.known = {9}, .holds_acknowledgements = true, .unwritten = {9}}) {}
  void written(std::uint16_t id) const { EXPECT_FALSE(wire_->written({&id, 1})); }
};

TEST_F(HoldingWireTest, AMessageIsAcknowledgedWhenItIsWritten) {
  broker_sends(message(1) + precious);
  EXPECT_EQ(received(), message(1) + message(7));
  std::string first = puback;
  first.back() = 1;
  send(first);
  send(puback);
  EXPECT_EQ(at_the_broker(), "");
  written(7);
  EXPECT_EQ(at_the_broker(), "") << "the one before it is not written";
  EXPECT_FALSE(wire_->wait_until_exchanged(never)) << "and is not waited for";
  written(1);
  EXPECT_EQ(at_the_broker(), first + pubrec);
  broker_sends(pubrel);
  EXPECT_EQ(received(), "");
  EXPECT_EQ(at_the_broker(), pubcomp);
}

TEST_F(HoldingWireTest, WhatWasDeliveredOnAnEarlierConnectionAndIsSentAgainIsAcknowledgedWhenThatIsWritten) {
  std::string again = precious;
  again.front() = '\x3C';
  again[6] = 9;
  broker_sends(again);
  EXPECT_EQ(received(), "");
  EXPECT_EQ(at_the_broker(), "");
  written(9);
  std::string answer = pubrec;
  answer.back() = 9;
  EXPECT_EQ(at_the_broker(), answer);
}

class WireOfMqtt5Test : public WireTest {
 protected:
  WireOfMqtt5Test() : WireTest({.version = ProtocolVersion::v5}) {}
};

TEST_F(WireOfMqtt5Test, TheBrokerIsToldWhyItIsLeft) {
  broker_sends("\x20\3\0\0\0"s);  // CONNACK again
  EXPECT_EQ(received(), "");
  EXPECT_TRUE(wire_->has_ended());
  EXPECT_EQ(at_the_broker(), "\xE0\1\x82"s);
  ASSERT_TRUE(wire_->violation());
  EXPECT_EQ(wire_->violation()->code(), Violation::protocol_error);
}

TEST_F(WireOfMqtt5Test, WhatIsMalformedHasItsOwnCode) {
  broker_sends("\x30\5\0\1t\1\xFF"s);  // a property that there is not
  EXPECT_EQ(received(), "");
  EXPECT_EQ(at_the_broker(), "\xE0\1\x81"s);
}

TEST_F(WireOfMqtt5Test, APubrelThatNothingIsKnownOfIsAnsweredSo) {
  broker_sends(pubrel);
  EXPECT_EQ(received(), "");
  EXPECT_FALSE(wire_->flush());
  EXPECT_EQ(at_the_broker(), "\x70\3\0\7\x92"s);
}

TEST_F(WireOfMqtt5Test, MessagesComeWithTheirProperties) {
  const std::string expiring = "\x32\x0C\0\1t\0\1\5\x02\0\0\0\x09x"s;
  broker_sends(expiring);
  EXPECT_EQ(received(), expiring);
}

}  // namespace
}  // namespace sistem
