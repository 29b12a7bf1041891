// What the wire and the client tell a session, by whatever thread.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "common/mqtt/reason.hpp"
#include "common/paho/paho_session.hpp"
#include "common/paho/receive_thread.hpp"
#include "common/paho/session_scopes.hpp"
#include "common/text/words.hpp"
#include "common/tricks.hpp"

namespace sistem {
namespace {

/// After so many acknowledgements or arrivals whoever waits for them is woken, if there is no pause before: not for
/// each single one, which would cost two switches of threads a message.
constexpr std::size_t acknowledged_together = tricks::told_together ? 256 : 1;
constexpr std::size_t arrived_together = tricks::told_together ? 500 : 1;

}  // namespace

// The client's ----------------------------------------------------------------------------------------------------

void PahoSession::on_lost(const Client& client) {
  const Lock lock(mutex_);
  if (is_current(client)) {
    lose(*connection_);
  }
}

void PahoSession::on_delivered(const Client& client, std::uint64_t number, int qos) {
  const Lock lock(mutex_);
  if (!is_current(client)) {
    return;
  }
  const auto now = moment();
  const OutboxChange change{*this, qos > 0 ? acknowledged_together : 1};
  if (qos > 0) {
    connection_->was_of_use = true;
    outbox_.acknowledged(number, now);
  } else {
    outbox_.written(number, now);
  }
}

/// One that could not be sent goes again on the next connection.
void PahoSession::on_failed(const Client& client, std::uint64_t number, std::uint16_t id, int code) {
  {
    const Lock lock(mutex_);
    if (!is_current(client) || code < first_failure) {
      return;
    }
    connection_->was_of_use = true;
    const OutboxChange change{*this, 1};
    outbox_.refused(number, id, code, std::chrono::steady_clock::now());
  }
  report_refusals();
}

void PahoSession::on_arrived(const Client& client, Message message, bool has_topic) {
  Lock lock(mutex_);
  if (!is_current(client)) {
    return;
  }
  if (!has_topic) {
    connection_->goodbye = topic_alias_invalid;
    connection_->because = "closed by us";
    lose(*connection_);
    lock.unlock();
    console_.note(
        fmt::format("the broker at {} has used a topic alias that it never set; closing the connection", broker()));
    return;
  }
  const auto wire = connection_->wire;  // what is asked of it with the lock held takes none
  if (message.qos == 1 && wire->had_qos_2(message.packet_id)) {
    message.qos = 2;
  }
  if (identity_.keeps_session && message.qos == 2) {
    inbox_.begin_exchange(message.packet_id);
  }
  message.arrival = wire->arrival();
  message.arrival_steady = wire->arrival_steady();
  connection_->was_of_use = true;
  inbox_.put(std::move(message));
  if (++waits_.untold >= arrived_together) {
    waits_.untold = 0;
    changed_.notify_all();
  }
  if (inbox_.drops()) {
    lock.unlock();
    if (wire->consumed(1)) {
      receive_thread::wake();
    }
    return;
  }
  // The wire lets no more pass until receive() has taken some, and Paho has more to do before it asks for the next.
  const bool is_last = !wire->has_ready();
  lock.unlock();
  if (is_last) {
    on_idle();
  }
}

// The wire's ------------------------------------------------------------------------------------------------------

Wire::Observer PahoSession::observer_of(std::uint64_t connection) {
  return {.wants = [this](Wire::Way way, std::uint8_t first, std::size_t size) { return wants(way, first, size); },
          .on_packet = [this, connection](Wire::Way way, std::string_view bytes) { on_packet(connection, way, bytes); },
          .on_lost =
              [this, connection] {
                const Lock lock(mutex_);
                if (is_current(connection)) {
                  lose(*connection_);
                }
              },
          .on_handed_on =
              [this, connection](std::uint64_t messages, bool all) {
                const Lock lock(mutex_);
                if (is_current(connection)) {
                  const auto now = std::chrono::steady_clock::now();
                  const OutboxChange change{*this, 1};
                  outbox_.handed_on(messages, all, now);
                }
              },
          .on_idle = [this] { on_idle(); },
          .resends = resends_of(connection),
          .on_kept_back =
              [this](std::string_view bytes, std::string_view why) {
                if (console_.debugging()) {
                  const Packet packet = read_packet(bytes, config_.version);
                  console_.debug(fmt::format("<- {}, not expected: {}", description(packet, config_.version), why));
                }
              }};
}

std::function<Resend(std::uint16_t)> PahoSession::resends_of(std::uint64_t connection) {
  if (!identity_.keeps_session) {
    return {};
  }
  return [this, connection](std::uint16_t id) {
    Resend resend;
    bool reports = false;
    {
      const Lock lock(mutex_);
      if (is_current(connection)) {
        const OutboxChange change{*this, 1};
        resend = outbox_.resend(id, std::chrono::steady_clock::now());
        reports = outbox_.ledger().has_notes();
      }
    }
    if (reports) {
      report_refusals();
    }
    return resend;
  };
}

/// With -d all packets, else those that answer the session or end it. An acknowledgement of four bytes says yes.
bool PahoSession::wants(Wire::Way way, std::uint8_t first_byte, std::size_t size) const {
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
    case PacketType::pubrec: return way == Wire::Way::in && (size > plain || identity_.keeps_session);
    case PacketType::pubcomp: return identity_.keeps_session;
    case PacketType::publish: return way == Wire::Way::out && identity_.keeps_session && qos_of(first_byte) > 0;
    default: return false;
  }
}

