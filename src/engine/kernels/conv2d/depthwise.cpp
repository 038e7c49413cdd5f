#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/kernels/caches.h"
#include "engine/kernels/constant_memory.h"
#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/fast_rule.h"

namespace octavo {
namespace {

/// The channels of a block in the order in which interleaving 2 or 4 taps leaves them: accumulator j holds in
/// lane l the channels 4 * accumulators * l + 4 * j + 0..3.
std::int64_t lane_order(const DirectIsa& isa, std::int64_t place) {
  const std::int64_t j = place / (4 * isa.lanes);
  const std::int64_t lane = place / 4 % isa.lanes;
  return lane * 4 * isa.depthwise_vectors + 4 * j + place % 4;
}

/// Whether the windows go through the kernel of rows; `parts`: s8 numbers that a weight takes.
bool goes_by_rows(const DirectIsa& isa, const Conv2dProblem& p, std::int64_t parts) {
  return isa.depthwise_rows != nullptr && parts == 1 && p.kh == p.kw && (p.kh == 3 || p.kh == 5) &&
         p.sw <= 2 && p.dh == 1 && p.dw == 1;
}

/// Input that the rows of a call touch: it stays in L2 for all blocks of channels.
constexpr std::int64_t kRowsBytes = std::int64_t{128} * 1024;

std::int64_t lines(std::int64_t bytes) { return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes; }

class Depthwise final : public Prepared {
 public:
  Depthwise(const DirectIsa& isa, const Conv2dProblem& p, const Operands& operands)
      : Depthwise(isa, p, operands, WeightDifferences(p, operands)) {}

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return (has_rows_ ? row_scratch_bytes() : 0) + (is_in_place_ ? 0 : band_.scratch_bytes());
  }

  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    if (problem_.n != 1) return std::nullopt;
    const auto range = share.of(problem_.oh() * problem_.ow());
    return problem_.reach(range.begin, range.end);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(problem_.n * args.batch * problem_.oh() * problem_.ow());
    std::int64_t first = range.begin;
    const std::int64_t end = range.end;
    if (first == end) return;
    if (has_rows_) fill_borders(args.scratch);
    while (first < end) {
      first += is_in_place_ ? run_input_rows(args, first, end)
               : has_rows_  ? run_copied_rows(args, first, end)
                            : run_windows(args, first, end);
    }
  }

 private:
  Depthwise(const DirectIsa& isa, const Conv2dProblem& p, const Operands& operands, WeightDifferences w)
      : isa_(isa),
        problem_(p),
        parts_(isa.form == InputForm::widened ? 1 : w.s8_parts()),
        has_rows_(goes_by_rows(isa, p, parts_)),
        is_in_place_(has_rows_ && p.x == DType::u8),
        block_(isa.depthwise_vectors * isa.lanes * 4),
        places_((p.oc + block_ - 1) / block_ * block_),
        most_rows_(
            std::clamp<std::int64_t>(kRowsBytes / std::max<std::int64_t>(p.sh * p.iw * p.ic, 1), 1, p.oh())),
        band_(p, isa.form, tensor_quantization(operands.inputs[0], "x").zero_point,
              isa.is_masked || places_ == p.oc ? RowEnds::whole : RowEnds::beyond, 1),
        arrays_(p, operands, places_),
        rules_(p, arrays_) {
    per_group_ = 4 / band_.element_bytes();
    columns_ = isa.depthwise_rows != nullptr ? p.kw : 1;
    column_taps_ = p.kh * p.kw / columns_;
    tap_groups_ = (parts_ * column_taps_ + per_group_ - 1) / per_group_;
    groups_ = has_rows_ ? depthwise_row_groups(p.kh) : columns_ * tap_groups_;
    weights_ = PackedConstants(places_ * groups_ * 4, operands.memory);
    std::vector<WindowSums> windows(static_cast<std::size_t>(places_));
    for (std::int64_t place = 0; place < places_; ++place) pack_channel(w, place, windows);
    for (std::int64_t i = 0; i < tap_groups_ * per_group_; ++i) {
      const std::int64_t tap = i % column_taps_ * columns_;  // beyond the last part the weights are zeros
      taps_.push_back(band_.tap_offset(tap / p.kw, tap % p.kw));
    }
    rules_ = isa.knows_fast_forms ? FastRules(p, arrays_, windows) : FastRules(p, arrays_);
  }

