// An orderly end: the broker gets the last acknowledgements and DISCONNECT, however much it still sends.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

#include "common/mqtt/packet.hpp"
#include "common/process/stop.hpp"
#include "tests/integration/tools.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

/// A broker that sends one client more messages of QoS 1 than it can take, and is late in reading what that sends until
/// it has closed its side. Then it sends some more, and reads what is there: where the client has reset the
/// connection, it notices when it sends.
class FloodingBroker {
 public:
  FloodingBroker() : listener_(listen_on_loopback()), thread_([this](const std::stop_token& stop) { serve(stop); }) {}
  FloodingBroker(const FloodingBroker&) = delete;
  FloodingBroker& operator=(const FloodingBroker&) = delete;
  ~FloodingBroker() {
    thread_.request_stop();
    (void)was_reset();
    ::close(listener_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_of(listener_); }
  /// Waits until the connection has ended: whether it was reset.
  [[nodiscard]] bool was_reset() {
    if (thread_.joinable()) {
      thread_.join();
    }
    return was_reset_;
  }
  /// The types of the packets that were read after SUBSCRIBE, when it has ended.
  [[nodiscard]] const std::vector<PacketType>& types() const { return types_; }

 private:
  void serve(const std::stop_token& stop) {
    if (sistem::wait_for(listener_, POLLIN, never, stop) != Woken::ready) {
      return;
    }
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    read_packet(client, stop);  // CONNECT, and
    (void)!::write(client, "\x20\x02\0\0", 4);
    read_packet(client, stop);  // SUBSCRIBE
    (void)!::write(client, "\x90\x03\0\x01\x01", 5);
    flood_until_closed(client, stop);
    std::this_thread::sleep_for(30ms);
    was_reset_ = send_some(client) < 0 && errno != EAGAIN;
    while (read_some(client)) {
    }
    ::close(client);
  }

  /// False at the end.
  bool read_some(int client) {
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(client, bytes.data(), bytes.size());
    std::string_view rest{bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    while (const auto piece = cutter_.next(rest)) {
      if (piece->begins) {
        types_.push_back(type_of(piece->first_byte));
      }
    }
    return count > 0;
  }

  static void read_packet(int client, const std::stop_token& stop) {
    PacketCutter cutter;
    for (bool ends = false; !ends && sistem::wait_for(client, POLLIN, never, stop) == Woken::ready;) {
      char byte = 0;
      if (::read(client, &byte, 1) <= 0) {
        return;
      }
      std::string_view one{&byte, 1};
      const auto piece = cutter.next(one);
      ends = piece && piece->ends;
    }
  }

  /// Never waits. As send(2).
  ssize_t send_some(int client) {
    return ::send(client, flood_.data() + sent_, flood_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void flood_until_closed(int client, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd one{client, POLLOUT | POLLRDHUP, 0};
      if (::poll(&one, 1, 50) > 0 && (one.revents & (POLLRDHUP | POLLERR | POLLHUP)) != 0) {
        return;
      }
      const ssize_t count = send_some(client);
      if (count < 0 && errno != EAGAIN) {
        return;
      }
      int unread = 0;
      constexpr int late = 1 << 10;  // the kernel keeps a buffer of its own for each small packet
      while (::ioctl(client, FIONREAD, &unread) == 0 && unread > late && read_some(client)) {
      }
      sent_ = (sent_ + static_cast<std::size_t>(std::max<ssize_t>(count, 0))) % flood_.size();
    }
  }

  static std::string flood() {
    std::string all;
    for (int id = 1; id <= 2000; ++id) {
      all += "\x32\x81\x01\0\1t"s + static_cast<char>(id >> 8) + static_cast<char>(id & 0xFF) + std::string(124, 'x');
    }
    return all;
  }

  const std::string flood_ = flood();
  std::size_t sent_ = 0;
  int listener_;
  bool was_reset_ = false;
  PacketCutter cutter_;
  std::vector<PacketType> types_;
  std::jthread thread_;
};

TEST(Ending, ResetsNoConnectionThoughMuchIsUnread) {
  for (const Arguments& options : {Arguments{"-C", "1"}, Arguments{"-W", "1"}, Arguments{"--until", "x"}}) {
    FloodingBroker flooding;
    const Result result = run(tool(SUB, flooding.port(), Arguments{"-t", "t", "-q", "1"} + options));
    EXPECT_FALSE(flooding.was_reset()) << result.err;
    ASSERT_FALSE(flooding.types().empty()) << result.err;
    EXPECT_EQ(flooding.types().back(), PacketType::disconnect) << result.err;
    // What was printed was acknowledged, and the other way round; with --until only in a session that is kept.
    if (options.front() != "--until") {
      EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'),
                std::count(flooding.types().begin(), flooding.types().end(), PacketType::puback));
    }
  }
}

TEST(Ending, ASignalAndAReaderThatGoesResetNoneEither) {
  for (const bool by_signal : {true, false}) {
    FloodingBroker flooding;
    Start start = tool(SUB, flooding.port(), {"-t", "t", "-q", "1"});
    if (by_signal) {
      start.command.insert(start.command.begin(), {"sh", "-c", "exec \"$@\" > /dev/null", "sh"});
    }
    Process subscriber{start};
    subscriber.wait_for_stderr("subscribed to");
    if (by_signal) {
      subscriber.signal(SIGTERM);
    } else {
      subscriber.wait_for_stdout("x\n");
      subscriber.close_stdout();
    }
    EXPECT_EQ(subscriber.wait(), 0) << subscriber.err();
    EXPECT_FALSE(flooding.was_reset()) << subscriber.err();
    ASSERT_FALSE(flooding.types().empty());
    EXPECT_EQ(flooding.types().back(), PacketType::disconnect);
  }
}

// A broker that does not close its side is not waited for for long.
TEST(Ending, ABrokerThatNeverClosesHoldsNothingUp) {
  const int listener = listen_on_loopback();
  std::jthread broker([&](const std::stop_token& stop) {
    if (sistem::wait_for(listener, POLLIN, never, stop) != Woken::ready) {
      return;
    }
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    for (const auto& reply : {"\x20\x02\0\0"s, "\x90\x03\0\x01\x00\x30\x04\0\x01tx"s}) {
      std::array<char, 4096> bytes{};
      (void)sistem::wait_for(client, POLLIN, never, stop);
      (void)!::read(client, bytes.data(), bytes.size());
      (void)!::write(client, reply.data(), reply.size());
    }
    (void)sleep_until(never, stop);
    ::close(client);
  });
  const Result result = run(tool(SUB, port_of(listener), {"-t", "t", "-C", "1"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "x\n");
  broker.request_stop();
  broker.join();
  ::close(listener);
}

/// A Mosquitto that is flooded, with a listener for each way to it.
class EndingInAFlood : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    const Authority::Pair pair = authority_.issue("broker", "DNS:localhost,IP:127.0.0.1");
    const std::string socket = (folder_.path() / "socket").string();
    broker_ = std::make_unique<Broker>(fmt::format(
        "allow_anonymous true\nlistener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n"
        "listener {} 127.0.0.1\nprotocol websockets\nlistener 0 {}\n",
        tls_, authority_.certificate().string(), pair.certificate.string(), pair.key.string(), websocket_, socket));
    ways_ = {{"tcp", {"-p", std::to_string(broker_->port())}},
             {"tls", {"-p", std::to_string(tls_), "--cafile", authority_.certificate().string()}},
             {"websocket", {"-p", std::to_string(websocket_), "--ws"}},
             {"unix", {"--unix", socket}}};
  }

  Authority authority_;
  TemporaryFolder folder_;
  std::uint16_t tls_ = free_port();
  std::uint16_t websocket_ = free_port();
  std::unique_ptr<Broker> broker_;
  std::map<std::string, Arguments> ways_;
};

TEST_P(EndingInAFlood, TheBrokerGetsDisconnectAndPublishesNoWill) {
  const Process publisher{pub(
      *broker_, {"-t", "flood", "-q", "1", "-m", std::string(40, 'x'), "--repeat", "100000000", "--rate", "20000"})};
  const auto watcher = subscribed(*broker_, {"-t", "will/#", "-t", "done"});
  for (int attempt = 0; attempt < 4; ++attempt) {
    const std::string id = fmt::format("leaves{}", attempt);
    const Arguments options =
        ways_.at(GetParam()) +
        Arguments{"-q", "1", "-t", "flood", "-i", id, "--will-topic", "will/" + id, "--will-payload", "gone"};
    if (attempt % 2 == 0) {
      const Result result = run(sub(*broker_, options + Arguments{"-C", "1000"}));
      EXPECT_EQ(result.status, 0) << result.err;
    } else {
      Process subscriber{sub(*broker_, options)};
      subscriber.wait_for_stdout("x\n");
      subscriber.signal(SIGTERM);
      EXPECT_EQ(subscriber.wait(), 0) << subscriber.err();
    }
    broker_->wait_for_log("Received DISCONNECT from " + id);
  }
  ASSERT_EQ(run(pub(*broker_, {"-t", "done", "-m", "done", "-q", "1"})).status, 0);
  watcher->wait_for_stdout("done");
  EXPECT_EQ(watcher->out(), "done\n");
}
INSTANTIATE_TEST_SUITE_P(By, EndingInAFlood, testing::Values("tcp", "tls", "websocket", "unix"));

}  // namespace
}  // namespace sistem::test
