#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/paho/wire.hpp"

namespace sistem {

/// What one session waits for, which Paho's threads, that serve all sessions, are told by it.
struct Urgency {
  std::atomic<int> answers{0};           ///< somebody waits for so many answers: to CONNECT, SUBSCRIBE, ...
  std::atomic<bool> messages{false};     ///< messages wait for their acknowledgements
  std::atomic<bool> times_count{false};  ///< what comes is read at once, so that its time of arrival is its own

  [[nodiscard]] bool any() const { return answers > 0 || messages; }
};

/// The wires in Paho's hands. Paho connects to a host and a port; here the host is the number of a client, and the
/// socket that Paho gets is the number of the wire that its session has offered to it. Any thread may call.
class Wires {
 public:
  /// Of a new client, and of no other ever.
  [[nodiscard]] int new_client() { return ++clients_; }
  /// What to tell Paho to connect to.
  [[nodiscard]] static std::string uri_of(int client);

  /// Keeps a wire for that client's next connect; another one takes its place, null takes it back.
  void offer(int client, std::shared_ptr<Wire> wire, std::shared_ptr<const Urgency> urgency);

  struct Attached {
    int socket;  ///< above 0, and never given twice
    int client;
    std::shared_ptr<Wire> wire;
    std::shared_ptr<const Urgency> urgency;
  };
  using All = std::vector<std::shared_ptr<const Attached>>;

  /// Paho connects: the socket of the wire that was offered; nothing if none was.
  [[nodiscard]] std::optional<int> attach(int client);
  /// Paho closes.
  void detach(int socket);

  /// Those that are attached. A thread remembers the last answer, which is good until it asks again.
  [[nodiscard]] const All& all() const;
  /// The wire of a socket, or nullptr.
  [[nodiscard]] Wire* at(int socket) const;
  /// Another number each time that a wire has come or gone.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// Whether some session waits for an answer or an acknowledgement.
  [[nodiscard]] bool urgent() const;

 private:
  mutable std::mutex mutex_;
  std::atomic<int> clients_{0};
  std::atomic<std::uint64_t> generation_{1};
  int sockets_ = 0;
  All offered_;
  All attached_;
};

/// All of this process. Never destroyed: Paho's threads may outlive main().
[[nodiscard]] Wires& wires();

}  // namespace sistem
