#include "common/paho_shims.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/error.hpp"

/// Of Paho C, where that is linked in; else null. Paho's send thread is a loop around it: takes the first command that
/// can be carried out now from Paho's queue, where publish() has put it, and does it, with Paho's mutex held from the
/// beginning to the end. So any thread may call it that does not hold that mutex. 0 where there was none. Not declared
/// in a header of Paho's; common/CMakeLists.txt makes it known to the linker.
extern "C" [[gnu::weak]] int MQTTAsync_processCommand();  // NOLINT(readability-identifier-naming)

namespace sistem::paho_shims {
namespace {

constexpr in_addr_t nowhere = INADDR_BROADCAST;
constexpr std::uint16_t no_port = 1;

/// Whether a call of poll(2) asks for nothing but room to write, as Paho does before it looks for something to read.
bool is_for_writing(const pollfd& one) { return (one.events & (POLLIN | POLLOUT)) == POLLOUT; }

/// The wires in Paho's hands, by the descriptors that Paho knows them by; and the one that waits for Paho.
class Wires {
 public:
  /// Held by whoever waits for Paho to take a wire.
  std::mutex turn;

  void expect(std::shared_ptr<Wire> wire) {
    const std::scoped_lock lock(mutex_);
    expected_ = std::move(wire);
  }

  /// Puts the wire that waits in the place of Paho's own socket, which keeps its number. The errno that connect(2) is
  /// to answer with, 0 for none; nothing where no wire waits.
  std::optional<int> attach(int fd) {
    const std::scoped_lock lock(mutex_);
    if (!expected_) {
      return std::nullopt;
    }
    if (::dup3(expected_->fd(), fd, O_CLOEXEC) != fd) {
      return errno;
    }
    std::erase_if(attached_, [&](const auto& one) { return one.first == fd; });
    attached_.emplace_back(fd, std::exchange(expected_, nullptr));
    ++generation_;
    return 0;
  }

  /// The wire of a descriptor, null where it has none. Paho asks five times for each message: a thread remembers the
  /// last answer, and so keeps that wire until it asks again.
  [[nodiscard]] const std::shared_ptr<Wire>& at(int fd) const {
    struct Answer {
      std::uint64_t generation = 0;
      int fd = -1;
      std::shared_ptr<Wire> wire;
    };
    thread_local Answer last;
    const std::uint64_t generation = generation_;
    if (last.generation != generation || last.fd != fd) {
      std::unique_lock lock(mutex_);
      std::shared_ptr<Wire> wire = found(fd);
      lock.unlock();  // the last one may end here, which closes a socket
      last = {generation, fd, std::move(wire)};
    }
    return last.wire;
  }

  struct Look {
    int ready = 0;                             ///< so many have something, as far as is known: poll(2) is answered
    std::vector<std::shared_ptr<Wire>> wires;  ///< else they are these, null for what is none; empty where none is
  };
  /// For poll(2), during which Paho may close a descriptor: where wires among these have something for whoever reads,
  /// and for whoever writes, for whom they always have room, says so as it does.
  Look look_at(pollfd* fds, nfds_t count) const {
    Look look;
    bool any = false;
    for (pollfd* one = fds; one != fds + count; ++one) {
      const auto& wire = at(one->fd);
      const int state = !wire ? 0 : is_for_writing(*one) ? POLLOUT : wire->has_ready() ? POLLIN : 0;
      one->revents = static_cast<short>(state & one->events);
      look.ready += one->revents != 0 ? 1 : 0;
      any = any || wire;
    }
    if (look.ready == 0 && any) {
      std::transform(fds, fds + count, std::back_inserter(look.wires),
                     [this](const pollfd& one) { return at(one.fd); });
    }
    return look;
  }

  /// Those that have gathered something to send.
  [[nodiscard]] std::vector<std::shared_ptr<Wire>> gathered() const {
    std::vector<std::shared_ptr<Wire>> wires;
    const std::scoped_lock lock(mutex_);
    for (const auto& [fd, wire] : attached_) {
      if (wire->has_gathered()) {
        wires.push_back(wire);
      }
    }
    return wires;
  }

