#include "compiler/import/dlrm/synthetic.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/testing.h"
#include "compiler/import/dlrm/variants.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::testing::HasSubstr;

TEST(DlrmVariants, HaveTheirPublishedSizes) {
  EXPECT_EQ(print(find_dlrm_variant("40m").model()),
            "26 tables x 128, 187767399 rows; 13-512-256-128, dot, 479-1024-1024-512-256-1");
  EXPECT_EQ(print(find_dlrm_variant("10m").model()),
            "26 tables x 64, 49126297 rows; 13-512-256-64, dot, 415-512-512-256-1");
  EXPECT_EQ(print(find_dlrm_variant("kaggle").model()),
            "26 tables x 16, 33762577 rows; 13-512-256-64-16, dot, 367-512-256-1");
  for (const DlrmVariant& variant : dlrm_variants()) EXPECT_NO_THROW(check(variant.model())) << variant.name;
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [] { find_dlrm_variant("41m"); }), HasSubstr("'41m'"));
}

TEST(SyntheticDlrm, HasTheArchitectureWithItsRowsScaled) {
  const DlrmSource source = synthetic_dlrm(find_dlrm_variant("40m").model(), 0.001, 1);
  EXPECT_EQ(source.model.tables[0].rows, 39885);
  EXPECT_EQ(source.model.tables[5].rows, 1);
  EXPECT_EQ(source.bottom.size(), 3U);
  EXPECT_EQ(source.top[0].weights.shape(), (std::vector<std::int64_t>{1024, 479}));
}

TEST(SyntheticDlrm, GivesTheSameRowHoweverItIsAsked) {
  const DlrmModel model = find_dlrm_variant("kaggle").model();
  DlrmSource one = synthetic_dlrm(model, 1, 5), two = synthetic_dlrm(model, 1, 5),
             other = synthetic_dlrm(model, 1, 6);
  std::vector<float> all(16 * 100), last(16), different(16);
  one.tables[2]->read(10131127, all);
  two.tables[2]->read(10131226, last);
  other.tables[2]->read(10131226, different);
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.end() - 16));
  EXPECT_NE(last, different);
  one.tables[3]->read(99, different);
  EXPECT_NE(last, different);
}

TEST(SyntheticDlrm, HasElementsOfTheStatedSpread) {
  DlrmSource source = synthetic_dlrm(find_dlrm_variant("40m").model(), 0.01, 1);
  std::vector<float> rows(128 * 4000);
  source.tables[0]->read(0, rows);
  double sum = 0.0, squares = 0.0;
  for (float v : rows) {
    sum += v;
    squares += static_cast<double>(v) * v;
  }
  const double count = static_cast<double>(rows.size());
  EXPECT_NEAR(sum / count, 0.0, 0.001);
  // The mean of 4^(u-1) over u in [0, 2) is (4 - 1/4) / ln 16.
  EXPECT_NEAR(std::sqrt(squares / count), 0.1 * std::sqrt(3.75 / std::log(16.0)), 0.003);
}

TEST(SyntheticDlrm, RefusesAScaleThatMakesNoSense) {
  const DlrmModel model = find_dlrm_variant("40m").model();
  for (const double scale : {0.0, -1.0, std::numeric_limits<double>::infinity(), 1e9}) {
    EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { synthetic_dlrm(model, scale, 1); }),
                HasSubstr("rows scale"));
  }
}

}  // namespace
}  // namespace octavo
