// The lock of the lab (compose/secure.yml), door by door: its own configuration, rights and keys, in a Mosquitto of the
// test's own. Nobody passes who should not, and the tool says exactly why not. (tests/containers/secure_test.cpp has
// the same in the lab's containers.)
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "common/text/words.hpp"
#include "tests/integration/tools.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream all;
  all << std::ifstream(file).rdbuf();
  return all.str();
}

void must(std::vector<std::string> command, const std::string& directory = {}) {
  const Result result = run({.command = std::move(command), .directory = directory});
  ASSERT_EQ(result.status, 0) << result.report;
}

class Doors : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    must({SOURCE_DIR "/compose/secure", "keys", keys()});
    must({SOURCE_DIR "/compose/secure", "keys", folder_.path() / "strangers"});
    folder_.write(
        "openssl.cnf",
        "[req]\ndistinguished_name = subject\n[subject]\n"
        "[ca]\ndefault_ca = lab\n"
        "[lab]\ndatabase = index.txt\nnew_certs_dir = .\nrand_serial = yes\nunique_subject = no\npolicy = any\n"
        "[any]\ncommonName = supplied\n");
    folder_.write("index.txt", "");
    must({"cp", SOURCE_DIR "/compose/secure-mosquitto.acl", folder_.path() / "acl"});
    start();
  }

  [[nodiscard]] std::string keys(const std::string& file = "") const { return folder_.path() / "keys" / file; }
  [[nodiscard]] std::string strangers(const std::string& file) const { return folder_.path() / "strangers" / file; }

  /// Starts the broker as compose/secure.yml does, with the lab's own certificate or with that of another name.
  void start(const std::string& certificate = "broker") {
    const std::string text = filled(content(SOURCE_DIR "/compose/secure-mosquitto.conf"),
                                    {{"listener 8883\n", "\n"},
                                     {"log_dest stdout\n", "\n"},
                                     {"/run/secrets/ca\n", keys("ca.crt\n")},
                                     {"/run/secrets/certificate\n", keys(certificate + ".crt\n")},
                                     {"/run/secrets/key\n", keys(certificate + ".key\n")},
                                     {"/tmp/passwords", keys("passwords")},
                                     {"/tmp/acl", folder_.path() / "acl"}});
    ASSERT_EQ(text.find("/run/secrets"), std::string::npos) << text;
    broker_ = std::make_unique<Broker>(text);
  }

  /// What the lab's authority signs: NAME.crt and NAME.key among its keys.
  void issue(const std::string& name, const std::string& use, const std::string& hosts, bool is_expired) const {
    const std::string extensions = folder_.write(
        "extensions", fmt::format("extendedKeyUsage={}\n{}", use, hosts.empty() ? "" : "subjectAltName=" + hosts));
    must({"openssl", "req", "-config", "openssl.cnf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
          "-subj", "/CN=" + name, "-keyout", keys(name + ".key"), "-out", "request"},
         folder_.path());
    must({"openssl",
          "ca",
          "-batch",
          "-notext",
          "-config",
          "openssl.cnf",
          "-cert",
          keys("ca.crt"),
          "-keyfile",
          keys("ca.key"),
          "-rand_serial",
          "-md",
          "sha256",
          "-in",
          "request",
          "-extfile",
          extensions,
          "-startdate",
          "20200101000000Z",
          "-enddate",
          is_expired ? "20200102000000Z" : "20991231000000Z",
          "-out",
          keys(name + ".crt")},
         folder_.path());
  }

  /// A tool as compose/secure.yml starts it: with what belongs to that client, in its environment.
  [[nodiscard]] Start as(const std::string& client, const char* executable, Arguments arguments) const {
    Start start = tool(executable, broker_->port(), std::move(arguments));
    start.environment["MQTT_CAFILE"] = keys("ca.crt");
    start.environment["MQTT_CERT"] = keys(client + ".crt");
    start.environment["MQTT_KEY"] = keys(client + ".key");
    start.environment["MQTT_USERNAME"] = client;
    start.environment["MQTT_PASSWORD_FILE"] = keys(client + ".password");
    start.environment["MQTT_ALLOW_READABLE_SECRETS"] = "true";  // which below /run/secrets nobody has to say
    start.environment["MQTT_PROTOCOL_VERSION"] = "5";
    return start;
  }

  [[nodiscard]] Result publish(const std::string& client, const std::string& topic, const std::string& payload) const {
    return run(as(client, PUB, {"-q", "1", "-t", topic, "-m", payload}));
  }

  TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
};