  /// Another number each time that a wire has come or gone.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  /// Before the descriptor is closed, and its number is free for another.
  void detach(int fd) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(attached_, [&](const auto& one) { return one.first == fd; });
    ++generation_;
  }

 private:
  [[nodiscard]] const std::shared_ptr<Wire>& found(int fd) const {
    static const std::shared_ptr<Wire> none;
    const auto at = std::find_if(attached_.begin(), attached_.end(), [&](const auto& one) { return one.first == fd; });
    return at == attached_.end() ? none : at->second;
  }

  mutable std::mutex mutex_;
  std::atomic<std::uint64_t> generation_{1};  ///< of what is attached
  std::shared_ptr<Wire> expected_;
  std::vector<std::pair<int, std::shared_ptr<Wire>>> attached_;
};

/// Never destroyed: Paho's threads may outlive main().
Wires& wires() {
  static auto* const all = new Wires;
  return *all;
}

/// An eventfd that ends a poll(2) on wires.
int waker() {
  static const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd;
}

int system_poll(pollfd* fds, nfds_t count, int timeout) {
  const timespec time{timeout / 1000, static_cast<long>(timeout % 1000) * 1000000};
  return ::ppoll(fds, count, timeout < 0 ? nullptr : &time, nullptr);
}

/// For Paho's receive thread: returns when it has been woken, or after so many milliseconds.
void wait_to_be_woken(int at_most) {
  pollfd one{waker(), POLLIN, 0};
  if (system_poll(&one, 1, at_most) > 0) {
    eventfd_t drained = 0;
    (void)::eventfd_read(waker(), &drained);
  }
}

bool is_nowhere(const sockaddr* address, socklen_t size) {
  if (address == nullptr || size < sizeof(sockaddr_in) || address->sa_family != AF_INET) {
    return false;
  }
  const auto* internet = reinterpret_cast<const sockaddr_in*>(address);
  return internet->sin_addr.s_addr == htonl(nowhere) && internet->sin_port == htons(no_port);
}

bool exports_are_in_force() {
  return ::dlsym(RTLD_DEFAULT, "connect") == reinterpret_cast<void*>(&::connect) &&
         ::dlsym(RTLD_DEFAULT, "recv") == reinterpret_cast<void*>(&::recv);
}

/// How many Hurry objects there are, and whether messages wait.
std::atomic<int> hurries{0};
std::atomic<bool> messages_wait{false};

bool in_a_hurry() { return hurries > 0 || messages_wait; }

/// Whether nobody wants messages to be read as soon as they come, so that several can be read together.
std::atomic<bool> may_nap{true};

/// How often this thread has got something to read without a wait, since it waited.
thread_local int got_at_once = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// For a thread that has hardly had to wait, time after time: it is in a flood of which each packet wakes it. A nap
/// before each wait lets it find several at once: messages of QoS 1 by way of a Mosquitto came a third faster, with
/// half the CPU time. Where it finds no more than one, because the next comes only when that is answered, it leaves it
/// alone for a while.
class Nap {
 public:
  void before_waiting() {
    const bool brought_several = std::exchange(got_at_once, 0) > 0;
    if (std::exchange(has_napped_, false)) {
      in_vain_ = brought_several ? 0 : in_vain_ + 1;
      if (in_vain_ == 3) {
        in_vain_ = 0;
        hardly_waited_ = -1000;
      }
    }
    if (hardly_waited_ >= often && may_nap && hurries == 0) {
      constexpr timespec time{0, 20'000};  // which the kernel makes 70 us of
      ::nanosleep(&time, nullptr);
      has_napped_ = true;
    }
    since_ = std::chrono::steady_clock::now();
  }
  void after_waiting() {
    const bool hardly = std::chrono::steady_clock::now() - since_ < std::chrono::microseconds{50};
    hardly_waited_ = hardly ? std::min(hardly_waited_ + 1, often) : std::min(hardly_waited_, 0);
  }

 private:
  static constexpr int often = 16;
  int hardly_waited_ = 0;
  bool has_napped_ = false;
  int in_vain_ = 0;
  std::chrono::steady_clock::time_point since_;
};

/// poll(2), as it costs least in a flood. While messages wait for answers the thread that reads looks a few times more
/// before it falls asleep: to be woken costs it and its processor more than a broker nearby takes to answer. Floods of
/// QoS 1 and 2 gained a third by it, and no more CPU time went there. Others have their turn meanwhile.
int poll_in_a_flood(pollfd* fds, nfds_t count, int timeout) {
  using std::chrono::steady_clock;
  if (timeout == 0) {
    return system_poll(fds, count, 0);
  }
  if (messages_wait) {
    const auto end = steady_clock::now() + std::chrono::microseconds{50};
    do {
      ::sched_yield();
      if (const int ready = system_poll(fds, count, 0); ready != 0) {
        return ready;
      }
    } while (steady_clock::now() < end);
    return system_poll(fds, count, timeout);
  }
  thread_local Nap nap;
  nap.before_waiting();
  const int ready = system_poll(fds, count, timeout);
  nap.after_waiting();
  return ready;
}

/// poll(2), once, where wires are among the descriptors. `woken`: something ended it before its time, though it may
/// have been nothing that is told of here.
int look_once(pollfd* fds, nfds_t count, int timeout, const std::vector<std::shared_ptr<Wire>>& wires_of, bool& woken) {
  std::vector<pollfd> real{fds, fds + count};
  for (nfds_t at = 0; at < count; ++at) {
    Wire* const wire = wires_of[at].get();
    if (wire == nullptr) {
      continue;
    }
    if (wire->advance(false)) {
      timeout = 0;
    }
    real[at].events = wire->awaited();
    if (real[at].events == 0) {
      real[at].fd = -1;  // or a hang-up would be told again and again
    }
  }
  real.push_back({waker(), POLLIN, 0});
  const int events = poll_in_a_flood(real.data(), real.size(), timeout);
  if (events < 0) {
    return -1;
  }
  woken = events > 0;
  if (real.back().revents != 0) {
    eventfd_t drained = 0;
    (void)::eventfd_read(waker(), &drained);
  }
  int ready = 0;
  for (nfds_t at = 0; at < count; ++at) {
    fds[at].revents = real[at].revents;
    if (Wire* const wire = wires_of[at].get(); wire != nullptr) {
      const bool is_readable = (real[at].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
      fds[at].revents = static_cast<short>(wire->advance(is_readable) ? POLLIN & fds[at].events : 0);
    }
    ready += fds[at].revents != 0 ? 1 : 0;
  }
  return ready;
}

/// Whether this thread has asked wires last, and was told that there is nothing: no further pause is needed.
thread_local bool has_waited = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// poll(2) where wires are among the descriptors. A wire can have something for Paho when its socket has nothing, and
/// nothing when its socket has. A wake-up in vain does not end it; but where wires have come or gone Paho has others to
/// ask for.
int poll_wires(pollfd* fds, nfds_t count, int timeout, const std::vector<std::shared_ptr<Wire>>& wires_of) {
  using std::chrono::milliseconds;
  const auto end = std::chrono::steady_clock::now() + milliseconds{timeout};
  const std::uint64_t generation = wires().generation();
  while (true) {
    bool woken = false;
    const int ready = look_once(fds, count, timeout, wires_of, woken);
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (ready != 0 || !woken || (timeout >= 0 && left <= 0) || wires().generation() != generation) {
      return ready;
    }
    timeout = timeout < 0 ? timeout : static_cast<int>(left);
  }
}

/// The condition that Paho's send thread waits on when it has nothing to do.
std::atomic<pthread_cond_t*> send_condition{nullptr};

void wake_send_thread() {
  if (pthread_cond_t* const condition = send_condition) {
    ::pthread_cond_broadcast(condition);
  }
}

/// Whether a thread lets Paho's send thread wait.
struct Waking {
  bool is_put_off = false;
  int due = 0;                  ///< so often it should have been
  bool is_for_answers = false;  ///< of messages that are under way
};
thread_local Waking waking;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// For Paho's receive thread, which has something to read.
void begin_to_read() {
  waking.is_for_answers = messages_wait;
  waking.is_put_off = true;
}

/// The same has read all that there was. Answers to messages give the send thread nothing to do: the next messages wake
/// it themselves.
void has_read_all() {
  waking.is_put_off = false;
  if (std::exchange(waking.due, 0) > 0 && !waking.is_for_answers) {
    wake_send_thread();
  }
}

/// For a thread that is about to wait: sends what these have gathered. True where something went.
bool send_gathered(const std::vector<std::shared_ptr<Wire>>& wires) {
  bool any = false;
  for (const auto& wire : wires) {
    if (wire->rest()) {
      wake();  // whoever reads must wait for room now
    } else {
      any = true;
    }
  }
  return any;
}

/// What Paho's send thread does when it is woken, up to its wait. It is woken where so many commands cannot be done
/// here: what must wait for something wakes nobody when that is there, and the send thread looks each few milliseconds
/// while messages are under way.
void do_as_the_send_thread(int commands) {
  int done = 0;
  if (MQTTAsync_processCommand != nullptr) {
    do {
      while (MQTTAsync_processCommand() != 0) {
        ++done;
      }
    } while (send_gathered(wires().gathered()));
  }
  if (done < commands) {
    wake_send_thread();
  }
}

}  // namespace

std::string pahos_uri() {
  const in_addr_t address = nowhere;
  return fmt::format("tcp://{}.{}.{}.{}:{}", address >> 24U, (address >> 16U) & 0xFFU, (address >> 8U) & 0xFFU,
                     address & 0xFFU, no_port);
}

Handover::Handover(std::shared_ptr<Wire> wire) : turn_(wires().turn) {
  if (!exports_are_in_force()) {
    throw Error("this build cannot connect: it does not export its connect() and recv() to Paho");
  }
  wires().expect(std::move(wire));
}

Handover::~Handover() { wires().expect(nullptr); }

bool may_gather() {
#if defined(__SANITIZE_THREAD__)
  return false;
#else
  return ::dlsym(RTLD_DEFAULT, "pthread_cond_timedwait") == reinterpret_cast<void*>(&::pthread_cond_timedwait);
#endif
}

void put_off_sending(bool yes) {
  waking.is_put_off = yes;
  if (const int due = yes ? 0 : std::exchange(waking.due, 0); due > 0) {
    do_as_the_send_thread(due);
  }
}

void wake() { (void)::eventfd_write(waker(), 1); }

Hurry::Hurry() { ++hurries; }

Hurry::~Hurry() { --hurries; }

void read_at_once() { may_nap = false; }

void hurry_for_messages(bool waiting) {
  if (messages_wait != waiting) {  // a word that others read is not written for nothing
    messages_wait = waiting;
  }
}

}  // namespace sistem::paho_shims

// libc declares these with its own spelling of the parameters, which are ours to name.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

/// connect(2). Paho opens a socket and connects it to nowhere; it gets the wire that waits.
extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  if (sistem::paho_shims::is_nowhere(address, size)) {
    if (const auto error = sistem::paho_shims::wires().attach(fd)) {
      sistem::paho_shims::wake();  // whoever waits for other sockets must wait for this one too
      errno = *error;
      return *error == 0 ? 0 : -1;
    }
  }
  return static_cast<int>(::syscall(SYS_connect, fd, address, size));
}

