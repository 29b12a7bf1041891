#include "sub/silence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Into so many parts a look is divided, at whose ends it takes what has come.
constexpr int parts_of_a_look = 20;

/// So many topics are told, and so many are remembered to be counted and compared.
constexpr std::size_t told = 10;
constexpr std::size_t most_topics = 10'000;

/// The filter of a shared subscription is what comes behind its name [MQTT5 4.8.2].
std::string without_share(const std::string& filter) {
  const std::size_t name = filter.starts_with("$share/") ? filter.find('/', 7) : std::string::npos;
  return name == std::string::npos ? filter : filter.substr(name + 1);
}

bool expects_retained(const SubConfig& config) {
  const bool none_sent = config.retain_handling == RetainHandling::send_never;
  const bool shared = std::any_of(config.filters.begin(), config.filters.end(),
                                  [](const std::string& filter) { return filter.starts_with("$share/"); });
  return !config.skip_retained && !none_sent && !shared;
}

/// A word is meant where no more than a third of it is wrong.
std::optional<std::string> likely(const std::string& filter, const std::set<std::string>& topics) {
  std::vector<std::string> candidates;
  for (const std::string& topic : topics) {
    if (topic.starts_with(filter + "/")) {
      return filter + "/#";  // it has been asked for a branch, whose leaves are there
    }
    candidates.push_back(meant_by(filter, topic));
  }
  const auto found = nearest(filter, candidates, std::max<std::size_t>(filter.size() / 3, 1));
  return found == filter ? std::nullopt : found;
}

/// Who has less time than that, and asks why, is told before it is up.
SilenceTimes times_for(const SubConfig& config, SilenceTimes times) {
  if (config.why && config.timeout) {
    times.silent = std::min(times.silent, *config.timeout / 2);
    times.look = std::min(times.look, *config.timeout * 0.4);
  }
  return times;
}

}  // namespace

std::string meant_by(const std::string& filter, const std::string& topic) {
  const std::vector<std::string> levels = pieces(filter + "/", "/");
  std::vector<std::string> meant = pieces(topic + "/", "/");
  for (std::size_t at = 0; at < std::min(levels.size(), meant.size()); ++at) {
    if (levels[at] == "#") {
      meant.resize(at + 1);
    }
    if (levels[at] == "#" || levels[at] == "+") {
      meant[at] = levels[at];
    }
  }
  return fmt::format("{}", fmt::join(meant, "/"));
}

std::string words_on_silence(const SubConfig& config, const std::string& broker, const std::string& subscribed,
                             std::chrono::duration<double> silent, std::size_t left_out, bool looks) {
  std::string words = left_out > 0
                          ? fmt::format("nothing was shown for {:.3g} s: {} left out by the options", silent.count(),
                                        counted(left_out, "message has come and was", "messages have come and were"))
                          : fmt::format("nothing has come for {:.3g} s", silent.count());
  words += fmt::format("{} connected to {}", left_out > 0 ? ";" : ":", broker);
  if (!subscribed.empty()) {
    words += fmt::format(", subscribed to {}", subscribed);
  }
  if (left_out > 0) {
    return words;
  }
  words += expects_retained(config) && !subscribed.empty() ? ", nothing retained there" : "";
  return words + (looks ? "" : "; --why looks which topics there are");
}

std::string words_on_topics(const std::set<std::string>& topics, const std::vector<std::string>& filters,
                            std::chrono::duration<double> looked) {
  if (topics.empty()) {
    return fmt::format("no topic has a retained message, and none had a new one in {:.3g} s", looked.count());
  }
  std::string words;
  for (const std::string& filter : filters) {
    const std::string asked = without_share(filter);
    if (const auto meant = likely(asked, topics)) {
      words += fmt::format("did you mean {} for {}? ", shown(*meant), asked);
    }
  }
  std::vector<std::string> some;
  for (auto topic = topics.begin(); topic != topics.end() && some.size() < told; ++topic) {
    some.push_back(shown(*topic));
  }
  words += fmt::format("there are {}", fmt::join(some, ", "));
  return topics.size() > told ? fmt::format("{} and {} more", words, topics.size() - told) : words;
}

ConnectionConfig look_config(const ConnectionConfig& config) {
  ConnectionConfig second = config;
  second.client_id.clear();  // or the broker would end the first [MQTT-3.1.4-2]
  second.clean_session = true;
  second.session_expiry.reset();
  second.will = {};
  second.properties.clear();
  second.will_on_disconnect = false;
  second.wait_for_broker = false;
  second.reconnect = false;
  return second;
}

Silence::Silence(const SubConfig& config, std::string subscribed, OpenSession open, const Console& console,
                 SilenceTimes times)
    : config_(config),
      subscribed_(std::move(subscribed)),
      open_(std::move(open)),
      console_(console),
      times_(times_for(config, times)) {
  const bool speaks = config.why || (console.is_for_a_person() && !config.drop_in && !config.responds());
  if (speaks && !config.exit_after_suback) {
    due_ = deadline_in(times_.silent);
  }
}

void Silence::hear(std::size_t messages, std::size_t handled) {
  left_out_ += messages;
  if (handled > 0) {  // it is over, and never comes back: a pause between messages says nothing
    due_ = never;
    second_.reset();
  }
}

void Silence::attend(const Session& session, const std::stop_token& stop) {
  if (Clock::now() < due_) {
    return;
  }
  if (second_) {
    look(stop);
    return;
  }
  if (!session.connected()) {
    due_ = deadline_in(1s);  // of which a note has told
    return;
  }
  const bool will_look = config_.why && open_ && left_out_ == 0;
  console_.note(words_on_silence(config_, session.broker(), subscribed_, times_.silent, left_out_, will_look));
  due_ = never;
  if (will_look) {
    begin_to_look(stop);
  }
}

void Silence::begin_to_look(const std::stop_token& stop) {
  Console quiet = console_;
  quiet.obey(false, true);  // it is a matter of its own, and what goes wrong with it is told here
  try {
    ConnectionConfig config = look_config(config_.connection);
    config.answer_limit = times_.look;
    second_ = open_(config, quiet, stop, {.overflow = Overflow::drop_newest});
    const Grant grant = second_->subscribe({{.filter = "#"}}, stop).front();
    if (!grant.qos) {
      throw Error(fmt::format("the broker refused the subscription to #: {}", grant.why));
    }
    until_ = deadline_in(times_.look);
    due_ = deadline_in(times_.look / parts_of_a_look);
  } catch (const Error& error) {
    console_.note(fmt::format("cannot look which topics there are: {}", error.what()));
    second_.reset();
  }
}

void Silence::look(const std::stop_token& stop) {
  try {
    for (const Message& message : second_->receive(Clock::now(), stop)) {
      if (topics_.size() < most_topics) {
        topics_.insert(message.topic);
      }
    }
  } catch (const Error&) {
    until_ = Clock::now();  // it is gone, and what it has seen is seen
  }
  if (Clock::now() < until_) {
    due_ = deadline_in(times_.look / parts_of_a_look);
    return;
  }
  second_.reset();
  due_ = never;
  console_.note(words_on_topics(topics_, config_.filters, times_.look));
}

}  // namespace sistem
