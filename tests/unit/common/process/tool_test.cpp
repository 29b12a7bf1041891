#include "common/process/tool.hpp"

#include <gtest/gtest.h>

#include "common/process/output.hpp"

namespace sistem {
namespace {

const Console console{"tool", false};

std::string said(const std::function<ExitStatus()>& body, ExitStatus expected) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(guarded(console, body), expected);
  return testing::internal::GetCapturedStderr();
}

TEST(Guarded, PassesTheStatusOn) {
  EXPECT_EQ(said([] { return ExitStatus::timed_out; }, ExitStatus::timed_out), "");
}

TEST(Guarded, AnErrorIsOneLineAndItsStatus) {
  EXPECT_EQ(said([]() -> ExitStatus { throw Error("no broker", ExitStatus::no_broker); }, ExitStatus::no_broker),
            "tool: no broker\n");
}

TEST(Guarded, AUsageErrorPointsToHelp) {
  EXPECT_EQ(said([]() -> ExitStatus { throw UsageError("--qos: wrong"); }, ExitStatus::usage),
            "tool: --qos: wrong\ntool: --help shows all options\n");
}

TEST(Guarded, AClosedPipeIsQuietSuccess) {
  EXPECT_EQ(said([]() -> ExitStatus { throw OutputClosed{}; }, ExitStatus::success), "");
}

TEST(Guarded, AnythingElseIsAFailure) {
  EXPECT_EQ(said([]() -> ExitStatus { throw std::runtime_error("strange"); }, ExitStatus::failure), "tool: strange\n");
}

}  // namespace
}  // namespace sistem
