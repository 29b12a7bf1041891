// The only file that knows Paho's headers. What it must work around is said where it does, with the version that needs
// it.

// Paho C++ shows what it says in DISCONNECT to its own tests only (1.2.0); what this switch adds are accessors.
#define UNIT_TESTS
#include "common/paho/client.hpp"

#include <fmt/format.h>
#include <mqtt/async_client.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <string_view>
#include <utility>

#include "common/mqtt/property.hpp"
#include "common/mqtt/reason.hpp"
#include "common/paho/wires.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// How much larger than what is published at a time Paho's own limits are.
constexpr std::size_t beyond = 2;

// Properties ------------------------------------------------------------------------------------------------------

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

// CONNECT ---------------------------------------------------------------------------------------------------------

/// CONNECT's properties: those that the user named, and the session's expiry.
std::vector<Property> connect_properties(const ConnectionConfig& config) {
  std::vector<Property> properties = properties_for(PropertyPlace::connect, config.properties);
  if (config.session_expiry && !number_in(properties, "session-expiry-interval")) {
    properties.push_back({mqtt::property::SESSION_EXPIRY_INTERVAL, *config.session_expiry, {}});
  }
  return properties;
}

/// Fills in what CONNECT says. Not a function that gives options: Paho C++ 1.2.0 forgets properties when they are
/// moved.
void fill_in(mqtt::connect_options& options, const ConnectionConfig& config, bool goes_on, std::size_t most) {
  // A version, and not Paho's default of trying 3.1 after 3.1.1, which would connect twice.
  options.set_mqtt_version(static_cast<int>(config.version));
  if (config.version == ProtocolVersion::v5) {
    options.set_clean_start(config.clean_session && !goes_on);
    options.set_properties(to_paho(connect_properties(config)));
  } else {
    options.set_clean_session(config.clean_session);
  }
  options.set_keep_alive_interval(config.keep_alive);
  options.set_connect_timeout(config.connect_timeout);
  options.set_max_inflight(static_cast<int>(beyond * most));
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

/// Of the library that is in use: "1.3.12".
std::string paho_c_version() {
  for (const MQTTAsync_nameValue* value = MQTTAsync_getVersionInfo(); value->name != nullptr; ++value) {
    if (std::string_view(value->name) == "Version") {
      return value->value;
    }
  }
  return "?";
}

/// Paho C's handle of a Paho C++ client, which has no accessor for it. What is private may be named where a template is
/// instantiated explicitly [C++20 temp.spec 6].
MQTTAsync handle_of(const mqtt::async_client& client);
template <MQTTAsync mqtt::async_client::*handle>
struct HandleOpener {
  friend MQTTAsync handle_of(const mqtt::async_client& client) { return client.*handle; }
};
template struct HandleOpener<&mqtt::async_client::cli_>;

/// Runs something that Paho may refuse.
template <typename Action>
auto asked(Action action) {
  try {
    return action();
  } catch (const mqtt::exception& error) {
    throw ClientError(error.what(), error.get_return_code() == MQTTASYNC_DISCONNECTED);
  }
}

}  // namespace

// The client ------------------------------------------------------------------------------------------------------

class Client::Implementation {
 public:
  Implementation(Client& self, Listener& listener, const std::string& client_id, const ConnectionConfig& config,
                 std::size_t most)
      : self_(self),
        listener_(listener),
        is_v5_(config.version == ProtocolVersion::v5),
        most_(most),
        number_(wires().new_client()),
        paho_(Wires::uri_of(number_), client_id,
              mqtt::create_options_builder()
                  .mqtt_version(static_cast<int>(config.version))
                  .send_while_disconnected(false)
                  .max_buffered_messages(static_cast<int>(beyond * most))
                  .finalize()) {
    paho_.set_connection_lost_handler([this](const std::string&) { listener_.on_lost(self_); });
    (void)::MQTTAsync_setMessageArrivedCallback(handle_of(paho_), this, &Implementation::arrived);
  }

