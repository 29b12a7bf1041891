// When pub publishes, and what it says of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"
#include "tests/support/terminal.hpp"

namespace sistem::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Json = nlohmann::json;

/// What --report=json has printed, the last line.
Json report_of(const std::string& out) {
  const auto end = out.find_last_not_of('\n');
  const auto begin = out.rfind('\n', end);
  return Json::parse(out.substr(begin == std::string::npos ? 0 : begin + 1));
}

/// The children of a process.
std::vector<pid_t> children_of(pid_t parent) {
  std::ifstream file("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) {
    children.push_back(child);
  }
  return children;
}

class PubPace : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }

  /// A running sub with these options.
  std::unique_ptr<Process> subscriber(std::vector<std::string> options) const {
    auto process = std::make_unique<Process>(sub(*broker_, std::move(options)));
    process->wait_for_stderr("subscribed to");
    return process;
  }

  std::unique_ptr<Broker> broker_;
};

TEST_F(PubPace, ARateIsThatOfTheArrivals) {
  const auto listener = subscriber({"-t", "a", "-F", "%U"});  // when each arrives, in seconds
  const auto start = std::chrono::steady_clock::now();
  const Result result =
      run(pub(*broker_, {"-t", "a", "-m", "x", "--rate", "100", "--duration", "2s", "--report=json"}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 2s);
  EXPECT_EQ(result.status, 0) << result.report;
  const Json report = report_of(result.out);
  EXPECT_EQ(report["sent"].get<int>() + report["skipped"].get<int>(), 200) << report;
  EXPECT_DOUBLE_EQ(report["rate_asked"], 100.0);
  EXPECT_EQ(run(pub(*broker_, {"-t", "a", "-m", "end"})).status, 0);
  std::vector<double> arrivals;
  for (const auto begin = std::chrono::steady_clock::now(); arrivals.size() <= report["sent"].get<std::size_t>();) {
    ASSERT_LT(std::chrono::steady_clock::now(), begin + patience) << listener->report();
    std::this_thread::sleep_for(5ms);
    listener->poll_output();
    std::istringstream times(listener->out());
    arrivals.clear();
    for (double time = 0; times >> time;) {
      arrivals.push_back(time);
    }
  }
  arrivals.pop_back();
  // However busy the machine is, half of all stretches of fifty messages take about as long as they should.
  constexpr std::size_t stretch = 50;
  std::vector<double> spacings;
  for (std::size_t at = 0; at + stretch < arrivals.size(); ++at) {
    spacings.push_back((arrivals[at + stretch] - arrivals[at]) / stretch);
  }
  ASSERT_FALSE(spacings.empty());
  const auto middle = spacings.begin() + static_cast<std::ptrdiff_t>(spacings.size() / 2);
  std::nth_element(spacings.begin(), middle, spacings.end());
  if (report["skipped"] == 0) {
    EXPECT_NEAR(*middle, 0.01, 0.0001);
  }
}

TEST_F(PubPace, ACountIsSentInFullAndCountedByTheBroker) {
  const auto listener = subscriber({"-t", "a", "-q", "1", "-C", "300"});
  const Result result = run(pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--rate", "1000", "--burst", "10",
                                           "--jitter", "50%", "--repeat", "300", "--report=json"}));
  EXPECT_EQ(result.status, 0) << result.report;
  const Json report = report_of(result.out);
  EXPECT_EQ(report["sent"], 300) << report;
  EXPECT_EQ(report["acknowledged"], 300) << report;
  EXPECT_EQ(report["skipped"], 0) << report;
  EXPECT_TRUE(report["acknowledgement_ms"]["p99"].get<double>() >= report["acknowledgement_ms"]["p50"].get<double>());
  EXPECT_EQ(listener->wait(), 0) << listener->report();
}

