// The lab, done for real: its containers, ./sub and ./pub in them, a capture of their network, and what stands in it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/containers/lab.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/capture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

/// Whether a tool runs in a container.
bool runs(const std::string& service, const std::string& tool) {
  return run(exec(service, {"pidof", tool}), "", containers_patience).status == 0;
}

/// Stops a tool in a container. With `exec -T` a signal to the docker command would not get there.
void interrupt(const std::string& service, const std::string& tool) {
  const std::string id = lines(must(exec(service, {"pidof", tool}))).at(0);
  must(exec(service, {"sh", "-c", "kill -INT " + id}));
}

/// Each as the source says it, before all other tests (CMakeLists.txt).
TEST(Images, AreBuilt) {
  must(compose({"--profile", "capture", "--profile", "disturb", "--profile", "analyze", "build"}), building);
}

/// The containers, up before each test and down after it.
class Lab : public testing::Test {
 protected:
  void SetUp() override {
    must(compose({"down"}));
    must(compose({"up", "-d"}));
  }
  void TearDown() override { must(compose({"down"})); }

  TemporaryFolder folder_;
};

TEST_F(Lab, EachOfItsStepsIsOnTheWire) {
  const std::filesystem::path file = folder_.path() / "reqresp.pcap";
  Process capture{typed({"compose/capture", file})};
  capture.wait_for_stderr("capturing on br-mqtt into " + file.string(), building);
  Process subscriber{exec("mqtt-sub", {"./sub"})};
  subscriber.wait_for_stderr("subscribed to sistem/#");
  Process publisher{exec("mqtt-pub", {"./pub"})};
  for (const std::string topic : {"sistem/cpu ", "sistem/memori ", "sistem/uptime "}) {
    subscriber.wait_for_stdout(topic);
  }
  interrupt("mqtt-pub", "pub");
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  const std::vector<std::string> published = lines(publisher.out());
  ASSERT_FALSE(published.empty()) << publisher.report();
  subscriber.wait_for_stdout(published.back() + "\n");
  interrupt("mqtt-sub", "sub");
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  capture.signal(SIGINT);
  EXPECT_EQ(capture.wait(), 0) << capture.report();
  EXPECT_NE(capture.err().find(" packets captured"), std::string::npos) << capture.report();

  // Each message that pub printed is what sub printed, and stands in the capture for a person to read.
  const std::vector<std::string> received = lines(subscriber.out());
  EXPECT_EQ(received, published);
  const std::string bytes = content(file);
  for (const std::string& line : published) {
    const std::string::size_type space = line.find(' ');
    EXPECT_NE(bytes.find(line.substr(0, space) + line.substr(space + 1)), std::string::npos) << line;
  }

  EXPECT_NE(must(typed({"tcpdump", "-nr", file})).find(".1883: Flags [S]"), std::string::npos) << "no SYN";

  const Capture wire{file};
  const std::string to_broker = "mqtt.msgtype == 3 && tcp.dstport == 1883";
  ASSERT_FALSE(wire.values(to_broker, "ip.src").empty());
  const std::string publisher_address = wire.values(to_broker, "ip.src").at(0);
  const std::string stream = "tcp.stream == " + wire.values(to_broker, "tcp.stream").at(0) + " && ";
  const std::vector<std::pair<std::string, std::string>> steps = {
      {"ARP request", "arp.opcode == 1 && arp.src.proto_ipv4 == " + publisher_address},
      {"ARP reply", "arp.opcode == 2 && arp.dst.proto_ipv4 == " + publisher_address},
      {"SYN", stream + "tcp.flags.syn == 1 && tcp.flags.ack == 0 && tcp.dstport == 1883"},
      {"SYN-ACK", stream + "tcp.flags.syn == 1 && tcp.flags.ack == 1 && tcp.srcport == 1883"},
      {"ACK", stream + "tcp.flags.syn == 0 && tcp.flags.ack == 1 && tcp.len == 0 && tcp.dstport == 1883"},
      {"CONNECT", stream + "mqtt.msgtype == 1"},
      {"CONNACK with code 0", stream + "mqtt.msgtype == 2 && mqtt.conack.val == 0"},
      {"PUBLISH on sistem/...", stream + "mqtt.msgtype == 3 && mqtt.topic matches \"^sistem/\""},
      {"DISCONNECT", stream + "mqtt.msgtype == 14"},
  };
  std::uint64_t previous = 0;
  for (const auto& [name, filter] : steps) {
    const std::vector<std::uint64_t> frames = wire.numbers(filter, "frame.number");
    ASSERT_FALSE(frames.empty()) << "no " << name;
    EXPECT_GT(frames.front(), previous) << name << " comes too early";
    previous = frames.front();
  }

  // Two connections, sub's and pub's: the healthcheck's own are not seen here.
  const std::vector<std::uint64_t> streams = wire.numbers("mqtt.msgtype == 1", "tcp.stream");
  EXPECT_EQ(streams.size(), 2U);
  EXPECT_EQ(wire.numbers("mqtt.msgtype == 14", "frame.number").size(), 2U) << "both say goodbye";
  // The capture is whole. (What a busy machine answers too late TCP sends again, though nothing was lost.)
  EXPECT_TRUE(wire.values("tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment", "frame.number").empty());

  // The other side acknowledges each PUBLISH: those of pub to the broker, and those of the broker to sub.
  std::size_t acknowledged = 0;
  for (const std::uint64_t number : streams) {
    const std::string of_stream = "tcp.stream == " + std::to_string(number) + " && ";
    for (const auto& [from, back] :
         {std::pair{"tcp.srcport", "tcp.dstport"}, std::pair{"tcp.dstport", "tcp.srcport"}}) {
      const std::string sent = of_stream + "mqtt.msgtype == 3 && " + from + " == 1883";
      const std::vector<std::uint64_t> frames = wire.numbers(sent, "frame.number");
      const std::vector<std::uint64_t> ends = wire.numbers(sent, "tcp.nxtseq");
      ASSERT_EQ(frames.size(), ends.size());
      for (std::size_t at = 0; at < frames.size(); ++at) {
        const std::string answer = of_stream + back + " == 1883 && frame.number > " + std::to_string(frames[at]) +
                                   " && tcp.ack >= " + std::to_string(ends[at]);
        EXPECT_FALSE(wire.values(answer, "frame.number").empty()) << "no TCP ACK for frame " << frames[at];
        ++acknowledged;
      }
    }
  }
  EXPECT_GE(acknowledged, 2U);

  // Explained, it has the lab's names; in a container it is the same.
  const std::string findings = must(typed({"compose/analyze", file, "--native"}));
  EXPECT_NE(findings.find("mqtt-broker is the broker"), std::string::npos) << findings;
  EXPECT_NE(findings.find("CONNACK code 0: the broker accepted the client"), std::string::npos) << findings;
  for (const std::string& line : lines(findings)) {  // nothing is wrong but what a busy machine brings about
    const bool is_of_time = line.find("TCP retransmission") != std::string::npos ||
                            line.find("duplicate ACKs") != std::string::npos ||
                            line.find("steps of about 40 ms") != std::string::npos;
    EXPECT_TRUE(!line.starts_with("! ") || is_of_time) << findings;
  }
  const std::filesystem::path other = folder_.path() / "other";
  EXPECT_EQ(must(typed({"compose/analyze", file, "--docker", "--output", other}), building), findings);
  for (const std::filesystem::path& report : {folder_.path() / "report.html", other / "report.html"}) {
    EXPECT_NE(content(report).find("</html>"), std::string::npos) << report;
    EXPECT_FALSE(content(std::filesystem::path{report}.replace_extension(".md")).empty()) << report;
  }
  const Result nothing =
      run(typed({"compose/analyze", SOURCE_DIR "/README.md", "--docker", "--output", other}), "", containers_patience);
  EXPECT_EQ(nothing.status, 1) << nothing.report;
  EXPECT_FALSE(nothing.err.empty());
}

