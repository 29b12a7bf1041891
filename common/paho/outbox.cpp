#include "common/paho/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/mqtt/property.hpp"
#include "common/mqtt/reason.hpp"
#include "common/mqtt/refusal.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// Messages taken and not yet acknowledged, and the bytes of their payloads. Paho's own queue gives no back-pressure,
/// so this is where a fast source waits.
constexpr std::size_t window_size = 512;
constexpr std::size_t window_bytes = 4 << 20;

/// At most so many of QoS 1 and 2 if the user does not say otherwise, and of QoS 2 if the broker does not say what it
/// takes: it must keep something of each, and Mosquitto closes a connection with more than its 20. Of QoS 1 it keeps
/// nothing.
constexpr std::size_t most_inflight = 100;
constexpr std::size_t most_inflight_untold = 20;

}  // namespace

std::size_t Outbox::capacity(const std::optional<std::size_t>& max_inflight) {
  return std::max(window_size, max_inflight.value_or(0));
}

Outbox::Outbox(const Rules& rules, Suspicion& suspicion)
    : rules_(rules), suspicion_(suspicion), window_(capacity(rules.max_inflight), window_bytes, {}) {}

// Taking --------------------------------------------------------------------------------------------------------

void Outbox::take(Message&& message, Deadline now) {
  if (window_.unacknowledged() == 0) {
    progress_at_ = now;
  }
  const int qos = message.qos;
  const std::size_t size = message.payload.size();
  const std::uint64_t number = window_.take(std::move(message), qos, size);
  ledger_.take(number, size, now);
}

// Handing over --------------------------------------------------------------------------------------------------

std::optional<Outbox::Outgoing> Outbox::next(Deadline now) {
  while (const auto next = window_.next_to_send()) {
    Outgoing outgoing{.number = next->number, .taken = &next->message};
    outgoing.with_alias = aliased(next->message);
    const Message& message = outgoing.message();
    if (const auto fault = fault_of(info_of(message), limits_)) {
      refuse_unsent(next->number, next->message.topic, *fault, now);
      continue;
    }
    outgoing.is_again = next->number < never_sent_;
    never_sent_ = std::max(never_sent_, next->number + 1);
    if (rules_.is_kept && message.qos > 0) {
      carried_.handed.push_back(next->number);
    } else if (message.qos > 0) {
      suspicion_.sent(next->number, goes_alone());
    }
    outgoing.is_last = window_.all_sent();
    return outgoing;
  }
  return std::nullopt;
}

/// The library has not got it.
void Outbox::undo_next(const Outgoing& outgoing) {
  suspicion_.acknowledged();
  if (!carried_.handed.empty() && carried_.handed.back() == outgoing.number) {
    carried_.handed.pop_back();
  }
}

void Outbox::put_back(const Outgoing& outgoing) {
  undo_next(outgoing);
  window_.take_back(outgoing.number);
  never_sent_ -= outgoing.is_again ? 0 : 1;
}

void Outbox::forget(const Outgoing& outgoing) {
  undo_next(outgoing);
  ledger_.forget(outgoing.number);
  window_.acknowledge(outgoing.number);
}

PublishInfo Outbox::info_of(const Message& message) {
  return {message.qos, message.retain,
          publish_size(message.topic.size(), message.qos, encoded_size(message.properties), message.payload.size()),
          number_in(message.properties, "topic-alias")};
}

/// The message as it goes out on this connection, where topic names may be sent as aliases. What may be sent again on
/// another connection, where the alias means nothing, keeps its name [MQTT5 3.3.2.3.4]: QoS 1 and 2 of a kept session.
/// Nothing if it goes out as it is.
std::optional<Message> Outbox::aliased(const Message& message) {
  if (!rules_.has_aliases || (rules_.is_kept && message.qos > 0)) {
    return std::nullopt;
  }
  const auto named = aliases_.of(message.topic);
  if (!named) {
    return std::nullopt;
  }
  Message shorter = message;
  shorter.properties.push_back({property_id::topic_alias, named->alias, {}});
  if (!named->is_new) {
    shorter.topic.clear();
  }
  return shorter;
}

