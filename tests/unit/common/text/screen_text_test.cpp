#include "common/text/screen_text.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::string_literals;

TEST(ScreenText, SpellsOutWhatWouldActOnATerminal) {
  const struct {
    std::string bytes;
    std::string shown;
  } texts[] = {
      {"", ""},
      {"28.0 °C", "28.0 °C"},
      {"C:\\n", "C:\\n"},  // a backslash is a backslash
      {"a\nb\tc\r", "a\\nb\\tc\\r"},
      {"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
      {"\0\a\b\x7F"s, "\\x00\\x07\\x08\\u007f"},
      {"\xC2\x9B"
       "31m",
       "\\u009b31m"},                       // CSI in one character
      {"\x9B\xFF\xC3", "\\x9b\\xff\\xc3"},  // no UTF-8
      {"\xC0\x9B", "\\xc0\\x9b"},           // nor is what is too long for its character
      {"exe.\u202Etxt", "exe.\\u202etxt"},  // the rest would be shown from right to left
      {"\u2028\u2066\uFEFF", "\\u2028\\u2066\\ufeff"},
      {"日本 😀 e\u0301", "日本 😀 e\u0301"},
  };
  for (const auto& text : texts) {
    EXPECT_EQ(shown(text.bytes), text.shown);
  }
}

TEST(ScreenText, LeavesLinesWhereTheyMayBe) {
  EXPECT_EQ(shown("{\n\t1\r\x1b}", TextLines::several), "{\n\t1\\r\\x1b}");
}

TEST(ScreenText, CountsColumns) {
  EXPECT_EQ(columns_of(""), 0U);
  EXPECT_EQ(columns_of("28.0 °C"), 7U);
  EXPECT_EQ(columns_of("日本"), 4U);
  EXPECT_EQ(columns_of("😀"), 2U);
  EXPECT_EQ(columns_of("e\u0301"), 1U);
}

TEST(ScreenText, FillsUpOrCuts) {
  EXPECT_EQ(fitted("abc", 5), "abc  ");
  EXPECT_EQ(fitted("abcde", 5), "abcde");
  EXPECT_EQ(fitted("abcdef", 5), "abcd…");
  EXPECT_EQ(fitted("日本語", 5), "日本…");
  EXPECT_EQ(fitted("日本語", 4), "日… ");  // half a character is none
  EXPECT_EQ(fitted("abc", 1), "…");
  EXPECT_EQ(fitted("abc", 0), "");
}

}  // namespace
}  // namespace sistem
