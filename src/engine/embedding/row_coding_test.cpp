#include "engine/embedding/row_coding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "base/testing.h"
#include "engine/embedding/least_squares_bins.h"

namespace octavo {
namespace {

constexpr RowFormat kAllFormats[] = {RowFormat::f32,    RowFormat::f16,    RowFormat::s8_table,
                                     RowFormat::s8_row, RowFormat::s4_row, RowFormat::s4_codebook};

std::vector<float> normal_values(std::size_t count, float deviation) {
  std::mt19937 random(7);
  std::normal_distribution<float> distribution(0.0F, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(random);
  return values;
}

RowCoding fitted(RowFormat format, std::int64_t dim, std::span<const float> values) {
  RowCodingFit fit(format, dim);
  fit.add(values);
  return fit.coding();
}

std::vector<float> there_and_back(const RowCoding& coding, std::span<const float> values) {
  const std::size_t rows = values.size() / static_cast<std::size_t>(coding.dim);
  std::vector<std::byte> bytes(rows * static_cast<std::size_t>(row_bytes(coding.format, coding.dim)));
  encode_rows(coding, values, bytes);
  std::vector<float> back(values.size());
  decode_rows(coding, bytes, back);
  return back;
}

double relative_error(std::span<const float> values, std::span<const float> back) {
  double error = 0, power = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    error += std::pow(double{values[i]} - double{back[i]}, 2);
    power += std::pow(double{values[i]}, 2);
  }
  return std::sqrt(error / power);
}

TEST(RowCoding, EachFormatComesBackAsNearAsItsBitsAllow) {
  for (std::int64_t dim : {1, 5, 32, 128}) {
    const std::vector<float> values = normal_values(static_cast<std::size_t>(200 * dim), 0.1F);
    const auto error = [&](RowFormat format) {
      return relative_error(values, there_and_back(fitted(format, dim, values), values));
    };
    EXPECT_EQ(error(RowFormat::f32), 0.0);
    EXPECT_LT(error(RowFormat::f16), 3e-4) << dim;
    EXPECT_LT(error(RowFormat::s8_table), 0.015) << dim;
    EXPECT_LT(error(RowFormat::s8_row), 0.008) << dim;
    EXPECT_LT(error(RowFormat::s4_row), 0.105) << dim;
    EXPECT_LT(error(RowFormat::s4_codebook), 0.11) << dim;
  }
}

TEST(RowCoding, TwoNibblesShareAByteLowHalfFirst) {
  RowCoding coding{RowFormat::s4_codebook, 3, 1.0F, {}};
  for (int i = 0; i < 16; ++i)
    coding.codebook[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(10 * i - 70);
  std::vector<std::byte> row(2);
  encode_rows(coding, std::vector<float>{-70.0F, 80.0F, 31.0F}, row);
  EXPECT_EQ(row[0], std::byte{0xA0});  // elements 0 and 2: entries 0 (-70) and 10 (30)
  EXPECT_EQ(row[1], std::byte{0x0F});  // element 1: entry 15 (80), none above it
}

TEST(RowCoding, ValuesOnTheGridComeBackUnchanged) {
  const std::vector<float> values{-127 * 0.25F, 0.0F, 5 * 0.25F, 127 * 0.25F};
  for (RowFormat format : {RowFormat::s8_table, RowFormat::s8_row})
    EXPECT_EQ(there_and_back(fitted(format, 4, values), values), values) << row_format_name(format);
  const std::vector<float> few{-1.0F, 0.6F, 2.0F, 0.2F};  // steps of 0.2, which no half float is
  EXPECT_LT(relative_error(few, there_and_back(fitted(RowFormat::s4_row, 4, few), few)), 2e-3);
}

TEST(RowCoding, KeepsRowsOfZerosAndOfOneValue) {
  for (RowFormat format : kAllFormats) {
    for (float value : {0.0F, 0.375F}) {
      const std::vector<float> values(12, value);
      for (float back : there_and_back(fitted(format, 6, values), values))
        EXPECT_NEAR(back, value, 1e-4F) << row_format_name(format);
    }
  }
}

TEST(RowCoding, RefusesWhatAFormatCannotHoldAndNamesTheRow) {
  const float infinite = std::numeric_limits<float>::infinity();
  const auto message = [](RowFormat format, float value) {
    const std::vector<float> values{0.0F, 0.0F, value, 0.0F};
    std::vector<std::byte> rows(static_cast<std::size_t>(2 * row_bytes(format, 2)));
    return testing::error_of(ErrorCode::invalid_model, [&] {
      encode_rows(RowCoding{format, 2, 1.0F, {}}, values, rows, 40);
    });
  };
  for (RowFormat format : kAllFormats)
    EXPECT_EQ(message(format, infinite),
              "row 41 holds inf, which " + std::string(row_format_name(format)) + " cannot hold");
  EXPECT_EQ(message(RowFormat::f16, 70000.0F), "row 41 holds 70000, which f16 cannot hold");
  EXPECT_EQ(message(RowFormat::f32, 70000.0F), "no error");
  EXPECT_EQ(testing::error_of(ErrorCode::invalid_model,
                              [&] {
                                RowCodingFit fit(RowFormat::s8_table, 1);
                                fit.add(std::vector<float>{std::nanf("")});
                              }),
            "a value is nan");
}

TEST(RowCodingFit, DoesNotDependOnTheOrderOfRows) {
  std::vector<float> values = normal_values(4000, 1.0F);
  values[10] = 1e-9F, values[2000] = -300.0F;
  for (RowFormat format : {RowFormat::s8_table, RowFormat::s4_codebook}) {
    RowCodingFit forwards(format, 8), backwards(format, 8);
    for (std::size_t i = 0; i < values.size(); i += 8) {
      forwards.add(std::span(values).subspan(i, 8));
      backwards.add(std::span(values).subspan(values.size() - 8 - i, 8));
    }
    EXPECT_EQ(forwards.coding().scale, backwards.coding().scale);
    EXPECT_EQ(forwards.coding().codebook, backwards.coding().codebook);
  }
}

TEST(LeastSquaresBins, FindsTheBestDivision) {
  // Three groups with a mean each.
  EXPECT_EQ(least_squares_bins(std::vector<std::int64_t>{4, 0, 0, 1, 2, 1, 0, 0, 0, 9}, 3),
            (std::vector<double>{0.5, 4.5, 9.5}));
  // Fewer filled bins than values: the last is repeated.
  EXPECT_EQ(least_squares_bins(std::vector<std::int64_t>{0, 3, 0, 1}, 4),
            (std::vector<double>{1.5, 3.5, 3.5, 3.5}));
  EXPECT_EQ(least_squares_bins(std::vector<std::int64_t>{0, 0}, 2), (std::vector<double>{0.0, 0.0}));
}

TEST(LeastSquaresBins, IsNoWorseThanAnyOtherDivisionOfRandomBins) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::int64_t> bins(12);
    for (std::int64_t& bin : bins) bin = static_cast<std::int64_t>(random() % 5);
    const auto error = [&](std::span<const double> values) {
      double sum = 0;
      for (std::size_t i = 0; i < bins.size(); ++i) {
        double least = 1e9;
        for (double value : values)
          least = std::min(least, std::pow(static_cast<double>(i) + 0.5 - value, 2));
        sum += static_cast<double>(bins[i]) * least;
      }
      return sum;
    };
    const double found = error(least_squares_bins(bins, 3));
    // Every division into three intervals, each standing for its mean.
    for (std::size_t a = 1; a < 11; ++a) {
      for (std::size_t b = a + 1; b < 12; ++b) {
        std::vector<double> means;
        for (auto [begin, end] :
             {std::pair{std::size_t{0}, a}, std::pair{a, b}, std::pair{b, std::size_t{12}}}) {
          double weight = 0, sum = 0;
          for (std::size_t i = begin; i < end; ++i) {
            weight += static_cast<double>(bins[i]);
            sum += static_cast<double>(bins[i]) * (static_cast<double>(i) + 0.5);
          }
          means.push_back(weight > 0 ? sum / weight : 0.0);
        }
        EXPECT_LE(found, error(means) + 1e-9);
      }
    }
  }
}

}  // namespace
}  // namespace octavo
