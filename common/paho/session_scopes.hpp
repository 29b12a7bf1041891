#pragma once

#include <cstddef>
#include <cstdint>

#include "common/paho/paho_session.hpp"
#include "common/paho/receive_thread.hpp"

/// What a session does for as long as a scope lasts.
namespace sistem {

class PahoSession::AwaitingAnswer {
 public:
  explicit AwaitingAnswer(PahoSession& session) : session_(session) { change(1); }
  AwaitingAnswer(const AwaitingAnswer&) = delete;
  AwaitingAnswer& operator=(const AwaitingAnswer&) = delete;
  ~AwaitingAnswer() { change(-1); }

 private:
  void change(int by) {
    const Lock limiting(session_.limiting_);  // otherwise two changes could reach the wire in the wrong order
    Lock lock(session_.mutex_);
    session_.waits_.for_answers += by;
    const bool any = session_.waits_.for_answers > 0;
    const auto wire = session_.wire();
    lock.unlock();
    if (wire && wire->read_without_limit(any) && any) {
      receive_thread::wake();
    }
  }

  PahoSession& session_;
};

class PahoSession::OutboxChange {
 public:
  OutboxChange(PahoSession& session, std::size_t tell_at)
      : session_(session), tell_at_(tell_at), before_(session.outbox_.settled()) {}
  OutboxChange(const OutboxChange&) = delete;
  OutboxChange& operator=(const OutboxChange&) = delete;
  ~OutboxChange() { session_.tell_of_outbox(before_, tell_at_); }

 private:
  PahoSession& session_;
  const std::size_t tell_at_;
  const std::uint64_t before_;
};

class PahoSession::Hurry {
 public:
  explicit Hurry(PahoSession& session) : urgency_(*session.urgency_) { ++urgency_.answers; }
  Hurry(const Hurry&) = delete;
  Hurry& operator=(const Hurry&) = delete;
  ~Hurry() { --urgency_.answers; }

 private:
  Urgency& urgency_;
};

}  // namespace sistem
