#include "engine/embedding/tables.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <vector>

#include "base/testing.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

/// A package of two tables of bytes 0, 1, 2, ... without its manifest.
struct SomePackage {
  testing::TemporaryFolder folder;
  DlrmPackage package;

  SomePackage() {
    package.folder = folder.path();
    package.model.name = "some";
    package.model.dim = 64;
    package.model.tables = {{100, RowFormat::s8_table, 0.5F, {}, 0},
                            {70000, RowFormat::s8_table, 0.5F, {}, 0}};
    for (std::size_t t = 0; t < 2; ++t) {
      std::vector<std::byte> bytes(static_cast<std::size_t>(table_bytes(package.model, t)));
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i + t);
      testing::write_file(package.table_path(t), bytes);
    }
  }
};

void expect_bytes(const Tables& tables, const DlrmModel& model) {
  for (std::size_t t = 0; t < 2; ++t) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tables.views()[t].data) % 64, 0U);
    for (std::int64_t i = 0; i < table_bytes(model, t); ++i) {
      ASSERT_EQ(tables.views()[t].data[i], static_cast<std::byte>(i + static_cast<std::int64_t>(t)));
    }
  }
}

TEST(Tables, AreTheSameInMemoryAndMapped) {
  const SomePackage some;
  expect_bytes(Tables::open(some.package, TablePlace::memory, 3), some.package.model);
  const Tables mapped = Tables::open(some.package, TablePlace::mapped, 1);
  expect_bytes(mapped, some.package.model);
  mapped.check_whole();
}

TEST(Tables, ReportATableThatWasCutWhileMapped) {
  const SomePackage some;
  const Tables tables = Tables::open(some.package, TablePlace::mapped, 1);
  fs::resize_file(some.package.table_path(1), 8192);
  const volatile std::byte* const beyond = tables.views()[1].data + 5 * 4096 + 7;
  const std::byte found = *beyond;
  EXPECT_EQ(found, std::byte{0});
  EXPECT_EQ(testing::error_of(ErrorCode::io, [&] { tables.check_whole(); }),
            "'" + some.package.table_path(1).string() + "' was cut while it was in use: byte 20487 is gone");
}

TEST(Tables, NameAFileThatIsMissingOrHasAnotherSize) {
  const SomePackage some;
  const std::string path = some.package.table_path(0).string();
  fs::resize_file(path, 6399);
  EXPECT_EQ(testing::error_of(ErrorCode::io, [&] { Tables::open(some.package, TablePlace::memory, 2); }),
            "'" + path + "' ends after 6399 bytes");
  EXPECT_EQ(testing::error_of(ErrorCode::io, [&] { Tables::open(some.package, TablePlace::mapped, 1); }),
            "'" + path + "' has 6399 bytes, expected 6400");
  fs::remove(path);
  for (TablePlace place : {TablePlace::memory, TablePlace::mapped}) {
    EXPECT_EQ(testing::error_of(ErrorCode::io, [&] { Tables::open(some.package, place, 1); }),
              "cannot open '" + path + "': No such file or directory");
  }
}

TEST(LostPageWatch, RefusesMoreRangesThanItCanWatch) {
  const std::vector<std::byte> memory(kMostWatches + 1);
  std::vector<std::unique_ptr<LostPageWatch>> watches;
  const auto watch_all = [&] {
    for (const std::byte& byte : memory) watches.push_back(std::make_unique<LostPageWatch>(&byte, 1));
  };
  EXPECT_EQ(testing::error_of(ErrorCode::unsupported, watch_all), "256 packages are mapped already");
  watches.pop_back();
  EXPECT_EQ(std::make_unique<LostPageWatch>(memory.data(), 1)->lost(), nullptr);
}

TEST(Tables, SayBeforeLoadingWhatMemoryTheyNeedAndWhichFormatWouldFit) {
  DlrmModel model;
  model.name = "large";
  model.dim = 128;
  model.tables = {{10'000'000, RowFormat::f32, 1.0F, {}, 0}};
  EXPECT_EQ(
      testing::error_of(ErrorCode::io, [&] { check_memory(model, 2'000'000'000); }),
      "the tables of 'large' need 5.12 GB of memory, 2.00 GB are available: map them, or as s8_table they "
      "would need 1.28 GB");
  EXPECT_EQ(testing::error_of(ErrorCode::io, [&] { check_memory(model, 1'000'000); }),
            "the tables of 'large' need 5.12 GB of memory, 0.00 GB are available: map them, or no row format "
            "would fit");
  check_memory(model, 5'120'000'000);
}

TEST(AvailableMemory, IsTheLeastOfMachineAndGroups) {
  const testing::TemporaryFolder root;
  EXPECT_EQ(available_memory(root.path()), std::numeric_limits<std::int64_t>::max());
  testing::write_file(root / "proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    5000 kB\n");
  EXPECT_EQ(available_memory(root.path()), 5000 * 1024);
  testing::write_file(root / "proc/self/cgroup", "0::/a/b\n");
  testing::write_file(root / "sys/fs/cgroup/a/b/memory.max", "max\n");
  testing::write_file(root / "sys/fs/cgroup/a/b/memory.current", "100\n");
  EXPECT_EQ(available_memory(root.path()), 5000 * 1024);
  testing::write_file(root / "sys/fs/cgroup/a/memory.max", "4000000\n");
  testing::write_file(root / "sys/fs/cgroup/a/memory.current", "1500000\n");
  testing::write_file(root / "sys/fs/cgroup/a/memory.stat", "anon 1\nfile 500000\n");
  EXPECT_EQ(available_memory(root.path()), 3000000);
  testing::write_file(root / "sys/fs/cgroup/a/memory.current", "9000000\n");
  EXPECT_EQ(available_memory(root.path()), 0);
  testing::write_file(root / "proc/self/cgroup", "0::/../../x\n");
  EXPECT_EQ(available_memory(root.path()), 5000 * 1024);
}

}  // namespace
}  // namespace octavo
