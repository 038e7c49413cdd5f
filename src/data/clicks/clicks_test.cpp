#include "data/clicks/clicks.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/testing.h"
#include "data/clicks/metrics.h"
#include "data/npz.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;
using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ClickShape kShape{2, {10, 100, 1000}};

template <class T>
void write_values(const fs::path& path, const std::vector<T>& values) {
  write_file(path, std::as_bytes(std::span(values)));
}

template <class T>
Tensor tensor(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  Tensor made(dtype, std::move(shape));
  std::copy(values.begin(), values.end(), made.as<T>().begin());
  return made;
}

std::string refusal(const fs::path& place, ErrorCode code = ErrorCode::invalid_model,
                    const ClickShape& shape = kShape) {
  return error_of(code, [&] {
    const auto reader = open_clicks(place, shape);
    while (reader->next(2).samples > 0) {
    }
  });
}

/// Three samples of the demo's form.
void write_demo(const fs::path& folder) {
  write_values<float>(folder / "batch_dense_X_ref", {0, 1, 2, 3, 4, 5});
  write_values<std::int64_t>(folder / "batch_lS_i_ref", {1, 2, 3, 11, 12, 13, 21, 22, 23});
  write_values<float>(folder / "batch_res_ref", {0.1F, 0.2F, 0.3F});
}

