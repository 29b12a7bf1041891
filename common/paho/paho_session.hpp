#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/paho/client.hpp"
#include "common/paho/connection.hpp"
#include "common/paho/inbox.hpp"
#include "common/paho/keeper.hpp"
#include "common/paho/lifecycle.hpp"
#include "common/paho/losses.hpp"
#include "common/paho/outbox.hpp"
#include "common/paho/request.hpp"
#include "common/paho/subscriptions.hpp"
#include "common/paho/wire.hpp"
#include "common/paho/wires.hpp"
#include "common/process/condition.hpp"
#include "common/process/console.hpp"
#include "common/process/mutex.hpp"
#include "common/session.hpp"

namespace sistem {

/// Session by Paho. Its verbs are in session.cpp, publishing.cpp and subscribing.cpp, what wire and client tell it in
/// listening.cpp, and connecting and regaining in connecting.cpp.
///
/// Locks, in this order: `asking_`, `sending_`, `limiting_`, Paho's own, the wire's, `mutex_`. Outbox, Inbox, Request,
/// Subscriptions, Losses and what changes of Connection are touched with `mutex_` held; Wire, Client and Console are
/// called without it, since they call back: the client with Paho's lock, the wire with its own. The Mutexes check their
/// order in builds for debugging.
class PahoSession final : public Session, private Client::Listener {
 public:
  PahoSession(const ConnectionConfig& config, const Console& console, const Intake& intake);

  /// The first connection. Throws Error.
  void connect(const std::stop_token& stop);

