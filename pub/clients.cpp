#include "pub/clients.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "common/process/child.hpp"
#include "common/process/stop.hpp"
#include "pub/progress.hpp"

namespace sistem {
namespace {

/// Tells a client its number, the descriptors to report to and to count in, and its parent's process id.
constexpr const char* variable_of_part = "SISTEM_PUB_CLIENT";
/// And the password, where a person was asked for it. Only its own user can read a process's environment.
constexpr const char* variable_of_password = "SISTEM_PUB_PASSWORD";

/// What a stop may cost the clients; a bit later it would end this process, too.
constexpr auto stop_takes = std::chrono::milliseconds(850);

/// One client as its parent sees it.
struct Client {
  pid_t pid = -1;
  Descriptor reports;  ///< closed at the client's end when that ends
  std::string report{};
  std::optional<int> status{};  ///< as a shell gives it, once it has ended
};

Client start_client(unsigned number, char** argv, const PubConfig& config, const SharedCount& sent) {
  try {
    Pipe pipe = make_pipe();
    const int report_to = pipe.writer.get();
    const int count_in = sent.descriptor();
    Program program{
        .file = "/proc/self/exe",
        .variables = {{variable_of_part, fmt::format("{}:{}:{}:{}", number, report_to, count_in, ::getpid())}},
        .descriptors = {{report_to, report_to}, {count_in, count_in}},
        .signals = Program::Signals::as_here};
    for (char** word = argv; *word != nullptr; ++word) {
      program.words.emplace_back(*word);
    }
    if (config.connection.password) {
      program.variables[variable_of_password] = *config.connection.password;
    }
    return {start_program(std::move(program)), std::move(pipe.reader)};
  } catch (const std::system_error& error) {
    throw Error(fmt::format("cannot start client {}: {}", number, error.code().message()));
  }
}

/// All clients of a run.
class Clients {
 public:
  Clients(char** argv, const PubConfig& config) : argv_(argv), config_(config) {}
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  ~Clients() { signal(SIGKILL); }  // those that are left where something has failed

  /// Starts all, so many a second, and hears what those say that end meanwhile; until a stop is requested.
  void start(const std::stop_token& stop) {
    const auto first = std::chrono::steady_clock::now();
    for (unsigned number = 1; number <= config_.clients; ++number) {
      if (config_.connect_rate) {
        const std::chrono::duration<double> after{(number - 1) / *config_.connect_rate};
        while (hear_some(first + std::chrono::round<std::chrono::nanoseconds>(after), stop)) {
        }
      }
      if (stop.stop_requested()) {
        return;
      }
      clients_.push_back(start_client(number, argv_, config_, sent_));
      ++running_;
    }
  }

  /// Waits until all have ended; ends them where a stop is requested.
  void wait(const std::stop_token& stop) {
    hear_all(never, stop);
    signal(SIGTERM);
    hear_all(std::chrono::steady_clock::now() + stop_takes, {});
    signal(SIGKILL);
    hear_all(never, {});
  }

  [[nodiscard]] const std::vector<Client>& all() const { return clients_; }
  /// By all of them, so far.
  [[nodiscard]] const SharedCount::Number& sent() const { return sent_.number(); }

 private:
  void signal(int number) const {
    for (const Client& client : clients_) {
      if (!client.status) {
        ::kill(client.pid, number);
      }
    }
  }

  /// Waits for what clients report and reads it; false where the deadline passed or a stop was requested.
  bool hear_some(Deadline deadline, const std::stop_token& stop) {
    std::vector<pollfd> reports;
    for (const Client& client : clients_) {
      reports.push_back({client.reports.get(), POLLIN, 0});
    }
    if (wait_for_any(reports, deadline, stop) != Woken::ready) {
      return false;
    }
    for (std::size_t at = 0; at < reports.size(); ++at) {
      if (reports[at].revents != 0) {
        hear(clients_[at]);
      }
    }
    return true;
  }

  /// The same until all have ended.
  void hear_all(Deadline deadline, const std::stop_token& stop) {
    while (running_ > 0 && hear_some(deadline, stop)) {
    }
  }

