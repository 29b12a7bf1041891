// The only file that knows Paho. What it must work around is said where it does, with the version that needs it.

// Paho C++ 1.2.0 shows the packet id of a message to its own tests only; what this switch adds are accessors.
#define UNIT_TESTS
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mqtt/async_client.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>
#include <utility>

#include "common/dial.hpp"
#include "common/error.hpp"
#include "common/paho_shims.hpp"
#include "common/reason.hpp"
#include "common/session.hpp"
#include "common/window.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// Messages taken and not yet acknowledged. Paho's own queue gives no back-pressure, so this is where a fast source
/// waits.
constexpr std::size_t window_size = 256;

/// With so many left a publisher that waits for room is woken: not for each single one, which would cost two switches
/// of threads a message.
constexpr std::size_t wake_publisher_at = window_size / 2;

/// What Paho is told: more than the window ever holds, so that its own limits are never met. At the first its send
/// thread sleeps, and no PUBACK wakes it (Paho C 1.3.12: 180 messages a second instead of 20,000); at the second it
/// refuses messages.
constexpr std::size_t pahos_share = 2;

/// What has arrived and was not yet received by the tool, in messages and in bytes. When one of them is full Paho's
/// receive thread waits, TCP pushes back, and the broker queues or drops by its own rules. Pings wait too: a tool that
/// does not receive for 90 s loses its connection.
constexpr std::size_t arrivals_limit = 1000;
constexpr std::size_t arrivals_bytes_limit = 16 << 20;

// What a stop may cost in all is a second.
constexpr auto flush_after_stop = 400ms;
constexpr auto disconnect_timeout = 300ms;

constexpr auto first_retry = 100ms;
constexpr auto slowest_retry = 5s;

/// A connection that has held so long was no accident: after its loss the first attempt comes at once again. One that
/// is lost earlier (another client with our id, a packet that the broker closes it for) is not made up for in a hurry.
constexpr auto proven_after = 10s;

std::string_view name_of(ProtocolVersion version) {
  switch (version) {
    case ProtocolVersion::v31: return "MQTT 3.1";
    case ProtocolVersion::v311: return "MQTT 3.1.1";
    case ProtocolVersion::v5: return "MQTT 5";
  }
  return "";
}

/// Why the broker refused CONNECT, or nothing where the code is none of CONNACK's [MQTT-3.2.2.3, MQTT5 3.2.2.2].
std::optional<std::string> refusal(int code, ProtocolVersion version) {
  constexpr int unsupported_version = 0x84;
  if (code == 1 || code == unsupported_version) {
    return fmt::format("it does not speak {} (CONNACK code {})", name_of(version), code == 1 ? "1" : "0x84");
  }
  if (version == ProtocolVersion::v5) {
    return code >= first_failure ? std::optional(reason_text(code)) : std::nullopt;
  }
  switch (code) {
    case 2: return "it does not accept the client id (CONNACK code 2)";
    case 3: return "its MQTT service is not available (CONNACK code 3)";
    case 4: return "bad user name or password (CONNACK code 4)";
    case 5: return "not authorized (CONNACK code 5)";
    default: return std::nullopt;
  }
}

/// Whether time may mend that refusal: the broker is there, but not ready, too busy, or has had too much of us.
bool may_pass(int code) {
  switch (code) {
    case 3:  // before MQTT 5: server unavailable
    case MQTTREASONCODE_SERVER_UNAVAILABLE:
    case MQTTREASONCODE_SERVER_BUSY:
    case MQTTREASONCODE_QUOTA_EXCEEDED:
    case MQTTREASONCODE_CONNECTION_RATE_EXCEEDED: return true;
    default: return false;
  }
}

/// Of the library that is loaded: "1.3.12".
std::string paho_c_version() {
  for (const MQTTAsync_nameValue* value = MQTTAsync_getVersionInfo(); value->name != nullptr; ++value) {
    if (std::string_view(value->name) == "Version") {
      return value->value;
    }
  }
  return "?";
}

/// Whether Paho keeps to the keep alive that a broker asks for in CONNACK [MQTT5 3.2.2.3.14].
bool paho_heeds_server_keep_alive() {
  std::istringstream version(paho_c_version());
  std::array<int, 3> parts{};
  for (int& part : parts) {
    version >> part;
    version.ignore(1);
  }
  return parts >= std::array{1, 3, 14};
}

// Properties ---------------------------------------------------------------------------------------------------

mqtt::property to_paho(const Property& property) {
  const auto code = static_cast<mqtt::property::code>(property.identifier);
  switch (::MQTTProperty_getType(static_cast<MQTTPropertyCodes>(property.identifier))) {
    case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR: return {code, property.name, property.text};
    case MQTTPROPERTY_TYPE_UTF_8_ENCODED_STRING:
    case MQTTPROPERTY_TYPE_BINARY_DATA: return {code, property.text};
    default: return {code, static_cast<std::int32_t>(property.number)};
  }
}

mqtt::properties to_paho(const std::vector<Property>& properties) {
  mqtt::properties all;
  for (const Property& property : properties) {
    all.add(to_paho(property));
  }
  return all;
}

Property from_paho(const MQTTProperty& raw) {
  const auto string = [](const MQTTLenString& text) {
    return text.len > 0 ? std::string(text.data, static_cast<std::size_t>(text.len)) : std::string{};
  };
  Property property{static_cast<std::uint8_t>(raw.identifier), 0, {}};
  switch (::MQTTProperty_getType(raw.identifier)) {
    case MQTTPROPERTY_TYPE_BYTE: property.number = raw.value.byte; break;
    case MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER: property.number = raw.value.integer2; break;
    case MQTTPROPERTY_TYPE_FOUR_BYTE_INTEGER:
    case MQTTPROPERTY_TYPE_VARIABLE_BYTE_INTEGER: property.number = raw.value.integer4; break;
    case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR:
      property.name = string(raw.value.data);
      property.text = string(raw.value.value);
      break;
    default: property.text = string(raw.value.data);
  }
  return property;
}

std::vector<Property> from_paho(const mqtt::properties& properties) {
  std::vector<Property> all;
  const MQTTProperties& raw = properties.c_struct();
  all.reserve(static_cast<std::size_t>(raw.count));
  for (int at = 0; at < raw.count; ++at) {
    all.push_back(from_paho(raw.array[at]));
  }
  return all;
}

