// How a session connects, and what its keeper does.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "common/mqtt/refusal.hpp"
#include "common/paho/paho_session.hpp"
#include "common/paho/receive_thread.hpp"
#include "common/paho/session_scopes.hpp"
#include "common/tricks.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

constexpr auto disconnect_timeout = 300ms;

/// A loss is told after that, if the run has not ended by then: often the two have one cause.
constexpr std::chrono::duration<double> time_to_end = 20ms;

}  // namespace

// Connecting ------------------------------------------------------------------------------------------------------

void PahoSession::connect(const std::stop_token& stop) {
  Retry retry{config_.wait_for_broker ? config_.wait_limit : std::nullopt, config_.reconnect_max_delay};
  for (bool told = false;; told = true) {
    try {
      connect_once(std::min(retry.attempt_limit(), waits_.answer_by), stop);
      break;
    } catch (const Error& error) {
      throw_if_late(stop);
      if (error.status() != ExitStatus::no_broker || !config_.wait_for_broker) {
        throw;
      }
      if (!told) {
        console_.note(fmt::format("{}; waiting for it", error.what()));
      }
      if (!retry.wait(stop, waits_.answer_by)) {
        throw_if_late(stop);
        throw;
      }
    }
  }
  const Lock lock(mutex_);
  keeper_.allow();
  if (lifecycle_.is(Phase::connecting)) {
    lifecycle_.enter(Phase::up);
  }
  if (is_lost() || connection_->pings) {
    keeper_.start();
  }
}

/// Tries each of the brokers, in their order. Throws Error: that of the only one, or what was wrong with all.
void PahoSession::connect_once(Deadline limit, const std::stop_token& stop) {
  std::string failures;
  const auto& routes = routes_.all;
  for (std::size_t at = 0; at < routes.size(); ++at) {
    try {
      const auto now = std::chrono::steady_clock::now();
      const auto untried = static_cast<std::ptrdiff_t>(routes.size() - at);
      connect_to(routes[at], limit == never ? never : now + (limit - now) / untried, stop);
      return;
    } catch (const Error& error) {
      if (error.status() != ExitStatus::no_broker || stop.stop_requested() || at + 1 == routes.size()) {
        throw Error{failures + error.what(), error.status()};
      }
      failures += fmt::format("{}; ", error.what());
    }
    drop_connection();  // a half-made one would stand in the way of the next
  }
}

/// Dials, sends CONNECT and waits for CONNACK. Throws Error.
void PahoSession::connect_to(const Route& route, Deadline limit, const std::stop_token& stop) {
  routes_.tried = &route;
  Dialed dialed = route.dialer.dial(std::min(limit, deadline_in(config_.connect_timeout)), stop);
  console_.debug(fmt::format("connecting to {} ({})", route.where, dialed.way));
  const auto connection = install(route, client_for_next(), std::move(dialed.channel));
  wires().offer(connection->client->number(), connection->wire, urgency_);
  const Hurry hurry{*this};
  // A second more than Paho's own limit, which leaves its client in order.
  const Deadline deadline = std::min(limit, deadline_in(config_.connect_timeout + 1s));
  const bool goes_on = connector_.was_connected && identity_.keeps_session;
  const bool is_answered = receive_thread::is_ready() && connection->client->connect(config_, goes_on, [&] {
    const Lock lock(mutex_);
    return stop.stop_requested() || std::chrono::steady_clock::now() >= deadline || connection->is_lost;
  });
  wires().offer(connection->client->number(), nullptr, nullptr);
  if (!is_answered) {
    Lock lock(mutex_);
    const auto connack = connection->connack;
    const bool is_lost = connection->is_lost;
    lock.unlock();
    throw no_answer(*connection, connack, is_lost, config_, stop.stop_requested());
  }
  accept(*connection);
  connector_.was_connected = true;
}

