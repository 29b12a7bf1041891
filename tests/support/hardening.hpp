#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/process.hpp"

namespace sistem::test {

/// What readelf says of an executable that is loaded anywhere, whose stack cannot be executed, and whose tables of
/// addresses cannot be written once it runs.
inline void expect_hardened(const std::filesystem::path& executable) {
  const Result result = run({.command = {"readelf", "-hldW", executable.string()}});
  ASSERT_EQ(result.status, 0) << result.report;
  const auto line_with = [&](const std::string& word) {
    const auto at = result.out.find(word);
    return at == std::string::npos ? "" : result.out.substr(at, result.out.find('\n', at) - at);
  };
  EXPECT_NE(line_with("Type: ").find("DYN"), std::string::npos) << "not position independent\n" << result.report;
  EXPECT_NE(line_with("INTERP"), "") << result.report;
  EXPECT_NE(line_with("GNU_STACK").find(" RW "), std::string::npos) << "an executable stack\n" << result.report;
  EXPECT_NE(line_with("GNU_RELRO"), "") << result.report;
  EXPECT_NE(line_with("(FLAGS_1)").find("NOW"), std::string::npos) << "RELRO is partial\n" << result.report;
}

}  // namespace sistem::test
