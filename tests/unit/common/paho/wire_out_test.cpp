#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "common/paho/wire.hpp"
#include "common/process/descriptor.hpp"
#include "tests/support/wire_fixture.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

// A session that goes on: the library sends again what it has, all at once.
TEST(WireThatSendsAgain, HoldsBackWhatItIsToldTo) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  const Descriptor peer{ends[1]};
  const auto at_the_broker = [&] {
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(peer.get(), bytes.data(), bytes.size());
    return std::string(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  };
  std::vector<std::uint16_t> asked;
  std::vector<Resend> answers{{}, {false}, {false}, {}, {false, puback}};
  Wire wire{Channel{Descriptor{ends[0]}},
            Wire::Observer{[](Wire::Way, std::uint8_t, std::size_t) { return false; },
                           [](Wire::Way, std::string_view) {}, [] {}, [](std::uint64_t, bool) {}, [] {},
                           [&](std::uint16_t id) {
                             asked.push_back(id);
                             return answers[asked.size() - 1];
                           }},
            Wire::Start{}};
  const auto send = [&](const std::string& bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    wire.send({&part, 1});
  };
  ASSERT_EQ(::write(peer.get(), "\x20\2\1", 4), 4);
  EXPECT_TRUE(wire.advance(true));
  EXPECT_NE(wire.take(4), nullptr);
  const auto again = [](char id) {
    std::string packet = message(id);
    packet.front() = '\x3A';
    return packet;
  };
  for (const char id : {'\1', '\2', '\3'}) {
    send(again(id));
  }
  (void)wire.flush();
  EXPECT_EQ(at_the_broker(), again(1));
  EXPECT_EQ(asked, (std::vector<std::uint16_t>{1, 2, 2})) << "the third waits behind the second";
  // With the next packet that arrives both are asked for: one is sent, one refused in the broker's name.
  const std::string first_acknowledged = "\x40\2\0\1"s;
  ASSERT_EQ(::write(peer.get(), first_acknowledged.data(), first_acknowledged.size()), 4);
  EXPECT_TRUE(wire.advance(true));
  EXPECT_EQ(at_the_broker(), again(2));
  const char* const bytes = wire.take(8);
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(std::string(bytes, 8), first_acknowledged + puback);
}

class GatheringWireTest : public WireTest {
 protected:
  GatheringWireTest() : WireTest({.gathers = true}) {}

  /// Sends such messages until the socket takes no more, which nobody reads, and as many again: how many.
  std::uint64_t send_until_full(const std::string& bytes) const {
    constexpr std::uint64_t together = 2000;  // as many as are gathered, or nearly
    std::uint64_t sent = 0;
    const auto send_some = [&] {
      for (std::uint64_t count = 0; count < together; ++count, ++sent) {
        send(bytes);
      }
      return wire_->flush();
    };
    while (!send_some()) {
    }
    for (const std::uint64_t enough = 3 * sent; sent < enough;) {
      (void)send_some();
    }
    return sent;
  }
};

TEST_F(GatheringWireTest, GathersUntilWhoeverSendsRests) {
  EXPECT_FALSE(wire_->has_gathered());
  send(quick_message);
  send(message(1));
  send(puback);
  EXPECT_TRUE(wire_->has_gathered());
  EXPECT_EQ(at_the_broker(), "");
  EXPECT_TRUE(seen_out_.empty());
  EXPECT_EQ(handed_on_, 0U);
  EXPECT_FALSE(wire_->flush());
  EXPECT_FALSE(wire_->has_gathered());
  EXPECT_EQ(at_the_broker(), quick_message + message(1) + puback);
  EXPECT_EQ(seen_out_, (std::vector{quick_message, message(1), puback}));
  EXPECT_EQ(handed_on_, 1U);
  EXPECT_TRUE(all_handed_on_);
}

TEST_F(GatheringWireTest, AnyOtherPacketTakesAlongWhatWasGathered) {
  send(message(1));
  send("\xC0\0"s);
  EXPECT_EQ(at_the_broker(), message(1) + "\xC0\0"s);
  send(message(2));
  EXPECT_TRUE(wire_->wait_until_sent(std::chrono::steady_clock::now() + 10s));
  EXPECT_EQ(at_the_broker(), message(2));
  send(message(3));
  wire_->end();
  EXPECT_EQ(at_the_broker(), message(3));
}