// What becomes of them --------------------------------------------------------------------------------------------

void Outbox::written(std::uint64_t number, Deadline now) {
  written_.numbers.push_back(number);
  ++written_.sum;
  acknowledge_handed_on(false, now);
}

void Outbox::handed_on(std::uint64_t messages, bool all, Deadline now) {
  if (!is_lost_) {
    written_.handed_on = messages;
    acknowledge_handed_on(all, now);
  }
}

void Outbox::acknowledge_handed_on(bool all, Deadline now) {
  if (is_lost_) {
    return;  // it went nowhere
  }
  while (!written_.numbers.empty() && (all || written_.sum - written_.numbers.size() < written_.handed_on)) {
    acknowledge(written_.numbers.front(), now);
    written_.numbers.pop_front();
  }
}

void Outbox::acknowledged(std::uint64_t number, Deadline now) {
  suspicion_.acknowledged();
  acknowledge(number, now);
}

/// The message with that number needs no sending any more.
void Outbox::acknowledge(std::uint64_t number, Deadline now) {
  ledger_.acknowledge(number, now);
  window_.acknowledge(number);
  progress_at_ = now;
  ++settled_;
}

void Outbox::refused(std::uint64_t number, std::uint16_t id, int code, Deadline now) {
  suspicion_.acknowledged();
  carried_.under_way.erase(id);
  if (!window_.has(number)) {
    return;  // it was refused here, and the library has been told so
  }
  const auto heard = refusals_.extract(id);
  const auto* const message = window_.find(number);
  refuse(number, reason_text(code),
         fmt::format("the broker refused the message to {}: {}", message != nullptr ? message->topic : "a topic",
                     heard ? heard.mapped() : reason_text(code)),
         now);
}

/// For what the broker has said in CONNACK.
void Outbox::refuse_unsent(std::uint64_t number, const std::string& topic, const std::string& fault, Deadline now) {
  refuse(number, fault, fmt::format("the broker at {} would refuse the message to {}: {}", broker_, topic, fault), now);
}

void Outbox::refuse(std::uint64_t number, const std::string& reason, const std::string& why, Deadline now) {
  ledger_.refuse(number, reason, why);
  acknowledge(number, now);
}

// On the wire, in a session that is kept --------------------------------------------------------------------------

void Outbox::on_sent(std::uint16_t id) {
  if (!rules_.is_kept) {
    return;
  }
  const auto known = carried_.under_way.find(id);
  if (known == carried_.under_way.end() && !carried_.handed.empty()) {
    suspicion_.sent(carried_.handed.front(), goes_alone());
    carried_.under_way[id] = carried_.handed.front();
    carried_.handed.pop_front();
    return;
  }
  if (known != carried_.under_way.end()) {
    suspicion_.sent(known->second, goes_alone());
  }
  ledger_.send_again();
}

void Outbox::on_answer(const Packet& packet, Deadline now) {
  suspicion_.acknowledged();
  // PUBCOMP ends an exchange whatever it says: its only failure is that it knows of none any more.
  const bool may_refuse = packet.type != PacketType::pubcomp;
  if (may_refuse && !packet.codes.empty() && packet.codes.front() >= first_failure) {
    carried_.resent.erase(*packet.id);
    refusals_[*packet.id] = with_words(reason_text(packet.codes.front()), packet.properties);
  } else if (packet.type != PacketType::pubrec) {
    settle(*packet.id, now);
  }
}

/// The exchange of the message with that packet id is over.
void Outbox::settle(std::uint16_t id, Deadline now) {
  carried_.resent.erase(id);
  if (const auto found = carried_.under_way.extract(id)) {
    acknowledge(found.mapped(), now);
  }
}

