#include "common/paho/keeper.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/process/thread.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// A connection of which nothing has come must have held this long.
constexpr std::chrono::seconds held{10};

}  // namespace

Keeper::Keeper(Tasks tasks, std::optional<Retry::Seconds> limit, Retry::Seconds longest)
    : tasks_(std::move(tasks)), limit_(limit), retry_(limit, longest, tasks_.now()) {}

void Keeper::allow() {
  const std::scoped_lock lock(mutex_);
  is_allowed_ = true;
}

void Keeper::start() {
  const std::scoped_lock lock(mutex_);
  if (is_allowed_ && !thread_.joinable()) {
    thread_ = start_thread<std::jthread>([this](const std::stop_token& stop) { run(stop); });
  }
}

void Keeper::stop() {
  std::jthread ending;
  const std::scoped_lock lock(mutex_);
  is_allowed_ = false;
  std::swap(ending, thread_);
}

void Keeper::run(const std::stop_token& stop) {
  try {
    for (bool is_first = true; tasks_.wait_for_loss(stop) && !tasks_.is_over(); is_first = false) {
      const Deadline now = tasks_.now();
      const auto [lasted, was_of_use] = tasks_.life();
      lost_at_ = tasks_.broker();
      switch (tasks_.explain(stop)) {
        case Told::is_told: break;
        case Told::is_explained: retry_.reset_delay(); break;
        case Told::is_over: return;
      }
      const bool of_use = is_first || lasted >= held || was_of_use;
      if (of_use) {
        begin_outage(now);
      }
      if (is_first || lasted >= held || (lasted >= held_at_work && of_use)) {
        retry_.reset_delay();
      } else if (!wait(stop)) {
        give_up(stop);
        return;
      }
      if (!regain(stop)) {
        return;
      }
    }
  } catch (const Error& error) {
    tasks_.end(error);
  } catch (const std::exception& error) {
    tasks_.end(Error{error.what()});
  }
}

void Keeper::begin_outage(Deadline now) {
  retry_.renew_limit(now);
  accepted_ = 0;
}

/// False if the session is over.
bool Keeper::regain(const std::stop_token& stop) {
  while (true) {
    const Attempt attempt = tasks_.regain(retry_.attempt_limit(), stop);
    accepted_ += attempt.was_connected ? 1 : 0;
    if (attempt.is_regained) {
      return true;
    }
    if (tasks_.is_over()) {
      return false;
    }
    if (attempt.is_explained) {
      retry_.reset_delay();
    }
    if (attempt.was_of_use) {
      begin_outage(tasks_.now());
    }
    if (!wait(stop)) {
      give_up(stop);
      return false;
    }
  }
}

/// Until the next attempt is due. False if there is none any more, or a stop was requested.
bool Keeper::wait(const std::stop_token& stop) {
  const auto due = retry_.next(tasks_.now());
  return due && tasks_.sleep(*due, stop);
}

void Keeper::give_up(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    return;
  }
  const std::string limit = fmt::format("{} s", limit_ ? limit_->count() : 0);
  tasks_.end(Error{
      accepted_ > 0
          ? fmt::format("the connection to the broker at {} was regained {} in {} and lost again before it was of use",
                        tasks_.broker(), times(accepted_), limit)
          : fmt::format("the connection to the broker at {} was lost and not regained in {}", lost_at_, limit),
      ExitStatus::no_broker});
}

}  // namespace sistem
