#pragma once

namespace sistem {

/// The order in which the locks of this room are taken, where several are (common/process/mutex.hpp). Paho's own comes
/// after `sending`: its callbacks, and the wire, call the session with theirs.
enum LockPlace : int {
  asking_place = 1,  ///< of who waits for SUBACK or UNSUBACK
  sending_place,     ///< of who hands messages to the client, or replaces it
  limiting_place,    ///< of who tells the wire whether it may read without a limit
  wire_place,
  session_place,
};

}  // namespace sistem
