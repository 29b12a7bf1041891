#pragma once

#include <gtest/gtest.h>

#include <string>

namespace sistem {

inline void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "missing: " << part << "\nin: " << text;
}

inline void expect_not_in(const std::string& text, const std::string& part) {
  EXPECT_EQ(text.find(part), std::string::npos) << "should not be there: " << part << "\nin: " << text;
}

}  // namespace sistem
