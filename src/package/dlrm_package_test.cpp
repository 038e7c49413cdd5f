#include "package/dlrm_package.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "base/crc32c.h"
#include "base/testing.h"
#include "package/dlrm_manifest.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::file_bytes;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

DlrmLayer layer(std::int64_t outputs, std::int64_t inputs) {
  DlrmLayer made{Tensor(DType::f32, {outputs, inputs}), Tensor(DType::f32, {outputs})};
  float value = 0.0F;
  for (float& w : made.weights.as<float>()) w = (value += 0.25F);
  return made;
}

/// Two tables of 3 and 5 rows x 4, of one format with and one without a scale.
DlrmPackage small_package(const std::filesystem::path& folder) {
  DlrmPackage package{folder, {}, {"model.pt", 1234, "octavo test"}, {}, {}};
  package.model = {.name = "small",
                   .dense_features = 2,
                   .dim = 4,
                   .bottom = {6, 4},
                   .top = {3, 1},
                   .interaction = Interaction::dot,
                   .tables = {{.rows = 3}, {.rows = 5, .format = RowFormat::s4_codebook, .scale = 0.1F}},
                   .calibration = {}};
  package.model.tables[1].codebook = {-127, -90, -60, 0, 1, 127};
  package.bottom = {layer(6, 2), layer(4, 6)};
  package.top = {layer(3, 7), layer(1, 3)};
  return package;
}

DlrmPackage write_small_package(const std::filesystem::path& folder) {
  DlrmPackage package = small_package(folder);
  write_dlrm_layers(folder, package.bottom, package.top);
  for (std::size_t t = 0; t < 2; ++t) {
    const std::vector<std::byte> rows(static_cast<std::size_t>(table_bytes(package.model, t)), std::byte{7});
    package.model.tables[t].crc32c = crc32c(rows);
    write_file(package.table_path(t), rows);
  }
  write_dlrm_manifest(package);
  return package;
}

std::string refusal(const std::filesystem::path& folder, ErrorCode code = ErrorCode::invalid_model) {
  return error_of(code, [&] { open_dlrm_package(folder); });
}

/// The small package's manifest with `from` replaced.
void rewrite_manifest(const std::filesystem::path& folder, std::string_view from, std::string_view to) {
  const auto bytes = file_bytes(folder / "manifest.json");
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  write_file(folder / "manifest.json", text);
}

TEST(DlrmPackage, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  write_small_package(folder.path());
  const DlrmPackage read = open_dlrm_package(folder.path());
  EXPECT_EQ(print(read.model), "2 tables x 4, 8 rows; 2-6-4, dot, 7-3-1");
  EXPECT_EQ(read.model.tables[1].scale, 0.1F);
  EXPECT_THAT(
      std::vector<int>(read.model.tables[1].codebook.begin(), read.model.tables[1].codebook.begin() + 6),
      ElementsAre(-127, -90, -60, 0, 1, 127));
  EXPECT_EQ(read.bottom[1].weights.as<float>()[5], 1.5F);
  EXPECT_EQ(read.table_path(1), folder / "tables/1.s4_codebook");
  EXPECT_FALSE(read.model.calibration.has_value());
  EXPECT_NO_THROW(check_table(read, 0));
  EXPECT_NO_THROW(check_table(read, 1));
}

TEST(DlrmPackage, ListsAllItsMembers) {
  const TemporaryFolder folder;
  const DlrmPackage package = write_small_package(folder.path());
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.is_regular_file()) there.insert(entry.path().lexically_relative(folder.path()).string());
  }
  const std::vector<std::string> members = dlrm_members(package.model);
  EXPECT_EQ(std::set<std::string>(members.begin(), members.end()), there);
  EXPECT_EQ(members.size(), there.size());
  EXPECT_EQ(members.front(), "manifest.json");
}

