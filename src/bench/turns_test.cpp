#include "bench/turns.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace octavo::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Point point(int threads, double items_per_second, double peak = 0) {
  Point p;
  p.split = {1, threads};
  p.arithmetic.peak_ops_per_second = peak;
  p.measured.windows = {{10, items_per_second}};
  return p;
}

TEST(Turns, CompareRatesOfTheSameTurn) {
  // The machine is half as fast in the second turn, and twice in the third.
  const std::vector<Point> points{point(1, 100), point(2, 170), point(1, 50),
                                  point(2, 95),  point(1, 200), point(2, 360)};
  const auto settings = over_turns(points, 2);
  ASSERT_THAT(settings, SizeIs(2));
  EXPECT_EQ(settings[0].items_per_second, 100);
  EXPECT_EQ(settings[0].to_first.median, 1);
  EXPECT_EQ(settings[1].split.threads, 2);
  EXPECT_EQ(settings[1].items_per_second, 170);
  EXPECT_EQ(settings[1].to_first.median, 1.8);
  EXPECT_EQ(settings[1].to_first.least, 1.7);
  EXPECT_EQ(settings[1].to_first.most, 1.9);
  EXPECT_THAT(over_turns_table(settings), HasSubstr("1.80 (1.70 - 1.90)           unknown"));
  EXPECT_EQ(json_of(settings[1]).at("to_first").at("median"), 1.8);
}

TEST(Turns, ShowWhatTheMachineGaveInThem) {
  const std::vector<Point> points{point(1, 100, 4), point(2, 170, 8), point(1, 100, 4),
                                  point(2, 90, 4),  point(1, 100, 5), point(2, 190, 9)};
  const auto settings = over_turns(points, 2);
  EXPECT_EQ(settings[1].peak_to_first.median, 1.8);
  EXPECT_EQ(settings[1].peak_to_first.least, 1);
  EXPECT_EQ(settings[1].peak_to_first.most, 2);
  EXPECT_THAT(over_turns_table(settings), HasSubstr("1.70 (0.90 - 1.90)           1.80 (1.00 - 2.00)"));
  EXPECT_EQ(json_of(settings[1]).at("peak_to_first").at("least"), 1);
}

TEST(Turns, LeaveOutATurnThatWasCut) {
  const std::vector<Point> points{point(1, 100), point(2, 170), point(1, 1)};
  EXPECT_EQ(over_turns(points, 2)[0].items_per_second, 100);
  EXPECT_THAT(over_turns({point(1, 100)}, 2), IsEmpty());
  EXPECT_THAT(over_turns({}, 0), IsEmpty());
}

TEST(Ratios, AreOfTheTurnsThatBothHave) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3, 1, 2, 10}), 2.5);
  EXPECT_EQ(ratio_by_turn({2, 9, 100}, {1, 3}).median, 2.5);
  EXPECT_EQ(ratio_by_turn({}, {1}).most, 0);
}

}  // namespace
}  // namespace octavo::bench