TEST_F(Lab, LosesPacketsUntilItIsToldNotTo) {
  // What loses packets in the broker's network namespace, by whichever means.
  const auto losing = [] {
    const std::string rules = must(
        compose({"run", "--rm", "-T", "--no-deps", "disturb", "sh", "-c", "tc qdisc show; iptables -S"}), building);
    std::size_t count = 0;
    for (const std::string& line : lines(rules)) {
      count += line.find("netem") != std::string::npos || line.find("-j DROP") != std::string::npos ? 1U : 0U;
    }
    return count;
  };
  EXPECT_EQ(losing(), 0U);
  EXPECT_NE(must(typed({"compose/disturb", "--loss", "30"})).find("30 % of the packets"), std::string::npos);
  EXPECT_EQ(losing(), 1U);
  must(typed({"compose/disturb", "--loss", "10"}));  // instead of that, not besides
  EXPECT_EQ(losing(), 1U);
  must(typed({"compose/disturb", "--off"}));
  EXPECT_EQ(losing(), 0U);
}

TEST_F(Lab, IsRecordedByTheHostsOwnTcpdump) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "recording br-mqtt with the host's tcpdump needs root";
  }
  Process tcpdump{typed({"tcpdump", "-nvi", "br-mqtt", "-w", "reqresp.pcap"}, folder_.path())};
  tcpdump.wait_for_stderr("listening on br-mqtt");
  Process publisher{exec("mqtt-pub", {"./pub"})};
  // tcpdump tells each second how many packets it has; 20 are more than it takes to connect and begin to publish.
  const auto got = [&tcpdump] {
    tcpdump.poll_output();
    const std::string::size_type at = tcpdump.err().rfind("Got ");
    return at == std::string::npos ? 0 : std::stoi("0" + tcpdump.err().substr(at + 4));
  };
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (got() < 20 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  tcpdump.signal(SIGINT);
  EXPECT_EQ(tcpdump.wait(), 0) << tcpdump.report();
  interrupt("mqtt-pub", "pub");
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  const Capture wire{folder_.path() / "reqresp.pcap"};
  EXPECT_FALSE(wire.values("mqtt.msgtype == 3 && mqtt.topic matches \"^sistem/\"", "frame.number").empty())
      << tcpdump.report();
}

