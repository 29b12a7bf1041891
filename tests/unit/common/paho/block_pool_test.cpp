#include "common/paho/block_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace sistem {
namespace {

TEST(BlockPool, ABlockIsAtLeastAsLargeAsWasAskedForAndAlignedForAnything) {
  for (const std::size_t size : {0U, 1U, 32U, 33U, 512U, 1023U, 1024U}) {
    void* const block = block_pool::take(size);
    ASSERT_NE(block, nullptr) << size;
    EXPECT_GE(block_pool::size_of(block), size);
    EXPECT_LT(block_pool::size_of(block), std::max<std::size_t>(2 * size, 64)) << "and not much larger";
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U);
    std::memset(block, 0xFF, size);
    block_pool::give_back(block);
  }
}

TEST(BlockPool, HasNoneOfMoreThanAKibibyteAndKnowsNoMemoryOfOthers) {
  EXPECT_EQ(block_pool::take(1025), nullptr);
  EXPECT_EQ(block_pool::take(SIZE_MAX), nullptr);
  const std::vector<char> others(100);
  EXPECT_EQ(block_pool::size_of(others.data()), 0U);
  EXPECT_EQ(block_pool::size_of(nullptr), 0U);
}

TEST(BlockPool, GivesEachBlockToOneOnlyAndAgainWhenItIsGivenBack) {
  std::set<void*> blocks;
  for (int round = 0; round < 3; ++round) {
    std::set<void*> now;
    for (int count = 0; count < 1000; ++count) {
      EXPECT_TRUE(now.insert(block_pool::take(200)).second);
    }
    std::for_each(now.begin(), now.end(), block_pool::give_back);
    blocks.merge(now);
  }
  EXPECT_FALSE(blocks.contains(nullptr));
  EXPECT_LE(blocks.size(), 1000U + 64U) << "what was given back is taken before anything new";
}

TEST(BlockPool, TwoThreadsTakeWhatAThirdAndAFourthGiveBack) {
  constexpr int rounds = 40;
  constexpr std::size_t together = 1000;
  struct Numbered {
    std::uint64_t number;
    char rest[100];
  };
  std::vector<Numbered*> blocks[2];
  for (int round = 0; round < rounds; ++round) {
    {
      std::vector<std::jthread> takers;
      for (std::uint64_t taker = 0; taker < 2; ++taker) {
        takers.emplace_back([&, taker] {
          for (std::size_t count = 0; count < together; ++count) {
            auto* const block = static_cast<Numbered*>(block_pool::take(sizeof(Numbered)));
            ASSERT_NE(block, nullptr);
            block->number = taker << 32U | count;
            blocks[taker].push_back(block);
          }
        });
      }
    }
    std::vector<std::jthread> givers;  // which end with the round
    for (std::uint64_t giver = 0; giver < 2; ++giver) {
      givers.emplace_back([&, giver] {
        for (std::size_t count = 0; count < blocks[giver].size(); ++count) {
          EXPECT_EQ(blocks[giver][count]->number, giver << 32U | count) << "somebody else has that block as well";
          block_pool::give_back(blocks[giver][count]);
        }
        blocks[giver].clear();
      });
    }
  }
}

TEST(BlockPoolDeathTest, WhatIsGivenBackTwiceEndsTheProcessWithAWord) {
  const auto twice = [](std::size_t between) {
    void* const block = block_pool::take(100);
    std::vector<void*> others;
    for (std::size_t count = 0; count < between; ++count) {
      others.push_back(block_pool::take(100));
    }
    block_pool::give_back(block);
    std::for_each(others.begin(), others.end(), block_pool::give_back);
    block_pool::give_back(block);
  };
  for (const std::size_t between : {0U, 1U, 100U}) {
    EXPECT_DEATH(twice(between), "memory was given back twice") << between;
  }
  EXPECT_DEATH(
      {
        void* const block = block_pool::take(100);
        std::jthread([&] { block_pool::give_back(block); }).join();
        block_pool::give_back(block);
      },
      "memory was given back twice");
}

TEST(BlockPoolDeathTest, WhatIsNoBlockOfThePoolsOwnMemoryEndsItToo) {
  auto* const block = static_cast<char*>(block_pool::take(100));
  EXPECT_DEATH(block_pool::give_back(block + 16), "not the beginning of a block");
  EXPECT_DEATH((void)block_pool::size_of(block + 1), "not the beginning of a block");
  block_pool::give_back(block);
}

TEST(BlockPool, WhateverIsWrittenIntoABlockItIsTakenBack) {
  auto* const block = static_cast<void**>(block_pool::take(32));
  // What the pool itself has written into another one, and all of it moved by one place.
  auto* const other = static_cast<void**>(block_pool::take(32));
  block_pool::give_back(other);
  for (int from = 0; from < 2; ++from) {
    std::copy_n(other, 2, block + from);
    EXPECT_EQ(block_pool::size_of(block), 32U);
  }
  EXPECT_TRUE(block_pool::give_back(block));
}

// The last one, because it leaves nothing for blocks of other sizes.
TEST(BlockPool, SaysNoWhenItIsUsedUp) {
  std::vector<void*> blocks;
  while (void* const block = block_pool::take(1024)) {
    blocks.push_back(block);
    ASSERT_LE(blocks.size(), 4U << 10U);
  }
  EXPECT_FALSE(blocks.empty());
  std::for_each(blocks.begin(), blocks.end(), block_pool::give_back);
  void* const block = block_pool::take(1024);
  EXPECT_NE(block, nullptr);
  block_pool::give_back(block);
}

}  // namespace
}  // namespace sistem