TEST_F(PubPace, AnHourCanBeHadInAMoment) {
  const auto listener = subscriber({"-t", "a", "-q", "1", "-C", "360"});
  const Result result = run(pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--interval", "10", "--duration", "1h",
                                           "--speed", "max", "--report=json"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(report_of(result.out)["sent"], 360) << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
}

TEST_F(PubPace, LinesArePacedOneByOne) {
  const auto start = std::chrono::steady_clock::now();
  const Result result = run(pub(*broker_, {"-t", "a", "-l", "--interval", "0.1", "-v"}), "1\n2\n3\n");
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_GE(std::chrono::steady_clock::now() - start, 200ms);
  EXPECT_EQ(result.out, "a 1\na 2\na 3\n");
}

TEST_F(PubPace, ABrokerThatDoesNotAcknowledgeIsToldAsTheLimit) {
  const RogueBroker deaf{{{RogueBroker::connect_packet, {"\x20\x02\x00\x00", 4}}}};
  // 100 messages are taken, and then there is no room.
  Process publisher{tool(PUB, deaf.port(), {"-t", "a", "-m", "x", "-q", "1", "--rate", "1000", "--report=json"})};
  const auto messages = [&] {
    const auto packets = deaf.packets();
    return std::count_if(packets.begin(), packets.end(),
                         [](const Packet& packet) { return packet.type == PacketType::publish; });
  };
  const auto start = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> full_since;
  while (!full_since || std::chrono::steady_clock::now() < *full_since + 200ms) {  // in which there is no room
    ASSERT_LT(std::chrono::steady_clock::now(), start + patience) << publisher.report();
    std::this_thread::sleep_for(5ms);
    if (!full_since && messages() >= 100) {
      full_since = std::chrono::steady_clock::now();
    }
  }
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 1) << publisher.report();
  const Json report = report_of(publisher.out());
  EXPECT_EQ(report["sent"], 100) << report;
  EXPECT_EQ(report["acknowledged"], 0) << report;
  EXPECT_EQ(report["unacknowledged"], 100) << report;
  EXPECT_GT(report["skipped"].get<int>(), 100) << report;
  EXPECT_EQ(report["limit"], "broker") << report;
  EXPECT_NE(publisher.err().find("slots were skipped"), std::string::npos) << publisher.err();
  EXPECT_NE(publisher.err().find("100 messages were not published and acknowledged"), std::string::npos);
}

TEST_F(PubPace, ASignalEndsARunWithoutAnEndWellAndItIsReported) {
  Process publisher{pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--rate", "50", "--report", "-i", "paced"})};
  broker_->wait_for_log("Sending PUBACK to paced");
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  EXPECT_EQ(publisher.out().find("clients          1\nsent             "), 0U) << publisher.report();
  EXPECT_NE(publisher.out().find("\nunacknowledged   0\n"), std::string::npos) << publisher.report();
  broker_->wait_for_log("Received DISCONNECT from paced");
}

TEST_F(PubPace, LinesThatAStopLeavesAreCounted) {
  Process publisher{pub(*broker_, {"-t", "a", "-l", "-q", "1", "--interval", "3600", "--report=json", "-i", "liner"})};
  publisher.write("1\n2\n3\n");  // stdin stays open
  broker_->wait_for_log("Sending PUBACK to liner");
  publisher.signal(SIGTERM);
  EXPECT_EQ(publisher.wait(), 1) << publisher.report();
  const Json report = report_of(publisher.out());
  EXPECT_EQ(report["sent"], 1) << report;
  EXPECT_EQ(report["acknowledged"], 1) << report;
  EXPECT_EQ(report["not_sent"].get<int>() > 0, true) << report;
}

TEST(PubReport, ABrokerThatStoodIsTheLimitOfAStampedRunToo) {
  const auto to_publish = [](const Packet& publish) {
    if (publish.id == 50) {
      std::this_thread::sleep_for(1s);
    }
    return acknowledgement(4, *publish.id);
  };
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x02\x00\x00"s},
                           {.to = RogueBroker::publish_packet, .bytes = "", .answer = to_publish}}};
  const Result result = run(tool(
      PUB, rogue.port(),
      {"-t", "a", "-m", "x", "-q", "1", "--stamp", "--rate", "100", "--repeat", "150", "-M", "5", "--report=json"}));
  EXPECT_EQ(result.status, 0) << result.report;
  const Json report = report_of(result.out);
  EXPECT_EQ(report["limit"], "broker") << report;
  EXPECT_GT(report["behind_seconds"], 0.5) << report;
  EXPECT_NE(result.err.find("the pace was not kept: messages were sent late, "), std::string::npos) << result.report;
}

