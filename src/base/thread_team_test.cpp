#include "base/thread_team.h"

#include <gtest/gtest.h>

#include <numeric>

#include "octavo/error.h"

namespace octavo {
namespace {

TEST(ThreadTeam, RunsEveryIndexOncePerJobAndWaitsInside) {
  for (int threads : {1, 2, 3, 5}) {
    ThreadTeam team(threads, {});
    std::vector<int> first(static_cast<std::size_t>(threads));
    std::vector<int> second(first.size());
    for (int round = 1; round <= 200; ++round) {
      team.run([&](int index) {
        first[static_cast<std::size_t>(index)] = round;
        team.wait_for_all();
        second[static_cast<std::size_t>(index)] = std::accumulate(first.begin(), first.end(), 0);
      });
      for (int sum : second) ASSERT_EQ(sum, round * threads);
    }
  }
}

TEST(ThreadTeam, RefusesACpuThatIsNotThere) {
  EXPECT_THROW(ThreadTeam(1, {100000}), Error);
  EXPECT_THROW(ThreadTeam(2, {0}), Error);
  EXPECT_THROW(ThreadTeam(0, {}), Error);
}

}  // namespace
}  // namespace octavo
