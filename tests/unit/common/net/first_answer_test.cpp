#include "common/net/peer.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::string_literals;

TEST(FirstAnswerTest, AConnackIsWhatABrokerSays) {
  for (const std::string& connack : {"\x20\x02\x00\x00"s, "\x20\x02\x01\x00"s, "\x20\x03\x00\x00\x00"s,
                                     "\x20\x15\x00\x00\x12"s, "\x20\x80\x01\x00\x00"s}) {
    for (std::size_t size = 0; size <= connack.size(); ++size) {
      EXPECT_EQ(not_mqtt(connack.substr(0, size)), std::nullopt) << size;
    }
  }
}

TEST(FirstAnswerTest, WhatSpeaksAnotherProtocolIsNamedByIt) {
  const std::pair<std::string, std::string> table[] = {
      {"\x15\x03\x01\x00\x02\x02\x46"s, "it answers with TLS: --cafile or --tls-use-os-certs?"},
      {"\x15\x03"s, "it answers with TLS: --cafile or --tls-use-os-certs?"},
      {"\x16\x03\x03"s, "it answers with TLS: --cafile or --tls-use-os-certs?"},
      {"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n", "it answers HTTP/1.1 400 Bad Request: --ws?"},
      {"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
       "it answers \"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\": is it an MQTT broker?"},
      {"220 mail.example ESMTP\r\n", "it answers \"220 mail.example ESMTP\": is it an MQTT broker?"},
      {"* OK IMAP4rev1 \x1b[2J\xff ready", "it answers \"* OK IMAP4rev1 \\x1b[2J\\xff ready\": is it an MQTT broker?"},
      {"<html>" + std::string(100, 'x'), "it answers \"<html>" + std::string(54, 'x') + "...\": is it an MQTT broker?"},
      {"J\0\0\0\n5.7.44"s, "what it answers is not MQTT (its first byte is 0x4A)"},
      {"\0\0\0\0"s, "what it answers is not MQTT (its first byte is 0x00)"},
      {"\xF0\x02\x18\x00"s, "it asks for another step of authentication (AUTH), which this tool cannot do"},
      {"\x10\x0c\x00\x04MQTT"s, "it sends back what it gets: its first packet is CONNECT and not CONNACK"},
      {"\x30\x04\x00\x01"
       "ax"s,
       "its first packet is PUBLISH and not CONNACK"},
      {"\xD0\x00"s, "its first packet is PINGRESP and not CONNACK"},
      {"\xE0\x01\x8B"s, "its first packet is DISCONNECT (server shutting down (0x8B)) and not CONNACK"},
      {"\x90\x03\x00\x01\x00"s, "its first packet is SUBACK and not CONNACK"},
  };
  for (const auto& [bytes, words] : table) {
    EXPECT_EQ(not_mqtt(bytes), words);
  }
}

TEST(FirstAnswerTest, NothingIsSaidOfAnAnswerBeforeItCanBeTold) {
  EXPECT_EQ(not_mqtt("SSH"), std::nullopt);
  EXPECT_EQ(not_mqtt("\x15"), std::nullopt);
}

}  // namespace
}  // namespace sistem
