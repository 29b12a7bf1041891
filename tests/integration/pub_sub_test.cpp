#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

class PubSub : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }
  std::unique_ptr<Broker> broker_;
};

TEST_F(PubSub, WithoutArgumentsSubShowsWhatPubMeasures) {
  const auto subscriber = subscribed(*broker_, {});
  Process publisher{pub(*broker_, {})};
  for (const char* topic : {"sistem/memori ", "sistem/beban ", "sistem/disk ", "sistem/uptime ", "sistem/cpu "}) {
    subscriber->wait_for_stdout(topic);
  }
  EXPECT_NE(subscriber->err().find("connected to 127.0.0.1:" + std::to_string(broker_->port()) +
                                   ", subscribed to sistem/# (QoS 0)"),
            std::string::npos)
      << subscriber->report();
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  // It prints each message that it publishes, so sub has printed the same.
  subscriber->wait_for_stdout(publisher.out());
  subscriber->signal(SIGINT);
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
}

TEST_F(PubSub, OneMessageArrivesAtEveryQos) {
  const auto subscriber = subscribed(*broker_, {"-t", "lab/#", "-v", "-q", "2", "-C", "3"});
  for (const char* qos : {"0", "1", "2"}) {
    expect_success(run(pub(*broker_, {"-t", "lab/"s + qos, "-m", "hello "s + qos, "-q", qos})));
  }
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  EXPECT_EQ(subscriber->out(), "lab/0 hello 0\nlab/1 hello 1\nlab/2 hello 2\n");
}

TEST_F(PubSub, WithQos1PubEndsAfterTheAcknowledgement) {
  expect_success(run(pub(*broker_, {"-t", "a", "-m", "x", "-q", "1"})));
  broker_->wait_for_log("Sending PUBACK");
}

TEST_F(PubSub, WithQos2PubEndsAfterTheWholeHandshake) {
  expect_success(run(pub(*broker_, {"-t", "a", "-m", "x", "-q", "2"})));
  broker_->wait_for_log("Sending PUBCOMP");
}

