// A link with the name of mosquitto's client is that client for a script.
#include <gtest/gtest.h>

#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

class DropIn : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
    std::filesystem::create_symlink(PUB, folder_.path() / "mosquitto_pub");
    std::filesystem::create_symlink(SUB, folder_.path() / "mosquitto_sub");
  }

  /// The arguments that lead to the broker, with nothing of ours in the environment.
  [[nodiscard]] Start start(const std::string& name, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (folder_.path() / name).string());
    return {.command = std::move(arguments),
            .environment = {{"XDG_CONFIG_HOME", (folder_.path() / "config").string()}}};
  }
  [[nodiscard]] std::string port() const { return std::to_string(broker_->port()); }

  TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
};

TEST_F(DropIn, PublishesAndPrintsAndSaysNothingElse) {
  Process subscriber{start("mosquitto_sub", {"-p", port(), "-t", "lab/#", "-v", "-C", "2", "-q", "1"})};
  broker_->wait_for_log("Sending SUBACK");
  for (const char* topic : {"lab/a", "lab/b"}) {
    const Result result = run(start("mosquitto_pub", {"-p", port(), "-t", topic, "-m", "hello there", "-q", "1"}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(result.out + result.err, "") << result.report;
  }
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "lab/a hello there\nlab/b hello there\n");
  EXPECT_EQ(subscriber.err(), "");
}

TEST_F(DropIn, ReadsTheOptionsFileOfThatName) {
  folder_.write("config/mosquitto_pub", "# for all\n-p " + port() + "\n-t lab/file\n--retain\n-q 1\n");
  folder_.write("config/mosquitto_sub", "-h 127.0.0.1\n--port " + port() + "\n-t lab/#\n-C 1\n-v\n");
  const Result published = run(start("mosquitto_pub", {"-m", "kept"}));
  EXPECT_EQ(published.status, 0) << published.report;
  const Result printed = run(start("mosquitto_sub", {}));
  EXPECT_EQ(printed.status, 0) << printed.report;
  EXPECT_EQ(printed.out, "lab/file kept\n") << printed.report;
}

TEST_F(DropIn, WantsATopicAsMosquittoDoes) {
  const Result nothing_to_publish = run(start("mosquitto_pub", {"-p", port()}));
  EXPECT_EQ(nothing_to_publish.status, 2) << nothing_to_publish.report;
  const Result nothing_to_print = run(start("mosquitto_sub", {"-p", port()}));
  EXPECT_EQ(nothing_to_print.status, 2) << nothing_to_print.report;
}

TEST_F(DropIn, DoesNotWarnOfAPasswordThatAScriptHasAlwaysTyped) {
  const Result result =
      run(start("mosquitto_pub", {"-p", port(), "-u", "me", "-P", "secret", "-t", "lab/a", "-m", "x"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.err, "") << result.report;
}

}  // namespace
}  // namespace sistem::test
