#include <algorithm>
#include <vector>

#include "engine/kernels/pool/average.h"
#include "engine/kernels/pool/rows.h"
#include "engine/kernels/pool/window.h"
#include "engine/kernels/pool/window_u8.h"

namespace octavo {
namespace {

/// What is compiled for one ISA.
struct WindowIsa {
  MaxWindows max;
  AverageWindow average;
  AverageRealsOfWindow average_reals;
};

/// Channels that are worth a call of their own, a few lines of each input pixel.
constexpr std::int64_t kLeastChannels = 256;

/// One call of the ISA's function per output pixel, per piece of one, or where the largest value is wanted
/// per run of like windows.
class WindowPool final : public Prepared {
 public:
  WindowPool(const PoolProblem& problem, const Operands& operands, const WindowIsa& isa)
      : p_(problem), isa_(isa) {
    for (std::int64_t x = 0; x < problem.ow; ++x) columns_.push_back(pool_window_w(problem, x));
    if (problem.kind == PoolKind::max) return;
    x_ = affine_of(PoolProblem::kFamily, operands.inputs.at(0));
    y_ = affine_of(PoolProblem::kFamily, operands.output);
  }

  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    if (p_.n != 1 || pieces(1, share) > 1) return std::nullopt;
    const auto pixels = share.of(p_.oh * p_.ow);
    std::int64_t top = p_.ih, bottom = 0;  // in rows
    for (std::int64_t oh = pixels.begin / p_.ow; oh * p_.ow < pixels.end; ++oh) {
      const PoolWindow h = pool_window_h(p_, oh);
      if (h.taps == 0) continue;
      top = std::min(top, h.first);
      bottom = std::max(bottom, h.first + (h.taps - 1) * h.step + 1);
    }
    return Reach{{pixels.begin * p_.c, pixels.end * p_.c}, {{top * p_.iw * p_.c, bottom * p_.iw * p_.c}}};
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const std::uint8_t*>(args.inputs[0]);
    auto* y = reinterpret_cast<std::uint8_t*>(args.output);
    const std::int64_t each = pieces(args.batch, share);
    const auto part = share.of(p_.n * args.batch * p_.oh * p_.ow * each);
    for (std::int64_t at = part.begin; at < part.end;) {
      const std::int64_t pixel = at / each, piece = at % each;
      const std::int64_t row = pixel / p_.ow, column = pixel % p_.ow;
      const std::int64_t count = each == 1 ? std::min(p_.ow - column, part.end - at) : 1;
      const std::int64_t channel = p_.c * piece / each;
      run_row({x + row / p_.oh * p_.ih * p_.iw * p_.c + channel, p_.c * (piece + 1) / each - channel},
              row % p_.oh, column, count, y + pixel * p_.c + channel);
      at += count;
    }
  }

 private:
  /// Some channels of an image.
  struct Channels {
    const std::uint8_t* x;
    std::int64_t count;
  };

  /// In how many pieces a pixel's channels are divided: one where each share has a pixel.
  [[nodiscard]] std::int64_t pieces(std::int64_t batch, Share share) const noexcept {
    const std::int64_t pixels = p_.n * batch * p_.oh * p_.ow;
    return pixels >= share.count ? 1 : std::clamp<std::int64_t>(p_.c / kLeastChannels, 1, share.count);
  }

