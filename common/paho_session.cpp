// The only file that knows Paho. What it must work around is said where it does, with the version that needs it.
#include <fmt/format.h>
#include <mqtt/async_client.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "common/dial.hpp"
#include "common/error.hpp"
#include "common/paho_shims.hpp"
#include "common/session.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// Messages taken and not yet acknowledged (QoS 0: written). Paho's own queue gives no back-pressure, so this is where
/// a fast source waits.
constexpr std::size_t window_size = 256;

/// How many of them may have QoS 1 or 2. Mosquitto keeps 20, and closes the connection of a client that sends many
/// more with QoS 2.
constexpr std::size_t max_inflight = 20;

/// What Paho is told: more, so that its own limit is never met. There its send thread sleeps, and no PUBACK wakes it
/// (Paho C 1.3.12: 180 messages a second instead of 20,000).
constexpr int pahos_max_inflight = 2 * max_inflight;

/// Messages that arrived and were not yet received by the tool. When it is full Paho's receive thread waits, TCP
/// pushes back, and the broker queues or drops by its own rules.
constexpr std::size_t arrivals_limit = 1000;

// What a stop may cost in all is a second.
constexpr auto flush_after_stop = 400ms;
constexpr auto disconnect_timeout = 300ms;

constexpr auto first_retry = 100ms;
constexpr auto slowest_retry = 5s;

/// One message of the window, from when it was taken until it is acknowledged.
struct Outgoing {
  mqtt::const_message_ptr message;
  bool acknowledged = false;  ///< QoS 0: written
};

std::string made_up_client_id() {
  // At most 23 letters and digits, which every broker must take [MQTT-3.1.3-5].
  return fmt::format("{}-{:06x}", program_invocation_short_name, std::random_device{}() & 0xFFFFFFU).substr(0, 23);
}

/// Why the broker refused CONNECT, or nothing where the code is none of CONNACK's [MQTT-3.2.2.3].
std::optional<std::string> refusal(int return_code) {
  switch (return_code) {
    case 1: return "it does not speak MQTT 3.1.1";
    case 2: return "it does not accept the client id";
    case 3: return "its MQTT service is not available";
    case 4: return "bad user name or password";
    case 5: return "not authorized";
    default: return std::nullopt;
  }
}

constexpr int service_unavailable = 3;  // the one refusal that time may mend

/// Waits between attempts: twice as long each time, with jitter, so that a restarted broker does not meet all its
/// clients at the same moment.
class Backoff {
 public:
  /// True where the next attempt is due; false where a stop was requested or `deadline` would be over before it.
  [[nodiscard]] bool wait(Deadline deadline, const std::stop_token& stop) {
    const std::chrono::duration<double> jittered = delay_ * std::uniform_real_distribution{0.5, 1.0}(random_);
    delay_ = std::min<std::chrono::milliseconds>(delay_ * 2, slowest_retry);
    const Deadline due = deadline_in(jittered);
    return due < deadline && sleep_until(due, stop);
  }

 private:
  std::chrono::milliseconds delay_ = first_retry;
  std::minstd_rand random_{std::random_device{}()};
};

Deadline deadline_of(const std::optional<std::chrono::duration<double>>& limit) {
  return limit ? deadline_in(*limit) : never;
}

class PahoSession;

/// Hears what became of the messages sent on one connection. Answers to an earlier connection's may come in after the
/// next one stands, and must not be taken for its own: each connection has its own listener.
class DeliveryListener final : public mqtt::iaction_listener {
 public:
  explicit DeliveryListener(PahoSession& session) : session_(session) {}
  void on_success(const mqtt::token& token) override;
  void on_failure(const mqtt::token& token) override;

 private:
  PahoSession& session_;
};

/// All state is guarded by `mutex_`, which is never held in a call into Paho: Paho calls us back under its own.
class PahoSession {
 public:
  PahoSession(const ConnectionConfig& config, const Console& console)
      : config_(config),
        console_(console),
        client_id_(config.client_id.empty() ? made_up_client_id() : config.client_id),
        where_(place(config.host, config.port)),
        // The address is given anew for each connection; here it only has to be one.
        client_("tcp://127.0.0.1:1883", client_id_, static_cast<int>(2 * window_size)) {
    client_.set_connection_lost_handler([this](const std::string&) { lost(); });
    client_.set_message_callback([this](const mqtt::const_message_ptr& message) { arrived(*message); });
  }

