#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/connection_config.hpp"
#include "common/measure/deliveries.hpp"
#include "common/mqtt/message.hpp"
#include "common/process/console.hpp"
#include "common/process/error.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// Whether retained messages are sent for a subscription [MQTT5 3.8.3.1].
enum class RetainHandling : std::uint8_t { send_always = 0, send_if_new = 1, send_never = 2 };

/// A topic filter and the highest QoS that messages for it should arrive with. What follows is MQTT 5's.
struct Subscription {
  std::string filter;
  int qos = 0;
  bool retain_as_published = false;  ///< the retain flag arrives as it was sent
  RetainHandling retain_handling = RetainHandling::send_always;
  bool no_local = false;  ///< what this client publishes itself does not come back
};

/// What a refused message does to the run: it ends it, or it is counted, silently or with a line on stderr for each.
enum class OnRefusal : std::uint8_t { ends_the_run, is_counted, is_reported };

/// What the broker said to one subscription.
struct Grant {
  std::string filter;
  std::optional<int> qos;  ///< granted; nothing: refused [MQTT-3.9.3]
  std::string why;         ///< it was refused: "not authorized (0x87)", with the broker's own words if it has any
};

/// What happens where messages come faster than receive() takes them, and the queue between the two is full: it holds
/// 1000 messages or 16 MiB of payloads.
enum class Overflow : std::uint8_t {
  block,        ///< no more is read: the broker queues, or drops by its own rules
  drop_oldest,  ///< the longest waiting one is forgotten
  drop_newest   ///< the one that has just come
};

/// What its caller publishes next: a flood costs less where its messages go out together.
enum class Next : std::uint8_t {
  nothing,  ///< not at once, at least
  more,     ///< until then a message may wait; or until the caller waits for something of the session
};

/// Whether the broker is asked to keep the session when the connection goes [MQTT-3.1.2-5, MQTT5 3.1.2.11.2].
[[nodiscard]] bool is_kept(const ConnectionConfig& config);

/// Which messages of a session that is kept are taken from the broker. The others stay there unacknowledged: they are
/// for a run that prints them.
enum class Takes : std::uint8_t { all, only_qos_0, none };

/// When a message of QoS 1 or 2 is acknowledged to the broker.
enum class Acknowledged : std::uint8_t {
  on_arrival,
  when_told,  ///< by Session::acknowledge(), in a session that is kept: what was not comes again. Not where a queue
              ///< that is full drops something
};

/// How many messages a session takes from the broker, and what it does where that is too fast.
struct Intake {
  /// The session begins as after take_at_most(), since one that was kept brings messages before anything is subscribed.
  std::optional<std::size_t> at_most = {};
  Overflow overflow = Overflow::block;
  /// Whether the times of arrival count: in a flood nothing is left for a moment to be read together with what comes
  /// next.
  bool times_count = false;
  Takes takes = Takes::all;
  Acknowledged acknowledged = Acknowledged::on_arrival;
};

/// One connection to one broker: the seam between the tools and the MQTT library. Its two implementations are Paho's
/// and the tests' in-memory one. Called from one thread. A connection that is lost is regained behind these calls,
/// with its subscriptions and with what was published and not acknowledged; each call throws Error where it is gone
/// for good (no_broker, broker_refused).
///
/// What was not acknowledged is published again. In a session that the broker has kept the exchange of each message
/// goes on where it was [MQTT-4.4.0-1], and QoS 2 brings it once. A clean session knows of no exchange before it: there
/// it is a new message, and one whose acknowledgement was lost with the connection arrives twice, at QoS 2 too.
class Session {
 public:
  virtual ~Session() = default;

  /// Subscribes to all, in one packet where no option of MQTT 5 is set, and waits for the SUBACK. The grants come in
  /// the order of the subscriptions. Throws Error (no_broker) where no answer came in time or a stop was requested
  /// first.
  [[nodiscard]] virtual std::vector<Grant> subscribe(const std::vector<Subscription>& subscriptions,
                                                     const std::stop_token& stop) = 0;

  /// Ends subscriptions and waits for the UNSUBACK; one that did not exist is no error [MQTT5 3.11.3].
  /// Throws Error as subscribe() does, and (topic_refused) where the broker says no, which it can in MQTT 5.
  virtual void unsubscribe(const std::vector<std::string>& filters, const std::stop_token& stop) = 0;

  /// Waits while too many are unacknowledged for a message of that QoS to be taken. False where a stop was requested
  /// before there was room. Throws as publish() does.
  [[nodiscard]] virtual bool wait_for_room(int qos, const std::stop_token& stop) = 0;

