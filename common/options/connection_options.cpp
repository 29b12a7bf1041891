#include "common/options/connection_options.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <utility>

#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"
#include "common/net/url.hpp"
#include "common/options/secret.hpp"
#include "common/options/settings.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "common/text/encoding.hpp"

namespace sistem {
namespace {

constexpr std::uint16_t mqtt_port = 1883;
constexpr std::uint16_t mqtt_tls_port = 8883;
constexpr std::uint32_t never_expires = longest_expiry;

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
    const auto add = [&](const char* name, const std::optional<std::string>& value) {
      if (value) {
        options.emplace_back(name, *value);
      }
    };
    add("tls-use-os-certs", tls ? std::optional("true") : std::nullopt);
    add("username", url.username);
    add("password", url.password);
    add("topic", url.path.empty() ? std::nullopt : std::optional(url.path));
    return options;
  }

  std::string places_;
  Options others_;
};

Proxy proxy_of(std::string_view value) {
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
  return {http ? Proxy::Kind::http : Proxy::Kind::socks5, url.host, url.port.value_or(http ? http_port : socks_port),
          url.username.value_or(""), url.password.value_or("")};
}

Value proxy(Proxy& field) {
  return parsed(field, proxy_of, [](const Proxy& held) {
    const char* scheme = held.kind == Proxy::Kind::http ? "http://" : "socks5h://";
    return held.host.empty() ? std::nullopt : std::optional(scheme + place(held.host, held.port));
  });
}

constexpr std::size_t longest = 65535;  // bytes of what CONNECT carries: its length has two of them [MQTT-1.5.3]

std::optional<std::string> fault_unless(bool is_right, const char* expected) {
  return is_right ? std::nullopt : std::optional<std::string>(expected);
}

std::optional<std::string> fault_of_mqtt_text(std::string_view text) {
  return fault_unless(is_mqtt_text(text) && text.size() <= longest,
                      "UTF-8 without control characters, 65535 bytes at most");
}

std::optional<std::string> fault_of_mqtt_data(std::string_view data) {
  return fault_unless(data.size() <= longest, "at most 65535 bytes");
}

std::optional<std::string> fault_of_path(std::string_view path) {
  // As it is it goes into a line of HTTP [RFC 9110 4.1].
  const bool is_plain = std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return fault_unless(path.starts_with('/') && is_plain,
                      "a path that begins with /, of ASCII without blanks (others are written %XX)");
}

std::optional<std::string> fault_of_key(std::string_view key) {
  const auto is_digit = [](unsigned char c) { return std::isxdigit(c) != 0; };
  return fault_unless(!key.empty() && key.size() % 2 == 0 && std::all_of(key.begin(), key.end(), is_digit),
                      "hexadecimal digits, two for each byte, without 0x");
}

/// Seconds up to 68 years, which is also what -1, 2^32-1 and the sign for infinity mean: as good as never.
Value expiry(std::optional<std::uint32_t>& field) {
  const auto read = [](std::string_view value) {
    const bool never = value == "-1" || value == "4294967295" || value == "∞";
    return never ? never_expires
                 : static_cast<std::uint32_t>(
                       whole_number(value, 0, never_expires,
                                    "expected seconds from 0 to 2147483647, or -1 for a session without end"));
  };
  return parsed(field, read, [](std::uint32_t held) { return held == never_expires ? "-1" : std::to_string(held); });
}

Value keep_alive(std::chrono::seconds& field) {
  return parsed(
      field, [](std::string_view value) { return std::chrono::seconds(whole_number(value, 0, 65535)); },
      [](std::chrono::seconds held) { return std::to_string(held.count()); });
}

Value properties(std::vector<PlacedProperty>& field) {
  return parsed_list(
      field, [](std::string_view words) { return placed_property(split(words)); },
      [](const PlacedProperty& held) {
        // A secret one is neither shown nor saved.
        return is_secret(held) ? std::nullopt : std::optional(joined(words_of(held)));
      });
}

/// Refused but for pem, which is what there is anyway.
Value keyform() {
  Value value = impossible("expected pem: Paho cannot use OpenSSL's engines");
  value.choices = {"pem"};
  value.set = [refuse = value.set](std::string_view form) {
    if (form != "pem") {
      refuse(form);
    }
  };
  return value;
}

