#include "common/mqtt/topic.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::string_literals;

TEST(TopicName, LegalOnesHaveNoFault) {
  for (const auto& topic : {"sistem/cpu"s, "a"s, "/"s, "/a//b/"s, " "s, "suhu/°C"s, "$SYS/x"s, "\xF0\x9F\x98\x80"s,
                            std::string(65535, 'x')}) {
    EXPECT_FALSE(fault_of_topic_name(topic)) << topic;
  }
}

TEST(TopicName, IllegalOnesSayWhatWasExpected) {
  const std::pair<std::string, std::string> table[] = {
      {"", "at least one character"},
      {"a/+", "without wildcards"},
      {"a/#", "without wildcards"},
      {"a#", "without wildcards"},
      {std::string(65536, 'x'), "65535"},
      {"a\0b"s, "NUL"},
      {"\xC3", "UTF-8"},
      {"\xC0\x80", "UTF-8"},
      {"\xED\xA0\x80", "UTF-8"},
      {"\xF4\x90\x80\x80", "UTF-8"},
      {"\xE0\x80\x80", "UTF-8"},
      {"\xF0\x80\x80\x80", "UTF-8"},
      {"\x80", "UTF-8"},
      {"\xFF", "UTF-8"},
      {"ok\xE2\x82", "UTF-8"},
  };
  for (const auto& [topic, expected] : table) {
    const auto fault = fault_of_topic_name(topic);
    ASSERT_TRUE(fault) << topic;
    EXPECT_NE(fault->find(expected), std::string::npos) << topic << ": " << *fault;
  }
}

TEST(TopicFilter, LegalOnesHaveNoFault) {
  for (const char* filter :
       {"#", "+", "sistem/#", "+/+/#", "a/+/b", "/", "$share/group/sistem/#", "$share/g/+", "$SYS/#"}) {
    EXPECT_FALSE(fault_of_topic_filter(filter)) << filter;
  }
}

TEST(TopicFilter, IllegalOnesSayWhatWasExpected) {
  const std::pair<std::string, std::string> table[] = {
      {"", "at least one character"}, {"a#", "alone"},           {"a/b+", "alone"},        {"#/a", "last level"},
      {"a/#/b", "last level"},        {"##", "alone"},           {"$share/g", "$share"},   {"$share//a", "$share"},
      {"$share/g/", "$share"},        {"$share/g+/a", "$share"}, {"$share/g/a#", "alone"}, {"a\0b"s, "NUL"},
  };
  for (const auto& [filter, expected] : table) {
    const auto fault = fault_of_topic_filter(filter);
    ASSERT_TRUE(fault) << filter;
    EXPECT_NE(fault->find(expected), std::string::npos) << filter << ": " << *fault;
  }
}

TEST(TopicMatch, FollowsTheLevelsOfTheFilter) {
  const std::pair<std::string, std::string> table[] = {
      {"a", "a"},
      {"a/b", "a/b"},
      {"#", "a"},
      {"#", "a/b/c"},
      {"#", "/"},
      {"a/#", "a"},
      {"a/#", "a/"},
      {"a/#", "a/b/c"},
      {"+", "a"},
      {"a/+", "a/b"},
      {"a/+", "a/"},
      {"+/+", "/"},
      {"+/b/#", "a/b"},
      {"/+", "/a"},
      {"$SYS/#", "$SYS/broker"},
      {"$SYS/+/x", "$SYS/a/x"},
      {"$share/g/a/#", "a/b"},
      {"$share/g/#", "a"},
      {"a//b", "a//b"},
      {"a/+/b", "a//b"},
  };
  for (const auto& [filter, topic] : table) {
    EXPECT_TRUE(matches(filter, topic)) << filter << " and " << topic;
  }
}

TEST(TopicMatch, TakesNothingElse) {
  const std::pair<std::string, std::string> table[] = {
      {"a", "b"},
      {"a", "A"},
      {"a", "a/"},
      {"a/", "a"},
      {"a/b", "a"},
      {"a", "a/b"},
      {"+", "a/b"},
      {"+", "/a"},
      {"+/+", "a"},
      {"a/+", "a"},
      {"a/#", "ab"},
      {"a/+/c", "a/b/d"},
      {"a/b/#", "a"},
      {"+/b/#", "a/c"},
      {"aa", "a"},
      {"#", "$SYS/x"},
      {"+/x", "$SYS/x"},
      {"+", "$SYS"},
      {"$SYS/#", "a"},
      {"$share/g/#", "$SYS/x"},
      {"$share/g/a", "$share/g/a"},
  };
  for (const auto& [filter, topic] : table) {
    EXPECT_FALSE(matches(filter, topic)) << filter << " and " << topic;
  }
}

}  // namespace
}  // namespace sistem
