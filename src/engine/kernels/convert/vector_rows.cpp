#include "base/fail.h"
#include "engine/kernels/convert/quantize_u8.h"
#include "engine/kernels/convert/rows.h"
#include "engine/kernels/element_types.h"
#include "engine/kernels/fill_border.h"

namespace octavo {
namespace {

/// Calls take(numbers, begin, end) for the parts of a range of elements [n, c, s] that one channel's numbers
/// serve; one entry serves all.
template <class Numbers, class Take>
void for_each_channel(const std::vector<Numbers>& numbers, std::int64_t s, Share::Range range,
                      const Take& take) {
  if (numbers.size() == 1) return take(numbers.front(), range.begin, range.end);
  const auto channels = std::ssize(numbers);
  for (std::int64_t at = range.begin; at < range.end;) {
    const std::int64_t plane = at / s, end = std::min(range.end, (plane + 1) * s);
    take(numbers[static_cast<std::size_t>(plane % channels)], at, end);
    at = end;
  }
}

/// Where a layout has the pixels of a row: neighbours together, 4 bytes each, two by two from column `first`
/// on, which is 0 or 1, and `step` bytes from each two to the next two.
struct PlacesOfPairs {
  std::int64_t first, step;
};

/// None for other layouts, and for short rows.
std::optional<PlacesOfPairs> places_of_pairs(const PixelLayout& layout) noexcept {
  const std::vector<std::int64_t>& column = layout.column;
  if (column.size() < 4) return std::nullopt;
  const std::size_t first = column[1] - column[0] == 4 ? 0 : 1;
  const std::int64_t step = column[first + 2] - column[first];
  if (step != 8 && step != 16) return std::nullopt;
  for (std::size_t x = first; x < column.size(); ++x) {
    const auto place = static_cast<std::int64_t>(x - first);
    if (column[x] - column[first] != place / 2 * step + place % 2 * 4) return std::nullopt;
  }
  return PlacesOfPairs{static_cast<std::int64_t>(first), step};
}

class VectorQuantize final : public Prepared {
 public:
  VectorQuantize(const ConvertProblem& problem, const Operands& operands, QuantizeRun flat,
                 QuantizePixels pixels, QuantizePairs pairs)
      : p_(problem), run_(flat), pixels_(pixels), pairs_(pairs) {
    const bool ort = problem.arithmetic == Arithmetic::ort;
    for (const Affine& to : affines_of(problem, operands.output)) {
      numbers_.push_back({ort ? to.scale : to.inverse, ort ? 1 : 0,
                          static_cast<float>(to.range.lowest - to.zero_point),
                          static_cast<float>(to.range.highest - to.zero_point), to.zero_point});
    }
    if (!is_flat() && numbers_.size() > 1)
      fail(ErrorCode::unsupported, "a quantization per channel into another layout");
  }

  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    if (p_.n != 1) return std::nullopt;
    const auto range = share.of(is_flat() ? p_.c * p_.s : p_.s);
    if (is_flat()) return Reach{{range.begin, range.end}, {{4 * range.begin, 4 * range.end}}};
    return Reach{{p_.c * range.begin, p_.c * range.end}, {{0, 4 * p_.c * p_.s}}};  // of all planes
  }

  [[nodiscard]] bool can_write(const PixelLayout& layout) const noexcept override {
    return pairs_ != nullptr && !is_flat() && p_.y == DType::u8 && layout.channels == 3 &&
           layout.images == p_.n && std::ssize(layout.row) * std::ssize(layout.column) == p_.s &&
           places_of_pairs(layout).has_value();
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const float*>(args.inputs[0]);
    auto* y = reinterpret_cast<std::uint8_t*>(args.output);
    if (args.output_layout != nullptr) return run_rows(args, share);
    if (is_flat()) {
      return for_each_channel(numbers_, p_.s, share.of(p_.n * args.batch * p_.c * p_.s),
                              [&](const QuantizeU8& numbers, std::int64_t begin, std::int64_t end) {
                                run_(numbers, x + begin, y + begin, end - begin);
                              });
    }
    const auto range = share.of(p_.n * args.batch * p_.s);
    for (std::int64_t at = range.begin; at < range.end;) {
      const std::int64_t image = at / p_.s, s = at % p_.s;
      const std::int64_t count = std::min(p_.s - s, range.end - at);
      pixels_(numbers_.front(), x + image * 3 * p_.s + s, p_.s, y + 3 * at, count);
      at += count;
    }
  }

