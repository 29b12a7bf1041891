#pragma once

#include <sys/uio.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "common/mqtt/packet.hpp"
#include "common/net/channel.hpp"
#include "common/paho/admission.hpp"
#include "common/paho/ending.hpp"
#include "common/paho/gate.hpp"
#include "common/paho/held_acknowledgements.hpp"
#include "common/paho/lock_places.hpp"
#include "common/paho/pulse.hpp"
#include "common/paho/ready_packets.hpp"
#include "common/paho/resend.hpp"
#include "common/paho/send_queue.hpp"
#include "common/process/stop.hpp"
#include "common/process/thread.hpp"

namespace sistem {

/// Stands between the MQTT library and a channel to the broker: the library's module of sockets (socket.cpp) reads and
/// writes here. So it sees each packet in both directions, gives the library only packets that are whole and that the
/// gate has let through, can read ahead, and decides which of the messages that have come may pass on to the library,
/// which acknowledges whatever it gets.
///
/// The exchanges of QoS 2 with the broker's messages end here: the library gets each as one of QoS 1, its PUBACK goes
/// out as PUBREC, and PUBREL is answered here. So such a message is delivered when it arrives, in every version. Left
/// to itself the library waits for PUBREL before MQTT 5: what waited at a stop was lost, and PUBREL may stand behind
/// any number of messages (Paho C 1.3.12, 1.3.14; it also searches a list for each).
///
/// Any thread may call anything, except where it is said otherwise.
class Wire {
 public:
  enum class Way { in, out };

  /// Who wants to see packets, and which: it is asked with a packet's first byte and its size before it is shown.
  /// Called with the wire's lock held, from whatever thread moves the packet, in the order on the wire: must not call
  /// the wire.
  struct Observer {
    std::function<bool(Way, std::uint8_t first_byte, std::size_t size)> wants;
    /// All of the packet, but of a large PUBLISH its beginning only.
    std::function<void(Way, std::string_view packet)> on_packet;
    /// The connection is gone, and what is sent from here on goes nowhere.
    std::function<void()> on_lost;
    /// So many messages of QoS 0 are with the system by now, of all that were taken for sending; `all`: nothing waits
    /// here.
    std::function<void(std::uint64_t messages, bool all)> on_handed_on;
    /// There is nothing to read for the moment. This one is called without the lock.
    std::function<void()> on_idle;
    /// Of a message, by its packet id. Not given: it is sent.
    std::function<Resend(std::uint16_t id)> resends = {};
    /// A packet from the broker, all of it, that is not for the library, and why: it answers nothing any more.
    std::function<void(std::string_view packet, std::string_view why)> on_kept_back = {};
  };

  /// What holds from the start.
  struct Start {
    bool gathers = false;                ///< small packets to the broker are sent together
    std::optional<std::size_t> at_most;  ///< as by pass_at_most()
    bool without_limit = false;          ///< as by read_without_limit()
    /// Packet ids of messages of QoS 2 that were delivered on an earlier connection of this session, and whose PUBREL
    /// has not arrived: sent again they are acknowledged, and not delivered twice.
    std::set<std::uint16_t> known = {};
    Admits admits = Admits::all;
    /// A message is acknowledged when written() has said that it may be, and not when the library has it.
    bool holds_acknowledgements = false;
    std::set<std::uint16_t> unwritten = {};  ///< packet ids that came on an earlier connection, as by written()
    /// The library sends DISCONNECT of its own, too, when it gives a connection up. That one goes nowhere, and a broker
    /// that reads it all the same would not publish the will. So none passes before announce_goodbye().
    bool drops_goodbyes = false;
    bool awaits_connack = false;  ///< whoever answers by anything else is no broker: the connection ends
    ProtocolVersion version = ProtocolVersion::v311;
    std::set<std::uint16_t> carried = {};  ///< as by under_way() of the connection before
  };

  Wire(Channel channel, Observer observer, const Start& start);

  // For the library's threads.

