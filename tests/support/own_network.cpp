#include "tests/support/own_network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace sistem::test {
namespace {

void must(std::vector<std::string> command) {
  const Start start{.command = std::move(command), .environment = {}, .directory = {}};
  if (const Result result = run(start); result.status != 0) {
    throw std::runtime_error(result.report);
  }
}

}  // namespace

bool OwnNetwork::possible() {
  return run({.command = {"unshare", "--net", "true"}, .environment = {}, .directory = {}}).status == 0;
}

OwnNetwork::OwnNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  if (before_ < 0 || ::unshare(CLONE_NEWNET) != 0) {
    throw std::runtime_error(std::string("a network of its own: ") + std::strerror(errno));
  }
  must({"ip", "link", "set", "lo", "up"});
  // TCP shall repeat what was lost as it was sent, and nothing that a busy machine answers late.
  std::ofstream("/proc/sys/net/ipv4/tcp_retrans_collapse") << "0";
  std::ofstream("/proc/sys/net/ipv4/tcp_early_retrans") << "0";
}

OwnNetwork::~OwnNetwork() {
  (void)::setns(before_, CLONE_NEWNET);
  ::close(before_);
}

void OwnNetwork::join(pid_t other) const {
  const std::string pid = std::to_string(other);
  must({"ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1", "netns", pid});
  must({"ip", "address", "add", "192.0.2.1/24", "dev", "cable0"});
  must({"ip", "link", "set", "cable0", "up"});
  const std::vector<std::string> there{"nsenter", "--net", "--target", pid};
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"ip", "address", "add", "192.0.2.2/24", "dev", "cable1"},
        std::vector<std::string>{"ip", "link", "set", "cable1", "up"}}) {
    std::vector<std::string> words = there;
    words.insert(words.end(), command.begin(), command.end());
    must(std::move(words));
  }
}

void OwnNetwork::lose(std::uint16_t port, int number) const {
  // An ACK has 52 bytes, a PINGREQ 54, a SYN 60.
  must({"iptables",
        "-A",
        "INPUT",
        "-p",
        "tcp",
        "--dport",
        std::to_string(port),
        "-m",
        "length",
        "--length",
        "61:65535",
        "-m",
        "statistic",
        "--mode",
        "nth",
        "--every",
        "1000000",
        "--packet",
        std::to_string(number),
        "-j",
        "DROP"});
}

}  // namespace sistem::test
