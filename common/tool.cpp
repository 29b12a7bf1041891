#include "common/tool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "common/output.hpp"

namespace sistem {
namespace {

bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// Turns signals into a stop request, on a thread of its own: a handler could do next to nothing.
std::stop_token stop_on_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(number)) {
      sigaddset(&signals, number);
    }
  }
  // Before any thread is started: they inherit the mask, and the waiting thread is the only one that hears them.
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::stop_source source;
  std::stop_token token = source.get_token();
  std::thread([signals, source = std::move(source)]() mutable {
    int number = 0;
    ::sigwait(&signals, &number);
    source.request_stop();
    ::sigwait(&signals, &number);
    ::_exit(128 + number);
  }).detach();
  return token;
}

}  // namespace

ExitStatus guarded(const Console& console, const std::function<ExitStatus()>& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    console.note(error.what());
    console.note("--help shows all options");
    return error.status();
  } catch (const Error& error) {
    console.note(error.what());
    return error.status();
  } catch (const OutputClosed&) {
    return ExitStatus::success;  // `sub | head -1`: the reader has had enough
  } catch (const std::exception& error) {
    console.note(error.what());
    return ExitStatus::failure;
  }
}

void run_tool(const std::string& name, const std::function<ExitStatus(std::stop_token)>& body) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an errno of write(2), for our stdout and Paho's sockets alike
  const std::stop_token stop = stop_on_signals();
  const ExitStatus status = guarded(Console{name, false}, [&] { return body(stop); });
  ::_exit(static_cast<int>(status));
}

}  // namespace sistem
