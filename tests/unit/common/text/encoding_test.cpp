#include "common/text/encoding.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::string_literals;

TEST(Payload, HexHasTwoDigitsForEachByte) {
  EXPECT_EQ(hex("\x00\x0A\x7F\xFF"s, HexDigits::lower), "000a7fff");
  EXPECT_EQ(hex("\x00\x0A\x7F\xFF"s, HexDigits::upper), "000A7FFF");
  EXPECT_EQ(hex("", HexDigits::lower), "");
}

TEST(Payload, Base64IsThatOfTheStandard) {
  const std::pair<std::string, std::string> table[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},  // RFC 4648, 10
      {"\xFF\xFE\x00\xFB"s, "//4A+w=="},
  };
  for (const auto& [bytes, text] : table) {
    EXPECT_EQ(base64(bytes), text);
  }
}

TEST(Payload, TextIsUtf8WithoutNul) {
  for (const auto& text : {""s, "a"s, "°C\n"s, "\xF0\x9F\x98\x80"s, "\x7F\x01"s}) {
    EXPECT_TRUE(is_text(text)) << text;
  }
  for (const auto& bytes : {"a\0b"s, "\xFF"s, "\xC0\x80"s, "\xED\xA0\x80"s, "ok\xE2\x82"s}) {
    EXPECT_FALSE(is_text(bytes)) << bytes;
  }
}

TEST(MqttText, HasNoControlCharactersAndNoCodePointsThatAreNoCharacters) {
  for (const char* text : {"", "a b", "28 °C", "\xEF\xBF\xBD", "\xF0\x9F\x8C\xA1"}) {
    EXPECT_TRUE(is_mqtt_text(text)) << text;
  }
  for (const char* text :
       {"\x01", "a\n", "\x7F", "\xC2\x80", "\xC2\x9F", "\xEF\xBF\xBE", "\xEF\xB7\x90", "\xF0\x9F\xBF\xBF", "\xFF"}) {
    EXPECT_FALSE(is_mqtt_text(text)) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace sistem
