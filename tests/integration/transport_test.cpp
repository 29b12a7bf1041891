#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>

#include "common/process/descriptor.hpp"
#include "common/process/stop.hpp"
#include "tests/integration/tools.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/proxy.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The lines of mosquitto.conf for one more listener.
std::string listener(std::uint16_t port, const std::string& settings) {
  return fmt::format("listener {} 127.0.0.1\n{}", port, settings);
}
std::string encrypted(const Authority& authority, const Authority::Pair& pair) {
  return fmt::format("cafile {}\ncertfile {}\nkeyfile {}\n", authority.certificate().string(),
                     pair.certificate.string(), pair.key.string());
}

/// One message to `port` of localhost, with QoS 1: status 0 means that the broker has it.
Result publish(std::uint16_t port, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"-t", "a", "-m", "x", "-q", "1"});
  Start start = tool(PUB, port, std::move(arguments));
  start.environment["MQTT_HOST"] = "localhost";
  return run(start);
}

void expect_arrival(const Result& result) {
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.err, "");
}

/// One line that ends so, and status 3.
void expect_no_broker(const Result& result, const std::string& end) {
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_TRUE(result.err.starts_with("pub: no broker at ")) << result.report;
  EXPECT_TRUE(result.err.ends_with(end + "\n")) << result.report;
}

/// A broker with a plain listener and one that speaks TLS.
class Tls : public testing::Test {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }

  /// `settings` are of the encrypted listener.
  void start(const std::string& settings = {}, const std::string& hosts = "DNS:localhost,IP:127.0.0.1") {
    broker_ =
        std::make_unique<Broker>("allow_anonymous true\n" +
                                 listener(port_, encrypted(authority_, authority_.issue("broker", hosts)) + settings));
  }
  Result publish_trusting(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {"--cafile", authority_.certificate()});
    return publish(port_, std::move(arguments));
  }

  Authority authority_;
  TemporaryFolder folder_;
  std::uint16_t port_ = free_port();
  std::unique_ptr<Broker> broker_;
};

TEST_F(Tls, ACaFileIsEnough) {
  start();
  expect_arrival(publish_trusting());
}

TEST_F(Tls, SoIsADirectoryOfHashedCertificates) {
  start();
  expect_arrival(publish(port_, {"--capath", authority_.hashed_directory()}));
}

TEST_F(Tls, AMessageOfManyRecordsGoesThroughBothWays) {
  start();
  const std::string line(8'000'000, 'y');
  for (const char* qos : {"0", "2"}) {
    Process subscriber{tool(SUB, port_, {"-t", "big", "-C", "1", "--cafile", authority_.certificate()})};
    subscriber.wait_for_stderr("subscribed to");
    const Result result =
        run(tool(PUB, port_, {"-t", "big", "-l", "-q", qos, "--cafile", authority_.certificate()}), line + "\n");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(subscriber.wait(), 0);
    EXPECT_TRUE(subscriber.out() == line + "\n") << subscriber.out().size() << " bytes";
  }
}

TEST_F(Tls, AnAuthorityThatIsNotTheBrokersIsToldWithTheCertificate) {
  start();
  const Authority stranger{"Stranger"};
  expect_no_broker(publish(port_, {"--cafile", stranger.certificate()}),
                   "TLS: the certificate of \"CN=Test authority\" is not trusted (self-signed certificate in "
                   "certificate chain): are --cafile and --capath right?");
}

TEST_F(Tls, TheSystemsAuthoritiesAreTrustedWhereNoneIsNamed) {
  start();
  expect_no_broker(publish(port_, {"--tls-use-os-certs"}),
                   "is not trusted (self-signed certificate in certificate chain): --cafile names whom to trust");
  Start with_store = tool(PUB, port_, {"-h", "localhost", "-t", "a", "-m", "x", "--tls-use-os-certs"});
  with_store.environment["SSL_CERT_FILE"] = authority_.certificate();
  expect_arrival(run(with_store));
}

