#include "common/options/connection_options.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <iterator>

#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"
#include "common/net/url.hpp"
#include "common/options/rules.hpp"
#include "common/options/secret.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "common/text/encoding.hpp"

namespace sistem {
namespace {

constexpr std::uint16_t mqtt_port = 1883;
constexpr std::uint16_t mqtt_tls_port = 8883;
constexpr std::uint32_t never_expires = longest_expiry;

void append(std::vector<Option>& table, std::vector<Option> rows) {
  std::ranges::move(rows, std::back_inserter(table));
}

// Values of a kind of their own -------------------------------------------------------------------------------

/// --wait-for-broker[=SECONDS]: as a flag, or with a limit.
Value patience(ConnectionConfig& config) {
  const auto set = [&config](std::string_view value) {
    // "1" is a limit of a second; a word says whether at all, as the variable MQTT_WAIT_FOR_BROKER=true does.
    const auto answer = value == "1" || value == "0" ? std::nullopt : truth(value);
    if (value.empty() || answer) {
      config.wait_for_broker = answer.value_or(true);
      config.wait_limit.reset();
    } else {
      config.wait_limit = seconds_of(value);
      config.wait_for_broker = true;
    }
  };
  const auto get = [&config] {
    return std::vector<std::string>{config.wait_limit ? fmt::format("{}", config.wait_limit->count())
                                                      : (config.wait_for_broker ? "true" : "false")};
  };
  return {set, get, [&config] {
            config.wait_for_broker = false;
            config.wait_limit.reset();
          }};
}

/// What `-L` stands for. Repeated it names brokers that stand in for one another.
class OptionsOfUrl {
 public:
  using Options = std::vector<std::pair<std::string, std::string>>;

  Options operator()(std::string_view value, bool again) {
    const Url url = url_of(value, "mqtt://[username[:password]@]host[:port][/topic]");
    if (url.scheme != "mqtt" && url.scheme != "mqtts" && url.scheme != "ws" && url.scheme != "wss") {
      throw Expected("expected mqtt://, mqtts://, ws:// or wss://");
    }
    const bool tls = url.scheme == "mqtts" || url.scheme == "wss";
    const std::uint16_t port = url.port.value_or(tls ? mqtt_tls_port : mqtt_port);
    if (!again) {
      places_.clear();
      others_ = others_of(url, tls);
    } else if (others_ != others_of(url, tls)) {
      throw Expected(
          "expected the scheme, user name, password and topic of the one before it: they stand in for one "
          "another");
    }
    places_ += (places_.empty() ? "" : ",") + place(url.host, port);
    Options options = others_;
    if (again) {
      options.emplace_back("host", places_);
    } else {
      options.emplace_back("host", url.host);
      options.emplace_back("port", std::to_string(port));
    }
    return options;
  }

 private:
  /// All but host and port.
  static Options others_of(const Url& url, bool tls) {
    Options options{{"ws", url.scheme.starts_with("ws") ? "true" : "false"}};
    if (tls) {
      options.emplace_back("tls-use-os-certs", "true");
    }
    if (url.username) {
      options.emplace_back("username", *url.username);
    }
    if (url.password) {
      options.emplace_back("password", *url.password);
    }
    if (!url.path.empty()) {
      options.emplace_back("topic", url.path);
    }
    return options;
  }