/// Each connection has a client of its own, because one that is used again first sends what it had not sent on the
/// connection before (Paho C 1.3.12), behind our back and out of order. Not so in a session that the broker keeps:
/// there the client, which knows the packet ids, sends again what is under way, as it must [MQTT-4.4.0-1].
std::shared_ptr<Client> PahoSession::client_for_next() {
  Lock lock(mutex_);
  const auto before = connection_;
  lock.unlock();
  if (before && identity_.keeps_session && !connector_.forgotten) {
    drop_connection();
    before->client->forget_aliases();
    connector_.carried = before->wire->under_way();
    return before->client;
  }
  connector_.carried = {};
  Client::Listener& listener = *this;
  return std::make_shared<Client>(listener, identity_.client_id, config_, Outbox::capacity(config_.max_inflight));
}

/// What is heard from here on is this connection's.
std::shared_ptr<Connection> PahoSession::install(const Route& route, std::shared_ptr<Client> client, Channel channel) {
  // The old one goes when the new one is there, for with its last client Paho would stop its threads, which takes long;
  // and when no lock is held.
  std::shared_ptr<Connection> before;
  const Lock sending(sending_);  // whoever was sending by the old client has noticed that it is lost, and has let go
  const Lock lock(mutex_);
  if (!connection_ || connection_->client != client) {
    outbox_.start_anew();
    inbox_.forget_session();
  }
  inbox_.new_connection();
  auto connection = std::make_shared<Connection>();
  connection->number = connection_ ? connection_->number + 1 : 1;
  connection->where = route.where;
  connection->client = std::move(client);
  connection->wire =
      std::make_shared<Wire>(std::move(channel), observer_of(connection->number),
                             Wire::Start{.gathers = tricks::gathering && !config_.one_by_one,
                                         .at_most = inbox_.left_for_wire(),
                                         .without_limit = waits_.for_answers > 0,
                                         .known = inbox_.half_received(),
                                         .admits = waits_.takes_no_more ? Admits::none : identity_.admits,
                                         .holds_acknowledgements = identity_.acknowledges_when_told,
                                         .unwritten = inbox_.unwritten(),
                                         .drops_goodbyes = true,
                                         .awaits_connack = true,
                                         .version = config_.version,
                                         .carried = connector_.carried});
  outbox_.new_connection(route.where);
  lifecycle_.enter(Phase::connecting);
  before = std::exchange(connection_, connection);
  return connection;
}

/// What CONNACK says. Throws Error if the session is gone that a client has been carrying on: it has exchanges of that
/// session under way, and another client must begin anew.
void PahoSession::accept(Connection& connection) {
  KeepAlive keep_alive{};
  {
    const Lock sending(sending_);
    const Lock lock(mutex_);
    if (!connection.connack) {
      throw Error{fmt::format("the broker at {} did not answer CONNECT", connection.where), ExitStatus::no_broker};
    }
    // In MQTT 3.1 the bit means nothing.
    const bool present = connection.connack->session_present && config_.version != ProtocolVersion::v31;
    if (identity_.keeps_session && connector_.was_connected && !present && !std::exchange(connector_.forgotten, true)) {
      throw Error{fmt::format("the broker at {} has forgotten the session", connection.where), ExitStatus::no_broker};
    }
    connection.session_present = present && !connector_.forgotten;
    outbox_.accepted(connection.session_present && connector_.was_connected);
    keep_alive = keep_alive_of(*connection.connack, config_);
    connection.pings = keep_alive.own_pings;
    connection.since = std::chrono::steady_clock::now();
  }
  connection.wire->keep_alive(keep_alive.in_force);
}

/// Sends DISCONNECT if there is a connection. The code that says why is MQTT 5's. True if all that was to be said has
/// been sent.
bool PahoSession::drop_connection(int code, const std::vector<Property>& properties) {
  Lock lock(mutex_);
  const auto connection = connection_;
  lock.unlock();
  if (!connection || !connection->client->is_connected()) {
    return false;
  }
  const Hurry hurry{*this};
  connection->wire->announce_goodbye();
  if (connection->wire->flush()) {
    receive_thread::wake();
  }
  const bool all_sent = connection->wire->wait_until_sent(deadline_in(disconnect_timeout));
  return connection->client->disconnect(code, properties, disconnect_timeout) && all_sent;
}

// Staying connected -----------------------------------------------------------------------------------------------