  /// The next so many bytes of what has come, or nullptr if there are none; has_ended() then tells why. Only ever of
  /// whole packets: if one byte of a packet is there, all are, so that no call may ask for bytes of two. Good until the
  /// first bytes of the next packet are asked for. One thread only.
  [[nodiscard]] char* take(std::size_t size);
  [[nodiscard]] bool has_ended() const;
  /// Takes a packet, all of it. What is gathered is sent by the next packet of another kind, by flush() and by
  /// advance(); what finds no room in the socket, by the latter two. If the connection is gone, take() tells.
  void send(std::span<const iovec> packet);
  /// Sends what waits. True if the socket is full, so that something still does: awaited() has changed.
  bool flush();
  /// What poll(2) is to wait for on fd().
  [[nodiscard]] std::int16_t awaited();
  [[nodiscard]] int fd() const { return channel_.fd(); }
  /// Reads ahead if take() has nothing left to give, and sends what waits here; to be called by the thread that reads,
  /// before it waits, and afterwards. `readable`: poll(2) has said so of the socket. True if take() has something to
  /// tell.
  bool advance(bool readable);
  /// Whether it is known already that take() has something to tell. Takes no lock.
  [[nodiscard]] bool has_ready() const { return ready_.is_being_taken() || shown_.has_ready; }
  /// Whether flush() would have something to send. Takes no lock.
  [[nodiscard]] bool has_gathered() const { return shown_.has_gathered; }
  /// Whether something waits for room in the socket, and whoever reads does not know: its poll(2) must be ended, so
  /// that it asks for awaited() again. Takes no lock.
  [[nodiscard]] bool needs_reader() const { return shown_.needs_reader; }
  /// The library is about to close the connection: says so to the peer once what waits has been sent, as far as that
  /// goes at once; drain() does the rest.
  void end();

  // For the session.

  /// When the last bytes came that were read. What was read ahead together has that one time, and so has what was held
  /// back until then. Takes no lock.
  [[nodiscard]] std::chrono::system_clock::time_point arrival() const { return arrival_.system; }
  /// The same by the clock that never jumps; reckoned from both, so that it may seem to go back.
  [[nodiscard]] std::chrono::steady_clock::time_point arrival_steady() const { return arrival_.steady; }

  /// How many messages have come and not reached the end of their way.
  [[nodiscard]] std::size_t unconsumed() const;
  /// So many of the messages that passed to the library have reached the end of their way: there is room for others.
  /// True if take() had nothing to tell and now has, or would after reading, which had paused.
  bool consumed(std::size_t messages);
  /// So many messages pass to the library, those among them that are on their way and not consumed; none: all. What
  /// comes after them waits here and is never acknowledged; packets that are no messages overtake it. True as above.
  bool pass_at_most(std::optional<std::size_t> messages);
  /// Whether somebody waits for an answer, which may stand behind any number of messages: then all are read. True if
  /// reading had paused.
  bool read_without_limit(bool yes);
  /// Lets in nothing more from here on, and goes on reading: answers may stand behind any number of messages. What has
  /// not passed to the library stays with the broker. True if reading had paused.
  bool admit_no_more();
  /// Messages with these packet ids are where they belong: they are acknowledged, in the order in which they came.
  /// Where acknowledgements are not held this is never called. True as flush().
  bool written(std::span<const std::uint16_t> ids);
  /// Waits until each message of QoS 2 that was let in has had its PUBREL. False if not all had in time, or some are
  /// not even acknowledged.
  bool wait_until_exchanged(Deadline deadline);
  /// Whether the message that the library has got with that packet id had QoS 2 on its way here. Takes no lock.
  [[nodiscard]] bool had_qos_2(std::uint16_t id) const { return admission_.had_qos_2(id); }

  /// Sends PINGREQ if nothing was sent for so long. True as flush().
  bool ping_after(std::chrono::steady_clock::duration idle);
  /// As Pulse has it: a broker that is silent for too long is given up.
  void keep_alive(std::chrono::seconds interval);
  /// Whether the broker's answer to a PINGREQ has not arrived.
  [[nodiscard]] bool awaits_pingresp() const;

  /// The next DISCONNECT is what the session wants to say.
  void announce_goodbye();
  /// Waits until everything that was taken for sending is with the system. False if it was not in time, or the
  /// connection is gone.
  bool wait_until_sent(Deadline deadline);
  /// To be called when the library has closed its side: what the broker still sends is read and dropped until it closes
  /// its own. A socket that is closed with unread bytes in it is reset, and the broker then loses what it has not read
  /// yet: acknowledgements and DISCONNECT.
  void drain(Deadline deadline);

  /// The packet ids of messages to the broker whose exchange is not over: for the next connection of this session.
  [[nodiscard]] std::set<std::uint16_t> under_way() const;
  /// How many bytes that were taken for sending the peer's system has not acknowledged, as far as the system says.
  [[nodiscard]] std::size_t backlog() const;
  /// Whether anything was sent at all.
  [[nodiscard]] bool has_sent() const;

  // Of a connection that is gone.

  /// What the broker did that MQTT does not allow, and for which the connection was ended; nothing if it did not.
  [[nodiscard]] std::optional<Violation> violation() const;
  /// Whether the peer has ended the connection.
  [[nodiscard]] bool is_closed_by_peer() const;
  /// How long before this moment the last bytes were sent, if it was the peer that has ended the connection.
  [[nodiscard]] std::optional<std::chrono::steady_clock::duration> closed_by_peer_after();
  /// Why the connection has ended, if the peer has said so below MQTT, or in what way it did not keep to MQTT. Reads
  /// what has come and nobody has read: the library may close a connection without that.
  [[nodiscard]] std::optional<std::string> last_word();
  /// Why it is gone, in a few words: the peer's last word, what was wrong with its bytes, what the system says, or that
  /// no answer came to a ping.
  [[nodiscard]] std::string why_lost();

