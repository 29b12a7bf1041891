#pragma once

#include <string>

/// The other ends of the clients that are measured: two without a broker, and two beside one.
namespace sistem::bench {

inline constexpr double default_patience = 15;  // seconds

/// What a flood consists of.
struct Flood {
  int messages = 0;
  int size = 64;  ///< bytes of each payload
  int qos = 0;
  bool json = false;  ///< payloads are objects of JSON with a number and text
  std::string topic = "bench";
};

/// Listens, and only acknowledges, one connection after the other, until it is ended by a signal. Prints its port, and
/// of each connection at its end what came: a line of JSON each. With arrivals also when each message came, in
/// microseconds since the first.
[[noreturn]] void acknowledge(int port, bool arrivals);

/// Listens for one client, waits for its SUBSCRIBE, sends the flood and answers until the client goes. Prints its port,
/// and then when the flood began and how many messages were sent and acknowledged.
void send(int port, const Flood& flood);

/// A client of the broker at a port that publishes the flood.
void publish(int port, const Flood& flood);

/// A client of the broker at a port that takes messages from `bench/#` at QoS 0. Prints that it is ready, and when as
/// many have come, or none has for `patience` seconds, how many came and when the last one did.
void take(int port, int messages, double patience);

}  // namespace sistem::bench
