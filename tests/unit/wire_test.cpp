#include "common/wire.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <thread>

#include "common/descriptor.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

const std::string pingresp = "\xD0\0"s;

/// PUBLISH at QoS 1 with that packet id.
std::string message(char id) { return "\x32\6\0\1t\0"s + id + "x"; }

/// The same at QoS 0.
const std::string quick_message = "\x30\4\0\1tx"s;

class WireTest : public testing::Test {
 protected:
  explicit WireTest(Wire::Sending sending = Wire::Sending::one_by_one) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    peer_ = ends[1];
    wire_ = std::make_unique<Wire>(Channel{Descriptor{ends[0]}},
                                   Wire::Observer{[](Wire::Way, std::uint8_t, std::size_t) { return true; },
                                                  [this](Wire::Way way, std::string_view packet) {
                                                    (way == Wire::Way::in ? seen_in_ : seen_out_).emplace_back(packet);
                                                  },
                                                  [this] { lost_ = true; },
                                                  [this](std::uint64_t messages, bool all) {
                                                    handed_on_ = messages;
                                                    all_handed_on_ = all;
                                                  },
                                                  [this] { ++rests_; }, [this] { ++comes_; }},
                                   sending);
  }
  ~WireTest() override { ::close(peer_); }

  void broker_sends(const std::string& bytes) const {
    ASSERT_EQ(::write(peer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  /// Sends of what is left behind `written` as much as the socket takes; false where it takes nothing.
  bool broker_sends_what_fits(const std::string& bytes, std::size_t& written) const {
    const ssize_t count = ::write(peer_, bytes.data() + written, bytes.size() - written);
    written += count > 0 ? static_cast<std::size_t>(count) : 0;
    return count > 0;
  }
  /// All that has come there.
  std::string at_the_broker() const {
    std::string all;
    std::array<char, 4096> bytes{};
    for (ssize_t count = 0; (count = ::read(peer_, bytes.data(), bytes.size())) > 0;) {
      all.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return all;
  }
  /// All that the library gets, byte by byte as Paho reads, after poll(2) has said that there is something.
  std::string received() const {
    std::string bytes;
    (void)wire_->advance(true);
    char byte = 0;
    while (wire_->receive(&byte, 1) == 1) {
      bytes += byte;
    }
    return bytes;
  }
  ssize_t send(const std::string& bytes) const {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return wire_->send(&part, 1);
  }

  int peer_ = -1;
  std::unique_ptr<Wire> wire_;
  bool lost_ = false;
  std::uint64_t handed_on_ = 0;
  bool all_handed_on_ = false;
  int rests_ = 0;
  int comes_ = 0;
  std::vector<std::string> seen_in_;
  std::vector<std::string> seen_out_;
};

/// PUBLISH with 3 MiB of payload, more than is read of messages that wait.
std::string large_message(char first_byte) {
  std::string rest = "\0\1t\0\7"s + std::string(3 << 20, 'x');
  std::string length;
  for (std::size_t left = rest.size(); left > 0; left >>= 7U) {
    length += static_cast<char>((left & 0x7FU) | (left > 0x7F ? 0x80U : 0U));
  }
  return first_byte + length + rest;
}

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
  EXPECT_TRUE(got == large) << got.size() << " bytes";
}

TEST_F(WireTest, PassesBytesOnAndShowsThePacketsInThem) {
  const std::string bytes = message(1) + pingresp + message(2);
  std::string all;
  for (const char byte : bytes) {
    broker_sends({byte});
    all += received();
  }
  EXPECT_EQ(all, bytes);
  EXPECT_EQ(seen_in_, (std::vector{message(1), pingresp, message(2)}));
  EXPECT_EQ(send("\xC0"s), 1);
  EXPECT_TRUE(seen_out_.empty());
  EXPECT_EQ(send("\0\xE0\0"s), 3);
  EXPECT_EQ(seen_out_, (std::vector{"\xC0\0"s, "\xE0\0"s}));
  EXPECT_EQ(at_the_broker(), "\xC0\0\xE0\0"s);
}

TEST_F(WireTest, HoldsMessagesBackThatMayNotPassAndNothingElse) {
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
  (void)wire_->pass_at_most(0);
  const std::string suback = "\x90\4\0\1\0\0"s;
  broker_sends(message(1) + suback.substr(0, 3));
  EXPECT_EQ(received(), suback.substr(0, 3));
  EXPECT_FALSE(wire_->pass_at_most(std::nullopt)) << "not yet";
  EXPECT_EQ(received(), "");
  broker_sends(suback.substr(3));
  EXPECT_EQ(received(), suback.substr(3) + message(1));
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
  EXPECT_EQ(send("\xC0\0"s), 2);
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
  std::jthread listener;
  std::unique_ptr<Wire> wire;
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
                                               [](std::uint64_t, bool) {}, [] {}, [] {}},
                                Wire::Sending::one_by_one,
                                Wire::Beginning{.at_most = 0, .without_limit = true, .known = {}});
  feed();
  (void)wire->advance(true);
  EXPECT_GE(seen, 10'000U);
  EXPECT_LT(seen, endless) << "it was read on and on";
}

TEST_F(WireTest, PingsWhereNothingWasSentForSoLongAndNotInsideOfAPacket) {
  wire_->ping_after(1h);
  EXPECT_EQ(at_the_broker(), "");
  EXPECT_EQ(send("\x30"s), 1);
  wire_->ping_after(0s);
  EXPECT_EQ(at_the_broker(), "\x30"s);
  EXPECT_EQ(send("\3\0\1t"s), 4);
  wire_->ping_after(0s);
  EXPECT_EQ(at_the_broker(), "\3\0\1t\xC0\0"s);
  EXPECT_EQ(seen_out_.back(), "\xC0\0"s);
}

TEST_F(WireTest, TheEndComesAfterWhatCameBeforeIt) {
  broker_sends(pingresp);
  ::shutdown(peer_, SHUT_WR);
  EXPECT_TRUE(wire_->advance(true));
  char byte = 0;
  EXPECT_EQ(wire_->receive(&byte, 1), 1);
  EXPECT_EQ(wire_->receive(&byte, 1), 1);
  EXPECT_TRUE(wire_->advance(true)) << "the end is something to tell";
  EXPECT_EQ(wire_->receive(&byte, 1), 0);
}

TEST_F(WireTest, WhatWasReadToItsEndIsNotReadAgainBeforePollSaysSo) {
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
  EXPECT_EQ(send(message(1)), static_cast<ssize_t>(message(1).size()));
  EXPECT_TRUE(lost_);
  EXPECT_TRUE(seen_out_.empty());
  char byte = 0;
  EXPECT_LE(wire_->receive(&byte, 1), 0);
}

TEST_F(WireTest, WhatIsNoMqttEndsTheConnectionAndSaysSo) {
  broker_sends("\x30\xFF\xFF\xFF\xFF\xFF"s);
  char byte = 0;
  EXPECT_EQ(wire_->receive(&byte, 1), -1);
  EXPECT_EQ(errno, EPROTO);
  EXPECT_EQ(wire_->last_word(), "the length of a packet has more than four bytes");
}

TEST_F(WireTest, TellsOfEachMessageOfQos0ThatIsWithTheSystem) {
  EXPECT_EQ(send(quick_message), 6);
  EXPECT_EQ(handed_on_, 1U);
  EXPECT_TRUE(all_handed_on_);
  EXPECT_EQ(send(message(1)), 8);
  EXPECT_EQ(handed_on_, 1U) << "that one has an acknowledgement to come";
}

TEST_F(WireTest, WhoeverReadsIsToldThatThereIsNothingMore) {
  EXPECT_FALSE(wire_->rest());
  EXPECT_EQ(rests_, 0);
  EXPECT_FALSE(wire_->advance(true));
  EXPECT_EQ(rests_, 1);
}

TEST_F(WireTest, TheFirstMessageAfterAPauseIsToldOfBeforeTheLibraryHasIt) {
  broker_sends("\xD0\0"s);
  EXPECT_EQ(received(), "\xD0\0"s);
  EXPECT_EQ(comes_, 0) << "PINGRESP is no message";
  broker_sends(message(1) + message(2));
  EXPECT_TRUE(wire_->advance(true));
  EXPECT_EQ(comes_, 1);
  EXPECT_EQ(received(), message(1) + message(2));
  broker_sends(message(3));
  EXPECT_EQ(received(), message(3));
  EXPECT_EQ(comes_, 1) << "whoever waits for messages has some to consume";
  (void)wire_->consumed(3);
  broker_sends(message(4));
  EXPECT_EQ(received(), message(4));
  EXPECT_EQ(comes_, 2);
}

class GatheringWireTest : public WireTest {
 protected:
  GatheringWireTest() : WireTest(Wire::Sending::gathered) {}

  /// Sends such messages until the socket takes no more, which nobody reads, and as many again: how many.
  std::uint64_t send_until_full(const std::string& bytes) const {
    std::uint64_t sent = 0;
    for (; !wire_->is_full(); ++sent) {
      EXPECT_EQ(send(bytes), static_cast<ssize_t>(bytes.size()));
    }
    for (std::uint64_t more = sent; more > 0; --more, ++sent) {
      EXPECT_EQ(send(bytes), static_cast<ssize_t>(bytes.size())) << "it takes everything";
    }
    return sent;
  }
};

TEST_F(GatheringWireTest, GathersUntilWhoeverSendsRests) {
  const std::string puback = "\x40\2\0\7"s;
  EXPECT_FALSE(wire_->has_gathered());
  EXPECT_EQ(send(quick_message), 6);
  EXPECT_EQ(send(message(1)), 8);
  EXPECT_EQ(send(puback), 4);
  EXPECT_TRUE(wire_->has_gathered());
  EXPECT_EQ(at_the_broker(), "");
  EXPECT_TRUE(seen_out_.empty());
  EXPECT_EQ(handed_on_, 0U);
  EXPECT_FALSE(wire_->rest());
  EXPECT_FALSE(wire_->has_gathered());
  EXPECT_EQ(at_the_broker(), quick_message + message(1) + puback);
  EXPECT_EQ(seen_out_, (std::vector{quick_message, message(1), puback}));
  EXPECT_EQ(handed_on_, 1U);
  EXPECT_TRUE(all_handed_on_);
}

TEST_F(GatheringWireTest, AnyOtherPacketTakesAlongWhatWasGathered) {
  EXPECT_EQ(send(message(1)), 8);
  EXPECT_EQ(send("\xC0\0"s), 2);
  EXPECT_EQ(at_the_broker(), message(1) + "\xC0\0"s);
  EXPECT_EQ(send(message(2)), 8);
  EXPECT_TRUE(wire_->wait_until_sent(std::chrono::steady_clock::now() + 10s));
  EXPECT_EQ(at_the_broker(), message(2));
  EXPECT_EQ(send(message(3)), 8);
  wire_->end();
  EXPECT_EQ(at_the_broker(), message(3));
}

TEST_F(GatheringWireTest, GathersSoMuchAndNoMore) {
  constexpr std::size_t gathered_at_most = 16 << 10;
  std::size_t sent = 0;
  std::string came;
  for (; sent <= 2 * gathered_at_most; sent += quick_message.size()) {
    EXPECT_EQ(send(quick_message), 6);
    came += at_the_broker();
    EXPECT_LE(sent + quick_message.size() - came.size(), gathered_at_most);
  }
  const std::string large = large_message('\x30');
  EXPECT_EQ(send(large), static_cast<ssize_t>(large.size()));
  EXPECT_GT(at_the_broker().size(), gathered_at_most) << "what is large goes at once, as far as it fits";
  EXPECT_GE(came.size(), gathered_at_most);
}

TEST_F(GatheringWireTest, WhatIsTooLargeForTheSocketIsTakenAllTheSame) {
  const std::string large = large_message('\x30');
  EXPECT_EQ(send(large), static_cast<ssize_t>(large.size()));
  EXPECT_TRUE(wire_->is_full());
  EXPECT_NE(wire_->awaited() & POLLOUT, 0);
  EXPECT_EQ(send(quick_message), 6);
  EXPECT_EQ(send("\xE0\0"s), 2);
  EXPECT_EQ(handed_on_, 0U);
  std::string came;
  for (int attempt = 0; attempt < 10000 && wire_->is_full(); ++attempt) {
    came += at_the_broker();
    (void)wire_->advance(false);
  }
  came += at_the_broker();
  EXPECT_TRUE(came == large + quick_message + "\xE0\0"s) << came.size() << " bytes";
  EXPECT_EQ(handed_on_, 2U);
  EXPECT_TRUE(all_handed_on_);
  EXPECT_EQ(wire_->awaited() & POLLOUT, 0);
}

TEST_F(GatheringWireTest, ItMatterNotWhereThePiecesOfPacketsEnd) {
  const std::string bytes = quick_message + message(1) + "\xC0\0"s + "\x62\2\0\1"s + message(2);
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    for (std::size_t other = at; other <= bytes.size(); ++other) {
      std::size_t from = 0;
      for (const std::size_t to : {at, other, bytes.size()}) {
        const std::string piece = bytes.substr(from, to - from);
        EXPECT_EQ(piece.empty() ? 0 : send(piece), static_cast<ssize_t>(piece.size()));
        from = to;
      }
      EXPECT_FALSE(wire_->rest());
      EXPECT_EQ(at_the_broker(), bytes) << at << " " << other;
      EXPECT_EQ(seen_out_, (std::vector{quick_message, message(1), "\xC0\0"s, "\x62\2\0\1"s, message(2)}));
      seen_out_.clear();
    }
  }
}