TEST_F(Tls, AnotherHostsCertificateIsRefusedUnlessInsecure) {
  start("", "DNS:broker.example,IP:192.0.2.7");
  expect_no_broker(publish_trusting(),
                   "TLS: the certificate of \"CN=broker\" is for another host than \"localhost\" "
                   "(for broker.example, 192.0.2.7)");
  const Result insecure = publish_trusting({"--insecure"});
  EXPECT_EQ(insecure.status, 0) << insecure.report;
  EXPECT_EQ(insecure.err, "pub: --insecure: the broker's name is not compared with its certificate; for tests only\n");
  const Authority stranger;
  EXPECT_EQ(publish(port_, {"--cafile", stranger.certificate(), "--insecure"}).status, 3)
      << "only the host may be another";
}

TEST_F(Tls, AnAddressAsHostMustBeInTheCertificateToo) {
  start("", "IP:127.0.0.1");
  expect_arrival(publish_trusting({"-h", "127.0.0.1"}));
  expect_no_broker(publish_trusting(),
                   "TLS: the certificate of \"CN=broker\" is for another host than \"localhost\" (for 127.0.0.1)");
}

TEST_F(Tls, AClientsCertificateIsShownWhereTheBrokerWantsOne) {
  start("require_certificate true\nuse_identity_as_username true\n");
  const auto client = authority_.issue("client-7", "DNS:client");
  expect_arrival(publish_trusting({"--cert", client.certificate, "--key", client.key}));
  broker_->wait_for_log("u'client-7'");
}

TEST_F(Tls, AMissingClientsCertificateIsToldWithEitherVersion) {
  start("require_certificate true\n");
  expect_no_broker(publish_trusting({"--tls-version", "tlsv1.3"}), ": TLS: it wants a client's certificate");
  // TLS 1.2 has no words for it.
  expect_no_broker(publish_trusting({"--tls-version", "tlsv1.2"}),
                   ": TLS: there is no version, cipher or certificate that both sides take");
}

TEST_F(Tls, AnEncryptedKeyNeedsItsPassword) {
  start("require_certificate true\n");
  const auto client = authority_.issue("client", "DNS:client", "open sesame");
  const std::vector<std::string> options{"--cert", client.certificate, "--key", client.key};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), options.begin(), options.end());
    return publish_trusting(std::move(more));
  };
  const auto password = [&](const std::string& text) {
    const auto file = folder_.write("password", text + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    return file.string();
  };
  expect_arrival(with({"--key-pass-file", password("open sesame")}));
  std::filesystem::remove(folder_.path() / "password");
  EXPECT_EQ(with({}).err, "pub: the client's key " + client.key.string() +
                              " is encrypted: --key-pass-file names a file with its password\n");
  EXPECT_EQ(with({"--key-pass-file", password("wrong")}).err,
            "pub: the password does not open the client's key " + client.key.string() + "\n");
}

TEST_F(Tls, AVersionIsTheOnlyOneThatIsSpoken) {
  start();
  for (const std::string version : {"1.2", "1.3"}) {
    const Result result = publish_trusting({"--tls-version", "tlsv" + version, "-d"});
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_NE(result.err.find("TLSv" + version + ","), std::string::npos) << result.report;
  }
}

TEST_F(Tls, AVersionThatTheBrokerDoesNotSpeakIsTold) {
  start("tls_version tlsv1.3\n");
  expect_no_broker(publish_trusting({"--tls-version", "tlsv1.2"}), ": TLS: it does not speak this version of TLS");
}

TEST_F(Tls, NothingBelowTls12IsSpokenUnlessItIsAskedFor) {
  const Authority::Pair pair = authority_.issue("broker", "DNS:localhost,IP:127.0.0.1");
  // Not Mosquitto, which always speaks TLS 1.2, too.
  const Process server{
      {.command = {"openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port_), "-quiet", "-tls1_1",
                   "-cipher", "DEFAULT@SECLEVEL=0", "-cert", pair.certificate, "-key", pair.key}}};
  const Arguments weak{
      "-t", "a", "-m", "x", "-d", "--cafile", authority_.certificate(), "--ciphers", "DEFAULT@SECLEVEL=0"};
  {
    Process asked{tool(PUB, port_, weak + Arguments{"--wait-for-broker", "--tls-version", "tlsv1.1"})};
    asked.wait_for_stderr("TLSv1.1,");
  }
  const Result usual = run(tool(PUB, port_, weak));
  EXPECT_EQ(usual.status, 3) << usual.report;
  EXPECT_NE(usual.err.find(": TLS: "), std::string::npos) << usual.report;
  EXPECT_EQ(usual.err.find("TLSv1.1,"), std::string::npos) << usual.report;
}