TEST_F(Doors, LetInWhoHasAllOfTheKeys) {
  Process subscriber{as("subscriber", SUB, {"-C", "1"})};
  subscriber.wait_for_stderr("subscribed to sistem/#");
  expect_success(publish("publisher", "sistem/suhu", "28"));
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "sistem/suhu 28\n");
  expect_success(run(as("health", PUB, {"--ping"})));
}

/// Who comes with the wrong thing: what is changed of what lets a client in, and what it is told.
struct WrongKey {
  std::string name;
  std::map<std::string, std::string> changed;  ///< variables; empty: it has none
  Arguments arguments;
  int status;
  std::string words;
};

TEST_F(Doors, KeepOutWhoLacksOneAndSayWhich) {
  issue("expired", "clientAuth", "", true);
  const std::vector<WrongKey> wrongs{
      {"no certificate", {{"MQTT_CERT", ""}, {"MQTT_KEY", ""}}, {}, 3, "TLS: it wants a client's certificate"},
      {"a certificate of a stranger's authority",
       {{"MQTT_CERT", strangers("publisher.crt")}, {"MQTT_KEY", strangers("publisher.key")}},
       {},
       3,
       "TLS: it does not trust who signed our certificate"},
      {"a certificate whose key another one has",
       {{"MQTT_KEY", strangers("publisher.key")}},
       {},
       1,
       "is not that of the client's certificate"},
      {"an expired certificate",
       {{"MQTT_CERT", keys("expired.crt")}, {"MQTT_KEY", keys("expired.key")}},
       {},
       3,
       "TLS: our certificate has expired"},
      {"a server's certificate",
       {{"MQTT_CERT", keys("broker.crt")}, {"MQTT_KEY", keys("broker.key")}},
       {},
       3,
       "TLS: it does not take our certificate"},
      {"no name and no password", {{"MQTT_USERNAME", ""}, {"MQTT_PASSWORD_FILE", ""}}, {}, 4, "not authorized"},
      {"a name without its password", {{"MQTT_PASSWORD_FILE", ""}}, {}, 4, "not authorized"},
      {"another's password", {{"MQTT_PASSWORD_FILE", keys("subscriber.password")}}, {}, 4, "not authorized"},
      {"a name that nobody has", {{"MQTT_USERNAME", "root"}}, {}, 4, "not authorized"},
      {"TLS 1.1", {{"MQTT_TLS_VERSION", "tlsv1.1"}}, {"--ciphers", "DEFAULT@SECLEVEL=0"}, 3, "TLS: "},
      {"no TLS", {{"MQTT_CAFILE", ""}, {"MQTT_CERT", ""}, {"MQTT_KEY", ""}}, {"--no-tls"}, 3, "it may want TLS"},
  };
  for (const WrongKey& wrong : wrongs) {
    for (const char* executable : {PUB, SUB}) {
      const bool is_pub = executable == std::string(PUB);
      SCOPED_TRACE(wrong.name + (is_pub ? ", pub" : ", sub"));
      Start start = as("publisher", executable, is_pub ? Arguments{"-t", "sistem/x", "-m", "y"} : Arguments{});
      start.command.insert(start.command.end(), wrong.arguments.begin(), wrong.arguments.end());
      for (const auto& [variable, value] : wrong.changed) {
        start.environment[variable] = value;
      }
      const Result result = run(start);
      EXPECT_EQ(result.status, wrong.status) << result.report;
      EXPECT_NE(result.err.find(wrong.words), std::string::npos) << result.report;
      EXPECT_EQ(result.out, "") << result.report;
    }
  }
  EXPECT_EQ(broker_->log().find("Received PUBLISH"), std::string::npos) << broker_->log();
}