/// recv(2).
extern "C" ssize_t recv(int fd, void* into, size_t size, int flags) {
  if (const auto& wire = sistem::paho_shims::wires().at(fd)) {
    return size == 0 ? 0 : wire->receive(static_cast<char*>(into), size);
  }
  return ::recvfrom(fd, into, size, flags, nullptr, nullptr);
}

/// writev(2).
extern "C" ssize_t writev(int fd, const iovec* parts, int count) {
  if (const auto& wire = sistem::paho_shims::wires().at(fd)) {
    const ssize_t sent = wire->send(parts, count);
    if (wire->needs_reader()) {
      sistem::paho_shims::wake();
    }
    return sent;
  }
  return static_cast<ssize_t>(::syscall(SYS_writev, fd, parts, count));
}

/// poll(2), without a system call where something is known to be ready, as for most messages of a flood.
extern "C" int poll(pollfd* fds, nfds_t count, int timeout) {
  const auto look = sistem::paho_shims::wires().look_at(fds, count);
  sistem::paho_shims::has_waited = false;
  if (look.ready > 0) {
    sistem::paho_shims::got_at_once += sistem::paho_shims::is_for_writing(*fds) ? 0 : 1;
    return look.ready;
  }
  if (look.wires.empty()) {
    return sistem::paho_shims::system_poll(fds, count, timeout);
  }
  sistem::paho_shims::has_read_all();
  const int ready = sistem::paho_shims::poll_wires(fds, count, timeout, look.wires);
  sistem::paho_shims::has_waited = ready == 0;
  if (ready > 0) {
    sistem::paho_shims::begin_to_read();
  }
  return ready;
}