  /// Hands a message to Paho by Paho C's own call: that of Paho C++ makes a token for each, with a mutex, a condition
  /// and a place in a list, which nobody asks; that took a third of a flood's time.
  void publish(const Message& message, std::uint64_t number) {
    MQTTAsync_message outgoing = MQTTAsync_message_initializer;
    outgoing.payload = const_cast<char*>(message.payload.data());  // NOLINT: Paho copies it
    outgoing.payloadlen = static_cast<int>(message.payload.size());
    outgoing.qos = message.qos;
    outgoing.retained = message.retain ? 1 : 0;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    Sent& sent = note(number, message.qos);
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
    const int error = ::MQTTAsync_sendMessage(handle_of(paho_), message.topic.c_str(), &outgoing, &options);
    if (error != MQTTASYNC_SUCCESS) {
      give_back(sent);
      throw ClientError(mqtt::exception(error).what(), error == MQTTASYNC_DISCONNECTED);
    }
  }

  [[nodiscard]] std::size_t most() const { return most_; }
  [[nodiscard]] bool is_v5() const { return is_v5_; }
  [[nodiscard]] int number() const { return number_; }
  mqtt::async_client& paho() { return paho_; }
  void forget_aliases() { aliases_.clear(); }

 private:
  /// A message that Paho has, until it says what became of it.
  struct Sent {
    Implementation* owner;
    std::uint64_t number;
    int qos;
    Sent* next = nullptr;  ///< where it is none at the moment
  };

