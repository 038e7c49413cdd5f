#include "bench/placement.h"

#include <gmock/gmock.h>

#include "base/testing.h"

namespace octavo::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two nodes of two cores, each with two hyperthreads.
SystemFacts two_nodes() {
  SystemFacts system;
  system.cpus = {0, 1, 2, 3, 4, 5, 6, 7};
  system.physical_cores = 4;
  system.nodes = {{0, {0, 1, 4, 5}}, {1, {2, 3, 6, 7}}};
  return system;
}

std::string refusal(const SystemFacts& system, Split split, const std::vector<int>& cpus) {
  return testing::error_of(ErrorCode::invalid_argument, [&] { place(system, split, cpus); });
}

TEST(Placement, GivesEveryThreadACpuOfItsOwnPhysicalCoresFirst) {
  const std::vector<Place> places = place(two_nodes(), {2, 2}, {});
  ASSERT_EQ(places.size(), 2U);
  EXPECT_THAT(places[0].cpus, ElementsAre(0, 1));
  EXPECT_THAT(places[1].cpus, ElementsAre(2, 3));
  EXPECT_EQ(places[1].threads, 2);
}

TEST(Placement, TakesTheCpusInTheOrderGiven) {
  EXPECT_THAT(place(two_nodes(), {1, 3}, {6, 2, 0})[0].cpus, ElementsAre(6, 2, 0));
}

TEST(Placement, RefusesCpusThatAreNotThere) {
  EXPECT_THAT(refusal(two_nodes(), {1, 1}, {9}), HasSubstr("CPU 9 is not among those this process may use"));
  EXPECT_THAT(refusal(two_nodes(), {1, 1}, {2, 2}), HasSubstr("CPU 2 is named twice"));
}

TEST(Placement, RefusesMoreThreadsThanCpus) {
  EXPECT_THAT(refusal(two_nodes(), {3, 3}, {}), HasSubstr("3 instances of 3 threads need 9 CPUs"));
  EXPECT_THAT(refusal(two_nodes(), {1, 3}, {0, 1}), HasSubstr("the list names 2: 0,1"));
}

TEST(Placement, SharesCpusWhenAsked) {
  const std::vector<Place> places = place(two_nodes(), {9, 2}, {}, Sharing::free);
  EXPECT_EQ(places.size(), 9U);
  EXPECT_EQ(places[0].threads, 2);
  EXPECT_TRUE(places[0].cpus.empty());
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_argument,
                                [] {
                                  place(two_nodes(), {1, 1}, {0}, Sharing::free);
                                }),
              HasSubstr("taskset"));
}

TEST(Placement, RefusesMoreThreadsThanTheQuota) {
  SystemFacts system = two_nodes();
  system.quota_cpus = 1.5;
  system.quota_from = "/sys/fs/cgroup/cpu.max";
  EXPECT_EQ(place(system, {1, 2}, {}).size(), 1U) << "a quota of 1.5 lets two threads run";
  EXPECT_THAT(refusal(system, {3, 1}, {}), HasSubstr("more than the quota of 1.5 CPUs in /sys/fs/cgroup"));
  EXPECT_EQ(most_threads(system, {}), 2);
  EXPECT_EQ(most_threads(system, {3}), 1);
}

TEST(Placement, HintsFitTheMachine) {
  const SystemFacts system = two_nodes();
  const Split latency = split_for(system, Hint::latency, {});
  EXPECT_EQ(latency.instances, 1);
  EXPECT_EQ(latency.threads, 2) << "the cores of one node";
  const Split throughput = split_for(system, Hint::throughput, {});
  EXPECT_EQ(throughput.instances, 4) << "an instance for each core, none for a hyperthread";
  EXPECT_EQ(throughput.threads, 1);
  EXPECT_EQ(split_for(system, Hint::throughput, {4, 5}).instances, 2) << "hyperthreads alone count";
  EXPECT_EQ(split_for(system, Hint::latency, {1, 2, 3}).threads, 1) << "two of the cores are on another node";
}

TEST(Placement, HintsFitTheQuota) {
  SystemFacts system = two_nodes();
  system.quota_cpus = 1;
  EXPECT_EQ(split_for(system, Hint::throughput, {}).instances, 1);
  EXPECT_EQ(split_for(system, Hint::latency, {}).threads, 1);
}

TEST(Placement, ReadsCpuLists) {
  EXPECT_THAT(read_cpu_list("0-2,8"), ElementsAre(0, 1, 2, 8));
  for (const char* text : {"", "x", "3-1", "-1", "1,,2", "0-99999999"}) {
    EXPECT_THAT(testing::error_of(ErrorCode::invalid_argument, [&] { read_cpu_list(text); }),
                HasSubstr(std::string("'") + text + "'"));
  }
}

}  // namespace
}  // namespace octavo::bench
