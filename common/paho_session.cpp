// The only file that knows Paho. What it must work around is said where it does, with the version that needs it.

// Paho C++ shows what it says in DISCONNECT to its own tests only (1.2.0); what this switch adds are accessors.
#define UNIT_TESTS
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mqtt/async_client.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "common/condition.hpp"
#include "common/dial.hpp"
#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/packet.hpp"
#include "common/paho_lean.hpp"
#include "common/paho_shims.hpp"
#include "common/random.hpp"
#include "common/reason.hpp"
#include "common/retry.hpp"
#include "common/session.hpp"
#include "common/window.hpp"
#include "common/wire.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// So many messages, and so many bytes of their payloads, may wait where too many are dropped.
constexpr std::size_t arrivals_limit = 1000;
constexpr std::size_t arrivals_bytes_limit = 16 << 20;

/// Messages taken and not yet acknowledged, and the bytes of their payloads. Paho's own queue gives no back-pressure,
/// so this is where a fast source waits.
constexpr std::size_t window_size = 512;
constexpr std::size_t window_bytes = 4 << 20;

/// So many of QoS 1 and 2 where the user does not say otherwise, and of QoS 2 where the broker does not say what it
/// takes: it must keep something of each, and Mosquitto closes a connection with more than its 20. Of QoS 1 it keeps
/// nothing.
constexpr std::size_t most_inflight = 100;
constexpr std::size_t most_inflight_untold = 20;

/// After so many acknowledgements or arrivals whoever waits for them is woken, where there is no pause before: not for
/// each single one, which would cost two switches of threads a message.
constexpr std::size_t acknowledged_together = window_size / 2;
constexpr std::size_t arrived_together = arrivals_limit / 2;

/// Who was given something that often in such quick succession sleeps for a moment before it comes back: what comes one
/// by one is then taken together, and does not wake anybody each time.
constexpr int often = 8;
constexpr auto quick_succession = 300us;
constexpr auto moment = 100us;

/// What Paho is told: more than the window ever holds, so that its own limits are never met. At the first its send
/// thread sleeps, and no PUBACK wakes it (Paho C 1.3.12: 180 messages a second instead of 20,000); at the second it
/// refuses messages.
constexpr std::size_t pahos_share = 2;

// What a stop may cost in all is a second.
constexpr auto flush_after_stop = 400ms;
constexpr auto disconnect_timeout = 300ms;

/// Paho looks once a second whether a ping is due. A broker waits for one and a half times the keep alive
/// [MQTT-3.1.2-24]: below this it may have waited too long by then (1.3.14: 1.8 s with a keep alive of 1 s).
constexpr auto pahos_precision = 5s;

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

/// Of the library that is in use: "1.3.12".
std::string paho_c_version() {
  for (const MQTTAsync_nameValue* value = MQTTAsync_getVersionInfo(); value->name != nullptr; ++value) {
    if (std::string_view(value->name) == "Version") {
      return value->value;
    }
  }
  return "?";
}

// Properties ---------------------------------------------------------------------------------------------------