  /// Takes a message for publishing, after wait_for_room(). False where a stop was requested
  /// before it could be taken. The properties go out in MQTT 5 only. Throws Error (topic_refused), once, where an
  /// earlier message was refused: by PUBACK or PUBREC in MQTT 5, or because the broker has said in CONNACK that it
  /// takes no such message. Of several that were refused the first is named.
  [[nodiscard]] virtual bool publish(Message message, const std::stop_token& stop, Next next) = 0;
  [[nodiscard]] bool publish(Message message, const std::stop_token& stop) {
    return publish(std::move(message), stop, Next::nothing);
  }

  /// Waits until everything taken was acknowledged (QoS 0: written). How many were not, which is more than 0 only
  /// where the deadline passed or a stop was requested; after a stop they were waited for a moment more. Throws Error
  /// (topic_refused) as publish() does, after that.
  [[nodiscard]] virtual std::size_t flush(const std::stop_token& stop, Deadline deadline = never) = 0;

  /// From here on records there what becomes of the messages that it takes. `is_counted`: a refused message is counted
  /// there, and no call throws because of it; `is_reported`: the same, and each is reported on stderr.
  virtual void record_deliveries(std::shared_ptr<Deliveries> deliveries, OnRefusal on_refusal) = 0;

  /// From here on takes so many further messages from the broker, none: without a limit. What comes after them stays
  /// with the broker, unacknowledged, and a session that is kept brings it the next time. Not called: no limit. Nor has
  /// it one that drops what is too much.
  virtual void take_at_most(std::optional<std::size_t> messages) = 0;

  /// What has arrived since the last call, oldest first; waits for at least one message. Empty where the deadline
  /// passed, a stop was requested or interrupt() was called first.
  [[nodiscard]] virtual std::vector<Message> receive(Deadline deadline, const std::stop_token& stop) = 0;

  /// All that receive() has given is where it belongs, so that no end of this process can lose it. Of a session that
  /// acknowledges when told, the broker may forget it now; of others it does nothing. Does not wait.
  virtual void acknowledge() = 0;

  /// A receive() that waits, or the next one, returns at once. The only call that any thread may make.
  virtual void interrupt() = 0;

  /// How many have arrived or are on their way through the library to receive(), and how many were dropped because too
  /// many were. What was dropped is acknowledged.
  [[nodiscard]] virtual std::size_t waiting() const = 0;
  [[nodiscard]] virtual std::size_t dropped() const = 0;

  /// Where the broker is that this session talks to, as a person reads it.
  [[nodiscard]] virtual std::string broker() const = 0;

  /// The client id that this session goes by.
  [[nodiscard]] virtual std::string client_id() const = 0;

  /// Whether there is a connection at this moment, as far as anybody knows.
  [[nodiscard]] virtual bool connected() const = 0;

  /// How many connections it has had, with the present one.
  [[nodiscard]] virtual std::uint64_t connections() const = 0;

  /// From here on takes nothing more from the broker. What has been acknowledged, or soon will be, arrives and is to be
  /// had by receive(), and exchanges of QoS 2 that were begun are ended: that takes a fraction of a second at most, and
  /// no time as a rule. disconnect() does the same.
  virtual void take_no_more() = 0;

  /// After disconnect(): why what was published may not have arrived although flush() has not thrown. The connection
  /// was lost after messages of QoS 0 were sent on it, or ended by the broker, before DISCONNECT was sent.
  [[nodiscard]] virtual std::optional<Error> fault() const = 0;

  /// Sends DISCONNECT, so that the broker does not publish the will [MQTT-3.14.4-3], and closes the connection.
  /// Takes a fraction of a second at most, also with a broker that has fallen silent. The session's last call; a second
  /// one does nothing.
  virtual void disconnect() = 0;
};

/// Disconnects a session of open_session() and leaves it behind: Paho's threads may call back until the process ends,
/// and its client takes 0.1 to 1 s to destroy.
struct EndSession {
  void operator()(Session* session) const;
};
using SessionPointer = std::unique_ptr<Session, EndSession>;

/// Connects by Paho. Throws Error: no_broker where none answers (after the configured patience), broker_refused where
/// CONNACK says no.
[[nodiscard]] SessionPointer open_session(const ConnectionConfig& config, const Console& console,
                                          const std::stop_token& stop, const Intake& intake = {});

/// The library's versions, for --version.
[[nodiscard]] std::string library_versions();

}  // namespace sistem