std::optional<std::uint32_t> number_of(mqtt::property::code code, const std::vector<Property>& properties) {
  for (const Property& property : properties) {
    if (property.identifier == code) {
      return property.number;
    }
  }
  return std::nullopt;
}

/// Properties at the end of a debug line: ", content-type text/plain, topic-alias 3".
std::string listed(const std::vector<Property>& properties) {
  std::string list;
  for (const Property& property : properties) {
    const auto words = words_of({PropertyPlace::publish, property});
    const bool binary =
        ::MQTTProperty_getType(static_cast<MQTTPropertyCodes>(property.identifier)) == MQTTPROPERTY_TYPE_BINARY_DATA;
    list += binary ? fmt::format(", {} of {} bytes", words[1], property.text.size())
                   : fmt::format(", {}", fmt::join(words.begin() + 1, words.end(), " "));
  }
  return list;
}

// CONNECT and CONNACK ------------------------------------------------------------------------------------------

/// CONNECT's properties: those that the user named, and the session's expiry.
std::vector<Property> connect_properties(const ConnectionConfig& config) {
  std::vector<Property> properties = properties_for(PropertyPlace::connect, config.properties);
  constexpr auto code = mqtt::property::SESSION_EXPIRY_INTERVAL;
  if (config.session_expiry && !number_of(code, properties)) {
    properties.push_back({code, *config.session_expiry, {}});
  }
  return properties;
}

/// Fills in what CONNECT says. Not a function that gives options: Paho C++ 1.2.0 forgets properties when they are
/// moved.
void fill_in(mqtt::connect_options& options, const ConnectionConfig& config) {
  // A version, and not Paho's default of trying 3.1 after 3.1.1, which would connect twice.
  options.set_mqtt_version(static_cast<int>(config.version));
  if (config.version == ProtocolVersion::v5) {
    options.set_clean_start(config.clean_session);
    options.set_properties(to_paho(connect_properties(config)));
  } else {
    options.set_clean_session(config.clean_session);
  }
  options.set_keep_alive_interval(config.keep_alive);
  options.set_connect_timeout(config.connect_timeout);
  options.set_max_inflight(static_cast<int>(pahos_share * config.max_inflight));
  if (!config.username.empty()) {
    options.set_user_name(config.username);
  }
  if (config.password) {
    options.set_password(*config.password);
  }
  if (!config.will.topic.empty()) {
    const Will& will = config.will;
    mqtt::will_options last{will.topic, mqtt::binary_ref{will.payload}, will.qos, will.retain};
    if (config.version == ProtocolVersion::v5) {
      last.set_properties(to_paho(properties_for(PropertyPlace::will, config.properties)));
    }
    options.set_will(last);
  }
}

/// What CONNECT says, for a debug line. Never the password.
std::string description(const ConnectionConfig& config, const std::string& client_id) {
  const bool v5 = config.version == ProtocolVersion::v5;
  const std::string_view clean = v5 ? "clean start" : "clean session";
  return fmt::format("{}, client id {}, {}, keep alive {} s{}{}{}{}", name_of(config.version), client_id,
                     config.clean_session ? clean : "persistent session", config.keep_alive.count(),
                     config.username.empty() ? "" : fmt::format(", user name {}", config.username),
                     config.password ? ", password" : "",
                     config.will.topic.empty() ? "" : fmt::format(", will on {}", config.will.topic),
                     v5 ? listed(connect_properties(config)) : "");
}

/// What a broker takes on a connection: what its CONNACK says, and otherwise what MQTT lets it [MQTT5 3.2.2.3].
struct Limits {
  std::uint32_t receive_maximum = 65535;
  std::uint32_t maximum_qos = 2;
  bool retain_available = true;
  std::uint32_t maximum_packet_size = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t topic_alias_maximum = std::numeric_limits<std::uint32_t>::max();
};

Limits limits_in(const std::vector<Property>& connack) {
  Limits limits;
  limits.receive_maximum = number_of(mqtt::property::RECEIVE_MAXIMUM, connack).value_or(limits.receive_maximum);
  limits.maximum_qos = number_of(mqtt::property::MAXIMUM_QOS, connack).value_or(limits.maximum_qos);
  limits.retain_available = number_of(mqtt::property::RETAIN_AVAILABLE, connack).value_or(1) != 0;
  limits.maximum_packet_size =
      number_of(mqtt::property::MAXIMUM_PACKET_SIZE, connack).value_or(limits.maximum_packet_size);
  limits.topic_alias_maximum = number_of(mqtt::property::TOPIC_ALIAS_MAXIMUM, connack).value_or(0);
  return limits;
}

/// How many bytes a variable byte integer takes: seven bits in each [MQTT5-1.5.5].
std::size_t size_of_variable(std::size_t number) {
  std::size_t bytes = 1;
  for (number >>= 7U; number > 0; number >>= 7U) {
    ++bytes;
  }
  return bytes;
}

/// How many bytes PUBLISH takes in MQTT 5, which Paho does not tell.
std::size_t packet_size(const mqtt::message& message) {
  const auto properties = static_cast<std::size_t>(message.get_properties().c_struct().length);
  const std::size_t rest = 2 + message.get_topic().size() + (message.get_qos() > 0 ? 2 : 0) +
                           size_of_variable(properties) + properties + message.get_payload().size();
  return 1 + size_of_variable(rest) + rest;
}

/// Why the broker would close the connection over that message: then it is better not sent.
std::optional<std::string> fault_of(const mqtt::message& message, const Limits& limits) {
  if (static_cast<std::uint32_t>(message.get_qos()) > limits.maximum_qos) {
    return fmt::format("it takes QoS {} at most", limits.maximum_qos);
  }
  if (message.is_retained() && !limits.retain_available) {
    return "it keeps no retained messages";
  }
  if (packet_size(message) > limits.maximum_packet_size) {
    return fmt::format("it takes packets of {} bytes at most", limits.maximum_packet_size);
  }
  const auto alias = number_of(mqtt::property::TOPIC_ALIAS, from_paho(message.get_properties()));
  if (alias && *alias > limits.topic_alias_maximum) {
    return limits.topic_alias_maximum == 0 ? "it takes no topic alias"
                                           : fmt::format("it takes topic aliases up to {}", limits.topic_alias_maximum);
  }
  return std::nullopt;
}