TEST_F(Lab, EndsSubWhenAPersonPressesCtrlC) {
  Process terminal{typed({"script", "-qefc", "docker compose -f compose/mqtt.yml exec mqtt-sub ./sub", "/dev/null"})};
  terminal.wait_for_stdout("subscribed to sistem/#");
  // A person gets a message laid out, and nothing of it acts on the terminal.
  must(exec("mqtt-pub", {"./pub", "-t", "sistem/suhu", "-m", "28\x1B[2J"}));
  terminal.wait_for_stdout("28\\x1b[2J");
  terminal.write("\003");
  EXPECT_EQ(terminal.wait(), 0) << terminal.report();
  EXPECT_FALSE(runs("mqtt-sub", "sub"));
}

TEST_F(Lab, EndsPubWhenAPersonPressesCtrlC) {
  Process terminal{typed({"script", "-qefc", "docker compose -f compose/mqtt.yml exec mqtt-pub ./pub", "/dev/null"})};
  terminal.wait_for_stdout("sistem/uptime ");
  terminal.write("\003");
  EXPECT_EQ(terminal.wait(), 0) << terminal.report();
  EXPECT_FALSE(runs("mqtt-pub", "pub"));
}

TEST_F(Lab, HoldsItsToolsAndNoCompilerAndRunsThemAsNobodySpecial) {
  const std::string compilers = "for name in cc gcc c++ g++ clang ld cmake ninja make; do command -v $name; done; true";
  for (const std::string tool : {"pub", "sub"}) {
    const std::string service = "mqtt-" + tool;
    EXPECT_NE(must(exec(service, {"./" + tool, "--version"})).find(VERSION), std::string::npos);
    EXPECT_EQ(must(exec(service, {"sh", "-c", compilers})), "");
    EXPECT_NE(must(exec(service, {"id", "-u"})), "0\n");
  }
  EXPECT_EQ(must(compose({"run", "--rm", "-T", "capture", "sh", "-c", compilers})), "");
  EXPECT_NE(must(compose({"run", "--rm", "-T", "capture", "id", "-u"})), "0\n");
}