TEST_F(Tls, CiphersOfBothKindsStandInOneList) {
  start();
  const std::string list = "TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
  const std::pair<std::string, std::string> expected[] = {{"1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"},
                                                          {"1.3", "TLS_CHACHA20_POLY1305_SHA256"}};
  for (const auto& [version, cipher] : expected) {
    const Result result = publish_trusting({"--ciphers", list, "--tls-version", "tlsv" + version, "-d"});
    EXPECT_NE(result.err.find(fmt::format("TLSv{}, {}", version, cipher)), std::string::npos) << result.report;
  }
  EXPECT_EQ(publish_trusting({"--ciphers", "NO-SUCH-CIPHER"}).status, 2);
}

TEST_F(Tls, AnAlpnProtocolThatTheBrokerDoesNotKnowDoesNoHarm) {
  start();
  expect_arrival(publish_trusting({"--tls-alpn", "mqtt"}));
}

TEST_F(Tls, TheNameInTheCertificateMayBeAnotherThanTheHosts) {
  start({}, "DNS:broker.example");
  expect_arrival(publish_trusting({"--tls-server-name", "broker.example"}));
  expect_no_broker(
      publish_trusting({"--tls-server-name", "other.example"}),
      "TLS: the certificate of \"CN=broker\" is for another host than \"other.example\" (for broker.example)");
}

TEST_F(Tls, TheVariableThatBrowsersKnowNamesAKeyLogToo) {
  start();
  const auto file = folder_.path() / "shared.txt";
  Start start = tool(PUB, port_, {"-t", "a", "-m", "x", "-q", "1", "--cafile", authority_.certificate()});
  start.environment["MQTT_HOST"] = "localhost";
  start.environment["SSLKEYLOGFILE"] = file;
  expect_arrival(run(start));
  EXPECT_NE(content_of(file), "");
  // MQTT_TLS_KEYLOG and the command line come before it.
  start.environment["MQTT_TLS_KEYLOG"] = folder_.path() / "own.txt";
  const std::string before = content_of(file);
  expect_arrival(run(start));
  EXPECT_EQ(content_of(file), before);
  EXPECT_NE(content_of(folder_.path() / "own.txt"), "");
  // Without TLS it is nobody's business.
  Start plain = tool(PUB, broker_->port(), {"-t", "a", "-m", "x", "-q", "1"});
  plain.environment["SSLKEYLOGFILE"] = "/nowhere/keys";
  expect_arrival(run(plain));
}

TEST_F(Tls, ASharedKeyLogThatCannotBeWrittenDoesNotEndTheRun) {
  start();
  Start start = tool(PUB, port_, {"-t", "a", "-m", "x", "-q", "1", "--cafile", authority_.certificate()});
  start.environment["MQTT_HOST"] = "localhost";
  start.environment["SSLKEYLOGFILE"] = "/nowhere/keys";
  const Result result = run(start);
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_NE(result.err.find("pub: SSLKEYLOGFILE: cannot write /nowhere/keys: no such file or directory; the keys are "
                            "not logged\n"),
            std::string::npos)
      << result.report;
}