/// Attempts to connect, until a limit of time: each wait is twice as long as the one before, with jitter, so that a
/// restarted broker does not meet all its clients at the same moment.
class Retry {
 public:
  explicit Retry(const std::optional<std::chrono::duration<double>>& limit, Deadline at_most = never)
      : deadline_(std::min(limit ? deadline_in(*limit) : never, at_most)) {}

  [[nodiscard]] Deadline deadline() const { return deadline_; }

  /// True where the next attempt is due; false where a stop was requested or the time is over before it.
  [[nodiscard]] bool wait(const std::stop_token& stop) {
    const std::chrono::duration<double> jittered = delay_ * std::uniform_real_distribution{0.5, 1.0}(random_);
    delay_ = std::min<std::chrono::milliseconds>(delay_ * 2, slowest_retry);
    const Deadline due = deadline_in(jittered);
    return due < deadline_ && sleep_until(due, stop);
  }

 private:
  Deadline deadline_;
  std::chrono::milliseconds delay_ = first_retry;
  std::minstd_rand random_{std::random_device{}()};
};

/// Every broker must take a client id of up to 23 digits and letters [MQTT-3.1.3-5].
std::string made_up_client_id(const std::string& prefix) {
  std::random_device random;
  return fmt::format("{}{:08x}{:04x}", prefix, random(), random() & 0xFFFFU);
}

std::string description(const mqtt::message& message) {
  return fmt::format("{}  QoS {}, {}{}{} bytes{}", message.get_topic(), message.get_qos(),
                     message.is_duplicate() ? "duplicate, " : "", message.is_retained() ? "retained, " : "",
                     message.get_payload().size(), listed(from_paho(message.get_properties())));
}

std::string description(const Dialed& dialed) {
  return dialed.tls ? fmt::format("{}, {}", dialed.way, dialed.tls->description) : dialed.way;
}

/// What Paho is told of a connection that it gets from us. For a WebSocket it is told the broker's name, which goes
/// into its Host header [RFC 6455 4.1].
std::string pahos_uri(const ConnectionConfig& config, const Dialed& dialed) {
  if (config.websocket) {
    return fmt::format("{}://{}{}", dialed.tls ? "wss" : "ws", place(config.host, dialed.port), config.websocket_path);
  }
  return fmt::format("{}://{}", dialed.tls ? "ssl" : "tcp", paho_shims::pahos_address(dialed));
}

/// What may be wrong with a peer that accepts the connection and nothing more.
std::string doubt(const ConnectionConfig& config) {
  if (config.websocket) {
    return fmt::format("is there an MQTT WebSocket at {}?", config.websocket_path);
  }
  return config.version == ProtocolVersion::v311 ? "is it an MQTT broker?"
                                                 : fmt::format("does it speak {}?", name_of(config.version));
}

class PahoSession;

/// One connection: a Paho client of its own, because one that is used again first sends what it had not sent on the
/// connection before (Paho C 1.3.12), behind our back and out of order. Its callbacks say whose they are, and die with
/// it.
class Connection final : public mqtt::iaction_listener {
 public:
  Connection(PahoSession& session, const std::string& uri, const std::string& client_id,
             const ConnectionConfig& config);

  mqtt::async_client& client() { return client_; }

 private:
  /// Paho C does not resolve the topic aliases of arriving messages [MQTT5 3.3.2.3.4].
  [[nodiscard]] std::string topic_of(const mqtt::message& message, const std::vector<Property>& properties);
  void on_success(const mqtt::token& token) override;
  void on_failure(const mqtt::token& token) override;

  PahoSession& session_;
  std::map<std::uint32_t, std::string> aliases_;  ///< touched by Paho's receive thread only
  mqtt::async_client client_;
};

/// State is guarded by `mutex_`, which is never held in a call into Paho: Paho calls us back under its own.
class PahoSession final : public Session {
 public:
  PahoSession(const ConnectionConfig& config, const Console& console)
      : config_(config),
        console_(console),
        client_id_(config.client_id.empty() ? made_up_client_id(config.client_id_prefix) : config.client_id),
        where_(place(config)),
        answer_by_(config.answer_limit ? deadline_in(*config.answer_limit) : never),
        dialer_(config),
        window_(std::max(window_size, config.max_inflight), config.max_inflight) {}

  void connect_first(const std::stop_token& stop) {
    Retry retry{config_.wait_for_broker ? config_.wait_limit : std::nullopt, answer_by_};
    for (bool told = false;; told = true) {
      try {
        connect_once(retry.deadline(), stop);
        break;
      } catch (const Error& error) {
        throw_if_late(stop);
        if (error.status() != ExitStatus::no_broker || !config_.wait_for_broker) {
          throw;
        }
        if (!told) {
          console_.note(fmt::format("{}; waiting for it", error.what()));
        }
        if (!retry.wait(stop)) {
          if (!stop.stop_requested() && answer_by_ == retry.deadline()) {
            throw late();
          }
          throw;
        }
      }
    }
    const std::scoped_lock lock(mutex_);
    link_ = lost_ ? Link::down : Link::up;
    keeper_ = std::jthread([this](const std::stop_token& end) { keep_connected(end); });
  }

