#include "sub/show/terminal.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

constexpr TerminalSize size{20, 5};

TEST(Canvas, DrawsBelowAnEmptyLineInWhichTheCursorStays) {
  Canvas canvas;
  EXPECT_EQ(canvas.draw({"one", "two"}, size), "\x1b[?25l\r\x1b[K\n\x1b[Kone\n\x1b[Ktwo\x1b[J\x1b[2A\r");
}

TEST(Canvas, DrawsAgainInTheSamePlace) {
  Canvas canvas;
  (void)canvas.draw({"one", "two", "three"}, size);
  EXPECT_EQ(canvas.draw({"1"}, size), "\r\x1b[K\n\x1b[K1\x1b[J\x1b[1A\r");  // which erases two and three
}

TEST(Canvas, LeavesBelowThePictureWithTheCursorShown) {
  Canvas canvas;
  EXPECT_EQ(canvas.leave(), "");
  (void)canvas.draw({"one", "two"}, size);
  EXPECT_EQ(canvas.leave(), "\x1b[2B\r\n\x1b[?25h");
  EXPECT_EQ(canvas.leave(), "");
}

TEST(Canvas, HidesTheCursorAgainAfterLeaving) {
  Canvas canvas;
  (void)canvas.draw({"one"}, size);
  (void)canvas.leave();
  EXPECT_TRUE(canvas.draw({"one"}, size).starts_with("\x1b[?25l"));
}

TEST(Canvas, ALineThatIsTooLongOrTooLowIsCut) {
  Canvas canvas;
  (void)canvas.draw({}, size);
  EXPECT_EQ(canvas.draw({"0123456789"}, {6, 5}), "\r\x1b[K\n\x1b[K01234\x1b[J\x1b[1A\r");
  EXPECT_EQ(canvas.draw({"a", "b", "c"}, {6, 3}), "\r\x1b[K\n\x1b[Ka\n\x1b[Kb\x1b[J\x1b[2A\r");
  EXPECT_EQ(canvas.draw({"日本語"}, {6, 5}), "\r\x1b[K\n\x1b[K日本\x1b[J\x1b[1A\r");
}

TEST(Canvas, WhatChangesTheLookTakesNoRoomAndIsNotCut) {
  Canvas canvas;
  (void)canvas.draw({}, size);
  EXPECT_EQ(canvas.draw({"\x1b[1m0123456789\x1b[0m"}, {6, 5}), "\r\x1b[K\n\x1b[K\x1b[1m01234\x1b[0m\x1b[J\x1b[1A\r");
}

TEST(Canvas, DrawsNothingWhereThereIsNoRoom) {
  Canvas canvas;
  EXPECT_EQ(canvas.draw({"one"}, {1, 1}), "\x1b[?25l\r\x1b[K\x1b[J\r");
  EXPECT_EQ(canvas.leave(), "\r\n\x1b[?25h");
}

}  // namespace
}  // namespace sistem