TEST_F(Tls, TheKeyLogHoldsTheSecretsOfEachSessionForItsOwnerOnly) {
  start();
  const auto file = folder_.path() / "keys.txt";
  expect_arrival(publish_trusting({"--tls-keylog", file, "--tls-version", "tlsv1.2"}));
  EXPECT_TRUE(content_of(file).starts_with("CLIENT_RANDOM ")) << content_of(file);
  expect_arrival(publish_trusting({"--tls-keylog", file, "--tls-version", "tlsv1.3"}));
  EXPECT_TRUE(content_of(file).starts_with("CLIENT_RANDOM ")) << "it is appended to";
  EXPECT_NE(content_of(file).find("\nCLIENT_TRAFFIC_SECRET_0 "), std::string::npos) << content_of(file);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Tls, APlainClientAndATlsListenerSoonPart) {
  start();
  const auto begin = std::chrono::steady_clock::now();
  expect_no_broker(publish(port_, {}), "is it an MQTT broker?");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(Tls, ATlsClientAndAPlainListenerSoonPart) {
  start();
  const auto begin = std::chrono::steady_clock::now();
  expect_no_broker(publish(broker_->port(), {"--cafile", authority_.certificate()}), "does it speak TLS on this port?");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(Tls, APeerThatAnswersInPlainTextIsTold) {
  // 0x16, a handshake's first byte, is CONNECT where nobody looks at the flags.
  const RogueBroker rogue{{{RogueBroker::connect_packet, "HTTP/1.1 400 Bad Request\r\n\r\n"}},
                          RogueBroker::Clients::something_else};
  expect_no_broker(publish(rogue.port(), {"--cafile", authority_.certificate()}),
                   ": TLS: it does not speak TLS (is it port 1883?)");
}

TEST_F(Tls, APeerThatSaysNothingIsGivenUp) {
  const RogueBroker silent{{}, RogueBroker::Clients::something_else};
  const Result result = publish(silent.port(), {"--cafile", authority_.certificate(), "--wait-for-broker=0.5"});
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find("waiting for its part of the TLS handshake"), std::string::npos) << result.report;
}

TEST_F(Tls, FilesThatAreOfNoUseAreNamedBeforeAnythingIsSent) {
  const RogueBroker listening{{}};
  const auto garbage = folder_.write("garbage.pem", "no certificate");
  const auto client = authority_.issue("client", "DNS:client");
  const auto other = authority_.issue("other", "DNS:other");
  const auto openssl = [](const Arguments& arguments) {
    const Result result = run({.command = Arguments{"openssl"} + arguments});
    ASSERT_EQ(result.status, 0) << result.report;
  };
  const auto rsa = folder_.path() / "rsa.key";
  const auto der = folder_.path() / "client.der";
  const auto p12 = folder_.path() / "client.p12";
  openssl({"genpkey", "-algorithm", "RSA", "-out", rsa});
  openssl({"x509", "-in", client.certificate, "-outform", "DER", "-out", der});
  openssl({"pkcs12", "-export", "-in", client.certificate, "-inkey", client.key, "-passout", "pass:", "-out", p12});
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"--cafile", "/no/such.pem"}, "cannot read the CA file /no/such.pem: no such file or directory"},
      {{"--cafile", garbage}, "the CA file " + garbage.string() + " holds no certificate in PEM format"},
      {{"--capath", "/no/such"}, "cannot read the CA path /no/such: no such file or directory"},
      {{"--capath", garbage}, "the CA path " + garbage.string() + " is not a directory"},
      {{"--cert", "/no/such.pem", "--key", "/no/such.key"},
       "cannot read the client's certificate /no/such.pem: no such file or directory"},
      {{"--cert", client.certificate, "--key", "/no/key"},
       "cannot read the client's key /no/key: no such file or directory"},
      {{"--cert", client.certificate, "--key", other.key},
       "the client's key " + other.key.string() + " is not that of the client's certificate " +
           client.certificate.string()},
      {{"--cert", client.certificate, "--key", rsa},
       "the client's key " + rsa.string() + " is not that of the client's certificate " + client.certificate.string()},
      {{"--cert", client.key, "--key", client.key},
       "the client's certificate " + client.key.string() + " holds no certificate in PEM format"},
      {{"--cert", client.certificate, "--key", garbage},
       "the client's key " + garbage.string() + " holds no private key in PEM format"},
      {{"--cert", der, "--key", client.key},
       "the client's certificate " + der.string() + " holds no certificate in PEM format; it may be DER: " +
           "\"openssl x509 -inform DER -in " + der.string() + " -out NEW\" makes PEM of it"},
      {{"--cert", client.certificate, "--key", der},
       "the client's key " + der.string() + " holds no private key in PEM format; it may be DER: " +
           "\"openssl pkey -inform DER -in " + der.string() + " -out NEW\" makes PEM of it"},
      {{"--cert", p12, "--key", p12},
       "the client's certificate " + p12.string() + " holds no certificate in PEM format; it is PKCS #12: " +
           "\"openssl pkcs12 -in " + p12.string() + " -nodes -out NEW\" makes PEM of it"},
      {{"--tls-use-os-certs", "--tls-keylog", "/no/such/log"},
       "cannot write the key log /no/such/log: no such file or directory"},
  };
  for (const auto& [options, line] : table) {
    const Result result = publish(listening.port(), options);
    EXPECT_EQ(result.status, 1) << result.report;
    EXPECT_EQ(result.err, "pub: " + line + "\n");
  }
  EXPECT_EQ(listening.connections(), 0);
}

