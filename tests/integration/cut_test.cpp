// Connections that break under load, at any byte.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/integration/tools.hpp"
#include "tests/support/cutting_proxy.hpp"

namespace sistem::test {
namespace {

class Cut : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }
};

TEST_P(Cut, ConnectionsLoseNoLineAndKeepTheirOrder) {
  constexpr int lines = 5000;
  // What a subscriber hears once is heard again after a cut, but never before something that came earlier.
  const Broker broker{"allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"};
  Process subscriber{sub(broker, {"-t", "#", "-q", "2"})};
  subscriber.wait_for_stderr("subscribed to");
  const CuttingProxy network{broker.port(), 200, 20000, 6, 7};
  const Result publisher =
      run(tool(PUB, network.port(), {"-t", "count", "-l", "-q", GetParam(), "--reconnect-max-delay", "0.1"}),
          numbered(lines));
  // A cut behind the last line is one that pub knows of when it ends.
  const bool ends_cut = GetParam() == "0" && publisher.err.find("was lost before the end") != std::string::npos;
  ASSERT_EQ(publisher.status, ends_cut ? 3 : 0) << publisher.report;
  EXPECT_NE(publisher.err.find("connected again"), std::string::npos) << "nothing was cut\n" << publisher.report;
  if (GetParam() != "0") {  // QoS 0 promises nothing of what was on the wire
    ASSERT_EQ(run(pub(broker, {"-t", "end", "-m", "end", "-q", "1"})).status, 0);
    subscriber.wait_for_stdout("end\n");
    int first_arrivals = 0;
    std::set<std::string> seen;
    std::istringstream arrivals(subscriber.out());
    for (std::string line; std::getline(arrivals, line) && line != "end";) {
      if (seen.insert(line).second) {
        ASSERT_EQ(line, std::to_string(++first_arrivals)) << "out of order";
      }
    }
    EXPECT_EQ(first_arrivals, lines);
  }
}

/// In a session that the broker keeps each exchange goes on after a cut [MQTT-4.4.0-1]: QoS 2 is once.
TEST(CutSession, AKeptOnePublishesEachLineOnce) {
  NEEDS_MOSQUITTO();
  for (const char* version : {"311", "5"}) {
    const Broker broker{"allow_anonymous true\nmax_queued_messages 0\n"};
    Process subscriber{sub(broker, {"-t", "#", "-q", "2"})};
    subscriber.wait_for_stderr("subscribed to");
    const CuttingProxy network{broker.port(), 200, 20000, 8, 11};
    const std::string lines = numbered(3000);
    const Result publisher =
        run(tool(PUB, network.port(),
                 {"-V", version, "-t", "count", "-l", "-q", "2", "-c", "-i", "writer", "--reconnect-max-delay", "0.1"}),
            lines);
    ASSERT_EQ(publisher.status, 0) << publisher.report;
    EXPECT_NE(publisher.err.find("connected again"), std::string::npos) << "nothing was cut\n" << publisher.report;
    ASSERT_EQ(run(pub(broker, {"-t", "end", "-m", "end", "-q", "1"})).status, 0);
    subscriber.wait_for_stdout("end\n");
    EXPECT_EQ(subscriber.out(), lines + "end\n");
  }
}

TEST(CutSession, AKeptOneReceivesEachMessageOnce) {
  NEEDS_MOSQUITTO();
  for (const char* version : {"311", "5"}) {
    const Broker broker{"allow_anonymous true\nmax_queued_messages 0\n"};
    const CuttingProxy network{broker.port(), 200, 20000, 8, 13};
    Process subscriber{tool(
        SUB, network.port(),
        {"-V", version, "-t", "#", "-q", "2", "-c", "-i", "reader", "-C", "3001", "--reconnect-max-delay", "0.1"})};
    subscriber.wait_for_stderr("subscribed to");
    const std::string lines = numbered(3000) + "end\n";
    ASSERT_EQ(run(pub(broker, {"-t", "count", "-l", "-q", "2"}), lines).status, 0);
    EXPECT_EQ(subscriber.wait(std::chrono::seconds(60)), 0) << subscriber.report().substr(0, 2000);
    EXPECT_NE(subscriber.err().find("connected again"), std::string::npos) << "nothing was cut";
    EXPECT_EQ(subscriber.out(), lines);
  }
}

INSTANTIATE_TEST_SUITE_P(AtQos, Cut, testing::Values("0", "1", "2"));

}  // namespace
}  // namespace sistem::test