/// A user property has a name before its value.
std::size_t words_of_property(const std::vector<std::string>& so_far) {
  return so_far.size() > 1 && so_far[1] == "user-property" ? 4 : 3;
}

const Traits means_mqtt5{.mqtt5 = Mqtt5::implied};

// Rows --------------------------------------------------------------------------------------------------------

std::vector<Option> place_rows(ConnectionConfig& config) {
  return {
      {"-h, --host HOST",
       "Name or address of the broker. Several, separated by commas, are tried in this order whenever a connection is "
       "made: a,b:1884,[::1]:1885.",
       nonempty_text(config.host, "a host name or an address"),
       {.groups = {"broker"}}},
      {"-p, --port PORT", "TCP port of the broker (1883, with TLS 8883). 8883 means TLS.",
       number(config.port, 1, 65535, "expected a port from 1 to 65535")},
      {"-L, --url URL",
       "Host, port, user name, password and topic at once: mqtt://[username[:password]@]host[:port][/topic]; mqtts "
       "means TLS, ws and wss mean WebSocket. Repeat it to name brokers that stand in for one another.",
       {},
       {.secret = true, .expands_to = OptionsOfUrl{}}},
      {"--unix PATH",
       "Connect to a broker on this machine by its Unix domain socket.",
       completed(nonempty_text(config.unix_path, "the path of a socket"), Completes::file),
       {.groups = {"broker"},
        .excludes = {{.options = "port proxy bind-address srv",
                      .why = "a socket of this machine has none of that",
                      .outranks = true}}}},
      {"--ws", "Speak MQTT in WebSocket frames.", flag(config.websocket)},
      {"--ws-path PATH", "Path of the WebSocket at the broker.", text(config.websocket_path, fault_of_path),
       needs("ws", "it is the path of a WebSocket")},
      {"--proxy URL",
       "Connect through a proxy, which looks up the broker's name: socks5h://[username[:password]@]host[:port] (port "
       "1080) or http://... (CONNECT, port 8080). http_proxy in the environment is ignored.",
       proxy(config.proxy),
       {.secret = true}},
      {"-A, --bind-address ADDRESS", "Connect from this local address, or from that of this host name.",
       nonempty_text(config.bind_address, "an address or a host name")},
      {"-S, --srv", "Ask the DNS which hosts and ports serve MQTT for HOST (SRV).", flag(config.srv)},
      {"--nodelay", "Send small packets at once (TCP_NODELAY).", flag(config.no_delay)},
      {"--one-by-one",
       "Write each packet to the network by itself; without this, packets of a flood are written together, at most 16 "
       "KiB at a time.",
       flag(config.one_by_one)},
      {"-k, --keepalive SECONDS", "Send a ping after SECONDS without traffic; 0 disables it.",
       keep_alive(config.keep_alive)},
      {"--wait-for-broker[=SECONDS]",
       "If no broker answers at the start, keep trying, for SECONDS or for ever. A refusal still ends the run.",
       patience(config)},
      {"--reconnect-for SECONDS", "How long to try to regain a lost connection; then the run ends with status 3.",
       seconds(config.reconnect_limit)},
      {"--reconnect-max-delay SECONDS",
       "The longest wait between two attempts to connect; the first wait is 0.1 s, and each is twice as long as the "
       "one before.",
       seconds(config.reconnect_max_delay, Zero::refused)},
      {"--no-reconnect", "A lost connection ends the run with status 3.", flag(config.reconnect, true),
       excludes("reconnect-for", "a lost connection is regained, or it is not")},
  };
}

std::vector<Option> login_rows(ConnectionConfig& config) {
  return {
      {"-u, --username NAME", "User name. If it is typed on a terminal without a password, the tool asks for one.",
       text(config.username, fault_of_mqtt_text)},
      {"-P, --password PASSWORD",
       "Password. Others can read it in the list of processes: prefer --password-file, the variable or the question.",
       text(config.password),
       {.aliases = {"pw"}, .secret = true, .groups = {"password"}}},
      {"--password-file FILE",
       "Read the password from this file, without the newline at its end. A file that its group or others can read or "
       "write is refused.",
       file(config.password_file),
       {.groups = {"password"}}},
      {"--allow-readable-secrets", "Accept files of passwords that others on this machine can read or write.",
       flag(config.allow_readable_secrets)},
  };
}

