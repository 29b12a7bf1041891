#pragma once

#include "common/descriptor.hpp"

/// What Paho C asks of libc, answered better. Paho calls connect(2), usleep(3) and pthread_cond_timedwait(3) through
/// libc; functions of the same names that an executable exports are the ones it gets (the executables set
/// ENABLE_EXPORTS). Only paho_session.cpp knows of them. Where they are not in force, as with another platform's
/// linker, everything still works, slower.
namespace sistem::paho_shims {

/// Keeps a connected socket for Paho while it lives: Paho's next connect(2) to the same peer gets this one and is
/// connected at once.
class Handover {
 public:
  explicit Handover(Descriptor socket);
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  ~Handover();
};

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