TEST(DlrmPackage, KeepsACalibration) {
  DlrmManifest manifest{small_package("x").model, {}, {}};
  manifest.model.calibration = DlrmCalibration{.samples = 9,
                                               .dense = {-1, 2.5F},
                                               .bottom = {{0, 1}, {0, 2}},
                                               .embeddings = {{0, 1}, {-0.1F, 1}},
                                               .dots = {{-3, 4}, {0, 1}, {0, 2}},
                                               .top = {{0, 1}, {-5, 6}},
                                               .largest_bag = 3};
  const DlrmManifest read = parse_dlrm_manifest(dlrm_manifest_json(manifest));
  EXPECT_EQ(read.model.calibration->samples, 9);
  EXPECT_EQ(read.model.calibration->embeddings[1].min, -0.1F);
  EXPECT_EQ(read.model.calibration->top[1].max, 6.0F);
  EXPECT_EQ(read.model.calibration->largest_bag, 3);
  manifest.model.calibration->bottom.pop_back();
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { check(manifest.model); }),
              HasSubstr("calibration has 1 bottom ranges, expected 2"));
  manifest.model.calibration->bottom.push_back({2, 1});
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { check(manifest.model); }),
              HasSubstr("bottom range from 2 to 1"));
  manifest.model.calibration->samples = 0;
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { check(manifest.model); }), HasSubstr("on 0 samples"));
  manifest.model.calibration->samples = 1;
  manifest.model.calibration->bottom.back() = {1, 2};
  manifest.model.calibration->largest_bag = -1;
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { check(manifest.model); }),
              HasSubstr("bags of -1 rows"));
}

TEST(DlrmPackage, KeepsATuningForEachArithmeticAndInstructionSet) {
  DlrmManifest manifest{small_package("x").model, {}, {}};
  set_tuning(manifest.model, {"int8", "avx2", "avx2", 64, 2048, 1, 3.5});
  set_tuning(manifest.model, {"f32", "avx2", "avx2", 0, 1, 2, 9});
  set_tuning(manifest.model, {"int8", "avx2", "avx2", 128, 512, 1, 7.25});
  const DlrmModel read = parse_dlrm_manifest(dlrm_manifest_json(manifest)).model;
  EXPECT_EQ(read.tunings.size(), 2U);
  EXPECT_EQ(find_tuning(read, "int8", "avx512"), nullptr);
  const DlrmTuning* const tuning = find_tuning(read, "int8", "avx2");
  ASSERT_NE(tuning, nullptr);
  EXPECT_EQ(tuning->samples_per_pass, 128);
  EXPECT_EQ(tuning->batch, 512);
  EXPECT_EQ(tuning->measured_us, 7.25);
  EXPECT_EQ(find_tuning(read, "f32", "avx2")->threads, 2);
  manifest.model.tunings.front().samples_per_pass = -1;
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { check(manifest.model); }),
              HasSubstr("-1 samples at a time"));
}

TEST(DlrmPackage, IsNoneWithoutItsManifest) {
  const TemporaryFolder folder;
  write_small_package(folder.path());
  EXPECT_TRUE(is_package_folder(folder.path()));
  std::filesystem::remove(folder / "manifest.json");
  EXPECT_FALSE(is_package_folder(folder.path()));
  EXPECT_THAT(refusal(folder.path(), ErrorCode::io), HasSubstr("manifest.json"));
}

TEST(DlrmPackage, RefusesATableOfAnotherSize) {
  const TemporaryFolder folder;
  write_small_package(folder.path());
  std::filesystem::resize_file(folder / "tables/0.f32", 47);
  EXPECT_THAT(refusal(folder.path()), HasSubstr("'tables/0.f32' has 47 bytes, expected 48"));
  std::filesystem::remove(folder / "tables/0.f32");
  EXPECT_THAT(refusal(folder.path(), ErrorCode::io), HasSubstr("cannot read 'tables/0.f32'"));
}

TEST(DlrmPackage, FindsAFlippedBitInATableWhenAsked) {
  const TemporaryFolder folder;
  const DlrmPackage package = write_small_package(folder.path());
  std::vector<std::byte> rows = file_bytes(package.table_path(1));
  rows[3] ^= std::byte{4};
  write_file(package.table_path(1), rows);
  EXPECT_NO_THROW(open_dlrm_package(folder.path()));
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { check_table(package, 1); }),
              HasSubstr("1.s4_codebook' is damaged"));
}

