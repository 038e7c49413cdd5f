#include "data/clicks/metrics.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <limits>

#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::testing::HasSubstr;

TEST(RocAuc, CountsThePairsInTheRightOrder) {
  const std::array<float, 5> scores{0.1F, 0.4F, 0.35F, 0.8F, 0.5F};
  const std::array<float, 5> labels{0, 0, 1, 1, 0};
  EXPECT_DOUBLE_EQ(roc_auc(scores, labels), 4.0 / 6.0);  // 0.35 beats 0.1, 0.8 beats all three
}

TEST(RocAuc, CountsEqualScoresHalf) {
  const std::array<float, 4> scores{0.5F, 0.5F, 0.5F, 0.2F};
  const std::array<float, 4> labels{1, 0, 1, 0};
  EXPECT_DOUBLE_EQ(roc_auc(scores, labels), (0.5 + 1 + 0.5 + 1) / 4);
}

TEST(RocAuc, IsNoNumberWithOneKindOfLabel) {
  const std::array<float, 2> scores{0.5F, 0.1F};
  EXPECT_TRUE(std::isnan(roc_auc(scores, std::array<float, 2>{1, 1})));
  EXPECT_TRUE(std::isnan(roc_auc({}, {})));
}

TEST(RocAuc, RefusesAScoreThatIsNoNumber) {
  const std::array<float, 2> scores{0.5F, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THAT(error_of(ErrorCode::invalid_argument,
                       [&] {
                         roc_auc(scores, std::array<float, 2>{1, 0});
                       }),
              HasSubstr("score 1 is NaN"));
}

TEST(LogLoss, IsTheMeanOfTheLogarithms) {
  const std::array<float, 2> scores{0.25F, 0.5F};
  EXPECT_DOUBLE_EQ(log_loss(scores, std::array<float, 2>{1, 0}), (std::log(4.0) + std::log(2.0)) / 2);
}

TEST(LogLoss, StaysFiniteForCertainMistakes) {
  const std::array<float, 2> scores{0.0F, 1.0F};
  EXPECT_NEAR(log_loss(scores, std::array<float, 2>{1, 0}), 24 * std::log(2.0), 1e-9);
}

}  // namespace
}  // namespace octavo
