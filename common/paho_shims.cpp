#include "common/paho_shims.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <optional>
#include <utility>

#include "common/error.hpp"

namespace sistem::paho_shims {
namespace {

/// What Paho is told where it could not get there itself (a proxy, a unix socket). No TCP connection to it ever comes
/// about, so that nothing is sent to anybody should this file not be in force.
constexpr const char* nowhere = "255.255.255.255";

/// What is on its way from us to Paho.
struct Parcel {
  std::optional<Descriptor> socket;
  SslPointer ssl;
  std::string name;     ///< what Paho looks up; empty: an address, which needs no look-up
  std::string address;  ///< numeric, where Paho then connects to
  std::uint16_t port = 0;
  /// Where more than a TCP connection is at stake Paho takes one that stands at once for a failure (Paho C 1.3.12), so
  /// it is told that the connection is under way.
  bool as_if_in_progress = false;
};

struct Waiting {
  std::mutex mutex;
  Parcel parcel;
};

/// The one parcel. Never destroyed: Paho's threads may outlive main().
Waiting& waiting() {
  static auto* const one = new Waiting;
  return *one;
}

/// Whether a numeric address and port are these.
bool is_address(const sockaddr* address, socklen_t size, const std::string& host, std::uint16_t port) {
  std::array<char, NI_MAXHOST> one_host{};
  std::array<char, NI_MAXSERV> one_port{};
  return ::getnameinfo(address, size, one_host.data(), one_host.size(), one_port.data(), one_port.size(),
                       NI_NUMERICHOST | NI_NUMERICSERV) == 0 &&
         host == one_host.data() && std::to_string(port) == one_port.data();
}

/// Puts the waiting socket in the place of Paho's own `fd`, which keeps its number. The errno that connect(2) is to
/// answer with, 0 for none; nothing where no socket waits for there.
std::optional<int> replace(int fd, const sockaddr* address, socklen_t size) {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  Parcel& parcel = one.parcel;
  if (!parcel.socket || !is_address(address, size, parcel.address, parcel.port)) {
    return std::nullopt;
  }
  const bool replaced = ::dup3(parcel.socket->get(), fd, O_CLOEXEC) == fd;
  parcel.socket.reset();
  return !replaced ? errno : parcel.as_if_in_progress ? EINPROGRESS : 0;
}

/// The SSL that waits, with the ways of writing that Paho has set for its own.
SSL* take_ssl(SSL_CTX* pahos) {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  SSL* ssl = one.parcel.ssl.release();
  if (ssl != nullptr) {
    SSL_set_mode(ssl, SSL_CTX_get_mode(pahos));
  }
  return ssl;
}

bool has_ssl_waiting() {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  return one.parcel.ssl != nullptr;
}

/// The numeric address to answer a look-up with, where it is for what waits.
std::optional<std::string> address_for(const char* name) {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  const Parcel& parcel = one.parcel;
  return parcel.socket && name != nullptr && parcel.name == name ? std::optional(parcel.address) : std::nullopt;
}

/// The function of this name that comes after ours.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool exports_are_in_force() { return ::dlsym(RTLD_DEFAULT, "SSL_new") == reinterpret_cast<void*>(&::SSL_new); }

/// How many Hurry objects there are, and whether messages wait.
std::atomic<int> hurries{0};
std::atomic<bool> messages_wait{false};

bool in_a_hurry() { return hurries > 0 || messages_wait; }

}  // namespace

Handover::Handover(Dialed dialed, std::string name) {
  if (dialed.tls && !exports_are_in_force()) {
    throw Error("this build cannot speak TLS: it does not export its SSL_new to Paho");
  }
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  std::string address = dialed.address.empty() ? nowhere : std::move(dialed.address);
  const bool as_if_in_progress = dialed.tls || !name.empty();
  one.parcel = {std::move(dialed.socket),
                dialed.tls ? std::move(dialed.tls->ssl) : nullptr,
                std::move(name),
                std::move(address),
                dialed.port,
                as_if_in_progress};
}

Handover::~Handover() {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  one.parcel = {};
}

std::string pahos_address(const Dialed& dialed) {
  return place(dialed.address.empty() ? nowhere : dialed.address, dialed.port);
}

Hurry::Hurry() { ++hurries; }

Hurry::~Hurry() { --hurries; }

void hurry_for_messages(bool waiting) { messages_wait = waiting; }

}  // namespace sistem::paho_shims

