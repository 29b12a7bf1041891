#include "pub/progress.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::chrono_literals;

Stage stage() { return {.sent = 450, .time = 4.5s, .rate = 100}; }

TEST(Progress, WithoutAnEndIsTheRate) { EXPECT_EQ(progress_line(stage(), 80), "450 messages, 100.0/s, 4 s"); }

TEST(Progress, OfACountHasABar) {
  Stage of_messages = stage();
  of_messages.of_messages = 1000;
  EXPECT_EQ(progress_line(of_messages, 80),
            "[#############.................]  45 % 450 of 1000 messages, 100.0/s, 4 s");
}

TEST(Progress, OfATimeOrAFileHasABarToo) {
  Stage of_time = stage();
  of_time.of_time = 9s;
  EXPECT_TRUE(progress_line(of_time, 80).starts_with("[###############...............]  50 % 450 messages"));
  Stage of_file = stage();
  of_file.of_input = 1;
  EXPECT_TRUE(progress_line(of_file, 80).starts_with("[##############################] 100 % 450 messages"));
}

TEST(Progress, TheEndThatIsNearestCounts) {
  Stage both = stage();
  both.of_messages = 1000;
  both.of_time = 5s;
  EXPECT_NE(progress_line(both, 80).find(" 90 %"), std::string::npos);
}

TEST(Progress, NeverFillsTheTerminalsLine) {
  Stage of_messages = stage();
  of_messages.of_messages = 1000;
  for (std::size_t columns = 0; columns < 100; ++columns) {
    EXPECT_LT(progress_line(of_messages, columns).size(), std::max<std::size_t>(columns, 1)) << columns;
    EXPECT_LT(progress_line(stage(), columns).size(), std::max<std::size_t>(columns, 1)) << columns;
  }
}

}  // namespace
}  // namespace sistem