  /// `count` pixels of output row `oh` of an image, from `column` on.
  void run_row(const Channels& image, std::int64_t oh, std::int64_t column, std::int64_t count,
               std::uint8_t* y) const noexcept {
    const PoolWindow h = pool_window_h(p_, oh);
    for (std::int64_t i = column, taken = 1; i < column + count; i += taken, y += taken * p_.c) {
      const PoolWindow& w = columns_[static_cast<std::size_t>(i)];
      const bool empty = h.taps == 0 || w.taps == 0;
      const WindowU8 window{empty ? image.x : image.x + (h.first * p_.iw + w.first) * p_.c,
                            empty ? 0 : h.taps,
                            w.taps,
                            h.step * p_.iw * p_.c,
                            w.step * p_.c,
                            image.count,
                            flip_to_u8(p_.x)};
      if (p_.kind == PoolKind::max) {
        taken = like_windows(i, column + count);
        isa_.max(window, {taken, p_.sw * p_.c, p_.c}, y);
      } else if (p_.kind == PoolKind::average && p_.rounding == AverageRounding::ort) {
        isa_.average_reals(window, reals_numbers(average_count(p_, h, w)), y);
      } else {
        isa_.average(window, average_numbers(h, w), y);
      }
    }
  }

  /// How many windows from column `i` on, before column `end`, have the same size and follow each other at
  /// the distance of the strides.
  [[nodiscard]] std::int64_t like_windows(std::int64_t i, std::int64_t end) const noexcept {
    const auto at = [&](std::int64_t column) -> const PoolWindow& {
      return columns_[static_cast<std::size_t>(column)];
    };
    std::int64_t next = i + 1;
    while (next < end && at(next).taps == at(i).taps && at(next).first == at(next - 1).first + p_.sw) ++next;
    return next - i;
  }

  /// average_of_sum with all that does not depend on the values worked out.
  AverageU8 average_numbers(const PoolWindow& h, const PoolWindow& w) const noexcept {
    const std::int64_t count = average_count(p_, h, w), taps = h.taps * w.taps;
    const std::int32_t flip = flip_to_u8(p_.x);
    const auto lowest = static_cast<float>(y_.range.lowest), highest = static_cast<float>(y_.range.highest);
    if (p_.rounding == AverageRounding::contiguous && x_ == y_ && count > 0) {
      const auto padding = static_cast<std::int32_t>((count - taps) * x_.zero_point - taps * flip);
      return {padding, static_cast<float>(count), 1, lowest, highest, flip};
    }
    const auto zero = static_cast<float>(y_.zero_point);
    return {static_cast<std::int32_t>(-taps * (x_.zero_point + flip)),
            average_multiplier(count, x_, y_, p_.rounding),
            0,
            lowest - zero,
            highest - zero,
            y_.zero_point + flip};
  }

  /// average_of_window_ort, likewise.
  AverageReals reals_numbers(std::int64_t count) const noexcept {
    return {x_.scale,
            x_.zero_point + flip_to_u8(p_.x),
            count > 0 ? static_cast<float>(count) : 1.0F,
            y_.scale,
            static_cast<float>(y_.zero_point),
            static_cast<float>(y_.range.lowest),
            static_cast<float>(y_.range.highest)};
  }

  PoolProblem p_;
  WindowIsa isa_;
  std::vector<PoolWindow> columns_;
  Affine x_, y_;
};

}  // namespace

Support pool_window_supports(const PoolProblem& problem) noexcept {
  if (!is_stored_integer(problem.x) || problem.x != problem.y) return Support::no("dtypes other than u8, s8");
  // Sums of values as u8 and of zero points stay within 32 bits.
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 22;
  const bool small = problem.ih * problem.iw <= kMostPixels && problem.kh * problem.kw <= kMostPixels;
  return small ? Support::yes() : Support::no("more than 2^22 pixels");
}

std::unique_ptr<Prepared> prepare_pool_avx2(const PoolProblem& problem, const Operands& operands) {
  const WindowIsa isa{max_windows_avx2, average_window_avx2, average_reals_of_window_avx2};
  return std::make_unique<WindowPool>(problem, operands, isa);
}
std::unique_ptr<Prepared> prepare_pool_avx512(const PoolProblem& problem, const Operands& operands) {
  const WindowIsa isa{max_windows_avx512, average_window_avx512, average_reals_of_window_avx512};
  return std::make_unique<WindowPool>(problem, operands, isa);
}

}  // namespace octavo