  void connect_first(const std::stop_token& stop) {
    const Deadline deadline = deadline_of(config_.wait_limit);
    bool told = false;
    for (Backoff backoff;;) {
      try {
        connect_once(stop);
        break;
      } catch (const Error& error) {
        if (error.status() != ExitStatus::no_broker || !config_.wait_for_broker) {
          throw;
        }
        if (!std::exchange(told, true)) {
          console_.note(fmt::format("{}; waiting for it", error.what()));
        }
        if (!backoff.wait(deadline, stop)) {
          throw;
        }
      }
    }
    const std::scoped_lock lock(mutex_);
    link_ = lost_again_ ? Link::down : Link::up;
    keeper_ = std::jthread([this](const std::stop_token& end) { keep_connected(end); });
  }

  std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop, [&] { return link_ == Link::up || end_; });
        throw_if_ended();
      }
      if (stop.stop_requested()) {
        throw Error{"stopped before anything was subscribed", ExitStatus::no_broker};
      }
      if (auto grants = subscribe_once(subscriptions, stop)) {
        const std::scoped_lock lock(mutex_);
        subscriptions_ = subscriptions;
        return std::move(*grants);
      }
    }
  }

  bool publish(Message message, const std::stop_token& stop) {
    auto outgoing =
        mqtt::make_message(std::move(message.topic), std::move(message.payload), message.qos, message.retain);
    const bool inflight = outgoing->get_qos() > 0;
    const auto has_room = [&] { return window_.size() < window_size && (!inflight || inflight_ < max_inflight); };
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return has_room() || end_; });
    throw_if_ended();
    if (!has_room()) {
      return false;
    }
    window_.push_back({std::move(outgoing)});
    inflight_ += inflight ? 1 : 0;
    if (link_ == Link::up) {
      send_unsent(lock);
    }
    return true;
  }

  std::size_t flush(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return window_.empty() || end_; };
    if (!changed_.wait(lock, stop, over) && link_ == Link::up) {
      changed_.wait_for(lock, flush_after_stop, over);
    }
    throw_if_ended();
    return window_.size();
  }

  std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, deadline, [&] { return !arrivals_.empty() || end_; });
    if (arrivals_.empty()) {
      throw_if_ended();
    }
    changed_.notify_all();
    return std::exchange(arrivals_, {});
  }

  void disconnect() {
    {
      const std::scoped_lock lock(mutex_);
      closing_ = true;  // a receive thread that waits for room must let go
      changed_.notify_all();
    }
    keeper_ = {};  // ends: nobody but us touches the connection from here on
    if (client_.is_connected()) {
      console_.debug("-> DISCONNECT");
      try {
        // Never wait(): it hung for ever in 7 of 12 runs where the peer closed at that moment (Paho C 1.3.12, 1.3.14).
        client_.disconnect(0)->wait_for(disconnect_timeout);
      } catch (const mqtt::exception&) {
        return;  // the connection is gone, which is what we wanted
      }
    }
  }

  void delivered(const DeliveryListener* listener, const mqtt::token& token) {
    const std::scoped_lock lock(mutex_);
    if (listener != listener_.get()) {
      return;
    }
    const auto sequence = reinterpret_cast<std::uintptr_t>(token.get_user_context());
    Outgoing& outgoing = window_[sequence - first_sequence_];
    outgoing.acknowledged = true;
    inflight_ -= outgoing.message->get_qos() > 0 ? 1 : 0;
    if (console_.debugging() && outgoing.message->get_qos() > 0) {
      console_.debug(fmt::format("<- {}  packet id {}", outgoing.message->get_qos() == 1 ? "PUBACK" : "PUBCOMP",
                                 token.get_message_id()));
    }
    while (!window_.empty() && window_.front().acknowledged) {
      window_.pop_front();
      ++first_sequence_;
    }
    changed_.notify_all();
  }

 private:
  /// `down` while there is no connection, and until a new one has its subscriptions and the window's messages again.
  enum class Link { down, up };

  // Called by Paho ---------------------------------------------------------------------------------------------

  void lost() {
    const std::scoped_lock lock(mutex_);
    lost_again_ = true;
    link_ = Link::down;
    changed_.notify_all();
  }

  void arrived(const mqtt::message& message) {
    if (console_.debugging()) {
      console_.debug(fmt::format("<- PUBLISH  {}", description(message)));
    }
    Message arrival{message.get_topic(), message.get_payload_str(), message.get_qos(), message.is_retained()};
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrivals_.size() < arrivals_limit || closing_; });
    arrivals_.push_back(std::move(arrival));
    changed_.notify_all();
  }

  // Connecting -------------------------------------------------------------------------------------------------

  /// Waits for the answer to a packet; false where none came in time or a stop was requested.
  static bool answered(const mqtt::token_ptr& token, Deadline deadline, const std::stop_token& stop) {
    while (!token->wait_for(50ms)) {
      if (stop.stop_requested() || std::chrono::steady_clock::now() >= deadline) {
        return false;
      }
    }
    return true;
  }

  void connect_once(const std::stop_token& stop) {
    Dialed dialed = dial(config_.host, config_.port, config_.connect_timeout, stop);
    const std::string address = place(dialed.address, config_.port);
    console_.debug(fmt::format("-> CONNECT  to {} ({}), MQTT 3.1.1, client id {}, clean session, keep alive {} s",
                               where_, address, client_id_, config_.keep_alive.count()));
    {
      const std::scoped_lock lock(mutex_);
      lost_again_ = false;
      listener_ = std::make_shared<DeliveryListener>(*this);
      listeners_.push_back(listener_);
      next_to_send_ = first_sequence_;
    }
    // A version, and not Paho's default of trying 3.1 after 3.1.1, which would connect twice.
    const auto options = mqtt::connect_options_builder()
                             .servers(mqtt::string_collection::create("tcp://" + address))
                             .mqtt_version(MQTTVERSION_3_1_1)
                             .clean_session(true)
                             .keep_alive_interval(config_.keep_alive)
                             .connect_timeout(config_.connect_timeout)
                             .max_inflight(pahos_max_inflight)
                             .finalize();
    paho_shims::hand_over(std::move(dialed.socket));
    try {
      // A second more than Paho's own limit, which leaves its client in order.
      const mqtt::token_ptr token = client_.connect(options);
      if (!answered(token, deadline_in(config_.connect_timeout + 1s), stop)) {
        throw no_answer(stop);
      }
    } catch (const mqtt::exception& error) {
      paho_shims::take_back();
      const int code = error.get_return_code();
      if (const auto why = refusal(code)) {
        throw Error{fmt::format("the broker at {} refused the connection: {} (CONNACK code {})", where_, *why, code),
                    code == service_unavailable ? ExitStatus::no_broker : ExitStatus::broker_refused};
      }
      throw no_answer(stop);
    }
    console_.debug("<- CONNACK  code 0, accepted");
  }

  [[nodiscard]] Error no_answer(const std::stop_token& stop) const {
    return Error{fmt::format("no broker at {}: it accepted the TCP connection, but {}", where_,
                             stop.stop_requested() ? "the run was stopped before it answered CONNECT"
                                                   : "closed it or did not answer CONNECT: is it an MQTT broker?"),
                 ExitStatus::no_broker};
  }

  /// Nothing where the connection was lost on the way. Throws Error where the broker does not answer.
  std::optional<std::vector<Grant>> subscribe_once(const std::vector<Subscription>& subscriptions,
                                                   const std::stop_token& stop) {
    std::vector<std::string> filters;
    mqtt::async_client::qos_collection qos;
    for (const Subscription& subscription : subscriptions) {
      filters.push_back(subscription.filter);
      qos.push_back(subscription.qos);
      console_.debug(fmt::format("-> SUBSCRIBE  {}  QoS {}", subscription.filter, subscription.qos));
    }
    std::vector<Grant> grants;
    try {
      const auto token = client_.subscribe(mqtt::string_collection::create(std::move(filters)), qos);
      if (!answered(token, deadline_in(config_.connect_timeout), stop)) {
        throw Error{fmt::format("the broker at {} did not answer SUBSCRIBE", where_), ExitStatus::no_broker};
      }
      const mqtt::subscribe_response response = token->get_subscribe_response();
      for (const mqtt::ReasonCode code : response.get_reason_codes()) {
        grants.push_back({subscriptions[grants.size()].filter, granted_qos(static_cast<int>(code))});
      }
    } catch (const mqtt::exception& error) {
      constexpr int suback_failure = 0x80;  // of a packet with one filter, Paho makes an exception
      if (error.get_return_code() != suback_failure) {
        return std::nullopt;
      }
      grants.push_back({subscriptions.front().filter, std::nullopt});
    }
    for (const Grant& grant : grants) {
      console_.debug(fmt::format("<- SUBACK  {}  {}", grant.filter,
                                 grant.qos ? fmt::format("QoS {} granted", *grant.qos) : "refused (0x80)"));
    }
    return grants;
  }

  static std::optional<int> granted_qos(int code) { return code <= 2 ? std::optional(code) : std::nullopt; }

  // Staying connected ------------------------------------------------------------------------------------------

  void keep_connected(const std::stop_token& stop) {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [&] { return link_ == Link::down; })) {
          return;
        }
      }
      console_.note(fmt::format("lost the connection to the broker at {}; trying to regain it", where_));
      try {
        if (!regain(stop)) {
          return;
        }
      } catch (const Error& error) {
        const std::scoped_lock lock(mutex_);
        end_ = error;
        changed_.notify_all();
        return;
      }
    }
  }

  /// Connects again, renews the subscriptions and sends what is unacknowledged. False where a stop was requested.
  bool regain(const std::stop_token& stop) {
    const Deadline deadline = deadline_of(config_.reconnect_limit);
    for (Backoff backoff;;) {
      try {
        connect_once(stop);
        if (renew_subscriptions(stop) && resume()) {
          console_.note(fmt::format("connected again to the broker at {}", where_));
          return true;
        }
      } catch (const Error& error) {
        if (error.status() != ExitStatus::no_broker) {
          throw;
        }
        console_.debug(error.what());
      }
      if (!backoff.wait(deadline, stop)) {
        if (stop.stop_requested()) {
          return false;
        }
        throw Error{fmt::format("the connection to the broker at {} was lost and not regained in {} s", where_,
                                config_.reconnect_limit->count()),
                    ExitStatus::no_broker};
      }
    }
  }

  /// A clean session knows nothing of the subscriptions of the one before [MQTT-3.1.2-6]. False: lost again.
  bool renew_subscriptions(const std::stop_token& stop) {
    std::vector<Subscription> subscriptions;
    {
      const std::scoped_lock lock(mutex_);
      subscriptions = subscriptions_;
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
        console_.note(fmt::format("the broker refuses the subscription to {} now", grant.filter));
      }
    }
    if (std::none_of(grants->begin(), grants->end(), [](const Grant& grant) { return grant.qos.has_value(); })) {
      throw Error{"no subscription is left", ExitStatus::topic_refused};
    }
    return true;
  }

  /// Sends what the last connection took with it, in order, and opens the link to new messages. False: lost again.
  bool resume() {
    std::unique_lock lock(mutex_);
    send_unsent(lock);
    if (lost_again_) {
      return false;
    }
    link_ = Link::up;
    changed_.notify_all();
    return true;
  }

  /// Hands all unsent messages to Paho in order. The lock is open during each call into Paho; should the connection
  /// be lost and regained in just that moment, that one message goes out twice, which QoS 1 allows and nothing else
  /// here can prevent.
  void send_unsent(std::unique_lock<std::mutex>& lock) {
    while (next_to_send_ < first_sequence_ + window_.size()) {
      const std::uintptr_t sequence = next_to_send_++;
      const Outgoing& outgoing = window_[sequence - first_sequence_];
      if (outgoing.acknowledged) {
        continue;
      }
      const auto message = outgoing.message;
      const auto listener = listener_;
      lock.unlock();
      if (console_.debugging()) {
        console_.debug(fmt::format("-> PUBLISH  {}", description(*message)));
      }
      try {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the context is Paho's to carry, never to follow
        client_.publish(message, reinterpret_cast<void*>(sequence), *listener);
      } catch (const mqtt::exception& error) {
        if (error.get_return_code() != MQTTASYNC_DISCONNECTED) {
          throw Error{fmt::format("cannot publish to {}: {}", message->get_topic(), error.what())};
        }
        // The connection has just gone: lost() is on its way, and then the message will be sent again.
      }
      lock.lock();
    }
  }

  static std::string description(const mqtt::message& message) {
    return fmt::format("{}  QoS {}, {}{} bytes", message.get_topic(), message.get_qos(),
                       message.is_retained() ? "retained, " : "", message.get_payload().size());
  }

  void throw_if_ended() const {
    if (end_) {
      throw Error{*end_};
    }
  }

  const ConnectionConfig config_;
  const Console console_;
  const std::string client_id_;
  const std::string where_;
  mqtt::async_client client_;

  std::mutex mutex_;
  std::condition_variable_any changed_;  ///< of anything below
  Link link_ = Link::down;
  bool lost_again_ = false;  ///< since the last connect_once()
  bool closing_ = false;
  std::optional<Error> end_;  ///< why there is no connection any more and will be none

  std::deque<Outgoing> window_;
  std::size_t inflight_ = 0;           ///< how many of the window have QoS 1 or 2 and are unacknowledged
  std::uintptr_t first_sequence_ = 0;  ///< the number of window_.front(); numbers only grow
  std::uintptr_t next_to_send_ = 0;    ///< the number of the first message that Paho does not have yet
  std::shared_ptr<DeliveryListener> listener_;
  std::vector<std::shared_ptr<DeliveryListener>> listeners_;  ///< all of them: Paho keeps plain references

  std::vector<Subscription> subscriptions_;
  std::vector<Message> arrivals_;

  std::jthread keeper_;
};

