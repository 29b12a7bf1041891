#pragma once

/// Paho's send thread, for those who give it work. Left to itself Paho wakes it for each message and after each packet
/// that was read: in a flood these were half of all switches between threads.
namespace sistem::send_thread {

/// While one lives, what this thread gives Paho to send wakes nobody; at its end it does the send thread's work itself,
/// or wakes it once for what it cannot do. But after keep() it stays so until the next PutOff of this thread ends, or
/// wake().
class PutOff {
 public:
  PutOff();
  PutOff(const PutOff&) = delete;
  PutOff& operator=(const PutOff&) = delete;
  ~PutOff();

  /// More work follows at once.
  void keep() { is_kept_ = true; }

 private:
  bool is_kept_ = false;
};

/// This thread is about to wait for something: what was put off is done now. Without a lock: it calls back.
void wake();

// For Paho's receive thread. Answers to messages give the send thread nothing to do: while those are read it is not
// woken, and else once, when all is read.
void reading_begins();
void reading_ends();

}  // namespace sistem::send_thread