Keeper::Tasks PahoSession::tasks() {
  return {.wait_for_loss = [this](const std::stop_token& stop) { return wait_for_loss(stop); },
          .is_over =
              [this] {
                const Lock lock(mutex_);
                return lifecycle_.is_over();
              },
          .life = [this] { return life(); },
          .explain = [this](const std::stop_token& stop) { return explain_loss(stop); },
          .regain = [this](Deadline limit, const std::stop_token& stop) { return regain(limit, stop); },
          .broker = [this] { return broker(); },
          .end = [this](const Error& error) { end(error); }};
}

/// True if the connection was lost, false if a stop was requested. Meanwhile sends the pings that Paho does not know
/// of.
bool PahoSession::wait_for_loss(const std::stop_token& stop) {
  Lock lock(mutex_);
  const auto is_down = [&] { return !lifecycle_.is_up(); };
  while (connection_->pings && !stop.stop_requested()) {
    const std::chrono::milliseconds interval = *connection_->pings;
    if (down_.wait_until(lock, stop, deadline_in(interval / 4), is_down)) {
      return true;
    }
    const auto connection = connection_;
    lock.unlock();
    if (connection->wire->ping_after(interval * 3 / 4)) {
      receive_thread::wake();
    }
    lock.lock();
  }
  return down_.wait(lock, stop, is_down);
}

Keeper::Life PahoSession::life() const {
  const Lock lock(mutex_);
  const auto lasted = std::chrono::steady_clock::now() - connection_->since;
  return {lasted, connection_->was_of_use || (outbox_.has_handed_on() && lasted >= Keeper::held_at_work)};
}

/// Tells the loss, unless it has a reason that lies in what was sent. Throws Error if the connection is not to be
/// regained. A run that ends anyway does not say that it tries to.
Keeper::Told PahoSession::explain_loss(const std::stop_token& stop) {
  const bool is_explained = examine_loss();
  Lock lock(mutex_);
  const auto connection = connection_;
  if (lifecycle_.is_over()) {
    return Keeper::Told::is_over;
  }
  if (is_explained) {
    return Keeper::Told::is_explained;
  }
  const auto goodbye = std::exchange(connection->goodbye, std::nullopt);
  const auto because = connection->because;
  lock.unlock();
  Wire& wire = *connection->wire;
  if (const auto violation = wire.violation(); violation && violation->repeats()) {
    throw Error{fmt::format("the broker at {}: {}", connection->where, violation->what())};
  }
  const std::string what = fmt::format("lost the connection to the broker at {} ({})", connection->where,
                                       because ? *because : wire.why_lost());
  if (goodbye) {
    drop_connection(*goodbye);
  }
  if (!config_.reconnect) {
    throw Error{what, ExitStatus::no_broker};
  }
  if (!sleep_until(deadline_in(time_to_end), stop)) {
    return Keeper::Told::is_over;
  }
  console_.note(what + "; trying to regain it");
  return Keeper::Told::is_told;
}

/// Looks for the reason of a loss in what was sent. True if it was found, and reported as the refusal of a message.
/// Throws Error if the broker closes the connection for something that the run cannot do without.
bool PahoSession::examine_loss() {
  Lock lock(mutex_);
  const auto connection = connection_;
  lock.unlock();
  const auto closed_after = connection->wire->closed_by_peer_after();
  lock.lock();
  const bool is_anything_open = !request_.filters().empty() || outbox_.unacknowledged() > 0;
  const auto finding = losses_.examine(
      {closed_after, connection->dismissal, std::chrono::steady_clock::now() - connection->since, is_anything_open});
  if (finding != Suspicion::Finding::nothing) {
    convict(losses_.suspicion().last_suspect(), finding == Suspicion::Finding::guilty);
    lock.unlock();
    report_refusals();
    return true;
  }
  const bool asks = !config_.client_id.empty() && losses_.hint_at_another_client();
  lock.unlock();
  if (asks) {
    console_.note(
        fmt::format("the broker at {} closes each connection within a second: is another client using the id "
                    "{}?",
                    connection->where, identity_.client_id));
  }
  return false;
}

