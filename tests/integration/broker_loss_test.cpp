#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

class BrokerLoss : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }
  std::unique_ptr<Broker> broker_;
};

TEST_F(BrokerLoss, SubComesBackWithAllItsSubscriptions) {
  Process subscriber{sub(*broker_, {"-t", "one", "-t", "two", "-v"})};
  subscriber.wait_for_stderr("subscribed to");
  for (int round = 0; round < 2; ++round) {
    broker_->stop(round == 0 ? SIGTERM : SIGKILL);
    broker_->start();
    broker_->wait_for_log("two (QoS 0)");  // SUBSCRIBE, as Mosquitto logs it
    for (const std::string topic : {"one", "two"}) {
      const std::string payload = "round " + std::to_string(round);
      EXPECT_EQ(run(pub(*broker_, {"-t", topic, "-m", payload, "-q", "1"})).status, 0);
      subscriber.wait_for_stdout(topic + " " + payload + "\n");
    }
  }
  EXPECT_NE(subscriber.err().find("lost the connection"), std::string::npos);
  subscriber.wait_for_stderr("connected again");
  subscriber.signal(SIGINT);
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
}

TEST_F(BrokerLoss, AReaderThatDoesNotReadCostsNoConnection) {
  const Broker broker{"allow_anonymous true\nmax_queued_messages 0\n"};
  for (const std::string qos : {"0", "1"}) {
    Process subscriber{sub(broker, {"-t", "flood", "-q", qos, "-k", "3", "-i", "slow" + qos, "-C", "200"})};
    subscriber.wait_for_stderr("subscribed to");
    // Far more than pipe, tool and sockets hold.
    const Start flood = pub(broker, {"-t", "flood", "-q", "1", "--repeat", "200", "-s"});
    ASSERT_EQ(run(flood, std::string(256 << 10, 'x')).status, 0);
    subscriber.wait_for_full_stdout();
    const auto pings = [&] {
      const std::string log = broker.log();
      const std::string ping = "Received PINGREQ from slow" + qos;
      int count = 0;
      for (std::size_t at = log.find(ping); at != std::string::npos; at = log.find(ping, at + 1)) {
        ++count;
      }
      return count;
    };
    const int before = pings();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (pings() < before + 2 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_GE(pings(), before + 2) << "the broker hears no pings";
    EXPECT_EQ(subscriber.wait(), 0) << subscriber.err();
    EXPECT_EQ(subscriber.err().find("lost"), std::string::npos) << subscriber.err();
    EXPECT_EQ(subscriber.out().size(), 200U * ((256U << 10) + 1));
  }
}

TEST_F(BrokerLoss, DebugLinesThatNobodyReadsHoldUpNothing) {
  constexpr int lines = 3000;
  Process subscriber{sub(*broker_, {"-t", "a", "-d", "-C", std::to_string(lines)})};
  subscriber.wait_for_stderr("subscribed to");
  EXPECT_EQ(run(pub(*broker_, {"-t", "a", "-l", "-q", "1"}), numbered(lines)).status, 0);
  EXPECT_EQ(subscriber.wait_without_reading(), 0);
}

TEST_F(BrokerLoss, PubPublishesOnWhenTheBrokerIsBack) {
  Process publisher{pub(*broker_, {})};
  publisher.wait_for_stdout("sistem/cpu");
  broker_->stop(SIGKILL);
  publisher.wait_for_stderr("lost the connection");
  broker_->start();
  broker_->wait_for_log("'sistem/cpu'");  // PUBLISH, as Mosquitto logs it
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
}

TEST_F(BrokerLoss, LinesThatPubReadWhileTheBrokerWasAwayArriveWhenItIsBack) {
  for (const std::string qos : {"0", "1", "2"}) {
    Process publisher{pub(*broker_, {"-t", "lines" + qos, "-l", "-q", qos})};
    publisher.write("before\n");
    broker_->wait_for_log("'lines" + qos + "'");
    broker_->stop(SIGKILL);
    publisher.wait_for_stderr("lost the connection");
    publisher.write("one\ntwo\nthree\n");
    publisher.close_stdin();
    broker_->start();
    EXPECT_EQ(publisher.wait(), 0) << publisher.report();
    // The broker's log tells: a subscriber might come back later than the publisher.
    for (const char* bytes : {"(3 bytes)", "(5 bytes)"}) {
      broker_->wait_for_log("'lines" + qos + "', ... " + bytes);
    }
  }
}

TEST_F(BrokerLoss, EveryLineArrivesThoughTheBrokerIsKilledInTheMiddle) {
  // sub has lost its connection too and misses what comes in before it is back; so the broker is asked, by its log.
  constexpr int lines = 2000;
  Process publisher{pub(*broker_, {"-t", "count", "-l", "-q", "1"})};
  std::string all;
  for (int line = 1; line <= lines; ++line) {
    all += std::string(static_cast<std::size_t>(line), 'x') + "\n";  // its size names it in the log
  }
  publisher.write(all);
  broker_->wait_for_log("Sending PUBACK");
  broker_->stop(SIGKILL);
  std::string log = broker_->log();
  broker_->start();
  publisher.close_stdin();
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  log += broker_->log();
  for (int line = 1; line <= lines; ++line) {
    ASSERT_NE(log.find("'count', ... (" + std::to_string(line) + " bytes)"), std::string::npos) << line;
  }
}

TEST_F(BrokerLoss, WaitForBrokerStartsBeforeTheBroker) {
  broker_->stop();
  Process subscriber{sub(*broker_, {"-t", "a", "-C", "1", "--wait-for-broker"})};
  subscriber.wait_for_stderr("waiting for it");
  Process publisher{pub(*broker_, {"-t", "a", "-m", "at last", "-r", "--wait-for-broker=60"})};
  publisher.wait_for_stderr("waiting for it");
  broker_->start();
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "at last\n");
}

TEST_F(BrokerLoss, WaitForBrokerGivesUpWhenItsTimeIsOver) {
  const Result result = run(tool(PUB, free_port(), {"-t", "a", "-m", "x", "--wait-for-broker=0.3"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find("waiting for it"), std::string::npos) << result.report;
}

TEST_F(BrokerLoss, WaitForBrokerGivesUpInTimeThoughSomethingAcceptsTheConnection) {
  const RogueBroker silent{{}};
  const auto start = std::chrono::steady_clock::now();
  const Result result = run(tool(PUB, silent.port(), {"-t", "a", "-m", "x", "--wait-for-broker=0.5"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8)) << "as long as one attempt may take";
}

TEST_F(BrokerLoss, AConnectionThatDoesNotHoldIsNotRepeatedInAHurry) {
  // Accepts, and closes: for ever, if pub went on as fast as it can.
  const RogueBroker rogue{{{RogueBroker::connect_packet, std::string("\x20\x02\x00\x00", 4), true}}};
  const auto start = std::chrono::steady_clock::now();
  Process publisher{tool(PUB, rogue.port(), {"-t", "a", "-l", "-q", "1"})};
  while (rogue.connections() < 6) {
    ASSERT_LT(std::chrono::steady_clock::now(), start + patience) << publisher.report();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // The first, one at once, and four after waits of at least 50, 100, 200 and 400 ms.
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(750));
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
}

TEST_F(BrokerLoss, WithoutWaitForBrokerThereIsNoWait) {
  const Result result = run(tool(PUB, free_port(), {"-t", "a", "-m", "x"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_EQ(result.err.find("waiting"), std::string::npos) << result.report;
}

}  // namespace
}  // namespace sistem::test
