// How a session publishes, and waits for acknowledgements.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/paho/paho_session.hpp"
#include "common/paho/send_thread.hpp"
#include "common/paho/session_scopes.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// A stop waits so long for acknowledgements.
constexpr std::chrono::milliseconds flush_after_stop{400};

}  // namespace

bool PahoSession::wait_for_room(int qos, const std::stop_token& stop) {
  Lock lock(mutex_);
  return has_room(lock, qos, stop);
}

/// wait_for_room(), with the lock held before and after.
bool PahoSession::has_room(Lock& lock, int qos, const std::stop_token& stop) {
  const auto may_go_on = [&] {
    return outbox_.has_room(qos) || lifecycle_.is_over() || outbox_.ledger().has_refusal();
  };
  if (!may_go_on()) {
    lock.unlock();
    send_thread::wake();
    {
      const AwaitingAnswer awaiting{*this};
      lock.lock();
      const auto since = std::chrono::steady_clock::now();
      wait_for_acknowledgements(lock, stop, never, may_go_on);
      if (outbox_.ledger().deliveries()) {
        outbox_.ledger().deliveries()->wait(std::chrono::steady_clock::now() - since);
      }
      lock.unlock();
    }
    lock.lock();
  }
  throw_if_ended();
  throw_if_refused();
  if (!outbox_.has_room(qos)) {
    throw_if_overdue(stop);
    return false;
  }
  return true;
}

bool PahoSession::publish(Message message, const std::stop_token& stop, Next next) {
  if (!is_v5()) {
    message.properties.clear();
  }
  Lock lock(mutex_);
  if (!has_room(lock, message.qos, stop)) {
    return false;
  }
  const auto now = moment();
  outbox_.take(std::move(message), now);
  const bool is_sent_here = lifecycle_.is(Phase::up);  // else the keeper will send it
  if (!is_sent_here) {
    lock.unlock();
  }
  send_thread::PutOff put_off;
  if (is_sent_here) {
    send_all(std::move(lock), now);
  }
  if (next == Next::more) {
    put_off.keep();
  }
  return true;
}

/// Hands every message that this connection has not seen to its client, in order. One thread at a time. With the lock
/// on `mutex_`, which ends here.
void PahoSession::send_all(Lock lock, Deadline now) {
  std::unique_lock sending(sending_, std::try_to_lock);  // which comes before `mutex_`, so nobody may wait for it here
  if (!sending) {
    lock.unlock();
    sending.lock();
    lock.lock();
  }
  while (lifecycle_.is_up()) {
    std::optional<Outbox::Outgoing> outgoing;
    {
      const OutboxChange change{*this, 1};
      outgoing = outbox_.next(now);
    }
    const auto deliveries = outgoing && outgoing->is_again ? outbox_.ledger().deliveries() : nullptr;
    Client& client = *connection_->client;  // not replaced while `sending_` is held
    const bool reports = outbox_.ledger().has_notes();
    lock.unlock();
    if (reports) {
      report_refusals();
    }
    if (!outgoing) {
      return;
    }
    try {
      client.publish(outgoing->message(), outgoing->number);
    } catch (const ClientError& error) {
      lock.lock();
      const OutboxChange change{*this, 1};
      if (error.is_disconnected()) {  // it has just gone, and on_lost() is on its way
        outbox_.put_back(*outgoing);
        return;
      }
      outbox_.forget(*outgoing);  // or a flush would wait for it
      throw Error{fmt::format("cannot publish to {}: {}", outgoing->taken->topic, error.what())};
    }
    if (deliveries) {
      deliveries->send_again();
    }
    if (outgoing->is_last) {
      return;
    }
    lock.lock();
  }
}

std::size_t PahoSession::flush(const std::stop_token& stop, Deadline deadline) {
  send_thread::wake();
  const AwaitingAnswer awaiting{*this};
  Lock lock(mutex_);
  const auto over = [&] { return outbox_.unacknowledged() == 0 || lifecycle_.is_over(); };
  wait_for_acknowledgements(lock, stop, deadline, over);
  if (!over() && stop.stop_requested() && lifecycle_.is(Phase::up)) {
    changed_.wait_until(lock, {}, deadline_in(flush_after_stop), over);
  }
  throw_if_ended();
  throw_if_refused();
  throw_if_overdue(stop);
  return outbox_.unacknowledged();
}

void PahoSession::record_deliveries(std::shared_ptr<Deliveries> deliveries, OnRefusal on_refusal) {
  const Lock lock(mutex_);
  outbox_.ledger().record_deliveries(std::move(deliveries), on_refusal);
}

/// Waits until `holds`, which is something that acknowledgements bring about. No longer than to the deadline, a stop or
/// the moment from which throw_if_overdue() throws.
template <typename Predicate>
void PahoSession::wait_for_acknowledgements(Lock& lock, const std::stop_token& stop, Deadline deadline,
                                            Predicate holds) {
  if (!config_.acknowledge_limit) {
    changed_.wait_until(lock, stop, deadline, holds);
    return;
  }
  std::size_t backlog = 0;
  while (!stop.stop_requested() && !is_overdue() && std::chrono::steady_clock::now() < deadline) {
    const Deadline look = deadline_in(*config_.acknowledge_limit / 10);
    if (changed_.wait_until(lock, stop, std::min({deadline, overdue_at(), look}), holds)) {
      return;
    }
    if (config_.answer_limit) {
      continue;  // that is a limit whatever the reason
    }
    const auto wire = this->wire();
    lock.unlock();
    const std::size_t left = wire->backlog();
    lock.lock();
    // While a message is on its way, or there is no broker, nothing can be acknowledged.
    if (std::exchange(backlog, left) != left || !lifecycle_.is_up()) {
      outbox_.note_progress(std::chrono::steady_clock::now());
    }
  }
}

/// Now, for what becomes of a message, if somebody wants to know: a flood would notice two looks at the clock a
/// message.
Deadline PahoSession::moment() const {
  return outbox_.ledger().deliveries() || config_.acknowledge_limit ? std::chrono::steady_clock::now() : Deadline{};
}

Deadline PahoSession::overdue_at() const {
  return outbox_.progress_at() + std::chrono::duration_cast<Deadline::duration>(*config_.acknowledge_limit);
}

/// Whether the broker has acknowledged nothing for too long.
bool PahoSession::is_overdue() const {
  return config_.acknowledge_limit && outbox_.unacknowledged() > 0 && std::chrono::steady_clock::now() >= overdue_at();
}

void PahoSession::throw_if_overdue(const std::stop_token& stop) const {
  if (stop.stop_requested() || !is_overdue()) {
    return;
  }
  const std::size_t left = outbox_.unacknowledged();
  const std::string what =
      fmt::format("{} not acknowledged by the broker at {}", counted(left, "message was", "messages were"), broker());
  if (config_.answer_limit) {
    throw Error{"time is up: " + what, ExitStatus::timed_out};
  }
  throw Error{fmt::format("{} within {} s", what, config_.acknowledge_limit->count()), ExitStatus::no_broker};
}

}  // namespace sistem
