#include "base/cpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "octavo/error.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CpuFacts facts_with(std::initializer_list<Isa> available) {
  CpuFacts facts;
  for (Isa isa : kAllIsas) {
    facts.isas.push_back({isa, std::find(available.begin(), available.end(), isa) != available.end(), ""});
  }
  return facts;
}

std::string error_of_choosing(const CpuFacts& facts, std::string_view forced) {
  try {
    choose_isa(facts, forced);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// A /proc and /sys of our own below the temporary directory.
class FakeSystem : public testing::Test {
 protected:
  FakeSystem() : root_(fs::temp_directory_path() / ("octavo_cpu_test_" + std::to_string(::getpid()))) {}
  ~FakeSystem() override { fs::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST(CpuIsa, TakesTheBestAvailable) {
  EXPECT_EQ(choose_isa(facts_with({Isa::generic}), std::nullopt), Isa::generic);
  EXPECT_EQ(choose_isa(facts_with({Isa::generic, Isa::avx2, Isa::avx512}), std::nullopt), Isa::avx512);
}

TEST(CpuIsa, TakesTheForcedOne) {
  EXPECT_EQ(choose_isa(facts_with({Isa::generic, Isa::avx2, Isa::avx512}), "avx2"), Isa::avx2);
}

TEST(CpuIsa, NamesAnUnknownValueAndWhatIsAvailable) {
  const std::string text = error_of_choosing(facts_with({Isa::generic, Isa::avx2}), "sse9");
  EXPECT_THAT(text, HasSubstr("'sse9'"));
  EXPECT_THAT(text, HasSubstr("generic, avx2"));
}

TEST(CpuIsa, RefusesOneThatThisMachineLacks) {
  const std::string text = error_of_choosing(facts_with({Isa::generic, Isa::avx2}), "amx_int8");
  EXPECT_THAT(text, HasSubstr("'amx_int8' is not available"));
  EXPECT_THAT(text, HasSubstr("generic, avx2"));
}

TEST(CpuFeature, IsThereWhereItsFactSaysSo) {
  CpuFacts facts;
  facts.features = {{CpuFeature::avx512_bf16, true, ""}, {CpuFeature::amx_bf16, false, ""}};
  EXPECT_TRUE(facts.has(CpuFeature::avx512_bf16));
  EXPECT_FALSE(facts.has(CpuFeature::amx_bf16));
  EXPECT_EQ(feature_name(CpuFeature::amx_bf16), "amx_bf16");
}

TEST(CpuIsa, ReadsTheEnvironment) {
  const char* before = std::getenv("OCTAVO_ISA");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("OCTAVO_ISA", "generic", 1);
  EXPECT_EQ(usable_isa(), Isa::generic);
  ::setenv("OCTAVO_ISA", "", 1);
  EXPECT_EQ(usable_isa(), choose_isa(cpu_facts(), std::nullopt));
  ::setenv("OCTAVO_ISA", "nothing", 1);
  EXPECT_THROW(usable_isa(), Error);
  saved.empty() ? ::unsetenv("OCTAVO_ISA") : ::setenv("OCTAVO_ISA", saved.c_str(), 1);
}

TEST(CpuFactsOfThisMachine, AreConsistent) {
  const CpuFacts& facts = cpu_facts();
  ASSERT_EQ(facts.isas.size(), std::size(kAllIsas));
  EXPECT_TRUE(facts.has(Isa::generic));
  for (const IsaFact& fact : facts.isas) {
    EXPECT_FALSE(fact.how.empty());
    for (Isa needed : kAllIsas) {
      if (fact.available && implies(fact.isa, needed)) {
        EXPECT_TRUE(facts.has(needed)) << isa_name(needed);
      }
    }
  }
  ASSERT_EQ(facts.features.size(), std::size(kAllCpuFeatures));
  for (const FeatureFact& fact : facts.features) EXPECT_FALSE(fact.how.empty());
  EXPECT_TRUE(facts.has(CpuFeature::none));
  const bool vectors = facts.has(CpuFeature::avx512_bf16), tiles = facts.has(CpuFeature::amx_bf16);
  EXPECT_TRUE(!vectors || facts.has(Isa::avx512_vnni));
  EXPECT_TRUE(!tiles || (vectors && facts.has(Isa::amx_int8)));
  EXPECT_FALSE(facts.system.cpus.empty());
  EXPECT_GE(usable_threads(facts.system), 1);
}

TEST(CpuList, ReadsRangesAndSingles) {
  EXPECT_THAT(parse_cpu_list("0-2,5,7-8"), ElementsAre(0, 1, 2, 5, 7, 8));
  EXPECT_THAT(parse_cpu_list(""), IsEmpty());
}

TEST(CpuList, IsEmptyWhenDamaged) {
  for (const char* text : {"x", "3-1", "-1", "0-", "0-4000000000", "0-100000", "1,,2"}) {
    EXPECT_THAT(parse_cpu_list(text), IsEmpty()) << text;
  }
}

TEST(CpuMax, IsQuotaByPeriod) {
  EXPECT_EQ(parse_cpu_max("150000 100000"), 1.5);
  for (const char* text : {"max 100000", "", "0 100000", "5", "5 0", "5 x", "-5 10"}) {
    EXPECT_EQ(parse_cpu_max(text), std::nullopt) << text;
  }
}

TEST(UsableThreads, HonourTheQuotaRoundedUp) {
  SystemFacts system;
  system.cpus = {0, 1, 2, 3};
  EXPECT_EQ(usable_threads(system), 4);
  system.quota_cpus = 1.5;
  EXPECT_EQ(usable_threads(system), 2);
  system.quota_cpus = 9.0;
  EXPECT_EQ(usable_threads(system), 4);
  EXPECT_EQ(usable_threads(SystemFacts{}), 1);
}

TEST_F(FakeSystem, PutsPhysicalCoresBeforeHyperthreads) {
  for (int cpu = 0; cpu < 4; ++cpu) {
    put("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
        cpu < 2 ? "0-1\n" : "2-3\n");
  }
  const SystemFacts facts = read_system_facts(root_, std::vector<int>{0, 1, 2, 3});
  EXPECT_THAT(facts.cpus, ElementsAre(0, 2, 1, 3));
  EXPECT_EQ(facts.physical_cores, 2);
}

TEST_F(FakeSystem, TellsCachesNodesAndHugePages) {
  const std::string cache = "sys/devices/system/cpu/cpu1/cache/index";
  const char* levels[][3] = {{"1", "Data", "48K"}, {"1", "Instruction", "32K"}, {"2", "Unified", "2M"}};
  for (int i = 0; i < 3; ++i) {
    put(cache + std::to_string(i) + "/level", levels[i][0]);
    put(cache + std::to_string(i) + "/type", levels[i][1]);
    put(cache + std::to_string(i) + "/size", levels[i][2]);
  }
  put("sys/devices/system/node/online", "0-1");
  put("sys/devices/system/node/node0/cpulist", "0");
  put("sys/devices/system/node/node1/cpulist", "1-2");
  put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  const SystemFacts facts = read_system_facts(root_, std::vector<int>{1, 2});
  EXPECT_EQ(facts.l1d_bytes, 48 * 1024);
  EXPECT_EQ(facts.l2_bytes, 2 * 1024 * 1024);
  EXPECT_EQ(facts.l3_bytes, 0);
  ASSERT_EQ(facts.nodes.size(), 1U);
  EXPECT_EQ(facts.nodes[0].id, 1);
  EXPECT_THAT(facts.nodes[0].cpus, ElementsAre(1, 2));
  EXPECT_EQ(facts.huge_pages, "madvise");
}

TEST_F(FakeSystem, TakesTheTightestQuotaOnTheWayUp) {
  put("proc/self/cgroup", "0::/a/b\n");
  put("sys/fs/cgroup/a/b/cpu.max", "max 100000");
  put("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  put("sys/fs/cgroup/cpu.max", "400000 100000\n");
  const SystemFacts facts = read_system_facts(root_, std::vector<int>{0});
  EXPECT_EQ(facts.quota_cpus, 2.5);
  EXPECT_THAT(facts.quota_from, HasSubstr("/a/cpu.max"));
}

TEST_F(FakeSystem, KnowsNothingOfAnEmptySystem) {
  const SystemFacts facts = read_system_facts(root_, std::vector<int>{4});
  EXPECT_THAT(facts.cpus, ElementsAre(4));
  EXPECT_EQ(facts.quota_cpus, std::nullopt);
  EXPECT_TRUE(facts.nodes.empty());
  EXPECT_EQ(facts.huge_pages, "");
}

}  // namespace
}  // namespace octavo
