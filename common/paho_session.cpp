// The only file that knows Paho. What it must work around is said where it does, with the version that needs it.
#include <fmt/format.h>
#include <mqtt/async_client.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "common/dial.hpp"
#include "common/error.hpp"
#include "common/paho_shims.hpp"
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

/// How many of them may have QoS 1 or 2. Mosquitto keeps 20, and closes the connection of a client that sends many
/// more with QoS 2.
constexpr std::size_t max_inflight = 20;

/// What Paho is told: more, so that its own limits are never met. At the first its send thread sleeps, and no PUBACK
/// wakes it (Paho C 1.3.12: 180 messages a second instead of 20,000); at the second it refuses messages.
constexpr int pahos_max_inflight = 2 * max_inflight;
constexpr int pahos_buffer = 2 * window_size;

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

/// Attempts to connect, until a limit of time: each wait is twice as long as the one before, with jitter, so that a
/// restarted broker does not meet all its clients at the same moment.
class Retry {
 public:
  explicit Retry(const std::optional<std::chrono::duration<double>>& limit)
      : deadline_(limit ? deadline_in(*limit) : never) {}

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
  return fmt::format("{}  QoS {}, {}{} bytes", message.get_topic(), message.get_qos(),
                     message.is_retained() ? "retained, " : "", message.get_payload().size());
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

class PahoSession;

/// One connection: a Paho client of its own, because one that is used again first sends what it had not sent on the
/// connection before (Paho C 1.3.12), behind our back and out of order. Its callbacks say whose they are, and die with
/// it.
class Connection final : public mqtt::iaction_listener {
 public:
  Connection(PahoSession& session, const std::string& uri, const std::string& client_id);

  mqtt::async_client& client() { return client_; }

 private:
  void on_success(const mqtt::token& token) override;
  void on_failure(const mqtt::token& token) override;

  PahoSession& session_;
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
        dialer_(config) {}

  void connect_first(const std::stop_token& stop) {
    Retry retry{config_.wait_for_broker ? config_.wait_limit : std::nullopt};
    for (bool told = false;; told = true) {
      try {
        connect_once(retry.deadline(), stop);
        break;
      } catch (const Error& error) {
        if (error.status() != ExitStatus::no_broker || !config_.wait_for_broker) {
          throw;
        }
        if (!told) {
          console_.note(fmt::format("{}; waiting for it", error.what()));
        }
        if (!retry.wait(stop)) {
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
      subscriptions_ = subscriptions;  // before they are sent: a connection lost on the way is regained with them
    }
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
        return std::move(*grants);
      }
    }
  }

  void unsubscribe(const std::vector<std::string>& /*filters*/, const std::stop_token& /*stop*/) override {
    throw Error{"not yet"};
  }

