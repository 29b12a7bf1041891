#include "common/net/dial.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/process/error.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

std::string failure_of(const std::string& host, std::uint16_t port, const std::stop_token& stop = {}) {
  try {
    (void)Dialer{{.host = host, .port = port}}.dial(deadline_in(10s), stop);
    return "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::no_broker);
    return error.what();
  }
}

TEST(Dial, GivesAConnectedSocketThatDoesNotBlockOrDelay) {
  const test::RogueBroker listener{{}};
  const Dialed dialed = Dialer{{.host = "127.0.0.1", .port = listener.port()}}.dial(deadline_in(10s), {});
  EXPECT_EQ(dialed.way, "127.0.0.1:" + std::to_string(listener.port()));
  EXPECT_NE(::fcntl(dialed.channel.fd(), F_GETFL) & O_NONBLOCK, 0);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  EXPECT_EQ(::getsockopt(dialed.channel.fd(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
}

TEST(Dial, NaglesDelayStaysWhereItIsWanted) {
  const test::RogueBroker listener{{}};
  const Dialed dialed =
      Dialer{{.host = "127.0.0.1", .port = listener.port(), .no_delay = false}}.dial(deadline_in(10s), {});
  int no_delay = 1;
  socklen_t size = sizeof no_delay;
  EXPECT_EQ(::getsockopt(dialed.channel.fd(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_EQ(no_delay, 0);
}

TEST(Dial, APathThatIsTooLongForASocketIsTold) {
  ConnectionConfig config;
  config.unix_path = "/" + std::string(200, 'x');
  try {
    (void)Dialer{config}.dial(deadline_in(10s), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "no broker at " + config.unix_path + ": the path of a unix socket has at most 107 bytes");
  }
}

TEST(Dial, AProxyThatIsSilentIsGivenUpInTime) {
  const test::RogueBroker silent{{}, test::RogueBroker::Clients::something_else};
  ConnectionConfig config;
  config.port = 1883;
  config.proxy.host = "127.0.0.1";
  config.proxy.port = silent.port();
  try {
    (void)Dialer{config}.dial(deadline_in(50ms), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "no broker at localhost:1883: time was up while the proxy at 127.0.0.1:" +
                                std::to_string(silent.port()) + " was asked for it");
  }
}

TEST(Dial, FindsTheAddressOfAName) {
  // Where localhost is ::1 too, nothing listens there, and the next address is tried.
  const test::RogueBroker listener{{}};
  EXPECT_EQ((Dialer{{.host = "localhost", .port = listener.port()}}.dial(deadline_in(10s), {}).way),
            "127.0.0.1:" + std::to_string(listener.port()));
}

TEST(Dial, SaysWhatWasTriedAndWhyItFailed) {
  const auto port = test::free_port();
  EXPECT_EQ(failure_of("127.0.0.1", port),
            "no broker at 127.0.0.1:" + std::to_string(port) + ": connection refused (tried 127.0.0.1)");
}

TEST(Dial, ANameWithoutAnAddressIsNamed) {
  const std::string name(64, 'x');  // longer than a label may be, so that no name server is asked
  EXPECT_NE(failure_of(name, 1883).find("cannot find the address of \"" + name), std::string::npos);
}

TEST(Dial, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_NE(failure_of("127.0.0.1", 1883, stop.get_token()).find("stopped"), std::string::npos);
}

}  // namespace
}  // namespace sistem
