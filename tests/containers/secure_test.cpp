// The lab where nobody gets in (compose/secure.yml), and what every container of the lab is confined to.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/containers/lab.hpp"
#include "tests/support/hardening.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

const std::filesystem::path secrets{SOURCE_DIR "/compose/secrets"};

class SecureLab : public testing::Test {
 protected:
  void SetUp() override {
    must(compose({"down"}));
    must(typed({"compose/secure", "up"}), building);
  }
  void TearDown() override {
    must(typed({"compose/secure", "down"}));
    if (!had_secrets_) {
      std::filesystem::remove_all(secrets);
    }
  }

 private:
  bool had_secrets_ = std::filesystem::exists(secrets);
};

TEST_F(SecureLab, LetsItsToolsInWithoutASecretBeingTyped) {
  Process subscriber{exec("mqtt-sub", {"./sub", "-v", "-C", "1"})};
  subscriber.wait_for_stderr("subscribed to sistem/#");
  must(exec("mqtt-pub", {"./pub", "-t", "sistem/suhu", "-m", "28"}));
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "sistem/suhu 28\n");
}

TEST_F(SecureLab, KeepsOutWhoLacksOneOfTheKeysAndSaysWhich) {
  const struct {
    Words changed;  ///< of the environment, for env(1)
    Words options;
    int status;
    std::string words;
  } rows[] = {
      {{"-u", "MQTT_CERT", "-u", "MQTT_KEY"}, {}, 3, "TLS: it wants a client's certificate"},
      {{"MQTT_CAFILE=/run/secrets/certificate"}, {}, 3, "is not trusted"},
      {{}, {"--tls-server-name", "mqtt-pub"}, 3, "is for another host than \"mqtt-pub\" (for mqtt-broker, localhost"},
      {{"-u", "MQTT_PASSWORD_FILE", "MQTT_PASSWORD=wrong"}, {}, 4, "not authorized"},
      {{"-u", "MQTT_PASSWORD_FILE", "-u", "MQTT_USERNAME"}, {}, 4, "not authorized"},
      {{"MQTT_USERNAME=subscriber"}, {}, 4, "not authorized"},
      {{}, {"-t", "other"}, 5, "not authorized"},
      {{"-u", "MQTT_CAFILE", "-u", "MQTT_CERT", "-u", "MQTT_KEY"}, {"-p", "1883"}, 3, "connection refused"},
      {{"-u", "MQTT_CAFILE", "-u", "MQTT_CERT", "-u", "MQTT_KEY"}, {"--no-tls"}, 3, "it may want TLS"},
  };
  for (const auto& row : rows) {
    const Result result =
        run(exec("mqtt-pub", Words{"env"} + row.changed + Words{"./pub", "-t", "sistem/x", "-m", "y"} + row.options),
            "", containers_patience);
    EXPECT_EQ(result.status, row.status) << result.report;
    EXPECT_NE(result.err.find(row.words), std::string::npos) << result.report;
  }
  const Result writer = run(exec("mqtt-sub", {"./pub", "-t", "sistem/x", "-m", "y"}), "", containers_patience);
  EXPECT_NE(writer.status, 0) << "sub's container has no pub\n" << writer.report;
}

TEST_F(SecureLab, HasNoPasswordInAnArgumentAVariableOrAnImage) {
  std::string seen;
  for (const std::string& id : lines(must(compose({"ps", "--quiet"})))) {
    seen += must(typed({"docker", "inspect", id})) + must(typed({"docker", "top", id, "-eo", "pid,args"}));
  }
  for (const char* image : {"mqtt-lab-mqtt-pub", "mqtt-lab-mqtt-sub", "mqtt-lab-mqtt-health"}) {
    seen += must(typed({"docker", "history", "--no-trunc", image}));
    EXPECT_EQ(must(typed({"docker", "run", "--rm", image, "find", "/run", "/lab", "-name", "*.key", "-o", "-name",
                          "*password*"})),
              "");
  }
  for (const char* client : {"publisher", "subscriber", "health"}) {
    const std::string password = content(secrets / (client + std::string(".password"))).substr(0, 32);
    ASSERT_EQ(password.size(), 32U);
    EXPECT_EQ(seen.find(password), std::string::npos) << client;
  }
  // A tool has its own secrets and no other's, and the broker no password as it is.
  EXPECT_EQ(must(exec("mqtt-pub", {"ls", "/run/secrets"})), "ca\ncertificate\nkey\npassword\n");
  EXPECT_EQ(must(exec("mqtt-broker", {"ls", "/run/secrets"})), "ca\ncertificate\nkey\npasswords\n");
  EXPECT_EQ(must(exec("mqtt-broker", {"stat", "-c", "%a %u", "/tmp/passwords", "/tmp/acl"})), "400 1883\n600 1883\n");
}

/// What is to be seen of a container's confinement from the inside.
const Words look{"sh", "-c", R"(grep -E '^(CapBnd|CapEff|NoNewPrivs)' /proc/self/status
    touch /lab/x /usr/x /etc/x 2>/dev/null && echo 'it can write'
    touch /tmp/x || echo 'it cannot write into /tmp')"};

TEST_F(SecureLab, ConfinesEachOfItsContainers) {
  const std::string alone = "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n";
  for (const char* service : {"mqtt-broker", "mqtt-health", "mqtt-pub", "mqtt-sub"}) {
    EXPECT_EQ(must(exec(service, look)), alone) << service;
    const std::string id = lines(must(compose({"ps", "--quiet", service}))).at(0);
    EXPECT_EQ(must(typed({"docker", "inspect", "--format",
                          "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} "
                          "{{.HostConfig.CapDrop}} {{.HostConfig.Privileged}}",
                          id})),
              "true 536870912 256 [ALL] false\n")
        << service;
  }
  // The side-cars have what they need and no more: NET_RAW by the file of tcpdump, NET_ADMIN.
  must(compose({"--profile", "capture", "--profile", "disturb", "--profile", "analyze", "build"}), building);
  const auto in_side_car = [](const std::string& service) {
    return must(compose(Words{"run", "--rm", "-T", "--no-deps", service} + look), containers_patience);
  };
  EXPECT_EQ(in_side_car("capture"), "CapEff:\t0000000000000000\nCapBnd:\t0000000000002000\nNoNewPrivs:\t0\n");
  EXPECT_EQ(in_side_car("disturb"), "CapEff:\t0000000000001000\nCapBnd:\t0000000000001000\nNoNewPrivs:\t1\n");
  EXPECT_EQ(in_side_car("analyze"), alone);
}

TEST_F(SecureLab, RunsToolsThatAreHardened) {
  const TemporaryFolder folder;
  for (const std::string tool : {"pub", "sub"}) {
    const std::string copy = folder.path() / tool;
    must(compose({"cp", "mqtt-" + tool + ":/lab/" + tool, copy}));
    expect_hardened(copy);
    const std::string symbols = must(typed({"nm", "-D", "--undefined-only", copy}));
    EXPECT_NE(symbols.find(" __stack_chk_fail"), std::string::npos) << tool;
    static const std::regex fortified{" __(?!stack_)[a-z]+_chk"};
    EXPECT_TRUE(std::regex_search(symbols, fortified)) << tool;
  }
}

}  // namespace
}  // namespace sistem::test
