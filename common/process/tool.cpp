#include "common/process/tool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <thread>

#include "common/process/output.hpp"
#include "common/process/thread.hpp"

namespace sistem {
namespace {

bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// What ends a tool. An ignored SIGHUP is nohup's, and is respected. That SIGINT is ignored is no wish of anybody's: a
/// shell without job control starts what stands before `&` so, and a script that sends it SIGINT means it.
sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (!is_ignored(SIGHUP)) {
    sigaddset(&signals, SIGHUP);
  }
  return signals;
}

/// What a stop may take. Nothing that is meant to end takes so long; what is stuck for good, as a write to a terminal
/// that nobody reads, must not hold up a stop.
#if defined(__SANITIZE_THREAD__)
constexpr auto a_second = std::chrono::seconds(10);  // all takes ten times as long
#else
constexpr auto a_second = std::chrono::milliseconds(950);
#endif

/// timeout(1) signals its child and then the child's group, and a terminal that closes may signal twice: the same
/// signal again so soon is the same wish.
constexpr auto echo = std::chrono::milliseconds(200);

/// Waits for one of `signals` until the deadline; nothing where none came.
std::optional<int> wait_for_signal(const sigset_t& signals, Deadline deadline) {
  while (std::chrono::steady_clock::now() < deadline) {
    const timespec time = time_until(deadline);
    if (const int number = ::sigtimedwait(&signals, nullptr, &time); number > 0) {
      return number;
    }
  }
  return std::nullopt;
}

/// The first signal requests a stop, the second ends the process, and so does a stop that takes too long.
void stop_on(const sigset_t& signals, std::stop_source& source) {
  int first = 0;
  ::sigwait(&signals, &first);
  const auto now = std::chrono::steady_clock::now();
  source.request_stop();
  while (const auto next = wait_for_signal(signals, now + a_second)) {
    if (*next != first || std::chrono::steady_clock::now() - now > echo) {
      ::_exit(128 + *next);
    }
  }
  ::_exit(static_cast<int>(ExitStatus::failure));
}

/// Turns signals into a stop request, on a thread of its own: a handler could do next to nothing.
std::stop_token stop_on_signals() {
  const sigset_t signals = ending_signals();
  // Before any thread is started: they inherit the mask, and the waiting thread is the only one that hears them.
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  for (const int number : {SIGINT, SIGTERM}) {
    ::signal(number, SIG_DFL);  // what is ignored may be thrown away before anybody waits for it
  }
  std::stop_source source;
  start_thread([signals, source]() mutable { stop_on(signals, source); }).detach();
  return source.get_token();
}

/// A standard descriptor that is closed at the start would be the number of the first socket, which then got our
/// output. Opened the wrong way round, so that reading from it, or writing to it, still fails.
void fill_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) {  // those below are open by now: open() gives this one
      (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

}  // namespace

ExitStatus guarded(const Console& console, const std::function<ExitStatus()>& body) {
  try {
    return body();
  } catch (const Error& error) {
    if (error.status() == ExitStatus::usage) {
      console.complain(error.what());
      console.complain("--help shows all options");
    } else {
      console.note(error.what());
    }
    return error.status();
  } catch (const OutputClosed&) {
    return ExitStatus::success;  // `sub | head -1`: the reader has had enough
  } catch (const std::exception& error) {
    console.note(error.what());
    return ExitStatus::failure;
  }
}

void run_tool(const std::string& name, const std::function<ExitStatus(Console&, const std::stop_token&)>& body) {
  fill_standard_descriptors();
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an errno of write(2), for our stdout and Paho's sockets alike
  end_where_memory_is_short(name);
  Console console{name};
  const ExitStatus status = guarded(console, [&] { return body(console, stop_on_signals()); });
  ::_exit(static_cast<int>(status));
}

}  // namespace sistem
