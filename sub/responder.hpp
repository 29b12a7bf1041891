#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "common/process/console.hpp"
#include "common/process/error.hpp"
#include "common/session.hpp"
#include "sub/command.hpp"
#include "sub/show/format.hpp"
#include "sub/sub_config.hpp"

namespace sistem {

/// Does what the broker may refuse. Whether it did, which the console says then; other faults are thrown on.
template <typename Do>
bool was_refused(const Console& console, Do something) {
  try {
    something();
    return false;
  } catch (const Error& error) {
    if (error.status() != ExitStatus::topic_refused) {
      throw;
    }
    console.note(error.what());
    return true;
  }
}

/// Answers requests: in MQTT 5 where they say that an answer is expected, with the correlation data that they carry
/// [MQTT5 4.10]; before, and where they say nothing and the user has named a topic, on one that both sides have agreed
/// on. The answer is what a format makes of the request, or what a command writes that gets its payload on stdin and
/// the variables REQUEST_TOPIC, REQUEST_QOS and REQUEST_RESPONSE_TOPIC. Commands run beside the caller's thread; all
/// calls come from that.
class Responder {
 public:
  Responder(Session& session, const SubConfig& config, const Console& console);
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  /// Commands that still run are ended.
  ~Responder();

  /// From then on no command is waited for, and what needs one is not answered.
  void end_by(Deadline deadline) { deadline_ = deadline; }

  /// Answers, or starts the command whose output will be the answer: then interrupts the session's receive() when it is
  /// there. Waits while as many commands run as may. Throws Error as the session does.
  void take(const Message& request, const std::stop_token& stop);

  /// Publishes the answers that commands have given by now.
  void publish_ready(const std::stop_token& stop);

  /// Waits for the commands that run, and until the broker has acknowledged all answers or a stop is requested.
  void finish(const std::stop_token& stop);

  /// How many requests got no answer though they asked for one; each was told on the console.
  [[nodiscard]] std::size_t unanswered() const { return unanswered_; }
  /// Whether the broker refused an answer.
  [[nodiscard]] bool refused() const { return refused_; }

 private:
  /// A command that runs for a request, or has.
  struct Job {
    Message answer;  ///< complete but for its payload
    std::string on;  ///< the request's topic
    CommandResult result;
    bool is_done = false;
    std::jthread thread;
  };

  [[nodiscard]] std::optional<Message> answer_to(const Message& request);
  [[nodiscard]] std::optional<std::string> agreed_topic(const Message& request);
  void start(const Message& request, Message answer);
  void publish(Message answer, const std::string& on, const std::stop_token& stop);
  void fail(const std::string& on, std::string_view why);
  bool wait_for_fewer(std::size_t running, Deadline deadline, const std::stop_token& stop);
  void remember(const std::string& topic);

  Session& session_;
  const SubConfig& config_;
  const Console& console_;
  std::optional<Format> format_;
  Format topic_format_;
  std::uint64_t number_ = 0;  ///< of the last request that was answered by a format
  Deadline deadline_ = never;
  std::set<std::string> answered_on_;      ///< what comes on these topics are answers and no requests
  std::deque<std::string> in_this_order_;  ///< the same, the oldest first
  bool told_of_no_topic_ = false;
  std::size_t unanswered_ = 0;
  bool refused_ = false;

  std::mutex mutex_;
  std::condition_variable_any done_;
  std::list<Job> jobs_;  ///< their results and is_done are guarded
};

}  // namespace sistem