/// shutdown(2), by which Paho begins to close a socket: the last moment to say goodbye.
extern "C" int shutdown(int fd, int how) {
  if (const auto& wire = sistem::paho_shims::wires().at(fd)) {
    wire->end();
  }
  return static_cast<int>(::syscall(SYS_shutdown, fd, how));
}

/// close(2).
extern "C" int close(int fd) {
  sistem::paho_shims::wires().detach(fd);
  return static_cast<int>(::syscall(SYS_close, fd));
}

/// usleep(3). Whenever Paho's receive thread has found nothing to read it sleeps for 100 ms (Paho C 1.3.12 and 1.3.14).
/// Where it had waited for a second before, that is for nothing, and what comes meanwhile is late. Where it was started
/// before there was a socket, as in most starts, it is the start that is late: it sleeps until it gets a wire; in a
/// hurry for 1 ms at the most, should it wait for anything else. To be dropped when that thread waits for sockets and
/// nothing else.
extern "C" int usleep(useconds_t microseconds) {
  constexpr useconds_t pahos_sleep = 100000;
  if (microseconds == pahos_sleep) {
    if (!std::exchange(sistem::paho_shims::has_waited, false)) {
      sistem::paho_shims::wait_to_be_woken(sistem::paho_shims::in_a_hurry() ? 1 : 100);
    }
    return 0;
  }
  const timespec time{static_cast<time_t>(microseconds / 1000000), static_cast<long>(microseconds % 1000000) * 1000};
  return ::nanosleep(&time, nullptr);
}

