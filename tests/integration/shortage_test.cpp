#include <gtest/gtest.h>

#include "tests/integration/tools.hpp"
#include "tests/support/loopback.hpp"

namespace sistem::test {
namespace {

/// A tool under a limit of the shell's ulimit.
Start limited(const std::string& limit, Start start) {
  // Without the descriptor that ctest leaves open, which would count.
  std::string line = "exec 3>&-; ulimit " + limit + "; exec";
  for (const std::string& word : start.command) {
    line += " '" + word + "'";
  }
  start.command = {"sh", "-c", line};
  return start;
}

class Shortage : public testing::Test {
 protected:
  void SetUp() override {
    if (are_sanitized()) {
      GTEST_SKIP() << "a sanitizer maps more memory than any limit here allows";
    }
  }
};

TEST_F(Shortage, OfMemoryAtTheStartIsTold) {
  int told = 0;
  for (int limit = 16000; limit <= 40000; limit += 2000) {  // KiB
    const Result result =
        run(limited("-v " + std::to_string(limit), tool(PUB, free_port(), {"-t", "a", "-m", "x", "--no-reconnect"})));
    constexpr int not_loaded = 127;
    EXPECT_TRUE(result.status == not_loaded || result.status == 3 || result.status == 1) << result.report;
    if (result.status == 1) {
      ++told;
      EXPECT_TRUE(result.err == "pub: cannot start a thread: resource temporarily unavailable\n" ||
                  result.err == "pub: there is not enough memory\n")
          << result.report;
    }
  }
  EXPECT_GT(told, 0) << "no limit was in between";
}

TEST_F(Shortage, OfDescriptorsIsNotBlamedOnTheBroker) {
  NEEDS_MOSQUITTO();
  const Broker broker;
  const Result result = run(limited("-n 4", pub(broker, {"-t", "a", "-m", "x"})));
  EXPECT_EQ(result.status, 1) << result.report;
  EXPECT_NE(result.err.find("threads, memory or descriptors of this process are short"), std::string::npos)
      << result.report;
}

TEST_F(Shortage, OfMemoryForAMessageIsTold) {
  NEEDS_MOSQUITTO();
  const Broker broker;
  Process subscriber{limited("-v 120000", sub(broker, {"-t", "a", "-C", "1"}))};
  subscriber.wait_for_stderr("subscribed to");
  EXPECT_EQ(run(pub(broker, {"-t", "a", "-s", "-q", "1"}), std::string(60'000'000, 'x')).status, 0);
  EXPECT_EQ(subscriber.wait(), 1) << subscriber.err();
  EXPECT_TRUE(subscriber.err().ends_with("sub: there is not enough memory\n")) << subscriber.err();
}

}  // namespace
}  // namespace sistem::test
