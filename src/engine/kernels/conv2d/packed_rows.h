#pragma once
#include <emmintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "engine/kernels/conv2d/direct.h"

namespace octavo {

/// Weights of the output channels of a panel on their way into it: a row for each channel, in the order of
/// the bytes that its window has in memory, one s8 part after the other.
class PackedRows {
 public:
  /// `taps`: for each pixel of a window, [kh, kw], the byte of a row where its first input channel stands;
  /// the other `ic` follow, up to the last one where `ends` (empty, or [kh, kw]) has another byte for it, 0
  /// or more. Elements are s8, or s16 in one part.
  PackedRows(std::int64_t rows, std::vector<std::int64_t> taps, std::int64_t ic, std::int64_t part_bytes,
             std::int64_t parts, std::int64_t element_bytes = 1, std::vector<std::int64_t> ends = {})
      : taps_(std::move(taps)),
        ends_(std::move(ends)),
        ic_(ic),
        part_bytes_(part_bytes),
        parts_(parts),
        element_bytes_(element_bytes),
        bytes_(static_cast<std::size_t>(rows * parts * part_bytes)) {}

  /// Takes a channel's window, [ic, kh, kw], as row `row`; its taps begin `shift` bytes further on.
  void set(std::int64_t row, std::span<const std::int16_t> window, std::int64_t shift = 0) noexcept {
    std::uint8_t* const to = bytes_.data() + row * parts_ * part_bytes_ + shift;
    if (element_bytes_ == 2) return spread(window, to, [](std::int16_t difference) { return difference; });
    if (parts_ == 1) {
      return spread(window, to, [](std::int16_t difference) { return static_cast<std::int8_t>(difference); });
    }
    for (std::int64_t part = 0; part < parts_; ++part) {
      spread(window, to + part * part_bytes_,
             [part](std::int16_t difference) { return static_cast<std::int8_t>(s8_part(difference, part)); });
    }
  }

  /// Puts the dwords at byte `at` of the first `count` rows one behind the other to line(at), for every
  /// dword, and begins anew with zeros.
  template <class Line>
  void move_to(std::int64_t count, Line line) noexcept {
    const std::int64_t row_bytes = parts_ * part_bytes_;
    std::int64_t at = 0;
    for (; at + 16 <= row_bytes && count % 4 == 0; at += 16) {
      std::byte* const to[] = {line(at), line(at + 4), line(at + 8), line(at + 12)};
      const std::uint8_t* from = bytes_.data() + at;
      for (std::int64_t row = 0; row < count; row += 4) transpose(from + row * row_bytes, row_bytes, to, row);
    }
    for (; at < row_bytes; at += 4) {
      std::byte* const to = line(at);
      const std::uint8_t* from = bytes_.data() + at;
      for (std::int64_t row = 0; row < count; ++row) std::memcpy(to + 4 * row, from + row * row_bytes, 4);
    }
    std::fill(bytes_.begin(), bytes_.end(), std::uint8_t{0});
  }

 private:
  /// 4 dwords of 4 rows, `row_bytes` apart, to places `place` and following of 4 lines.
  static void transpose(const std::uint8_t* from, std::int64_t row_bytes, std::byte* const* lines,
                        std::int64_t place) noexcept {
    const auto row = [&](std::int64_t i) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * row_bytes));
    };
    const auto store = [&](int i, __m128i dwords) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(lines[i] + 4 * place), dwords);
    };
    const __m128i low01 = _mm_unpacklo_epi32(row(0), row(1)), low23 = _mm_unpacklo_epi32(row(2), row(3));
    const __m128i high01 = _mm_unpackhi_epi32(row(0), row(1)), high23 = _mm_unpackhi_epi32(row(2), row(3));
    store(0, _mm_unpacklo_epi64(low01, low23));
    store(1, _mm_unpackhi_epi64(low01, low23));
    store(2, _mm_unpacklo_epi64(high01, high23));
    store(3, _mm_unpackhi_epi64(high01, high23));
  }

  template <class Element>
  void spread(std::span<const std::int16_t> window, std::uint8_t* to, Element element_of) const noexcept {
    using Stored = decltype(element_of(0));
    const std::size_t taps = taps_.size();
    for (std::size_t t = 0; t < taps; ++t) {
      auto* const channels = reinterpret_cast<Stored*>(to + taps_[t]);
      const std::int16_t* from = window.data() + t;
      if (taps == 1) {
        for (std::int64_t ic = 0; ic < ic_; ++ic) channels[ic] = element_of(from[ic]);
      } else {
        const bool has_end = !ends_.empty() && ends_[t] >= 0;
        const std::int64_t count = has_end ? ic_ - 1 : ic_;
        for (std::int64_t ic = 0; ic < count; ++ic, from += taps) channels[ic] = element_of(*from);
        if (has_end) *reinterpret_cast<Stored*>(to + ends_[t]) = element_of(*from);
      }
    }
  }

  std::vector<std::int64_t> taps_, ends_;
  std::int64_t ic_, part_bytes_, parts_, element_bytes_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace octavo
