#include "compiler/prepare/prepare_dlrm.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/fail.h"
#include "base/testing.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;
using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::write_file;
using ::testing::HasSubstr;

/// A table whose element e of row r is  r + e / 4 - table;  counts what is read and fails when told to.
class CountingTable : public TableSource {
 public:
  CountingTable(std::int64_t table, std::int64_t dim, std::int64_t fails_at_row)
      : table_(table), dim_(dim), fails_at_row_(fails_at_row) {}

  void read(std::int64_t first_row, std::span<float> dst) override {
    const std::int64_t rows = std::ssize(dst) / dim_;
    if (first_row + rows > fails_at_row_) fail(ErrorCode::io, "the source broke");
    for (std::int64_t i = 0; i < std::ssize(dst); ++i) {
      const std::int64_t row = first_row + i / dim_;
      dst[static_cast<std::size_t>(i)] =
          static_cast<float>(row - table_) + static_cast<float>(i % dim_) / 4.0F;
    }
  }

 private:
  std::int64_t table_;
  std::int64_t dim_;
  std::int64_t fails_at_row_;
};

constexpr std::int64_t kNever = std::int64_t{1} << 40U;

DlrmLayer layer(std::int64_t outputs, std::int64_t inputs) {
  return {Tensor(DType::f32, {outputs, inputs}), Tensor(DType::f32, {outputs})};
}

/// Three tables x 4 of 5, 600000 and 7 rows; the second is more than one piece.
DlrmSource three_tables(std::int64_t third_fails_at = kNever) {
  DlrmSource source;
  source.model = {.name = "three",
                  .dense_features = 2,
                  .dim = 4,
                  .bottom = {4},
                  .top = {1},
                  .interaction = Interaction::dot,
                  .tables = {{.rows = 5}, {.rows = 600000}, {.rows = 7}},
                  .calibration = {}};
  source.provenance = {"three.pt", 77, "octavo test"};
  source.bottom.push_back(layer(4, 2));
  source.top.push_back(layer(1, 10));
  for (std::int64_t t = 0; t < 3; ++t) {
    source.tables.push_back(std::make_unique<CountingTable>(t, 4, t == 2 ? third_fails_at : kNever));
  }
  return source;
}

PrepareOptions all_of(RowFormat format) { return {std::vector<RowFormat>(3, format), {}}; }

PrepareOutcome prepare(const fs::path& folder, RowFormat format = RowFormat::f32,
                       std::int64_t third_fails_at = kNever) {
  DlrmSource source = three_tables(third_fails_at);
  return prepare_dlrm(source, folder, all_of(format));
}

TEST(PrepareDlrm, WritesAPackageWithEveryRow) {
  const TemporaryFolder folder;
  EXPECT_EQ(prepare(folder / "p").tables_written, 3U);
  const DlrmPackage package = open_dlrm_package(folder / "p");
  EXPECT_EQ(print(package.model), "3 tables x 4, 600012 rows; 2-4, dot, 10-1");
  for (std::size_t t = 0; t < 3; ++t) EXPECT_NO_THROW(check_table(package, t));
  const DlrmSource again = open_dlrm_package_source(folder / "p");
  std::vector<float> rows(8);
  again.tables[1]->read(599998, rows);
  EXPECT_EQ(rows[0], 599997.0F);
  EXPECT_EQ(rows[7], 599998.75F);
  EXPECT_FALSE(fs::exists(folder / "p/unfinished.json"));
}

TEST(PrepareDlrm, CodesEveryRowFormat) {
  for (std::int64_t f = 0; f < kRowFormats; ++f) {
    const TemporaryFolder folder;
    DlrmSource source = three_tables();
    PrepareOptions options = all_of(RowFormat::f32);
    options.formats[0] = static_cast<RowFormat>(f);
    options.formats[2] = static_cast<RowFormat>(f);
    prepare_dlrm(source, folder.path(), options);
    const DlrmPackage package = open_dlrm_package(folder.path());
    EXPECT_EQ(package.model.tables[2].format, options.formats[2]);
    std::vector<float> rows(28);
    open_dlrm_package_source(folder.path()).tables[2]->read(0, rows);
    EXPECT_NEAR(rows[27], 4.75F, 0.3F) << row_format_name(options.formats[2]);
  }
}

/// A calibration on single rows, or on bags, of the three tables.
DlrmCalibration calibration(std::int64_t largest_bag) {
  DlrmCalibration c{
      .samples = 9, .dense = {0, 1}, .bottom = {{0, 1}}, .embeddings = {}, .dots = {}, .top = {{0, 1}}};
  c.embeddings.assign(3, {-1e6F, 1e6F});
  c.dots.assign(6, {0, 1});
  c.largest_bag = largest_bag;
  return c;
}

TEST(PrepareDlrm, CarriesACalibrationOverToRowsOfAnotherFormat) {
  for (std::int64_t largest_bag : {0, 1, 2}) {
    const TemporaryFolder folder;
    DlrmSource source = three_tables();
    source.model.calibration = calibration(largest_bag);
    set_tuning(source.model, {"int8", "avx2", "avx2", 64, 1, 1, 1});
    prepare_dlrm(source, folder / "from", all_of(RowFormat::f32));
    DlrmSource again = open_dlrm_source(folder / "from");
    PrepareOptions options = all_of(RowFormat::s4_codebook);
    options.formats[2] = RowFormat::s8_row;
    prepare_dlrm(again, folder / "to", options);
    const DlrmModel model = open_dlrm_package(folder / "to").model;
    ASSERT_TRUE(model.calibration.has_value());
    EXPECT_EQ(model.calibration->samples, 9);
    EXPECT_EQ(model.calibration->largest_bag, largest_bag);
    const float kept = largest_bag == 1 ? 127 * model.tables[0].scale : 1e6F;
    EXPECT_FLOAT_EQ(model.calibration->embeddings[0].max, kept)
        << "a single row is no larger than its table's scale";
    EXPECT_FLOAT_EQ(model.calibration->embeddings[0].min, -kept);
    EXPECT_FLOAT_EQ(model.calibration->embeddings[2].max, 1e6F)
        << "rows with scales of their own are not clipped";
    EXPECT_TRUE(model.tunings.empty()) << "they were of other rows";
  }
}