TEST_F(Lab, AnswersToTheShortCommandAtTheRootAndToTheLongOneAnywhere) {
  Process terminal{typed({"script", "-qefc", "docker compose exec mqtt-pub ./pub", "/dev/null"})};
  terminal.wait_for_stdout("sistem/uptime ");
  terminal.write("\003");
  EXPECT_EQ(terminal.wait(), 0) << terminal.report();
  const std::string file = std::string{SOURCE_DIR} + "/compose/mqtt.yml";
  EXPECT_NE(
      must(typed({"docker", "compose", "-f", file, "exec", "-T", "mqtt-pub", "./pub", "--version"}, "/")).find(VERSION),
      std::string::npos);
}

TEST_F(Lab, ComesBackByItselfWhenTheBrokerRestarts) {
  Process subscriber{exec("mqtt-sub", {"./sub"})};
  subscriber.wait_for_stderr("subscribed to sistem/#");
  Process publisher{exec("mqtt-pub", {"./pub"})};
  subscriber.wait_for_stdout("sistem/uptime ");
  must(compose({"restart", "mqtt-broker"}));
  // pub is back when somebody new hears its readings, sub when it hears somebody new.
  const std::string readings = must(exec("mqtt-sub", {"./sub", "--wait-for-broker=30", "-C", "3", "-W", "60"}));
  EXPECT_EQ(lines(readings).size(), 3U) << readings;
  Process prober{exec("mqtt-pub", {"./pub", "-r", "-q", "1", "-t", "sistem/probe", "-m", "back"})};
  EXPECT_EQ(prober.wait(), 0) << prober.report();
  subscriber.wait_for_stdout("sistem/probe back\n", containers_patience);
  interrupt("mqtt-pub", "pub");
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  interrupt("mqtt-sub", "sub");
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
}

TEST_F(Lab, KnowsByAPingWhetherItsBrokerWorks) {
  const auto health = [] {
    const std::string id = lines(must(compose({"ps", "--quiet", "mqtt-health"}))).at(0);
    return must(typed({"docker", "inspect", "--format", "{{.State.Health.Status}}", id}));
  };
  EXPECT_EQ(health(), "healthy\n");
  must(compose({"pause", "mqtt-broker"}));
  const auto deadline = std::chrono::steady_clock::now() + containers_patience;
  while (health() != "unhealthy\n" && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  }
  EXPECT_EQ(health(), "unhealthy\n");
  must(compose({"unpause", "mqtt-broker"}));
  must(compose({"restart", "mqtt-broker"}));
  while (health() != "healthy\n" && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  }
  EXPECT_EQ(health(), "healthy\n");
}

TEST_F(Lab, StopsItsIdleContainersByTheSignalAndNotByForce) {
  must(compose({"stop"}));
  for (const std::string& id : lines(must(compose({"ps", "--all", "--quiet"})))) {
    // 137 is what SIGKILL leaves, after ten seconds in which nothing heard SIGTERM.
    EXPECT_NE(must(typed({"docker", "inspect", "--format", "{{.State.ExitCode}}", id})), "137\n") << id;
  }
}

TEST_F(Lab, IsLeftUpByADemoThatFoundItUp) {
  const Result demo = run(typed({"compose/demo", "--docker", "--seconds", "3"}), "", building);
  EXPECT_EQ(demo.status, 0) << demo.report;
  EXPECT_EQ(lines(must(compose({"ps", "--quiet"}))).size(), 4U);
  EXPECT_FALSE(runs("mqtt-sub", "sub"));
  EXPECT_FALSE(runs("mqtt-pub", "pub"));
}