TEST_F(Doors, AreNotOpenedByAFalseBroker) {
  issue("expired", "serverAuth", "DNS:localhost,IP:127.0.0.1", true);
  issue("elsewhere", "serverAuth", "DNS:mqtt-broker.example", false);
  const std::pair<std::string, std::string> brokers[] = {
      {"expired", "TLS: the certificate of \"CN=expired\" has expired"},
      {"elsewhere",
       "TLS: the certificate of \"CN=elsewhere\" is for another host than \"127.0.0.1\" (for mqtt-broker.example)"},
      {"publisher", "TLS: the certificate of \"CN=publisher\": unsuitable certificate purpose"},
  };
  for (const auto& [certificate, words] : brokers) {
    start(certificate);
    const Result result = publish("publisher", "sistem/x", "y");
    EXPECT_EQ(result.status, 3) << result.report;
    EXPECT_NE(result.err.find(words), std::string::npos) << result.report;
    EXPECT_EQ(broker_->log().find("New client connected"), std::string::npos) << "it got the password";
  }
  // An authority that it does not trust.
  start();
  Start distrusting = as("publisher", PUB, {"-t", "sistem/x", "-m", "y"});
  distrusting.environment["MQTT_CAFILE"] = strangers("ca.crt");
  const Result result = run(distrusting);
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find("is not trusted"), std::string::npos) << result.report;
}

TEST_F(Doors, LetEachClientDoItsOwnAndNoMore) {
  // Writing: MQTT 5 lets the broker say no.
  for (const auto& [client, topic] : {std::pair{"publisher", "other/x"}, std::pair{"publisher", "ping/x"},
                                      std::pair{"subscriber", "sistem/x"}, std::pair{"health", "sistem/x"}}) {
    const Result result = publish(client, topic, "forbidden");
    EXPECT_EQ(result.status, 5) << client << result.report;
    EXPECT_NE(result.err.find("not authorized"), std::string::npos) << result.report;
  }
  // Reading: Mosquitto takes the subscription, and sends nothing.
  Process subscriber{as("subscriber", SUB, {"-v", "-t", "#", "-C", "1"})};
  subscriber.wait_for_stderr("subscribed to #");
  expect_success(run(as("health", PUB, {"-r", "-q", "1", "-t", "ping/kept", "-m", "not for others"})));
  expect_success(run(as("publisher", PUB, {"-r", "-q", "1", "-t", "sistem/kept", "-m", "1"})));
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "sistem/kept 1\n");
  // Those two are there from the beginning now, and come at once to who may read them.
  for (const char* client : {"publisher", "health"}) {
    const std::string own = client == std::string("health") ? "ping/kept not for others\n" : "";
    const Result result = run(as(client, SUB, {"-v", "-t", "#", "-W", "1"}));
    EXPECT_EQ(result.status, 27) << result.report;
    EXPECT_EQ(result.out, own) << result.report;
    EXPECT_NE(result.err.find("time is up"), std::string::npos) << result.report;
  }
}

TEST(SecureCommand, RefusesWhatItDoesNotUnderstand) {
  for (const Arguments& words : {Arguments{}, Arguments{"frobnicate"}, Arguments{"up", "now"}, Arguments{"keys"},
                                 Arguments{"keys", ""}, Arguments{"keys", "a", "b"}}) {
    const Result refused = run({.command = Arguments{SOURCE_DIR "/compose/secure"} + words});
    EXPECT_EQ(refused.status, 2) << refused.report;
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.report;
  }
  EXPECT_EQ(run({.command = {SOURCE_DIR "/compose/secure", "--help"}}).status, 0);
}

TEST(SecureCommand, MakesKeysThatNobodyElseCanReach) {
  NEEDS_MOSQUITTO();
  const TemporaryFolder folder;
  const std::filesystem::path keys = folder.path() / "keys";
  const Result made = run({.command = {SOURCE_DIR "/compose/secure", "keys", keys}});
  ASSERT_EQ(made.status, 0) << made.report;
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(keys).permissions(), perms::owner_all);
  EXPECT_EQ(std::filesystem::status(keys / "ca.key").permissions(), perms::owner_read);
  // Hashes, and not the passwords.
  for (const char* client : {"publisher", "subscriber", "health"}) {
    const std::string hashes = content(keys / "passwords");
    const std::string password = content(keys / (client + std::string(".password")));
    EXPECT_EQ(password.size(), 33U);
    EXPECT_NE(hashes.find(client + std::string(":$7$")), std::string::npos) << hashes;
    EXPECT_EQ(hashes.find(password.substr(0, 32)), std::string::npos) << hashes;
  }
  const Result again = run({.command = {SOURCE_DIR "/compose/secure", "keys", keys}});
  EXPECT_EQ(again.status, 1) << again.report;
  EXPECT_NE(again.err.find("is there already"), std::string::npos) << again.report;
}

}  // namespace
}  // namespace sistem::test
