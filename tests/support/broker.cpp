#include "tests/support/broker.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace sistem::test {
namespace {

std::string mosquitto() {
  for (const char* path : {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"}) {
    if (std::filesystem::exists(path)) {
      return path;
    }
  }
  return {};
}

/// From 2.1 on Mosquitto takes no packet over 2 MB unless it is told to.
const std::string& with_large_packets() {
  static const std::string setting = [] {
    const std::string version = run(Start{.command = {mosquitto(), "-h"}}).out;  // "mosquitto version 2.0.11"
    return version.find(" 2.0.") != std::string::npos ? "" : "max_packet_size 268435455\n";
  }();
  return setting;
}

}  // namespace

bool has_mosquitto() {
  if (mosquitto().empty() && std::getenv("CI") != nullptr) {
    throw std::runtime_error("mosquitto is not installed, and CI must not skip its tests");
  }
  return !mosquitto().empty();
}

Broker::Broker(const std::string& settings) : settings_(settings), port_(free_port()) {
  // Another process may take the port between free_port() and Mosquitto's bind.
  for (int attempt = 0; attempt < 10; ++attempt, port_ = free_port()) {
    if (try_to_start()) {
      return;
    }
  }
  throw std::runtime_error("mosquitto does not start\n" + log());
}

bool Broker::try_to_start() {
  // As root Mosquitto would change to a user who may not write here. The log goes to a file: nobody reads a pipe while
  // a test floods.
  const std::string user = ::geteuid() == 0 ? "user root\n" : "";
  const auto configuration =
      folder_.write("mosquitto.conf", fmt::format("listener {} 127.0.0.1\nlog_dest file {}\nlog_type all\n{}{}{}",
                                                  port_, log_file().string(), user, with_large_packets(), settings_));
  std::filesystem::remove(log_file());
  process_ = std::make_unique<Process>(Start{.command = {mosquitto(), "-c", configuration.string()}});
  return logged(" running", [this] { return !process_->ended(); });  // said when its listeners are open
}

void Broker::stop(int signal) {
  // Mosquitto 2.0.11 says "running" before it heeds SIGTERM, and forgets one that comes in between: so it is told
  // again until it goes.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!process_->ended() && std::chrono::steady_clock::now() < deadline) {
    process_->signal(signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  (void)process_->wait();
}

void Broker::start() {
  if (!try_to_start()) {
    throw std::runtime_error("mosquitto does not start again\n" + log());
  }
}

std::filesystem::path Broker::log_file() const { return folder_.path() / "mosquitto.log"; }

std::string Broker::log() const {
  std::ifstream file(log_file());
  std::string text{std::istreambuf_iterator<char>(file), {}};
  // From 2.1 on Mosquitto calls MQTT 3.1 p3 and 3.1.1 p4; before that p1 and p2.
  for (const auto& [now, before] : {std::pair{"(p3, c", "(p1, c"}, std::pair{"(p4, c", "(p2, c"}}) {
    const std::string_view name = before;
    for (auto at = text.find(now); at != std::string::npos; at = text.find(now, at)) {
      text.replace(at, name.size(), name);
    }
  }
  return text;
}

bool Broker::logged(const std::string& text, const std::function<bool()>& worth_waiting) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (log().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() >= deadline || !worth_waiting()) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void Broker::wait_for_log(const std::string& text) const {
  if (!logged(text, [] { return true; })) {
    throw std::runtime_error(fmt::format("mosquitto never logged: {}\n{}", text, log()));
  }
}

}  // namespace sistem::test
