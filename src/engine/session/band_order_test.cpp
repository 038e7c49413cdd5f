#include "engine/session/band_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace octavo {
namespace {

using Steps = std::vector<std::vector<BandBytes>>;

/// Where each band stands in the order.
std::map<std::pair<std::size_t, int>, std::size_t> places(const std::vector<BandStep>& order) {
  std::map<std::pair<std::size_t, int>, std::size_t> at;
  for (std::size_t i = 0; i < order.size(); ++i) at[{order[i].step, order[i].band}] = i;
  return at;
}

/// Steps one after the other: tensor t is `rows` bytes at 1000 t, and windows reach `halo` rows further.
Steps chain(std::size_t steps, int bands, std::int64_t rows, std::int64_t halo) {
  Steps all(steps);
  for (std::size_t s = 0; s < steps; ++s) {
    const auto from = static_cast<std::int64_t>(1000 * s);
    for (int b = 0; b < bands; ++b) {
      const std::int64_t begin = rows * b / bands, end = rows * (b + 1) / bands;
      const ByteRange read{from + std::max<std::int64_t>(begin - halo, 0), from + std::min(end + halo, rows)};
      all[s].push_back({{from + 1000 + begin, from + 1000 + end}, {read}});
    }
  }
  return all;
}

TEST(BandOrder, GoesDownTheImageThroughAllSteps) {
  const std::vector<BandStep> order = band_order(chain(3, 4, 40, 0), 5);
  ASSERT_EQ(order.size(), 12U);
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(order[i].step, 5 + i % 3);
    EXPECT_EQ(order[i].band, static_cast<int>(i / 3));
    EXPECT_EQ(order[i].bands, 4);
  }
}

TEST(BandOrder, DoesTheNextBandFirstWhereWindowsReachIntoIt) {
  const auto at = places(band_order(chain(2, 4, 40, 1), 0));
  for (int band = 0; band < 3; ++band) {
    EXPECT_LT((at.at({0, band + 1})), (at.at({1, band})));
    if (band > 0) {
      EXPECT_LT((at.at({1, band - 1})), (at.at({0, band + 1}))) << "no sooner than needed";
    }
  }
}

/// Whatever the bands touch, those that touch the same bytes stay in the steps' order.
TEST(BandOrder, KeepsTheOrderOfWhatDepends) {
  std::mt19937 random(1);
  const auto range = [&] {
    const auto begin = static_cast<std::int64_t>(random() % 60);
    return ByteRange{begin, begin + static_cast<std::int64_t>(random() % 12)};
  };
  const auto overlap = [](const ByteRange& a, const ByteRange& b) {
    return a.begin < a.end && b.begin < b.end && a.begin < b.end && b.begin < a.end;
  };
  for (int turn = 0; turn < 200; ++turn) {
    Steps steps(2 + random() % 5);
    for (auto& bands : steps) {
      bands.resize(1 + random() % 6);
      for (BandBytes& band : bands) band = {range(), {range(), range()}};
    }
    const std::vector<BandStep> order = band_order(steps, 0);
    std::size_t count = 0;
    for (const auto& bands : steps) count += bands.size();
    ASSERT_EQ(order.size(), count);
    ASSERT_EQ(places(order).size(), count) << "each once";
    for (std::size_t later = 0; later < order.size(); ++later) {
      const BandBytes& b = steps[order[later].step][static_cast<std::size_t>(order[later].band)];
      for (std::size_t sooner = 0; sooner < later; ++sooner) {
        if (order[sooner].step <= order[later].step) continue;
        const BandBytes& a = steps[order[sooner].step][static_cast<std::size_t>(order[sooner].band)];
        bool depends = overlap(a.written, b.written);
        for (int i = 0; i < 2; ++i) {
          const auto k = static_cast<std::size_t>(i);
          depends = depends || overlap(a.written, b.read[k]) || overlap(b.written, a.read[k]);
        }
        ASSERT_FALSE(depends) << "turn " << turn << ": step " << order[sooner].step << " before step "
                              << order[later].step;
      }
    }
  }
}

}  // namespace
}  // namespace octavo