TEST(PrepareDlrm, GoesOnAfterAFailureWithoutRewritingFinishedTables) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorCode::io, [&] { prepare(folder.path(), RowFormat::s8_row, 3); }),
              HasSubstr("table 2: the source broke"));
  EXPECT_FALSE(is_package_folder(folder.path()));
  EXPECT_FALSE(fs::exists(folder / "tables/2.s8_row"));
  const auto when = fs::last_write_time(folder / "tables/1.s8_row");
  const PrepareOutcome outcome = prepare(folder.path(), RowFormat::s8_row);
  EXPECT_EQ(outcome.tables_kept, 2U);
  EXPECT_EQ(outcome.tables_written, 1U);
  EXPECT_EQ(fs::last_write_time(folder / "tables/1.s8_row"), when);
  const DlrmPackage package = open_dlrm_package(folder.path());
  for (std::size_t t = 0; t < 3; ++t) EXPECT_NO_THROW(check_table(package, t));
}

TEST(PrepareDlrm, RemovesWhatAKilledRunLeftHalfWritten) {
  const TemporaryFolder folder;
  write_file(folder / "tables/1.f32.partial-4711", "half");
  prepare(folder.path());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "tables"), {}), 3);
}

TEST(PrepareDlrm, RemovesWhatARunLeftThatWasKilledWhileItRenamed) {
  const TemporaryFolder folder;
  prepare(folder.path());
  write_file(folder / "manifest.json.partial-4711", "{}");  // seen where a file system links, then unlinks
  prepare(folder.path());
  EXPECT_FALSE(fs::exists(folder / "manifest.json.partial-4711"));
}

TEST(PrepareDlrm, WritesAFinishedTableAgainWhenItsFileIsGoneOrShort) {
  const TemporaryFolder folder;
  EXPECT_THROW(prepare(folder.path(), RowFormat::f32, 3), Error);
  fs::resize_file(folder / "tables/0.f32", 3);
  fs::remove(folder / "tables/1.f32");
  EXPECT_EQ(prepare(folder.path()).tables_written, 3U);
}

TEST(PrepareDlrm, LeavesAWholePackageAlone) {
  const TemporaryFolder folder;
  prepare(folder.path());
  write_file(folder / "unfinished.json", "left over");
  const PrepareOutcome outcome = prepare(folder.path());
  EXPECT_EQ(outcome.tables_written, 0U);
  EXPECT_EQ(outcome.tables_kept, 3U);
  EXPECT_FALSE(fs::exists(folder / "unfinished.json"));
}

TEST(PrepareDlrm, RefusesAFolderOfSomethingElse) {
  const TemporaryFolder folder;
  prepare(folder / "whole");
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { prepare(folder / "whole", RowFormat::f16); }),
              HasSubstr("whole' holds a package of 'three.pt' (77 bytes; "));
  EXPECT_THROW(prepare(folder / "begun", RowFormat::f32, 3), Error);
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { prepare(folder / "begun", RowFormat::f16); }),
              HasSubstr("begun' holds an unfinished package of 'three.pt'"));
  write_file(folder / "begun/unfinished.json", "{");
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { prepare(folder / "begun"); }),
              HasSubstr("unfinished.json"));
}

TEST(PrepareDlrm, RefusesAFolderThatAnotherProcessHas) {
  const TemporaryFolder folder;
  const int other = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { prepare(folder.path()); }),
              HasSubstr("another process is preparing"));
  ::close(other);
}

TEST(PrepareDlrm, SaysThatTheDiskHasNoRoomBeforeTheFirstTable) {
  const TemporaryFolder folder;
  DlrmSource source = three_tables();
  source.model.tables[1].rows = kMostDlrmRows;
  EXPECT_THAT(error_of(ErrorCode::io, [&] { prepare_dlrm(source, folder.path(), all_of(RowFormat::f32)); }),
              HasSubstr("more bytes (1099.5 GB), its disk has"));
  EXPECT_TRUE(fs::is_empty(folder / "tables"));
}

TEST(PrepareDlrm, SaysHowFarItIs) {
  const TemporaryFolder folder;
  DlrmSource source = three_tables();
  std::vector<PrepareProgress> told;
  prepare_dlrm(
      source, folder.path(),
      {std::vector<RowFormat>(3, RowFormat::f32), [&](const PrepareProgress& p) { told.push_back(p); }});
  EXPECT_EQ(told.size(), 4U);
  EXPECT_EQ(told.back().bytes_done, told.back().bytes);
  EXPECT_EQ(told.back().tables_done, 2U);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end(),
                             [](const auto& a, const auto& b) { return a.bytes_done < b.bytes_done; }));
}

TEST(PrepareDlrm, NamesTheFolderThatItCannotMake) {
  const TemporaryFolder folder;
  write_file(folder / "file", "x");
  EXPECT_THAT(error_of(ErrorCode::io, [&] { prepare(folder / "file/p"); }), HasSubstr("file/p"));
}

}  // namespace
}  // namespace octavo
