#include "common/paho/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/mqtt/property.hpp"
#include "common/mqtt/reason.hpp"

namespace sistem {
namespace {

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

/// The number in one to four bytes [MQTT5 1.5.5], and how many they are.
struct Variable {
  std::size_t value = 0;
  std::size_t size = 0;
};
/// Nothing where it ends behind `bytes`, or has more than four.
std::optional<Variable> variable_at(std::string_view bytes, std::size_t at) {
  Variable number;
  for (; at < bytes.size() && number.size < 4; ++at) {
    number.value |= static_cast<std::size_t>(byte_at(bytes, at) & 0x7FU) << (7 * number.size++);
    if ((byte_at(bytes, at) & 0x80U) == 0) {
      return number;
    }
  }
  return std::nullopt;
}

/// The packet id of an acknowledgement that has nothing else, as most have; nothing of any other packet.
std::optional<std::uint16_t> plain_acknowledgement(std::string_view bytes) {
  constexpr std::size_t plain = 4;
  if (bytes.size() != plain || bytes[1] != 2) {
    return std::nullopt;
  }
  const std::uint8_t first = byte_at(bytes, 0);
  const unsigned flags = type_of(first) == PacketType::pubrel ? 2U : 0U;
  const std::uint16_t id = number_at(bytes, 2);
  return is_acknowledgement(type_of(first)) && (first & 0xFU) == flags && id != 0 ? std::optional(id) : std::nullopt;
}

[[noreturn]] void refuse_publish(std::string_view why) { throw Violation::malformed(fmt::format("PUBLISH: {}", why)); }

[[noreturn]] void refuse(const std::string& words) { throw Violation(Violation::protocol_error, words); }

[[noreturn]] void refuse_for_id(PacketType type, std::uint16_t id) {
  refuse(fmt::format("it sent {} with the packet id {}, which belongs to another exchange", packet_name(type), id));
}

Packet parsed(std::string_view bytes, ProtocolVersion version) {
  try {
    return read_packet(bytes, version);
  } catch (const Malformed& malformed) {
    throw Violation::malformed(malformed.what());
  }
}

/// Whether a topic name has a character that none may have. Always to its end, so that many are looked at in one step.
bool has_forbidden(std::string_view topic) {
  unsigned any = 0;
  for (const char one : topic) {
    any |= static_cast<unsigned>(one == '\0') | static_cast<unsigned>(one == '+') | static_cast<unsigned>(one == '#');
  }
  return any != 0;
}

}  // namespace

Violation Violation::malformed(std::string_view why) {
  return {malformed_packet, fmt::format("it sent a packet that is malformed: {}", why)};
}

void Gate::Stages::set(std::uint16_t id, Stage stage) {
  auto& page = pages_[id / page_size];
  if (!page) {
    page = std::make_unique<Page>();
  }
  (*page)[id % page_size] = stage;
}

std::set<std::uint16_t> Gate::Stages::messages() const {
  std::set<std::uint16_t> ids;
  for (std::size_t at = 0; at < pages_.size(); ++at) {
    for (std::size_t entry = 0; pages_[at] && entry < page_size; ++entry) {
      const Stage stage = (*pages_[at])[entry];
      if (stage != Stage::none && stage != Stage::suback_due && stage != Stage::unsuback_due) {
        ids.insert(static_cast<std::uint16_t>(at * page_size + entry));
      }
    }
  }
  return ids;
}

Gate::Gate(ProtocolVersion version, const std::set<std::uint16_t>& carried) : version_(version) {
  for (const std::uint16_t id : carried) {
    stages_.set(id, Stage::carried);
  }
}

std::set<std::uint16_t> Gate::under_way() const { return stages_.messages(); }

// To the broker -------------------------------------------------------------------------------------------------

bool Gate::needs_sent(std::uint8_t first_byte) {
  switch (type_of(first_byte)) {
    case PacketType::publish: return qos_of(first_byte) > 0;
    case PacketType::pubrel:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pingreq: return true;
    default: return false;
  }
}

void Gate::on_sent(std::string_view packet) {
  const std::uint8_t first_byte = byte_at(packet, 0);
  const PacketType type = type_of(first_byte);
  const std::uint16_t id = packet_id_of(packet).value_or(0);
  switch (type) {
    case PacketType::publish: stages_.set(id, qos_of(first_byte) == 1 ? Stage::puback_due : Stage::pubrec_due); break;
    case PacketType::pubrel:
      // Not one that answers PUBREC for us, on behalf of nothing.
      if (const Stage stage = stages_.at(id); stage == Stage::pubrel_due || stage == Stage::carried) {
        stages_.set(id, Stage::pubcomp_due);
      }
      break;
    case PacketType::subscribe:
    case PacketType::unsubscribe:
      stages_.set(id, type == PacketType::subscribe ? Stage::suback_due : Stage::unsuback_due);
      filters_[id] = parsed(packet, version_).filters.size();
      break;
    case PacketType::pingreq: ++pings_; break;
    default: break;
  }
}

// From the broker -----------------------------------------------------------------------------------------------

void Gate::on_begin(std::uint8_t first_byte) const {
  const PacketType type = type_of(first_byte);
  if (!is_accepted_ && type != PacketType::connack) {
    refuse(fmt::format("its first packet is {} and not CONNACK", packet_name(type)));
  }
}

Gate::Verdict Gate::on_received(std::string_view packet) {
  const PacketType type = type_of(byte_at(packet, 0));
  if (const auto id = plain_acknowledgement(packet)) {
    return on_acknowledgement(type, *id, 0);
  }
  switch (type) {
    case PacketType::connect:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pingreq: refuse(fmt::format("it sent {}, which is a client's to send", packet_name(type)));
    default: break;
  }
  const Packet one = parsed(packet, version_);
  switch (type) {
    case PacketType::connack: return on_connack(one);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: return on_acknowledgement(type, *one.id, one.codes.empty() ? 0 : one.codes.front());
    case PacketType::suback:
    case PacketType::unsuback: return on_codes(one);
    case PacketType::pingresp:
      if (pings_ == 0) {
        return {Act::keep_back, "no PINGREQ waits for it"};
      }
      --pings_;
      return {};
    case PacketType::disconnect:
      if (!is_v5()) {
        refuse("it sent DISCONNECT, which before MQTT 5 is a client's to send");
      }
      return {Act::end};
    default: refuse("it sent AUTH without having been asked for an authentication");
  }
}

Gate::Verdict Gate::on_connack(const Packet& connack) {
  if (is_accepted_) {
    refuse("it sent a second CONNACK");
  }
  if (connack.codes.front() != 0) {
    return {Act::refuse};
  }
  is_accepted_ = true;
  return {};
}

/// SUBACK and UNSUBACK.
Gate::Verdict Gate::on_codes(const Packet& answer) {
  const bool is_suback = answer.type == PacketType::suback;
  const Stage stage = stages_.at(*answer.id);
  if (stage == Stage::none) {
    return {Act::keep_back, "nothing waits for it"};
  }
  if (stage != (is_suback ? Stage::suback_due : Stage::unsuback_due)) {
    refuse_for_id(answer.type, *answer.id);
  }
  const std::size_t filters = filters_[*answer.id];
  if ((is_suback || is_v5()) && answer.codes.size() != filters) {
    throw Violation(Violation::protocol_error,
                    fmt::format("it answered {} with {} codes for {} filters", is_suback ? "SUBSCRIBE" : "UNSUBSCRIBE",
                                answer.codes.size(), filters),
                    Violation::Repeats::surely);
  }
  stages_.set(*answer.id, Stage::none);
  filters_.erase(*answer.id);
  return {};
}

Gate::Verdict Gate::on_acknowledgement(PacketType type, std::uint16_t id, int code) {
  if (type == PacketType::pubrel) {
    return {};
  }
  const Stage stage = stages_.at(id);
  const Stage due = type == PacketType::puback   ? Stage::puback_due
                    : type == PacketType::pubrec ? Stage::pubrec_due
                                                 : Stage::pubcomp_due;
  if (stage == due) {
    const bool is_over = type != PacketType::pubrec || code >= first_failure;
    stages_.set(id, is_over ? Stage::none : Stage::pubrel_due);
    return {};
  }
  if (type == PacketType::pubrec) {
    return on_pubrec(id, code);
  }
  if (stage == Stage::none || stage == Stage::carried) {
    return {Act::keep_back, "no message waits for it"};
  }
  refuse_for_id(type, id);
}

/// One that no message waits for.
Gate::Verdict Gate::on_pubrec(std::uint16_t id, int code) {
  switch (stages_.at(id)) {
    case Stage::none:
      if (code >= first_failure) {
        return {Act::keep_back, "no message waits for it"};
      }
      return {Act::keep_back, "no message waits for it", answer(PacketType::pubrel, id, false)};
    case Stage::pubcomp_due:
      if (code >= first_failure) {
        return {Act::keep_back, "it came before"};
      }
      return {Act::keep_back, "it came before", answer(PacketType::pubrel, id, true)};
    case Stage::carried:  // the message is about to be sent again, and will be answered then
    case Stage::pubrel_due: return {Act::keep_back, "its PUBREL is on its way"};
    default: refuse_for_id(PacketType::pubrec, id);
  }
}

std::string Gate::answer(PacketType type, std::uint16_t id, bool is_known) const {
  constexpr int not_found = 0x92;
  return acknowledgement(type, id, is_v5() && !is_known ? not_found : 0);
}

// PUBLISH -------------------------------------------------------------------------------------------------------

/// By hand and without a copy: a flood of messages comes through here.
std::optional<Gate::PublishHead> Gate::head_of(std::string_view bytes) const {
  const std::uint8_t first_byte = byte_at(bytes, 0);
  PublishHead head{qos_of(first_byte)};
  const auto length = variable_at(bytes, 1);
  if (!length) {
    return std::nullopt;
  }
  if (head.qos > 2) {
    refuse_publish("its QoS is 3");
  }
  if (head.qos == 0 && is_duplicate(first_byte)) {
    refuse_publish("it is a duplicate with QoS 0");
  }
  std::size_t at = 1 + length->size;
  const std::size_t end = at + length->value;  // of the packet
  // Whether the next bytes are there; throws where the packet ends before them.
  const auto is_there = [&](std::size_t size, const char* what) {
    if (end - at < size) {
      refuse_publish(fmt::format("it ends inside of {}", what));
    }
    return bytes.size() >= at + size;
  };
  if (!is_there(2, "the topic")) {
    return std::nullopt;
  }
  const std::size_t topic_size = number_at(bytes, at);
  at += 2;
  if (!is_there(topic_size, "the topic")) {
    return std::nullopt;
  }
  const std::string_view topic = bytes.substr(at, topic_size);
  if (topic.empty() && !is_v5()) {
    refuse_publish("it has no topic");
  }
  if (has_forbidden(topic)) {
    refuse_publish("its topic has a wildcard or a NUL");
  }
  at += topic_size;
  if (head.qos > 0) {
    if (!is_there(2, "the packet id")) {
      return std::nullopt;
    }
    head.id = number_at(bytes, at);
    at += 2;
    if (head.id == 0) {
      refuse_publish("its packet id is 0");
    }
  }
  if (!is_v5()) {
    return head;
  }
  const auto properties = variable_at(bytes.substr(0, end), at);
  if (!properties) {
    constexpr std::size_t longest = 4;
    if (bytes.size() >= std::min(end, at + longest)) {
      refuse_publish(end - at < longest ? "it ends inside of its properties"
                                        : "the length of its properties has more than four bytes");
    }
    return std::nullopt;
  }
  at += properties->size;
  if (!is_there(properties->value, "its properties")) {
    return std::nullopt;
  }
  check_properties(bytes.substr(at, properties->value), !topic.empty());
  return head;
}

void Gate::check_properties(std::string_view properties, bool has_topic) const {
  if (properties.empty() && has_topic) {
    return;
  }
  std::uint64_t seen = 0;  // a bit for each identifier
  while (!properties.empty()) {
    const auto one = take_property(properties);
    if (!one) {
      refuse_publish("one of its properties is unknown or cut off");
    }
    if (const auto fault = fault_of_property(*one, PacketType::publish, seen)) {
      refuse_publish(*fault);
    }
  }
  if (!has_topic && (seen >> property_id::topic_alias & 1U) == 0) {
    refuse_publish("it has neither a topic nor an alias of one");
  }
}

}  // namespace sistem
