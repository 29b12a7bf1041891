#pragma once

#include <string>

namespace sistem {

/// What becomes of a message of QoS 1 or 2 that the MQTT library is about to send: in a session that goes on it sends
/// what it has from an earlier connection without being told.
struct Resend {
  bool now = true;
  /// It is not sent: what the library gets instead, in the broker's name. If that is empty the message waits, and is
  /// asked for again when the broker has acknowledged something.
  std::string answer = {};
};

}  // namespace sistem