  std::string places_;
  Options others_;
};

Value proxy(Proxy& field) {
  const auto set = [&field](std::string_view value) {
    const std::string form = "socks5h:// or http://, then [username[:password]@]host[:port]";
    const Url url = url_of(value, form);
    if (url.scheme == "https") {
      throw Expected("expected " + form + "; a proxy that is itself reached by TLS is not supported");
    }
    const bool http = url.scheme == "http";
    if ((!http && url.scheme != "socks5h") || !url.path.empty()) {
      throw Expected("expected " + form);
    }
    constexpr std::uint16_t socks_port = 1080;
    constexpr std::uint16_t http_port = 8080;
    field = {http ? Proxy::Kind::http : Proxy::Kind::socks5, url.host, url.port.value_or(http ? http_port : socks_port),
             url.username.value_or(""), url.password.value_or("")};
  };
  const auto get = [&field] {
    const char* scheme = field.kind == Proxy::Kind::http ? "http://" : "socks5h://";
    return field.host.empty() ? std::vector<std::string>{} : std::vector{scheme + place(field.host, field.port)};
  };
  return {set, get, [&field] { field = {}; }};
}

constexpr std::size_t longest = 65535;  // bytes of what CONNECT carries: its length has two of them [MQTT-1.5.3]

/// Each says what was expected, where it was not.
std::optional<std::string> fault_of_mqtt_text(std::string_view text) {
  return is_mqtt_text(text) && text.size() <= longest
             ? std::nullopt
             : std::optional<std::string>("UTF-8 without control characters, 65535 bytes at most");
}

std::optional<std::string> fault_of_mqtt_data(std::string_view data) {
  return data.size() <= longest ? std::nullopt : std::optional<std::string>("at most 65535 bytes");
}

std::optional<std::string> fault_of_path(std::string_view path) {
  // As it is it goes into a line of HTTP [RFC 9110 4.1].
  const bool is_plain = std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return path.starts_with('/') && is_plain
             ? std::nullopt
             : std::optional<std::string>(
                   "a path that begins with /, of ASCII without blanks (others are written %XX)");
}

std::optional<std::string> fault_of_key(std::string_view key) {
  const auto is_digit = [](unsigned char c) { return std::isxdigit(c) != 0; };
  return !key.empty() && key.size() % 2 == 0 && std::all_of(key.begin(), key.end(), is_digit)
             ? std::nullopt
             : std::optional<std::string>("hexadecimal digits, two for each byte, without 0x");
}

/// Seconds up to 68 years, which is also what -1, 2^32-1 and the sign for infinity mean: as good as never.
Value expiry(std::optional<std::uint32_t>& field) {
  const auto set = [&field](std::string_view value) {
    const bool never = value == "-1" || value == "4294967295" || value == "∞";
    field =
        never ? never_expires
              : static_cast<std::uint32_t>(whole_number(
                    value, 0, never_expires, "expected seconds from 0 to 2147483647, or -1 for a session without end"));
  };
  const auto get = [&field] {
    return field ? std::vector<std::string>{*field == never_expires ? "-1" : std::to_string(*field)}
                 : std::vector<std::string>{};
  };
  return {set, get, [&field] { field.reset(); }};
}

Value keep_alive(std::chrono::seconds& field) {
  return {[&field](std::string_view value) { field = std::chrono::seconds(whole_number(value, 0, 65535)); },
          [&field] { return std::vector{std::to_string(field.count())}; },
          [&field, initial = field] { field = initial; }};
}

Value properties(std::vector<PlacedProperty>& field) {
  const auto get = [&field] {
    std::vector<std::string> values;
    values.reserve(field.size());
    for (const PlacedProperty& property : field) {
      if (is_secret(property)) {
        continue;  // neither shown nor saved
      }
      values.push_back(joined(words_of(property)));
    }
    return values;
  };
  return {[&field](std::string_view words) { field.push_back(placed_property(split(words))); },
          get,
          [&field] { field.clear(); },
          {},
          true};
}

/// A user property has a name before its value.
std::size_t words_of_property(const std::vector<std::string>& so_far) {
  return so_far.size() > 1 && so_far[1] == "user-property" ? 4 : 3;
}

// Rows --------------------------------------------------------------------------------------------------------

std::vector<Option> place_rows(ConnectionConfig& config) {
  const std::string section = "Connection";
  return {
      {.name = "host",
       .letter = 'h',
       .value = "HOST",
       .section = section,
       .help = "Name or address of the broker. Several, with commas between them, are tried in this order whenever a "
               "connection is made: a,b:1884,[::1]:1885.",
       .field = nonempty(config.host, "a host name or an address"),
       .groups = {"broker"}},
      {.name = "port",
       .letter = 'p',
       .value = "PORT",
       .section = section,
       .help = "TCP port of the broker (1883, with TLS 8883). 8883 means TLS.",
       .field = number(config.port, 1, 65535, "expected a port from 1 to 65535")},
      {.name = "url",
       .letter = 'L',
       .value = "URL",
       .section = section,
       .help = "Host, port, user name, password and topic at once: "
               "mqtt://[username[:password]@]host[:port][/topic]; with mqtts by TLS, with ws and wss by WebSocket. "
               "Repeated: "
               "brokers that stand in for one another.",
       .field = {},
       .secret = true,
       .stands_for = OptionsOfUrl{}},
      {.name = "unix",
       .value = "PATH",
       .section = section,
       .help = "Connect to a broker on this machine by its Unix domain socket.",
       .field = nonempty(config.unix_path, "the path of a socket"),
       .completes = Completes::file,
       .groups = {"broker"}},
      {.name = "ws", .section = section, .help = "Speak MQTT in WebSocket frames.", .field = flag(config.websocket)},
      {.name = "ws-path",
       .value = "PATH",
       .section = section,
       .help = "Path of the WebSocket at the broker.",
       .field = text(config.websocket_path, fault_of_path),
       .needs = {{"ws", "it is the path of a WebSocket"}}},
      {.name = "proxy",
       .value = "URL",
       .section = section,
       .help = "Connect through a proxy, which looks up the broker's name: "
               "socks5h://[username[:password]@]host[:port] (port 1080) or http://... (CONNECT, port 8080). Only this "
               "option names one: http_proxy in the environment is not heeded.",
       .field = proxy(config.proxy),
       .secret = true},
      {.name = "bind-address",
       .letter = 'A',
       .value = "ADDRESS",
       .section = section,
       .help = "Connect from this address of this machine, or of the host name given.",
       .field = nonempty(config.bind_address, "an address or a host name")},
      {.name = "srv",
       .letter = 'S',
       .section = section,
       .help = "Ask the DNS which hosts and ports serve MQTT for HOST (SRV).",
       .field = flag(config.srv)},
      {.name = "nodelay",
       .section = section,
       .help = "Send small packets at once (TCP_NODELAY).",
       .field = flag(config.no_delay)},
      {.name = "one-by-one",
       .section = section,
       .help = "Hand each packet to the network by itself; else those of a flood go together, up to 16 KiB at once.",
       .field = flag(config.one_by_one)},
      {.name = "keepalive",
       .letter = 'k',
       .value = "SECONDS",
       .section = section,
       .help = "Ping the broker after so long without a packet; 0: never.",
       .field = keep_alive(config.keep_alive)},
      {.name = "wait-for-broker",
       .value = "[=SECONDS]",
       .section = section,
       .help =
           "While no broker answers at the start, try again, for so long or for ever. A refusal still ends the run.",
       .field = patience(config)},
      {.name = "reconnect-for",
       .value = "SECONDS",
       .section = section,
       .help = "How long a connection that was lost is tried to be regained; then the run ends with status 3.",
       .field = seconds(config.reconnect_limit)},
      {.name = "reconnect-max-delay",
       .value = "SECONDS",
       .section = section,
       .help =
           "The longest wait between two attempts to connect; the first is of 0.1 s, each further one twice as long.",
       .field = seconds(config.reconnect_max_delay, Zero::refused)},
      {.name = "no-reconnect",
       .section = section,
       .help = "A connection that is lost ends the run with status 3.",
       .field = flag(config.reconnect, true),
       .excludes = {{"reconnect-for", "a lost connection is regained, or it is not"}}},
  };
}

std::vector<Option> login_rows(ConnectionConfig& config) {
  const std::string section = "Login";
  return {
      {.name = "username",
       .letter = 'u',
       .value = "NAME",
       .section = section,
       .help = "User name. Typed on a terminal without a password, it asks for that.",
       .field = text(config.username, fault_of_mqtt_text)},
      {.name = "password",
       .letter = 'P',
       .value = "PASSWORD",
       .section = section,
       .help = "Password. Others can read it in the list of processes: better is --password-file, the variable or the "
               "question.",
       .field = text(config.password),
       .aliases = {"pw"},
       .secret = true,
       .groups = {"password"}},
      {.name = "password-file",
       .value = "FILE",
       .section = section,
       .help = "Read the password from this file, without the newline that ends it. One that everybody can read is "
               "refused.",
       .field = nonempty(config.password_file, "a file"),
       .completes = Completes::file,
       .groups = {"password"}},
      {.name = "allow-readable-secrets",
       .section = section,
       .help = "Take files of passwords though everyone on this machine can read them.",
       .field = flag(config.allow_readable_secrets)},
  };
}

std::vector<Option> session_rows(ConnectionConfig& config) {
  const std::string section = "Session";
  return {
      {.name = "id",
       .letter = 'i',
       .value = "ID",
       .section = section,
       .help = "Client id; without one: the tool's name and a random number. A broker knows one client by each.",
       .field = text(config.client_id, fault_of_mqtt_text),
       .groups = {"client id"}},
      {.name = "id-prefix",
       .letter = 'I',
       .value = "PREFIX",
       .section = section,
       .help = "Make the client id of this and the number of the process.",
       .field = text(config.id_prefix, fault_of_mqtt_text),
       .groups = {"client id"}},
      {.name = "protocol-version",
       .letter = 'V',
       .value = "VERSION",
       .section = section,
       .help = "Version of MQTT: mqttv5, mqttv311 or mqttv31, or the number alone. -D and -x mean 5.",
       .field = choice<ProtocolVersion>(
           config.version,
           {{"mqttv5", ProtocolVersion::v5}, {"mqttv311", ProtocolVersion::v311}, {"mqttv31", ProtocolVersion::v31}},
           {{"5", ProtocolVersion::v5},
            {"5.0", ProtocolVersion::v5},
            {"311", ProtocolVersion::v311},
            {"3.1.1", ProtocolVersion::v311},
            {"31", ProtocolVersion::v31},
            {"3.1", ProtocolVersion::v31}})},
      {.name = "disable-clean-session",
       .letter = 'c',
       .section = section,
       .help = "Keep the session when the connection ends: the broker keeps subscriptions and what arrives for them. "
               "Needs --id.",
       .field = flag(config.clean_session, true)},
      {.name = "session-expiry-interval",
       .letter = 'x',
       .value = "SECONDS",
       .section = section,
       .help = "How long the broker keeps the session after the connection; -1: for ever, as with -c. MQTT 5. Paho can "
               "say 68 years at most.",
       .field = expiry(config.session_expiry),
       .mqtt5 = Mqtt5::implied},
      {.name = "max-inflight",
       .letter = 'M',
       .value = "N",
       .section = section,
       .help =
           "How many messages of QoS 1 and 2 may wait for their acknowledgement at the same time. Without it 100, or "
           "what the broker says it takes (MQTT 5); before MQTT 5, where it cannot say so, 20 of QoS 2.",
       .field = number(config.max_inflight, 1, 65535)},
      {.name = "topic-alias",
       .value = "WHEN",
       .section = section,
       .help =
           "auto: send each topic name once on a connection, and then a number for it, as many as the broker takes. "
           "MQTT 5.",
       .field = choice<bool>(config.automatic_topic_alias, {{"auto", true}, {"off", false}}),
       .mqtt5 = Mqtt5::implied},
      {.name = "property",
       .letter = 'D',
       .value = "PACKET NAME VALUE",
       .section = section,
       .help = "Send an MQTT 5 property in packets of this kind (connect, publish, subscribe, unsubscribe, disconnect, "
               "will); may be repeated. A user-property has two words after NAME: its own name and its value. Binary "
               "values as hex or base64: correlation-data:hex 0a0b, correlation-data:base64 Cgs=.",
       .field = properties(config.properties),
       .mqtt5 = Mqtt5::implied,
       .words = words_of_property},
  };
}

std::vector<Option> will_rows(ConnectionConfig& config) {
  Will& will = config.will;
  const std::string section = "Will";
  const Rule of_a_will{"will-topic", "a will is published on a topic"};
  return {
      {.name = "will-topic",
       .value = "TOPIC",
       .section = section,
       .help = "Topic name on which the broker publishes the will when this client is lost.",
       .field = text(will.topic, fault_of_topic_name)},
      {.name = "will-payload",
       .value = "PAYLOAD",
       .section = section,
       .help = "Payload of the will; empty without one.",
       .field = text(will.payload, fault_of_mqtt_data),
       .needs = {of_a_will}},
      {.name = "will-qos",
       .value = "QOS",
       .section = section,
       .help = "QoS of the will.",
       .field = qos(will.qos),
       .needs = {of_a_will}},
      {.name = "will-retain",
       .section = section,
       .help = "The broker keeps the will for those who subscribe later.",
       .field = flag(will.retain),
       .needs = {of_a_will}},
      {.name = "will-on-disconnect",
       .section = section,
       .help = "The broker publishes the will also where this client ends in order. MQTT 5.",
       .field = flag(config.will_on_disconnect),
       .needs = {of_a_will},
       .mqtt5 = Mqtt5::implied},
  };
}

std::vector<Option> tls_rows(TlsConfig& tls) {
  const std::string section = "TLS";
  Value keyform = impossible("expected pem: Paho cannot use OpenSSL's engines");
  keyform.choices = {"pem"};
  keyform.set = [set = keyform.set](std::string_view value) {
    if (value != "pem") {
      set(value);
    }
  };
  const std::string engines = "Paho cannot use OpenSSL's engines";
  return {
      {.name = "cafile",
       .value = "FILE",
       .section = section,
       .help = "Trust the certificates in this file (PEM).",
       .field = nonempty(tls.ca_file, "a file"),
       .completes = Completes::file},
      {.name = "capath",
       .value = "DIRECTORY",
       .section = section,
       .help = "Trust the certificates in this directory; `openssl rehash` makes their links.",
       .field = nonempty(tls.ca_path, "a directory"),
       .completes = Completes::directory},
      {.name = "tls-use-os-certs",
       .section = section,
       .help = "Trust the certificates that this system trusts; with TLS and no other trust, that is the default.",
       .field = flag(tls.system_store)},
      {.name = "cert",
       .value = "FILE",
       .section = section,
       .help = "The client's own certificate (PEM).",
       .field = nonempty(tls.certificate, "a file"),
       .completes = Completes::file,
       .needs = {{"key", "the certificate's private key"}}},
      {.name = "key",
       .value = "FILE",
       .section = section,
       .help = "The private key of that certificate (PEM).",
       .field = nonempty(tls.key, "a file"),
       .completes = Completes::file,
       .needs = {{"cert", "the key's certificate"}}},
      {.name = "key-pass-file",
       .value = "FILE",
       .section = section,
       .help = "Read the password of an encrypted private key from this file.",
       .field = nonempty(tls.key_password_file, "a file"),
       .completes = Completes::file,
       .needs = {{"key", "it is the password of a private key"}}},
      {.name = "tls-version",
       .value = "VERSION",
       .section = section,
       .help = "Allow this version of TLS only: tlsv1.3, tlsv1.2 or tlsv1.1.",
       .field =
           choice<std::string>(tls.version, {{"tlsv1.3", "tlsv1.3"}, {"tlsv1.2", "tlsv1.2"}, {"tlsv1.1", "tlsv1.1"}})},
      {.name = "ciphers",
       .value = "LIST",
       .section = section,
       .help = "Allow these ciphers only, in OpenSSL's words (see ciphers(1)).",
       .field = nonempty(tls.ciphers, "a list of ciphers")},
      {.name = "tls-server-name",
       .value = "NAME",
       .section = section,
       .help = "Ask for this name (SNI) and look for it in the certificate, instead of the host's.",
       .field = nonempty(tls.server_name, "a host name or an address")},
      {.name = "tls-alpn",
       .value = "PROTOCOL",
       .section = section,
       .help = "Ask for this protocol on a port that serves several (ALPN).",
       .field = nonempty(tls.alpn, "a protocol's name")},
      {.name = "insecure",
       .section = section,
       .help =
           "Do not compare the broker's name with its certificate: anyone with a certificate could answer. For tests "
           "only.",
       .field = flag(tls.insecure)},
      {.name = "psk",
       .value = "HEX",
       .section = section,
       .help = "Encrypt with this pre-shared key, in hexadecimal, instead of certificates. Others can read it in the "
               "list of processes: better is the variable.",
       .field = text(tls.psk, fault_of_key),
       .secret = true,
       .needs = {{"psk-identity", "the broker finds the key by its name"}},
       .excludes = {{"cafile capath cert", "a key that both sides know, or certificates, not both"}}},
      {.name = "psk-identity",
       .value = "NAME",
       .section = section,
       .help = "The name of that key at the broker.",
       .field = nonempty(tls.psk_identity, "at least one character"),
       .needs = {{"psk", "it is the name of a key"}}},
      {.name = "tls-keylog",
       .value = "FILE",
       .section = section,
       .help = "Append the session's secrets to this file, with which Wireshark can read a capture. The variable "
               "SSLKEYLOGFILE, which browsers know too, means the same.",
       .field = nonempty(tls.keylog, "a file"),
       .completes = Completes::file,
       .other_variable = "SSLKEYLOGFILE"},
      {.name = "no-tls",
       .section = section,
       .help = "No encryption, though the port is 8883.",
       .field = flag(tls.refused),
       .excludes = {{"cafile capath tls-use-os-certs cert psk", "with TLS or without"}}},
      {.name = "keyform",
       .value = "FORM",
       .section = section,
       .help = "Form of the private key: pem is the only one, since Paho cannot use OpenSSL's engines.",
       .field = keyform},
      {.name = "tls-engine",
       .value = "ENGINE",
       .section = section,
       .help = "Refused: Paho cannot use OpenSSL's engines.",
       .field = impossible(engines)},
      {.name = "tls-engine-kpass-sha1",
       .value = "HASH",
       .section = section,
       .help = "Refused: Paho cannot use OpenSSL's engines.",
       .field = impossible(engines),
       .secret = true},
  };
}

std::vector<Option> diagnosis_rows(ConnectionConfig& config) {
  const std::string section = "Diagnosis";
  return {
      {.name = "ping",
       .section = section,
       .help =
           "Do nothing but try whether the broker works: connect, subscribe, publish a message to itself on --topic "
           "(or "
           "ping/ID), and print how long it took. Status 0 where it came back within 5 seconds or --timeout: fit for a "
           "health check.",
       .field = flag(config.ping)},
      {.name = "debug",
       .letter = 'd',
       .section = section,
       .help =
           "Say on stderr which packets are sent and received, each on a line: time, packet id, flags, reason codes, "
           "properties, sizes.",
       .field = flag(config.debug)},
      {.name = "quiet",
       .section = section,
       .help = "Say nothing on stderr of what goes wrong once the options are right.",
       .field = flag(config.quiet)},
  };
}

// Rules -------------------------------------------------------------------------------------------------------

/// Says what is allowed and unwise.
using Advise = std::function<void(const std::string&)>;

std::string secret_of(const std::string& file, const char* option, const ConnectionConfig& config,
                      const Settings& settings) {
  try {
    return read_secret(file, config.allow_readable_secrets);
  } catch (const Expected& expected) {
    throw UsageError(fmt::format("{}: {}, got \"{}\"", settings.home_of(option), expected.what(), file));
  }
}

/// The variable holds for whatever this shell starts: a file that this run cannot write is no reason not to run.
void check_shared_keylog(TlsConfig& tls, const Settings& settings, const Advise& advise) {
  if (!tls.enabled || tls.keylog.empty() || settings.home_of("tls-keylog") != "SSLKEYLOGFILE") {
    return;
  }
  constexpr mode_t for_us_only = 0600;
  const Descriptor file{::open(tls.keylog.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, for_us_only)};
  if (file.get() < 0) {
    advise(fmt::format("SSLKEYLOGFILE: cannot write {}: {}; the keys are not logged", tls.keylog, errno_words(errno)));
    tls.keylog.clear();
  }
}

void check_tls(ConnectionConfig& config, const Settings& settings, const Advise& advise) {
  TlsConfig& tls = config.tls;
  const bool asked = tls.system_store || settings.given("cafile") || settings.given("capath") ||
                     settings.given("cert") || settings.given("psk") || config.port == mqtt_tls_port ||
                     std::any_of(config.brokers.begin(), config.brokers.end(),
                                 [](const BrokerPlace& one) { return one.port == mqtt_tls_port; });
  tls.enabled = asked && !tls.refused;
  tls.system_store =
      tls.enabled && (tls.system_store || (tls.ca_file.empty() && tls.ca_path.empty() && tls.psk.empty()));
  for (const char* option : {"tls-version", "ciphers", "tls-server-name", "tls-alpn", "insecure", "tls-keylog"}) {
    if (!tls.enabled && settings.given(option) && settings.home_of(option) != "SSLKEYLOGFILE") {
      advise(fmt::format("{} has no effect: nothing asks for TLS (--cafile, --tls-use-os-certs or mqtts://)",
                         settings.home_of(option)));
    }
  }
  check_shared_keylog(tls, settings, advise);
  if (tls.enabled && tls.insecure) {
    advise(fmt::format("{}: the broker's name is not compared with its certificate; for tests only",
                       settings.home_of("insecure")));
  }
  if (!tls.key_password_file.empty()) {
    tls.key_password = secret_of(tls.key_password_file, "key-pass-file", config, settings);
  }
}

/// One of the hosts, which may go into a line of HTTP and is no URL.
void check_host(std::string_view host, const std::string& home) {
  if (host.find_first_of("/@") != std::string_view::npos) {  // and may hold a password
    throw UsageError(fmt::format("{}: expected a host name or an address, got a URL: --url takes that", home));
  }
  if (std::any_of(host.begin(), host.end(), [](unsigned char c) { return c <= ' ' || c == 0x7F; })) {
    throw UsageError(fmt::format(
        "{}: expected a host name or an address, without blanks and control characters, got \"{}\"", home, host));
  }
}

/// The brokers that `host` names, those without a port of their own with 0.
void read_brokers(ConnectionConfig& config, const Settings& settings) {
  std::string_view left = config.host;
  config.brokers.clear();
  while (true) {
    const std::string_view one = left.substr(0, left.find(','));
    check_host(one, settings.home_of("host"));
    const std::size_t colon = one.rfind(':');
    // An IPv6 address without brackets has no port behind it.
    const bool has_port = colon != std::string_view::npos && (one.find(':') == colon || one[colon - 1] == ']');
    try {
      const Url url =
          has_port || one.starts_with('[') ? url_of(fmt::format("mqtt://{}", one), "host[:port],...") : Url{};
      config.brokers.push_back({url.host.empty() ? std::string(one) : url.host, url.port.value_or(0)});
    } catch (const Expected& expected) {
      throw UsageError(fmt::format("{}: {}, got \"{}\"", settings.home_of("host"), expected.what(), one));
    }
    if (one.empty()) {
      throw UsageError(fmt::format("{}: expected a host on each side of a comma, got \"{}\"", settings.home_of("host"),
                                   config.host));
    }
    if (one.size() == left.size()) {
      break;
    }
    left.remove_prefix(one.size() + 1);
  }
  if (config.brokers.size() > 1) {
    check_both(settings, "srv", "host", "several hosts, or one that the DNS has them of");
  }
}

/// A socket of this machine has no port and needs no way. What homes that lose to the socket's say of those is moot.
void check_unix(const Settings& settings) {
  const auto socket = settings.homes.find("unix");
  for (const char* option : {"port", "proxy", "bind-address", "srv"}) {
    const auto home = settings.homes.find(option);
    if (socket != settings.homes.end() && home != settings.homes.end() && home->second.level >= socket->second.level) {
      throw UsageError(
          fmt::format("{} and {}: a socket of this machine has none of that", socket->second.name, home->second.name));
    }
  }
}

void check_will(const ConnectionConfig& config, const Settings& settings) {
  if (!properties_for(PropertyPlace::will, config.properties).empty() && !settings.given("will-topic")) {
    throw UsageError(
        fmt::format("{} needs --will-topic: a will is published on a topic", settings.home_of("property")));
  }
  if (const auto fault = fault_of_properties(config.properties)) {
    throw UsageError(fmt::format("{}: {}", settings.home_of("property"), *fault));
  }
}

void check_session(ConnectionConfig& config, Settings& settings) {
  const auto is_expiry = [](const PlacedProperty& one) {
    return one.place == PropertyPlace::connect && property_name(one.property.identifier) == "session-expiry-interval";
  };
  if (std::any_of(config.properties.begin(), config.properties.end(), is_expiry)) {
    check_both(settings, "session-expiry-interval", "property", "the interval can be said once only");
  }
  const auto is_alias = [](const PlacedProperty& one) {
    return property_name(one.property.identifier) == "topic-alias";
  };
  if (std::any_of(config.properties.begin(), config.properties.end(), is_alias)) {
    check_both(settings, "topic-alias", "property", "the alias is chosen by one of them");
  }
  const bool is_v5 = config.version == ProtocolVersion::v5;
  if (is_v5 && !config.clean_session && !config.session_expiry) {
    config.session_expiry = never_expires;
  }
  // Who asks for no session after the connection cannot want one at its end [MQTT5 3.14.2.2.2].
  const auto expiry_in = [&](PropertyPlace place) {
    return number_in(properties_for(place, config.properties), "session-expiry-interval").value_or(0);
  };
  if (expiry_in(PropertyPlace::disconnect) > 0 && expiry_in(PropertyPlace::connect) == 0 &&
      config.session_expiry.value_or(0) == 0) {
    throw UsageError(
        fmt::format("{}: disconnect session-expiry-interval needs one in connect, too: without, the session "
                    "ends with the connection",
                    settings.home_of("property")));
  }
  if (!settings.given("id") || config.client_id.empty()) {
    if (config.session_expiry == never_expires) {
      throw UsageError(
          fmt::format("{} needs --id: a session without end is found again by its client id",
                      settings.home_of(settings.given("session-expiry-interval") ? "session-expiry-interval"
                                                                                 : "disable-clean-session")));
    }
    if (!config.clean_session) {
      throw UsageError(fmt::format("{} needs --id: a session is found again by its client id",
                                   settings.home_of("disable-clean-session")));
    }
  }
  if (!config.id_prefix.empty()) {
    config.client_id = config.id_prefix + std::to_string(::getpid());
    settings.homes["id"] = settings.homes["id-prefix"];
  }
}

void check_login(ConnectionConfig& config, const Settings& settings, const Advise& advise) {
  if (!config.password_file.empty()) {
    config.password = secret_of(config.password_file, "password-file", config, settings);
  }
  const char* password = config.password_file.empty() ? "password" : "password-file";
  if (config.username.empty() && config.password == "") {
    config.password.reset();  // -u "$USER" -P "$PASSWORD" in a script, with neither set
  }
  if (config.password && config.username.empty() && config.version != ProtocolVersion::v5) {
    throw UsageError(
        fmt::format("{} needs --username: MQTT 3 has no password without one", settings.home_of(password)));
  }
  for (const char* secret : {"password", "psk"}) {
    const auto home = settings.homes.find(secret);
    if (home != settings.homes.end() && home->second.level == Level::command_line) {
      advise(fmt::format("others on this machine can read what follows {} in the list of processes; {} hides it",
                         home->second.name,
                         std::string_view(secret) == "psk" ? "the variable MQTT_PSK" : "--password-file"));
    }
  }
  const auto proxy = settings.homes.find("proxy");
  if (proxy != settings.homes.end() && proxy->second.level == Level::command_line && !config.proxy.password.empty()) {
    advise(
        fmt::format("others on this machine can read the password in {} in the list of processes; the variable "
                    "MQTT_PROXY hides it",
                    proxy->second.name));
  }
}

}  // namespace

std::vector<Option> connection_rows(ConnectionConfig& config) {
  std::vector<Option> rows = place_rows(config);
  append(rows, login_rows(config));
  append(rows, session_rows(config));
  append(rows, will_rows(config));
  append(rows, tls_rows(config.tls));
  append(rows, diagnosis_rows(config));
  for (Option& row : rows) {
    row.shared = true;
  }
  return rows;
}

void check_connection(ConnectionConfig& config, Settings& settings, const Console& console) {
  check_will(config, settings);
  check_unix(settings);
  read_brokers(config, settings);
  const Advise advise = [&](const std::string& advice) {
    // A script that has always called mosquitto's clients knows what it does.
    if (!config.quiet && !settings.drop_in) {
      console.note(advice);
    }
  };
  check_tls(config, settings, advise);
  check_session(config, settings);
  check_login(config, settings, advise);
  if (config.port == 0) {
    config.port = config.tls.enabled ? mqtt_tls_port : mqtt_port;
  }
  for (BrokerPlace& one : config.brokers) {
    one.port = one.port == 0 ? config.port : one.port;
  }
}

void check_places(const ConnectionConfig& config, const Settings& settings, const std::string& tool,
                  const std::vector<PropertyPlace>& not_sent) {
  for (const PlacedProperty& property : config.properties) {
    if (std::find(not_sent.begin(), not_sent.end(), property.place) != not_sent.end()) {
      throw UsageError(fmt::format("{}: {} sends no packet of that kind: {}", settings.home_of("property"), tool,
                                   words_of(property).front()));
    }
  }
}

void ask_for_password(ConnectionConfig& config, const Settings& settings, const Sources& sources) {
  const auto home = settings.homes.find("username");
  if (home == settings.homes.end() || home->second.level != Level::command_line || config.password ||
      config.username.empty() || settings.drop_in || !sources.ask_secret) {
    return;
  }
  const auto answer = sources.ask_secret(fmt::format("Password of {} at {}: ", config.username, place(config)));
  if (answer && !answer->empty()) {
    config.password = *answer;
  }
}

}  // namespace sistem
