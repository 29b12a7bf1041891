#include <gtest/gtest.h>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

class Ping : public testing::Test {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }
};

TEST_F(Ping, OfABrokerThatWorksIsOneLineAndStatus0) {
  const Broker broker;
  for (const char* executable : {PUB, SUB}) {
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"-q", "1"}, {"-q", "2", "-V", "5"}, {"-t", "some/topic"}}) {
      std::vector<std::string> arguments{"--ping"};
      arguments.insert(arguments.end(), options.begin(), options.end());
      const Result result = run(tool(executable, broker.port(), arguments));
      EXPECT_EQ(result.status, 0) << result.report;
      EXPECT_EQ(result.err, "");
      EXPECT_TRUE(result.out.starts_with("ping 127.0.0.1:" + std::to_string(broker.port()) + ": subscribed in "))
          << result.report;
      EXPECT_TRUE(result.out.ends_with(" ms\n")) << result.report;
    }
  }
  broker.wait_for_log("'some/topic'");
}

TEST_F(Ping, IsNotFooledByWhatIsKeptOrComesFromOthers) {
  const Broker broker;
  ASSERT_EQ(run(pub(broker, {"-t", "some/topic", "-m", "ping 0123456789abcdef", "-r", "-q", "1"})).status, 0);
  EXPECT_EQ(run(pub(broker, {"--ping", "-t", "some/topic"})).status, 0);
}

TEST_F(Ping, SaysWhatIsWrongByItsStatus) {
  const Result nobody = run(tool(PUB, free_port(), {"--ping"}));
  EXPECT_EQ(nobody.status, 3) << nobody.report;
  const Broker strict{"allow_anonymous false\n"};
  EXPECT_EQ(run(pub(strict, {"--ping"})).status, 4);
  const TemporaryFolder folder;
  const auto acl = folder.write("acl", "topic readwrite open/#\n");
  const Broker narrow{"allow_anonymous true\nacl_file " + acl.string() + "\n"};
  EXPECT_EQ(run(sub(narrow, {"--ping", "-V", "5", "-t", "closed/x", "-q", "1"})).status, 5);
  EXPECT_EQ(run(sub(narrow, {"--ping", "-t", "open/x"})).status, 0);
  // Does not even acknowledge.
  const RogueBroker mute{
      {{RogueBroker::connect_packet, "\x20\x02\x00\x00"s}, {RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x01"s}}};
  const Result unheard = run(tool(PUB, mute.port(), {"--ping", "-q", "1", "-W", "0.3"}));
  EXPECT_EQ(unheard.status, 27) << unheard.report;
  // Accepts everything and brings nothing back.
  const RogueBroker silent{
      {{RogueBroker::connect_packet, "\x20\x02\x00\x00"s}, {RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x00"s}}};
  const Result late = run(tool(SUB, silent.port(), {"--ping", "-W", "1.5"}));
  EXPECT_EQ(late.status, 27) << late.report;
  EXPECT_NE(late.err.find("has not come back"), std::string::npos) << late.report;
}

}  // namespace
}  // namespace sistem::test