TEST(DlrmPackage, RefusesADamagedMissingOrShortLayer) {
  const TemporaryFolder folder;
  write_small_package(folder.path());
  const auto path = folder / "weights/top_0_weights.f32";
  std::vector<std::byte> bytes = file_bytes(path);
  bytes[0] ^= std::byte{1};
  write_file(path, bytes);
  EXPECT_THAT(refusal(folder.path()), HasSubstr("'weights/top_0_weights.f32' is damaged"));
  std::filesystem::resize_file(path, 80);
  EXPECT_THAT(refusal(folder.path()), HasSubstr("has 80 bytes, its shape [3, 7] needs 84"));
  std::filesystem::remove(path);
  EXPECT_THAT(refusal(folder.path(), ErrorCode::io), HasSubstr("top_0_weights.f32"));
}

TEST(DlrmPackage, RefusesAManifestThatBreaksTheRules) {
  const std::vector<std::array<std::string_view, 3>> cases{
      {"\"octavo-package\"", "\"other\"", "no octavo-package manifest"},
      {"\"format_version\": 1", "\"format_version\": 2", "format version 2"},
      {"\"kind\": \"dlrm\"", "\"kind\": \"image\"", "kind 'image'"},
      {"\"interaction\": \"dot\"", "\"interaction\": \"sum\"", "unknown interaction 'sum'"},
      {"\"row_format\": \"f32\"", "\"row_format\": \"f8\"", "table 0: unknown row format 'f8'"},
      {"\"rows\": 3", "\"rows\": 0", "rows of table 0 is 0"},
      {"\"rows\": 3", "\"rows\": 99999999999999", "rows of table 0 is 99999999999999"},
      {"\"dim\": 4", "\"dim\": 5", "the last bottom layer is 4 wide, expected 5"},
      {"\"dim\": 4", "\"dim\": 0", "elements of a row is 0"},
      {"-127", "-128", "codebook entry -128"},
      {"-127,", "", "a codebook of 15 entries"},
      {"\"scale\": 0.1", "\"scale\": -0.1", "table 1 has scale -0.1"},
      {"\"crc32c\": \"", "\"crc32c\": \"z", "checksum 'z"},
      {"\"weights/bottom_0_bias.f32\"", "\"weights/other\"", "'weights/bottom_0_bias.f32' has no checksum"},
      {"\"dense_features\"", "\"dens\"", "dense_features"},
  };
  for (const auto& [from, to, message] : cases) {
    const TemporaryFolder folder;
    write_small_package(folder.path());
    rewrite_manifest(folder.path(), from, to);
    EXPECT_THAT(refusal(folder.path()), HasSubstr(message));
  }
}

TEST(DlrmPackage, RefusesEveryTruncationOfItsManifest) {
  const std::string whole = dlrm_manifest_json({small_package("x").model, {}, {}});
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    EXPECT_THROW(parse_dlrm_manifest(std::string_view(whole).substr(0, size)), Error) << size;
  }
}

TEST(DlrmModel, RefusesCodebookEntriesThatHaveNoNegative) {
  DlrmModel model = small_package("x").model;
  model.tables[1].codebook[0] = -128;
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { check(model); }), HasSubstr("codebook entry -128"));
}

TEST(DlrmModel, KnowsItsInteractionsWidth) {
  DlrmModel model = small_package("x").model;
  EXPECT_EQ(interaction_width(model), 4 + 3);
  model.interaction = Interaction::dot_with_self;
  EXPECT_EQ(interaction_width(model), 4 + 6);
  model.interaction = Interaction::cat;
  EXPECT_EQ(interaction_width(model), 12);
}

TEST(RowFormat, HasANameAndASizeForEachFormat) {
  const std::vector<std::pair<std::string_view, std::int64_t>> expected{
      {"f32", 512}, {"f16", 256}, {"s8_table", 128}, {"s8_row", 132}, {"s4_row", 68}, {"s4_codebook", 64}};
  for (const auto& [name, bytes] : expected) {
    const auto format = parse_row_format(name);
    ASSERT_TRUE(format.has_value()) << name;
    EXPECT_EQ(row_format_name(*format), name);
    EXPECT_EQ(row_bytes(*format, 128), bytes);
  }
  EXPECT_EQ(row_bytes(RowFormat::s4_codebook, 5), 3);
  EXPECT_FALSE(parse_row_format("s2").has_value());
}

}  // namespace
}  // namespace octavo
