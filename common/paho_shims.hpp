#pragma once

#include <string>

#include "common/dial.hpp"

/// What Paho C asks of libc and of OpenSSL, answered better. Paho calls connect(2), writev(2), getaddrinfo(3),
/// usleep(3), pthread_cond_timedwait(3), SSL_new(3) and SSL_CTX_set_default_verify_paths(3) of shared libraries;
/// functions of the same names that an executable exports are the ones it gets (the executables set ENABLE_EXPORTS).
/// Only paho_session.cpp knows of them. Where they are not in force, as with another platform's linker, a plain TCP
/// connection still works, slower.
namespace sistem::paho_shims {

/// Keeps a connection for Paho while it lives: Paho's next connect(2) to `pahos_address()` gets this one and is
/// connected at once; and where it speaks TLS, Paho's next SSL object is the one that has shaken hands already.
class Handover {
 public:
  /// `name` is the host that Paho is told, where that is not the address itself. Throws Error where TLS could not be
  /// handed over: Paho would make a connection of its own, which checks less.
  Handover(Dialed dialed, std::string name);
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  ~Handover();
};

/// The numeric address to name to Paho for this connection.
[[nodiscard]] std::string pahos_address(const Dialed& dialed);

/// While one lives, Paho's threads look for work every few milliseconds and not once a second: somebody waits for an
/// answer.
class Hurry {
 public:
  Hurry();
  Hurry(const Hurry&) = delete;
  Hurry& operator=(const Hurry&) = delete;
  ~Hurry();
};

/// The same for as long as there are messages to deliver.
void hurry_for_messages(bool waiting);

}  // namespace sistem::paho_shims
