#include "pub/source/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/process/error.hpp"
#include "common/text/words.hpp"
#include "pub/source/json_line.hpp"
#include "pub/source/lines.hpp"

namespace sistem {
namespace {

using std::chrono::nanoseconds;

/// What lies between two messages of a recording.
nanoseconds gap(const Message& before, const Message& now) {
  const auto between = [](auto earlier, auto later) {
    const bool is_known = earlier.time_since_epoch().count() != 0 && later >= earlier;
    return is_known ? std::optional<nanoseconds>(later - earlier) : std::nullopt;
  };
  const auto steady = between(before.arrival_steady, now.arrival_steady);
  return steady ? *steady : between(before.arrival, now.arrival).value_or(nanoseconds(0));
}

/// How long after the one before each message of a recording came.
class Gaps {
 public:
  nanoseconds before(const Message& message) {
    nanoseconds passed{0};
    if (before_) {
      passed = gap(*before_, message);
      sum_ += passed;
      ++count_;
    } else if (begins_again_) {
      passed = count_ > 0 ? sum_ / count_ : std::chrono::seconds(1);
    }
    before_.emplace();
    before_->arrival = message.arrival;
    before_->arrival_steady = message.arrival_steady;
    return passed;
  }

  void begin_again() {
    begins_again_ = true;
    before_.reset();
  }

 private:
  std::optional<Message> before_;  ///< but for its content
  bool begins_again_ = false;
  nanoseconds sum_{0};
  std::int64_t count_ = 0;
};

}  // namespace

Source replay_of(LineReader lines, const SourceConfig& config, const Message& pattern, bool has_properties,
                 const Console& console) {
  if (config.loop && !lines.rewind()) {
    throw UsageError(fmt::format("--loop: {} cannot be read twice", lines.name()));
  }
  const auto gaps = std::make_shared<Gaps>();
  Message otherwise;
  otherwise.properties = pattern.properties;
  const auto read = [=](const std::string& line) -> std::optional<LineMessage> {
    if (is_blank(line)) {
      return std::nullopt;
    }
    LineMessage said = read_json_line(line, otherwise, has_properties);
    said.message.topic = mapped(said.message.topic, config.topic_map);
    check_topic(said.message.topic);
    said.message.qos = config.qos_given ? pattern.qos : said.message.qos;
    said.message.retain = config.retain_given ? pattern.retain : said.message.retain;
    const nanoseconds passed = gaps->before(said.message);
    said.delay = said.delay.value_or(passed);
    return said;
  };
  return messages_of(std::move(lines), read, config.on_bad_line, console,
                     config.loop ? [gaps] { gaps->begin_again(); } : std::function<void()>{});
}

}  // namespace sistem
