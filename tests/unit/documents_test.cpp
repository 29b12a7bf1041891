// What the documents say of the tests must be true of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace sistem {
namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream all;
  all << std::ifstream(file).rdbuf();
  return all.str();
}

/// "Suite.Name" of all tests.
std::set<std::string> names_of_tests() {
  static const std::regex head{R"(TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))"};
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SOURCE_DIR "/tests")) {
    if (entry.path().extension() != ".cpp") {
      continue;
    }
    const std::string text = content(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), head), end; at != end; ++at) {
      names.insert((*at)[1].str() + "." + (*at)[2].str());
    }
  }
  return names;
}

// A promise is worth as much as the test that shows it.
TEST(Documents, EachTestThatTheyNameIsThere) {
  static const std::regex name{R"(`([A-Z]\w+\.[A-Z]\w+)`)"};
  const std::set<std::string> tests = names_of_tests();
  for (const char* document : {"reliability", "security"}) {
    const std::string text = content(fmt::format("{}/docs/{}.md", SOURCE_DIR, document));
    int count = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at, ++count) {
      EXPECT_TRUE(tests.contains((*at)[1]) || (*at)[1] == "Suite.Name") << document << ": " << (*at)[1];
    }
    EXPECT_GT(count, 20) << document;
  }
}

}  // namespace
}  // namespace sistem
