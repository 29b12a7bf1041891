#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "common/options/settings.hpp"
#include "common/process/console.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "common/process/output.hpp"
#include "pub/pub_config.hpp"
#include "pub/report.hpp"

namespace sistem {

/// A number in memory that several processes share: what all clients of a run have sent.
class SharedCount {
 public:
  using Number = std::atomic<std::uint64_t>;
  static_assert(Number::is_always_lock_free);  // another process would not see the lock

  /// Makes one, at 0. Throws Error where the system does not give it.
  SharedCount();
  /// Takes part in the one that the descriptor, which it takes over, belongs to.
  explicit SharedCount(int descriptor);
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;
  ~SharedCount();

  /// For another process: closed by exec.
  [[nodiscard]] int descriptor() const { return memory_.get(); }
  [[nodiscard]] Number& number() const { return *number_; }

 private:
  void map();

  Descriptor memory_;
  Number* number_ = nullptr;
};

/// The part of one process among several clients. Each client is a process, since all of Paho's clients in one share a
/// thread that sends: it is this program again, with the same words and environment, and a variable that says which
/// client it is.
class ClientPart {
 public:
  /// Nothing where this process is no such client.
  [[nodiscard]] static std::optional<ClientPart> of_this_process();

  /// "pub[3]".
  [[nodiscard]] std::string tool_name() const;
  /// As process_sources(), but that nobody is asked for anything: the process that has started this one was.
  [[nodiscard]] Sources sources(int argc, char** argv) const;
  /// Makes the options those of this one client. From here on it ends with the process that has started it. Throws
  /// Error where that is gone.
  void take_on(PubConfig& config) const;

 private:
  unsigned number_ = 0;
  int report_to_ = -1;
  int count_in_ = -1;
  pid_t parent_ = 0;
};

/// Starts --clients processes, which publish each on its own, and waits for all; a stop is passed on to them. Prints
/// the report of all together, where one is asked for, and names those that failed. The status is the worst of all:
/// failure where a client was not even started. A client that a signal n has ended counts as 128+n.
[[nodiscard]] ExitStatus run_clients(char** argv, const PubConfig& config, Output& output, const Console& console,
                                     const std::stop_token& stop);

/// Prints the report that was asked for, or passes it on to the process that has started this one.
void deliver(const Report& report, const PubConfig& config, Output& output);

}  // namespace sistem