  std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) override {
    {
      const std::scoped_lock lock(mutex_);
      for (const Subscription& subscription : subscriptions) {
        // Before they are sent: a connection lost on the way is regained with them.
        forget_subscription(subscription.filter);
        subscriptions_.push_back(subscription);
      }
    }
    return on_connection("subscribed", stop, [&] { return subscribe_once(subscriptions, stop, answer_by_); });
  }

  void unsubscribe(const std::vector<std::string>& filters, const std::stop_token& stop) override {
    {
      const std::scoped_lock lock(mutex_);
      for (const std::string& filter : filters) {
        forget_subscription(filter);  // no connection is regained with it any more
      }
    }
    const auto codes = on_connection("unsubscribed", stop, [&] { return unsubscribe_once(filters, stop); });
    for (std::size_t at = 0; at < filters.size(); ++at) {
      if (codes[at] >= first_failure) {
        throw Error{fmt::format("the broker refused to unsubscribe from {}: {}", filters[at], reason_text(codes[at])),
                    ExitStatus::topic_refused};
      }
    }
  }

  bool publish(Message message, const std::stop_token& stop) override {
    const int qos = message.qos;
    auto outgoing = mqtt::make_message(std::move(message.topic), std::move(message.payload), qos, message.retain);
    if (config_.version == ProtocolVersion::v5 && !message.properties.empty()) {
      outgoing->set_properties(to_paho(message.properties));
    }
    std::unique_lock lock(mutex_);
    const AwaitingAnswer awaiting{*this, lock};
    changed_.wait(lock, stop, [&] { return window_.has_room(qos) || end_ || refused_; });
    throw_if_ended();
    throw_if_refused();
    if (!window_.has_room(qos)) {
      return false;
    }
    window_.take(std::move(outgoing), qos);
    const bool is_up = link_ == Link::up;  // if not, the keeper will send it
    lock.unlock();
    if (is_up) {
      send_all();
    }
    return true;
  }

  std::size_t flush(const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return window_.unacknowledged() == 0 || end_; };
    const AwaitingAnswer awaiting{*this, lock};
    if (!changed_.wait(lock, stop, over) && link_ == Link::up) {
      changed_.wait_for(lock, flush_after_stop, over);
    }
    throw_if_ended();
    throw_if_refused();
    return window_.unacknowledged();
  }

  void take_at_most(std::optional<std::size_t> /*messages*/) override {}

  [[nodiscard]] std::string client_id() const override { return client_id_; }

  std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, deadline, [&] { return !arrivals_.empty() || end_; });
    if (arrivals_.empty()) {
      throw_if_ended();
    }
    arrivals_bytes_ = 0;
    changed_.notify_all();
    return std::exchange(arrivals_, {});
  }

  [[nodiscard]] bool connected() const override {
    const std::scoped_lock lock(mutex_);
    return link_ == Link::up;
  }

  void disconnect() override {
    {
      const std::scoped_lock lock(mutex_);
      if (std::exchange(closing_, true)) {
        return;
      }
      changed_.notify_all();  // a receive thread that waits for room must let go
    }
    keeper_ = {};  // ends: nobody but us touches the connection from here on
    drop_connection(properties_for(PropertyPlace::disconnect, config_.properties));
  }

  // Called by Paho's threads, on behalf of a connection ------------------------------------------------------

  void lost(const Connection* connection) {
    const std::scoped_lock lock(mutex_);
    if (connection != connection_.get()) {
      return;
    }
    lost_ = true;
    link_ = Link::down;
    paho_shims::hurry_for_messages(false);
    changed_.notify_all();
  }

  void delivered(const Connection* connection, const mqtt::token& token) {
    if (console_.debugging()) {
      const auto message = static_cast<const mqtt::delivery_token&>(token).get_message();
      if (message && message->get_qos() > 0) {
        console_.debug(
            fmt::format("<- {}  packet id {}", message->get_qos() == 1 ? "PUBACK" : "PUBCOMP", token.get_message_id()));
      }
    }
    const std::scoped_lock lock(mutex_);
    if (connection == connection_.get()) {
      acknowledge(reinterpret_cast<std::uintptr_t>(token.get_user_context()));
    }
  }

  /// PUBACK or PUBREC with a reason code that says no [MQTT5 3.4.2.1].
  void refused(const Connection* connection, const mqtt::token& token) {
    const auto message = static_cast<const mqtt::delivery_token&>(token).get_message();
    const std::string reason = reason_text(token.get_reason_code());
    console_.debug(fmt::format("<- {}  packet id {}, {}", message->get_qos() == 1 ? "PUBACK" : "PUBREC",
                               token.get_message_id(), reason));
    const std::scoped_lock lock(mutex_);
    if (connection == connection_.get()) {
      refuse(reinterpret_cast<std::uintptr_t>(token.get_user_context()),
             fmt::format("the broker refused the message to {}: {}", message->get_topic(), reason));
    }
  }

  /// DISCONNECT from the broker, which ends the connection [MQTT5 3.14.4]. That it is lost is told by nobody else in
  /// Paho C 1.3.14, and in 1.3.12 when the broker closes it.
  void dismissed(const Connection* connection, int code, const std::vector<Property>& properties) {
    std::string words = reason_text(code);
    if (code == MQTTREASONCODE_SESSION_TAKEN_OVER) {
      words += fmt::format(", another client has connected with the id {}", client_id_);
    }
    for (const Property& property : properties) {
      if (property.identifier == mqtt::property::REASON_STRING) {
        words += fmt::format(", \"{}\"", property.text);
      } else if (property.identifier == mqtt::property::SERVER_REFERENCE) {
        words += fmt::format(", use {}", property.text);
      }
    }
    console_.note(fmt::format("the broker at {} has disconnected us: {}", where_, words));
    lost(connection);
  }

  /// A message whose topic and properties were looked at already.
  void arrived(const mqtt::message& message, std::string topic, std::vector<Property> properties,
               std::chrono::system_clock::time_point now) {
    if (console_.debugging()) {
      console_.debug(fmt::format("<- PUBLISH  {}", description(message)));
    }
    Message arrival{std::move(topic),
                    message.get_payload_str(),
                    message.get_qos(),
                    message.is_retained(),
                    std::move(properties),
                    static_cast<std::uint16_t>(message.c_struct().msgid),
                    now};
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrivals_have_room(); });
    arrivals_bytes_ += arrival.payload.size();
    arrivals_.push_back(std::move(arrival));
    changed_.notify_all();
  }

 private:
  /// `resuming`: connected again, and the window's messages go out before any new one.
  enum class Link { down, resuming, up };

  // Connecting -------------------------------------------------------------------------------------------------

  /// Waits for the answer to a packet of a connection; false where that was lost, none came in time or a stop was
  /// requested.
  bool answered(const Connection* connection, const mqtt::token_ptr& token, Deadline deadline,
                const std::stop_token& stop) const {
    while (!token->wait_for(50ms)) {
      // Paho says nothing of a packet that was not sent when the connection went (Paho C 1.3.12).
      if (stop.stop_requested() || std::chrono::steady_clock::now() >= deadline || is_lost(connection)) {
        return false;
      }
    }
    return true;
  }

  /// Dials, sends CONNECT and waits for CONNACK. Throws Error.
  void connect_once(Deadline limit, const std::stop_token& stop) {
    Dialed dialed = dialer_.dial(std::min(limit, deadline_in(config_.connect_timeout)), stop);
    const std::string uri = pahos_uri(config_, dialed);
    console_.debug(
        fmt::format("-> CONNECT  to {} ({}), {}", where_, description(dialed), description(config_, client_id_)));
    // The old client goes when the new one is there: with its last client Paho would stop its threads, which takes
    // long.
    auto connection = std::make_shared<Connection>(*this, uri, client_id_, config_);
    {
      // Whoever was sending on the connection before has noticed, and has let go, when these locks are ours.
      const std::scoped_lock lock(sending_, mutex_);
      lost_ = false;
      window_.send_again();
      std::swap(connection_, connection);
    }
    connection.reset();
    mqtt::connect_options options;
    fill_in(options, config_);
    if (dialed.tls) {
      options.set_ssl(mqtt::ssl_options{});  // Paho wants some; ours are in force already
    }
    auto last_word =
        dialed.tls ? std::optional<LastWord>(std::in_place, dialed.socket.get(), *dialed.tls) : std::nullopt;
    const paho_shims::Handover handover{std::move(dialed), config_.websocket ? config_.host : ""};
    const paho_shims::Hurry hurry;
    try {
      // A second more than Paho's own limit, which leaves its client in order.
      const mqtt::token_ptr token = connection_->client().connect(options);
      if (!answered(connection_.get(), token, std::min(limit, deadline_in(config_.connect_timeout + 1s)), stop)) {
        throw no_answer(stop);
      }
      accepted(token->get_connect_response());
    } catch (const mqtt::exception& error) {
      // Where MQTT 5's reason code is differs: Paho C 1.3.12 gives it as the other code.
      const int code = error.get_return_code() > 0 ? error.get_return_code() : error.get_reason_code();
      if (const auto why = refusal(code, config_.version)) {
        throw Error{fmt::format("the broker at {} refused the connection: {}", where_, *why),
                    may_pass(code) ? ExitStatus::no_broker : ExitStatus::broker_refused};
      }
      if (const auto why = last_word ? last_word->read() : std::nullopt) {
        throw Error{fmt::format("no broker at {}: {}", where_, *why), ExitStatus::no_broker};
      }
      throw no_answer(stop);
    }
  }

  /// What CONNACK says beside yes.
  void accepted(const mqtt::connect_response& connack) {
    const auto properties = from_paho(connack.get_properties());
    // In MQTT 3.1 the bit means nothing.
    const bool session_present = connack.is_session_present() && config_.version != ProtocolVersion::v31;
    console_.debug(fmt::format("<- CONNACK  code 0, accepted{}{}", session_present ? ", session present" : "",
                               listed(properties)));
    const auto keep_alive = number_of(mqtt::property::SERVER_KEEP_ALIVE, properties);
    if (keep_alive && !told_keep_alive_ && !paho_heeds_server_keep_alive() &&
        (config_.keep_alive.count() == 0 || std::chrono::seconds{*keep_alive} < config_.keep_alive)) {
      told_keep_alive_ = true;
      console_.note(
          fmt::format("the broker at {} wants a keep alive of {} s, which Paho {} does not heed: it may close the "
                      "connection unless "
                      "that is the one given",
                      where_, *keep_alive, paho_c_version()));
    }
    const std::scoped_lock lock(mutex_);
    session_present_ = session_present;
    limits_ = config_.version == ProtocolVersion::v5 ? limits_in(properties) : Limits{};
    window_.limit_inflight(std::min<std::size_t>(config_.max_inflight, limits_.receive_maximum));
  }

  [[nodiscard]] Error no_answer(const std::stop_token& stop) const {
    return Error{fmt::format("no broker at {}: it accepted the TCP connection, but {}", where_,
                             stop.stop_requested() ? "the run was stopped before it answered CONNECT"
                                                   : "closed it or did not answer CONNECT: " + doubt(config_)),
                 ExitStatus::no_broker};
  }

  /// Does something on a connection that stands, and again on the next where it is lost on the way.
  template <typename Once>
  typename std::invoke_result_t<Once>::value_type on_connection(const std::string& what, const std::stop_token& stop,
                                                                Once once) {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, stop, answer_by_, [&] { return link_ == Link::up || end_; });
        throw_if_ended();
      }
      throw_if_late(stop);
      if (stop.stop_requested()) {
        throw Error{fmt::format("stopped before anything was {}", what), ExitStatus::no_broker};
      }
      if (auto result = once()) {
        return std::move(*result);
      }
    }
  }

  [[nodiscard]] Error late() const {
    return Error{fmt::format("time is up, and the broker at {} has not answered", where_), ExitStatus::timed_out};
  }
  void throw_if_late(const std::stop_token& stop) const {
    if (!stop.stop_requested() && std::chrono::steady_clock::now() >= answer_by_) {
      throw late();
    }
  }

  void forget_subscription(const std::string& filter) {
    std::erase_if(subscriptions_, [&](const Subscription& one) { return one.filter == filter; });
  }

  /// Sends SUBSCRIBE and waits for SUBACK. Nothing where the connection was lost on the way. Throws Error where the
  /// broker does not answer, or not to what it was asked.
  std::optional<std::vector<Grant>> subscribe_once(const std::vector<Subscription>& subscriptions,
                                                   const std::stop_token& stop, Deadline by = never) {
    const AwaitingAnswer awaiting{*this};
    const auto codes = answers("SUBSCRIBE", subscriptions.size(), by, stop, [&](auto& client, std::size_t first) {
      return send_subscribe(client, subscriptions, first);
    });
    if (!codes) {
      return std::nullopt;
    }
    std::vector<Grant> grants;
    for (std::size_t at = 0; at < codes->size(); ++at) {
      const int code = (*codes)[at];
      const Grant& grant = grants.emplace_back(
          Grant{subscriptions[at].filter, code <= 2 ? std::optional(code) : std::nullopt, why(code)});
      console_.debug(fmt::format("<- SUBACK  {}  {}", grant.filter,
                                 grant.qos ? fmt::format("QoS {} granted", *grant.qos) : "refused: " + why(code)));
    }
    return grants;
  }

  /// Whether a subscription asks for nothing that only MQTT 5 has.
  static bool is_plain(const Subscription& one) {
    return !one.retain_as_published && one.retain_handling == RetainHandling::send_always;
  }

  /// Sends those from the `first` on; with options of MQTT 5 only the first: with those of several Paho C++ 1.2.0 reads
  /// what it has freed (response_options' copy).
  mqtt::token_ptr send_subscribe(mqtt::async_client& client, const std::vector<Subscription>& subscriptions,
                                 std::size_t first) {
    if (config_.version == ProtocolVersion::v5) {
      const bool plain = std::all_of(subscriptions.begin(), subscriptions.end(), is_plain);
      if (!plain || first > 0 || subscriptions.size() == 1) {
        Subscription one = subscriptions[first];
        if (plain && first > 0) {
          // It went out with the others before it, and may have been granted: its retained messages are on their way.
          one.retain_handling = RetainHandling::send_if_new;
        }
        return send_subscribe(client, one);
      }
    }
    const auto properties = subscribe_properties();
    std::vector<std::string> filters;
    mqtt::async_client::qos_collection qos;
    for (const Subscription& one : subscriptions) {
      filters.push_back(one.filter);
      qos.push_back(one.qos);
      console_.debug(fmt::format("-> SUBSCRIBE  {}  QoS {}{}", one.filter, one.qos, listed(properties)));
    }
    return client.subscribe(mqtt::string_collection::create(std::move(filters)), qos, {}, to_paho(properties));
  }

  mqtt::token_ptr send_subscribe(mqtt::async_client& client, const Subscription& one) {
    const auto properties = subscribe_properties();
    const auto handling = static_cast<mqtt::subscribe_options::RetainHandling>(one.retain_handling);
    console_.debug(fmt::format(
        "-> SUBSCRIBE  {}  QoS {}{}{}{}", one.filter, one.qos, one.retain_as_published ? ", retain as published" : "",
        handling != 0 ? fmt::format(", retain handling {}", static_cast<int>(handling)) : "", listed(properties)));
    const mqtt::subscribe_options options{false, one.retain_as_published, handling};
    return client.subscribe(one.filter, one.qos, options, to_paho(properties));
  }

  [[nodiscard]] std::vector<Property> subscribe_properties() const {
    return config_.version == ProtocolVersion::v5 ? properties_for(PropertyPlace::subscribe, config_.properties)
                                                  : std::vector<Property>{};
  }

  /// Sends UNSUBSCRIBE and waits for UNSUBACK: its reason codes, all 0 before MQTT 5. Otherwise as subscribe_once().
  std::optional<std::vector<int>> unsubscribe_once(const std::vector<std::string>& filters,
                                                   const std::stop_token& stop) {
    const AwaitingAnswer awaiting{*this};
    const auto properties = properties_for(PropertyPlace::unsubscribe, config_.properties);
    auto codes = answers("UNSUBSCRIBE", filters.size(), answer_by_, stop, [&](auto& client, std::size_t first) {
      std::vector<std::string> rest{filters.begin() + static_cast<std::ptrdiff_t>(first), filters.end()};
      console_.debug(fmt::format("-> UNSUBSCRIBE  {}{}", fmt::join(rest, ", "), listed(properties)));
      auto list = mqtt::string_collection::create(std::move(rest));
      return config_.version == ProtocolVersion::v5 ? client.unsubscribe(list, to_paho(properties))
                                                    : client.unsubscribe(list);
    });
    for (std::size_t at = 0; codes && at < codes->size(); ++at) {
      console_.debug(fmt::format("<- UNSUBACK  {}  {}", filters[at], why((*codes)[at])));
    }
    return codes;
  }

  /// The code of an answer, as a person reads it. Before MQTT 5 there are no names for it.
  [[nodiscard]] std::string why(int code) const {
    return config_.version == ProtocolVersion::v5 ? reason_text(code) : fmt::format("0x{:02X}", code);
  }

  /// Asks for something by a packet of so many filters and gives the answer's code for each. Nothing where the
  /// connection was lost on the way. Throws Error where the broker does not answer, or not to what it was asked.
  ///
  /// `send` sends the filters from the given one on, or some of them. Paho C++ makes an exception of the answer to a
  /// single filter that was refused, and in MQTT 5 also of that to several the first of which was (1.2.0:
  /// token::check_ret). Then only its code is known, and the others are asked for again.
  std::optional<std::vector<int>> answers(
      const std::string& packet, std::size_t filters, Deadline by, const std::stop_token& stop,
      const std::function<mqtt::token_ptr(mqtt::async_client&, std::size_t first)>& send) {
    const paho_shims::Hurry hurry;
    const auto connection = current_connection();  // kept: one that is destroyed never answers its tokens
    std::vector<int> codes;
    while (codes.size() < filters) {
      try {
        const auto token = send(connection->client(), codes.size());
        if (!answered(connection.get(), token, std::min(by, deadline_in(config_.connect_timeout)), stop)) {
          if (is_lost(connection.get())) {
            return std::nullopt;
          }
          if (!stop.stop_requested() && std::chrono::steady_clock::now() >= by) {
            throw late();
          }
          throw Error{fmt::format("the broker at {} did not answer {}", where_, packet), ExitStatus::no_broker};
        }
        const auto rest = codes_of(*token, filters - codes.size());
        codes.insert(codes.end(), rest.begin(), rest.end());
        if (rest.empty()) {
          break;
        }
      } catch (const mqtt::exception& error) {
        const int code = error.get_return_code() == 0 ? error.get_reason_code() : error.get_return_code();
        if (code <= 2) {  // one of Paho's own, which are negative
          if (!is_lost(connection.get()) && connection->client().is_connected()) {
            throw Error{fmt::format("cannot send {}: {}", packet, error.what())};
          }
          return std::nullopt;
        }
        codes.push_back(code);
      }
    }
    if (codes.size() != filters) {
      throw Error{fmt::format("the broker at {} answered {} with {} codes for {} filters", where_, packet, codes.size(),
                              filters)};
    }
    return codes;
  }

  /// The codes of a SUBACK or UNSUBACK. Before MQTT 5 UNSUBACK has none, and is a yes to all [MQTT-3.11].
  static std::vector<int> codes_of(const mqtt::token& token, std::size_t filters) {
    const bool subscribing = token.get_type() == mqtt::token::SUBSCRIBE;
    const std::vector<mqtt::ReasonCode> codes = subscribing ? token.get_subscribe_response().get_reason_codes()
                                                            : token.get_unsubscribe_response().get_reason_codes();
    return !subscribing && codes.empty() ? std::vector<int>(filters, 0) : std::vector<int>(codes.begin(), codes.end());
  }

  /// While one lives, arrivals have no limit: the answer that somebody waits for (SUBACK, PUBACK) may stand behind
  /// them. So may even the sending: Paho C 1.3.12 hands arrivals over under the lock that it needs to publish.
  class AwaitingAnswer {
   public:
    explicit AwaitingAnswer(PahoSession& session) : AwaitingAnswer(session, std::unique_lock(session.mutex_)) {}
    AwaitingAnswer(PahoSession& session, const std::unique_lock<std::mutex>& /*of mutex_*/) : session_(session) {
      if (!session_.arrivals_have_room()) {
        session_.changed_.notify_all();
      }
      ++session_.awaiting_;
    }
    AwaitingAnswer(const AwaitingAnswer&) = delete;
    AwaitingAnswer& operator=(const AwaitingAnswer&) = delete;
    ~AwaitingAnswer() { --session_.awaiting_; }

   private:
    PahoSession& session_;
  };

  /// Whether that connection is none any more.
  [[nodiscard]] bool is_lost(const Connection* connection) const {
    const std::scoped_lock lock(mutex_);
    return lost_ || connection != connection_.get();
  }

  [[nodiscard]] bool arrivals_have_room() const {
    return (arrivals_.size() < arrivals_limit && arrivals_bytes_ < arrivals_bytes_limit) || awaiting_ > 0 || closing_;
  }

  [[nodiscard]] std::shared_ptr<Connection> current_connection() const {
    const std::scoped_lock lock(mutex_);
    return connection_;
  }

  /// Sends DISCONNECT where there is a connection.
  void drop_connection(const std::vector<Property>& properties = {}) {
    if (!connection_ || !connection_->client().is_connected()) {
      return;
    }
    mqtt::disconnect_options options{0};
    // Paho C++ 1.2.0 leaves it at 0, which is without properties.
    const_cast<MQTTAsync_disconnectOptions&>(options.c_struct()).struct_version = 1;  // NOLINT
    if (config_.version == ProtocolVersion::v5 && !properties.empty()) {
      options.set_properties(to_paho(properties));  // and lives until disconnect() has copied them
    }
    console_.debug("-> DISCONNECT" + listed(properties));
    const paho_shims::Hurry hurry;
    try {
      // Never wait(): it hung for ever in 7 of 12 runs where the peer closed at that moment (Paho C 1.3.12, 1.3.14).
      connection_->client().disconnect(options)->wait_for(disconnect_timeout);
    } catch (const mqtt::exception&) {
      return;  // the connection is gone, which is what we wanted
    }
  }

  // Staying connected ------------------------------------------------------------------------------------------

  void keep_connected(const std::stop_token& stop) {
    try {
      std::optional<Retry> retry;
      auto connected_at = std::chrono::steady_clock::now();
      while (wait_for_loss(stop)) {
        console_.note(fmt::format("lost the connection to the broker at {}; trying to regain it", where_));
        const bool proven = std::chrono::steady_clock::now() - connected_at >= proven_after;
        if (!retry || proven) {
          retry.emplace(config_.reconnect_limit);
        } else if (!retry->wait(stop)) {
          give_up(stop);
          return;
        }
        if (!regain(*retry, stop)) {
          return;
        }
        connected_at = std::chrono::steady_clock::now();
      }
    } catch (const Error& error) {
      end(error);
    } catch (const std::exception& error) {
      end(Error{error.what()});
    }
  }

  bool wait_for_loss(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [&] { return link_ == Link::down; });
  }

  /// Connects again, renews the subscriptions and sends what is unacknowledged. False where the session is over.
  bool regain(Retry& retry, const std::stop_token& stop) {
    while (true) {
      try {
        connect_once(retry.deadline(), stop);
        if (renew_subscriptions(stop) && resume(stop)) {
          console_.note(fmt::format("connected again to the broker at {}", where_));
          return true;
        }
      } catch (const Error& error) {
        if (error.status() != ExitStatus::no_broker) {
          throw;
        }
        console_.debug(error.what());
      }
      drop_connection();  // a half-made one would stand in the way of the next
      if (!retry.wait(stop)) {
        give_up(stop);
        return false;
      }
    }
  }

  void give_up(const std::stop_token& stop) {
    if (!stop.stop_requested()) {
      end(Error{fmt::format("the connection to the broker at {} was lost and not regained in {} s", where_,
                            config_.reconnect_limit->count()),
                ExitStatus::no_broker});
    }
  }

  /// Tells whoever waits in a call, or makes the next one, that there will be no connection any more.
  void end(const Error& error) {
    const std::scoped_lock lock(mutex_);
    end_ = error;
    changed_.notify_all();
  }

  /// A clean session knows nothing of the subscriptions of the one before [MQTT-3.1.2-6], and a persistent one may
  /// have been forgotten by the broker. False: lost again.
  bool renew_subscriptions(const std::stop_token& stop) {
    std::vector<Subscription> subscriptions;
    {
      const std::scoped_lock lock(mutex_);
      subscriptions = subscriptions_;
      if (session_present_) {
        return true;  // and retained messages do not come again
      }
    }
    if (subscriptions.empty()) {
      return true;
    }
    const auto grants = subscribe_once(subscriptions, stop);
    if (!grants) {
      return false;
    }
    for (const Grant& grant : *grants) {
      if (!grant.qos) {
        console_.note(fmt::format("the broker refuses the subscription to {} now: {}", grant.filter, grant.why));
      }
    }
    if (std::none_of(grants->begin(), grants->end(), [](const Grant& grant) { return grant.qos.has_value(); })) {
      throw Error{"no subscription is left", ExitStatus::topic_refused};
    }
    return true;
  }

  /// Sends what the last connection took with it, then opens the link to new messages. False: lost again.
  bool resume(const std::stop_token& stop) {
    {
      const std::scoped_lock lock(mutex_);
      link_ = lost_ ? Link::down : Link::resuming;
    }
    while (true) {
      send_all();
      std::unique_lock lock(mutex_);
      // This broker may take fewer at the same time than the one before.
      if (!changed_.wait(lock, stop, [&] { return link_ == Link::down || !window_.must_wait(); }) ||
          link_ == Link::down) {
        return false;
      }
      if (window_.all_sent()) {
        link_ = Link::up;
        changed_.notify_all();
        return true;
      }
    }
  }

  /// Hands every message of the window that this connection has not seen to Paho, in order. One thread at a time.
  void send_all() {
    const std::scoped_lock sending(sending_);
    while (true) {
      std::optional<Window<mqtt::const_message_ptr>::Numbered> next;
      std::shared_ptr<Connection> connection;
      {
        const std::scoped_lock lock(mutex_);
        if (link_ == Link::down) {
          return;
        }
        next = window_.next_to_send();
        if (!next) {
          return;
        }
        if (const auto fault = fault_of(*next->message, limits_)) {
          refuse(next->number, fmt::format("the broker at {} would refuse the message to {}: {}", where_,
                                           next->message->get_topic(), *fault));
          continue;
        }
        connection = connection_;
        paho_shims::hurry_for_messages(true);
      }
      if (console_.debugging()) {
        console_.debug(fmt::format("-> PUBLISH  {}", description(*next->message)));
      }
      try {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the context is Paho's to carry, never to follow
        connection->client().publish(next->message, reinterpret_cast<void*>(next->number), *connection);
      } catch (const mqtt::exception& error) {
        if (error.get_return_code() != MQTTASYNC_DISCONNECTED) {
          const std::scoped_lock lock(mutex_);
          window_.acknowledge(next->number);  // or a flush would wait for it
          throw Error{fmt::format("cannot publish to {}: {}", next->message->get_topic(), error.what())};
        }
        return;  // the connection has just gone: lost() is on its way, and then all of the window is sent again
      }
    }
  }

  void throw_if_ended() const {
    if (end_) {
      throw Error{*end_};
    }
  }

  void throw_if_refused() {
    if (refused_) {
      throw Error{*std::exchange(refused_, std::nullopt)};
    }
  }

  /// The message with that number needs no sending any more.
  void acknowledge(std::uint64_t number) {
    window_.acknowledge(number);
    paho_shims::hurry_for_messages(window_.unacknowledged() > 0);
    if (window_.unacknowledged() <= wake_publisher_at || link_ == Link::resuming) {
      changed_.notify_all();
    }
  }

  void refuse(std::uint64_t number, const std::string& why) {
    if (!std::exchange(refused_before_, true)) {
      refused_ = Error{why, ExitStatus::topic_refused};
    }
    acknowledge(number);
    changed_.notify_all();
  }

  const ConnectionConfig config_;
  const Console console_;
  const std::string client_id_;
  const std::string where_;
  const Deadline answer_by_;  ///< of the first connection and what is subscribed on it
  const Dialer dialer_;

  std::mutex sending_;  ///< held by whoever hands messages to Paho; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  ///< of anything below
  Link link_ = Link::down;
  bool lost_ = false;              ///< that is, the connection that connect_once() made last
  std::atomic<int> awaiting_ = 0;  ///< so many wait for what may stand behind arrivals
  bool closing_ = false;
  std::optional<Error> end_;  ///< why there is no connection any more and will be none

  Window<mqtt::const_message_ptr> window_;
  Limits limits_;                 ///< of this connection
  bool session_present_ = false;  ///< the broker had kept the session for it
  std::optional<Error> refused_;  ///< the first message that was, until somebody was told
  bool refused_before_ = false;
  bool told_keep_alive_ = false;            ///< touched by whoever connects
  std::shared_ptr<Connection> connection_;  ///< the one that connect_once() made last; replaced by the keeper only

  std::vector<Subscription> subscriptions_;
  std::vector<Message> arrivals_;
  std::size_t arrivals_bytes_ = 0;

  std::jthread keeper_;
};

