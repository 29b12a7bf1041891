#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "common/session.hpp"

namespace sistem::test {

/// A session with no network: remembers what it is given, and gives what the test has put in.
class MemorySession final : public Session {
 public:
  // What the test arranges.
  std::deque<std::vector<Message>> batches;        ///< each receive() gives one; after the last it waits
  std::set<std::string> refused;                   ///< filters that the broker refuses
  std::size_t room = SIZE_MAX;                     ///< publish() takes so many, and then none
  std::stop_source* stop_when_full = nullptr;      ///< requested when there is no room
  std::stop_source* stop_after_batches = nullptr;  ///< requested when all batches were given
  bool has_connection = true;
  std::uint64_t connections_so_far = 1;
  std::function<std::vector<Message>(const Message&)> answers;  ///< what arrives where something is published
  std::size_t unacknowledged = 0;                               ///< what flush() reports
  std::optional<Error> fault_at_end;                            ///< what fault() reports
  std::size_t lost_to_overflow = 0;                             ///< what dropped() reports

  std::set<std::string> refused_topics;  ///< what publish() takes for them is refused

  // What the test looks at.
  std::vector<Message> published;
  std::vector<Subscription> subscribed;
  std::vector<std::string> unsubscribed;
  bool flushed = false;
  std::vector<std::size_t> published_at_flush;  ///< of each flush(): how many messages had been published
  bool disconnected = false;
  std::shared_ptr<Deliveries>
      deliveries;  ///< given by record_deliveries(); all that is published is acknowledged at once
  std::vector<std::optional<std::size_t>> limits;  ///< of each take_at_most()
  std::size_t received = 0;                        ///< messages that receive() has given
  std::size_t acknowledged = 0;                    ///< and of them those at the last acknowledge()

  std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) override;
  void unsubscribe(const std::vector<std::string>& filters, const std::stop_token& stop) override;
  bool wait_for_room(int qos, const std::stop_token& stop) override;
  using Session::publish;
  bool publish(Message message, const std::stop_token& stop, Next next) override;
  std::size_t flush(const std::stop_token& stop, Deadline deadline = never) override;
  void record_deliveries(std::shared_ptr<Deliveries> of_all, OnRefusal /*on_refusal*/) override {
    deliveries = std::move(of_all);
  }
  void take_at_most(std::optional<std::size_t> messages) override { limits.push_back(messages); }
  std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) override;
  void acknowledge() override { acknowledged = received; }
  void interrupt() override;
  [[nodiscard]] std::size_t waiting() const override { return 0; }
  [[nodiscard]] std::size_t dropped() const override { return lost_to_overflow; }
  [[nodiscard]] std::string broker() const override { return "memory:1883"; }
  [[nodiscard]] std::string client_id() const override { return "memory"; }
  [[nodiscard]] bool connected() const override { return has_connection; }
  [[nodiscard]] std::uint64_t connections() const override { return connections_so_far; }
  void take_no_more() override {}
  [[nodiscard]] std::optional<Error> fault() const override { return fault_at_end; }
  void disconnect() override;

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool interrupted_ = false;
};

}  // namespace sistem::test
