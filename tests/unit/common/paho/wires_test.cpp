// What of this room Paho's two threads run, without Paho: the wires in its hands, and what each thread waits with.
#include "common/paho/wires.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <memory>
#include <set>
#include <string>

#include "common/paho/client.hpp"
#include "common/paho/receive_thread.hpp"
#include "common/paho/send_thread.hpp"
#include "common/process/descriptor.hpp"
#include "common/tricks.hpp"
#include "tests/support/wire_fixture.hpp"

extern "C" {  // NOLINTBEGIN(readability-identifier-naming): Paho's
int Thread_signal_cond(void* condition);
int Thread_wait_cond(void* condition, int timeout_ms);
}  // NOLINTEND(readability-identifier-naming)

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// A client that never connects: while it lives, Paho has the lists that its threads look into.
struct IdleClient : Client::Listener {
  void on_lost(const Client& /*client*/) override {}
  void on_delivered(const Client& /*client*/, std::uint64_t /*number*/, int /*qos*/) override {}
  void on_failed(const Client& /*client*/, std::uint64_t /*number*/, std::uint16_t /*id*/, int /*code*/) override {}
  void on_arrived(const Client& /*client*/, Message /*message*/, bool /*has_topic*/) override {}

  Client client{*this, "idle", ConnectionConfig{}, 1};
};

/// A wire in the hands of Paho, of whose threads there are none: the test is each of them.
class WiresTest : public WireTest {
 protected:
  explicit WiresTest(bool gathers = true) : WireTest({.gathers = gathers}) {
    wires().offer(client_, wire_, urgency_);
    socket_ = wires().attach(client_).value_or(0);
    drop_old_signals();
  }
  ~WiresTest() override { wires().detach(socket_); }

  /// Whether the send thread, had it waited, would have been woken.
  static bool is_woken() { return Thread_wait_cond(nullptr, 0) == 0; }
  /// This thread may have been the receive thread of another test.
  static void drop_old_signals() {
    send_thread::wake();
    (void)is_woken();
  }

  const IdleClient idle_;
  const int client_ = wires().new_client();
  const std::shared_ptr<Urgency> urgency_ = std::make_shared<Urgency>();
  int socket_ = 0;
};

TEST(Wires, AWireIsAttachedOnceAndOnlyToItsClient) {
  Wires all;
  const int one = all.new_client();
  const int other = all.new_client();
  EXPECT_NE(Wires::uri_of(one), Wires::uri_of(other));
  EXPECT_FALSE(all.attach(one)) << "nothing is offered";
  const auto wire = [] { return std::make_shared<Wire>(Channel{Descriptor{-1}}, Wire::Observer{}, Wire::Start{}); };
  const auto first = wire();
  const auto second = wire();
  all.offer(one, first, std::make_shared<Urgency>());
  all.offer(one, second, std::make_shared<Urgency>());
  EXPECT_FALSE(all.attach(other));
  const auto generation = all.generation();
  const auto socket = all.attach(one);
  ASSERT_TRUE(socket);
  EXPECT_GT(*socket, 0);
  EXPECT_NE(all.generation(), generation);
  EXPECT_EQ(all.at(*socket), second.get()) << "what was offered last";
  EXPECT_FALSE(all.attach(one)) << "it is attached already";
  all.offer(one, first, std::make_shared<Urgency>());
  all.offer(one, nullptr, nullptr);
  EXPECT_FALSE(all.attach(one)) << "it was taken back";
  all.detach(*socket);
  EXPECT_EQ(all.at(*socket), nullptr);
  all.offer(one, first, std::make_shared<Urgency>());
  EXPECT_GT(all.attach(one), *socket) << "no number is given twice";
}

TEST_F(WiresTest, SomebodyIsInAHurryIfOneOfTheSessionsIs) {
  EXPECT_FALSE(wires().urgent());
  ++urgency_->answers;
  EXPECT_TRUE(wires().urgent());
  --urgency_->answers;
  urgency_->messages = true;
  EXPECT_TRUE(wires().urgent());
}

// What the receive thread waits with.

TEST_F(WiresTest, WaitsForAPacketAndGivesItsSocket) {
  EXPECT_FALSE(receive_thread::wait_for_ready(0ms));
  broker_sends(message(1));
  EXPECT_EQ(receive_thread::wait_for_ready(10s), socket_);
  EXPECT_EQ(receive_thread::wait_for_ready(0ms), socket_) << "nobody has taken it";
  EXPECT_EQ(received(), message(1));
  EXPECT_FALSE(receive_thread::wait_for_ready(0ms));
}