  void hear(Client& client) {
    std::array<char, 65536> block{};
    const ssize_t count = ::read(client.reports.get(), block.data(), block.size());
    if (count > 0) {
      client.report.append(block.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
      client.reports = Descriptor{-1};
      const int status = wait_for_end(client.pid);
      client.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      --running_;
    }
  }

  char** argv_;
  const PubConfig& config_;
  SharedCount sent_;
  std::vector<Client> clients_;
  std::size_t running_ = 0;
};

/// Those that failed, by their numbers, the first few of them.
std::string failures_of(const std::vector<Client>& clients) {
  constexpr std::size_t named = 8;
  std::string names;
  std::size_t failed = 0;
  for (std::size_t at = 0; at < clients.size(); ++at) {
    const int status = clients[at].status.value_or(0);
    if (status == 0 || ++failed > named) {
      continue;
    }
    names += fmt::format("{}{} ", names.empty() ? "" : ", ", at + 1);
    names += status > 128 ? fmt::format("by signal {} ({})", status - 128, ::strsignal(status - 128))
                          : fmt::format("with status {}", status);
  }
  if (failed > named) {
    names += fmt::format(" and {} more", failed - named);
  }
  return failed == 0 ? "" : fmt::format("{} of {} clients failed: {}", failed, clients.size(), names);
}

}  // namespace

SharedCount::SharedCount() : memory_(::memfd_create("sent", MFD_CLOEXEC)) {
  if (memory_.get() >= 0 && ::ftruncate(memory_.get(), sizeof(Number)) != 0) {
    memory_ = Descriptor{-1};
  }
  map();
}

SharedCount::SharedCount(int descriptor) : memory_(descriptor) { map(); }

SharedCount::~SharedCount() { ::munmap(number_, sizeof(Number)); }

void SharedCount::map() {
  void* const address = ::mmap(nullptr, sizeof(Number), PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (address == MAP_FAILED) {
    throw Error(fmt::format("cannot count what all clients send: {}", std::strerror(errno)));
  }
  number_ = static_cast<Number*>(address);  // the system's memory is all zero, which is that number's 0
}

std::optional<ClientPart> ClientPart::of_this_process() {
  const char* const value = std::getenv(variable_of_part);
  ClientPart part;
  if (value == nullptr ||
      std::sscanf(value, "%u:%d:%d:%d", &part.number_, &part.report_to_, &part.count_in_, &part.parent_) != 4) {
    return std::nullopt;
  }
  return part;
}

std::string ClientPart::tool_name() const { return fmt::format("pub[{}]", number_); }

Sources ClientPart::sources(int argc, char** argv) const {
  Sources sources = process_sources(argc, argv, {});
  sources.ask_secret = {};
  return sources;
}

void ClientPart::take_on(PubConfig& config) const {
  ::prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(SIGTERM), 0UL, 0UL, 0UL);
  if (::getppid() != parent_) {
    throw Error("the process that has started this client is gone");
  }
  config.client_number = number_;
  config.report_to = report_to_;
  config.count_in = count_in_;
  ConnectionConfig& connection = config.connection;
  if (!connection.id_prefix.empty()) {
    connection.client_id = fmt::format("{}-{}", connection.id_prefix, number_);
  } else if (!connection.client_id.empty()) {
    connection.client_id += fmt::format("-{}", number_);
  }
  if (const char* const password = std::getenv(variable_of_password)) {
    connection.password = password;
    ::unsetenv(variable_of_password);
  }
}

ExitStatus run_clients(char** argv, const PubConfig& config, Output& output, const Console& console,
                       const std::stop_token& stop) {
  Clients clients{argv, config};
  {
    std::optional<Progress> progress;
    if (Progress::is_wanted(config)) {
      progress.emplace(config, console, clients.sent());
    }
    clients.start(stop);
    clients.wait(stop);
  }
  std::optional<Report> report;
  int worst = 0;
  for (const Client& client : clients.all()) {
    worst = std::max(worst, client.status.value_or(0));
    if (const auto one = unpacked(client.report)) {
      report ? report->merge(*one) : void(report = one);
    }
  }
  if (const std::string failures = failures_of(clients.all()); !failures.empty()) {
    console.note(failures);
  }
  if (const std::size_t started = clients.all().size(); started < config.clients) {
    console.note(fmt::format("stopped: {} of {} clients were not started", config.clients - started, config.clients));
    worst = std::max(worst, static_cast<int>(ExitStatus::failure));
  }
  if (config.report && report) {
    deliver(*report, config, output);
  }
  return static_cast<ExitStatus>(worst);
}

void deliver(const Report& report, const PubConfig& config, Output& output) {
  if (config.report_to < 0) {
    output.write_text(text_of(report, *config.report));
    output.flush();
    return;
  }
  const std::string line = packed(report);
  if (write_whole(config.report_to, line) < line.size()) {
    throw Error(fmt::format("cannot report to the process that has started this client: {}", std::strerror(errno)));
  }
}

}  // namespace sistem
