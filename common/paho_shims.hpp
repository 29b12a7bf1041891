#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "common/wire.hpp"

/// What Paho C asks of libc, answered better. Paho calls connect(2), recv(2), writev(2), poll(2), shutdown(2),
/// close(2), usleep(3), pthread_cond_timedwait(3) and pthread_cond_signal(3); functions of the same names in an
/// executable are the ones it gets, also where it is a shared library: the linker exports what libraries have or want.
/// Only sockets that were handed over here are touched; every other caller gets the system call. Only paho_session.cpp
/// knows of this.
namespace sistem::paho_shims {

/// What to tell Paho to connect to, by plain TCP. No connection to there ever comes about by itself, so that nothing is
/// sent to anybody should this file not be in force.
[[nodiscard]] std::string pahos_uri();

/// Keeps a wire for Paho while it lives: Paho's next connect(2) to `pahos_uri()` gets this one and is connected at
/// once. The wire then serves Paho's descriptor until Paho closes it. One at a time: where sessions connect at the same
/// time the second waits here for the first.
class Handover {
 public:
  /// Throws Error where this file is not in force.
  explicit Handover(std::shared_ptr<Wire> wire);
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  ~Handover();

 private:
  std::unique_lock<std::mutex> turn_;
};

/// Whether wires may gather what they send: Paho's threads will tell them when they have nothing more to send.
[[nodiscard]] bool may_gather();

/// While that is so, what this thread gives Paho's send thread to do wakes nobody; when it no longer is, this thread
/// does it itself, or where Paho is loaded wakes the other: on a processor that sleeps, to wake a thread takes half as
/// long as the whole way of a message to its subscriber. At the latest the send thread looks for it by itself, each
/// second, or in a Hurry sooner. `no` must be said with no lock held that a callback of Paho's takes.
void put_off_sending(bool yes);

/// Paho's receive thread is to look at its wires now: one of them has something for it that came from no network.
void wake();

/// While one lives, Paho's threads look for work every few milliseconds and not once a second: somebody waits for an
/// answer.
class Hurry {
 public:
  Hurry();
  Hurry(const Hurry&) = delete;
  Hurry& operator=(const Hurry&) = delete;
  ~Hurry();
};

/// From here on nothing that comes is left for a moment, to be read together with what comes next, which would be given
/// the same time of arrival.
void read_at_once();

/// As a Hurry for as long as there are messages to deliver.
void hurry_for_messages(bool waiting);

}  // namespace sistem::paho_shims
