#include "tests/support/memory_session.hpp"

namespace sistem::test {

std::vector<Grant> MemorySession::subscribe(const std::vector<Subscription>& subscriptions,
                                            const std::stop_token& /*stop*/) {
  subscribed = subscriptions;
  std::vector<Grant> grants;
  for (const Subscription& subscription : subscriptions) {
    const bool granted = !refused.contains(subscription.filter);
    grants.push_back({subscription.filter, granted ? std::optional(subscription.qos) : std::nullopt,
                      granted ? "" : "not authorized (0x87)"});
  }
  return grants;
}

void MemorySession::unsubscribe(const std::vector<std::string>& filters, const std::stop_token& /*stop*/) {
  unsubscribed = filters;
}

bool MemorySession::wait_for_room(int /*qos*/, const std::stop_token& stop) {
  if (published.size() < room) {
    return true;
  }
  if (stop_when_full != nullptr) {
    stop_when_full->request_stop();
  }
  (void)sleep_until(never, stop);
  return false;
}

bool MemorySession::publish(Message message, const std::stop_token& stop, Next /*next*/) {
  if (!wait_for_room(message.qos, stop)) {
    return false;
  }
  if (deliveries) {
    deliveries->take(message.payload.size());
    if (refused_topics.contains(message.topic)) {
      deliveries->refuse("not authorized (0x87)", "the broker refused the message to " + message.topic);
    } else {
      deliveries->acknowledge(std::chrono::microseconds(100));
    }
  }
  published.push_back(std::move(message));
  if (answers) {
    for (Message& answer : answers(published.back())) {
      batches.push_back({std::move(answer)});
    }
  }
  return true;
}

std::size_t MemorySession::flush(const std::stop_token& /*stop*/, Deadline /*deadline*/) {
  flushed = true;
  published_at_flush.push_back(published.size());
  return unacknowledged;
}

std::vector<Message> MemorySession::receive(Deadline deadline, const std::stop_token& stop) {
  if (batches.empty()) {
    if (stop_after_batches != nullptr) {
      stop_after_batches->request_stop();
    }
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, deadline, [&] { return interrupted_; });
    interrupted_ = false;
    return {};
  }
  auto batch = std::move(batches.front());
  batches.pop_front();
  received += batch.size();
  return batch;
}

void MemorySession::interrupt() {
  const std::scoped_lock lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

void MemorySession::disconnect() { disconnected = true; }

}  // namespace sistem::test