TEST(PubReport, LinesThatALossHasLeftUnreadAreNotCalledSent) {
  const RogueBroker rogue{
      {{RogueBroker::connect_packet, "\x20\x02\x00\x00"s}, {RogueBroker::publish_packet, "", true}}};
  const Result result =
      run(tool(PUB, rogue.port(), {"-t", "a", "-l", "-q", "1", "--no-reconnect", "--report=json"}), numbered(20000));
  EXPECT_EQ(result.status, 3) << result.report;
  const Json report = report_of(result.out);
  EXPECT_EQ(report.at("input_left"), true) << report;
  EXPECT_GT(report["not_sent"], 0) << report;
  EXPECT_LT(report["sent"].get<int>() + report["not_sent"].get<int>(), 20000) << "what was not read is not counted";
  const Result count = run(tool(
      PUB, rogue.port(), {"-t", "a", "-m", "x", "--repeat", "20000", "-q", "1", "--no-reconnect", "--report=json"}));
  EXPECT_EQ(report_of(count.out)["sent"].get<int>() + report_of(count.out)["not_sent"].get<int>(), 20000)
      << count.report;
}

TEST_F(PubPace, WithoutAPaceTheRateIsThatOfAllTheTime) {
  const Result result = run(pub(*broker_, {"-t", "a", "-l", "-q", "1", "--report=json"}), numbered(500));
  const Json report = report_of(result.out);
  EXPECT_EQ(report.at("input_left"), false) << report;
  EXPECT_NEAR(report["rate_achieved"].get<double>() * report["seconds"].get<double>(), 500, 1) << report;
}

TEST_F(PubPace, RefusedMessagesAreCountedByTheirReason) {
  const TemporaryFolder folder;
  const std::string rules = folder.write("acl", "topic readwrite open/#\n").string();
  const Broker strict{"allow_anonymous true\nacl_file " + rules + "\n"};
  const std::vector<std::string> options{"-V", "5", "-q", "1", "--repeat", "5"};
  std::vector<std::string> closed{"-t", "closed/a", "-m", "x", "--report=json"};
  closed.insert(closed.end(), options.begin(), options.end());
  const Result refused = run(pub(strict, closed));
  EXPECT_EQ(refused.status, 5) << refused.report;
  const Json report = report_of(refused.out);
  EXPECT_EQ(report["sent"], 5) << report;
  EXPECT_EQ(report["acknowledged"], 0) << report;
  EXPECT_EQ(report["refusals"]["not authorized (0x87)"], 5) << report;
  EXPECT_NE(refused.err.find("5 of 5 messages were refused; the first: the broker refused the message to closed/a"),
            std::string::npos)
      << refused.report;
}

TEST_F(PubPace, ALineThatTheBrokerDoesNotTakeIsCountedAndTheOthersArrive) {
  const Broker small{"allow_anonymous true\nmax_packet_size 100\n"};
  const Result result = run(pub(small, {"-t", "a", "-l", "-V", "5", "-q", "1", "--report=json"}),
                            "one\n" + std::string(200, 'x') + "\ntwo");
  EXPECT_EQ(result.status, 5) << result.report;
  const Json report = report_of(result.out);
  EXPECT_EQ(report["sent"], 3) << report;
  EXPECT_EQ(report["acknowledged"], 2) << report;
  EXPECT_EQ(report["refusals"]["it takes packets of 100 bytes at most"], 1) << report;
}