TEST_F(GatheringWireTest, GathersSoMuchAndNoMore) {
  constexpr std::size_t gathered_at_most = 16 << 10;
  std::size_t sent = 0;
  std::string came;
  for (; sent <= 2 * gathered_at_most; sent += quick_message.size()) {
    send(quick_message);
    came += at_the_broker();
    EXPECT_LE(sent + quick_message.size() - came.size(), gathered_at_most);
  }
  const std::string large = large_message('\x30');
  send(large);
  EXPECT_GT(at_the_broker().size(), gathered_at_most) << "what is large goes at once, as far as it fits";
  EXPECT_GE(came.size(), gathered_at_most);
}

TEST_F(GatheringWireTest, WhatIsTooLargeForTheSocketIsTakenAllTheSame) {
  const std::string large = large_message('\x30');
  send(large);
  EXPECT_TRUE(wire_->flush());
  EXPECT_NE(wire_->awaited() & POLLOUT, 0);
  send(quick_message);
  send("\xE0\0"s);
  EXPECT_EQ(handed_on_, 0U);
  std::string came;
  for (int attempt = 0; attempt < 10000 && wire_->flush(); ++attempt) {
    came += at_the_broker();
    (void)wire_->advance(false);
  }
  came += at_the_broker();
  EXPECT_TRUE(came == large + quick_message + "\xE0\0"s) << came.size() << " bytes";
  EXPECT_EQ(handed_on_, 2U);
  EXPECT_TRUE(all_handed_on_);
  EXPECT_EQ(wire_->awaited() & POLLOUT, 0);
}

TEST_F(GatheringWireTest, ItMattersNotInHowManyPartsAPacketIsGiven) {
  const std::vector<std::string> packets{quick_message, message(1), "\xC0\0"s, "\x62\2\0\1"s, message(2)};
  std::string bytes;
  for (const std::string& packet : packets) {
    for (std::size_t at = 1; at <= packet.size(); ++at) {
      auto* const data = const_cast<char*>(packet.data());
      const std::array<iovec, 2> parts{{{data, at}, {data + at, packet.size() - at}}};
      wire_->send(parts);
      EXPECT_FALSE(wire_->flush());
      EXPECT_EQ(at_the_broker(), packet) << at;
      EXPECT_EQ(seen_out_, std::vector{packet});
      seen_out_.clear();
    }
  }
}

TEST_F(GatheringWireTest, AReaderThatIsSlowLosesNothingAndGetsNothingTwice) {
  std::uint64_t taken = send_until_full(quick_message);
  EXPECT_TRUE(wire_->flush()) << "somebody must wait for room";
  EXPECT_NE(wire_->awaited() & POLLOUT, 0);
  EXPECT_LT(handed_on_, taken);
  std::string came;
  for (int attempt = 0; attempt < 10000 && wire_->flush(); ++attempt) {
    came += at_the_broker();
    (void)wire_->flush();
  }
  taken += send_until_full(quick_message);
  while (came.size() < taken * quick_message.size()) {
    came += at_the_broker();
    (void)wire_->flush();
  }
  std::string all;
  for (std::uint64_t number = 0; number < taken; ++number) {
    all += quick_message;
  }
  EXPECT_TRUE(came == all);
  EXPECT_EQ(handed_on_, taken);
  EXPECT_TRUE(all_handed_on_);
}

TEST_F(GatheringWireTest, AConnectionThatBreaksTellsExactlyWhatWasSent) {
  const std::uint64_t taken = send_until_full(quick_message);
  ::shutdown(peer_, SHUT_RD);
  EXPECT_FALSE(wire_->flush());
  EXPECT_TRUE(lost_);
  EXPECT_LT(handed_on_, taken);
  EXPECT_FALSE(all_handed_on_);
  EXPECT_EQ(seen_out_.size(), handed_on_);
  EXPECT_FALSE(wire_->has_gathered());
  send(quick_message);
  EXPECT_FALSE(wire_->flush());
  EXPECT_EQ(seen_out_.size(), handed_on_);
  EXPECT_FALSE(all_handed_on_);
  EXPECT_FALSE(wire_->wait_until_sent(std::chrono::steady_clock::now()));
}