 private:
  /// Row by row of pixels, where the output's layout has them.
  void run_rows(const KernelArgs& args, Share share) const noexcept {
    fill_border(args, p_.n, share);
    const PixelLayout& layout = *args.output_layout;
    const PlacesOfPairs places = *places_of_pairs(layout);
    const auto rows = std::ssize(layout.row), columns = std::ssize(layout.column);
    const Share::Range range = share.of(p_.n * args.batch * rows);
    for (std::int64_t at = range.begin; at < range.end; ++at) {
      const std::int64_t image = at / rows, row = at % rows;
      const auto* x = reinterpret_cast<const float*>(args.inputs[0]) + image * 3 * p_.s + row * columns;
      auto* const y = reinterpret_cast<std::uint8_t*>(args.output) + image * layout.image_bytes +
                      layout.row[static_cast<std::size_t>(row)];
      if (places.first > 0) pairs_(numbers_.front(), x, p_.s, y + layout.column[0], 1, places.step);
      pairs_(numbers_.front(), x + places.first, p_.s,
             y + layout.column[static_cast<std::size_t>(places.first)], columns - places.first, places.step);
    }
  }

  /// Elements keep their order.
  [[nodiscard]] bool is_flat() const noexcept { return p_.channels_last == 0 || p_.c == 1; }

  ConvertProblem p_;
  QuantizeRun run_;
  QuantizePixels pixels_;
  QuantizePairs pairs_;  ///< nullptr: other layouts than the plan's are not written
  std::vector<QuantizeU8> numbers_;
};

class VectorDequantize final : public Prepared {
 public:
  VectorDequantize(const ConvertProblem& problem, const Operands& operands, DequantizeRun flat)
      : p_(problem), run_(flat) {
    const std::uint8_t flip = flip_to_u8(problem.x);
    for (const Affine& from : affines_of(problem, operands.inputs.at(0)))
      numbers_.push_back({from.scale, from.zero_point + flip, flip});
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const std::uint8_t*>(args.inputs[0]);
    auto* y = reinterpret_cast<float*>(args.output);
    for_each_channel(numbers_, p_.s, share.of(p_.n * args.batch * p_.c * p_.s),
                     [&](const DequantizeU8& numbers, std::int64_t begin, std::int64_t end) {
                       run_(numbers, x + begin, y + begin, end - begin);
                     });
  }

 private:
  ConvertProblem p_;
  DequantizeRun run_;
  std::vector<DequantizeU8> numbers_;
};

std::unique_ptr<Prepared> prepared_with(const ConvertProblem& problem, const Operands& operands,
                                        QuantizeRun flat, QuantizePixels pixels, QuantizePairs pairs,
                                        DequantizeRun dequantize) {
  if (problem.kind == ConvertKind::quantize)
    return std::make_unique<VectorQuantize>(problem, operands, flat, pixels, pairs);
  return std::make_unique<VectorDequantize>(problem, operands, dequantize);
}

}  // namespace

Support convert_vector_supports(const ConvertProblem& problem) noexcept {
  if (problem.channels_first != 0) return Support::no("channels first");
  if (problem.kind == ConvertKind::dequantize) {
    if (!is_stored_integer(problem.x) || problem.y != DType::f32)
      return Support::no("dtypes other than u8, s8");
    return problem.channels_last == 0 ? Support::yes() : Support::no("dequantizing to another layout");
  }
  if (problem.kind != ConvertKind::quantize) return Support::no("kinds other than quantize and dequantize");
  if (problem.x != DType::f32 || !is_stored_integer(problem.y))
    return Support::no("dtypes other than u8, s8");
  const bool interleaves = problem.channels_last != 0 && problem.c != 1;
  return interleaves && problem.c != 3 ? Support::no("other than 3 channels") : Support::yes();
}

std::unique_ptr<Prepared> prepare_convert_avx2(const ConvertProblem& problem, const Operands& operands) {
  return prepared_with(problem, operands, quantize_u8_avx2, quantize_pixels_avx2, nullptr,
                       dequantize_u8_avx2);
}
std::unique_ptr<Prepared> prepare_convert_avx512(const ConvertProblem& problem, const Operands& operands) {
  return prepared_with(problem, operands, quantize_u8_avx512, quantize_pixels_avx512, quantize_pairs_avx512,
                       dequantize_u8_avx512);
}

}  // namespace octavo