TEST_F(PubPace, WhatIsSentAgainIsCounted) {
  // The first connection takes the message and is closed; the second acknowledges it.
  const std::string connack{"\x20\x02\x00\x00", 4};
  std::vector<RogueBroker::Reply> honest = honest_acknowledgements();
  honest.push_back({RogueBroker::connect_packet, connack});
  const RogueBroker rogue{{{RogueBroker::connect_packet, connack}, {RogueBroker::publish_packet, "", true}}, honest};
  const Result result = run(tool(PUB, rogue.port(), {"-t", "a", "-m", "x", "-q", "1", "--report=json"}));
  EXPECT_EQ(result.status, 0) << result.report;
  const Json report = report_of(result.out);
  EXPECT_EQ(report["sent"], 1) << report;
  EXPECT_EQ(report["acknowledged"], 1) << report;
  EXPECT_EQ(report["sent_again"], 1) << report;
}

TEST_F(PubPace, OnATerminalItShowsHowFarItIsAndThenNothingOfIt) {
  Terminal terminal{{PUB, "-h", "127.0.0.1", "-p", std::to_string(broker_->port()), "-t", "a", "-m", "x", "--rate",
                     "20", "--repeat", "40"}};
  terminal.wait_for("% ");
  terminal.wait_for("of 40 messages");
  EXPECT_EQ(terminal.wait(), 0);
  const std::string erased = "\r\x1B[K";
  EXPECT_TRUE(terminal.screen().ends_with(erased)) << terminal.screen();
}

TEST_F(PubPace, OnATerminalItShowsHowFarAllClientsAre) {
  Terminal terminal{{PUB, "-h", "127.0.0.1", "-p", std::to_string(broker_->port()), "-t", "a", "-m", "x", "--rate",
                     "20", "--repeat", "40", "--clients", "2"}};
  terminal.wait_for("of 80 messages");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_EQ(terminal.screen().find("0 of 80 messages, 0.0/s"), std::string::npos) << terminal.screen();
}