// libc declares these with its own spelling of the parameters, which are ours to name.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

/// connect(2). Paho opens a socket and connects it; it gets the one that dial() has connected already, if that leads
/// to the same place. Every other caller gets the system call.
extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  if (const auto error = sistem::paho_shims::replace(fd, address, size)) {
    errno = *error;
    return *error == 0 ? 0 : -1;
  }
  return static_cast<int>(::syscall(SYS_connect, fd, address, size));
}

/// getaddrinfo(3). In a WebSocket's handshake the Host header is what Paho was told to connect to, so it is told the
/// broker's name, and the name leads to the connection that waits. Every other look-up is libc's.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  static auto* const libcs = sistem::paho_shims::next<decltype(::getaddrinfo)>("getaddrinfo");
  const auto address = sistem::paho_shims::address_for(name);
  return libcs(address ? address->c_str() : name, service, hints, result);
}

/// SSL_new(3). Paho makes an SSL object once it is connected; it gets the one that has shaken hands on this connection
/// already. Its SSL_connect() has then nothing left to do. Any other trusts nobody until it is told otherwise: one that
/// Paho made after the handover was over would check less than the user was promised.
extern "C" SSL* SSL_new(SSL_CTX* context) {
  static auto* const openssls = sistem::paho_shims::next<decltype(::SSL_new)>("SSL_new");
  if (SSL* const ours = sistem::paho_shims::take_ssl(context)) {
    return ours;
  }
  SSL* const another = openssls(context);
  if (another != nullptr) {
    ::SSL_set_verify(another, SSL_VERIFY_PEER, [](int /*good*/, X509_STORE_CTX* /*chain*/) { return 0; });
  }
  return another;
}

/// SSL_CTX_set_default_verify_paths(3). Paho has a context of its own for the SSL object that it does not need, and
/// reads all that the system trusts for it: 30 ms. Such a context trusts nobody, should it be used after all.
extern "C" int SSL_CTX_set_default_verify_paths(SSL_CTX* context) {
  using Function = decltype(::SSL_CTX_set_default_verify_paths);
  static auto* const openssls = sistem::paho_shims::next<Function>("SSL_CTX_set_default_verify_paths");
  return sistem::paho_shims::has_ssl_waiting() ? 1 : openssls(context);
}

/// usleep(3). Paho's receive thread, started before there is a socket, finds nothing to wait for and sleeps 100 ms:
/// one start in five is that late (Paho C 1.3.12 and 1.3.14). In a hurry 1 ms is enough. To be dropped when that thread
/// waits for the first connection instead.
extern "C" int usleep(useconds_t microseconds) {
  constexpr useconds_t pahos_sleep = 100000;
  const bool shorten = microseconds == pahos_sleep && sistem::paho_shims::in_a_hurry();
  const useconds_t sleep = shorten ? 1000 : microseconds;
  const timespec time{static_cast<time_t>(sleep / 1000000), static_cast<long>(sleep % 1000000) * 1000};
  return ::nanosleep(&time, nullptr);
}

/// writev(2). Where the socket is full Paho waits for it to become writable, but only after it has waited up to a
/// second for something to read (Paho C 1.3.12, 1.3.14): 20,000 messages to a unix socket, which holds 278 of them,
/// took up to 16 s. The socket is given a moment first; after that Paho's own way takes its course, so that a broker
/// that does not read holds up nothing else for long.
extern "C" ssize_t writev(int fd, const iovec* parts, int count) {
  constexpr int moment = 20;  // ms
  const auto write = [&] { return static_cast<ssize_t>(::syscall(SYS_writev, fd, parts, count)); };
  const ssize_t written = write();
  if (written >= 0 || errno != EAGAIN) {
    return written;
  }
  pollfd full{fd, POLLOUT, 0};
  (void)::poll(&full, 1, moment);
  return write();
}

#if !defined(__SANITIZE_THREAD__)  // which must see every wait itself
/// pthread_cond_timedwait(3). Paho's send thread looks for work, and if there is none waits a second to be woken; what
/// comes in between the two wakes nobody: one one-shot pub in a thousand took a second (Paho C 1.3.12). In a hurry it
/// waits no longer than 5 ms. Nobody else in this process waits by this function: our own waits are on the monotonic
/// clock.
extern "C" int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* deadline) {
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
#endif
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
