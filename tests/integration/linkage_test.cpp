// What the executables show to the libraries that they load.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tests/integration/tools.hpp"
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