TEST_F(Tls, ConnectsAgainWhenTheBrokerIsBack) {
  start();
  Process subscriber{tool(SUB, port_, {"-t", "a", "--cafile", authority_.certificate()})};
  subscriber.wait_for_stderr("subscribed to");
  broker_->stop(SIGKILL);
  subscriber.wait_for_stderr("lost the connection");
  broker_->start();
  subscriber.wait_for_stderr("connected again");
  expect_arrival(publish_trusting());
  subscriber.wait_for_stdout("x\n");
}

class Psk : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    const auto keys = folder_.write("keys", "thing:C0FFEE0123456789\n");
    broker_ = std::make_unique<Broker>("allow_anonymous true\n" +
                                       listener(port_, fmt::format("psk_hint hint\npsk_file {}\n", keys.string())));
  }
  [[nodiscard]] Result publish_with(const std::string& identity, const std::string& key,
                                    const std::string& version) const {
    Start start =
        tool(PUB, port_, {"-t", "a", "-m", "x", "-q", "1", "--psk-identity", identity, "--tls-version", version});
    start.environment["MQTT_HOST"] = "localhost";
    start.environment["MQTT_PSK"] = key;
    return run(start);
  }
  TemporaryFolder folder_;
  std::uint16_t port_ = free_port();
  std::unique_ptr<Broker> broker_;
};

TEST_F(Psk, AKeyTakesThePlaceOfCertificates) {
  for (const std::string version : {"tlsv1.2", "tlsv1.3"}) {
    const Result right = publish_with("thing", "c0ffee0123456789", version);
    if (right.err.find("it does not speak this version of TLS") != std::string::npos && version == "tlsv1.3") {
      break;  // Mosquitto 2.0.21 takes keys in TLS 1.2 only, 2.0.11 in both
    }
    expect_arrival(right);
    expect_no_broker(publish_with("thing", "c0ffee", version), ": TLS: its pre-shared key is another");
    const Result unknown = publish_with("who", "c0ffee0123456789", version);
    EXPECT_EQ(unknown.status, 3) << unknown.report;
    EXPECT_NE(unknown.err.find(": TLS: it does not know the PSK identity"), std::string::npos) << unknown.report;
  }
}

TEST_F(Psk, AKeyThatIsNoneOrHasNoIdentityIsWrongUsage) {
  EXPECT_EQ(publish(port_, {"--psk", "coffee", "--psk-identity", "thing"}).status, 2);
  EXPECT_EQ(publish(port_, {"--psk", "c0ffee"}).status, 2);
}

TEST_F(Psk, ABrokerThatShowsACertificateInsteadIsNotTrusted) {
  const Authority authority;
  const std::uint16_t port = free_port();
  const Broker broker{"allow_anonymous true\n" +
                      listener(port, encrypted(authority, authority.issue("broker", "DNS:localhost")))};
  EXPECT_EQ(publish(port, {"--psk", "c0ffee", "--psk-identity", "thing"}).status, 3);
}