TEST_F(GatheringWireTest, WhatHasGoneIsToldOfThoughMoreWaits) {
  const std::uint64_t sent = send_until_full(quick_message);
  const std::uint64_t before = handed_on_;
  (void)at_the_broker();
  EXPECT_TRUE(wire_->flush()) << "it is full once more";
  EXPECT_GT(handed_on_, before);
  EXPECT_LT(handed_on_, sent);
}

TEST_F(GatheringWireTest, WhoeverReadsIsNeededUntilItKnows) {
  send(quick_message);
  EXPECT_FALSE(wire_->needs_reader()) << "it is gathered, and waits for no room";
  (void)send_until_full(quick_message);
  EXPECT_TRUE(wire_->needs_reader());
  EXPECT_NE(wire_->awaited() & POLLOUT, 0);
  EXPECT_FALSE(wire_->needs_reader());
  while (wire_->flush()) {
    ASSERT_NE(at_the_broker(), "");
    (void)wire_->advance(false);
  }
  EXPECT_EQ(wire_->awaited() & POLLOUT, 0);
  (void)send_until_full(quick_message);
  EXPECT_TRUE(wire_->needs_reader()) << "once more";
}

TEST_F(GatheringWireTest, ABrokerThatDoesNotReadIsNotReadFromWhileItsAcknowledgementsPileUp) {
  constexpr int together = 100;
  std::string messages;
  for (int count = 0; count < together; ++count) {
    messages += message(7);
  }
  std::size_t acknowledged = 0;
  while ((wire_->awaited() & POLLIN) != 0) {
    broker_sends(messages);
    (void)wire_->advance(true);
    ASSERT_NE(wire_->take(messages.size()), nullptr);
    for (int count = 0; count < together; ++count, ++acknowledged) {
      send(puback);
    }
    (void)wire_->consumed(together);
    ASSERT_LT(acknowledged * puback.size(), 8U << 20U) << "there is no limit";
  }
  EXPECT_GE(acknowledged * puback.size(), 1U << 20U);
  EXPECT_NE(wire_->awaited() & POLLOUT, 0);
  std::size_t came = 0;
  while ((wire_->awaited() & POLLIN) == 0) {
    const std::size_t some = at_the_broker().size();
    ASSERT_GT(some, 0U);
    came += some;
    (void)wire_->advance(false);
  }
  EXPECT_LT(came, acknowledged * puback.size()) << "it is read from as soon as less waits";
  broker_sends(message(8));
  EXPECT_EQ(received(), message(8));
}

// The library sees nothing of what is on its way, and would give up the connection.
TEST_F(GatheringWireTest, APingThatWouldHaveToWaitIsAnsweredAsLongAsBytesGo) {
  const std::string pingreq = "\xC0\0"s;
  const std::string large = large_message('\x30');
  send(large);
  send(pingreq);
  EXPECT_EQ(received(), pingresp);
  send(pingreq);
  EXPECT_EQ(received(), "");
  std::string came = at_the_broker();
  (void)wire_->advance(false);
  send(pingreq);
  EXPECT_EQ(received(), pingresp);
  while (wire_->flush()) {
    came += at_the_broker();
    (void)wire_->advance(false);
  }
  came += at_the_broker();
  EXPECT_TRUE(came == large + pingreq) << came.size() << " bytes";
  send(pingreq);
  EXPECT_EQ(received(), "") << "the broker is to answer it";
  EXPECT_EQ(at_the_broker(), pingreq);
}

TEST_F(GatheringWireTest, APingNeedsNoRest) {
  wire_->ping_after(0s);
  EXPECT_EQ(at_the_broker(), "\xC0\0"s);
  send(message(1));
  EXPECT_FALSE(wire_->ping_after(0s));
  EXPECT_EQ(at_the_broker(), "") << "what is gathered will do as well";
}

}  // namespace
}  // namespace sistem