Resend Outbox::resend(std::uint16_t id, Deadline now) {
  if (!carried_.under_way.contains(id) && carried_.of_before > 0) {  // it had not left before the loss
    --carried_.of_before;
    carried_.under_way[id] = carried_.handed.front();
    carried_.handed.pop_front();
  }
  const auto found = carried_.under_way.find(id);
  if (is_lost_ || found == carried_.under_way.end() || !window_.has(found->second)) {
    return {};
  }
  const std::uint64_t number = found->second;
  const Message& message = *window_.find(number);
  if (const auto fault = fault_of(info_of(message), limits_)) {
    const auto type = message.qos == 1 ? PacketType::puback : PacketType::pubrec;
    carried_.under_way.erase(found);
    refuse_unsent(number, message.topic, *fault, now);
    return {false, acknowledgement(type, id, implementation_specific_error)};
  }
  if (carried_.resent.size() >= (suspicion_.is_careful() ? 1 : inflight().all)) {
    return {false};
  }
  carried_.resent.insert(id);
  return {};
}

// Connections -----------------------------------------------------------------------------------------------------

void Outbox::new_connection(std::string broker) {
  broker_ = std::move(broker);
  is_lost_ = false;
  written_ = {};
  refusals_.clear();
  carried_.resent.clear();
  suspicion_.acknowledged();
}

void Outbox::start_anew() {
  window_.send_again();
  carried_ = {};
}

Window<Message>::Inflight Outbox::inflight() const {
  const bool is_told = rules_.max_inflight || rules_.is_v5;
  const auto all = std::min<std::size_t>(rules_.max_inflight.value_or(most_inflight), limits_.receive_maximum);
  return {all, is_told ? all : most_inflight_untold};
}

void Outbox::accepted(bool goes_on) {
  window_.limit_inflight(suspicion_.is_careful() ? Window<Message>::Inflight{1, 1} : inflight());
  aliases_ = TopicAliases{rules_.has_aliases ? limits_.topic_alias_maximum : 0};
  if (goes_on) {
    window_.leave_to_library();
    carried_.of_before = carried_.handed.size();
  }
}

void Outbox::lost() {
  is_lost_ = true;
  // A message of QoS 0 that has not left as a whole may be what the broker has closed the connection for.
  const auto first = window_.first_unacknowledged();
  if (first && *first < never_sent_ && window_.find(*first)->qos == 0) {
    suspicion_.sent(*first, goes_alone());
  }
  has_lost_unacknowledgeable_ = has_lost_unacknowledgeable_ || has_handed_on();
}

void Outbox::end_care() {
  suspicion_.all_acknowledged();
  window_.limit_inflight(inflight());
}

// Words -----------------------------------------------------------------------------------------------------------

std::optional<std::string> Outbox::accusation(Suspicion::Suspect suspect, bool is_alone) const {
  const auto* const message = window_.find(suspect);
  if (message == nullptr) {
    return std::nullopt;
  }
  return fmt::format(
      "the broker at {} closes the connection each time it gets the message to {} ({}, QoS {}){}: is it allowed there, "
      "is it too large?",
      broker_, shortened(message->topic), counted(message->payload.size(), "byte"), message->qos,
      is_alone ? "" : fmt::format(" and {} after it", window_.unacknowledged() - 1));
}

void Outbox::refuse_suspect(Suspicion::Suspect suspect, const std::string& why, Deadline now) {
  refuse(suspect, "the connection was closed", why, now);
}

std::string Outbox::words_on_unacknowledged() const {
  const auto first = window_.first_unacknowledged();
  const auto* const message = first ? window_.find(*first) : nullptr;
  if (message == nullptr) {
    return "";
  }
  const std::size_t others = window_.unacknowledged() - 1;
  return fmt::format("; not acknowledged: the message to {}{}", shortened(message->topic),
                     others > 0 ? fmt::format(" and {} after it", others) : "");
}

}  // namespace sistem
