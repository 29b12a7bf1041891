#pragma once

#include <cstdint>
#include <stop_token>

#include "common/connection_config.hpp"
#include "common/session.hpp"

namespace sistem {

/// Says at the broker that this client is there, beside a will that says that it is gone.
class Presence {
 public:
  explicit Presence(const Will& will);

  /// To be called before each message: says so where that was not said on this connection, since the broker may have
  /// published the will when the one before was lost. False and throws as Session::publish().
  [[nodiscard]] bool announce(Session& session, const std::stop_token& stop);

  /// To be called before an orderly end: says what the will says. The run has ended, and how is known already: what
  /// goes wrong with it is not told, and the broker publishes the will where it does not hear of this.
  void leave(Session& session);

 private:
  Message online_;
  Message offline_;
  std::uint64_t told_on_ = 0;  ///< the last connection on which it was said
};

}  // namespace sistem
