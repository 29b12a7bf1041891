#include "common/process/mutex.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

TEST(MutexOrder, IsCheckedInBuildsForDebugging) {
#if defined(NDEBUG)
  GTEST_SKIP() << "this is none";
#else
  Mutex first{1};
  Mutex second{2};
  {
    const Lock one(first);
    const Lock other(second);
  }
  const Lock other(second);
  EXPECT_DEATH(const Lock one(first), "a mutex of place 1 is locked by a thread that has one of place 2");
#endif
}

}  // namespace
}  // namespace sistem
