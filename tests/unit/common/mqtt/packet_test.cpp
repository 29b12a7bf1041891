#include "common/mqtt/packet.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace sistem {
namespace {

using namespace std::string_literals;
using enum ProtocolVersion;

/// A packet of each type, with what -d says of it.
const std::tuple<ProtocolVersion, std::string, std::string> table[] = {
    {v311, "\x10\x0D\0\4MQTT\4\2\0\x3C\0\1a"s,
     "CONNECT  MQTT 3.1.1, client id a, clean session, keep alive 60 s, 15 bytes"},
    {v31, "\x10\x0F\0\6MQIsdp\3\0\0\0\0\1a"s,
     "CONNECT  MQTT 3.1, client id a, persistent session, keep alive 0 s, 17 bytes"},
    {v5, "\x10\x26\0\4MQTT\5\xEE\0\x3C\3\x21\0\5\0\1a\5\x18\0\0\0\7\0\1w\0\2by\0\2me\0\2pw"s,
     "CONNECT  MQTT 5, client id a, clean start, keep alive 60 s, user name me, password, will on w (QoS 1, retained, "
     "payload of 2 bytes, will-delay-interval 7), receive-maximum 5, 40 bytes"},
    {v311, "\x20\2\1\0"s, "CONNACK  code 0, accepted, session present, 4 bytes"},
    {v311, "\x20\2\0\5"s, "CONNACK  code 5, not authorized, 4 bytes"},
    {v5, "\x20\6\0\x87\3\x22\0\x0A"s, "CONNACK  not authorized (0x87), topic-alias-maximum 10, 8 bytes"},
    {v311, "\x30\4\0\1ax"s, "PUBLISH  a, QoS 0, payload of 1 bytes, 6 bytes"},
    {v311, "\x3D\6\0\1a\0\3x"s, "PUBLISH  packet id 3, a, QoS 2, duplicate, retained, payload of 1 bytes, 8 bytes"},
    {v5, "\x32\x0E\0\0\0\3\x08\x23\0\1\x09\0\2\0\xFFx"s,
     "PUBLISH  packet id 3, no topic, QoS 1, payload of 1 bytes, topic-alias 1, correlation-data of 2 bytes, 16 bytes"},
    {v311, "\x40\2\0\1"s, "PUBACK  packet id 1, 4 bytes"},
    {v5, "\x40\2\0\1"s, "PUBACK  packet id 1, success (0x00), 4 bytes"},
    {v5, "\x50\3\0\1\x97"s, "PUBREC  packet id 1, quota exceeded (0x97), 5 bytes"},
    {v5, "\x62\x09\0\1\x92\5\x1F\0\2no"s,
     "PUBREL  packet id 1, packet identifier not found (0x92), reason-string no, 11 bytes"},
    {v311, "\x70\2\0\1"s, "PUBCOMP  packet id 1, 4 bytes"},
    {v5, "\x82\x0B\0\1\0\0\1a\x2D\0\1b\0"s,
     "SUBSCRIBE  packet id 1, a (QoS 1, no local, retain as published, retain handling 2), b (QoS 0), 13 bytes"},
    {v311, "\x90\4\0\1\1\x80"s, "SUBACK  packet id 1, QoS 1 granted, refused (0x80), 6 bytes"},
    {v5, "\x90\5\0\1\0\2\x87"s, "SUBACK  packet id 1, QoS 2 granted, not authorized (0x87), 7 bytes"},
    {v311, "\xA2\5\0\1\0\1a"s, "UNSUBSCRIBE  packet id 1, a, 7 bytes"},
    {v5, "\xB0\4\0\1\0\x11"s, "UNSUBACK  packet id 1, no subscription existed (0x11), 6 bytes"},
    {v311, "\xC0\0"s, "PINGREQ  2 bytes"},
    {v311, "\xD0\0"s, "PINGRESP  2 bytes"},
    {v311, "\xE0\0"s, "DISCONNECT  2 bytes"},
    {v5, "\xE0\1\x8E"s, "DISCONNECT  session taken over (0x8E), 3 bytes"},
    {v5, "\xF0\2\x18\0"s, "AUTH  continue authentication (0x18), 4 bytes"},
};

TEST(Packet, EachTypeIsTakenApartAndDescribed) {
  for (const auto& [version, bytes, words] : table) {
    const Packet packet = read_packet(bytes, version);
    EXPECT_EQ(packet.size, bytes.size());
    EXPECT_EQ(description(packet, version), words);
  }
}

TEST(Packet, OneThatIsCutOffIsMalformedAndNotReadPastItsEnd) {
  for (const auto& [version, bytes, words] : table) {
    for (std::size_t size = 0; size + 1 < bytes.size(); ++size) {
      const std::string cut{bytes, 0, size};
      EXPECT_THROW((void)read_packet(cut, version), Malformed) << words << " " << size;
    }
  }
}

TEST(Packet, OneWhoseLengthIsTooShortForWhatItSaysIsMalformed) {
  for (const auto& [version, bytes, words] : table) {
    for (std::size_t size = 2; size < bytes.size(); ++size) {
      std::string shorter{bytes, 0, size};
      shorter[1] = static_cast<char>(size - 2);
      try {
        EXPECT_EQ(read_packet(shorter, version).size, size);  // some ends are optional, a payload among them
      } catch (const Malformed& malformed) {
        EXPECT_TRUE(std::string(malformed.what()).starts_with(packet_name(read_packet(bytes, version).type)));
      }
    }
  }
}

TEST(Packet, OfALargeMessageTheBeginningIsEnough) {
  const std::string bytes = "\x32\xE8\x07\0\1a\0\3"s + std::string(100, 'x');  // 1000 bytes follow the header
  const Packet packet = read_packet(bytes, v311);
  EXPECT_EQ(packet.size, 1003U);
  EXPECT_EQ(packet.payload, 995U);
  EXPECT_EQ(packet.id, 3);
}

TEST(Packet, AStreamIsCutWhereItsPacketsEndInPiecesOfAnySize) {
  std::string stream;
  std::vector<std::string> packets;
  for (const auto& [version, bytes, words] : table) {
    packets.push_back(bytes);
    stream += bytes;
  }
  packets.push_back("\x30\xC8\x01\0\1a"s + std::string(197, 'p'));  // two bytes of length
  stream += packets.back();
  for (std::size_t size = 1; size <= stream.size(); size += size < 40 ? 1 : 97) {
    PacketCutter cutter;
    std::vector<std::string> cut;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      std::string_view part = std::string_view(stream).substr(at, size);
      while (const auto piece = cutter.next(part)) {
        if (piece->begins) {
          cut.emplace_back();
        }
        cut.back() += piece->bytes;
        EXPECT_EQ(piece->ends, cut.back().size() == piece->packet_size);
      }
      EXPECT_TRUE(part.empty());
    }
    EXPECT_EQ(cut, packets) << size;
    EXPECT_TRUE(cutter.between_packets());
  }
}

TEST(Packet, ALengthOfFiveBytesIsMalformed) {
  PacketCutter cutter;
  std::string_view bytes{"\x30\xFF\xFF\xFF\xFF\x01"};
  EXPECT_THROW((void)cutter.next(bytes), Malformed);
}

}  // namespace
}  // namespace sistem
