// sub --verify on what pub --stamp has sent, through a Mosquitto and through a network that is not to be trusted.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/tools.hpp"
#include "tests/support/faulty_proxy.hpp"
#include "tests/support/temporary.hpp"
#include "tests/support/terminal.hpp"

namespace sistem::test {
namespace {

const Arguments verify{"-t", "a/#", "--verify", "--report=json"};

class Verify : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>("allow_anonymous true\nmax_queued_messages 0\n");
  }
  [[nodiscard]] Arguments version() const { return {"-V", GetParam()}; }

  std::unique_ptr<Broker> broker_;
};

nlohmann::json report_of(Process& listener, int status) {
  EXPECT_EQ(listener.wait(), status) << listener.report();
  return nlohmann::json::parse(listener.out());
}

TEST_P(Verify, NothingIsLostOnAGoodWay) {
  const auto listener = subscribed(
      *broker_, version() + verify + Arguments{"-q", "1", "--max-loss", "0", "--max-dup", "0", "--max-reorder", "0"});
  expect_success(run(pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-m", "x", "--stamp", "--rate", "1000",
                                                         "--repeat", "1000"})));
  const auto report = report_of(*listener, 0);
  EXPECT_EQ(report["received"], 1000);
  EXPECT_EQ(report["sent"], 1000);
  EXPECT_EQ(report["lost"], 0);
  EXPECT_EQ(report["runs"][0]["announced"], 1000);
  EXPECT_GT(report["since_due_ms"]["p50"], 0);
  EXPECT_GE(report["since_due_ms"]["max"], report["latency_ms"]["max"]);
}

TEST_P(Verify, EachFaultOfTheWayIsCountedExactly) {
  const auto fault_of = [](std::size_t number) {
    switch (number) {
      case 10:
      case 11:
      case 50: return Fault::dropped;
      case 20:
      case 21: return Fault::doubled;
      case 30: return Fault::overtaken;
      case 40: return Fault::damaged;
      case 60: return Fault::delayed;
      default: return Fault::none;
    }
  };
  const FaultyProxy network{broker_->port(), fault_of};
  Process listener{tool(SUB, network.port(), version() + verify + Arguments{"--max-loss", "3", "--max-dup", "2"})};
  listener.wait_for_stderr("subscribed to");
  expect_success(
      run(pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-m", "payload", "--stamp", "--repeat", "100"})));
  const auto report = report_of(listener, 6);
  EXPECT_EQ(report["sent"], 100);
  EXPECT_EQ(report["received"], 96);
  EXPECT_EQ(report["lost"], 4);  // the damaged one, too
  EXPECT_EQ(report["duplicated"], 2);
  EXPECT_EQ(report["reordered"], 1);
  EXPECT_EQ(report["furthest"], 1);
  EXPECT_EQ(report["corrupted"], 1);
  EXPECT_EQ(report["runs"][0]["lost_ranges"], nlohmann::json::parse("[[10,11],[40,40],[50,50]]"));
  EXPECT_GE(report["latency_ms"]["max"], 200);
  EXPECT_EQ(report["broken"], nlohmann::json::parse(R"(["lost 4, 1 more than the 3 allowed"])"));
  EXPECT_NE(listener.err().find("the verdict is no: lost 4, 1 more than the 3 allowed"), std::string::npos)
      << listener.report();
}

TEST_P(Verify, ATailThatIsLostIsLost) {
  const FaultyProxy network{
      broker_->port(), [](std::size_t number) { return number >= 8 && number <= 10 ? Fault::dropped : Fault::none; }};
  Process listener{tool(SUB, network.port(), version() + verify + Arguments{"--max-loss", "0"})};
  listener.wait_for_stderr("subscribed to");
  expect_success(run(pub(*broker_, version() + Arguments{"-t", "a/b", "-m", "x", "--stamp", "--repeat", "10"})));
  EXPECT_EQ(report_of(listener, 6)["runs"][0]["lost_ranges"], nlohmann::json::parse("[[8,10]]"));
}

TEST_P(Verify, ItEndsWhenAllPublishersHave) {
  const auto listener =
      subscribed(*broker_, version() + verify + Arguments{"-q", "1", "--publishers", "3", "--max-loss", "0"});
  expect_success(run(pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-m", "x", "--stamp", "--repeat", "20",
                                                         "--clients", "3"})));
  const auto report = report_of(*listener, 0);
  EXPECT_EQ(report["publishers"], 3);
  EXPECT_EQ(report["received"], 60);
}

