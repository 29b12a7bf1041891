#include "common/net/websocket.hpp"

#include <gtest/gtest.h>

#include "common/mqtt/protocol.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;

constexpr std::array<unsigned char, 4> mask{1, 2, 3, 4};

/// A frame as a server sends it: without a mask.
std::string frame(unsigned char first, const std::string& payload) {
  std::string bytes{static_cast<char>(first)};
  if (payload.size() < 126) {
    bytes += static_cast<char>(payload.size());
  } else if (payload.size() <= 0xFFFF) {
    bytes += "\x7E"s + static_cast<char>(payload.size() >> 8U) + static_cast<char>(payload.size() & 0xFFU);
  } else {
    bytes += "\x7F\0\0\0\0\0"s + static_cast<char>(payload.size() >> 16U) + static_cast<char>(payload.size() >> 8U) +
             static_cast<char>(payload.size());
  }
  return bytes + payload;
}

TEST(WebSocketFrames, AClientsAreMaskedAndSayTheirLength) {
  EXPECT_EQ(framed(Opcode::binary, "abc", mask), "\x82\x83\1\2\3\4\x60\x60\x60"s);
  EXPECT_EQ(framed(Opcode::close, "", mask), "\x88\x80\1\2\3\4"s);
  EXPECT_TRUE(framed(Opcode::binary, std::string(126, 'x'), mask).starts_with("\x82\xFE\0\x7E"s));
  EXPECT_TRUE(framed(Opcode::binary, std::string(65535, 'x'), mask).starts_with("\x82\xFE\xFF\xFF"s));
  EXPECT_TRUE(framed(Opcode::binary, std::string(65536, 'x'), mask).starts_with("\x82\xFF\0\0\0\0\0\1\0\0"s));
}

TEST(WebSocketFrames, AServersAreTakenApartInPiecesOfAnySize) {
  std::string stream;
  std::string expected;
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U}) {
    const std::string payload(size, static_cast<char>('a' + size % 26));
    stream += frame(0x82, payload);
    expected += payload;
  }
  stream += frame(0x02, "in ") + frame(0x89, "still there?") + frame(0x80, "parts") + frame(0x88, "\x03\xE8 bye");
  expected += "in parts";
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, stream.size()}) {
    Unframer unframer;
    std::string data;
    std::vector<Unframer::Control> controls;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      for (auto& control : unframer.take(std::string_view(stream).substr(at, step), data)) {
        controls.push_back(std::move(control));
      }
    }
    EXPECT_EQ(data, expected) << step;
    ASSERT_EQ(controls.size(), 2U);
    EXPECT_EQ(controls[0].opcode, Opcode::ping);
    EXPECT_EQ(controls[0].payload, "still there?");
    EXPECT_EQ(controls[1].opcode, Opcode::close);
    EXPECT_EQ(controls[1].payload, "\x03\xE8 bye");
  }
}

TEST(WebSocketFrames, WhatNoServerMaySendIsMalformed) {
  std::string data;
  EXPECT_THROW((void)Unframer{}.take("\x82\x81\1\2\3\4x"s, data), Malformed) << "masked";
  EXPECT_THROW((void)Unframer{}.take("\x89\x7E\0\x7E"s, data), Malformed) << "a long control frame";
}

}  // namespace
}  // namespace sistem
