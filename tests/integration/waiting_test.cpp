// How long the tools wait for a broker, or for what it has to answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <thread>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Clock = std::chrono::steady_clock;

const RogueBroker::Reply accepted{RogueBroker::connect_packet, "\x20\x02\x00\x00"s};
const RogueBroker::Reply grants{RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x00"s};

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// Ends with that status, not sooner than the limit that it was given.
Result expect_to_wait(const Start& start, std::chrono::milliseconds limit, int status) {
  const auto before = Clock::now();
  Result result = run(start);
  EXPECT_GE(Clock::now() - before, limit) << result.report;
  EXPECT_EQ(result.status, status) << result.report;
  return result;
}

TEST(Waiting, ALimitIsUsedToItsEnd) {
  const std::uint16_t port = free_port();
  const std::tuple<const char*, Arguments, std::chrono::milliseconds, int> table[] = {
      {PUB, {"-t", "a", "-m", "x", "--wait-for-broker=1.5"}, 1500ms, 3},
      {SUB, {"-t", "a", "--wait-for-broker=1.5"}, 1500ms, 3},
      {SUB, {"-t", "a", "--wait-for-broker", "-W", "1.5"}, 1500ms, 27},
      {PUB, {"-t", "a", "-m", "x", "--wait-for-broker", "-W", "1.5"}, 1500ms, 27},
      {PUB, {"-t", "a", "-m", "x", "--request", "--wait-for-broker", "-W", "1.5"}, 1500ms, 27},
      {PUB, {"--ping", "--wait-for-broker", "-W", "1.5"}, 1500ms, 27},
  };
  for (const auto& [executable, arguments, limit, status] : table) {
    (void)expect_to_wait(tool(executable, port, arguments), limit, status);
  }
}

TEST(Waiting, ABrokerThatComesShortlyBeforeTheLimitIsFound) {
  // Without a limit the waits would be of up to 100 s by then.
  const std::uint16_t port = free_port();
  Process publisher{
      tool(PUB, port, {"-t", "a", "-m", "x", "-q", "1", "--wait-for-broker=4", "--reconnect-max-delay", "100"})};
  publisher.wait_for_stderr("waiting for it");
  std::this_thread::sleep_for(2500ms);
  const std::vector<RogueBroker::Reply> replies{accepted, {RogueBroker::publish_packet, acknowledgement(4, 1)}};
  const RogueBroker broker{replies, replies, RogueBroker::Clients::mqtt, port};
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
}

TEST(Waiting, ALostConnectionIsTriedToBeRegainedUntilTheLimit) {
  auto broker = std::make_unique<RogueBroker>(std::vector<RogueBroker::Reply>{accepted, grants});
  Process subscriber{tool(SUB, broker->port(), {"-t", "a", "--reconnect-for", "1.5"})};
  subscriber.wait_for_stderr("subscribed to");
  const std::uint16_t port = broker->port();
  const auto before = Clock::now();
  broker.reset();
  EXPECT_EQ(subscriber.wait(), 3) << subscriber.report();
  EXPECT_GE(Clock::now() - before, 1500ms);
  EXPECT_TRUE(subscriber.err().ends_with("sub: the connection to the broker at " + at(port) +
                                         " was lost and not regained in 1.5 s\n"))
      << subscriber.report();
}

TEST(Waiting, TheLimitIsForOneOutage) {
  // Closes each connection after a message was acknowledged: in all that takes longer than the limit.
  const RogueBroker broker{
      {accepted,
       {RogueBroker::publish_packet, "", false, [](const Packet& publish) { return acknowledgement(4, *publish.id); }},
       {RogueBroker::publish_packet, "", true, {}, 1}}};
  const Result result = run(tool(PUB, broker.port(),
                                 {"-t", "a", "-m", "x", "-q", "1", "--repeat", "8", "--repeat-delay", "0.2",
                                  "--reconnect-for", "0.8", "--reconnect-max-delay", "0.3"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_GE(broker.connections(), 4);
}

TEST(Waiting, WhereTheLastConnectionWorkedTheNextAttemptComesAtOnce) {
  // Each holds for more than a second. By the sixth loss the wait before the next attempt would be of 0.4 s at least.
  struct Times {
    std::mutex mutex;
    std::vector<Clock::time_point> connected;
    std::vector<Clock::time_point> closed;
  };
  const auto times = std::make_shared<Times>();
  const auto note_connect = [times](const Packet& /*connect*/) {
    const std::scoped_lock lock(times->mutex);
    times->connected.push_back(Clock::now());
    return ""s;
  };
  const auto note_close = [times](const Packet& /*ping*/) {
    const std::scoped_lock lock(times->mutex);
    times->closed.push_back(Clock::now());
    return ""s;
  };
  RogueBroker::Reply connack = accepted;
  connack.answer = note_connect;
  const RogueBroker broker{
      {connack, grants, {RogueBroker::ping_packet, "\xD0\0"s}, {RogueBroker::ping_packet, "", true, note_close, 1}}};
  Process subscriber{tool(SUB, broker.port(), {"-t", "a", "-k", "1"})};
  const auto deadline = Clock::now() + 2 * patience;
  while (broker.connections() < 7) {
    ASSERT_LT(Clock::now(), deadline) << subscriber.report();
    std::this_thread::sleep_for(10ms);
  }
  subscriber.signal(SIGTERM);
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  const std::scoped_lock lock(times->mutex);
  EXPECT_LT(std::min(times->connected[5] - times->closed[4], times->connected[6] - times->closed[5]), 400ms);
}

TEST(Waiting, AnAcknowledgementThatDoesNotComeIsWaitedForAsLongAsIsSaid) {
  const RogueBroker silent{{accepted}};
  const std::string left = " not acknowledged by the broker at " + at(silent.port()) + "\n";
  const Result one =
      expect_to_wait(tool(PUB, silent.port(), {"-t", "a", "-m", "x", "-q", "1", "-W", "0.5"}), 500ms, 27);
  EXPECT_EQ(one.err, "pub: time is up: 1 message was" + left);
  const Result repeated = expect_to_wait(
      tool(PUB, silent.port(), {"-t", "a", "-m", "x", "-q", "2", "-W", "0.5", "--repeat", "300"}), 500ms, 27);
  EXPECT_EQ(repeated.err, "pub: time is up: 20 messages were" + left);
  const Result delayed =
      expect_to_wait(tool(PUB, silent.port(),
                          {"-t", "a", "-m", "x", "-q", "1", "-W", "0.5", "--repeat", "3", "--repeat-delay", "0.01"}),
                     500ms, 27);
  EXPECT_EQ(delayed.err, "pub: time is up: 1 message was" + left);
  const Result request = run(tool(PUB, silent.port(), {"-V", "311", "-t", "a", "-m", "x", "--request", "-W", "0.5"}));
  EXPECT_EQ(request.status, 27) << request.report;
}

TEST(Waiting, ATimeoutOfPubCountsFromTheLastAcknowledgement) {
  // Eight messages in at least 1.4 s, each acknowledged at once: nothing has to wait.
  const RogueBroker broker{{accepted, {RogueBroker::publish_packet, "", false, [](const Packet& publish) {
                                         return acknowledgement(4, *publish.id);
                                       }}}};
  const Result result = run(
      tool(PUB, broker.port(), {"-t", "a", "-m", "x", "-q", "1", "-W", "1", "--repeat", "8", "--repeat-delay", "0.2"}));
  EXPECT_EQ(result.status, 0) << result.report;
}

TEST(Waiting, ATimeoutOfPubEndsAlsoItsConnecting) {
  const RogueBroker silent{{}};
  const Result result = run(tool(PUB, silent.port(), {"-t", "a", "-m", "x", "-W", "0.5"}));
  EXPECT_EQ(result.status, 27) << result.report;
  EXPECT_NE(result.err.find("time is up, and the broker at " + at(silent.port()) + " has not answered"),
            std::string::npos);
}

TEST(Waiting, OneMessageIsNotWaitedForForEver) {
  const RogueBroker silent{{accepted, {RogueBroker::ping_packet, "\xD0\0"s}}};
  Process publisher{tool(PUB, silent.port(), {"-t", "a", "-m", "x", "-q", "1", "-k", "5"})};
  EXPECT_EQ(publisher.wait(60s), 3) << publisher.report();
  EXPECT_EQ(publisher.err(),
            "pub: 1 message was not acknowledged by the broker at " + at(silent.port()) + " within 30 s\n");
}

TEST(Waiting, SilenceEndsSubAlsoWhileTheBrokerIsAway) {
  auto broker = std::make_unique<RogueBroker>(std::vector<RogueBroker::Reply>{accepted, grants});
  const std::string place = at(broker->port());
  Process subscriber{tool(SUB, broker->port(), {"-t", "a", "--idle", "1"})};
  subscriber.wait_for_stderr("subscribed to");
  broker.reset();
  EXPECT_EQ(subscriber.wait(), 3) << subscriber.report();
  EXPECT_TRUE(
      subscriber.err().ends_with("sub: nothing came for 1 s after 0 messages, and there is no connection to the "
                                 "broker at " +
                                 place + "\n"))
      << subscriber.report();
}

}  // namespace
}  // namespace sistem::test
