#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "common/channel.hpp"
#include "common/packet.hpp"
#include "common/stop.hpp"

namespace sistem {

/// Stands between the MQTT library and a channel to the broker. The library takes it for a socket: paho_shims gives it
/// the library's system calls. So it sees each packet in both directions, can read ahead, and decides which of the
/// messages that have come may pass on to the library, which acknowledges whatever it gets.
class Wire {
 public:
  enum class Way { in, out };

  /// Who wants to see packets, and which: it is asked with a packet's first byte and its size before it is shown.
  /// Called with the wire's lock held, from whatever thread moves the packet, in the order on the wire: must not call
  /// the wire.
  struct Observer {
    std::function<bool(Way, std::uint8_t first_byte, std::size_t size)> wants;
    /// All of the packet, but of PUBLISH its beginning only where it is large.
    std::function<void(Way, std::string_view packet)> sees;
    /// The connection is gone, and what is sent from here on goes nowhere.
    std::function<void()> loses;
    /// So many messages of QoS 0 are with the system by now, of all that were taken for sending; `all`: nothing waits
    /// here.
    std::function<void(std::uint64_t messages, bool all)> hands_on;
    /// There is nothing to read for the moment. This one is called without the lock.
    std::function<void()> rests;
    /// advance() has read a message, or its beginning, and all others were consumed: whoever waits for messages may
    /// wake up before the library has it. A hint; without the lock, too.
    std::function<void()> comes;
  };

  /// What is done with small packets to the broker: a flood of them is gathered, and costs a system call for each 16
  /// KiB.
  enum class Sending : std::uint8_t { gathered, one_by_one };

  /// What holds from the beginning.
  struct Beginning {
    std::optional<std::size_t> at_most;  ///< as by pass_at_most()
    bool without_limit = false;          ///< as by read_without_limit()
    /// Messages of QoS 2 that the library has already, by their packet ids, since the session went on from an earlier
    /// connection: sent again they pass, and are not counted, because nobody will ever consume them.
    std::set<std::uint16_t> known;
  };

  Wire(Channel channel, Observer observer, Sending sending, Beginning beginning);
  Wire(Channel channel, Observer observer, Sending sending)
      : Wire(std::move(channel), std::move(observer), sending, Beginning{}) {}

  // What the library asks of a socket, by its threads. errno as the system sets it.

  /// As recv(2). Only ever one thread calls it at a time.
  [[nodiscard]] ssize_t receive(char* into, std::size_t size);
  /// As writev(2), but that it takes everything. What is gathered here is sent by the next packet of another kind, by
  /// rest() and by advance(); what finds no room in the socket, by the latter two. Where the connection is gone,
  /// receive() tells.
  [[nodiscard]] ssize_t send(const iovec* parts, int count);
  /// To be called by a thread of the library that sends and is about to wait: what was gathered is sent. True where the
  /// socket was full, so that something is still to be sent: awaited() has changed.
  bool rest();
  /// What poll(2) is to wait for on the channel's socket.
  [[nodiscard]] std::int16_t awaited();
  /// Reads ahead where receive() has nothing left to give, and sends what waits here; to be called by the thread that
  /// reads, before it waits, and afterwards. `readable`: poll(2) has said so of the socket. True where receive() has
  /// something to tell.
  bool advance(bool readable);
  /// Whether it is known already that receive() has something to tell. Takes no lock.
  [[nodiscard]] bool has_ready() const { return taken_left_ > 0 || has_ready_; }
  /// Whether rest() would have something to send. Takes no lock.
  [[nodiscard]] bool has_gathered() const { return has_gathered_; }
  /// Whether something waits for room in the socket, as far as is known. Takes no lock.
  [[nodiscard]] bool is_full() const { return is_full_; }
  /// The same, but that whoever reads does not know: its poll(2) must be ended, so that it asks for awaited() again.
  /// Takes no lock.
  [[nodiscard]] bool needs_reader() const { return needs_reader_; }
  /// The connection is about to be closed.
  void end();

  // For the session.

  /// How many messages have come, at least their beginnings, and not reached the end of their way.
  [[nodiscard]] std::size_t unconsumed() const;

  [[nodiscard]] int fd() const { return channel_.fd(); }

  /// When the last bytes came that were read. What was read ahead together has that one time, and so has what was held
  /// back until then. Takes no lock.
  [[nodiscard]] std::chrono::system_clock::time_point arrival() const { return arrival_; }
  /// The same by the clock that never jumps; reckoned from both, so that it may seem to go back.
  [[nodiscard]] std::chrono::steady_clock::time_point arrival_steady() const { return arrival_steady_; }

  /// So many of the messages that passed to the library have reached the end of their way: there is room for others.
  /// True where receive() had nothing to tell and now has, or would after reading, which had paused.
  bool consumed(std::size_t messages);

  /// So many messages pass to the library, those among them that are on their way and not consumed; none: all. What
  /// comes after them waits here and is never acknowledged; packets that are no messages overtake it. True as above.
  bool pass_at_most(std::optional<std::size_t> messages);

