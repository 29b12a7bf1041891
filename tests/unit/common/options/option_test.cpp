#include "common/text/words.hpp"

#include <gtest/gtest.h>

#include "common/net/url.hpp"

namespace sistem {
namespace {

TEST(Words, ComeBackAsTheyWere) {
  const std::vector<std::vector<std::string>> table{
      {}, {"a"}, {"a", "b"}, {""}, {"a b", ""}, {"\"", "\\"}, {"\"a\" b", "c\\ d"}, {"=", "#", "-x", "'"}, {"\t"}};
  for (const auto& words : table) {
    EXPECT_EQ(split(joined(words)), words) << joined(words);
  }
}

TEST(Words, AreSeparatedByBlanks) {
  EXPECT_EQ(split("  one\ttwo  "), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(split("it's 5\"6"), (std::vector<std::string>{"it's", "5\"6"}));
  EXPECT_THROW(static_cast<void>(split("one \"two")), Expected);
}

TEST(Distance, CountsWhatOneMustChange) {
  EXPECT_EQ(distance("host", "host"), 0U);
  EXPECT_EQ(distance("hsot", "host"), 1U);
  EXPECT_EQ(distance("hst", "host"), 1U);
  EXPECT_EQ(distance("hosts", "host"), 1U);
  EXPECT_EQ(distance("hoxt", "host"), 1U);
  EXPECT_EQ(distance("", "host"), 4U);
  EXPECT_EQ(distance("port", "host"), 2U);
}

TEST(Suggestion, IsTheNearestWhereOneIsLikely) {
  const std::vector<std::string> words{"host", "port", "password-file"};
  EXPECT_EQ(suggestion("hsot", words), "; did you mean host?");
  EXPECT_EQ(suggestion("pasword-flie", words, "--"), "; did you mean --password-file?");
  EXPECT_EQ(suggestion("x", words), "");
  EXPECT_EQ(suggestion("message", words), "");
}

TEST(Url, HasItsParts) {
  const Url url = url_of("MQTTS://me%40home:p%3Aw%2@[::1]:8884/a/b%20c", "");
  EXPECT_EQ(url.scheme, "mqtts");
  EXPECT_EQ(url.username, "me@home");
  EXPECT_EQ(url.password, "p:w%2");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8884);
  EXPECT_EQ(url.path, "a/b%20c");
  EXPECT_EQ(url_of("mqtt://me:p:w@@host/a@b", "").password, "p:w@");
}

TEST(Url, NeedsOnlyAHost) {
  const Url url = url_of("mqtt://broker", "");
  EXPECT_EQ(url.host, "broker");
  EXPECT_EQ(url.username, std::nullopt);
  EXPECT_EQ(url.password, std::nullopt);
  EXPECT_EQ(url.port, std::nullopt);
  EXPECT_EQ(url.path, "");
}

TEST(Url, ThatIsNoneIsRefused) {
  for (const char* text : {"", "broker", "mqtt:/x", "mqtt://", "mqtt:///topic", "mqtt://h:", "mqtt://h:0", "mqtt://h:x",
                           "mqtt://h:70000", "mqtt://[::1", "mqtt://[::1]1883", "mqtt://:1883"}) {
    EXPECT_THROW(static_cast<void>(url_of(text, "x://")), Expected) << text;
  }
}

}  // namespace
}  // namespace sistem