TEST_F(GatheringWireTest, AReaderThatIsSlowLosesNothingAndGetsNothingTwice) {
  std::uint64_t taken = send_until_full(quick_message);
  EXPECT_TRUE(wire_->rest()) << "somebody must wait for room";
  EXPECT_NE(wire_->awaited() & POLLOUT, 0);
  EXPECT_LT(handed_on_, taken);
  std::string came;
  for (int attempt = 0; attempt < 10000 && wire_->is_full(); ++attempt) {
    came += at_the_broker();
    (void)wire_->rest();
  }
  taken += send_until_full(quick_message);
  while (came.size() < taken * quick_message.size()) {
    came += at_the_broker();
    (void)wire_->rest();
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
  EXPECT_FALSE(wire_->rest());
  EXPECT_TRUE(lost_);
  EXPECT_LT(handed_on_, taken);
  EXPECT_FALSE(all_handed_on_);
  EXPECT_EQ(seen_out_.size(), handed_on_);
  EXPECT_FALSE(wire_->has_gathered());
  EXPECT_EQ(send(quick_message), 6) << "it seems to take everything";
  EXPECT_FALSE(wire_->rest());
  EXPECT_EQ(seen_out_.size(), handed_on_);
  EXPECT_FALSE(all_handed_on_);
  EXPECT_FALSE(wire_->wait_until_sent(std::chrono::steady_clock::now()));
}

TEST_F(GatheringWireTest, WhatHasGoneIsToldOfThoughMoreWaits) {
  const std::uint64_t sent = send_until_full(quick_message);
  const std::uint64_t before = handed_on_;
  (void)at_the_broker();
  EXPECT_TRUE(wire_->rest()) << "it is full once more";
  EXPECT_GT(handed_on_, before);
  EXPECT_LT(handed_on_, sent);
}

TEST_F(GatheringWireTest, WhoeverReadsIsNeededUntilItKnows) {
  EXPECT_EQ(send(quick_message), 6);
  EXPECT_FALSE(wire_->needs_reader()) << "it is gathered, and waits for no room";
  (void)send_until_full(quick_message);
  EXPECT_TRUE(wire_->needs_reader());
  EXPECT_NE(wire_->awaited() & POLLOUT, 0);
  EXPECT_FALSE(wire_->needs_reader());
  while (wire_->is_full()) {
    ASSERT_NE(at_the_broker(), "");
    (void)wire_->advance(false);
  }
  EXPECT_EQ(wire_->awaited() & POLLOUT, 0);
  (void)send_until_full(quick_message);
  EXPECT_TRUE(wire_->needs_reader()) << "once more";
}

// The library sees nothing of what is on its way, and would give up the connection.
TEST_F(GatheringWireTest, APingThatWouldHaveToWaitIsAnsweredAsLongAsBytesGo) {
  const std::string pingreq = "\xC0\0"s;
  const std::string large = large_message('\x30');
  EXPECT_EQ(send(large), static_cast<ssize_t>(large.size()));
  EXPECT_EQ(send(pingreq), 2);
  EXPECT_EQ(received(), pingresp);
  EXPECT_EQ(send(pingreq), 2) << "nothing has gone since: it waits, and if nothing goes nobody answers";
  EXPECT_EQ(received(), "");
  std::string came = at_the_broker();
  (void)wire_->advance(false);
  EXPECT_EQ(send(pingreq), 2);
  EXPECT_EQ(received(), pingresp);
  while (wire_->is_full()) {
    came += at_the_broker();
    (void)wire_->advance(false);
  }
  came += at_the_broker();
  EXPECT_TRUE(came == large + pingreq) << came.size() << " bytes";
  EXPECT_EQ(send(pingreq), 2);
  EXPECT_EQ(received(), "") << "the broker is to answer it";
  EXPECT_EQ(at_the_broker(), pingreq);
}

TEST_F(GatheringWireTest, APingNeedsNoRest) {
  wire_->ping_after(0s);
  EXPECT_EQ(at_the_broker(), "\xC0\0"s);
  EXPECT_EQ(send(message(1)), 8);
  EXPECT_FALSE(wire_->ping_after(0s));
  EXPECT_EQ(at_the_broker(), "") << "what is gathered will do as well";
}

}  // namespace
}  // namespace sistem