TEST_P(Verify, OrByACountOrByTime) {
  auto listener = subscribed(*broker_, version() + verify + Arguments{"-q", "1", "-C", "5"});
  expect_success(
      run(pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-m", "x", "--stamp", "--repeat", "20"})));
  EXPECT_EQ(report_of(*listener, 0)["received"], 5);

  // Nothing at all is no result, whatever the budgets; nor is less than was to come.
  for (const Arguments& end : {Arguments{"-W", "0.2"}, Arguments{"--idle", "0.2", "--max-loss", "0"}}) {
    EXPECT_EQ(run(sub(*broker_, version() + verify + end)).status, 27);
  }
  expect_success(run(pub(*broker_, version() + Arguments{"-t", "a/kept", "-r", "-q", "1", "-m", "x", "--stamp"})));
  EXPECT_EQ(run(sub(*broker_, version() + verify + Arguments{"-C", "2", "-W", "0.5"})).status, 27);
  EXPECT_EQ(run(sub(*broker_, version() + verify + Arguments{"-W", "5", "-C", "1"})).status, 0);
}

TEST_P(Verify, ASeriesOfRunsIsOneTable) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "series.csv";
  for (int number = 0; number < 2; ++number) {
    const auto listener = subscribed(
        *broker_, version() + Arguments{"-t", "a/#", "--verify", "-q", "1", "--report=csv", "--report-file", file});
    expect_success(
        run(pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-m", "x", "--stamp", "--repeat", "5"})));
    EXPECT_EQ(listener->wait(), 0) << listener->report();
    EXPECT_EQ(listener->out(), "");
  }
  std::ifstream stream{file};
  std::string heading;
  std::string first;
  std::string second;
  std::string more;
  EXPECT_TRUE(std::getline(stream, heading) && std::getline(stream, first) && std::getline(stream, second));
  EXPECT_FALSE(std::getline(stream, more)) << more;
  EXPECT_TRUE(heading.starts_with("publishers,sent,received,")) << heading;
  EXPECT_TRUE(first.starts_with("1,5,5,0,")) << first;
  EXPECT_TRUE(second.starts_with("1,5,5,0,")) << second;
  const Result nowhere =
      run(sub(*broker_, version() + Arguments{"-t", "a", "--verify", "--report-file", folder.path() / "no" / "file"}));
  EXPECT_EQ(nowhere.status, 1) << nowhere.report;
  EXPECT_NE(nowhere.err.find("cannot write "), std::string::npos) << nowhere.report;
}

TEST_P(Verify, APublisherThatNeverCameIsNoSuccess) {
  const auto listener = subscribed(
      *broker_, version() + verify + Arguments{"-q", "1", "--publishers", "2", "--idle", "1", "--max-loss", "0"});
  expect_success(run(pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-m", "x", "--stamp"})));
  EXPECT_EQ(report_of(*listener, 27)["received"], 1);
  EXPECT_NE(listener->err().find("silence came before all publishers had ended"), std::string::npos)
      << listener->report();
}

TEST_P(Verify, WhatIsFilteredOutIsNotLost) {
  const auto listener = subscribed(*broker_, version() + Arguments{"-t", "#", "-T", "other/#", "-q", "1", "--verify",
                                                                   "--report=json", "--max-loss", "0"});
  for (const char* topic : {"other/a", "a/b"}) {
    expect_success(
        run(pub(*broker_, version() + Arguments{"-t", topic, "-q", "1", "-m", "x", "--stamp", "--repeat", "3"})));
  }
  EXPECT_EQ(report_of(*listener, 0)["sent"], 3);
}

TEST_P(Verify, WhatWasSeenIsReportedAlsoWhereTheBrokerGoes) {
  const auto listener = subscribed(*broker_, version() + verify + Arguments{"-q", "1", "--no-reconnect"});
  Process publisher{pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-l", "--stamp"})};
  publisher.write("x\n");
  broker_->wait_for_log("Received PUBACK");
  broker_->stop();
  EXPECT_EQ(listener->wait(), 3) << listener->report();
  EXPECT_EQ(nlohmann::json::parse(listener->out())["received"], 1) << listener->report();
}

TEST_P(Verify, APublisherThatIsStoppedOrFailsSaysHowManyThereWere) {
  for (const bool is_stopped : {true, false}) {
    const auto listener = subscribed(*broker_, version() + verify + Arguments{"-q", "1", "--max-loss", "0"});
    if (is_stopped) {
      Process publisher{
          pub(*broker_, version() + Arguments{"-t", "a/b", "-q", "1", "-m", "x", "--stamp", "--rate", "50"})};
      broker_->wait_for_log("Received PUBACK");
      publisher.signal(SIGINT);
      EXPECT_EQ(publisher.wait(), 0) << publisher.report();
    } else {
      EXPECT_EQ(run(pub(*broker_, version() + Arguments{"--jsonl", "-q", "1", "--stamp"}),
                    "{\"topic\":\"a/b\",\"payload\":\"x\"}\nno JSON\n")
                    .status,
                2);
    }
    const auto report = report_of(*listener, 0);
    EXPECT_EQ(report["runs"][0]["announced"], report["received"]) << listener->report();
  }
}

INSTANTIATE_TEST_SUITE_P(In, Verify, testing::Values("5", "311"));

TEST(VerifyOnATerminal, ALineSaysEachSecondHowItGoes) {
  NEEDS_MOSQUITTO();
  const Broker broker;
  Terminal terminal({SUB, "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-t", "a/#", "-q", "1", "--verify"});
  terminal.wait_for("subscribed to");
  Process publisher{pub(broker, {"-t", "a/b", "-q", "1", "-m", "x", "--stamp", "--rate", "100"})};
  terminal.wait_for(" received, 0 lost, 0 duplicated, 0 reordered; p50 ");
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  terminal.wait_for("publishers       1");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
}

TEST(VerifyClocks, TheOffsetIsFoundThroughTheBroker) {
  NEEDS_MOSQUITTO();
  const Broker broker;
  const auto listener = subscribed(broker, Arguments{"-V", "5", "-q", "1"} + verify);
  expect_success(run(pub(
      broker, {"-V", "5", "-t", "a/b", "-q", "1", "-m", "x", "--stamp", "--repeat", "5", "--clock-topic", "a/clock"})));
  const auto report = report_of(*listener, 0);
  EXPECT_EQ(report["received"], 5);
  EXPECT_EQ(report["unstamped"], 0);
  // One machine has one clock: the truth, 0, is within what it says.
  const double ahead = report["runs"][0]["clock_ahead_ms"];
  const double within = report["runs"][0]["clock_within_ms"];
  EXPECT_LE(std::abs(ahead), within + 0.01) << listener->report();
  EXPECT_GT(within, 0);

  const Result alone = run(pub(broker, {"-V", "5", "-t", "a/b", "-m", "x", "--stamp", "--clock-topic", "a/clock"}));
  EXPECT_EQ(alone.status, 0) << alone.report;
  EXPECT_NE(alone.err.find("nobody on a/clock has answered"), std::string::npos) << alone.report;
}

}  // namespace
}  // namespace sistem::test
