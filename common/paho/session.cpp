// A session: how it begins, receives and ends. Its other verbs are in subscribing.cpp and publishing.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/mqtt/refusal.hpp"
#include "common/paho/lock_places.hpp"
#include "common/paho/paho_session.hpp"
#include "common/paho/receive_thread.hpp"
#include "common/paho/send_thread.hpp"
#include "common/paho/session_scopes.hpp"
#include "common/text/random.hpp"
#include "common/text/words.hpp"

namespace sistem {

bool is_kept(const ConnectionConfig& config) {
  if (config.version != ProtocolVersion::v5) {
    return !config.clean_session;
  }
  const auto given = number_in(properties_for(PropertyPlace::connect, config.properties), "session-expiry-interval");
  return given.value_or(config.session_expiry.value_or(0)) > 0;
}

namespace {

using namespace std::chrono_literals;

// What a stop may cost in all is a second.
constexpr auto finish_timeout = 400ms;
constexpr auto drain_timeout = 250ms;

Admits admitted(Takes takes) {
  switch (takes) {
    case Takes::all: return Admits::all;
    case Takes::only_qos_0: return Admits::only_qos_0;
    case Takes::none: return Admits::none;
  }
  return Admits::all;
}

/// Every broker must take a client id of up to 23 digits and letters [MQTT-3.1.3-5].
std::string made_up_client_id(const std::string& prefix) {
  return fmt::format("{}{:012x}", prefix, random_seed() >> 16U);
}

}  // namespace

PahoSession::PahoSession(const ConnectionConfig& config, const Console& console, const Intake& intake)
    : config_(config),
      console_(console),
      identity_{config.client_id.empty() ? made_up_client_id(config.client_id_prefix) : config.client_id,
                is_kept(config), is_kept(config) ? admitted(intake.takes) : Admits::all,
                is_kept(config) && intake.acknowledged == Acknowledged::when_told},
      routes_(config),
      asking_(asking_place),
      sending_(sending_place),
      mutex_(session_place),
      outbox_({.max_inflight = config.max_inflight,
               .is_v5 = is_v5(),
               .is_kept = identity_.keeps_session,
               .has_aliases = config.automatic_topic_alias},
              losses_.suspicion()),
      inbox_(intake.overflow, identity_.acknowledges_when_told ? Inbox::Counts::unwritten : Inbox::Counts::nothing),
      waits_{.answer_by = config.answer_limit ? deadline_in(*config.answer_limit) : never},
      keeper_(tasks(), config.reconnect_limit, config.reconnect_max_delay) {
  urgency_->times_count = intake.times_count || config.one_by_one;
  take_at_most(intake.at_most);
}

std::vector<Property> PahoSession::properties_of(PropertyPlace place) const {
  return is_v5() ? properties_for(place, config_.properties) : std::vector<Property>{};
}

// Receiving -------------------------------------------------------------------------------------------------------

void PahoSession::take_at_most(std::optional<std::size_t> messages) {
  if (inbox_.drops()) {
    return;  // who drops what is too much does not leave it at the broker
  }
  Lock lock(mutex_);
  inbox_.limit(messages);
  const auto wire = this->wire();
  const auto at_most = inbox_.left_for_wire();
  lock.unlock();
  if (wire && wire->pass_at_most(at_most)) {
    receive_thread::wake();
  }
}

std::vector<Message> PahoSession::receive(Deadline deadline, const std::stop_token& stop) {
  Lock lock(mutex_);
  changed_.wait_until(lock, stop, deadline,
                      [&] { return !inbox_.empty() || lifecycle_.is_over() || waits_.is_interrupted; });
  waits_.is_interrupted = false;
  if (inbox_.empty()) {
    throw_if_ended();
  }
  auto taken = inbox_.take();
  const auto wire = this->wire();
  lock.unlock();
  if (wire && wire->consumed(taken.of_this_connection)) {
    receive_thread::wake();
  }
  return std::move(taken.messages);
}

void PahoSession::acknowledge() {
  if (!identity_.acknowledges_when_told) {
    return;
  }
  Lock lock(mutex_);
  const auto ids = inbox_.take_given();
  const auto wire = this->wire();
  lock.unlock();
  if (!ids.empty() && wire && wire->written(ids)) {
    receive_thread::wake();
  }
}

void PahoSession::interrupt() {
  const Lock lock(mutex_);
  waits_.is_interrupted = true;
  changed_.notify_all();
}

std::size_t PahoSession::waiting() const {
  Lock lock(mutex_);
  const auto wire = this->wire();
  const std::size_t unknown_to_wire = inbox_.unknown_to_wire();
  lock.unlock();
  return unknown_to_wire + (wire ? wire->unconsumed() : 0);
}

std::size_t PahoSession::dropped() const {
  const Lock lock(mutex_);
  return inbox_.dropped();
}

bool PahoSession::connected() const {
  const Lock lock(mutex_);
  return lifecycle_.is(Phase::up);
}

std::uint64_t PahoSession::connections() const {
  const Lock lock(mutex_);
  return connection_ ? connection_->number : 0;
}

// What ends a wait ------------------------------------------------------------------------------------------

void PahoSession::throw_if_ended() const {
  if (lifecycle_.why()) {
    throw Error{*lifecycle_.why()};
  }
}

void PahoSession::throw_if_refused() {
  if (const auto refusal = outbox_.ledger().take_refusal()) {
    throw Error{*refusal};
  }
}

Error PahoSession::late() const {
  const Lock lock(mutex_);
  const std::size_t closed = losses_.closed();
  if (closed > 0) {
    return Error{
        fmt::format("time is up; the broker at {} accepts the connection and closes it ({})", broker(), times(closed)),
        ExitStatus::timed_out};
  }
  return Error{fmt::format("time is up, and the broker at {} has not answered", broker()), ExitStatus::timed_out};
}

void PahoSession::throw_if_late(const std::stop_token& stop) const {
  if (!stop.stop_requested() && std::chrono::steady_clock::now() >= waits_.answer_by) {
    throw late();
  }
}

/// Waits for the deadline; false if the connection is lost before it, or a stop was requested.
bool PahoSession::holds_quietly(Lock& lock, Deadline deadline, const std::stop_token& stop) {
  return !changed_.wait_until(lock, stop, deadline, [&] { return is_lost() || lifecycle_.is_over(); }) &&
         !stop.stop_requested();
}

// The end ---------------------------------------------------------------------------------------------------------

void PahoSession::take_no_more() {
  Lock lock(mutex_);
  const auto wire = this->wire();
  if (std::exchange(waits_.takes_no_more, true) || !wire || is_lost()) {
    return;
  }
  lock.unlock();
  const Hurry hurry{*this};
  const Deadline deadline = deadline_in(finish_timeout);
  if (wire->admit_no_more()) {
    receive_thread::wake();
  }
  for (bool all_here = false; !all_here && std::chrono::steady_clock::now() < deadline;) {
    const std::size_t unconsumed = wire->unconsumed();  // nobody but us consumes
    lock.lock();
    all_here = changed_.wait_until(lock, {}, std::min(deadline, deadline_in(5ms)),
                                   [&] { return is_lost() || inbox_.known_to_wire() >= unconsumed; });
    lock.unlock();
  }
  if (!identity_.acknowledges_when_told) {
    (void)wire->wait_until_exchanged(deadline);
  }
}

std::optional<Error> PahoSession::fault() const {
  const Lock lock(mutex_);
  return fault_;
}

void PahoSession::disconnect() {
  keeper_.stop();  // nobody but us touches the connection from here on
  Lock lock(mutex_);
  const auto connection = connection_;
  if (!connection || std::exchange(waits_.is_disconnected, true)) {
    return;
  }
  lock.unlock();
  send_thread::wake();  // for what this thread has put off, while there is a client to send it
  take_no_more();
  if (identity_.acknowledges_when_told) {  // since then there was time to write what has come
    const Hurry hurry{*this};
    (void)connection->wire->wait_until_exchanged(deadline_in(finish_timeout));
  }
  lock.lock();
  if (lifecycle_.is_over()) {
    fault_ = lifecycle_.why();
  } else if (outbox_.has_lost_unacknowledgeable()) {
    fault_ =
        Error{fmt::format("the connection to the broker at {} was lost before the end: what was published with QoS "
                          "0 may not have arrived",
                          broker()),
              ExitStatus::no_broker};
  }
  lock.unlock();
  const bool all_sent = drop_connection(config_.will_on_disconnect ? disconnect_with_will : 0,
                                        properties_for(PropertyPlace::disconnect, config_.properties));
  lock.lock();
  // What was subscribed, now or in an earlier life of a kept session, or acknowledgements that were not waited for.
  const bool may_arrive = identity_.keeps_session || subscriptions_.has_any() || outbox_.unacknowledged() > 0;
  lock.unlock();
  if (all_sent && (may_arrive || connection->wire->awaits_pingresp())) {
    connection->wire->drain(deadline_in(drain_timeout));
  }
}

void EndSession::operator()(Session* session) const { session->disconnect(); }

SessionPointer open_session(const ConnectionConfig& config, const Console& console, const std::stop_token& stop,
                            const Intake& intake) {
  // Paho C 1.3.12 obeys these even for plain MQTT, and would ask them for the way to us.
  for (const char* variable : {"http_proxy", "https_proxy"}) {
    ::unsetenv(variable);
  }
  auto* session = new PahoSession(config, console, intake);
  SessionPointer pointer{session};
  session->connect(stop);
  return pointer;
}

std::string library_versions() { return client_versions(); }

}  // namespace sistem
