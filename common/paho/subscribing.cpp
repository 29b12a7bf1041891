// How a session subscribes, and gets answers to what it asks for.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/mqtt/reason.hpp"
#include "common/paho/paho_session.hpp"
#include "common/paho/session_scopes.hpp"

namespace sistem {
namespace {

/// Whether a subscription asks for nothing that only MQTT 5 has.
bool is_plain(const Subscription& one) {
  return !one.retain_as_published && !one.no_local && one.retain_handling == RetainHandling::send_always;
}

}  // namespace

std::vector<Grant> PahoSession::subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) {
  {
    const Lock lock(mutex_);
    subscriptions_.add(subscriptions);
  }
  return on_connection("subscribed", stop, [&] {
    Lock lock(mutex_);
    auto grants = subscriptions_.renewed(subscriptions);
    lock.unlock();
    return grants ? grants : subscribe_once(subscriptions, stop, waits_.answer_by);
  });
}

void PahoSession::unsubscribe(const std::vector<std::string>& filters, const std::stop_token& stop) {
  {
    const Lock lock(mutex_);
    subscriptions_.remove(filters);  // no connection is regained with them any more
  }
  const Packet unsuback = on_connection("unsubscribed", stop, [&] { return unsubscribe_once(filters, stop); });
  for (std::size_t at = 0; at < unsuback.codes.size(); ++at) {
    if (unsuback.codes[at] >= first_failure) {
      throw Error{fmt::format("the broker refused to unsubscribe from {}: {}", filters[at],
                              with_words(reason_text(unsuback.codes[at]), unsuback.properties)),
                  ExitStatus::topic_refused};
    }
  }
}

/// Does something on a connection that stands, and again on the next if that is lost on the way.
template <typename Once>
typename std::invoke_result_t<Once>::value_type PahoSession::on_connection(const char* what,
                                                                           const std::stop_token& stop, Once once) {
  while (true) {
    {
      Lock lock(mutex_);
      changed_.wait_until(lock, stop, waits_.answer_by,
                          [&] { return lifecycle_.is(Phase::up) || lifecycle_.is_over(); });
      throw_if_ended();
    }
    throw_if_late(stop);
    if (stop.stop_requested()) {
      throw Error{fmt::format("stopped before anything was {}", what), ExitStatus::no_broker};
    }
    if (auto result = once()) {
      return std::move(*result);
    }
  }
}

/// Sends SUBSCRIBE and waits for SUBACK. Nothing if the connection was lost on the way. Throws Error if the broker does
/// not answer.
std::optional<std::vector<Grant>> PahoSession::subscribe_once(const std::vector<Subscription>& subscriptions,
                                                              const std::stop_token& stop, Deadline by) {
  const auto properties = properties_of(PropertyPlace::subscribe);
  const bool with_identifier = number_in(properties, "subscription-identifier").has_value();
  Lock lock(mutex_);
  const auto limits = outbox_.limits();
  lock.unlock();
  std::vector<Grant> grants(subscriptions.size());
  std::vector<std::size_t> asked;  // by their place among the subscriptions
  std::size_t size = 0;
  for (std::size_t at = 0; at < subscriptions.size(); ++at) {
    const std::string& filter = subscriptions[at].filter;
    grants[at].filter = filter;
    if (const auto fault = fault_of_subscription(filter, with_identifier, limits)) {
      grants[at].why = fmt::format("the broker at {} says that {}", broker(), *fault);
    } else {
      asked.push_back(at);
      size += filter.size() + 3;  // its length, and its options
    }
  }
  throw_if_too_large(PacketType::subscribe, size, properties, limits);
  const AwaitingAnswer awaiting{*this};
  // One packet for all; but Paho C++ 1.2.0 reads what it has freed if several have options of MQTT 5.
  const bool together = std::all_of(asked.begin(), asked.end(), [&](auto at) { return is_plain(subscriptions[at]); });
  for (std::size_t first = 0; first < asked.size();) {
    const std::size_t count = together ? asked.size() : 1;
    std::vector<Subscription> some;
    std::vector<std::string> filters;
    for (std::size_t at = first; at < first + count; ++at) {
      some.push_back(subscriptions[asked[at]]);
      filters.push_back(some.back().filter);
    }
    const auto suback = answer_to(PacketType::subscribe, filters, by, stop,
                                  [&](Client& client) { client.subscribe(some, properties); });
    if (!suback) {
      return std::nullopt;
    }
    for (std::size_t at = 0; at < count; ++at) {
      const int code = suback->codes[at];
      Grant& grant = grants[asked[first + at]];
      if (code <= 2) {
        grant.qos = code;
      } else {
        grant.why = is_v5() ? with_words(reason_text(code), suback->properties)
                            : fmt::format("no reason given (0x{:02X})", code);
      }
    }
    first += count;
  }
  return grants;
}