  /// By publish() alone.
  Sent& note(std::uint64_t number, int qos) {
    if (unused_ == nullptr) {
      unused_ = given_back_.exchange(nullptr, std::memory_order_acquire);
    }
    if (unused_ == nullptr) {
      return sent_.emplace_back(Sent{this, number, qos});
    }
    Sent& sent = *std::exchange(unused_, unused_->next);
    return sent = {this, number, qos};
  }
  /// By any thread; a mutex here is a twentieth of a flood's time.
  void give_back(Sent& sent) {
    sent.next = given_back_.load(std::memory_order_relaxed);
    while (!given_back_.compare_exchange_weak(sent.next, &sent, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }

  // What Paho C calls, the last one for the same reason as in publish().

  static void delivered(void* context) {
    auto& sent = *static_cast<Sent*>(context);
    Implementation& owner = *sent.owner;
    const auto [number, qos] = std::pair(sent.number, sent.qos);
    owner.give_back(sent);
    owner.listener_.on_delivered(owner.self_, number, qos);
  }

  static void failed(void* context, std::uint16_t id, int code) {
    auto& sent = *static_cast<Sent*>(context);
    Implementation& owner = *sent.owner;
    const std::uint64_t number = sent.number;
    owner.give_back(sent);
    owner.listener_.on_failed(owner.self_, number, id, code);
  }

  static int arrived(void* context, char* topic, int topic_size, MQTTAsync_message* raw) {
    auto& owner = *static_cast<Implementation*>(context);
    // Paho gives a size only if the name has a NUL, which none may have [MQTT-1.5.3-2].
    Message message{topic_size > 0 ? std::string(topic, static_cast<std::size_t>(topic_size)) : std::string(topic),
                    std::string(static_cast<const char*>(raw->payload), static_cast<std::size_t>(raw->payloadlen)),
                    raw->qos,
                    raw->retained != 0,
                    from_paho(raw->properties),
                    static_cast<std::uint16_t>(raw->msgid),
                    {},
                    {},
                    raw->dup != 0};
    ::MQTTAsync_freeMessage(&raw);
    ::MQTTAsync_free(topic);
    const bool has_topic = owner.resolve(message);
    owner.listener_.on_arrived(owner.self_, std::move(message), has_topic);
    constexpr int is_taken = 1;
    return is_taken;
  }

  /// Paho C does not resolve the topic aliases of arriving messages [MQTT5 3.3.2.3.4]. False for one that the broker
  /// has never set.
  bool resolve(Message& message) {
    if (const auto alias = number_in(message.properties, "topic-alias")) {
      if (!message.topic.empty()) {
        aliases_[*alias] = message.topic;
      } else if (const auto known = aliases_.find(*alias); known != aliases_.end()) {
        message.topic = known->second;
      }
    }
    return !message.topic.empty();
  }

  Client& self_;
  Listener& listener_;
  const bool is_v5_;
  const std::size_t most_;
  const int number_;
  std::map<std::uint32_t, std::string> aliases_;  ///< touched by Paho's receive thread, and between connections
  std::deque<Sent> sent_;                         ///< as many as there ever were at a time;
  Sent* unused_ = nullptr;                        ///< of them none at the moment,
  std::atomic<Sent*> given_back_ = nullptr;       ///< and those that note() has not seen yet
  mqtt::async_client paho_;
};

Client::Client(Listener& listener, const std::string& client_id, const ConnectionConfig& config, std::size_t most)
    : implementation_(std::make_unique<Implementation>(*this, listener, client_id, config, most)) {}

Client::~Client() = default;

int Client::number() const { return implementation_->number(); }

bool Client::connect(const ConnectionConfig& config, bool goes_on, const std::function<bool()>& is_over) {
  mqtt::connect_options options;
  fill_in(options, config, goes_on, implementation_->most());
  try {
    const mqtt::token_ptr token = implementation_->paho().connect(options);
    while (!token->wait_for(50ms)) {
      if (is_over()) {
        return false;
      }
    }
    return true;
  } catch (const mqtt::exception&) {
    return false;
  }
}

bool Client::is_connected() const { return implementation_->paho().is_connected(); }

void Client::forget_aliases() { implementation_->forget_aliases(); }

void Client::subscribe(const std::vector<Subscription>& subscriptions, const std::vector<Property>& properties) {
  asked([&] {
    if (subscriptions.size() == 1) {
      const Subscription& one = subscriptions.front();
      const auto handling = static_cast<mqtt::subscribe_options::RetainHandling>(one.retain_handling);
      const mqtt::subscribe_options options{one.no_local, one.retain_as_published, handling};
      return implementation_->paho().subscribe(one.filter, one.qos, options, to_paho(properties));
    }
    std::vector<std::string> filters;
    mqtt::async_client::qos_collection qos;
    for (const Subscription& one : subscriptions) {
      filters.push_back(one.filter);
      qos.push_back(one.qos);
    }
    return implementation_->paho().subscribe(mqtt::string_collection::create(std::move(filters)), qos, {},
                                             to_paho(properties));
  });
}

void Client::unsubscribe(const std::vector<std::string>& filters, const std::vector<Property>& properties) {
  asked([&] {
    const auto list = mqtt::string_collection::create(filters);
    return implementation_->is_v5() ? implementation_->paho().unsubscribe(list, to_paho(properties))
                                    : implementation_->paho().unsubscribe(list);
  });
}

void Client::publish(const Message& message, std::uint64_t number) { implementation_->publish(message, number); }

bool Client::disconnect(int code, const std::vector<Property>& properties, std::chrono::milliseconds at_most) {
  mqtt::disconnect_options options{0};
  if (implementation_->is_v5()) {
    // Paho C++ 1.2.0 leaves it at 0, which is without properties and reason code.
    auto& raw = const_cast<MQTTAsync_disconnectOptions&>(options.c_struct());  // NOLINT
    raw.struct_version = 1;
    raw.reasonCode = static_cast<MQTTReasonCodes>(code);
    if (!properties.empty()) {
      options.set_properties(to_paho(properties));  // and lives until disconnect() has copied them
    }
  }
  try {
    // Never wait(): it hung for ever in 7 of 12 runs where the peer closed at that moment (Paho C 1.3.12, 1.3.14).
    return implementation_->paho().disconnect(options)->wait_for(at_most);
  } catch (const mqtt::exception&) {
    return false;  // the connection is gone
  }
}

std::string client_versions() {
  return fmt::format("Paho MQTT C++ {}.{}.{}, Paho MQTT C {} (linked in, without its debugging aids)",
                     mqtt::VERSION >> 24U, (mqtt::VERSION >> 16U) & 0xFFU, (mqtt::VERSION >> 8U) & 0xFFU,
                     paho_c_version());
}

}  // namespace sistem
