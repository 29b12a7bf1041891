#pragma once

#include "common/descriptor.hpp"

/// What Paho C asks of libc, answered better. Paho calls connect(2) and usleep(3) through libc; functions of the same
/// names that an executable exports are the ones it gets (the executables set ENABLE_EXPORTS). Only paho_session.cpp
/// knows of them. Where they are not in force, as with another platform's linker, everything still works, slower.
namespace sistem::paho_shims {

/// Keeps a connected socket for Paho: its next connect(2) to the same peer gets this one and is connected at once.
void hand_over(Descriptor socket);

/// Closes a socket that was handed over and never asked for.
void take_back();

}  // namespace sistem::paho_shims
