#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "common/process/console.hpp"
#include "common/process/stop.hpp"
#include "common/session.hpp"
#include "sub/sub_config.hpp"

namespace sistem {

/// Opens a further session; open_session() is one such.
using OpenSession =
    std::function<SessionPointer(const ConnectionConfig&, const Console&, const std::stop_token&, const Intake&)>;

/// How long it takes until silence is told, and how long a look for topics takes.
struct SilenceTimes {
  std::chrono::duration<double> silent{5};
  std::chrono::duration<double> look{2};
};

/// Says once, where nothing comes, what a person needs to know to find out why. With --why it also looks, by a second
/// connection that subscribes to everything for a moment, which topics there are. That one is looked after between the
/// messages of the first: to be called again and again, it never waits but for the broker's answer to it.
class Silence {
 public:
  /// `subscribed`: the filters that were granted, as a person reads them. Without `open` it never looks.
  Silence(const SubConfig& config, std::string subscribed, OpenSession open, const Console& console,
          SilenceTimes times = {});

  /// So many messages have come, and so many of all were shown.
  void hear(std::size_t messages, std::size_t handled);

  /// When attend() has something to do; `never` where it has nothing any more.
  [[nodiscard]] Deadline due() const { return due_; }

  /// Says or looks, if it is time to. `session` is the one that is silent.
  void attend(const Session& session, const std::stop_token& stop);

 private:
  void begin_to_look(const std::stop_token& stop);
  void look(const std::stop_token& stop);

  const SubConfig& config_;
  const std::string subscribed_;
  const OpenSession open_;
  const Console& console_;
  const SilenceTimes times_;
  std::size_t left_out_ = 0;  ///< messages that have come and were not shown
  Deadline due_ = never;

  SessionPointer second_;  ///< while it looks, until:
  Deadline until_ = never;
  std::set<std::string> topics_;
};

/// The connection that a look makes: to the same broker as the same user, but a session of its own that leaves nothing
/// behind.
[[nodiscard]] ConnectionConfig look_config(const ConnectionConfig& config);

/// What to say of silence: "nothing has come for 5 s: connected to localhost:1883, subscribed to a/# (QoS 0), nothing
/// retained there". `left_out`: so many messages did come, and no option let them pass.
[[nodiscard]] std::string words_on_silence(const SubConfig& config, const std::string& broker,
                                           const std::string& subscribed, std::chrono::duration<double> silent,
                                           std::size_t left_out, bool looks);

/// What a look of so many seconds has seen: a list of topics, cut at ten, and which of them somebody may have meant who
/// asked for `filters`.
[[nodiscard]] std::string words_on_topics(const std::set<std::string>& topics, const std::vector<std::string>& filters,
                                          std::chrono::duration<double> looked);

/// The filter that somebody may have meant who wrote `filter`, given that this topic exists: the topic with the
/// filter's wildcards in their places. sister/# and sistem/suhu make sistem/#.
[[nodiscard]] std::string meant_by(const std::string& filter, const std::string& topic);

}  // namespace sistem