 private:
  static constexpr std::string_view pingreq{"\xC0\0", 2};

  /// An observer sees at most this much of a PUBLISH: its topic and nearly all properties, and not a payload of 200 MB.
  static constexpr std::size_t publish_shown = 256 << 10;

  /// Holds the lock, and leaves right what is read without it.
  class LockedUpdate {
   public:
    explicit LockedUpdate(Wire& wire) : lock(wire.mutex_), wire_(wire) {}
    LockedUpdate(const LockedUpdate&) = delete;
    LockedUpdate& operator=(const LockedUpdate&) = delete;
    ~LockedUpdate() { wire_.note_changes(); }

    Lock lock;

   private:
    Wire& wire_;
  };

  /// A packet to the broker as the observer and the gate get it, while it goes in parts.
  struct Watched {
    PacketCutter cutter;
    bool is_wanted = false;
    bool is_the_gates = false;
    std::string bytes;
  };
  /// The broker's packet that is arriving.
  struct Arriving {
    PacketCutter cutter;
    std::string bytes;  ///< what has come of one that comes in parts; of one that is dropped, what is shown
    bool is_message = false;
    bool is_dropped = false;
    std::optional<std::string> beginning;  ///< what has come, while it is too little to tell whether it is CONNACK
    bool is_drained = false;               ///< there is nothing to read until poll(2) says so
  };
  /// When the last bytes came.
  struct Arrival {
    std::atomic<std::chrono::system_clock::time_point> system{std::chrono::system_clock::now()};
    std::atomic<std::chrono::steady_clock::time_point> steady{std::chrono::steady_clock::now()};
  };
  /// What is read without the lock.
  struct Shown {
    std::atomic<bool> has_ready{false};
    std::atomic<bool> has_gathered{false};
    std::atomic<bool> needs_reader{false};
  };
  /// Messages of QoS 0.
  struct HandedOn {
    std::uint64_t to_channel = 0;
    std::uint64_t to_system = 0;
    bool all = true;  ///< the observer was told so
  };

  void note_changes();
  // Out.
  [[nodiscard]] bool is_to_be_sent(std::span<const iovec> packet, PacketType type);
  [[nodiscard]] bool is_needless_ping();
  void send_kept();
  void acknowledge(std::uint16_t id, std::string packet);
  void let_go();
  void after_sending(int error);
  void push() { after_sending(queue_.flush()); }
  void watch_sent(std::string_view bytes);
  void show_sent(const PacketCutter::Piece& piece);
  void tell_handed_on();
  void fail(int error);
  void answer_ping();
  // In.
  void read_ahead();
  void note_arrival();
  void check_beginning(std::string_view bytes);
  void sort(std::string_view bytes);
  void on_whole(std::string_view packet, std::string* own);
  void on_other(std::string_view packet);
  void pass(std::string_view packet, std::string* own, const Gate::PublishHead& head);
  bool pass_held();
  void show_received(std::string_view packet);
  void insert(const std::string& acknowledgement);
  void end_for(const Violation& violation);
  void stop(int error);
  void check_pulse();
  [[nodiscard]] bool reads() const;
  [[nodiscard]] bool may_read_messages() const;
  /// How many bytes that were sent wait in this system, as far as it says.
  [[nodiscard]] std::uint64_t queued_in_system() const;
  /// Makes a change by which more may be read or pass. Whether the one or the other is so.
  template <typename Change>
  bool tell_resumed(Change change);

  mutable Mutex mutex_{wire_place};
  ConditionVariable changed_;  ///< for whoever waits until all is sent or exchanged, or it has ended
  Channel channel_;
  const Observer observer_;
  Gate gate_;
  Pulse pulse_;

  // Out.
  SendQueue queue_;
  Watched out_;
  std::deque<std::string> kept_;              ///< messages from the library that must wait, in order
  std::optional<HeldAcknowledgements> held_;  ///< if they are held
  HandedOn handed_on_;
  bool is_broken_ = false;        ///< nothing more can be sent
  bool drops_goodbyes_;           ///< as in Start, until one is announced
  bool is_room_awaited_ = false;  ///< by whoever reads

  // In.
  Admission admission_;
  Arriving in_;
  ReadyPackets ready_;
  Arrival arrival_;

  Shown shown_;
  Ending ending_;
};

}  // namespace sistem