mqtt::property to_paho(const Property& property) {
  const auto code = static_cast<mqtt::property::code>(property.identifier);
  switch (::MQTTProperty_getType(static_cast<MQTTPropertyCodes>(property.identifier))) {
    case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR: return {code, property.name, property.text};
    case MQTTPROPERTY_TYPE_UTF_8_ENCODED_STRING:
    case MQTTPROPERTY_TYPE_BINARY_DATA: return {code, property.text};
    // Greater ones come out of Paho C 1.3.12 as other numbers; the only ones are expiries that somebody else has set.
    default: return {code, static_cast<std::int32_t>(std::min(property.number, longest_expiry))};
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

std::vector<Property> from_paho(const MQTTProperties& raw) {
  std::vector<Property> all;
  all.reserve(static_cast<std::size_t>(raw.count));
  for (int at = 0; at < raw.count; ++at) {
    all.push_back(from_paho(raw.array[at]));
  }
  return all;
}

// CONNECT and CONNACK ------------------------------------------------------------------------------------------

/// CONNECT's properties: those that the user named, and the session's expiry.
std::vector<Property> connect_properties(const ConnectionConfig& config) {
  std::vector<Property> properties = properties_for(PropertyPlace::connect, config.properties);
  if (config.session_expiry && !number_in(properties, "session-expiry-interval")) {
    properties.push_back({mqtt::property::SESSION_EXPIRY_INTERVAL, *config.session_expiry, {}});
  }
  return properties;
}

/// Whether the broker is asked to keep the session when the connection goes [MQTT-3.1.2-5, MQTT5 3.1.2.11.2].
bool is_kept(const ConnectionConfig& config) {
  return config.version == ProtocolVersion::v5
             ? number_in(connect_properties(config), "session-expiry-interval").value_or(0) > 0
             : !config.clean_session;
}

/// How many messages may be taken and not yet acknowledged.
std::size_t size_of_window(const ConnectionConfig& config) {
  return std::max(window_size, config.max_inflight.value_or(0));
}

/// Fills in what CONNECT says. Not a function that gives options: Paho C++ 1.2.0 forgets properties when they are
/// moved.
/// `continued`: of a session that this run has begun already and goes on with.
void fill_in(mqtt::connect_options& options, const ConnectionConfig& config, bool continued) {
  // A version, and not Paho's default of trying 3.1 after 3.1.1, which would connect twice.
  options.set_mqtt_version(static_cast<int>(config.version));
  if (config.version == ProtocolVersion::v5) {
    options.set_clean_start(config.clean_session && !continued);
    options.set_properties(to_paho(connect_properties(config)));
  } else {
    options.set_clean_session(config.clean_session);
  }
  options.set_keep_alive_interval(config.keep_alive);
  options.set_connect_timeout(config.connect_timeout);
  options.set_max_inflight(static_cast<int>(pahos_share * config.max_inflight.value_or(most_inflight)));
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

/// Every broker must take a client id of up to 23 digits and letters [MQTT-3.1.3-5].
std::string made_up_client_id(const std::string& prefix) {
  return fmt::format("{}{:012x}", prefix, random_seed() >> 16U);
}

/// What may be wrong with a peer that accepts the connection and nothing more.
std::string doubt(ProtocolVersion version) {
  return version == ProtocolVersion::v311 ? "is it an MQTT broker?"
                                          : fmt::format("does it speak {}?", name_of(version));
}

/// A reason code with the words that the broker has added to it.
std::string with_words(std::string reason, const std::vector<Property>& properties) {
  if (const auto words = text_in(properties, "reason-string")) {
    reason += fmt::format(", \"{}\"", *words);
  }
  if (const auto server = text_in(properties, "server-reference")) {
    reason += fmt::format(", use {}", *server);
  }
  return reason;
}

/// What stands for a topic name on one connection [MQTT5 3.3.2.3.4]: each gets the next alias until the broker takes no
/// more.
class TopicAliases {
 public:
  explicit TopicAliases(std::uint32_t maximum = 0) : maximum_(maximum) {}

  struct Named {
    std::uint32_t alias;
    bool is_new;  ///< the topic name goes along, so that the broker learns what it stands for
  };
  [[nodiscard]] std::optional<Named> of(const std::string& topic) {
    if (const auto known = aliases_.find(topic); known != aliases_.end()) {
      return Named{known->second, false};
    }
    if (aliases_.size() >= maximum_) {
      return std::nullopt;
    }
    const auto alias = static_cast<std::uint32_t>(aliases_.size() + 1);
    aliases_.emplace(topic, alias);
    return Named{alias, true};
  }

 private:
  std::uint32_t maximum_;
  std::unordered_map<std::string, std::uint32_t> aliases_;
};

/// One of the brokers that may serve us, and the way there.
struct Route {
  explicit Route(const ConnectionConfig& config) : where(place(config)), dialer(config) {}

  std::string where;
  Dialer dialer;
};

std::vector<Route> routes_of(const ConnectionConfig& config) {
  std::vector<Route> routes;
  for (const BrokerPlace& broker : config.brokers) {
    ConnectionConfig one = config;
    one.host = broker.host;
    one.port = broker.port;
    routes.emplace_back(one);
  }
  return routes;
}

class PahoSession;

/// Paho C's handle of a Paho C++ client, which has no accessor for it. What is private may be named where a template is
/// instantiated explicitly [C++20 temp.spec 6].
MQTTAsync handle_of(const mqtt::async_client& client);
template <MQTTAsync mqtt::async_client::*handle>
struct HandleOpener {
  friend MQTTAsync handle_of(const mqtt::async_client& client) { return client.*handle; }
};
template struct HandleOpener<&mqtt::async_client::cli_>;

/// A Paho client, and what its callbacks need to say whose they are.
class Client {
 public:
  Client(PahoSession& session, const std::string& client_id, const ConnectionConfig& config);

  mqtt::async_client& paho() { return client_; }

  /// A message that Paho has, until it says what became of it.
  struct Sent {
    Client* client;
    std::uint64_t number;  ///< in the window
    int qos;
  };
  /// Both with the session's lock held.
  [[nodiscard]] Sent& note(std::uint64_t number, int qos);
  void forget(Sent& sent) { unused_.push_back(&sent); }

  /// Hands a message to Paho by Paho C's own call: that of Paho C++ makes a token for each, with a mutex, a condition
  /// and a place in a list, which nobody asks; that took a third of a flood's time. Throws mqtt::exception where Paho
  /// does not take it: then nobody will hear of it.
  void publish(const Message& message, Sent& sent);

  /// There is a new connection, on which no alias is known yet.
  void forget_aliases() { aliases_.clear(); }

 private:
  /// Paho C does not resolve the topic aliases of arriving messages [MQTT5 3.3.2.3.4]. Nothing for one that the broker
  /// has never set.
  [[nodiscard]] std::optional<std::string> resolved(std::string topic, const std::vector<Property>& properties);

  // What Paho C calls, the last for the same reason as in publish().
  static void delivered(void* sent);
  static void failed(void* sent, std::uint16_t packet_id, int reason);
  static int arrived(void* client, char* topic, int topic_size, MQTTAsync_message* message);

  PahoSession& session_;
  const bool is_v5_;
  std::map<std::uint32_t, std::string> aliases_;  ///< touched by Paho's receive thread, and between connections
  std::deque<Sent> sent_;                         ///< so many as there ever were at a time,
  std::vector<Sent*> unused_;                     ///< and those that are none at the moment
  mqtt::async_client client_;
};

/// State is guarded by `mutex_`, which is never held in a call into Paho: Paho calls us back under its own. The same is
/// true of calls into the wire, which shows us packets under its lock.
class PahoSession final : public Session {
 public:
  PahoSession(const ConnectionConfig& config, const Console& console, Overflow overflow)
      : config_(config),
        console_(console),
        overflow_(overflow),
        keeps_session_(is_kept(config)),
        client_id_(config.client_id.empty() ? made_up_client_id(config.client_id_prefix) : config.client_id),
        answer_by_(config.answer_limit ? deadline_in(*config.answer_limit) : never),
        routes_(routes_of(config)),
        route_(&routes_.front()),
        window_(size_of_window(config), window_bytes, {}) {}

  void connect_first(const std::stop_token& stop) {
    Retry retry{config_.wait_for_broker ? config_.wait_limit : std::nullopt, config_.reconnect_max_delay, answer_by_};
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
    connected_at_ = std::chrono::steady_clock::now();
    is_kept_up_ = true;
    if (lost_ || keep_alive_) {
      start_keeper();
    }
  }

  std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) override {
    {
      const std::scoped_lock lock(mutex_);
      for (const Subscription& subscription : subscriptions) {
        // Before they are sent: a connection lost on the way is regained with them.
        forget_subscription(subscription.filter);
        subscriptions_.push_back(subscription);
      }
      renewed_.clear();
    }
    return on_connection("subscribed", stop, [&] {
      auto grants = grants_of_the_renewal(subscriptions);
      return grants ? grants : subscribe_once(subscriptions, stop, answer_by_);
    });
  }

  void unsubscribe(const std::vector<std::string>& filters, const std::stop_token& stop) override {
    {
      const std::scoped_lock lock(mutex_);
      for (const std::string& filter : filters) {
        forget_subscription(filter);  // no connection is regained with it any more
      }
    }
    const Packet unsuback = on_connection("unsubscribed", stop, [&] { return unsubscribe_once(filters, stop); });
    for (std::size_t at = 0; at < unsuback.codes.size(); ++at) {
      if (unsuback.codes[at] >= first_failure) {
        throw Error{fmt::format("the broker refused to unsubscribe from {}: {}", filters[at],
                                with_words(reason_text(unsuback.codes[at]), unsuback.properties)),
                    ExitStatus::topic_refused};
      }
    }
  }

  bool wait_for_room(int qos, const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    return has_room(lock, qos, stop);
  }

  bool publish(Message message, const std::stop_token& stop, Next next) override {
    const int qos = message.qos;
    const std::size_t size = message.payload.size();
    if (config_.version != ProtocolVersion::v5) {
      message.properties.clear();
    }
    std::unique_lock lock(mutex_);
    if (!has_room(lock, qos, stop)) {
      return false;
    }
    const std::uint64_t number = window_.take(std::move(message), qos, size);
    if (deliveries_) {
      deliveries_->take(size);
      taken_at_.emplace(number, std::chrono::steady_clock::now());
    }
    paho_shims::put_off_sending(true);
    if (link_ == Link::up) {
      send_all(std::move(lock));
    } else {
      lock.unlock();  // the keeper will send it
    }
    paho_shims::put_off_sending(next == Next::more);
    return true;
  }

  std::size_t flush(const std::stop_token& stop, Deadline deadline = never) override {
    paho_shims::put_off_sending(false);
    const AwaitingAnswer awaiting{*this};
    std::unique_lock lock(mutex_);
    const auto over = [&] { return window_.unacknowledged() == 0 || end_; };
    if (!changed_.wait_until(lock, stop, deadline, over) && stop.stop_requested() && link_ == Link::up) {
      changed_.wait_until(lock, {}, deadline_in(flush_after_stop), over);
    }
    throw_if_ended();
    throw_if_refused();
    return window_.unacknowledged();
  }

  void keep_book(std::shared_ptr<Deliveries> deliveries, OnRefusal on_refusal) override {
    const std::scoped_lock lock(mutex_);
    deliveries_ = std::move(deliveries);
    on_refusal_ = on_refusal;
  }

  void take_at_most(std::optional<std::size_t> messages) override {
    if (overflow_ != Overflow::block) {
      return;  // who drops what is too much does not leave it at the broker
    }
    std::unique_lock lock(mutex_);
    take_left_ = messages;
    const auto wire = wire_;
    const auto at_most = left_for_this_wire(stale_);
    lock.unlock();
    if (wire && wire->pass_at_most(at_most)) {
      paho_shims::wake();
    }
  }

  std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    if (taken_soon_ >= often && arrivals_.size() < arrived_together && std::chrono::steady_clock::now() < deadline) {
      lock.unlock();
      std::this_thread::sleep_for(moment);
      lock.lock();
    }
    changed_.wait_until(lock, stop, deadline, [&] { return !arrivals_.empty() || end_ || interrupted_; });
    interrupted_ = false;
    if (arrivals_.empty()) {
      throw_if_ended();
    }
    auto arrivals = std::exchange(arrivals_, {});
    if (!arrivals.empty()) {
      const auto taken = std::chrono::steady_clock::now();
      taken_soon_ = taken - std::exchange(last_taken_, taken) < quick_succession ? taken_soon_ + 1 : 0;
    }
    arrivals_bytes_ = 0;
    const std::size_t unknown_to_wire = std::exchange(stale_, 0);
    if (take_left_) {
      *take_left_ -= std::min(*take_left_, arrivals.size());
    }
    const auto wire = wire_;
    lock.unlock();
    if (wire && wire->consumed(arrivals.size() - unknown_to_wire)) {
      paho_shims::wake();
    }
    return {std::move_iterator(arrivals.begin()), std::move_iterator(arrivals.end())};
  }

  void interrupt() override {
    const std::scoped_lock lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }

  [[nodiscard]] std::size_t waiting() const override {
    std::unique_lock lock(mutex_);
    const auto wire = wire_;
    const std::size_t unknown_to_wire = stale_;
    lock.unlock();
    return unknown_to_wire + (wire ? wire->unconsumed() : 0);
  }

  [[nodiscard]] std::size_t dropped() const override {
    const std::scoped_lock lock(mutex_);
    return dropped_;
  }

  [[nodiscard]] std::string client_id() const override { return client_id_; }

  [[nodiscard]] std::string broker() const override { return where(); }

  [[nodiscard]] bool connected() const override {
    const std::scoped_lock lock(mutex_);
    return link_ == Link::up;
  }

  [[nodiscard]] std::uint64_t connections() const override {
    const std::scoped_lock lock(mutex_);
    return connections_;
  }

  void disconnect() override {
    if (std::exchange(disconnected_, true)) {
      return;
    }
    {
      std::unique_lock lock(mutex_);
      is_kept_up_ = false;
      std::jthread keeper = std::move(keeper_);
      lock.unlock();
    }  // it has ended: nobody but us touches the connection from here on
    drop_connection(config_.will_on_disconnect ? MQTTREASONCODE_DISCONNECT_WITH_WILL_MESSAGE : MQTTREASONCODE_SUCCESS,
                    properties_for(PropertyPlace::disconnect, config_.properties));
  }

  // Called by Paho's threads, on behalf of a client ----------------------------------------------------------

  void lost(const Client* client) {
    const std::scoped_lock lock(mutex_);
    if (client == client_.get()) {
      lose();
    }
  }

  void delivered(Client::Sent& sent) {
    const std::scoped_lock lock(mutex_);
    const auto [client, number, qos] = sent;
    client->forget(sent);
    if (client != client_.get()) {
      return;
    }
    if (qos > 0) {
      acknowledge(number);
      tell_some(acknowledged_together);
      return;
    }
    written_.push_back(number);
    ++written_sum_;
    acknowledge_handed_on(false);
  }

  /// The message could not be sent: `reason` 0, and then all of the window is sent again on the next connection. Or
  /// PUBACK or PUBREC with a reason code that says no [MQTT5 3.4.2.1].
  void failed(Client::Sent& sent, std::uint16_t packet_id, int reason) {
    const std::scoped_lock lock(mutex_);
    const auto [client, number, qos] = sent;
    client->forget(sent);
    if (client != client_.get() || reason < first_failure) {
      return;
    }
    under_way_.erase(packet_id);
    const auto heard = refusals_.find(packet_id);
    const std::string why = heard != refusals_.end() ? heard->second : reason_text(reason);
    if (heard != refusals_.end()) {
      refusals_.erase(heard);
    }
    const auto* const message = window_.find(number);
    refuse(
        number, reason_text(reason),
        fmt::format("the broker refused the message to {}: {}", message != nullptr ? message->topic : "a topic", why));
  }

  /// `topic`: nothing where an alias stands for none.
  void arrived(const Client* client, const MQTTAsync_message& message, std::optional<std::string> topic,
               std::vector<Property> properties) {
    std::string payload(static_cast<const char*>(message.payload), static_cast<std::size_t>(message.payloadlen));
    std::unique_lock lock(mutex_);
    if (!topic) {
      console_.note(
          fmt::format("the broker at {} has used a topic alias that it never set; closing the connection", where()));
      if (client == client_.get()) {
        goodbye_ = MQTTREASONCODE_TOPIC_ALIAS_INVALID;
        lose();
      }
      return;
    }
    const auto id = static_cast<std::uint16_t>(message.msgid);
    if (keeps_session_ && message.qos == 2 &&
        config_.version == ProtocolVersion::v5) {  // before, it arrives with its PUBREL
      half_received_.insert(id);
    }
    last_arrival_ = std::max(last_arrival_, wire_->arrival_steady());
    ++untold_;
    arrivals_.push_back({std::move(*topic), std::move(payload), message.qos, message.retained != 0,
                         std::move(properties), id, wire_->arrival(), last_arrival_, message.dup != 0});
    tell_some(arrived_together);
    if (overflow_ == Overflow::block) {
      // The wire lets no more pass until receive() has taken some. And Paho has more to do before it comes to rest.
      const bool is_last = !wire_->has_ready();
      lock.unlock();
      if (is_last) {
        rests();
      }
      return;
    }
    arrivals_bytes_ += arrivals_.back().payload.size();
    ++stale_;  // for the wire it has reached the end of its way: what is too much is dropped here
    drop_what_is_too_much();
    const auto wire = wire_;
    lock.unlock();
    if (wire->consumed(1)) {
      paho_shims::wake();
    }
  }

 private:
  /// wait_for_room(), with the lock held before and after.
  bool has_room(std::unique_lock<std::mutex>& lock, int qos, const std::stop_token& stop) {
    const auto may_go_on = [&] { return window_.has_room(qos) || end_ || refused_; };
    if (!may_go_on()) {
      lock.unlock();
      paho_shims::put_off_sending(false);
      {
        const AwaitingAnswer awaiting{*this};  // takes the lock itself, at both of its ends
        lock.lock();
        const auto since = std::chrono::steady_clock::now();
        changed_.wait(lock, stop, may_go_on);
        if (deliveries_) {
          deliveries_->wait(std::chrono::steady_clock::now() - since);
        }
        lock.unlock();
      }
      lock.lock();
    }
    throw_if_ended();
    throw_if_refused();
    return window_.has_room(qos);
  }

  /// One that is larger than all that the queue may hold is alone in it.
  void drop_what_is_too_much() {
    while (arrivals_.size() > arrivals_limit || (arrivals_bytes_ > arrivals_bytes_limit && arrivals_.size() > 1)) {
      const bool oldest = overflow_ == Overflow::drop_oldest;
      arrivals_bytes_ -= (oldest ? arrivals_.front() : arrivals_.back()).payload.size();
      if (oldest) {
        arrivals_.pop_front();
      } else {
        arrivals_.pop_back();
      }
      --stale_;
      ++dropped_;
    }
  }

  /// `resuming`: connected again, and the window's messages go out before any new one.
  enum class Link { down, resuming, up };

  [[nodiscard]] std::string where() const { return route_.load()->where; }

  // What goes over the wire ------------------------------------------------------------------------------------

  /// Which packets this session wants to see: with -d all, else those that answer it or end it. An acknowledgement of
  /// four bytes says yes.
  [[nodiscard]] bool wants(Wire::Way way, std::uint8_t first_byte, std::size_t size) const {
    if (console_.debugging()) {
      return true;
    }
    constexpr std::size_t plain = 4;
    switch (type_of(first_byte)) {
      case PacketType::connack:
      case PacketType::suback:
      case PacketType::unsuback:
      case PacketType::disconnect: return way == Wire::Way::in;
      case PacketType::subscribe:
      case PacketType::unsubscribe: return way == Wire::Way::out;
      case PacketType::puback:
      case PacketType::pubrec: return way == Wire::Way::in && (size > plain || keeps_session_);
      case PacketType::pubcomp: return keeps_session_;
      case PacketType::publish: return way == Wire::Way::out && keeps_session_ && qos_of(first_byte) > 0;
      default: return false;
    }
  }

  void gone(std::uint64_t connection) {
    const std::scoped_lock lock(mutex_);
    if (connection == connections_) {
      lose();
    }
  }

  /// So many messages of QoS 0 have left the wire of that connection; `all`: no other waits in it.
  void handed_on(std::uint64_t connection, std::uint64_t messages, bool all) {
    const std::scoped_lock lock(mutex_);
    if (connection == connections_ && !lost_) {
      handed_on_ = messages;
      acknowledge_handed_on(all);
    }
  }

  /// One will arrive.
  void comes() {
    if (overflow_ == Overflow::block) {
      changed_.notify_all();
    }
  }

  /// Nothing more has arrived.
  void rests() {
    std::unique_lock lock(mutex_);
    if (std::exchange(untold_, 0) > 0) {
      lock.unlock();  // or who is woken would wait for it
      changed_.notify_all();
    }
  }

  /// A packet on its way; `connection` is the number of its connection.
  void sees(std::uint64_t connection, Wire::Way way, std::string_view bytes) {
    try {
      Packet packet = read_packet(bytes, config_.version);
      if (console_.debugging()) {
        console_.debug(fmt::format("{} {}", way == Wire::Way::in ? "<-" : "->", description(packet, config_.version)));
      }
      if (way == Wire::Way::in) {
        heard(connection, std::move(packet));
      } else {
        said(packet);
      }
    } catch (const Malformed& malformed) {
      console_.note(fmt::format("the broker at {} sent a packet that is malformed: {}", where(), malformed.what()));
    }
  }

  void said(const Packet& packet) {
    const std::scoped_lock lock(mutex_);
    if (packet.type == PacketType::subscribe || packet.type == PacketType::unsubscribe) {
      asked_ = packet.id;
    } else if (packet.type == PacketType::pubcomp) {
      half_received_.erase(*packet.id);
    } else if (packet.type == PacketType::publish && packet.id && !handed_.empty() &&
               !under_way_.contains(*packet.id)) {
      under_way_[*packet.id] = handed_.front();
      handed_.pop_front();
    } else if (packet.type == PacketType::publish && packet.id && deliveries_) {
      deliveries_->send_again();
    }
  }

  /// The exchange of the message with that packet id is over.
  void settled(std::uint16_t id) {
    if (const auto found = under_way_.find(id); found != under_way_.end()) {
      acknowledge(found->second);
      under_way_.erase(found);
    }
  }

  void heard(std::uint64_t connection, Packet packet) {
    const std::scoped_lock lock(mutex_);
    if (connection != connections_) {
      return;
    }
    const bool says_no = !packet.codes.empty() && packet.codes.front() >= first_failure;
    switch (packet.type) {
      case PacketType::connack:
        connack_ = std::move(packet);
        changed_.notify_all();
        break;
      case PacketType::suback:
      case PacketType::unsuback:
        answer_ = std::move(packet);
        changed_.notify_all();
        break;
      case PacketType::puback:
      case PacketType::pubrec:
        if (says_no) {
          refusals_[*packet.id] = with_words(reason_text(packet.codes.front()), packet.properties);
        } else if (packet.type == PacketType::puback) {
          settled(*packet.id);
        }
        break;
      case PacketType::pubcomp: settled(*packet.id); break;
      case PacketType::disconnect: dismissed(packet); break;
      default: break;
    }
  }

  /// DISCONNECT from the broker, which ends the connection [MQTT5 3.14.4]. That it is lost is told by nobody else in
  /// Paho C 1.3.14, and in 1.3.12 when the broker closes it.
  void dismissed(const Packet& disconnect) {
    const int code = disconnect.codes.empty() ? 0 : disconnect.codes.front();
    std::string why = reason_text(code);
    if (code == MQTTREASONCODE_SESSION_TAKEN_OVER) {
      why += fmt::format(", another client has connected with the id {}", client_id_);
    }
    console_.note(
        fmt::format("the broker at {} has disconnected us: {}", where(), with_words(why, disconnect.properties)));
    lose();
  }

  // Connecting -------------------------------------------------------------------------------------------------

  /// Waits for Paho's word on CONNECT; false where the connection was lost, none came in time or a stop was requested.
  bool answered(const mqtt::token_ptr& token, Deadline deadline, const std::stop_token& stop) const {
    while (!token->wait_for(50ms)) {
      if (stop.stop_requested() || std::chrono::steady_clock::now() >= deadline || is_lost()) {
        return false;
      }
    }
    return true;
  }

  /// Tries each of the brokers, in their order. Throws Error: that of the only one, or what was wrong with all.
  void connect_once(Deadline limit, const std::stop_token& stop) {
    std::string failures;
    for (std::size_t at = 0; at < routes_.size(); ++at) {
      try {
        const auto now = std::chrono::steady_clock::now();
        const auto untried = static_cast<std::ptrdiff_t>(routes_.size() - at);
        connect_to(routes_[at], limit == never ? never : now + (limit - now) / untried, stop);
        return;
      } catch (const Error& error) {
        if (error.status() != ExitStatus::no_broker || stop.stop_requested() || at + 1 == routes_.size()) {
          throw Error{failures + error.what(), error.status()};
        }
        failures += fmt::format("{}; ", error.what());
      }
      drop_connection();  // a half-made one would stand in the way of the next
    }
  }

  /// Dials, sends CONNECT and waits for CONNACK. Throws Error.
  void connect_to(const Route& route, Deadline limit, const std::stop_token& stop) {
    route_ = &route;
    Dialed dialed = route.dialer.dial(std::min(limit, deadline_in(config_.connect_timeout)), stop);
    console_.debug(fmt::format("connecting to {} ({})", route.where, dialed.way));
    make_client();
    const auto wire = attach(std::move(dialed.channel));
    mqtt::connect_options options;
    fill_in(options, config_, was_connected_ && keeps_session_);
    const paho_shims::Handover handover{wire};
    const paho_shims::Hurry hurry;
    try {
      // A second more than Paho's own limit, which leaves its client in order.
      const mqtt::token_ptr token = client_->paho().connect(options);
      if (!answered(token, std::min(limit, deadline_in(config_.connect_timeout + 1s)), stop)) {
        throw no_answer(*wire, stop);
      }
    } catch (const mqtt::exception&) {
      throw no_answer(*wire, stop);
    }
    accepted();
    was_connected_ = true;
  }

  /// Each connection has a client of its own, because one that is used again first sends what it had not sent on the
  /// connection before (Paho C 1.3.12), behind our back and out of order. Not so in a session that the broker keeps:
  /// there the client, which knows the packet ids, sends again what is under way, as it must [MQTT-4.4.0-1].
  void make_client() {
    if (client_ && keeps_session_ && !forgotten_) {
      drop_connection();
      client_->forget_aliases();
      return;
    }
    // The old client goes when the new one is there: with its last client Paho would stop its threads, which takes
    // long. Whoever was sending by it has noticed, and has let go, when these locks are ours.
    auto client = std::make_shared<Client>(*this, client_id_, config_);
    const std::scoped_lock lock(sending_, mutex_);
    window_.send_again();
    handed_.clear();
    under_way_.clear();
    half_received_.clear();
    std::swap(client_, client);
  }

  /// Makes a wire of the channel: what is heard on it from here on is this connection's.
  std::shared_ptr<Wire> attach(Channel channel) {
    const std::scoped_lock lock(sending_, mutex_);
    const std::uint64_t connection = ++connections_;
    stale_ = arrivals_.size();
    wire_ = std::make_shared<Wire>(
        std::move(channel),
        Wire::Observer{[this](Wire::Way way, std::uint8_t first, std::size_t size) { return wants(way, first, size); },
                       [this, connection](Wire::Way way, std::string_view bytes) { sees(connection, way, bytes); },
                       [this, connection] { gone(connection); },
                       [this, connection](std::uint64_t messages, bool all) { handed_on(connection, messages, all); },
                       [this] { rests(); }, [this] { comes(); }},
        config_.one_by_one || !paho_shims::may_gather() ? Wire::Sending::one_by_one : Wire::Sending::gathered,
        Wire::Beginning{left_for_this_wire(stale_), awaiting_ > 0, half_received_});
    written_.clear();
    written_sum_ = 0;
    handed_on_ = 0;
    lost_ = false;
    connack_.reset();
    answer_.reset();
    refusals_.clear();
    return wire_;
  }

  /// How many messages this wire may bring, where so many of the earlier ones' are still to be received.
  [[nodiscard]] std::optional<std::size_t> left_for_this_wire(std::size_t stale) const {
    return take_left_ ? std::optional(*take_left_ - std::min(*take_left_, stale)) : std::nullopt;
  }

  /// What CONNACK says. Throws Error where the session is gone that a client has been carrying on: it has exchanges of
  /// that session under way, and another client must begin anew.
  void accepted() {
    const std::scoped_lock lock(sending_, mutex_);
    const Packet& connack = *connack_;
    const auto properties = config_.version == ProtocolVersion::v5 ? connack.properties : std::vector<Property>{};
    limits_ = config_.version == ProtocolVersion::v5 ? limits_in(properties) : BrokerLimits{.topic_alias_maximum = 0};
    window_.limit_inflight(inflight_limit());
    aliases_ = TopicAliases{config_.automatic_topic_alias ? limits_.topic_alias_maximum : 0};
    // In MQTT 3.1 the bit means nothing.
    const bool present = connack.session_present && config_.version != ProtocolVersion::v31;
    if (keeps_session_ && was_connected_ && !present && !forgotten_) {
      forgotten_ = true;
      throw Error{fmt::format("the broker at {} has forgotten the session", where()), ExitStatus::no_broker};
    }
    if (present && was_connected_ && !forgotten_) {
      window_.leave_to_library();
    }
    session_present_ = present && !forgotten_;
    // Paho keeps to its own keep alive: 1.3.12 does not know that the broker may ask for a shorter one.
    const auto asked = number_in(properties, "server-keep-alive");
    const auto own = config_.keep_alive;
    if (asked && *asked > 0 && (own.count() == 0 || std::chrono::seconds{*asked} < own)) {
      keep_alive_ = std::chrono::seconds{*asked};
    } else {
      keep_alive_ = own.count() > 0 && own < pahos_precision ? std::optional(own) : std::nullopt;
    }
  }

  [[nodiscard]] Window<Message>::Inflight inflight_limit() const {
    const bool is_told = config_.max_inflight || config_.version == ProtocolVersion::v5;
    const auto all = std::min<std::size_t>(config_.max_inflight.value_or(most_inflight), limits_.receive_maximum);
    return {all, is_told ? all : most_inflight_untold};
  }

  /// Why there is no CONNACK that says yes.
  [[nodiscard]] Error no_answer(Wire& wire, const std::stop_token& stop) const {
    const auto last_word = wire.last_word();
    const std::scoped_lock lock(mutex_);
    if (connack_ && !connack_->codes.empty()) {
      const int code = connack_->codes.front();
      if (const auto why = refusal(code, config_.version)) {
        return Error{
            fmt::format("the broker at {} refused the connection: {}", where(), with_words(*why, connack_->properties)),
            may_pass(code) ? ExitStatus::no_broker : ExitStatus::broker_refused};
      }
    }
    if (last_word) {
      return Error{fmt::format("no broker at {}: {}", where(), *last_word), ExitStatus::no_broker};
    }
    return Error{fmt::format("no broker at {}: it accepted the connection, but {}", where(),
                             stop.stop_requested() ? "the run was stopped before it answered CONNECT"
                                                   : "closed it or did not answer CONNECT: " + doubt(config_.version)),
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
    return Error{fmt::format("time is up, and the broker at {} has not answered", where()), ExitStatus::timed_out};
  }
  void throw_if_late(const std::stop_token& stop) const {
    if (!stop.stop_requested() && std::chrono::steady_clock::now() >= answer_by_) {
      throw late();
    }
  }

  // Subscribing ------------------------------------------------------------------------------------------------

  void forget_subscription(const std::string& filter) {
    std::erase_if(subscriptions_, [&](const Subscription& one) { return one.filter == filter; });
  }

  /// What the broker said to these when a connection that was lost in between was regained with them.
  std::optional<std::vector<Grant>> grants_of_the_renewal(const std::vector<Subscription>& subscriptions) const {
    const std::scoped_lock lock(mutex_);
    std::vector<Grant> grants;
    for (const Subscription& one : subscriptions) {
      const auto grant = renewed_.find(one.filter);
      if (grant == renewed_.end()) {
        return std::nullopt;
      }
      grants.push_back(grant->second);
    }
    return grants;
  }

  /// Sends SUBSCRIBE and waits for SUBACK. Nothing where the connection was lost on the way. Throws Error where the
  /// broker does not answer, or not to what it was asked.
  std::optional<std::vector<Grant>> subscribe_once(const std::vector<Subscription>& subscriptions,
                                                   const std::stop_token& stop, Deadline by = never) {
    const auto properties = config_.version == ProtocolVersion::v5
                                ? properties_for(PropertyPlace::subscribe, config_.properties)
                                : std::vector<Property>{};
    const bool with_identifier = number_in(properties, "subscription-identifier").has_value();
    const auto limits = current_limits();
    std::vector<Grant> grants(subscriptions.size());
    std::vector<std::size_t> asked;  // by their place among the subscriptions
    for (std::size_t at = 0; at < subscriptions.size(); ++at) {
      grants[at].filter = subscriptions[at].filter;
      if (const auto fault = fault_of_subscription(subscriptions[at].filter, with_identifier, limits)) {
        grants[at].why = fmt::format("the broker at {} says that {}", where(), *fault);
      } else {
        asked.push_back(at);
      }
    }
    std::size_t size = 0;
    for (const std::size_t at : asked) {
      size += subscriptions[at].filter.size() + 3;  // its length, and its options
    }
    throw_if_too_large("SUBSCRIBE", size, properties, limits);
    const AwaitingAnswer awaiting{*this};
    // One packet for all; but Paho C++ 1.2.0 reads what it has freed where several have options of MQTT 5.
    const bool together = std::all_of(asked.begin(), asked.end(), [&](auto at) { return is_plain(subscriptions[at]); });
    for (std::size_t first = 0; first < asked.size();) {
      const std::size_t count = together ? asked.size() : 1;
      const auto suback = answer_to("SUBSCRIBE", count, by, stop, [&](mqtt::async_client& client) {
        return count == 1 ? send_subscribe(client, subscriptions[asked[first]], properties)
                          : send_subscribe(client, subscriptions, asked, properties);
      });
      if (!suback) {
        return std::nullopt;
      }
      for (std::size_t at = 0; at < count; ++at) {
        const int code = suback->codes[at];
        Grant& grant = grants[asked[first + at]];
        if (code <= 2) {
          grant.qos = code;
        } else {
          grant.why = config_.version == ProtocolVersion::v5 ? with_words(reason_text(code), suback->properties)
                                                             : fmt::format("no reason given (0x{:02X})", code);
        }
      }
      first += count;
    }
    return grants;
  }

  /// Of a packet with so many bytes of filters: one that is larger than the broker takes must not be sent
  /// [MQTT-3.2.2-15].
  void throw_if_too_large(const char* packet, std::size_t filters, const std::vector<Property>& properties,
                          const BrokerLimits& limits) const {
    constexpr std::size_t headers = 1 + 4 + 2 + 4;  // at the most: fixed header, packet id, length of the properties
    const std::size_t size = headers + filters + static_cast<std::size_t>(to_paho(properties).c_struct().length);
    if (size > limits.maximum_packet_size) {
      throw Error{fmt::format("the broker at {} takes packets of {} bytes at most, and {} would have {}", where(),
                              limits.maximum_packet_size, packet, size),
                  ExitStatus::topic_refused};
    }
  }

  /// Whether a subscription asks for nothing that only MQTT 5 has.
  static bool is_plain(const Subscription& one) {
    return !one.retain_as_published && !one.no_local && one.retain_handling == RetainHandling::send_always;
  }

  static mqtt::token_ptr send_subscribe(mqtt::async_client& client, const std::vector<Subscription>& subscriptions,
                                        const std::vector<std::size_t>& asked,
                                        const std::vector<Property>& properties) {
    std::vector<std::string> filters;
    mqtt::async_client::qos_collection qos;
    for (const std::size_t at : asked) {
      filters.push_back(subscriptions[at].filter);
      qos.push_back(subscriptions[at].qos);
    }
    return client.subscribe(mqtt::string_collection::create(std::move(filters)), qos, {}, to_paho(properties));
  }

  static mqtt::token_ptr send_subscribe(mqtt::async_client& client, const Subscription& one,
                                        const std::vector<Property>& properties) {
    const auto handling = static_cast<mqtt::subscribe_options::RetainHandling>(one.retain_handling);
    const mqtt::subscribe_options options{one.no_local, one.retain_as_published, handling};
    return client.subscribe(one.filter, one.qos, options, to_paho(properties));
  }

  /// Sends UNSUBSCRIBE and waits for UNSUBACK. Otherwise as subscribe_once().
  std::optional<Packet> unsubscribe_once(const std::vector<std::string>& filters, const std::stop_token& stop) {
    const bool is_v5 = config_.version == ProtocolVersion::v5;
    std::size_t size = 0;
    for (const std::string& filter : filters) {
      size += filter.size() + 2;
    }
    throw_if_too_large("UNSUBSCRIBE", size, properties_for(PropertyPlace::unsubscribe, config_.properties),
                       current_limits());
    const AwaitingAnswer awaiting{*this};
    // Before MQTT 5 the answer has no codes, and is a yes to all [MQTT-3.11].
    return answer_to("UNSUBSCRIBE", is_v5 ? filters.size() : 0, answer_by_, stop, [&](mqtt::async_client& client) {
      const auto list = mqtt::string_collection::create(filters);
      return is_v5 ? client.unsubscribe(list, to_paho(properties_for(PropertyPlace::unsubscribe, config_.properties)))
                   : client.unsubscribe(list);
    });
  }

  /// Asks for something and waits for the answer that comes to it, with so many codes; it is read off the wire, because
  /// Paho C++ makes an exception of some answers, and loses what the broker says beside its codes. Nothing where the
  /// connection was lost on the way. Throws Error where the broker does not answer, or not to what it was asked.
  std::optional<Packet> answer_to(const std::string& packet, std::size_t codes, Deadline by,
                                  const std::stop_token& stop, const std::function<void(mqtt::async_client&)>& send) {
    const paho_shims::Hurry hurry;
    const auto client = current_client();
    {
      const std::scoped_lock lock(mutex_);
      asked_.reset();
      answer_.reset();
    }
    try {
      (void)send(client->paho());
    } catch (const mqtt::exception& error) {
      if (!is_lost() && client->paho().is_connected()) {
        throw Error{fmt::format("cannot send {}: {}", packet, error.what())};
      }
      return std::nullopt;
    }
    std::unique_lock lock(mutex_);
    const auto is_answered = [&] { return answer_ && asked_ && answer_->id == asked_; };
    changed_.wait_until(lock, stop, std::min(by, deadline_in(config_.connect_timeout)),
                        [&] { return lost_ || end_ || is_answered(); });
    // Such an answer may also be why Paho has closed the connection: it is told, whichever is noticed first.
    if (is_answered() && answer_->codes.size() != codes) {
      throw Error{fmt::format("the broker at {} answered {} with {} codes for {} filters", where(), packet,
                              answer_->codes.size(), codes)};
    }
    if (lost_ || end_) {
      return std::nullopt;
    }
    if (is_answered()) {
      return answer_;
    }
    if (!stop.stop_requested() && std::chrono::steady_clock::now() >= by) {
      throw late();
    }
    throw Error{fmt::format("the broker at {} did not answer {}", where(), packet), ExitStatus::no_broker};
  }

  /// While one lives, everything that arrives is read: the answer that somebody waits for (SUBACK, PUBACK) may stand
  /// behind it. Not to be made or destroyed with `mutex_` held.
  class AwaitingAnswer {
   public:
    explicit AwaitingAnswer(PahoSession& session) : session_(session) { change(1); }
    AwaitingAnswer(const AwaitingAnswer&) = delete;
    AwaitingAnswer& operator=(const AwaitingAnswer&) = delete;
    ~AwaitingAnswer() { change(-1); }

   private:
    void change(int by) {
      std::unique_lock lock(session_.mutex_);
      session_.awaiting_ += by;
      const bool any = session_.awaiting_ > 0;
      const auto wire = session_.wire_;
      lock.unlock();
      if (wire && wire->read_without_limit(any) && any) {
        paho_shims::wake();
      }
    }

    PahoSession& session_;
  };

  [[nodiscard]] bool is_lost() const {
    const std::scoped_lock lock(mutex_);
    return lost_;
  }

  [[nodiscard]] std::shared_ptr<Client> current_client() const {
    const std::scoped_lock lock(mutex_);
    return client_;
  }

  [[nodiscard]] BrokerLimits current_limits() const {
    const std::scoped_lock lock(mutex_);
    return limits_;
  }

  /// Sends DISCONNECT where there is a connection. The code that says why is MQTT 5's.
  void drop_connection(MQTTReasonCodes code = MQTTREASONCODE_SUCCESS, const std::vector<Property>& properties = {}) {
    if (!client_ || !client_->paho().is_connected()) {
      return;
    }
    mqtt::disconnect_options options{0};
    if (config_.version == ProtocolVersion::v5) {
      // Paho C++ 1.2.0 leaves it at 0, which is without properties and reason code.
      auto& raw = const_cast<MQTTAsync_disconnectOptions&>(options.c_struct());  // NOLINT
      raw.struct_version = 1;
      raw.reasonCode = code;
      if (!properties.empty()) {
        options.set_properties(to_paho(properties));  // and lives until disconnect() has copied them
      }
    }
    const paho_shims::Hurry hurry;
    if (wire_) {
      if (wire_->rest()) {
        paho_shims::wake();
      }
      (void)wire_->wait_until_sent(deadline_in(disconnect_timeout));
    }
    try {
      // Never wait(): it hung for ever in 7 of 12 runs where the peer closed at that moment (Paho C 1.3.12, 1.3.14).
      client_->paho().disconnect(options)->wait_for(disconnect_timeout);
    } catch (const mqtt::exception&) {
      return;  // the connection is gone, which is what we wanted
    }
  }

  // Staying connected ------------------------------------------------------------------------------------------

  /// Not sooner than there is something to see to: a thread is a tenth of what one message takes from start to exit.
  void start_keeper() {
    if (keeper_.joinable()) {
      return;
    }
    try {
      keeper_ = std::jthread([this](const std::stop_token& end) { keep_connected(end); });
    } catch (const std::system_error& error) {
      end_ = Error{fmt::format("cannot start a thread: {}", error.what())};
    }
  }

  void keep_connected(const std::stop_token& stop) {
    try {
      std::optional<Retry> retry;
      while (wait_for_loss(stop)) {
        tell_the_loss();
        const bool proven = std::chrono::steady_clock::now() - connected_at_ >= proven_after;
        if (!retry || proven) {
          retry.emplace(config_.reconnect_limit, config_.reconnect_max_delay);
        } else if (!retry->wait(stop)) {
          give_up(stop);
          return;
        }
        if (!regain(*retry, stop)) {
          return;
        }
        connected_at_ = std::chrono::steady_clock::now();
      }
    } catch (const Error& error) {
      end(error);
    } catch (const std::exception& error) {
      end(Error{error.what()});
    }
  }

  /// True where the connection was lost, false where a stop was requested. Meanwhile sends the pings that Paho does not
  /// know of.
  bool wait_for_loss(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto is_down = [&] { return link_ == Link::down; };
    while (keep_alive_ && !stop.stop_requested()) {
      const std::chrono::milliseconds interval = *keep_alive_;
      if (down_.wait_until(lock, stop, deadline_in(interval / 4), is_down)) {
        return true;
      }
      const auto wire = wire_;
      lock.unlock();
      if (wire->ping_after(interval * 3 / 4)) {
        paho_shims::wake();
      }
      lock.lock();
    }
    return down_.wait(lock, stop, is_down);
  }

  /// Throws Error where it is not to be regained.
  void tell_the_loss() {
    const auto last_word = wire_->last_word();
    const std::string what = fmt::format("lost the connection to the broker at {}{}", where(),
                                         last_word ? fmt::format(" ({})", *last_word) : "");
    std::unique_lock lock(mutex_);
    const auto goodbye = std::exchange(goodbye_, std::nullopt);
    lock.unlock();
    if (goodbye) {
      drop_connection(*goodbye);
    }
    if (!config_.reconnect) {
      throw Error{what, ExitStatus::no_broker};
    }
    console_.note(what + "; trying to regain it");
  }

  /// Connects again, renews the subscriptions and sends what is unacknowledged. False where the session is over.
  bool regain(Retry& retry, const std::stop_token& stop) {
    while (true) {
      try {
        connect_once(retry.deadline(), stop);
        if (renew_subscriptions(stop) && resume(stop)) {
          forgotten_ = false;
          console_.note(fmt::format("connected again to the broker at {}", where()));
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
      end(Error{fmt::format("the connection to the broker at {} was lost and not regained in {} s", where(),
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
    const std::scoped_lock lock(mutex_);
    for (const Grant& grant : *grants) {
      renewed_[grant.filter] = grant;
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
      send_all(std::unique_lock(mutex_));
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

  // Publishing -------------------------------------------------------------------------------------------------

  /// Hands every message of the window that this connection has not seen to Paho, in order. One thread at a time. Takes
  /// the lock over: it is free afterwards.
  void send_all(std::unique_lock<std::mutex> lock) {
    std::unique_lock sending(sending_, std::try_to_lock);  // which as a rule nobody else holds
    if (!sending) {
      lock.unlock();
      sending.lock();
      lock.lock();
    }
    while (link_ != Link::down) {
      const auto next = window_.next_to_send();
      if (!next) {
        return;
      }
      const std::optional<Message> with_alias = aliased(next->message);
      const Message& message = with_alias ? *with_alias : next->message;
      if (const auto fault = fault_of(publishing(message), limits_)) {
        refuse(
            next->number, *fault,
            fmt::format("the broker at {} would refuse the message to {}: {}", where(), next->message.topic, *fault));
        continue;
      }
      const bool again = next->number < never_sent_;
      never_sent_ = std::max(never_sent_, next->number + 1);
      Client& client = *client_;  // not replaced while `sending` is held
      Client::Sent& sent = client.note(next->number, message.qos);
      if (keeps_session_ && message.qos > 0) {
        handed_.push_back(next->number);
      }
      paho_shims::hurry_for_messages(true);
      const auto book = again ? deliveries_ : nullptr;
      const bool is_last = window_.all_sent();
      lock.unlock();
      try {
        client.publish(message, sent);
        if (book) {
          book->send_again();
        }
        if (is_last) {
          return;
        }
        lock.lock();
      } catch (const mqtt::exception& error) {
        lock.lock();
        client.forget(sent);
        if (error.get_return_code() != MQTTASYNC_DISCONNECTED) {
          window_.acknowledge(next->number);  // or a flush would wait for it
          throw Error{fmt::format("cannot publish to {}: {}", next->message.topic, error.what())};
        }
        // The connection has just gone, and Paho has not taken the message: lost() is on its way.
        window_.take_back(next->number);
        never_sent_ -= again ? 0 : 1;
        if (!handed_.empty() && handed_.back() == next->number) {
          handed_.pop_back();
        }
        return;
      }
    }
  }

  static Publishing publishing(const Message& message) {
    const auto properties =
        message.properties.empty() ? 0 : static_cast<std::size_t>(to_paho(message.properties).c_struct().length);
    return {message.qos, message.retain,
            publish_size(message.topic.size(), message.qos, properties, message.payload.size()),
            number_in(message.properties, "topic-alias")};
  }

  /// The message as it goes out on this connection, where topic names may be sent as aliases. What may be sent again on
  /// another connection, where the alias means nothing, keeps its name [MQTT5 3.3.2.3.4]: QoS 1 and 2 of a kept
  /// session. Nothing where it goes out as it is.
  std::optional<Message> aliased(const Message& message) {
    if (!config_.automatic_topic_alias || (keeps_session_ && message.qos > 0)) {
      return std::nullopt;
    }
    const auto named = aliases_.of(message.topic);
    if (!named) {
      return std::nullopt;
    }
    Message shorter = message;
    shorter.properties.push_back({mqtt::property::TOPIC_ALIAS, named->alias, {}});
    if (!named->is_new) {
      shorter.topic.clear();
    }
    return shorter;
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
    if (const auto taken = taken_at_.extract(number)) {
      deliveries_->acknowledge(std::chrono::steady_clock::now() - taken.mapped());
    }
    window_.acknowledge(number);
    paho_shims::hurry_for_messages(window_.unacknowledged() > 0);
    ++untold_;
  }

  /// Wakes whoever waits for arrivals or acknowledgements where there were so many since the last time.
  void tell_some(std::size_t at_least) {
    if (untold_ >= at_least) {
      untold_ = 0;
      changed_.notify_all();
    }
  }

  /// What has QoS 0 is acknowledged when the wire has handed it on to the system; the two are told of in either order.
  void acknowledge_handed_on(bool all) {
    if (lost_) {
      return;  // it went nowhere
    }
    bool some = false;
    while (!written_.empty() && (all || written_sum_ - written_.size() < handed_on_)) {
      acknowledge(written_.front());
      written_.pop_front();
      some = true;
    }
    if (some) {
      tell_some(1);
    }
  }

  /// `reason`: in a few words, of which there are only so many; `why`: as a sentence.
  void refuse(std::uint64_t number, const std::string& reason, const std::string& why) {
    if (taken_at_.erase(number) > 0) {
      deliveries_->refuse(reason, why);
    }
    if (on_refusal_ == OnRefusal::ends_the_run && !std::exchange(refused_before_, true)) {
      refused_ = Error{why, ExitStatus::topic_refused};
    }
    acknowledge(number);
    changed_.notify_all();
  }

  /// The connection is one no more.
  void lose() {
    lost_ = true;
    link_ = Link::down;
    paho_shims::hurry_for_messages(false);
    changed_.notify_all();
    down_.notify_all();
    if (is_kept_up_) {
      start_keeper();
    }
  }

  const ConnectionConfig config_;
  const Console console_;
  const Overflow overflow_;
  const bool keeps_session_;
  const std::string client_id_;
  const Deadline answer_by_;  ///< of the first connection and what is subscribed on it
  const std::vector<Route> routes_;
  std::atomic<const Route*> route_;  ///< the one that was tried last
  bool was_connected_ = false;       ///< touched by whoever connects
  bool forgotten_ = false;           ///< the broker has not kept the session that it should; the same
  bool disconnected_ = false;        ///< touched by the caller of disconnect()

  std::mutex sending_;  ///< held by whoever hands messages to Paho; taken before mutex_
  mutable std::mutex mutex_;
  Condition changed_;       ///< of anything below, for whoever calls
  Condition down_;          ///< of `link_`, for the keeper: not to be woken by each message
  std::size_t untold_ = 0;  ///< arrivals and acknowledgements since `changed_` was told
  Link link_ = Link::down;
  bool lost_ = false;                       ///< that is, the connection that was made last
  int awaiting_ = 0;                        ///< so many wait for what may stand behind arrivals
  std::optional<Error> end_;                ///< why there is no connection any more and will be none
  std::optional<MQTTReasonCodes> goodbye_;  ///< by which a connection must be closed that the broker misuses

  // What is heard on the connection that was made last.
  std::uint64_t connections_ = 0;  ///< its number
  std::optional<Packet> connack_;
  std::optional<std::uint16_t> asked_;             ///< the packet id of the last SUBSCRIBE or UNSUBSCRIBE
  std::optional<Packet> answer_;                   ///< and the last SUBACK or UNSUBACK
  std::map<std::uint16_t, std::string> refusals_;  ///< why, by packet id
  BrokerLimits limits_;
  bool session_present_ = false;                    ///< the broker had kept the session for it
  std::optional<std::chrono::seconds> keep_alive_;  ///< where Paho does not see to it

  Window<Message> window_;
  // In a session that the broker keeps, messages of QoS 1 and 2 by their numbers in the window. There Paho C 1.3.12
  // tells nobody of the end of some exchanges that a loss has interrupted; the wire does.
  std::deque<std::uint64_t> handed_;                  ///< Paho has them, and has not sent them yet
  std::map<std::uint16_t, std::uint64_t> under_way_;  ///< by packet id
  // Messages of QoS 0 that Paho calls written: they may wait in the wire yet. By their numbers in the window; and how
  // many there were on this connection, and how many of them the wire has handed on.
  std::deque<std::uint64_t> written_;
  std::uint64_t written_sum_ = 0;
  std::uint64_t handed_on_ = 0;
  TopicAliases aliases_;
  std::optional<Error> refused_;  ///< the first message that was, until somebody was told
  bool refused_before_ = false;
  std::uint64_t never_sent_ = 0;  ///< the first message of the window that no connection has seen

  // For the book that is kept of them, if one is.
  std::shared_ptr<Deliveries> deliveries_;
  OnRefusal on_refusal_ = OnRefusal::ends_the_run;
  std::unordered_map<std::uint64_t, std::chrono::steady_clock::time_point> taken_at_;  ///< while unacknowledged

  std::shared_ptr<Client> client_;  ///< replaced by whoever connects
  std::shared_ptr<Wire> wire_;      ///< of the connection that was made last; the same

  std::vector<Subscription> subscriptions_;
  std::map<std::string, Grant> renewed_;  ///< what was granted when a lost connection was regained
  bool interrupted_ = false;
  std::chrono::steady_clock::time_point last_taken_;  ///< touched by the caller of receive(), as is:
  int taken_soon_ = 0;                                ///< so often in quick succession
  std::deque<Message> arrivals_;
  /// Of the message that arrived last; reckoned from two clocks, by which it must not seem to go back.
  std::chrono::steady_clock::time_point last_arrival_;
  std::size_t arrivals_bytes_ = 0;  ///< of their payloads, where too many are dropped
  std::size_t dropped_ = 0;
  std::set<std::uint16_t> half_received_;  ///< of QoS 2, by packet id, whose exchange is not over
  std::size_t stale_ = 0;                  ///< of so many arrivals the wire knows nothing, or nothing any more
  std::optional<std::size_t> take_left_;   ///< so many more messages are wanted, those that arrived among them

  /// Touched by whoever connects.
  std::chrono::steady_clock::time_point connected_at_;
  bool is_kept_up_ = false;  ///< what is lost is to be regained: from the first connection to disconnect()
  std::jthread keeper_;
};

Client::Client(PahoSession& session, const std::string& client_id, const ConnectionConfig& config)
    : session_(session),
      is_v5_(config.version == ProtocolVersion::v5),
      client_(paho_shims::pahos_uri(), client_id,
              mqtt::create_options_builder()
                  .mqtt_version(static_cast<int>(config.version))
                  .send_while_disconnected(false)
                  .max_buffered_messages(static_cast<int>(pahos_share * size_of_window(config)))
                  .finalize()) {
  client_.set_connection_lost_handler([this](const std::string&) { session_.lost(this); });
  (void)::MQTTAsync_setMessageArrivedCallback(handle_of(client_), this, &Client::arrived);
}

int Client::arrived(void* client, char* topic, int topic_size, MQTTAsync_message* message) {
  auto& self = *static_cast<Client*>(client);
  // Paho gives a size only where the name has a NUL, which none may have [MQTT-1.5.3-2].
  std::string name = topic_size > 0 ? std::string(topic, static_cast<std::size_t>(topic_size)) : std::string(topic);
  auto properties = from_paho(message->properties);
  auto resolved = self.resolved(std::move(name), properties);
  self.session_.arrived(&self, *message, std::move(resolved), std::move(properties));
  ::MQTTAsync_freeMessage(&message);
  ::MQTTAsync_free(topic);
  constexpr int is_taken = 1;
  return is_taken;
}

std::optional<std::string> Client::resolved(std::string topic, const std::vector<Property>& properties) {
  if (const auto alias = number_in(properties, "topic-alias")) {
    if (!topic.empty()) {
      aliases_[*alias] = topic;
    } else if (const auto known = aliases_.find(*alias); known != aliases_.end()) {
      topic = known->second;
    }
  }
  return topic.empty() ? std::nullopt : std::optional(std::move(topic));
}

Client::Sent& Client::note(std::uint64_t number, int qos) {
  if (unused_.empty()) {
    return sent_.emplace_back(Sent{this, number, qos});
  }
  Sent& sent = *unused_.back();
  unused_.pop_back();
  return sent = {this, number, qos};
}

void Client::delivered(void* sent) {
  auto& one = *static_cast<Sent*>(sent);
  one.client->session_.delivered(one);
}

void Client::failed(void* sent, std::uint16_t packet_id, int reason) {
  auto& one = *static_cast<Sent*>(sent);
  one.client->session_.failed(one, packet_id, reason);
}

void Client::publish(const Message& message, Sent& sent) {
  MQTTAsync_message outgoing = MQTTAsync_message_initializer;
  outgoing.payload = const_cast<char*>(message.payload.data());  // NOLINT: Paho copies it
  outgoing.payloadlen = static_cast<int>(message.payload.size());
  outgoing.qos = message.qos;
  outgoing.retained = message.retain ? 1 : 0;
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  options.context = &sent;
  mqtt::properties properties;
  if (is_v5_) {
    if (!message.properties.empty()) {
      properties = to_paho(message.properties);
      outgoing.properties = properties.c_struct();
    }
    options.onSuccess5 = [](void* context, MQTTAsync_successData5* /*data*/) { delivered(context); };
    options.onFailure5 = [](void* context, MQTTAsync_failureData5* data) {
      // With an error of Paho's it has failed with its connection.
      const bool is_refused = data != nullptr && data->code == MQTTASYNC_SUCCESS;
      failed(context, is_refused ? static_cast<std::uint16_t>(data->token) : std::uint16_t{0},
             is_refused ? static_cast<int>(data->reasonCode) : 0);
    };
  } else {
    options.onSuccess = [](void* context, MQTTAsync_successData* /*data*/) { delivered(context); };
    options.onFailure = [](void* context, MQTTAsync_failureData* /*data*/) { failed(context, 0, 0); };
  }
  const int error = ::MQTTAsync_sendMessage(handle_of(client_), message.topic.c_str(), &outgoing, &options);
  if (error != MQTTASYNC_SUCCESS) {
    throw mqtt::exception(error);
  }
}

}  // namespace

void EndSession::operator()(Session* session) const { session->disconnect(); }

SessionPointer open_session(const ConnectionConfig& config, const Console& console, const std::stop_token& stop,
                            const Intake& intake) {
  // Paho C 1.3.12 obeys these even for plain MQTT, and would ask them for the way to us.
  for (const char* variable : {"http_proxy", "https_proxy"}) {
    ::unsetenv(variable);
  }
  if (intake.times_count || config.one_by_one) {
    paho_shims::read_at_once();
  }
  auto* session = new PahoSession(config, console, intake.overflow);
  SessionPointer pointer{session};
  session->take_at_most(intake.at_most);
  session->connect_first(stop);
  return pointer;
}

std::string library_versions() {
  return fmt::format("Paho MQTT C++ {}.{}.{}, Paho MQTT C {} ({})", mqtt::VERSION >> 24U,
                     (mqtt::VERSION >> 16U) & 0xFFU, (mqtt::VERSION >> 8U) & 0xFFU, paho_c_version(),
                     paho_is_lean() ? "linked in, without its debugging aids" : "as the distribution has built it");
}

}  // namespace sistem