TEST_F(PubSub, OneMessageIsPublishedInSilence) {
  const Result result = run(pub(*broker_, {"-t", "a", "-m", "x"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out + result.err, "");
}

TEST_F(PubSub, EveryLineOfStdinArrivesInOrderAtEveryQos) {
  std::string lines;
  for (int line = 0; line < 3000; ++line) {
    lines += "line " + std::to_string(line) + "\n";
  }
  const Broker patient{"allow_anonymous true\nmax_queued_messages 0\n"};  // drops nothing for a slow subscriber
  for (const char* gathers : {"--one-by-one=false", "--one-by-one"}) {
    for (const char* qos : {"0", "1", "2"}) {
      const auto subscriber = subscribed(patient, {"-t", "lines", "-q", "2", "-C", "3000", gathers});
      expect_success(run(pub(patient, {"-t", "lines", "-l", "-q", qos, gathers}), lines));
      EXPECT_EQ(subscriber->wait(), 0) << subscriber->err();
      EXPECT_EQ(subscriber->out(), lines) << "QoS " << qos << " " << gathers;
    }
  }
}

TEST_F(PubSub, LinesKeepTheirBytes) {
  // Without a format an empty payload prints nothing, as with mosquitto_sub.
  const auto subscriber = subscribed(*broker_, {"-t", "bytes", "-C", "4", "-F", "%p"});
  expect_success(run(pub(*broker_, {"-t", "bytes", "-l", "-q", "1"}), "a\0b\n\n\xFF\xFE\r\nlast"s));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  EXPECT_EQ(subscriber->out(), "a\0b\n\n\xFF\xFE\r\nlast\n"s);
}

TEST_F(PubSub, ALineIsPublishedAsSoonAsItIsWritten) {
  const auto subscriber = subscribed(*broker_, {"-t", "live"});
  Process publisher{pub(*broker_, {"-t", "live", "-l"})};
  for (const char* line : {"one\n", "two\n"}) {
    publisher.write(line);
    subscriber->wait_for_stdout(line);
  }
  publisher.close_stdin();
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
}

TEST_F(PubSub, ALongLineArrivesWhole) {
  const std::string line(10 << 20, 'x');
  const auto subscriber = subscribed(*broker_, {"-t", "long", "-C", "1"});
  expect_success(run(pub(*broker_, {"-t", "long", "-l", "-q", "1"}), line + "\n"));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->err();
  EXPECT_TRUE(subscriber->out() == line + "\n") << subscriber->out().size() << " bytes";
}

TEST_F(PubSub, ARetainedMessageIsThereForThoseWhoComeLater) {
  expect_success(run(pub(*broker_, {"-t", "kept", "-m", "still here", "-r", "-q", "1"})));
  const Result result = run(sub(*broker_, {"-t", "kept", "-C", "1"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "still here\n");
}

TEST_F(PubSub, TheClientIdIsTheOneAskedFor) {
  expect_success(run(pub(*broker_, {"-t", "a", "-m", "x", "-i", "device-7"})));
  broker_->wait_for_log("as device-7 (");
}

TEST_F(PubSub, AMadeUpClientIdNamesTheTool) {
  expect_success(run(pub(*broker_, {"-t", "a", "-m", "x"})));
  broker_->wait_for_log("as pub");
}

TEST_F(PubSub, SubEndsWithStatus27WhenTimeIsUp) {
  const Result result = run(sub(*broker_, {"-t", "silent", "-C", "1", "-W", "0.2"}));
  EXPECT_EQ(result.status, 27) << result.report;
  EXPECT_NE(result.err.find("time is up after 0 of 1 messages"), std::string::npos) << result.report;
}

TEST_F(PubSub, EveryFilterIsSubscribedTo) {
  const auto subscriber = subscribed(*broker_, {"-t", "one", "-t", "two/+", "-v", "-C", "2"});
  expect_success(run(pub(*broker_, {"-t", "two/x", "-m", "2"})));
  expect_success(run(pub(*broker_, {"-t", "one", "-m", "1"})));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  EXPECT_EQ(subscriber->out(), "two/x 2\none 1\n");
}

TEST_F(PubSub, DebugNamesEachPacketOnStderr) {
  const Result result = run(pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "-d"}));
  EXPECT_EQ(result.out, "");
  std::size_t at = 0;
  for (const char* packet :
       {"-> CONNECT", "<- CONNACK", "-> PUBLISH  packet id 1, a, QoS 1, payload of 1 bytes, 8 bytes",
        "<- PUBACK  packet id 1, 4 bytes", "-> DISCONNECT"}) {
    at = result.err.find(packet, at);
    ASSERT_NE(at, std::string::npos) << packet << "\n" << result.report;
  }
}

TEST_F(PubSub, TheFirstConnectionIsTheOnlyOne) {
  // Paho alone would try twice where a broker is slow to answer, or by another address.
  expect_success(run(pub(*broker_, {"-t", "a", "-m", "x"})));
  broker_->wait_for_log("Received DISCONNECT");
  const std::string log = broker_->log();
  EXPECT_EQ(log.find("New connection"), log.rfind("New connection")) << log;
}

TEST_F(PubSub, ProxiesInTheEnvironmentAreNotObeyed) {
  Start start = pub(*broker_, {"-t", "a", "-m", "x", "-q", "1"});
  start.environment["http_proxy"] = "http://127.0.0.1:" + std::to_string(free_port());
  expect_success(run(start));
}

TEST_F(PubSub, PubAndSubNameTheirVersions) {
  for (const char* executable : {PUB, SUB}) {
    const Result result = run(tool(executable, broker_->port(), {"--version"}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_NE(result.out.find(" " VERSION "\n"), std::string::npos) << result.report;
    EXPECT_EQ(result.err, "");
  }
}

TEST_F(PubSub, HelpGoesToStdoutWithStatus0) {
  for (const char* executable : {PUB, SUB}) {
    const Result result = run(tool(executable, broker_->port(), {"--help"}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_TRUE(result.out.starts_with("Usage: ")) << result.report;
    EXPECT_EQ(result.err, "");
  }
}

}  // namespace
}  // namespace sistem::test