TEST(DemoClicks, GivesPiecesTableByTable) {
  const TemporaryFolder folder;
  write_demo(folder.path());
  const auto reader = open_clicks(folder.path(), kShape);
  const Clicks first = reader->next(2);
  EXPECT_EQ(first.samples, 2);
  EXPECT_THAT(first.dense, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(first.indices, ElementsAre(1, 2, 11, 12, 21, 22));
  EXPECT_THAT(first.reference, ElementsAre(0.1F, 0.2F));
  EXPECT_THAT(first.labels, IsEmpty());
  const Clicks second = reader->next(2);
  EXPECT_EQ(second.samples, 1);
  EXPECT_THAT(second.indices, ElementsAre(3, 13, 23));
  EXPECT_EQ(reader->next(2).samples, 0);
}

TEST(DemoClicks, NamesTheFileThatIsMissingShortOrLong) {
  const TemporaryFolder folder;
  write_demo(folder.path());
  fs::resize_file(folder / "batch_lS_i_ref", 71);
  EXPECT_THAT(refusal(folder.path()), HasSubstr("batch_lS_i_ref' has 71 bytes, no multiple of the 24 bytes"));
  write_demo(folder.path());
  fs::resize_file(folder / "batch_res_ref", 16);
  EXPECT_THAT(refusal(folder.path()), HasSubstr("batch_res_ref' has 4 samples, '"));
  write_demo(folder.path());
  fs::resize_file(folder / "batch_dense_X_ref", 16);
  EXPECT_THAT(refusal(folder.path()), HasSubstr("batch_dense_X_ref' has 2 samples, '"));
  fs::remove(folder / "batch_dense_X_ref");
  EXPECT_THAT(refusal(folder.path(), ErrorCode::io), HasSubstr("batch_dense_X_ref"));
}

TEST(BinaryClicks, TakesRawCountsAndTheDivisor) {
  const TemporaryFolder folder;
  write_values<std::int32_t>(folder / "a.bin", {1, 0, 7, 105, -3, 4, 0, -1, 2, 6, 5, 7});
  const Clicks clicks = open_clicks(folder / "a.bin", kShape, {IndexRule::Kind::divisor, 100})->next(9);
  EXPECT_EQ(clicks.samples, 2);
  EXPECT_THAT(clicks.labels, ElementsAre(1, 0));
  EXPECT_THAT(clicks.dense, ElementsAre(0, FloatEq(std::log(8.0F)), 0, FloatEq(std::log(3.0F))));
  EXPECT_THAT(clicks.indices, ElementsAre(5, 6, 97, 5, 4, 7));
  EXPECT_THAT(open_clicks(folder / "a.bin", kShape)->next(1).indices, ElementsAre(105, -3, 4));
}

TEST(BinaryClicks, RefusesAShortFileAndALabelThatIsNone) {
  const TemporaryFolder folder;
  write_values<std::int32_t>(folder / "a.bin", {1, 0, 7, 105, -3});
  EXPECT_THAT(refusal(folder / "a.bin"), HasSubstr("a.bin' has 20 bytes, no multiple of the 24 bytes"));
  write_values<std::int32_t>(folder / "a.bin", {7, 0, 7, 105, -3, 4});
  EXPECT_THAT(refusal(folder / "a.bin"), HasSubstr("sample 0 has label 7"));
}

/// Members of an .npz with three samples, one row number each.
std::vector<NpzMember> npz_members(const Tensor& dense, const Tensor& rows, const Tensor& labels) {
  return {{"X_int", dense.view()}, {"X_cat", rows.view()}, {"y", labels.view()}};
}

TEST(NpzClicks, TakesFloatsAsTheyAreAndIntegersAsCounts) {
  const TemporaryFolder folder;
  const Tensor floats = tensor<float>(DType::f32, {2, 2}, {0.5F, 1, 2, 3});
  const Tensor counts = tensor<std::int32_t>(DType::s32, {2, 2}, {0, 1, 2, -1});
  const Tensor rows = tensor<std::int64_t>(DType::s64, {2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor labels = tensor<std::int32_t>(DType::s32, {2}, {0, 1});
  write_npz(folder / "a.npz", npz_members(floats, rows, labels));
  const Clicks clicks = open_clicks(folder / "a.npz", kShape)->next(5);
  EXPECT_THAT(clicks.dense, ElementsAre(0.5F, 1, 2, 3));
  EXPECT_THAT(clicks.indices, ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(clicks.labels, ElementsAre(0, 1));
  write_npz(folder / "a.npz", npz_members(counts, rows, labels));
  EXPECT_THAT(open_clicks(folder / "a.npz", kShape)->next(5).dense,
              ElementsAre(0, FloatEq(std::log(2.0F)), FloatEq(std::log(3.0F)), 0));
}

TEST(NpzClicks, CutsBagsIntoPieces) {
  const TemporaryFolder folder;
  const Tensor dense(DType::f32, {3, 2});
  const Tensor offsets = tensor<std::int64_t>(DType::s64, {3, 4}, {0, 2, 2, 3, 0, 0, 0, 1, 0, 1, 2, 3});
  const Tensor a = tensor<std::int64_t>(DType::s64, {3}, {1, 2, 3});
  const Tensor b = tensor<std::int64_t>(DType::s64, {1}, {44});
  const Tensor c = tensor<std::int64_t>(DType::s64, {3}, {7, 8, 1009});
  write_npz(folder / "a.npz", std::vector<NpzMember>{{"X_int", dense.view()},
                                                     {"offsets", offsets.view()},
                                                     {"indices_0", a.view()},
                                                     {"indices_1", b.view()},
                                                     {"indices_2", c.view()}});
  const auto reader = open_clicks(folder / "a.npz", kShape, {IndexRule::Kind::rows});
  const Clicks first = reader->next(2);
  EXPECT_THAT(first.offsets, ElementsAre(0, 2, 2, 2, 2, 2, 2, 3, 4));
  EXPECT_THAT(first.indices, ElementsAre(1, 2, 7, 8));
  const Clicks second = reader->next(2);
  EXPECT_THAT(second.offsets, ElementsAre(0, 1, 1, 2, 2, 3));
  EXPECT_THAT(second.indices, ElementsAre(3, 44, 9));
  EXPECT_EQ(reader->next(2).samples, 0);
}

TEST(NpzClicks, NamesTheArrayThatDoesNotFit) {
  const TemporaryFolder folder;
  const Tensor dense(DType::f32, {3, 2}), wide(DType::f32, {3, 5}), rows(DType::s64, {3, 3}),
      few(DType::s64, {2, 3});
  const Tensor labels(DType::f32, {3}), halves(DType::f16, {3, 3}), many(DType::f32, {4});
  const Tensor offsets = tensor<std::int64_t>(DType::s64, {3, 4}, {0, 2, 1, 3, 0, 1, 2, 3, 0, 1, 2, 3});
  const Tensor late = tensor<std::int64_t>(DType::s64, {3, 4}, {1, 2, 3, 3, 0, 1, 2, 3, 0, 1, 2, 3});
  const Tensor three(DType::s64, {3});
  using Members = std::vector<NpzMember>;
  const std::vector<std::pair<Members, std::string>> cases{
      {{{"X_cat", rows.view()}}, "'X_int' is missing"},
      {{{"X_int", dense.view()}}, "'X_cat' is missing"},
      {{{"X_int", dense.view()}, {"offsets", offsets.view()}}, "'indices_0' is missing"},
      {npz_members(wide, rows, labels), "'X_int' has shape [3, 5], expected [samples, 2]"},
      {npz_members(dense, few, labels), "'X_cat' has shape [2, 3], expected [3, 3]"},
      {npz_members(dense, halves, labels), "'X_cat' is of f16, expected integers"},
      {npz_members(dense, rows, many), "'y' has shape [4], expected [3]"},
      {{{"X_int", dense.view()}, {"offsets", offsets.view()}, {"indices_0", three.view()}},
       "offsets of table 0 fall from 2 to 1 at sample 1"},
      {{{"X_int", dense.view()}, {"offsets", late.view()}, {"indices_0", three.view()}},
       "offsets of table 0 go from 1 to 3, but 'indices_0' has 3"},
  };
  for (const auto& [members, message] : cases) {
    write_npz(folder / "a.npz", members);
    EXPECT_THAT(refusal(folder / "a.npz"), ::testing::AllOf(HasSubstr("a.npz: "), HasSubstr(message)));
  }
}

TEST(TextClicks, ReadsCriteosLines) {
  const TemporaryFolder folder;
  write_file(folder / "day_0", "1\t5\t\tff\t\t00000010\r\n\n0\t-2\t1\t1\t2\t3\n");
  const auto reader = open_clicks(folder / "day_0", kShape);
  const Clicks clicks = reader->next(9);
  EXPECT_EQ(clicks.samples, 2);
  EXPECT_THAT(clicks.labels, ElementsAre(1, 0));
  EXPECT_THAT(clicks.dense, ElementsAre(FloatEq(std::log(6.0F)), 0, 0, FloatEq(std::log(2.0F))));
  EXPECT_THAT(clicks.indices, ElementsAre(5, 1, 0, 2, 16, 3));  // 0xff modulo 10 rows
  EXPECT_EQ(reader->next(9).samples, 0);
}

TEST(TextClicks, ReadsLinesWithoutALabelAndTablesWithNames) {
  const TemporaryFolder folder;
  write_file(folder / "test.txt", "5\t6\t1\t2\t3\n");
  EXPECT_THAT(open_clicks(folder / "test.txt", kShape)->next(9).labels, IsEmpty());
  write_file(folder / "a.csv", "Id,Label,I1,I2,C1,C2,C3\n17,1,0,0,a,b,c\n");
  const Clicks clicks = open_clicks(folder / "a.csv", kShape)->next(9);
  EXPECT_THAT(clicks.labels, ElementsAre(1));
  EXPECT_THAT(clicks.indices, ElementsAre(0, 11, 12));
  write_file(folder / "empty", "");
  EXPECT_EQ(open_clicks(folder / "empty", kShape)->next(9).samples, 0);
}

TEST(TextClicks, NamesTheLineThatIsWrong) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"1\t2\t3\n", "line 1: 3 fields, expected 6"},
      {"1\t2\t3\t1\t2\t3\n1\t2\t3\t1\t2\n", "line 2: 5 fields, expected 6"},
      {"2\t2\t3\t1\t2\t3\n", "line 1: '2' is no label"},
      {"1\t2x\t3\t1\t2\t3\n", "line 1: '2x' is no count"},
      {"1\t2\t3\t1\tnot\t3\n", "line 1: 'not' is no category in hex"},
      {"1\t2\t3\t1\t123456789\t3\n", "line 1: '123456789' is no category"},
      {"Id,Label,I1,I2,C1,C2\n", "names I1 … I2, C1 … C3"},
      {std::string(70000, 'a'), "line 1: longer than 65535 characters"},
      {"binary\x01 rubbish", "line 1: neither fields divided by tabs nor names"},
  };
  for (const auto& [text, message] : cases) {
    write_file(folder / "a", text);
    EXPECT_THAT(refusal(folder / "a"), HasSubstr(message));
  }
}

TEST(GeneratedClicks, AreTheSameForTheSameSeedInPiecesOfAnySize) {
  const auto one = open_clicks("zipf:100:1.05:3", kShape), two = open_clicks("zipf:100:1.05:3", kShape);
  const Clicks all = one->next(100);
  two->next(30);
  const Clicks rest = two->next(100);
  EXPECT_EQ(rest.samples, 70);
  EXPECT_EQ(rest.dense.back(), all.dense.back());
  EXPECT_EQ(rest.indices.back(), all.indices.back());
  EXPECT_EQ(rest.labels.back(), all.labels.back());
  EXPECT_NE(open_clicks("zipf:100:1.05:4", kShape)->next(100).indices, all.indices);
}

TEST(GeneratedClicks, StayInTheTablesAndHaveAFrequentRow) {
  const Clicks clicks = open_clicks("zipf:20000", kShape)->next(20000);
  for (std::size_t t = 0; t < 3; ++t) {
    std::vector<int> counts(static_cast<std::size_t>(kShape.rows[t]));
    for (std::size_t s = 0; s < 20000; ++s)
      ++counts.at(static_cast<std::size_t>(clicks.indices[t * 20000 + s]));
    std::sort(counts.begin(), counts.end(), std::greater<>());
    EXPECT_NEAR(counts[0] / std::max(1.0, static_cast<double>(counts[1])), std::pow(2.0, 1.05), 0.3);
  }
}

TEST(GeneratedClicks, HaveLabelsThatARuleExplains) {
  // A scorer that knows each row's share of clicks in the first half finds them again in the second.
  const ClickShape shape{1, {20, 20, 20, 20}};
  const auto reader = open_clicks("zipf:40000:0", shape);
  const Clicks seen = reader->next(20000), unseen = reader->next(20000);
  std::vector<double> clicked(80), shown(80);
  for (std::size_t t = 0; t < 4; ++t) {
    for (std::size_t s = 0; s < 20000; ++s) {
      const std::size_t row = t * 20 + static_cast<std::size_t>(seen.indices[t * 20000 + s]);
      clicked[row] += seen.labels[s];
      ++shown[row];
    }
  }
  std::vector<float> scores(20000);
  for (std::size_t t = 0; t < 4; ++t) {
    for (std::size_t s = 0; s < 20000; ++s) {
      const std::size_t row = t * 20 + static_cast<std::size_t>(unseen.indices[t * 20000 + s]);
      scores[s] += static_cast<float>(clicked[row] / shown[row]);
    }
  }
  EXPECT_GT(roc_auc(scores, unseen.labels), 0.6);
}

TEST(GeneratedClicks, RefuseARecipeThatMakesNoSense) {
  for (const char* recipe :
       {"zipf:", "zipf:x", "zipf:5:", "zipf:5:1:", "zipf:5:-1", "zipf:5:99", "zipf:-5", "zipf:5:nan"}) {
    EXPECT_THAT(refusal(recipe, ErrorCode::invalid_argument), HasSubstr("'zipf:")) << recipe;
  }
}

TEST(OpenClicks, RefusesWhatIsNotThereAndADivisorOfZero) {
  EXPECT_THAT(refusal("/none", ErrorCode::io), HasSubstr("'/none': no such file or folder"));
  EXPECT_THAT(error_of(ErrorCode::invalid_argument,
                       [] {
                         open_clicks("zipf:5", kShape, {IndexRule::Kind::divisor, 0});
                       }),
              HasSubstr("modulo 0"));
}

TEST(OpenClicks, ReadsTheTestData) {
  OCTAVO_NEED_TEST_DATA();
  const fs::path dlrm = test_data() / "dlrm";
  const ClickShape criteo{13, std::vector<std::int64_t>(26, 4000)};
  const Clicks test = open_clicks(dlrm / "small_dlrm_test.npz", criteo)->next(1 << 20);
  EXPECT_EQ(test.samples, 8192);
  EXPECT_NEAR(roc_auc(test.reference, test.labels), 0.7412, 0.00005);
  const Clicks bags = open_clicks(dlrm / "small_dlrm_bags.npz", criteo)->next(1 << 20);
  EXPECT_EQ(bags.offsets.size(), 26U * 513U);
  const Clicks day = open_clicks(dlrm / "criteo_day23_32k.npz", criteo)->next(1 << 20);
  EXPECT_NEAR(roc_auc(day.reference, day.labels), 0.8069, 0.00005);
  EXPECT_EQ(open_clicks(dlrm / "criteo_kaggle_2k.csv", criteo)->next(1 << 20).samples, 1999);
  EXPECT_EQ(open_clicks(dlrm, criteo)->next(1 << 20).samples, 2048);
}

}  // namespace
}  // namespace octavo
