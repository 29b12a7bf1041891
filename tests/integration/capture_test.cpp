// What the tools send, as others read it: recorded by tcpdump on the loopback, taken apart by tshark.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/measure/stamp.hpp"
#include "common/text/encoding.hpp"
#include "tests/integration/tools.hpp"
#include "tests/support/capture.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/recorder.hpp"

namespace sistem::test {
namespace {

using Strings = std::vector<std::string>;

class OnTheWire : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    NEEDS_RECORDER();
  }

  /// Runs pub while the loopback is recorded, until the broker has heard its DISCONNECT.
  void record(const Broker& broker, std::uint16_t port, const Start& publisher, const std::string& input) {
    Recorder recorder{file_, {port}};
    const Result result = run(publisher, input);
    EXPECT_EQ(result.status, 0) << result.report;
    broker.wait_for_log("Received DISCONNECT");
    recorder.stop();
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_.path() / "lo.pcap";
};

TEST_F(OnTheWire, ATopicNameIsSentOnceAndThenItsAlias) {
  const Broker broker;
  record(broker, broker.port(), pub(broker, {"-V", "5", "--topic-alias", "auto", "-q", "1", "-t", "some/topic", "-l"}),
         "one\ntwo\nthree\n");
  const Capture wire{file_, broker.port()};
  // One frame may carry several packets.
  const auto all = [&](const std::string& filter, const std::string& field) {
    return fmt::format("{}", fmt::join(wire.values(filter, field), ","));
  };
  EXPECT_EQ(all("mqtt.msgtype == 3", "mqtt.topic_len"), "10,0,0");
  EXPECT_EQ(all("mqtt.msgtype == 3", "mqtt.property.topic_alias"), "1,1,1");
  EXPECT_EQ(all("mqtt.msgtype == 3", "mqtt.msg"), "6f6e65,74776f,7468726565");
  EXPECT_EQ(all("mqtt.msgtype == 4", "mqtt.msgid"), "1,2,3");
}

TEST_F(OnTheWire, AReportHasTheNumbersThatTheCaptureHas) {
  const Broker broker;
  Recorder recorder{file_, {broker.port()}};
  const auto listener = subscribed(broker, {"-t", "a", "--verify", "--report=json"});
  expect_success(run(pub(broker, {"-t", "a", "-m", "x", "--stamp", "--rate", "100", "--repeat", "200", "--nodelay"})));
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  recorder.stop();
  std::vector<double> took;  // ms since they were due
  const Capture wire{file_, broker.port()};
  const auto to_sub = fmt::format("mqtt.msgtype == 3 && tcp.srcport == {}", broker.port());
  for (const auto& frame : wire.rows(to_sub, {"frame.time_epoch", "mqtt.msg"})) {
    std::istringstream payloads{frame.at(1)};
    for (std::string digits; std::getline(payloads, digits, ',');) {
      Message message{.payload = bytes_of_hex(digits).value()};
      take_stamp_off(message);
      if (const auto stamp = stamp_of(message)) {
        const std::chrono::duration<double, std::milli> due = stamp->due.value().time_since_epoch();
        took.push_back(std::stod(frame[0]) * 1e3 - due.count());
      }
    }
  }
  ASSERT_EQ(took.size(), 200U);
  std::sort(took.begin(), took.end());
  const auto report = nlohmann::json::parse(listener->out());
  EXPECT_EQ(report["received"], 200);
  EXPECT_NEAR(report["since_due_ms"]["p50"], took[99], took[99] * 0.05);
}

TEST_F(OnTheWire, TheKeyLogOpensWhatTlsHides) {
  const Authority authority;
  const auto pair = authority.issue("broker", "DNS:localhost,IP:127.0.0.1");
  for (const std::string version : {"tlsv1.2", "tlsv1.3"}) {
    const std::uint16_t port = free_port();
    const Broker broker{fmt::format("allow_anonymous true\nlistener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n",
                                    port, authority.certificate().string(), pair.certificate.string(),
                                    pair.key.string())};
    const std::string keys = folder_.path() / ("keys-" + version);
    record(broker, port,
           tool(PUB, port,
                {"--cafile", authority.certificate(), "--tls-version", version, "--tls-keylog", keys, "-t",
                 "some/topic", "-m", "hidden", "-q", "1"}),
           "");
    const std::string as_tls = fmt::format("tcp.port=={},tls", port);
    const std::string inside = fmt::format("tls.port=={},mqtt", port);
    const Capture closed{file_, port, {"-d", as_tls, "-d", inside}};
    EXPECT_EQ(closed.values("mqtt", "mqtt.msgtype"), Strings{});
    const Capture open{file_, port, {"-d", as_tls, "-d", inside, "-o", "tls.keylog_file:" + keys}};
    // CONNECT, CONNACK, PUBLISH, PUBACK, DISCONNECT
    EXPECT_EQ(open.values("mqtt", "mqtt.msgtype"), (Strings{"1", "2", "3", "4", "14"})) << version;
    EXPECT_EQ(open.values("mqtt.msgtype == 3", "mqtt.topic"), Strings{"some/topic"});
    EXPECT_EQ(open.values("mqtt.msgtype == 3", "mqtt.msg"), Strings{"68696464656e"});
  }
}

}  // namespace
}  // namespace sistem::test
