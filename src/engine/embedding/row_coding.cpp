#include "engine/embedding/row_coding.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "base/fail.h"
#include "base/half.h"
#include "engine/embedding/least_squares_bins.h"

namespace octavo {
namespace {

constexpr float kLargestByte = 127.0F;

float largest_magnitude(std::span<const float> values) noexcept {
  float largest = 0.0F;
  for (float value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

std::int8_t byte_of(float value, float inverse_scale) noexcept {
  return static_cast<std::int8_t>(
      std::clamp(std::nearbyint(value * inverse_scale), -kLargestByte, kLargestByte));
}

void put_half(std::byte* to, std::uint16_t bits) noexcept { std::memcpy(to, &bits, sizeof bits); }

float get_half(const std::byte* from) noexcept {
  std::uint16_t bits = 0;
  std::memcpy(&bits, from, sizeof bits);
  return half_value(bits);
}

float get_float(const std::byte* from) noexcept {
  float value = 0.0F;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Places q(i) for each element of the row, two a byte.
template <class Quantize>
void put_nibbles(std::int64_t dim, std::byte* row, const Quantize& q) {
  const std::int64_t half = (dim + 1) / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const std::uint32_t low = q(i), high = i + half < dim ? q(i + half) : 0U;
    row[i] = static_cast<std::byte>(low | high << 4U);
  }
}

std::uint32_t nibble(const std::byte* row, std::int64_t dim, std::int64_t i) noexcept {
  const std::int64_t half = (dim + 1) / 2;
  return i < half ? static_cast<std::uint32_t>(row[i]) & 15U
                  : static_cast<std::uint32_t>(row[i - half]) >> 4U;
}

void encode_s4_row(std::span<const float> values, std::byte* row) {
  const auto dim = static_cast<std::int64_t>(values.size());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const std::uint16_t bias_bits = half_bits(*low), scale_bits = half_bits((*high - *low) / 15.0F);
  const float bias = half_value(bias_bits), scale = half_value(scale_bits);
  put_nibbles(dim, row, [&](std::int64_t i) -> std::uint32_t {
    if (scale == 0.0F) return 0;
    const float q = std::nearbyint((values[static_cast<std::size_t>(i)] - bias) / scale);
    return static_cast<std::uint32_t>(std::clamp(q, 0.0F, 15.0F));
  });
  std::byte* const tail = row + (dim + 1) / 2;
  put_half(tail, scale_bits);
  put_half(tail + 2, bias_bits);
}

/// For each codebook entry but the last, the value from which on the next one is nearer.
std::array<float, kCodebookEntries - 1> borders_of(const RowCoding& coding) {
  std::array<float, kCodebookEntries - 1> borders{};
  for (std::size_t i = 0; i + 1 < coding.codebook.size(); ++i) {
    OCTAVO_ASSERT(coding.codebook[i] <= coding.codebook[i + 1]);
    borders[i] = coding.scale * 0.5F * static_cast<float>(coding.codebook[i] + coding.codebook[i + 1]);
  }
  return borders;
}

/// How many borders lie below each value. Borders outside, values inside: so it is vector code.
using Counts = std::array<std::uint32_t, 64>;
Counts borders_below(std::span<const float> values, const std::array<float, kCodebookEntries - 1>& borders) {
  Counts counts{};
  for (float border : borders) {
    for (std::size_t i = 0; i < values.size(); ++i) counts[i] += values[i] > border ? 1U : 0U;
  }
  return counts;
}

void encode_s4_codebook(std::span<const float> values, const std::array<float, kCodebookEntries - 1>& borders,
                        std::byte* row) {
  const std::span<const float> first = values.first((values.size() + 1) / 2);
  const std::span<const float> second = values.subspan(first.size());
  constexpr std::size_t kBlock = std::tuple_size_v<Counts>;
  for (std::size_t begin = 0; begin < first.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, first.size() - begin);
    const std::size_t second_begin = std::min(begin, second.size());  // an odd row's second half is shorter
    const std::size_t second_count = std::min(count, second.size() - second_begin);
    const Counts low = borders_below(first.subspan(begin, count), borders);
    const Counts high = borders_below(second.subspan(second_begin, second_count), borders);
    for (std::size_t i = 0; i < count; ++i) row[begin + i] = static_cast<std::byte>(low[i] | high[i] << 4U);
  }
}

void check_holds(const RowCoding& coding, std::span<const float> values, std::int64_t row) {
  const bool is_half = coding.format == RowFormat::f16 || coding.format == RowFormat::s4_row;
  const float largest = is_half ? 65504.0F : std::numeric_limits<float>::max();
  for (float value : values) {
    if (!(std::fabs(value) <= largest)) {
      fail(ErrorCode::invalid_model, "row {} holds {}, which {} cannot hold", row, value,
           row_format_name(coding.format));
    }
  }
}

void encode_row(const RowCoding& coding, const std::array<float, kCodebookEntries - 1>& borders,
                std::span<const float> values, std::byte* row) {
  switch (coding.format) {
    case RowFormat::f32:
      std::memcpy(row, values.data(), values.size_bytes());
      break;
    case RowFormat::f16:
      for (std::size_t i = 0; i < values.size(); ++i) put_half(row + 2 * i, half_bits(values[i]));
      break;
    case RowFormat::s8_table: {
      const float inverse = 1.0F / coding.scale;
      for (std::size_t i = 0; i < values.size(); ++i)
        row[i] = static_cast<std::byte>(byte_of(values[i], inverse));
      break;
    }
    case RowFormat::s8_row: {
      const float scale = largest_magnitude(values) / kLargestByte;
      const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
      for (std::size_t i = 0; i < values.size(); ++i)
        row[i] = static_cast<std::byte>(byte_of(values[i], inverse));
      std::memcpy(row + values.size(), &scale, sizeof scale);
      break;
    }
    case RowFormat::s4_row:
      encode_s4_row(values, row);
      break;
    case RowFormat::s4_codebook:
      encode_s4_codebook(values, borders, row);
      break;
  }
}

}  // namespace

void encode_rows(const RowCoding& coding, std::span<const float> values, std::span<std::byte> rows,
                 std::int64_t first_row) {
  const auto dim = static_cast<std::size_t>(coding.dim);
  const auto bytes = static_cast<std::size_t>(row_bytes(coding.format, coding.dim));
  OCTAVO_ASSERT(dim > 0 && values.size() % dim == 0 && rows.size() == values.size() / dim * bytes);
  const auto borders = coding.format == RowFormat::s4_codebook ? borders_of(coding)
                                                               : std::array<float, kCodebookEntries - 1>{};
  for (std::size_t i = 0; i < values.size() / dim; ++i) {
    const std::span<const float> row = values.subspan(i * dim, dim);
    check_holds(coding, row, first_row + static_cast<std::int64_t>(i));
    encode_row(coding, borders, row, rows.data() + i * bytes);
  }
}

void decode_elements(const RowCoding& coding, const std::byte* row, std::int64_t first,
                     std::span<float> values) noexcept {
  const std::int64_t dim = coding.dim;
  const std::byte* const tail = row + (coding.format == RowFormat::s8_row ? dim : (dim + 1) / 2);
  std::int64_t i = first;
  for (float& value : values) {
    switch (coding.format) {
      case RowFormat::f32:
        value = get_float(row + 4 * i);
        break;
      case RowFormat::f16:
        value = get_half(row + 2 * i);
        break;
      case RowFormat::s8_table:
        value = coding.scale * static_cast<float>(static_cast<std::int8_t>(row[i]));
        break;
      case RowFormat::s8_row:
        value = get_float(tail) * static_cast<float>(static_cast<std::int8_t>(row[i]));
        break;
      case RowFormat::s4_row:
        value = std::fma(get_half(tail), static_cast<float>(nibble(row, dim, i)), get_half(tail + 2));
        break;
      case RowFormat::s4_codebook:
        value = coding.scale * static_cast<float>(coding.codebook[nibble(row, dim, i)]);
        break;
    }
    ++i;
  }
}

void decode_rows(const RowCoding& coding, std::span<const std::byte> rows, std::span<float> values) noexcept {
  const auto dim = static_cast<std::size_t>(coding.dim);
  const auto bytes = static_cast<std::size_t>(row_bytes(coding.format, coding.dim));
  for (std::size_t i = 0; i < values.size() / dim; ++i)
    decode_elements(coding, rows.data() + i * bytes, 0, values.subspan(i * dim, dim));
}

void RowCodingFit::add(std::span<const float> values) {
  if (has_table_scale(format_)) values_.add(values);
}

RowCoding RowCodingFit::coding() const {
  RowCoding coding{format_, dim_, 1.0F, {}};
  if (values_.largest() == 0.0F) return coding;
  if (format_ == RowFormat::s8_table) coding.scale = values_.largest() / kLargestByte;
  if (format_ != RowFormat::s4_codebook) return coding;
  std::vector<double> centers = least_squares_bins(values_.bins(), kCodebookEntries);
  for (double& center : centers) center = values_.value_at(center);
  const double largest = std::max(std::fabs(centers.front()), std::fabs(centers.back()));
  if (largest == 0.0) return coding;
  coding.scale = static_cast<float>(largest / kLargestByte);
  for (std::size_t i = 0; i < centers.size(); ++i)
    coding.codebook[i] = byte_of(static_cast<float>(centers[i]), 1.0F / coding.scale);
  return coding;
}

}  // namespace octavo
