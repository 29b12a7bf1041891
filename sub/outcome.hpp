#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/process/error.hpp"
#include "sub/sub_config.hpp"

namespace sistem {

/// How a run of sub has ended, and what came of it. Pure.
struct Outcome {
  enum class End : std::uint8_t {
    done,        ///< there was nothing left to wait for
    time_is_up,  ///< --timeout
    silence,     ///< --idle, or all publishers had ended and nothing was late
    stop,        ///< by a signal
  };
  /// What --verify has found.
  struct Verified {
    bool has_any = false;    ///< something with a stamp has come
    bool has_ended = false;  ///< the publishers have said so
    bool is_kept = false;    ///< each budget was
  };

  End end = End::done;
  std::size_t handled = 0;  ///< messages, of those that are counted
  bool has_met = false;     ///< the one has come that --until waits for
  bool is_away = false;     ///< there is no connection in the end, and nobody has ended it
  bool is_granted = true;   ///< the broker has refused no filter, answer or removal
  bool is_finished = true;  ///< all was removed that was to be, and all answered
  std::size_t dropped = 0;  ///< messages, since the reader of stdout was slow
  std::optional<Verified> verified = std::nullopt;
};

/// The status of a run.
[[nodiscard]] ExitStatus status_of(const Outcome& outcome, const SubConfig& config);

/// What a person is told of its end; nothing if it ended as it was asked to. `broker`: where it is.
[[nodiscard]] std::optional<std::string> words_of(const Outcome& outcome, const SubConfig& config,
                                                  const std::string& broker);

}  // namespace sistem