  bool publish(Message message, const std::stop_token& stop) override {
    const int qos = message.qos;
    auto outgoing = mqtt::make_message(std::move(message.topic), std::move(message.payload), qos, message.retain);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return window_.has_room(qos) || end_; });
      throw_if_ended();
      if (!window_.has_room(qos)) {
        return false;
      }
      window_.take(std::move(outgoing), qos);
      if (link_ != Link::up) {
        return true;  // the keeper will send it
      }
    }
    send_all();
    return true;
  }

  std::size_t flush(const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return window_.unacknowledged() == 0 || end_; };
    if (!changed_.wait(lock, stop, over) && link_ == Link::up) {
      changed_.wait_for(lock, flush_after_stop, over);
    }
    throw_if_ended();
    return window_.unacknowledged();
  }

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
    drop_connection();
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
    if (connection != connection_.get()) {
      return;
    }
    window_.acknowledge(reinterpret_cast<std::uintptr_t>(token.get_user_context()));
    paho_shims::hurry_for_messages(window_.unacknowledged() > 0);
    if (window_.unacknowledged() <= wake_publisher_at) {
      changed_.notify_all();
    }
  }

  void arrived(const mqtt::message& message) {
    if (console_.debugging()) {
      console_.debug(fmt::format("<- PUBLISH  {}", description(message)));
    }
    Message arrival{message.get_topic(), message.get_payload_str(), message.get_qos(), message.is_retained()};
    const auto has_room = [&] {
      // A broker may send messages before the SUBACK that somebody waits for behind them [MQTT-3.8.4].
      return (arrivals_.size() < arrivals_limit && arrivals_bytes_ < arrivals_bytes_limit) || subscribing_ || closing_;
    };
    std::unique_lock lock(mutex_);
    changed_.wait(lock, has_room);
    arrivals_bytes_ += arrival.payload.size();
    arrivals_.push_back(std::move(arrival));
    changed_.notify_all();
  }

 private:
  /// `resuming`: connected again, and the window's messages go out before any new one.
  enum class Link { down, resuming, up };

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

  /// Dials, sends CONNECT and waits for CONNACK. Throws Error.
  void connect_once(Deadline limit, const std::stop_token& stop) {
    Dialed dialed = dialer_.dial(std::min(limit, deadline_in(config_.connect_timeout)), stop);
    const std::string uri = pahos_uri(config_, dialed);
    console_.debug(fmt::format("-> CONNECT  to {} ({}), MQTT 3.1.1, client id {}, clean session, keep alive {} s",
                               where_, description(dialed), client_id_, config_.keep_alive.count()));
    // The old client goes when the new one is there: with its last client Paho would stop its threads, which takes
    // long.
    auto connection = std::make_shared<Connection>(*this, uri, client_id_);
    {
      // Whoever was sending on the connection before has noticed, and has let go, when these locks are ours.
      const std::scoped_lock lock(sending_, mutex_);
      lost_ = false;
      window_.send_again();
      std::swap(connection_, connection);
    }
    connection.reset();
    // A version, and not Paho's default of trying 3.1 after 3.1.1, which would connect twice.
    auto options = mqtt::connect_options_builder()
                       .mqtt_version(MQTTVERSION_3_1_1)
                       .clean_session(true)
                       .keep_alive_interval(config_.keep_alive)
                       .connect_timeout(config_.connect_timeout)
                       .max_inflight(pahos_max_inflight)
                       .finalize();
    if (dialed.tls) {
      options.set_ssl(mqtt::ssl_options{});  // Paho wants some; ours are in force already
    }
    tls_findings_ = dialed.tls ? dialed.tls->findings : nullptr;
    const paho_shims::Handover handover{std::move(dialed), config_.websocket ? config_.host : ""};
    const paho_shims::Hurry hurry;
    try {
      // A second more than Paho's own limit, which leaves its client in order.
      const mqtt::token_ptr token = connection_->client().connect(options);
      if (!answered(token, std::min(limit, deadline_in(config_.connect_timeout + 1s)), stop)) {
        throw no_answer(stop);
      }
    } catch (const mqtt::exception& error) {
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
    if (const auto why = broken_off(tls_findings_)) {
      return Error{fmt::format("no broker at {}: {}", where_, *why), ExitStatus::no_broker};
    }
    return Error{fmt::format("no broker at {}: it accepted the TCP connection, but {}", where_,
                             stop.stop_requested() ? "the run was stopped before it answered CONNECT"
                                                   : "closed it or did not answer CONNECT: is it an MQTT broker?"),
                 ExitStatus::no_broker};
  }

  /// Sends SUBSCRIBE and waits for SUBACK. Nothing where the connection was lost on the way. Throws Error where the
  /// broker does not answer, or not to what it was asked.
  std::optional<std::vector<Grant>> subscribe_once(const std::vector<Subscription>& subscriptions,
                                                   const std::stop_token& stop) {
    std::vector<std::string> filters;
    mqtt::async_client::qos_collection qos;
    for (const Subscription& subscription : subscriptions) {
      filters.push_back(subscription.filter);
      qos.push_back(subscription.qos);
      console_.debug(fmt::format("-> SUBSCRIBE  {}  QoS {}", subscription.filter, subscription.qos));
    }
    std::vector<int> codes;
    try {
      const AwaitingSuback awaiting{*this};
      const paho_shims::Hurry hurry;
      const auto connection = current_connection();  // kept: one that is destroyed never answers its tokens
      const auto token = connection->client().subscribe(mqtt::string_collection::create(std::move(filters)), qos);
      if (!answered(token, deadline_in(config_.connect_timeout), stop)) {
        throw Error{fmt::format("the broker at {} did not answer SUBSCRIBE", where_), ExitStatus::no_broker};
      }
      const mqtt::subscribe_response response = token->get_subscribe_response();
      for (const mqtt::ReasonCode code : response.get_reason_codes()) {
        codes.push_back(static_cast<int>(code));
      }
    } catch (const mqtt::exception& error) {
      if (error.get_return_code() != suback_failure) {
        return std::nullopt;
      }
      codes = {suback_failure};  // of a packet with one filter, Paho makes an exception
    }
    if (codes.size() != subscriptions.size()) {
      throw Error{fmt::format("the broker at {} answered SUBSCRIBE with {} codes for {} filters", where_, codes.size(),
                              subscriptions.size())};
    }
    std::vector<Grant> grants;
    for (std::size_t at = 0; at < codes.size(); ++at) {
      const Grant& grant = grants.emplace_back(
          Grant{subscriptions[at].filter, codes[at] <= 2 ? std::optional(codes[at]) : std::nullopt});
      console_.debug(fmt::format("<- SUBACK  {}  {}", grant.filter,
                                 grant.qos ? fmt::format("QoS {} granted", *grant.qos) : "refused (0x80)"));
    }
    return grants;
  }

  /// While one lives, arrivals have no limit: the SUBACK that somebody waits for may stand behind them.
  class AwaitingSuback {
   public:
    explicit AwaitingSuback(PahoSession& session) : session_(session) { set(true); }
    AwaitingSuback(const AwaitingSuback&) = delete;
    AwaitingSuback& operator=(const AwaitingSuback&) = delete;
    ~AwaitingSuback() { set(false); }

   private:
    void set(bool awaiting) {
      const std::scoped_lock lock(session_.mutex_);
      session_.subscribing_ = awaiting;
      session_.changed_.notify_all();
    }
    PahoSession& session_;
  };

  [[nodiscard]] std::shared_ptr<Connection> current_connection() const {
    const std::scoped_lock lock(mutex_);
    return connection_;
  }

  /// Sends DISCONNECT where there is a connection.
  void drop_connection() {
    if (!connection_ || !connection_->client().is_connected()) {
      return;
    }
    console_.debug("-> DISCONNECT");
    const paho_shims::Hurry hurry;
    try {
      // Never wait(): it hung for ever in 7 of 12 runs where the peer closed at that moment (Paho C 1.3.12, 1.3.14).
      connection_->client().disconnect(0)->wait_for(disconnect_timeout);
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

  /// Sends what the last connection took with it, then opens the link to new messages. False: lost again.
  bool resume() {
    {
      const std::scoped_lock lock(mutex_);
      link_ = lost_ ? Link::down : Link::resuming;
    }
    while (true) {
      send_all();
      const std::scoped_lock lock(mutex_);
      if (link_ == Link::down) {
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

  static constexpr int suback_failure = 0x80;  // [MQTT-3.9.3]

  const ConnectionConfig config_;
  const Console console_;
  const std::string client_id_;
  const std::string where_;
  const Dialer dialer_;

  std::mutex sending_;  ///< held by whoever hands messages to Paho; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  ///< of anything below
  Link link_ = Link::down;
  bool lost_ = false;         ///< that is, the connection that connect_once() made last
  bool subscribing_ = false;  ///< somebody waits for a SUBACK
  bool closing_ = false;
  std::optional<Error> end_;  ///< why there is no connection any more and will be none

  Window<mqtt::const_message_ptr> window_{window_size, max_inflight};
  std::shared_ptr<Connection> connection_;  ///< the one that connect_once() made last; replaced by the keeper only

  std::shared_ptr<const TlsFindings> tls_findings_;  ///< of the last connection, where it speaks TLS

  std::vector<Subscription> subscriptions_;
  std::vector<Message> arrivals_;
  std::size_t arrivals_bytes_ = 0;

  std::jthread keeper_;
};

Connection::Connection(PahoSession& session, const std::string& uri, const std::string& client_id)
    : session_(session),
      client_(uri, client_id,
              mqtt::create_options_builder()
                  .send_while_disconnected(false)
                  .max_buffered_messages(pahos_buffer)
                  .finalize()) {
  client_.set_connection_lost_handler([this](const std::string&) { session_.lost(this); });
  client_.set_message_callback([this](const mqtt::const_message_ptr& message) { session_.arrived(*message); });
}

void Connection::on_success(const mqtt::token& token) { session_.delivered(this, token); }

void Connection::on_failure(const mqtt::token& /*token*/) {
  // In MQTT 3.1.1 a message fails only with its connection, and then all of the window is sent again on the next one.
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
