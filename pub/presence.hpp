#pragma once

#include <memory>
#include <utility>

#include "common/connection_config.hpp"
#include "common/session.hpp"

namespace sistem {

/// A session whose will says that this client is gone, and that says by itself when it is there: before the first
/// message of each connection, since the broker may have published the will when the one before was lost; and what the
/// will says, before it disconnects in order. Everything else is the other session's.
class PresentSession final : public Session {
 public:
  PresentSession(Session& session, const Will& will);

  std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions, const std::stop_token& stop) override {
    return session_.subscribe(subscriptions, stop);
  }
  void unsubscribe(const std::vector<std::string>& filters, const std::stop_token& stop) override {
    session_.unsubscribe(filters, stop);
  }
  bool wait_for_room(int qos, const std::stop_token& stop) override { return session_.wait_for_room(qos, stop); }
  using Session::publish;
  bool publish(Message message, const std::stop_token& stop, Next next) override;
  std::size_t flush(const std::stop_token& stop, Deadline deadline = never) override {
    return session_.flush(stop, deadline);
  }
  void record_deliveries(std::shared_ptr<Deliveries> deliveries, OnRefusal on_refusal) override {
    session_.record_deliveries(std::move(deliveries), on_refusal);
  }
  void take_at_most(std::optional<std::size_t> messages) override { session_.take_at_most(messages); }
  std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) override {
    return session_.receive(deadline, stop);
  }
  void interrupt() override { session_.interrupt(); }
  [[nodiscard]] std::size_t waiting() const override { return session_.waiting(); }
  [[nodiscard]] std::size_t dropped() const override { return session_.dropped(); }
  [[nodiscard]] std::string broker() const override { return session_.broker(); }
  [[nodiscard]] std::string client_id() const override { return session_.client_id(); }
  [[nodiscard]] bool connected() const override { return session_.connected(); }
  [[nodiscard]] std::uint64_t connections() const override { return session_.connections(); }
  void take_no_more() override { session_.take_no_more(); }
  [[nodiscard]] std::optional<Error> fault() const override { return session_.fault(); }
  void disconnect() override;

 private:
  Session& session_;
  Message online_;
  Message offline_;
  std::uint64_t told_on_ = 0;  ///< the last connection on which it was said
};

}  // namespace sistem
