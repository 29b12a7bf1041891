#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "common/measure/stamp.hpp"
#include "common/session.hpp"

namespace sistem {

/// Asks several times how the clock of whoever verifies on that topic stands, and takes the answer that is least
/// uncertain; nothing where none came within a second. Times are those of `wall`, which makes one of a moment.
/// Throws Error as the session does, and topic_refused where the broker does not let it listen for answers.
[[nodiscard]] std::optional<ClockOffset> ask_for_offset(Session& session, const std::string& topic,
                                                        const std::function<Stamp::Time(Deadline)>& wall,
                                                        const std::stop_token& stop);

}  // namespace sistem