std::vector<Option> session_rows(ConnectionConfig& config) {
  const Traits an_id{.groups = {"client id"}};
  return {
      {"-i, --id ID",
       "Client id; the default is the tool's name and a random number. A broker knows only one client by each id.",
       text(config.client_id, fault_of_mqtt_text), an_id},
      {"-I, --id-prefix PREFIX", "Use this prefix and the number of the process as the client id.",
       text(config.id_prefix, fault_of_mqtt_text), an_id},
      {"-V, --protocol-version VERSION",
       "Version of MQTT: mqttv5, mqttv311 or mqttv31, or the number alone. -D and -x mean 5.",
       choice<ProtocolVersion>(
           config.version,
           {{"mqttv5", ProtocolVersion::v5}, {"mqttv311", ProtocolVersion::v311}, {"mqttv31", ProtocolVersion::v31}},
           {{"5", ProtocolVersion::v5},
            {"5.0", ProtocolVersion::v5},
            {"311", ProtocolVersion::v311},
            {"3.1.1", ProtocolVersion::v311},
            {"31", ProtocolVersion::v31},
            {"3.1", ProtocolVersion::v31}})},
      {"-c, --disable-clean-session",
       "Keep the session when the connection ends: the broker keeps the subscriptions and the messages that arrive for "
       "them. Needs --id.",
       flag(config.clean_session, true)},
      {"-x, --session-expiry-interval SECONDS",
       "How long the broker keeps the session after the connection ends; -1: for ever, as with -c. MQTT 5. Paho can "
       "send at most 68 years.",
       expiry(config.session_expiry), means_mqtt5},
      {"-M, --max-inflight N",
       "How many messages of QoS 1 and 2 may wait for their acknowledgement at the same time. Without this option 100, "
       "or the broker's own limit (MQTT 5); before MQTT 5, where a broker cannot name one, 20 of QoS 2.",
       number(config.max_inflight, 1, 65535)},
      {"--topic-alias WHEN",
       "auto: send each topic name once on a connection, and then a number for it, for as many names as the broker "
       "allows. MQTT 5.",
       choice(config.automatic_topic_alias, {{"auto", true}, {"off", false}}), means_mqtt5},
      {"-D, --property PACKET NAME VALUE",
       "Send an MQTT 5 property in packets of this kind (connect, publish, subscribe, unsubscribe, disconnect, will); "
       "may be repeated. A user-property has two words after NAME: its own name and its value. Binary values as hex or "
       "base64: correlation-data:hex 0a0b, correlation-data:base64 Cgs=.",
       properties(config.properties),
       {.mqtt5 = Mqtt5::implied, .words = words_of_property}},
  };
}

std::vector<Option> will_rows(ConnectionConfig& config) {
  Will& will = config.will;
  const Traits of_a_will = needs("will-topic", "a will is published on a topic");
  return {
      {"--will-topic TOPIC", "Topic name on which the broker publishes the will when this client is lost.",
       text(will.topic, fault_of_topic_name)},
      {"--will-payload PAYLOAD", "Payload of the will; empty by default.", text(will.payload, fault_of_mqtt_data),
       of_a_will},
      {"--will-qos QOS", "QoS of the will.", qos(will.qos), of_a_will},
      {"--will-retain", "The broker keeps the will for those who subscribe later.", flag(will.retain), of_a_will},
      {"--will-on-disconnect",
       "The broker publishes the will also when this client disconnects normally. MQTT 5.",
       flag(config.will_on_disconnect),
       {.needs = of_a_will.needs, .mqtt5 = Mqtt5::implied}},
  };
}

