#include "common/net/srv.hpp"

#include <gtest/gtest.h>

#include <map>

#include "common/net/peer.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;

/// The label sequence of a name [RFC 1035 3.1].
std::string wire_name(const std::vector<std::string>& labels) {
  std::string wire;
  for (const std::string& label : labels) {
    wire += static_cast<char>(label.size()) + label;
  }
  return wire + '\0';
}

const std::string question = wire_name({"_mqtt", "_tcp", "example", "org"});
const std::string back_to_question = "\xC0\x0C"s;  // a pointer to the first byte after the header

std::string two_bytes(std::size_t number) {
  return {static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
}

/// One record of an answer, of any type: SRV is 33.
std::string record(int type, const std::string& data) {
  return back_to_question + two_bytes(static_cast<std::size_t>(type)) + "\0\1"s + "\0\0\0\x3C"s +
         two_bytes(data.size()) + data;
}
std::string srv(int priority, int weight, int port, const std::string& host) {
  return record(33, two_bytes(static_cast<std::size_t>(priority)) + two_bytes(static_cast<std::size_t>(weight)) +
                        two_bytes(static_cast<std::size_t>(port)) + host);
}

std::vector<unsigned char> dns_answer(const std::vector<std::string>& records) {
  std::string bytes = "\x12\x34\x81\x80\0\1"s + two_bytes(records.size()) + "\0\0\0\0"s + question + "\0\x21\0\1"s;
  for (const std::string& one : records) {
    bytes += one;
  }
  return {bytes.begin(), bytes.end()};
}

std::string complaint_about(const std::vector<unsigned char>& bytes) {
  try {
    (void)targets_in(bytes, "_mqtt._tcp.example.org");
    return "none";
  } catch (const Unreachable& why) {
    return why.what();
  }
}

TEST(Srv, TheNameIsThatOfMosquittosLibrary) {
  EXPECT_EQ(srv_name("example.org", false), "_mqtt._tcp.example.org");
  EXPECT_EQ(srv_name("example.org", true), "_secure-mqtt._tcp.example.org");
}

TEST(Srv, AnAnswerIsReadRecordByRecord) {
  const std::string compressed = "\1b\xC0\x17"s;  // b, and then the question from example on
  const auto targets = targets_in(dns_answer({srv(10, 5, 1883, wire_name({"a", "example", "net"})),
                                              record(1, "\x7F\0\0\1"s), srv(0, 65535, 40000, compressed)}),
                                  "_mqtt._tcp.example.org");
  const std::vector<SrvTarget> expected{{"a.example.net", 1883, 10, 5}, {"b.example.org", 40000, 0, 65535}};
  EXPECT_EQ(targets, expected);
}

TEST(Srv, ARootAsTargetMeansThatThereIsNoSuchService) {
  EXPECT_EQ(complaint_about(dns_answer({srv(0, 0, 0, wire_name({}))})),
            "cannot find the SRV record _mqtt._tcp.example.org (it names no host)");
  EXPECT_EQ(complaint_about(dns_answer({})), "cannot find the SRV record _mqtt._tcp.example.org (it names no host)");
}

TEST(Srv, AnAnswerThatIsCutAnywhereIsRefused) {
  const auto whole = dns_answer({srv(10, 5, 1883, wire_name({"a", "example", "net"}))});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(complaint_about({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), "none") << size;
  }
}

TEST(Srv, TheLowestPriorityGoesFirst) {
  std::minstd_rand random{1};
  const auto ordered = in_order_of_trial({{"c", 1, 30, 0}, {"a", 1, 10, 0}, {"b", 1, 20, 9}}, random);
  EXPECT_EQ(ordered[0].host + ordered[1].host + ordered[2].host, "abc");
}

TEST(Srv, WithinAPriorityTheWeightDecidesWhoIsFirstHowOften) {
  std::minstd_rand random{1};
  std::map<std::string, int> first;
  constexpr int draws = 10000;
  for (int draw = 0; draw < draws; ++draw) {
    const auto ordered = in_order_of_trial({{"none", 1, 0, 0}, {"one", 1, 0, 10}, {"three", 1, 0, 30}}, random);
    ASSERT_EQ(ordered.size(), 3U);
    ++first[ordered.front().host];
  }
  EXPECT_NEAR(first["three"], draws * 30 / 41.0, draws / 20.0);
  EXPECT_NEAR(first["one"], draws * 10 / 41.0, draws / 20.0);
  EXPECT_GT(first["none"], 0);
}

}  // namespace
}  // namespace sistem