/// Sends UNSUBSCRIBE and waits for UNSUBACK. Before MQTT 5 that has no codes, and is a yes to all [MQTT-3.11].
std::optional<Packet> PahoSession::unsubscribe_once(const std::vector<std::string>& filters,
                                                    const std::stop_token& stop) {
  const auto properties = properties_of(PropertyPlace::unsubscribe);
  std::size_t size = 0;
  for (const std::string& filter : filters) {
    size += filter.size() + 2;
  }
  Lock lock(mutex_);
  const auto limits = outbox_.limits();
  lock.unlock();
  throw_if_too_large(PacketType::unsubscribe, size, properties, limits);
  const AwaitingAnswer awaiting{*this};
  return answer_to(PacketType::unsubscribe, filters, waits_.answer_by, stop,
                   [&](Client& client) { client.unsubscribe(filters, properties); });
}

/// Of a packet with so many bytes of filters: one that is larger than the broker takes must not be sent
/// [MQTT-3.2.2-15].
void PahoSession::throw_if_too_large(PacketType type, std::size_t filters, const std::vector<Property>& properties,
                                     const BrokerLimits& limits) const {
  constexpr std::size_t headers = 1 + 4 + 2 + 4;  // at most: fixed header, packet id, length of the properties
  const std::size_t size = headers + filters + encoded_size(properties);
  if (size > limits.maximum_packet_size) {
    throw Error{fmt::format("the broker at {} takes packets of {} bytes at most, and {} would have {}", broker(),
                            limits.maximum_packet_size, packet_name(type), size),
                ExitStatus::topic_refused};
  }
}

/// Asks for something and waits for the answer that comes to it; it is read off the wire, because Paho C++ makes an
/// exception of some answers, and loses what the broker says beside its codes. Nothing if the connection was lost on
/// the way. Throws Error if the broker does not answer.
std::optional<Packet> PahoSession::answer_to(PacketType type, const std::vector<std::string>& filters, Deadline by,
                                             const std::stop_token& stop, const std::function<void(Client&)>& send) {
  std::shared_ptr<Connection> connection;  // let go when no lock is held: its client may end with it
  const Hurry hurry{*this};
  const auto suspect = type == PacketType::subscribe ? Suspicion::subscribe : Suspicion::unsubscribe;
  const Lock one_at_a_time(asking_);
  Lock lock(mutex_);
  connection = connection_;  // no answer on another one is an answer to this
  if (losses_.suspicion().suspect() == suspect &&
      (!holds_quietly(lock, std::min(by, deadline_in(quiet_time)), stop) || connection_ != connection)) {
    return std::nullopt;
  }
  request_.ask(connection->number, type, filters);
  losses_.suspicion().sent(suspect, true);
  lock.unlock();
  try {
    send(*connection->client);
  } catch (const ClientError& error) {
    lock.lock();
    const bool is_lost = connection->is_lost;
    losses_.suspicion().acknowledged();  // it has not left
    lock.unlock();
    if (!is_lost && connection->client->is_connected()) {
      throw Error{fmt::format("cannot send {}: {}", packet_name(type), error.what())};
    }
    return std::nullopt;
  }
  lock.lock();
  const auto is_over = [&] { return connection->is_lost || lifecycle_.is_over() || connection_ != connection; };
  changed_.wait_until(lock, stop, std::min(by, deadline_in(config_.connect_timeout)),
                      [&] { return is_over() || request_.answer(); });
  if (is_over()) {
    return std::nullopt;
  }
  if (request_.answer()) {
    return request_.answer();
  }
  lock.unlock();
  if (stop.stop_requested()) {
    throw Error{fmt::format("stopped before the broker at {} had answered {}", broker(), packet_name(type)),
                ExitStatus::no_broker};
  }
  if (std::chrono::steady_clock::now() >= by) {
    throw late();
  }
  throw Error{fmt::format("the broker at {} did not answer {}", broker(), packet_name(type)), ExitStatus::no_broker};
}

}  // namespace sistem