void PahoSession::on_packet(std::uint64_t connection, Wire::Way way, std::string_view bytes) {
  Packet packet;
  try {
    packet = read_packet(bytes, config_.version);  // which the gate has found to be right
  } catch (const Malformed&) {
    console_.debug("a PUBLISH with more properties than can be shown");  // its end is not here
    return;
  }
  if (console_.debugging()) {
    console_.debug(fmt::format("{} {}", way == Wire::Way::in ? "<-" : "->", description(packet, config_.version)));
  }
  std::optional<std::string> note;
  {
    const Lock lock(mutex_);
    if (!is_current(connection)) {
      return;
    }
    if (way == Wire::Way::in) {
      note = on_received(connection, packet);
    } else {
      on_sent(connection, packet);
    }
  }
  if (note) {
    console_.note(*note);
  }
}

void PahoSession::on_sent(std::uint64_t connection, const Packet& packet) {
  switch (packet.type) {
    case PacketType::subscribe:
    case PacketType::unsubscribe: request_.sent(connection, packet.type, *packet.id); break;
    case PacketType::pubcomp: inbox_.end_exchange(*packet.id); break;
    case PacketType::publish:
      if (packet.id) {
        outbox_.on_sent(*packet.id);
      }
      break;
    default: break;
  }
}

/// What is to be told the user, if anything.
std::optional<std::string> PahoSession::on_received(std::uint64_t connection, const Packet& packet) {
  switch (packet.type) {
    case PacketType::connack:
      // Before Paho sends again what it has.
      outbox_.limit(is_v5() ? limits_in(packet.properties) : BrokerLimits{.topic_alias_maximum = 0});
      connection_->connack = packet;
      changed_.notify_all();
      break;
    case PacketType::suback:
    case PacketType::unsuback:
      request_.heard(connection, packet);
      losses_.suspicion().acknowledged();
      connection_->was_of_use = true;
      changed_.notify_all();
      break;
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubcomp: {
      connection_->was_of_use = true;
      const OutboxChange change{*this, SIZE_MAX};
      outbox_.on_answer(packet, std::chrono::steady_clock::now());
      break;
    }
    case PacketType::disconnect: return on_dismissal(*connection_, packet);
    default: break;
  }
  return std::nullopt;
}

/// DISCONNECT from the broker, which ends the connection [MQTT5 3.14.4]. That it is lost is told by nobody else in Paho
/// C 1.3.14, and in 1.3.12 when the broker closes it.
std::optional<std::string> PahoSession::on_dismissal(Connection& connection, const Packet& disconnect) {
  const int code = disconnect.codes.empty() ? 0 : disconnect.codes.front();
  std::string why = reason_text(code);
  if (code == session_taken_over) {
    why += fmt::format(", another client has connected with the id {}", identity_.client_id);
  }
  const std::string what =
      fmt::format("the broker at {} has disconnected us: {}", connection.where, with_words(why, disconnect.properties));
  connection.dismissal = code;
  if (throws_out(code)) {
    lifecycle_.end(Error{what, ExitStatus::broker_refused});
  } else if (refuses_what_was_sent(code) &&
             (outbox_.ledger().on_refusal() == OnRefusal::ends_the_run || identity_.keeps_session)) {
    const auto& asked = request_.filters();
    lifecycle_.end(
        Error{what + (asked.empty() ? outbox_.words_on_unacknowledged()
                                    : fmt::format("; not answered: {} {}",
                                                  request_.is_subscribe() ? "SUBSCRIBE to" : "UNSUBSCRIBE from",
                                                  shortened(fmt::format("{}", fmt::join(asked, ", "))))),
              ExitStatus::topic_refused});
  }
  connection.because = "it has disconnected us";
  lose(connection);
  return lifecycle_.is_over() ? std::nullopt : std::optional(what);
}

/// Nothing more has arrived.
void PahoSession::on_idle() {
  Lock lock(mutex_);
  if (std::exchange(waits_.untold, 0) > 0) {
    lock.unlock();  // or who is woken would wait for it
    changed_.notify_all();
  }
}

// What follows of it, with the lock held --------------------------------------------------------------------------

/// The connection is one no more.
void PahoSession::lose(Connection& connection) {
  connection.is_lost = true;
  lifecycle_.enter(Phase::lost);
  outbox_.lost();
  urgency_->messages = false;
  changed_.notify_all();
  down_.notify_all();
  try {
    keeper_.start();
  } catch (const Error& error) {
    lifecycle_.end(error);
  }
}

/// Wakes whoever waits for what is unacknowledged.
void PahoSession::tell_of_outbox(std::uint64_t settled_before, std::size_t tell_at) {
  waits_.untold += outbox_.settled() - settled_before;
  const bool waits = outbox_.unacknowledged() > 0 && !is_lost();
  if (urgency_->messages != waits) {  // a word that others read is not written for nothing
    urgency_->messages = waits;
  }
  if (outbox_.settled() != settled_before && (waits_.untold >= tell_at || outbox_.ledger().has_refusal())) {
    waits_.untold = 0;
    changed_.notify_all();
  }
}

/// Without the lock.
void PahoSession::report_refusals() {
  std::vector<std::string> notes;
  {
    const Lock lock(mutex_);
    notes = outbox_.ledger().take_notes();
  }
  for (const std::string& note : notes) {
    console_.note(note);
  }
}

}  // namespace sistem
