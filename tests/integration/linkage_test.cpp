// What the executables show to the libraries that they load.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tests/integration/tools.hpp"
#include "tests/support/hardening.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

TEST(Linkage, NoFunctionOfLibcIsReplacedForTheProcess) {
  const std::set<std::string> libcs{"close",
                                    "connect",
                                    "poll",
                                    "pthread_cond_signal",
                                    "pthread_cond_timedwait",
                                    "recv",
                                    "send",
                                    "shutdown",
                                    "usleep",
                                    "write",
                                    "writev",
                                    "free",
                                    "malloc",
                                    "calloc",
                                    "realloc"};
  for (const char* tool : {PUB, SUB}) {
    const Result result = run({.command = {"nm", "-D", "--defined-only", tool}, .environment = {}}, "");
    ASSERT_EQ(result.status, 0) << result.report;
    std::istringstream lines(result.out);
    for (std::string address, type, name; lines >> address >> type >> name;) {
      EXPECT_FALSE(libcs.contains(name.substr(0, name.find('@')))) << tool << " defines " << name;
    }
  }
}

TEST(Linkage, TheToolsAreHardened) {
  if (are_sanitized()) {
    GTEST_SKIP() << "a build with sanitizers has checks of its own, and fixed addresses";
  }
  for (const char* tool : {PUB, SUB}) {
    expect_hardened(tried(tool));
  }
}

/// Which guards are called by what we compile, our own functions and fmt's: Paho's archive brings some of its own.
std::set<std::string> guards_called_by_us(const std::string& tool) {
  const Result result = run({.command = {"objdump", "-d", "--no-show-raw-insn", tool}}, "", std::chrono::minutes(1));
  EXPECT_EQ(result.status, 0) << result.err;
  std::set<std::string> guards;
  std::istringstream lines(result.out);
  bool ours = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(">:")) {
      ours = line.find("6sistem") != std::string::npos || line.find("N3fmt") != std::string::npos;  // mangled names
    } else if (const auto at = line.find("_chk"); ours && at != std::string::npos) {
      const auto begin = line.rfind('<', at) + 1;
      guards.insert(line.substr(begin, line.find_first_of("@>", at) - begin));
    }
  }
  return guards;
}

TEST(Linkage, OurOwnFunctionsHaveAStackProtectorAndFortify) {
  if (are_sanitized()) {
    GTEST_SKIP() << "as above";
  }
  for (const char* tool : {PUB, SUB}) {
    const std::set<std::string> guards = guards_called_by_us(tried(tool));
    EXPECT_TRUE(guards.contains("__stack_chk_fail")) << tool;
    // Others than those that were built with the tests are a release.
    const bool is_release = std::getenv("TOOLS") != nullptr;
    if (IS_FORTIFIED || is_release) {
      EXPECT_GT(guards.size(), 1U) << tool << " has no function as __read_chk";
    }
  }
}

// As docs/performance.md shows it.
TEST(Build, LeavesOutTheTrickThatItIsToldTo) {
  const TemporaryFolder folder;
  const auto configured = [&](const std::string& without) {
    return run({.command = {CMAKE, "-S", SOURCE_DIR, "-B", folder.path().string(), "-G", "Ninja", "-DBUILD_TESTING=OFF",
                            "-DWITHOUT=" + without},
                .keep_environment = true},
               "", std::chrono::minutes(1));
  };
  const Result unknown = configured("haste");
  EXPECT_NE(unknown.status, 0) << unknown.report;
  EXPECT_NE(unknown.err.find("there is no trick haste"), std::string::npos) << unknown.report;
  const Result result = configured("nap");
  ASSERT_EQ(result.status, 0) << result.report;
  std::ostringstream header;
  header << std::ifstream(folder.path() / "common" / "tricks.hpp").rdbuf();
  EXPECT_NE(header.str().find("bool nap = false"), std::string::npos) << header.str();
  EXPECT_NE(header.str().find("bool gathering = true"), std::string::npos) << header.str();
}

}  // namespace
}  // namespace sistem::test