TEST_F(Lab, IsNotLeftWithASideCarByACaptureThatWasKilled) {
  Process capture{typed({"compose/capture", folder_.path() / "killed.pcap"})};
  capture.wait_for_stderr("capturing on br-mqtt", building);
  const Start side_cars =
      typed({"docker", "ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project=mqtt-lab", "--filter",
             "label=com.docker.compose.service=capture"});
  EXPECT_EQ(lines(must(side_cars)).size(), 1U);
  capture.signal(SIGKILL);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!must(side_cars).empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  EXPECT_EQ(must(side_cars), "");
}

TEST(Demo, ShowsAtLeastThreeTopicsAndTakesTheContainersDown) {
  must(compose({"down"}));
  const Result demo = run(typed({"compose/demo", "--docker", "--seconds", "3"}), "", building);
  EXPECT_EQ(demo.status, 0) << demo.report;
  std::set<std::string> topics;
  for (const std::string& line : lines(demo.out)) {
    if (line.starts_with("  sistem/")) {
      topics.insert(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  EXPECT_GE(topics.size(), 3U) << demo.report;
  EXPECT_EQ(must(compose({"ps", "--all", "--quiet"})), "");
}

TEST(Images, PassTheTestsOfASessionWithTheLibrariesThatTheyHave) {
  const Result tests =
      run(typed({"docker", "build", "--target", "session", "--tag", "mqtt-lab-session", "."}), "", building);
  // ctest takes whatever prints gtest's word for it for skipped, and those within may have skipped some.
  static const std::regex skipped{R"(\[  SKIPPED \])"};
  EXPECT_EQ(tests.status, 0) << std::regex_replace(tests.report, skipped, "(skipped)");
}

/// Every command of the README's lab, and the test of this file that runs it; the two that .ci/run itself runs too.
TEST(Readme, NamesNoCommandOfTheLabThatIsNotRunHere) {
  const std::set<std::string> run_here = {
      "docker compose -f compose/mqtt.yml up -d",                // Lab::SetUp()
      "docker compose -f compose/mqtt.yml exec mqtt-sub ./sub",  // Lab.EndsSubWhenAPersonPressesCtrlC
      "docker compose -f compose/mqtt.yml exec mqtt-pub ./pub",  // Lab.EndsPubWhenAPersonPressesCtrlC
      "docker compose exec mqtt-pub ./pub",                      // Lab.AnswersToTheShortCommandAtTheRoot...
      "docker compose -f compose/mqtt.yml down",                 // Lab::TearDown()
      "sudo tcpdump -nvi br-mqtt -w reqresp.pcap",               // Lab.IsRecordedByTheHostsOwnTcpdump, as root
      "compose/capture reqresp.pcap",                            // Lab.EachOfItsStepsIsOnTheWire
      "tcpdump -nr reqresp.pcap",                                // Lab.EachOfItsStepsIsOnTheWire
      "compose/analyze reqresp.pcap",                            // Lab.EachOfItsStepsIsOnTheWire
      "compose/lab",                                             // Guide.EachOfItsCommandsDoesWhatItSays
      "compose/demo",                                            // Demo.Shows..., .ci/run
      "tests/run",                                               // .ci/run
      "cmake --workflow --preset dev",                           // tests/run takes the same three steps
  };
  std::set<std::string> written;
  bool inside = false;
  for (const std::string& line : lines(content(std::filesystem::path{SOURCE_DIR} / "README.md"))) {
    if (line.starts_with("```")) {
      inside = line == "```sh";
    } else if (inside) {
      for (const char* word : {"docker ", "sudo ", "compose/", "tcpdump ", "tests/run", "cmake "}) {
        if (line.starts_with(word)) {
          written.insert(line.substr(0, line.find("  ")));
        }
      }
    }
  }
  EXPECT_EQ(written, run_here);
}

TEST(CaptureCommand, SaysThatTheLabIsNotUp) {
  must(compose({"down"}));
  const TemporaryFolder folder;
  const Result capture = run(typed({"compose/capture", folder.path() / "none.pcap"}));
  EXPECT_EQ(capture.status, 1) << capture.report;
  EXPECT_NE(capture.err.find("the lab is not up"), std::string::npos) << capture.report;
}

TEST(CaptureCommand, RecordsTheLoopbackWithoutDocker) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "recording the loopback needs root";
  }
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "loopback.pcap";
  const Broker broker;
  const std::string port = std::to_string(broker.port());
  Process capture{typed({"compose/capture", file, "--native", "--port", port})};
  capture.wait_for_stderr("capturing on lo into " + file.string());
  must(typed({PUB, "-h", "127.0.0.1", "-p", port, "-t", "sistem/lo", "-m", "hello", "-q", "1"}));
  broker.wait_for_log("Received DISCONNECT");
  capture.signal(SIGINT);
  EXPECT_EQ(capture.wait(), 0) << capture.report();
  const Capture wire{file, broker.port()};
  for (const char* packet : {"1", "2", "3", "4", "14"}) {  // CONNECT, CONNACK, PUBLISH, PUBACK, DISCONNECT
    EXPECT_EQ(wire.values(std::string("mqtt.msgtype == ") + packet, "frame.number").size(), 1U) << packet;
  }
}

TEST(CaptureCommand, EndsByItselfAfterTheSecondsAskedFor) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "recording the loopback needs root";
  }
  const TemporaryFolder folder;
  const Result capture = run(typed({"compose/capture", folder.path() / "short.pcap", "--native", "--seconds", "1"}));
  EXPECT_EQ(capture.status, 0) << capture.report;
  EXPECT_NE(capture.err.find("packets captured"), std::string::npos) << capture.report;
}