class Unix : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>("allow_anonymous true\nlistener 0 " + path_.string() + "\n");
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "mosquitto.sock";
  std::unique_ptr<Broker> broker_;
};

TEST_F(Unix, ASocketOfTheHostLeadsToTheBroker) { expect_arrival(publish(1, {"--unix", path_})); }

TEST_F(Unix, ConnectsAgainWhenTheBrokerIsBack) {
  Process subscriber{tool(SUB, 1, {"-t", "a", "--unix", path_})};
  subscriber.wait_for_stderr("subscribed to");
  broker_->stop();
  subscriber.wait_for_stderr("lost the connection to the broker at " + path_.string());
  broker_->start();
  subscriber.wait_for_stderr("connected again");
  expect_arrival(publish(1, {"--unix", path_}));
  subscriber.wait_for_stdout("x\n");
}

TEST_F(Unix, APathWithoutABrokerIsNamed) {
  expect_no_broker(publish(1, {"--unix", "/no/such.sock"}), "no broker at /no/such.sock: no such file or directory");
}

class Tcp : public testing::Test {
 protected:
  /// By a proxy that nobody reads in the list of processes.
  Result publish_by(const std::string& proxy, const Arguments& options = {}) {
    Start start = tool(PUB, broker_->port(), Arguments{"-t", "a", "-m", "x", "-q", "1"} + options);
    start.environment["MQTT_HOST"] = "localhost";
    start.environment["MQTT_PROXY"] = proxy;
    return run(start);
  }

  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }
  std::unique_ptr<Broker> broker_;
};

TEST_F(Tcp, ABindAddressIsWhereTheBrokerSeesUs) {
  expect_arrival(publish(broker_->port(), {"-A", "127.0.0.2"}));
  broker_->wait_for_log("New client connected from 127.0.0.2:");
}

TEST_F(Tcp, ABindAddressThatIsNotOursIsNamed) {
  expect_no_broker(publish(broker_->port(), {"-h", "127.0.0.1", "-A", "192.0.2.1"}),
                   ": cannot connect from \"192.0.2.1\": cannot assign requested address (tried 127.0.0.1)");
  expect_no_broker(publish(broker_->port(), {"-h", "127.0.0.1", "-A", "::1"}),
                   ": cannot connect from \"::1\": it has no IPv4 address (tried 127.0.0.1)");
}

TEST_F(Tcp, EachAddressOfANameIsTried) {
  const Start namespaces{.command = {"unshare", "--mount", "true"}, .environment = {}, .directory = {}};
  if (run(namespaces).status != 0) {
    GTEST_SKIP() << "giving a name two addresses needs a mount namespace of the test's own, and the right to make one";
  }
  const TemporaryFolder folder;
  const auto hosts = folder.write("hosts", "127.0.0.2 two.example\n127.0.0.1 two.example\n");
  const auto publish_to_two = [&](std::uint16_t port) {
    Start start = tool(PUB, port, {"-t", "a", "-m", "x", "-q", "1"});
    start.environment["MQTT_HOST"] = "two.example";
    const std::vector<std::string> with_hosts{
        "unshare", "--mount", "sh", "-c", R"(mount --bind "$0" /etc/hosts && exec "$@")", hosts};
    start.command.insert(start.command.begin(), with_hosts.begin(), with_hosts.end());
    return run(start);
  };
  // Whichever of the two is tried first, for one of these brokers it is the wrong one.
  for (const char* address : {"127.0.0.1", "127.0.0.2"}) {
    const std::uint16_t port = free_port();
    const Broker broker{fmt::format("allow_anonymous true\nlistener {} {}\n", port, address)};
    expect_arrival(publish_to_two(port));
  }
  const Result nobody = publish_to_two(free_port());
  EXPECT_EQ(nobody.status, 3) << nobody.report;
  for (const char* address : {"127.0.0.1", "127.0.0.2"}) {
    EXPECT_NE(nobody.err.find(address), std::string::npos) << nobody.report;
  }
}