  /// What the kernel of rows reads beside the input, divided out of the scratch memory.
  struct Borders {
    std::uint8_t* zero_row;      ///< a row of zero points
    const std::uint8_t** zeros;  ///< [4][kh]
    const std::uint8_t** rows;   ///< [most_rows][kh]
    std::byte* rest;
  };
  [[nodiscard]] std::int64_t zero_row_bytes() const noexcept {
    return lines(std::max(problem_.iw * problem_.ic, places_));
  }
  [[nodiscard]] std::int64_t row_scratch_bytes() const noexcept {
    return zero_row_bytes() + lines((most_rows_ + 4) * problem_.kh * 8);
  }
  [[nodiscard]] Borders borders(std::byte* scratch) const noexcept {
    Borders b{};
    b.zero_row = reinterpret_cast<std::uint8_t*>(scratch);
    b.zeros = reinterpret_cast<const std::uint8_t**>(b.zero_row + zero_row_bytes());
    b.rows = b.zeros + 4 * problem_.kh;
    b.rest = scratch + row_scratch_bytes();
    return b;
  }
  /// What does not change from call to call.
  void fill_borders(std::byte* scratch) const noexcept {
    const Borders b = borders(scratch);
    std::memset(b.zero_row, band_.zero_point(), static_cast<std::size_t>(zero_row_bytes()));
    std::fill_n(b.zeros, 4 * problem_.kh, b.zero_row);
  }

  /// Pixels [first, first + count) of the output: rows as a whole, or a part of one.
  struct Stretch {
    std::int64_t rows, pixels;
  };
  [[nodiscard]] Stretch stretch(std::int64_t first, std::int64_t end) const noexcept {
    const std::int64_t ow = problem_.ow(), column = first % ow;
    if (column != 0 || end - first < ow) return {1, std::min(ow - column, end - first)};
    const std::int64_t rows_of_image_left = problem_.oh() - first / ow % problem_.oh();
    return {std::min({most_rows_, rows_of_image_left, (end - first) / ow}), ow};
  }

  [[nodiscard]] DepthwiseChannels channels_of(const KernelArgs& args, std::int64_t first) const noexcept {
    return {reinterpret_cast<const std::uint8_t*>(weights_.data()),
            problem_.oc,
            reinterpret_cast<std::uint8_t*>(args.output) + first * problem_.oc,
            problem_.oc,
            rules_.form(),
            rules_.from(0)};
  }

  /// What all calls of the kernel of rows have in common.
  [[nodiscard]] DepthwiseRows rows_of(const KernelArgs& args, const Borders& b, std::int64_t first,
                                      const Stretch& s) const noexcept {
    DepthwiseRows rows{};
    static_cast<DepthwiseChannels&>(rows) = channels_of(args, first);
    rows.size = problem_.kh;
    rows.count = s.rows;
    rows.rows = b.rows;
    rows.zeros = b.zeros;
    rows.column_bytes = problem_.ic;
    rows.pixels = s.pixels;
    rows.stride = problem_.sw;
    return rows;
  }

  /// All three return how many pixels from `first` on they have computed.
  std::int64_t run_input_rows(const KernelArgs& args, std::int64_t first, std::int64_t end) const noexcept {
    const Conv2dProblem& p = problem_;
    const Borders b = borders(args.scratch);
    const Stretch s = stretch(first, end);
    const std::int64_t row = first / p.ow() % p.oh();
    const auto* image = reinterpret_cast<const std::uint8_t*>(args.inputs[0]) +
                        first / (p.ow() * p.oh()) * p.ih * p.iw * p.ic;
    for (std::int64_t i = 0; i < s.rows * p.kh; ++i) {
      const std::int64_t iy = (row + i / p.kh) * p.sh - p.pt + i % p.kh;
      b.rows[i] = iy >= 0 && iy < p.ih ? image + iy * p.iw * p.ic : b.zero_row;
    }
    DepthwiseRows rows = rows_of(args, b, first, s);
    rows.first_column = first % p.ow() * p.sw - p.pl;
    rows.columns = p.iw;
    isa_.depthwise_rows(rows);
    return s.rows * s.pixels;
  }

  std::int64_t run_copied_rows(const KernelArgs& args, std::int64_t first, std::int64_t end) const noexcept {
    const Borders b = borders(args.scratch);
    const InputBand::Placed placed = band_.place(args.inputs[0], first, end, b.rest);
    for (std::int64_t done = 0; done < placed.count;) {
      const Stretch s = stretch(first + done, first + placed.count);
      for (std::int64_t i = 0; i < s.rows * problem_.kh; ++i) {
        b.rows[i] =
            placed.windows[done + i / problem_.kh * problem_.ow()] + band_.tap_offset(i % problem_.kh, 0);
      }
      DepthwiseRows rows = rows_of(args, b, first + done, s);
      rows.columns = std::numeric_limits<std::int64_t>::max();  // the copy has its borders
      isa_.depthwise_rows(rows);
      done += s.rows * s.pixels;
    }
    return placed.count;
  }

