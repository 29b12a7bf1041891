// The rooms of the source and the arrows between them, which go down only: docs/design.md has the picture.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sistem {
namespace {

namespace fs = std::filesystem;

/// A room may include files of those beside it here, and of its own. From the bottom to the top: each names only rooms
/// that stand before it.
using Rooms = std::vector<std::pair<std::string, std::set<std::string>>>;
const Rooms rooms{
    {"common/text", {}},
    {"common/process", {"common/text"}},
    {"common/mqtt", {"common/text"}},
    {"common/connection_config", {"common/mqtt"}},
    {"common/measure", {"common/mqtt", "common/text"}},
    {"common/net", {"common/connection_config", "common/mqtt", "common/process", "common/text"}},
    {"common/options",
     {"common/connection_config", "common/measure", "common/mqtt", "common/net", "common/process", "common/text"}},
    {"common", {"common/connection_config", "common/measure", "common/mqtt", "common/process", "common/text"}},
    {"common/paho",
     {"common", "common/connection_config", "common/measure", "common/mqtt", "common/net", "common/process",
      "common/text"}},
    {"pub/pace", {"common/measure", "common/options", "common/process", "common/text"}},
    {"pub/source", {"common/connection_config", "common/mqtt", "common/process", "common/text", "pub/pace"}},
    {"pub",
     {"common", "common/connection_config", "common/measure", "common/mqtt", "common/options", "common/process",
      "common/text", "pub/pace", "pub/source"}},
    {"sub/match", {"common/mqtt", "common/text"}},
    {"sub/show", {"common/measure", "common/mqtt", "common/options", "common/process", "common/text", "sub/match"}},
    {"sub/verify", {"common", "common/measure", "common/mqtt", "common/process", "common/text"}},
    {"sub",
     {"common", "common/connection_config", "common/measure", "common/mqtt", "common/options", "common/process",
      "common/text", "sub/match", "sub/show", "sub/verify"}},
};

/// The room of a file: its folder, but that what a connection has to know is below what makes one of it.
std::string room_of(const fs::path& file) {
  return file.stem() == "connection_config" ? "common/connection_config" : file.parent_path().string();
}

std::optional<std::set<std::string>> allowed_in(const std::string& room) {
  for (const auto& [name, below] : rooms) {
    if (name == room) {
      return below;
    }
  }
  return std::nullopt;
}

/// Calls `look` with each source file, by its path from the top, and each line of it.
template <typename Look>
void for_each_line(Look look) {
  std::size_t files = 0;
  for (const char* top : {"common", "pub", "sub"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_DIR) / top)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") {
        continue;
      }
      ++files;
      const fs::path path = fs::relative(entry.path(), SOURCE_DIR);
      std::ifstream file{entry.path()};
      for (std::string line; std::getline(file, line);) {
        look(path, line);
      }
    }
  }
  EXPECT_GT(files, 150U) << "is this the tree?";
}

TEST(Rooms, EachNamesOnlyRoomsThatStandBeforeIt) {
  std::set<std::string> before;
  for (const auto& [room, below] : rooms) {
    for (const std::string& name : below) {
      EXPECT_TRUE(before.contains(name)) << room << " -> " << name;
    }
    before.insert(room);
  }
  for (const char* low : {"common/net", "common/mqtt"}) {
    EXPECT_FALSE(allowed_in(low)->contains("common/options")) << low;
  }
}

TEST(Rooms, NoFileIncludesOneOfARoomAbove) {
  const std::regex include{R"re(#include "((common|pub|sub)/.*)")re"};
  for_each_line([&](const fs::path& file, const std::string& line) {
    std::smatch found;
    if (!line.starts_with('#') || !std::regex_search(line, found, include)) {
      return;
    }
    const std::string from = room_of(file);
    const std::string to = room_of(found[1].str());
    const auto below = allowed_in(from);
    ASSERT_TRUE(below) << from << " has no place among the rooms";
    const bool is_generated = found[1].str() == "common/version.hpp" || found[1].str() == "common/tricks.hpp";
    EXPECT_TRUE(from == to || is_generated || below->contains(to)) << file << ": " << line;
  });
}

TEST(Rooms, OnlyTheClientKnowsThePahoLibraries) {
  const std::regex paho{R"re(#include [<"](mqtt/|MQTT)|\bmqtt::)re"};
  for_each_line([&](const fs::path& file, const std::string& line) {
    const bool is_worth_it = line.find("mqtt") != std::string::npos || line.find("MQTT") != std::string::npos;
    if (is_worth_it && std::regex_search(line, paho)) {
      EXPECT_TRUE(file.stem() == "client" && file.parent_path() == "common/paho") << file << ": " << line;
    }
  });
}

}  // namespace
}  // namespace sistem
