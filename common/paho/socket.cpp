// Takes the place of Paho C's modules Socket.c and SocketBuffer.c: all that the rest of Paho calls of them, and nothing
// else. So Paho has no socket; what it reads and writes passes to a Wire, which gives it whole packets and takes all
// that it sends. The two headers have hardly changed from 1.3.12 to 1.3.16; README.md says what to look at with a new
// Paho.
#include <pthread.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/paho/receive_thread.hpp"
#include "common/paho/wires.hpp"

namespace {

// Paho's: TCPSOCKET_COMPLETE, SOCKET_ERROR and TCPSOCKET_INTERRUPTED.
constexpr int complete = 0;
constexpr int failed = -1;
constexpr int interrupted = -22;

/// What Paho's receive thread gets if nothing has come: a socket that no client has. With 0, which says the same, it
/// would sleep for 100 ms before it looks again.
constexpr int nobody = INT_MAX;

/// Paho's PacketBuffers.
struct PacketBuffers {
  int count;
  char** buffers;
  std::size_t* sizes;
  int* frees;            ///< whoever calls sees to that, when it hears that all was taken
  std::uint8_t mask[4];  // NOLINT(cppcoreguidelines-avoid-c-arrays): C
};

/// Paho gives a host by its beginning and its size.
int client_of(std::string_view host) {
  int client = 0;
  for (const char digit : host) {
    client = client * 10 + (digit - '0');
  }
  return client;
}

}  // namespace

extern "C" {  // NOLINTBEGIN(readability-identifier-naming)

// A wire takes everything at once, so that nothing is ever pending.

void Socket_outInitialize() {}
void Socket_outTerminate() {}
void Socket_setWriteContinueCallback(void* /*callback*/) {}
void Socket_setWriteCompleteCallback(void* /*callback*/) {}
void Socket_setWriteAvailableCallback(void* /*callback*/) {}
void Socket_addPendingWrite(int /*socket*/) {}
void Socket_clearPendingWrite(int /*socket*/) {}
int Socket_noPendingWrites(int /*socket*/) { return 1; }
void* SocketBuffer_updateWrite(int /*socket*/, char* /*topic*/, char* /*payload*/) { return nullptr; }

/// For its log.
char* Socket_getpeer(int /*socket*/) {
  static char unknown[] = "";  // NOLINT(cppcoreguidelines-avoid-c-arrays): C
  return unknown;
}

int Socket_new(const char* host, std::size_t size, int /*port*/, int* socket, long /*timeout*/) {
  const auto attached = sistem::wires().attach(client_of({host, size}));
  *socket = attached.value_or(0);
  return attached ? complete : failed;
}

/// Of Paho C from 1.3.14 on: none of our URIs is of a Unix socket.
int Socket_unix_new(const char* /*path*/, std::size_t /*size*/, int* /*socket*/) { return failed; }

/// The last moment to say goodbye.
int Socket_close(int socket) {
  if (auto* const wire = sistem::wires().at(socket)) {
    wire->end();
    sistem::wires().detach(socket);
  }
  return complete;
}

/// A byte of a packet's fixed header. If the first is there, so is all of the packet.
int Socket_getch(int socket, char* byte) {
  auto* const wire = sistem::wires().at(socket);
  const char* const next = wire != nullptr ? wire->take(1) : nullptr;
  if (next == nullptr) {
    return wire != nullptr && !wire->has_ended() ? interrupted : failed;
  }
  *byte = *next;
  return complete;
}

/// The rest of the packet, where it is. Paho may write there, and needs it no more when it asks for the next.
char* Socket_getdata(int socket, std::size_t size, std::size_t* got, int* result) {
  auto* const wire = sistem::wires().at(socket);
  char* const data = wire != nullptr && size > 0 ? wire->take(size) : nullptr;
  *got = data != nullptr ? size : 0;
  *result = static_cast<int>(*got);
  return data;
}

/// Paho is done with a packet.
char* SocketBuffer_complete(int /*socket*/) { return nullptr; }

int Socket_putdatas(int socket, char* header, std::size_t size, PacketBuffers rest) {
  auto* const wire = sistem::wires().at(socket);
  std::array<iovec, 8> parts{{{header, size}}};
  const auto count = static_cast<std::size_t>(rest.count);
  if (wire == nullptr || count + 1 > parts.size()) {
    return failed;
  }
  for (std::size_t at = 0; at < count; ++at) {
    parts[at + 1] = {rest.buffers[at], rest.sizes[at]};
  }
  wire->send({parts.data(), count + 1});
  if (wire->needs_reader()) {
    sistem::receive_thread::wake();
  }
  return complete;
}

int Socket_getReadySocket(int more_work, int timeout_ms, pthread_mutex_t* /*mutex*/, int* result) {
  *result = 0;
  return sistem::receive_thread::wait_for_ready(std::chrono::milliseconds{more_work != 0 ? 0 : timeout_ms})
      .value_or(nobody);
}

}  // NOLINTEND(readability-identifier-naming)