Connection::Connection(PahoSession& session, const std::string& uri, const std::string& client_id,
                       const ConnectionConfig& config)
    : session_(session),
      client_(uri, client_id,
              mqtt::create_options_builder()
                  .mqtt_version(static_cast<int>(config.version))
                  .send_while_disconnected(false)
                  .max_buffered_messages(static_cast<int>(pahos_share * std::max(window_size, config.max_inflight)))
                  .finalize()) {
  client_.set_connection_lost_handler([this](const std::string&) { session_.lost(this); });
  client_.set_message_callback([this](const mqtt::const_message_ptr& message) {
    const auto now = std::chrono::system_clock::now();
    auto properties = from_paho(message->get_properties());
    std::string topic = topic_of(*message, properties);
    session_.arrived(*message, std::move(topic), std::move(properties), now);
  });
  client_.set_disconnected_handler([this](const mqtt::properties& properties, mqtt::ReasonCode code) {
    session_.dismissed(this, code, from_paho(properties));
  });
}

std::string Connection::topic_of(const mqtt::message& message, const std::vector<Property>& properties) {
  std::string topic = message.get_topic();
  if (const auto alias = number_of(mqtt::property::TOPIC_ALIAS, properties)) {
    std::string& known = aliases_[*alias];
    if (topic.empty()) {
      return known;
    }
    known = topic;
  }
  return topic;
}

void Connection::on_success(const mqtt::token& token) { session_.delivered(this, token); }

void Connection::on_failure(const mqtt::token& token) {
  // With an error of Paho's it has failed with its connection, and then all of the window is sent again on the next.
  if (token.get_return_code() == MQTTASYNC_SUCCESS && token.get_reason_code() >= first_failure) {
    session_.refused(this, token);
  }
}

}  // namespace

void EndSession::operator()(Session* session) const { session->disconnect(); }

SessionPointer open_session(const ConnectionConfig& config, const Console& console, const std::stop_token& stop) {
  // Paho C 1.3.12 obeys these even for plain MQTT to localhost.
  for (const char* variable : {"http_proxy", "https_proxy"}) {
    ::unsetenv(variable);
  }
  auto* session = new PahoSession(config, console);
  SessionPointer pointer{session};
  session->connect_first(stop);
  return pointer;
}

std::string library_versions() {
  return fmt::format("Paho MQTT C++ {}.{}.{}, Paho MQTT C {}", mqtt::VERSION >> 24U, (mqtt::VERSION >> 16U) & 0xFFU,
                     (mqtt::VERSION >> 8U) & 0xFFU, paho_c_version());
}

}  // namespace sistem