#if !defined(__SANITIZE_THREAD__)  // which must see every wait itself
/// pthread_cond_timedwait(3). Paho's send thread looks for work, and if there is none waits a second to be woken; what
/// comes in between the two wakes nobody: one one-shot pub in a thousand took a second (Paho C 1.3.12). In a hurry it
/// waits no longer than 5 ms. Nobody else in this process waits by this function: our own waits are on the monotonic
/// clock. So it is also where the send thread has nothing more to send for the moment, and what was gathered must go:
/// not with Paho's mutex held, which whoever publishes needs. After that it looks for work again, because it is told
/// that it was woken.
extern "C" int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* deadline) {
  sistem::paho_shims::send_condition = condition;
  if (const auto gathered = sistem::paho_shims::wires().gathered(); !gathered.empty()) {
    ::pthread_mutex_unlock(mutex);
    const bool any = sistem::paho_shims::send_gathered(gathered);
    ::pthread_mutex_lock(mutex);
    if (any) {
      return 0;
    }
  }
  constexpr long at_most = 5'000'000;
  timespec until = *deadline;
  if (sistem::paho_shims::in_a_hurry()) {
    timespec soon{};
    ::clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += at_most;
    soon.tv_sec += soon.tv_nsec / 1'000'000'000;
    soon.tv_nsec %= 1'000'000'000;
    if (soon.tv_sec < until.tv_sec || (soon.tv_sec == until.tv_sec && soon.tv_nsec < until.tv_nsec)) {
      until = soon;
    }
  }
  // Its twin with a clock is not replaced, and the same otherwise.
  return ::pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, &until);
}

/// pthread_cond_signal(3). Paho wakes its send thread for each message to send and after each packet that was read,
/// when that thread has nothing to do as a rule: in a flood these were half of all switches between threads. So it can
/// be put off. Waking all who wait is the same where it is one, and allowed otherwise.
extern "C" int pthread_cond_signal(pthread_cond_t* condition) {
  using sistem::paho_shims::waking;
  if (waking.is_put_off && condition == sistem::paho_shims::send_condition) {
    ++waking.due;
    return 0;
  }
  return ::pthread_cond_broadcast(condition);
}
#endif
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