  std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) override;
  void unsubscribe(const std::vector<std::string>& filters, const std::stop_token& stop) override;
  bool wait_for_room(int qos, const std::stop_token& stop) override;
  bool publish(Message message, const std::stop_token& stop, Next next) override;
  std::size_t flush(const std::stop_token& stop, Deadline deadline) override;
  void record_deliveries(std::shared_ptr<Deliveries> deliveries, OnRefusal on_refusal) override;
  void take_at_most(std::optional<std::size_t> messages) override;
  std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) override;
  void acknowledge() override;
  void interrupt() override;
  [[nodiscard]] std::size_t waiting() const override;
  [[nodiscard]] std::size_t dropped() const override;
  [[nodiscard]] std::string broker() const override { return routes_.tried.load()->where; }
  [[nodiscard]] std::string client_id() const override { return identity_.client_id; }
  [[nodiscard]] bool connected() const override;
  [[nodiscard]] std::uint64_t connections() const override;
  void take_no_more() override;
  [[nodiscard]] std::optional<Error> fault() const override;
  void disconnect() override;

 private:
  using Phase = Lifecycle::Phase;

  /// A broker that closes connections whatever is sent on them does it within this time: a packet is suspected of a
  /// loss only if the connection has held without it.
  static constexpr std::chrono::milliseconds quiet_time{250};

  struct Identity {
    std::string client_id;
    bool keeps_session;
    Admits admits;
    bool acknowledges_when_told;
  };

  /// Touched by whoever connects: the caller of connect(), then the keeper.
  struct Connector {
    bool was_connected = false;
    bool forgotten = false;                ///< the broker has not kept the session that it should have
    std::set<std::uint16_t> carried = {};  ///< what the client has under way when it connects again
  };

  /// What callers wait for; with `mutex_`.
  struct Waits {
    const Deadline answer_by;  ///< of the first connection and what is subscribed on it
    int for_answers = 0;       ///< so many wait for what may stand behind arrivals
    bool is_interrupted = false;
    bool takes_no_more = false;
    bool is_disconnected = false;
    std::size_t untold = 0;  ///< arrivals and acknowledgements since `changed_` was told
  };

  /// While one lives, everything that arrives is read: the answer that somebody waits for (SUBACK, PUBACK) may stand
  /// behind it. Not to be made or destroyed with `mutex_` held.
  class AwaitingAnswer;
  /// While one lives the outbox changes; at its end whoever waits for that is woken, if so many messages were settled
  /// since the last time. With `mutex_` held from before to after it.
  class OutboxChange;
  /// While one lives, Paho's threads know that somebody waits for an answer.
  class Hurry;

  // connecting.cpp
  void connect_once(Deadline limit, const std::stop_token& stop);
  void connect_to(const Route& route, Deadline limit, const std::stop_token& stop);
  std::shared_ptr<Client> client_for_next();
  std::shared_ptr<Connection> install(const Route& route, std::shared_ptr<Client> client, Channel channel);
  void accept(Connection& connection);
  bool drop_connection(int code = 0, const std::vector<Property>& properties = {});
  [[nodiscard]] Keeper::Tasks tasks();
  bool wait_for_loss(const std::stop_token& stop);
  [[nodiscard]] Keeper::Life life() const;
  Keeper::Told explain_loss(const std::stop_token& stop);
  bool examine_loss();
  void convict(Suspicion::Suspect suspect, bool is_alone);
  Keeper::Attempt regain(Deadline limit, const std::stop_token& stop);
  bool renew_subscriptions(const std::stop_token& stop);
  bool resume(const std::stop_token& stop);
  void end(const Error& error);

  // listening.cpp
  void on_lost(const Client& client) override;
  void on_delivered(const Client& client, std::uint64_t number, int qos) override;
  void on_failed(const Client& client, std::uint64_t number, std::uint16_t id, int code) override;
  void on_arrived(const Client& client, Message message, bool has_topic) override;
  [[nodiscard]] Wire::Observer observer_of(std::uint64_t connection);
  [[nodiscard]] std::function<Resend(std::uint16_t)> resends_of(std::uint64_t connection);
  [[nodiscard]] bool wants(Wire::Way way, std::uint8_t first_byte, std::size_t size) const;
  void on_packet(std::uint64_t connection, Wire::Way way, std::string_view bytes);
  void on_sent(std::uint64_t connection, const Packet& packet);
  [[nodiscard]] std::optional<std::string> on_received(std::uint64_t connection, const Packet& packet);
  [[nodiscard]] std::optional<std::string> on_dismissal(Connection& connection, const Packet& disconnect);
  void on_idle();
  void lose(Connection& connection);
  void tell_of_outbox(std::uint64_t settled_before, std::size_t tell_at);
  void report_refusals();

  // publishing.cpp, subscribing.cpp, session.cpp
  [[nodiscard]] bool has_room(Lock& lock, int qos, const std::stop_token& stop);
  void send_all(Lock lock, Deadline now);
  template <typename Once>
  typename std::invoke_result_t<Once>::value_type on_connection(const char* what, const std::stop_token& stop,
                                                                Once once);
  [[nodiscard]] std::optional<std::vector<Grant>> subscribe_once(const std::vector<Subscription>& subscriptions,
                                                                 const std::stop_token& stop, Deadline by = never);
  [[nodiscard]] std::optional<Packet> unsubscribe_once(const std::vector<std::string>& filters,
                                                       const std::stop_token& stop);
  [[nodiscard]] std::optional<Packet> answer_to(PacketType type, const std::vector<std::string>& filters, Deadline by,
                                                const std::stop_token& stop, const std::function<void(Client&)>& send);
  void throw_if_too_large(PacketType type, std::size_t filters, const std::vector<Property>& properties,
                          const BrokerLimits& limits) const;
  [[nodiscard]] std::vector<Property> properties_of(PropertyPlace place) const;
  template <typename Predicate>
  void wait_for_acknowledgements(Lock& lock, const std::stop_token& stop, Deadline deadline, Predicate holds);
  [[nodiscard]] bool holds_quietly(Lock& lock, Deadline deadline, const std::stop_token& stop);
  [[nodiscard]] Deadline moment() const;
  [[nodiscard]] Deadline overdue_at() const;
  [[nodiscard]] bool is_overdue() const;
  void throw_if_overdue(const std::stop_token& stop) const;
  void throw_if_ended() const;
  void throw_if_refused();
  void throw_if_late(const std::stop_token& stop) const;
  [[nodiscard]] Error late() const;

  [[nodiscard]] bool is_v5() const { return config_.version == ProtocolVersion::v5; }
  [[nodiscard]] bool is_current(std::uint64_t connection) const {
    return connection_ && connection_->number == connection;
  }
  [[nodiscard]] bool is_current(const Client& client) const {
    return connection_ && connection_->client.get() == &client;
  }
  /// Of the connection, for calls without the lock; null before the first. Who keeps the connection itself may be the
  /// last to let it go, and its client takes long to end.
  [[nodiscard]] std::shared_ptr<Wire> wire() const { return connection_ ? connection_->wire : nullptr; }
  [[nodiscard]] bool is_lost() const { return connection_ && connection_->is_lost; }

  const ConnectionConfig config_;
  const Console console_;
  const Identity identity_;
  Routes routes_;
  const std::shared_ptr<Urgency> urgency_ = std::make_shared<Urgency>();

  Mutex asking_;                    ///< held by whoever waits for SUBACK or UNSUBACK
  Mutex sending_;                   ///< held by whoever hands messages to the client, and by whoever replaces it
  Mutex limiting_{limiting_place};  ///< held by whoever tells the wire that somebody waits for an answer, or nobody
  mutable Mutex mutex_;
  Condition changed_;  ///< of anything below, for whoever calls
  Condition down_;     ///< of the phase, for the keeper: not to be woken by each message

  Lifecycle lifecycle_;
  std::optional<Error> fault_;  ///< what fault() gives
  std::shared_ptr<Connection> connection_;
  Connector connector_;
  Losses losses_;
  Outbox outbox_;
  Inbox inbox_;
  Request request_;
  Subscriptions subscriptions_;
  Waits waits_;
  Keeper keeper_;
};

}  // namespace sistem