TEST_F(PubPace, WhatIsPrintedDoesNotActOnATerminal) {
  Terminal terminal{
      {PUB, "-h", "127.0.0.1", "-p", std::to_string(broker_->port()), "-t", "a", "-m", "\x1B[31m°C", "-v"}};
  terminal.wait_for("a \\x1b[31m°C\r\n");
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(PubPace, InAPipeItShowsNothing) {
  const Result result = run(pub(*broker_, {"-t", "a", "-m", "x", "--rate", "10", "--duration", "1.5s"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out + result.err, "");
}

TEST_F(PubPace, SeveralClientsAreOneRunWithOneReport) {
  const auto listener = subscriber({"-t", "a", "-q", "1", "-C", "1000"});
  const Result result = run(pub(
      *broker_, {"-t", "a", "-m", "x", "-q", "1", "--clients", "4", "--repeat", "250", "-i", "dev", "--report=json"}));
  EXPECT_EQ(result.status, 0) << result.report;
  const Json report = report_of(result.out);
  EXPECT_EQ(report["clients"], 4) << report;
  EXPECT_EQ(report["sent"], 1000) << report;
  EXPECT_EQ(report["acknowledged"], 1000) << report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  for (const char* id : {"dev-1", "dev-2", "dev-3", "dev-4"}) {
    broker_->wait_for_log(std::string("Received DISCONNECT from ") + id);
  }
  EXPECT_EQ(result.err, "");
}

TEST_F(PubPace, AStopReachesAllClients) {
  Process publisher{
      pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--clients", "3", "--rate", "20", "-I", "dev", "--report=json"})};
  for (const char* id : {"dev-1", "dev-2", "dev-3"}) {
    broker_->wait_for_log(std::string("Sending PUBACK to ") + id);
  }
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  const Json report = report_of(publisher.out());
  EXPECT_EQ(report["clients"], 3) << report;
  EXPECT_EQ(report["acknowledged"], report["sent"]) << report;
  for (const char* id : {"dev-1", "dev-2", "dev-3"}) {
    broker_->wait_for_log(std::string("Received DISCONNECT from ") + id);
  }
}

TEST_F(PubPace, AClientThatIsKilledIsNamedAndTheOthersGoOn) {
  Process publisher{
      pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--clients", "2", "--rate", "20", "-i", "dev", "--report=json"})};
  broker_->wait_for_log("Sending PUBACK to dev-1");
  broker_->wait_for_log("Sending PUBACK to dev-2");
  const auto children = children_of(publisher.pid());
  ASSERT_EQ(children.size(), 2U);
  ::kill(children[1], SIGKILL);
  broker_->wait_for_log("Client dev-2 ");  // has gone, in whatever words
  publisher.signal(SIGTERM);
  EXPECT_EQ(publisher.wait(), 128 + SIGKILL) << publisher.report();
  EXPECT_NE(publisher.err().find("1 of 2 clients failed: 2 by signal 9 (Killed)"), std::string::npos)
      << publisher.report();
  EXPECT_EQ(report_of(publisher.out())["clients"], 1) << publisher.report();
}

TEST_F(PubPace, TheStatusOfSeveralClientsIsTheWorst) {
  const Result result = run(tool(PUB, free_port(), {"-t", "a", "-m", "x", "--clients", "2"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find("pub[1]: no broker at "), std::string::npos) << result.report;
  EXPECT_NE(result.err.find("pub: 2 of 2 clients failed: 1 with status 3, 2 with status 3\n"), std::string::npos)
      << result.report;
}

TEST_F(PubPace, ClientsEndWithTheProcessThatHasStartedThem) {
  Process publisher{pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--clients", "2", "--rate", "20", "-i", "dev"})};
  broker_->wait_for_log("Sending PUBACK to dev-1");
  broker_->wait_for_log("Sending PUBACK to dev-2");
  publisher.signal(SIGKILL);
  broker_->wait_for_log("Received DISCONNECT from dev-1");
  broker_->wait_for_log("Received DISCONNECT from dev-2");
}

/// compose/simulate against a broker of its own, and all that it publishes.
struct Simulation {
  Broker broker;
  Process listener{sub(broker, {"-t", "sistem/#", "-v"})};
  std::optional<Process> simulate;

  explicit Simulation(const std::string& seed) {
    listener.wait_for_stderr("subscribed to");
    Start start = pub(broker, {});
    start.command = {SOURCE_DIR "/compose/simulate", "360", seed};
    const std::string tools = std::string(PUB).substr(0, std::string(PUB).rfind('/'));
    start.environment["PATH"] = tools + ":/usr/bin:/bin";
    simulate.emplace(start);
  }

  /// The lines on a topic, once there are so many of them.
  std::vector<std::string> lines(const std::string& topic, std::size_t count) {
    for (const auto begin = std::chrono::steady_clock::now();; std::this_thread::sleep_for(5ms)) {
      listener.poll_output();
      std::vector<std::string> all;
      std::istringstream text(listener.out());
      for (std::string line; std::getline(text, line);) {
        if (line.starts_with(topic + " ")) {
          all.push_back(line);
        }
      }
      if (all.size() >= count || std::chrono::steady_clock::now() > begin + patience) {
        return all;
      }
    }
  }
};

TEST_F(PubPace, AnHourOfAHouseIsTheSameForTheSameSeed) {
  Simulation one{"7"};
  Simulation same{"7"};
  ASSERT_EQ(one.simulate->wait(60s), 0) << one.simulate->report();
  ASSERT_EQ(same.simulate->wait(60s), 0) << same.simulate->report();
  const std::pair<const char*, std::size_t> topics[] = {
      {"sistem/suhu", 360}, {"sistem/lembap", 120}, {"sistem/cahaya", 60}, {"sistem/pintu", 80}};
  for (const auto& [topic, count] : topics) {
    EXPECT_EQ(one.lines(topic, count).size(), count) << topic;
    EXPECT_EQ(one.lines(topic, count), same.lines(topic, count)) << topic;
  }
  const std::string first = one.lines("sistem/cahaya", 60)[0];
  EXPECT_NE(first.find("2026-11-25T05:30:00.000"), std::string::npos) << first;
  one.listener.wait_for_stdout("sistem/kebun gone\n");
}

}  // namespace
}  // namespace sistem::test