void DeliveryListener::on_success(const mqtt::token& token) { session_.delivered(this, token); }

void DeliveryListener::on_failure(const mqtt::token& /*token*/) {
  // In MQTT 3.1.1 a message fails only because its connection was lost: it goes out again on the next one.
}

/// What the tools hold. Paho's threads may call back until the process ends, and its client takes 0.1 to 1 s to
/// destroy: so the session proper is left behind, disconnected.
class SessionHandle final : public Session {
 public:
  explicit SessionHandle(PahoSession* session) : session_(session) {}
  SessionHandle(const SessionHandle&) = delete;
  SessionHandle& operator=(const SessionHandle&) = delete;
  ~SessionHandle() override { disconnect(); }

  std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) override {
    return session_->subscribe(subscriptions, stop);
  }
  bool publish(Message message, const std::stop_token& stop) override {
    return session_->publish(std::move(message), stop);
  }
  std::size_t flush(const std::stop_token& stop) override { return session_->flush(stop); }
  std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) override {
    return session_->receive(deadline, stop);
  }
  void disconnect() override {
    if (!std::exchange(disconnected_, true)) {
      session_->disconnect();
    }
  }

 private:
  PahoSession* session_;
  bool disconnected_ = false;
};

}  // namespace

std::unique_ptr<Session> open_session(const ConnectionConfig& config, const Console& console,
                                      const std::stop_token& stop) {
  // Paho C 1.3.12 obeys these even for plain MQTT to localhost.
  for (const char* variable : {"http_proxy", "https_proxy"}) {
    ::unsetenv(variable);
  }
  auto* session = new PahoSession(config, console);
  auto handle = std::make_unique<SessionHandle>(session);
  session->connect_first(stop);
  return handle;
}

std::string library_versions() {
  std::string c_version = "?";
  for (const MQTTAsync_nameValue* value = MQTTAsync_getVersionInfo(); value->name != nullptr; ++value) {
    if (std::string_view(value->name) == "Version") {
      c_version = value->value;
    }
  }
  return fmt::format("Paho MQTT C++ {}.{}.{}, Paho MQTT C {}", mqtt::VERSION >> 24U, (mqtt::VERSION >> 16U) & 0xFFU,
                     (mqtt::VERSION >> 8U) & 0xFFU, c_version);
}

}  // namespace sistem