  std::int64_t run_windows(const KernelArgs& args, std::int64_t first, std::int64_t end) const noexcept {
    const InputBand::Placed placed = band_.place(args.inputs[0], first, end, args.scratch);
    DepthwiseBlock block{};
    static_cast<DepthwiseChannels&>(block) = channels_of(args, first);
    block.windows = placed.windows;
    block.pixels = placed.count;
    block.columns = columns_;
    block.column_bytes = band_.tap_offset(0, 1);
    block.taps = taps_.data();
    block.tap_groups = tap_groups_;
    isa_.depthwise(block);
    return placed.count;
  }

  /// The channel of a lane, counted through all blocks; -1 where there is none.
  [[nodiscard]] std::int64_t channel_of(std::int64_t lane) const noexcept {
    if (lane < problem_.oc) return lane;
    const std::int64_t in_last = problem_.oc % block_;
    if (!has_rows_ || depthwise_tail(in_last) == 1) return -1;
    return problem_.oc - in_last + lane % in_last;
  }

  void pack_channel(WeightDifferences& w, std::int64_t place, std::vector<WindowSums>& windows) {
    const std::int64_t in_block = place % block_;
    const std::int64_t lane = place - in_block + lane_order(isa_, in_block);
    const std::int64_t channel = channel_of(lane);
    if (channel < 0) return;
    const std::span<const std::int16_t> window = w.channel(channel);
    const WindowSums sums = windows[static_cast<std::size_t>(place)] = window_sums(window);
    arrays_.set(place, channel, sums.total(), band_.zero_point());
    for (std::int64_t part = 0; part < parts_; ++part) {
      for (std::int64_t tap = 0; tap < problem_.kh * problem_.kw; ++tap) {
        const Spot spot = spot_of(tap, part);
        const std::int64_t group = place / block_ * groups_ + spot.group;
        set_weight((group * block_ + in_block) * per_group_ + spot.place,
                   window[static_cast<std::size_t>(tap)], part);
      }
    }
  }

  /// Which weight of which group of a channel's weights.
  struct Spot {
    std::int64_t group, place;
  };
  [[nodiscard]] Spot spot_of(std::int64_t tap, std::int64_t part) const noexcept {
    if (!has_rows_) {
      const std::int64_t column = tap % columns_, i = part * column_taps_ + tap / columns_;
      return {column * tap_groups_ + i / per_group_, i % per_group_};
    }
    const std::int64_t row = tap / problem_.kw, column = tap % problem_.kw;
    if (row < 4) return {column, row};
    return column == 0 ? Spot{problem_.kw + 1, 1} : Spot{problem_.kw, column - 1};
  }

  void set_weight(std::int64_t at, std::int32_t difference, std::int64_t part) {
    if (isa_.form == InputForm::widened) {
      reinterpret_cast<std::int16_t*>(weights_.data())[at] = static_cast<std::int16_t>(difference);
    } else {
      weights_.data()[at] = static_cast<std::byte>(s8_part(difference, part) & 0xFF);
    }
  }

  const DirectIsa& isa_;
  Conv2dProblem problem_;
  std::int64_t parts_;      ///< s8 numbers that a weight takes
  bool has_rows_;           ///< the kernel of rows computes it
  bool is_in_place_;        ///< and reads the input itself
  std::int64_t block_;      ///< channels of a block
  std::int64_t places_;     ///< channels filled up to whole blocks
  std::int64_t most_rows_;  ///< of output pixels in a call of the kernel of rows
  InputBand band_;
  RuleArrays arrays_;
  FastRules rules_;
  std::int64_t per_group_ = 1, columns_ = 1, column_taps_ = 0, tap_groups_ = 0;
  std::int64_t groups_ = 0;  ///< of weights, of a channel
  PackedConstants weights_;
  std::vector<std::int64_t> taps_;
};

}  // namespace

bool can_be_depthwise(const Conv2dProblem& p) noexcept {
  return p.g > 1 && p.icg() == 1 && p.ocg() == 1 && p.residual == 0 && p.y != DType::f32;
}

std::unique_ptr<Prepared> prepare_depthwise(const DirectIsa& isa, const Conv2dProblem& p,
                                            const Operands& operands) {
  return std::make_unique<Depthwise>(isa, p, operands);
}

}  // namespace octavo