/// With the lock held.
void PahoSession::convict(Suspicion::Suspect suspect, bool is_alone) {
  if (suspect == Suspicion::subscribe || suspect == Suspicion::unsubscribe) {
    const auto& filters = request_.filters();
    throw Error{fmt::format("the broker at {} closes the connection each time it is asked to {} {}: {}",
                            connection_->where, suspect == Suspicion::subscribe ? "subscribe to" : "unsubscribe from",
                            shortened(fmt::format("{}", fmt::join(filters, ", "))),
                            filters.size() == 1
                                ? "is that allowed there?"
                                : fmt::format("are all {} allowed there, are they too many at once?", filters.size())),
                ExitStatus::topic_refused};
  }
  if (const auto accusation = outbox_.accusation(suspect, is_alone)) {
    if (identity_.keeps_session) {  // the library would send it again
      throw Error{*accusation, ExitStatus::topic_refused};
    }
    const OutboxChange change{*this, 1};
    outbox_.refuse_suspect(suspect, *accusation, std::chrono::steady_clock::now());
  }
}

/// Connects again, renews the subscriptions and sends what is unacknowledged. Throws Error if that is of no use.
Keeper::Attempt PahoSession::regain(Deadline limit, const std::stop_token& stop) {
  Keeper::Attempt attempt;
  const std::uint64_t before = connections();
  try {
    connect_once(limit, stop);
    attempt.was_connected = true;
    if (renew_subscriptions(stop) && resume(stop)) {
      connector_.forgotten = false;
      console_.note(fmt::format("connected again to the broker at {}", broker()));
      attempt.is_regained = true;
      return attempt;
    }
  } catch (const Error& error) {
    if (error.status() != ExitStatus::no_broker) {
      throw;
    }
    console_.debug(error.what());
  }
  if (attempt.was_connected && !stop.stop_requested()) {
    attempt.is_explained = examine_loss();
    attempt.was_of_use = life().was_of_use;
  } else if (!attempt.was_connected) {
    const Lock lock(mutex_);
    if (connection_->number == before || !connection_->connack) {  // else it has refused us, or forgotten the session
      losses_.broker_was_away();
    }
  }
  drop_connection();  // a half-made one would stand in the way of the next
  return attempt;
}

/// A clean session knows nothing of the subscriptions of the one before [MQTT-3.1.2-6], and a persistent one may have
/// been forgotten by the broker. False: lost again.
bool PahoSession::renew_subscriptions(const std::stop_token& stop) {
  std::vector<Subscription> subscriptions;
  {
    const Lock lock(mutex_);
    if (connection_->session_present) {
      return true;  // and retained messages do not come again
    }
    subscriptions = subscriptions_.all();
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
  const Lock lock(mutex_);
  subscriptions_.renew(*grants);
  return true;
}

/// Sends what the last connection took with it, then opens the way for new messages. False: lost again.
bool PahoSession::resume(const std::stop_token& stop) {
  {
    Lock lock(mutex_);
    if (losses_.suspicion().suspect() && !holds_quietly(lock, deadline_in(quiet_time), stop)) {
      return false;
    }
    if (!lifecycle_.is(Phase::connecting)) {
      return false;
    }
    lifecycle_.enter(Phase::resuming);
  }
  while (true) {
    send_all(Lock(mutex_), std::chrono::steady_clock::now());
    Lock lock(mutex_);
    const auto is_down = [&] { return !lifecycle_.is_up(); };
    // One at a time is over when the last of them is acknowledged, though more may have been taken meanwhile.
    if (losses_.suspicion().is_careful() && outbox_.all_sent()) {
      changed_.wait(lock, stop, [&] { return is_down() || outbox_.awaits_none(); });
      if (!is_down() && outbox_.awaits_none()) {
        outbox_.end_care();
      }
    }
    // This broker may take fewer at the same time than the one before.
    if (!changed_.wait(lock, stop, [&] { return is_down() || !outbox_.must_wait(); }) || is_down()) {
      return false;
    }
    if (outbox_.all_sent()) {
      lifecycle_.enter(Phase::up);
      outbox_.regained();
      changed_.notify_all();
      return true;
    }
  }
}

/// Tells whoever waits in a call, or makes the next one, that there will be no connection any more.
void PahoSession::end(const Error& error) {
  const Lock lock(mutex_);
  lifecycle_.end(error);
  changed_.notify_all();
}

}  // namespace sistem