TEST_F(WiresTest, HalfAPacketIsNone) {
  broker_sends(message(1).substr(0, 5));
  EXPECT_FALSE(receive_thread::wait_for_ready(0ms));
  broker_sends(message(1).substr(5));
  EXPECT_EQ(receive_thread::wait_for_ready(10s), socket_);
}

TEST_F(WiresTest, TheEndOfAConnectionIsSomethingToo) {
  ASSERT_EQ(::shutdown(peer_, SHUT_WR), 0);
  EXPECT_EQ(receive_thread::wait_for_ready(10s), socket_);
  EXPECT_TRUE(wire_->has_ended());
}

TEST_F(WiresTest, AWaitEndsWhereAWireComes) {
  auto waiting = std::async(std::launch::async, [] { return receive_thread::wait_for_ready(20s); });
  const auto begin = std::chrono::steady_clock::now();
  while (waiting.wait_for(1ms) != std::future_status::ready) {  // the first may come before it waits
    const int other = wires().new_client();
    wires().offer(other, wire_, urgency_);
    wires().detach(wires().attach(other).value_or(0));
  }
  EXPECT_FALSE(waiting.get()) << "Paho has others to ask for";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 15s);
}

/// Two with something to read.
class TwoWires : public WiresTest {
 protected:
  class Other : public WiresTest {
   public:
    void TestBody() override {}
    [[nodiscard]] int socket() const { return socket_; }
    void hear() const { broker_sends(message(2)); }
  };
  Other other_;
};

TEST_F(TwoWires, TakeTurns) {
  broker_sends(message(1));
  other_.hear();
  std::set<int> sockets;
  for (int turn = 0; turn < 2; ++turn) {
    sockets.insert(receive_thread::wait_for_ready(10s).value_or(0));
    sockets.insert(receive_thread::wait_for_ready(10s).value_or(0));
  }
  EXPECT_EQ(sockets, (std::set<int>{socket_, other_.socket()}));
}

// What the send thread waits with.

TEST_F(WiresTest, WorkThatComesBeforeTheWaitIsNotLost) {
  EXPECT_FALSE(is_woken());
  Thread_signal_cond(nullptr);
  Thread_signal_cond(nullptr);
  EXPECT_TRUE(is_woken());
  EXPECT_FALSE(is_woken()) << "and is told once";
}

TEST_F(WiresTest, BeforeItRestsItSendsWhatWasGathered) {
  send(quick_message);
  EXPECT_EQ(at_the_broker(), "");
  EXPECT_TRUE(is_woken()) << "it looks again: something may have come meanwhile";
  EXPECT_EQ(at_the_broker(), quick_message);
  EXPECT_FALSE(is_woken());
}

TEST_F(WiresTest, WhoeverIsInAHurryHasItLookSoon) {
  urgency_->messages = true;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Thread_wait_cond(nullptr, 20'000), ETIMEDOUT);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 15s);
}

TEST_F(WiresTest, WhatIsPutOffWakesItOnceAtTheEnd) {
  if constexpr (!tricks::woken_together) {
    GTEST_SKIP() << "this build wakes it for each";
  }
  {
    const send_thread::PutOff put_off;
    Thread_signal_cond(nullptr);
    Thread_signal_cond(nullptr);
    EXPECT_FALSE(is_woken());
  }
  EXPECT_TRUE(is_woken());
  EXPECT_FALSE(is_woken());
  { const send_thread::PutOff nothing; }
  EXPECT_FALSE(is_woken()) << "there was no work";
}

TEST_F(WiresTest, WhatIsKeptWakesItWithTheNext) {
  if constexpr (!tricks::woken_together) {
    GTEST_SKIP() << "this build wakes it for each";
  }
  {
    send_thread::PutOff put_off;
    Thread_signal_cond(nullptr);
    put_off.keep();
  }
  EXPECT_FALSE(is_woken());
  send_thread::wake();
  EXPECT_TRUE(is_woken());
}

TEST_F(WiresTest, AnswersThatAreReadGiveItNothingToDo) {
  if constexpr (!tricks::woken_together) {
    GTEST_SKIP() << "this build wakes it for each";
  }
  send_thread::reading_begins();
  Thread_signal_cond(nullptr);
  EXPECT_FALSE(is_woken());
  send_thread::reading_ends();
  EXPECT_TRUE(is_woken()) << "messages have come, which it acknowledges";
  urgency_->messages = true;
  send_thread::reading_begins();
  Thread_signal_cond(nullptr);
  send_thread::reading_ends();
  urgency_->messages = false;
  EXPECT_FALSE(is_woken());
}

}  // namespace
}  // namespace sistem