TEST_F(Tcp, AProxyIsAskedForTheBrokerByName) {
  const TestProxy proxy;
  const std::string url = fmt::format("socks5h://127.0.0.1:{}", proxy.port());
  expect_arrival(publish(broker_->port(), {"--proxy", url}));
  EXPECT_EQ(proxy.asked_for(), "name localhost");
  expect_arrival(publish(broker_->port(), {"--proxy", url, "-h", "no-such-host.invalid"}));
  EXPECT_EQ(proxy.asked_for(), "name no-such-host.invalid");
  expect_arrival(publish(broker_->port(), {"--proxy", url, "-h", "192.0.2.1"}));
  EXPECT_EQ(proxy.asked_for(), "IPv4 192.0.2.1");
  expect_arrival(publish(broker_->port(), {"--proxy", url, "-h", "::1"}));
  EXPECT_EQ(proxy.asked_for(), "IPv6 ::1");
}

TEST_F(Tcp, ThatOthersCanReadTheProxysPasswordIsToldOfTheCommandLine) {
  const TestProxy proxy{{.username = "me", .password = "secret"}};
  const Result result =
      publish(broker_->port(), {"--proxy", fmt::format("socks5h://me:secret@127.0.0.1:{}", proxy.port())});
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.err,
            "pub: others on this machine can read the password in --proxy in the list of processes; the variable "
            "MQTT_PROXY hides it\n");
}

TEST_F(Tcp, AProxyMayWantAPassword) {
  const TestProxy proxy{{.username = "me", .password = "p:w@"}};
  const auto by = [&](const std::string& user) {
    return publish_by(fmt::format("socks5h://{}127.0.0.1:{}", user, proxy.port()));
  };
  expect_arrival(by("me:p:w@@"));
  const std::string where = fmt::format("the proxy at 127.0.0.1:{} ", proxy.port());
  expect_no_broker(by("me:no@"), where + "refuses the user name or the password");
  expect_no_broker(by(""), where + "wants a user name and a password");
}

TEST_F(Tcp, WhatAProxySaysOfTheBrokerIsTold) {
  const std::pair<int, std::string> table[] = {
      {1, "general failure"}, {2, "its rules do not allow it"}, {4, "host is unreachable"}, {5, "connection refused"}};
  for (const auto& [code, words] : table) {
    const TestProxy proxy{{.reply = code}};
    expect_no_broker(publish(1883, {"--proxy", fmt::format("socks5h://127.0.0.1:{}", proxy.port())}),
                     fmt::format("no broker at localhost:1883: the proxy at 127.0.0.1:{} could not connect to it: {} "
                                 "(SOCKS reply {})",
                                 proxy.port(), words, code));
  }
}

TEST_F(Tcp, AnHttpProxyIsAskedToConnect) {
  const TestProxy proxy{{.http = true}};
  const std::string port = std::to_string(broker_->port());
  expect_arrival(publish_by(fmt::format("http://me:p%3Aw@127.0.0.1:{}", proxy.port()), {"-h", "no-such-host.invalid"}));
  EXPECT_EQ(proxy.asked_for(), "CONNECT no-such-host.invalid:" + port + " HTTP/1.1\r\nHost: no-such-host.invalid:" +
                                   port + "\r\nProxy-Authorization: Basic bWU6cDp3\r\n\r\n");
  const TestProxy strict{{.reply = 403, .http = true}};
  expect_no_broker(
      publish(1883, {"--proxy", fmt::format("http://127.0.0.1:{}", strict.port())}),
      fmt::format("no broker at localhost:1883: the proxy at 127.0.0.1:{} does not connect to it: HTTP/1.1 403 "
                  "No",
                  strict.port()));
}