  /// Whether somebody waits for an answer, which may stand behind any number of messages: then all are read. True where
  /// reading had paused.
  bool read_without_limit(bool yes);

  /// Sends PINGREQ where nothing was sent for so long. True as rest().
  bool ping_after(std::chrono::steady_clock::duration idle);

  /// Waits until everything that was taken for sending is with the system. False where it was not in time, or the
  /// connection is gone.
  bool wait_until_sent(Deadline deadline);

  /// Why the peer has ended the connection, where it has said so below MQTT. Reads what has come and nobody has read:
  /// the library may close a connection without that.
  [[nodiscard]] std::optional<std::string> last_word();

 private:
  /// Holds the lock, and leaves right what is read without it.
  class Changing {
   public:
    explicit Changing(Wire& wire) : lock(wire.mutex_), wire_(wire) {}
    Changing(const Changing&) = delete;
    Changing& operator=(const Changing&) = delete;
    ~Changing() {
      wire_.has_ready_ = !wire_.ready_.empty() || wire_.ended_;
      wire_.has_gathered_ = wire_.unsent() > 0;
      wire_.needs_reader_ = wire_.is_full_ && !wire_.is_room_awaited_;
    }

    std::unique_lock<std::mutex> lock;

   private:
    Wire& wire_;
  };

  /// A packet as the observer gets it, while it is still coming.
  struct Watched {
    PacketCutter cutter;
    bool wanted = false;
    std::string bytes;
  };

  [[nodiscard]] bool is_needless_ping(const iovec* parts, int count);
  [[nodiscard]] bool may_gather(const iovec* parts, int count, std::size_t size) const;
  bool send_waiting();
  void push();
  void watch_sent(std::string_view bytes);
  void tell_handed_on();
  void fail(int error);
  [[nodiscard]] std::size_t unsent() const { return unsent_.size() - unsent_begin_; }
  [[nodiscard]] bool has_unsent() const { return unsent() > 0 || channel_.has_unsent(); }
  void read_ahead();
  void sort(std::string_view bytes);
  bool pass_held();
  bool tell_resumed(bool paused, bool passed);
  [[nodiscard]] bool may_pass() const;
  void pass(std::size_t size);
  void watch(Way way, Watched& watched, const PacketCutter::Piece& piece);
  void note_arrival();
  [[nodiscard]] std::size_t waiting() const { return taken_left_ + ready_.size(); }
  [[nodiscard]] bool may_read_ahead() const;
  [[nodiscard]] bool may_insert() const;
  void answer_ping();

  mutable std::mutex mutex_;
  std::condition_variable sent_;
  Channel channel_;
  const Observer observer_;
  const Sending sending_;

  Watched out_;         ///< as the channel has taken it
  std::string unsent_;  ///< what was taken and must go before anything else; the channel has had of it:
  std::size_t unsent_begin_ = 0;
  std::uint64_t handed_on_ = 0;  ///< messages of QoS 0 that the channel has
  std::uint64_t told_ = 0;       ///< so many of them were told of: the system has them
  std::atomic<bool> has_gathered_{false};
  std::atomic<bool> is_full_{false};  ///< the channel did not take all the last time
  bool is_room_awaited_ = false;      ///< by whoever reads
  std::atomic<bool> needs_reader_{false};
  bool went_since_ping_ = false;  ///< anything, since the library's last PINGREQ that had to wait
  bool is_broken_ = false;        ///< nothing more can be sent
  std::chrono::steady_clock::time_point last_sent_ = std::chrono::steady_clock::now();

  Watched in_;
  std::atomic<std::chrono::system_clock::time_point> arrival_{std::chrono::system_clock::now()};  ///< of what is ready
  std::atomic<std::chrono::steady_clock::time_point> arrival_steady_{std::chrono::steady_clock::now()};
  std::string taken_;                       ///< for receive(), and touched by it alone, which gives it without the lock
  std::atomic<std::size_t> taken_left_{0};  ///< of its end
  std::string ready_;                       ///< what comes next
  std::atomic<bool> has_ready_{false};
  std::deque<std::size_t> passed_;  ///< sizes of the messages that passed and are not consumed
  std::size_t passed_bytes_ = 0;
  std::optional<std::size_t> at_most_;  ///< so many of those there may be, until the session says something else
  const std::set<std::uint16_t> known_;
  std::deque<std::string> held_;  ///< messages that must wait; the last one may not be all there
  std::size_t held_bytes_ = 0;
  bool holds_current_ = false;  ///< the packet that is coming goes to held_
  std::atomic<bool> without_limit_{false};
  bool is_drained_ = false;           ///< there is nothing to read until poll(2) says so
  std::optional<int> ended_;          ///< nothing more comes: the errno, or 0 where the peer has closed the connection
  std::optional<std::string> fault_;  ///< what was wrong with the bytes that came
};

}  // namespace sistem