TEST(CaptureCommand, RefusesWhatItDoesNotUnderstand) {
  for (const Words& words : {Words{}, Words{"a", "b"}, Words{"a", "--seconds"}, Words{"a", "--seconds", "soon"},
                             Words{"a", "--frobnicate"}, Words{"a", "--port", "1883"}}) {
    const Result capture = run(typed(Words{"compose/capture"} + words));
    EXPECT_EQ(capture.status, 2) << capture.report;
    EXPECT_EQ(lines(capture.err).size(), 1U) << capture.report;
  }
}

TEST(DisturbCommand, SaysThatTheLabIsNotUp) {
  must(compose({"down"}));
  const Result disturb = run(typed({"compose/disturb", "--off"}), "", containers_patience);
  EXPECT_EQ(disturb.status, 1) << disturb.report;
  EXPECT_NE(disturb.err.find("the lab is not up"), std::string::npos) << disturb.report;
}

TEST(CommandsOfTheLab, RefuseWhatTheyDoNotUnderstand) {
  for (const Words& words :
       {Words{"analyze"}, Words{"analyze", "a", "b"}, Words{"analyze", "a", "--lang", "de"},
        Words{"analyze", "a", "--port", "0"}, Words{"analyze", "a", "--keylog"},
        Words{"analyze", "a", "--docker", "--native"}, Words{"demo", "--qos", "3"}, Words{"demo", "--record"},
        Words{"lab", "--lang", "de"}, Words{"lab", "--seconds"}, Words{"lab", "--frobnicate"}, Words{"disturb"},
        Words{"disturb", "--loss", "100"}, Words{"disturb", "--off", "now"}}) {
    Words command = words;
    command.front() = "compose/" + command.front();
    const Result refused = run(typed(command));
    EXPECT_EQ(refused.status, 2) << refused.report;
    EXPECT_EQ(lines(refused.err).size(), 1U) << refused.report;
  }
  const Result nothing = run(typed({"compose/analyze", "no-such.pcap"}));
  EXPECT_EQ(nothing.status, 1) << nothing.report;
}

}  // namespace
}  // namespace sistem::test
