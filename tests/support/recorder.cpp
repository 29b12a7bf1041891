#include "tests/support/recorder.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "common/process/descriptor.hpp"
#include "tests/support/loopback.hpp"

namespace sistem::test {
namespace {

constexpr std::string_view mark = "this is the end of the recording";

std::vector<std::string> tcpdump(const std::filesystem::path& file, const std::vector<std::uint16_t>& ports,
                                 const std::string& interface, std::uint16_t mark_port) {
  std::string filter = fmt::format("arp or udp port {}", mark_port);
  for (const std::uint16_t port : ports) {
    filter += fmt::format(" or tcp port {}", port);
  }
  // 64 MiB: until the filter is set it keeps what others say on that interface, and its 2 MiB are 32 frames of
  // loopback.
  return {"tcpdump", "-i", interface, "--immediate-mode", "-B", "65536", "-U", "-w", file, filter};
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

bool can_record() {
  if (::geteuid() != 0) {
    return false;
  }
  for (const Start& start : {Start{.command = {"tcpdump", "-i", "lo", "-L"}, .environment = {}, .directory = {}},
                             Start{.command = {"which", "tshark"}, .environment = {}, .directory = {}}}) {
    if (const Result result = run(start); result.status != 0) {
      if (std::getenv("CI") != nullptr) {
        throw std::runtime_error("CI must not skip the tests that record (tests/run installs what they need)\n" +
                                 result.report);
      }
      return false;
    }
  }
  return true;
}

Recorder::Recorder(std::filesystem::path file, const std::vector<std::uint16_t>& ports, Place place)
    : file_(std::move(file)),
      place_(std::move(place)),
      mark_port_(free_port()),
      tcpdump_({.command = tcpdump(file_, ports, place_.interface, mark_port_), .environment = {}, .directory = {}}) {
  tcpdump_.wait_for_stderr("listening on " + place_.interface);
}

void Recorder::stop() {
  // When it is told to end, tcpdump forgets what it has not yet taken over; and what is sent last comes last.
  const Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, place_.address.c_str(), &address.sin_addr);
  address.sin_port = htons(mark_port_);
  (void)::sendto(socket.get(), mark.data(), mark.size(), 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (content_of(file_).find(mark) == std::string::npos) {
    if (std::chrono::steady_clock::now() >= deadline) {
      throw std::runtime_error("tcpdump never recorded the mark\n" + tcpdump_.report());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  tcpdump_.signal(SIGINT);
  if (tcpdump_.wait() != 0) {
    throw std::runtime_error(tcpdump_.report());
  }
}

}  // namespace sistem::test