std::vector<Option> tls_rows(TlsConfig& tls) {
  const std::string engines = "Paho cannot use OpenSSL's engines";
  return {
      {"--cafile FILE", "Trust the certificates in this file (PEM).", file(tls.ca_file)},
      {"--capath DIRECTORY", "Trust the certificates in this directory; `openssl rehash` makes their links.",
       folder(tls.ca_path)},
      {"--tls-use-os-certs",
       "Trust the certificates that this system trusts; the default if TLS is on and nothing else is trusted.",
       flag(tls.system_store)},
      {"--cert FILE", "The client's own certificate (PEM).", file(tls.certificate),
       needs("key", "the certificate's private key")},
      {"--key FILE", "The private key of that certificate (PEM).", file(tls.key),
       needs("cert", "the key's certificate")},
      {"--key-pass-file FILE", "Read the password of an encrypted private key from this file.",
       file(tls.key_password_file), needs("key", "it is the password of a private key")},
      {"--tls-version VERSION", "Allow this version of TLS only: tlsv1.3, tlsv1.2 or tlsv1.1.",
       choice(tls.version, {{"tlsv1.3", 0x0304}, {"tlsv1.2", 0x0303}, {"tlsv1.1", 0x0302}})},
      {"--ciphers LIST", "Allow these ciphers only, in OpenSSL's words (see ciphers(1)).",
       nonempty_text(tls.ciphers, "a list of ciphers")},
      {"--tls-server-name NAME", "Ask for this name (SNI) and expect it in the certificate, instead of the host's.",
       nonempty_text(tls.server_name, "a host name or an address")},
      {"--tls-alpn PROTOCOL", "Ask for this protocol on a port that serves several (ALPN).",
       nonempty_text(tls.alpn, "a protocol's name")},
      {"--insecure",
       "Do not compare the broker's name with its certificate: anyone with a certificate could answer. For tests only.",
       flag(tls.insecure)},
      {"--psk HEX",
       "Encrypt with this pre-shared key, in hexadecimal, instead of certificates. Others can read it in the list of "
       "processes: prefer the variable.",
       text(tls.psk, fault_of_key),
       {.secret = true,
        .needs = {{"psk-identity", "the broker finds the key by its name"}},
        .excludes = {{"cafile capath cert", "a key that both sides know, or certificates, not both"}}}},
      {"--psk-identity NAME", "The name by which the broker knows that key.",
       nonempty_text(tls.psk_identity, "at least one character"), needs("psk", "it is the name of a key")},
      {"--tls-keylog FILE",
       "Append the session's secrets to this file, with which Wireshark can decrypt a capture. The variable "
       "SSLKEYLOGFILE, which browsers use too, means the same.",
       file(tls.keylog),
       {.other_variable = "SSLKEYLOGFILE"}},
      {"--no-tls", "No encryption, even if the port is 8883.", flag(tls.refused),
       excludes("cafile capath tls-use-os-certs cert psk", "with TLS or without")},
      {"--keyform FORM", "Form of the private key: pem is the only one, since Paho cannot use OpenSSL's engines.",
       keyform()},
      {"--tls-engine ENGINE", "Refused: Paho cannot use OpenSSL's engines.", impossible(engines)},
      {"--tls-engine-kpass-sha1 HASH",
       "Refused: Paho cannot use OpenSSL's engines.",
       impossible(engines),
       {.secret = true}},
  };
}