TEST_F(Tcp, AProxyThatIsNoneOrNotThereIsToldFromTheBroker) {
  const TestProxy web_server{{.greeting = "HTTP/1.1 400 Bad Request\r\n\r\n"}};
  expect_no_broker(publish(1883, {"--proxy", fmt::format("socks5h://127.0.0.1:{}", web_server.port())}),
                   fmt::format("the proxy at 127.0.0.1:{} does not speak SOCKS5", web_server.port()));
  const std::uint16_t port = free_port();
  expect_no_broker(publish(1883, {"--proxy", fmt::format("socks5h://127.0.0.1:{}", port)}),
                   fmt::format("no broker at localhost:1883: the proxy at 127.0.0.1:{}: connection refused (tried "
                               "127.0.0.1)",
                               port));
}

TEST_F(Tcp, AnSrvRecordThatDoesNotExistIsNamed) {
  expect_no_broker(publish(broker_->port(), {"-S", "-h", std::string(64, 'x')}), ")");
  const Result result = publish(broker_->port(), {"-S", "-h", std::string(64, 'x')});
  EXPECT_NE(result.err.find("cannot find the SRV record _mqtt._tcp.xxx"), std::string::npos) << result.report;
}

class WebSocket : public testing::Test {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }
  Authority authority_;
  std::uint16_t port_ = free_port();
};

TEST_F(WebSocket, MessagesOfAllSizesGoBothWays) {
  const Broker broker{"allow_anonymous true\n" + listener(port_, "protocol websockets\n")};
  Process subscriber{tool(SUB, port_, {"-t", "a", "-C", "3", "-q", "2", "--ws"})};
  subscriber.wait_for_stderr("subscribed to");
  const std::string lines = "short\n" + std::string(200, 'm') + "\n" + std::string(100'000, 'l') + "\n";
  const Result result = run(tool(PUB, port_, {"-t", "a", "-l", "-q", "2", "--ws"}), lines);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.err();
  EXPECT_TRUE(subscriber.out() == lines) << subscriber.out().size() << " bytes";
}

TEST_F(WebSocket, TlsGoesUnderIt) {
  const Broker broker{
      "allow_anonymous true\n" +
      listener(port_, "protocol websockets\n" + encrypted(authority_, authority_.issue("broker", "DNS:localhost")))};
  expect_arrival(publish(port_, {"--ws", "--cafile", authority_.certificate()}));
}

TEST_F(WebSocket, TheRequestNamesThePathAndTheBroker) {
  const Descriptor listening{listen_on_loopback()};
  const std::uint16_t port = port_of(listening.get());
  Process publisher{tool(PUB, port, {"-h", "localhost", "-t", "a", "-m", "x", "--ws", "--ws-path", "/some/where"})};
  ASSERT_EQ(wait_for(listening.get(), POLLIN, deadline_in(patience), {}), Woken::ready);
  const Descriptor client{::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    ASSERT_EQ(wait_for(client.get(), POLLIN, deadline_in(patience), {}), Woken::ready) << request;
    std::array<char, 1024> block{};
    const ssize_t count = ::read(client.get(), block.data(), block.size());
    ASSERT_GT(count, 0) << request;
    request.append(block.data(), static_cast<std::size_t>(count));
  }
  EXPECT_TRUE(request.starts_with("GET /some/where HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find(fmt::format("\r\nHost: localhost:{}\r\n", port)), std::string::npos) << request;
  EXPECT_NE(request.find("\r\nSec-WebSocket-Protocol: mqtt\r\n"), std::string::npos) << request;
}

TEST_F(WebSocket, AProxyLeadsThere) {
  const TestProxy proxy;
  const Broker broker{"allow_anonymous true\n" + listener(port_, "protocol websockets\n")};
  const std::string url = fmt::format("socks5h://127.0.0.1:{}", proxy.port());
  expect_arrival(publish(port_, {"--ws", "--proxy", url, "-h", "broker.invalid"}));
  EXPECT_EQ(proxy.asked_for(), "name broker.invalid");
}

TEST_F(WebSocket, ABrokerWithoutOneIsTold) {
  const Broker broker;
  const Result result = publish(broker.port(), {"--ws"});
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find(": the WebSocket's server (at /mqtt) closed the connection"), std::string::npos)
      << result.report;
}

}  // namespace
}  // namespace sistem::test
