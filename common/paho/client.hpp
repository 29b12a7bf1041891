#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/connection_config.hpp"
#include "common/mqtt/message.hpp"
#include "common/process/stop.hpp"
#include "common/session.hpp"

namespace sistem {

/// Why Paho does not do something.
class ClientError : public std::runtime_error {
 public:
  ClientError(const std::string& words, bool is_disconnected)
      : std::runtime_error(words), is_disconnected_(is_disconnected) {}
  /// Because there is no connection any more.
  [[nodiscard]] bool is_disconnected() const { return is_disconnected_; }

 private:
  bool is_disconnected_;
};

/// A client of Paho's. Its bytes pass through the wire that was offered to its number (wires.hpp). client.cpp is the
/// only file that knows Paho's headers.
class Client {
 public:
  /// Hears of what happens, by threads of Paho's that may have its mutex.
  class Listener {
   public:
    virtual ~Listener() = default;
    /// The connection is lost.
    virtual void on_lost(const Client& client) = 0;
    /// A message that publish() has taken is acknowledged; of QoS 0, written.
    virtual void on_delivered(const Client& client, std::uint64_t number, int qos) = 0;
    /// It was refused with that reason code [MQTT5 3.4.2.1]; 0: it could not be sent.
    virtual void on_failed(const Client& client, std::uint64_t number, std::uint16_t id, int code) = 0;
    /// A message has arrived; without a topic if an alias stands for none. Its time of arrival is not set.
    virtual void on_arrived(const Client& client, Message message, bool has_topic) = 0;
  };

  /// `most`: publish() is never called for more messages without acknowledgement. Paho's own limits are set beyond
  /// that, so that they are never met: at the one its send thread sleeps, and no PUBACK wakes it (1.3.12: 180 messages
  /// a second instead of 20,000); at the other it refuses messages.
  Client(Listener& listener, const std::string& client_id, const ConnectionConfig& config, std::size_t most);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// By which it finds its wires.
  [[nodiscard]] int number() const;

  /// Sends CONNECT. `goes_on`: with a session that this run has begun. Returns when Paho has an answer, false if that
  /// is no, or when `is_over` says so, which is asked now and then.
  [[nodiscard]] bool connect(const ConnectionConfig& config, bool goes_on, const std::function<bool()>& is_over);
  [[nodiscard]] bool is_connected() const;
  /// There is a new connection, on which no alias is known yet.
  void forget_aliases();

  // These throw ClientError. What the broker answers is seen on the wire.

  /// One packet for all of them.
  void subscribe(const std::vector<Subscription>& subscriptions, const std::vector<Property>& properties);
  void unsubscribe(const std::vector<std::string>& filters, const std::vector<Property>& properties);
  /// `number` comes back to the listener, unless this throws.
  void publish(const Message& message, std::uint64_t number);

  /// Sends DISCONNECT, with that reason code in MQTT 5. False if it did not go out in that time.
  bool disconnect(int code, const std::vector<Property>& properties, std::chrono::milliseconds at_most);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Paho's versions.
[[nodiscard]] std::string client_versions();

}  // namespace sistem