std::vector<Option> diagnosis_rows(ConnectionConfig& config, std::vector<Rule> not_with_ping) {
  return {
      {"--ping",
       "Only check that the broker works: connect, subscribe, publish a message on --topic (or ping/ID), receive it, "
       "and print how long that took. Status 0 if it arrives within 5 seconds or --timeout: suitable as a health "
       "check.",
       flag(config.ping),
       {.excludes = std::move(not_with_ping)}},
      {"-d, --debug",
       "Report on stderr which packets are sent and received, each on a line: time, packet id, flags, reason codes, "
       "properties, sizes.",
       flag(config.debug)},
      {"--quiet", "Report no failures on stderr once the options are valid.", flag(config.quiet)},
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
    refuse(settings, option, expected.what(), file);
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
void check_host(std::string_view host, const Settings& settings) {
  if (host.find_first_of("/@") != std::string_view::npos) {  // and may hold a password
    refuse(settings, "host", "expected a host name or an address, got a URL: --url takes that");
  }
  if (std::any_of(host.begin(), host.end(), [](unsigned char c) { return c <= ' ' || c == 0x7F; })) {
    refuse(settings, "host", "expected a host name or an address, without blanks and control characters", host);
  }
}

/// The brokers that `host` names, those without a port of their own with 0.
void read_brokers(ConnectionConfig& config, const Settings& settings) {
  std::string_view left = config.host;
  config.brokers.clear();
  while (true) {
    const std::string_view one = left.substr(0, left.find(','));
    check_host(one, settings);
    const std::size_t colon = one.rfind(':');
    // An IPv6 address without brackets has no port behind it.
    const bool has_port = colon != std::string_view::npos && (one.find(':') == colon || one[colon - 1] == ']');
    try {
      const Url url =
          has_port || one.starts_with('[') ? url_of(fmt::format("mqtt://{}", one), "host[:port],...") : Url{};
      config.brokers.push_back({url.host.empty() ? std::string(one) : url.host, url.port.value_or(0)});
    } catch (const Expected& expected) {
      refuse(settings, "host", expected.what(), one);
    }
    if (one.empty()) {
      refuse(settings, "host", "expected a host on each side of a comma", config.host);
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

void check_will(const ConnectionConfig& config, const Settings& settings) {
  if (!properties_for(PropertyPlace::will, config.properties).empty() && !settings.given("will-topic")) {
    throw UsageError(
        fmt::format("{} needs --will-topic: a will is published on a topic", settings.home_of("property")));
  }
  if (const auto fault = fault_of_properties(config.properties)) {
    refuse(settings, "property", *fault);
  }
}

void check_session(ConnectionConfig& config, Settings& settings) {
  const auto expiry_in = [&](PropertyPlace place) {
    return number_in(properties_for(place, config.properties), "session-expiry-interval");
  };
  if (expiry_in(PropertyPlace::connect)) {
    check_both(settings, "session-expiry-interval", "property", "the interval can be said once only");
  }
  if (number_in(properties_for(PropertyPlace::publish, config.properties), "topic-alias")) {
    check_both(settings, "topic-alias", "property", "the alias is chosen by one of them");
  }
  const bool is_v5 = config.version == ProtocolVersion::v5;
  if (is_v5 && !config.clean_session && !config.session_expiry) {
    config.session_expiry = never_expires;
  }
  // Who asks for no session after the connection cannot want one at its end [MQTT5 3.14.2.2.2].
  if (expiry_in(PropertyPlace::disconnect).value_or(0) > 0 && expiry_in(PropertyPlace::connect).value_or(0) == 0 &&
      config.session_expiry.value_or(0) == 0) {
    refuse(settings, "property",
           "disconnect session-expiry-interval needs one in connect, too: without, the session ends with the "
           "connection");
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
  const auto advise_to_hide = [&](const char* option, const char* what, const char* better) {
    if (settings.is_typed(option)) {
      advise(fmt::format("others on this machine can read {} {} in the list of processes; {} hides it", what,
                         settings.home_of(option), better));
    }
  };
  advise_to_hide("password", "what follows", "--password-file");
  advise_to_hide("psk", "what follows", "the variable MQTT_PSK");
  if (!config.proxy.password.empty()) {
    advise_to_hide("proxy", "the password in", "the variable MQTT_PROXY");
  }
  if (std::any_of(config.properties.begin(), config.properties.end(), is_secret)) {
    advise_to_hide("property", "the authentication data of", "the variable MQTT_PROPERTY");
  }
}

}  // namespace

std::vector<Option> connection_rows(ConnectionConfig& config, std::vector<Rule> not_with_ping) {
  return table_of({{"Connection", place_rows(config)},
                   {"Login", login_rows(config)},
                   {"Session", session_rows(config)},
                   {"Will", will_rows(config)},
                   {"TLS", tls_rows(config.tls)},
                   {"Diagnosis", diagnosis_rows(config, std::move(not_with_ping))}},
                  true);
}

void check_connection(ConnectionConfig& config, Settings& settings, const Console& console) {
  check_will(config, settings);
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
      refuse(settings, "property",
             fmt::format("{} sends no packet of that kind: {}", tool, words_of(property).front()));
    }
  }
}

void ask_for_password(ConnectionConfig& config, const Settings& settings, const Sources& sources) {
  if (!settings.is_typed("username") || config.password || config.username.empty() || settings.drop_in ||
      !sources.ask_secret) {
    return;
  }
  const auto answer = sources.ask_secret(fmt::format("Password of {} at {}: ", config.username, place(config)));
  if (answer && !answer->empty()) {
    config.password = *answer;
  }
}

}  // namespace sistem
