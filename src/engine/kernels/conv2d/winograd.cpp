#include "engine/kernels/conv2d/winograd.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/cpu.h"
#include "base/divided_up.h"
#include "base/fail.h"
#include "engine/kernels/caches.h"
#include "engine/kernels/constant_memory.h"
#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/fast_rule.h"
#include "engine/kernels/conv2d/packed_rows.h"
#include "engine/kernels/conv2d/panel_part.h"
#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/reference_sums.h"

namespace octavo {
namespace {

/// Sums below this survive being multiplied by 576 = 64 * 9 in 32 bits: docs/numerics.md.
constexpr std::int64_t kSumLimit = std::int64_t{1} << 25;

/// Transformed inputs of a block stay in L2 beside weights, and its tiles amortise reading those
/// (docs/performance.md).
constexpr std::int64_t kBlockBytes = std::int64_t{288} * 1024;
constexpr std::int64_t kWideBlockBytes = std::int64_t{640} * 1024;
constexpr std::int64_t kMostTiles = 32;
/// Weights that stay in L2 from block to block.
constexpr std::int64_t kNearBytes = std::int64_t{512} * 1024;

std::int64_t tiles_along(std::int64_t results) { return divided_up(results, kTileResults); }
/// Results of the last tile.
std::int64_t last_results(std::int64_t results) {
  return results - (tiles_along(results) - 1) * kTileResults;
}

/// Weights of wide panels, twice as large, that stay there beside a block: five eighths of it.
std::int64_t most_wide_bytes() noexcept {
  constexpr std::int64_t kLeastL2 = std::int64_t{1024} * 1024;
  return std::max(cpu_facts().system.l2_bytes, kLeastL2) / 8 * 5;
}

/// What the two rows differ in.
struct PanelForm {
  std::int64_t channels;     ///< of a panel
  std::int64_t columns;      ///< of a row of points' weights: the window's, or the points themselves
  std::int64_t block_bytes;  ///< of transformed inputs, at most

  /// Bytes of a panel's weights.
  [[nodiscard]] std::int64_t panel_bytes(const Conv2dProblem& p) const noexcept {
    return channels * divided_up(p.ic, std::int64_t{2}) * 4 * kTileInputs * columns;
  }
  /// Of all panels'.
  [[nodiscard]] std::int64_t bytes(const Conv2dProblem& p) const noexcept {
    return divided_up(p.oc, channels) * panel_bytes(p);
  }
};
constexpr PanelForm kNarrow{kWinogradPanel, kWinogradWindow, kBlockBytes};
constexpr PanelForm kWide{kWideWinogradPanel, kTileInputs, kWideBlockBytes};

class Winograd final : public Prepared {
 public:
  Winograd(const PanelForm& form, const Conv2dProblem& p, const Operands& operands)
      : form_(form),
        problem_(p),
        tile_rows_(tiles_along(p.oh())),
        columns_(tiles_along(p.ow())),
        panels_(divided_up(p.oc, form.channels)),
        group_channels_(p.ic == 16 ? 16 : 32),
        pairs_(divided_up(p.ic, std::int64_t{2})),
        panel_bytes_(form.panel_bytes(p)),
        arrays_(p, operands, panels_ * form.channels + kWinogradPanel),  // kernels load two panels' numbers
        rules_(p, arrays_) {
    const std::int32_t stored_zero = tensor_quantization(operands.inputs[0], "x").zero_point;
    zeros_.assign(static_cast<std::size_t>(p.iw * p.ic), static_cast<std::uint8_t>(stored_zero));
    WeightDifferences w(p, operands);
    const std::vector<WindowSums> windows = sums_of_windows(w);
    weights_ = PackedConstants(panels_ * panel_bytes_, operands.memory);
    pack_weights(w);
    for (std::int64_t oc = 0; oc < p.oc; ++oc) {
      const std::int64_t sum = windows[static_cast<std::size_t>(oc)].total();
      arrays_.set(oc, oc, sum, stored_zero + flip_to_u8(p.x));
    }
    rules_ = FastRules(p, arrays_, windows);
    scale_rule(windows);
    const std::int64_t row_bytes = columns_ * kTilePoints * channel_groups() * group_channels_ * 2;
    const std::int64_t most = std::min(form.block_bytes / row_bytes, kMostTiles / columns_);
    block_rows_ = std::clamp<std::int64_t>(most, 1, kMostTiles);
  }

  [[nodiscard]] bool runs_in_parts(std::int64_t batch, int shares) const noexcept override {
    return problem_.macs() * batch / shares >= kLeastMacsInParts &&
           Work(*this, batch, {0, shares}).end >= kLeastPiecesInParts;
  }
  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    const Work work(*this, 1, share);
    if (problem_.n != 1 || count(work.panels) != panels_ || count(work.common_panels) != 0)
      return std::nullopt;
    const auto pixel = [&](std::int64_t row) {
      return std::min(row * kTileResults, problem_.oh()) * problem_.ow();
    };
    return problem_.reach(pixel(work.rows.begin), pixel(work.rows.end));
  }

  [[nodiscard]] std::span<const std::byte> constants(std::int64_t batch,
                                                     Share share) const noexcept override {
    const Work work(*this, batch, share);
    const Work::Stretch first = work.stretch_at(work.begin);
    if (work.end > first.end()) return panels(first.panels.begin, count(first.panels));
    return panels(first.panels.begin + work.begin - first.begin, work.end - work.begin);
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return kLineBytes + columns_bytes() + inputs_bytes() + sums_bytes() + points_bytes();
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const Work work(*this, args.batch, share);
    const std::int64_t bytes = count(work.panels) * panel_bytes_;
    const bool are_near = bytes < kStayInL2Bytes;
    const bool are_far = bytes > kNearBytes;
    // Which block's inputs the scratch memory holds, by its first row.
    auto& transformed = *reinterpret_cast<std::int64_t*>(args.scratch);
    if (!args.continues) transformed = -1;
    for (std::int64_t at = work.begin; at < work.end;) {
      const Work::Stretch stretch = work.stretch_at(at);
      const std::int64_t end = std::min(stretch.end(), work.end);
      std::array<TileRow, kMostTiles> tile_rows;
      const WinogradBlock block = block_of(args, stretch.rows, tile_rows);
      if (transformed != stretch.rows.begin) winograd_input_avx512_vnni(block);
      transformed = stretch.rows.begin;
      std::int64_t index = stretch.panels.begin + at - stretch.begin;
      WinogradPanel panel = panel_of(index);
      for (; at < end; ++at, ++index, advance(panel)) {
        panel.asks_for_weights = are_far || (stretch.begin == 0 && !are_near);
        const std::int64_t following = at + 1 == end ? work.stretch_at(at + 1).panels.begin : index + 1;
        set_next(at + 1 == work.end       ? args.next
                 : panel.asks_for_weights ? panels(following, 1).first(asked_bytes())
                                          : std::span<const std::byte>{},
                 panel);
        if (is_wide()) {
          winograd_multiply_wide_avx512_vnni(block, panel);
          finish_wide(block, panel);
        } else {
          winograd_multiply_avx512_vnni(block, panel);
          winograd_finish_avx512_vnni(block, panel);
        }
      }
    }
  }

 private:
  [[nodiscard]] bool is_wide() const noexcept { return form_.channels != kWinogradPanel; }
  static constexpr std::int64_t count(Share::Range range) noexcept { return range.end - range.begin; }

  /// A share, or parts of it: each block of its rows of tiles takes each of its panels, which makes a
  /// stretch, and parts are ranges `begin` .. `end` of these, stretch by stretch. A row that would be one
  /// share's more than the others' is all shares': the last stretch, of which each does some panels.
  struct Work {
    struct Stretch {
      Share::Range rows, panels;
      std::int64_t begin;  ///< of what Work counts
      [[nodiscard]] std::int64_t end() const noexcept { return begin + count(panels); }
    };

    Share::Range panels, rows;
    Share::Range common_panels{};
    std::int64_t common_row = 0;
    std::int64_t blocks, begin, end;

    Work(const Winograd& kernel, std::int64_t batch, Share share) {
      const Share all_parts{share.index, share.count};
      const std::int64_t all_rows = kernel.problem_.n * batch * kernel.tile_rows_;
      const PanelWork work{kernel.panels_, kernel.weights_.bytes(), all_rows,
                           kInputCost * all_rows * kernel.columns_ * kTilePoints * kernel.problem_.ic * 2};
      const PanelPart part = work.part(all_parts);
      panels = part.panels, rows = part.units;
      const bool are_rows_divided = count(panels) == kernel.panels_;
      if (are_rows_divided && all_rows > share.count && all_rows % share.count == 1 &&
          kernel.panels_ >= share.count) {
        common_row = all_rows - 1;
        rows = all_parts.of(common_row);
        common_panels = all_parts.of(kernel.panels_);
      }
      blocks = divided_up(count(rows), kernel.block_rows_);
      const auto [first, last] = Share{0, 1, share.parts}.of(blocks * count(panels) + count(common_panels));
      begin = first, end = last;
    }

    [[nodiscard]] Stretch stretch_at(std::int64_t at) const noexcept {
      const std::int64_t own = blocks * count(panels);
      if (at >= own) return {{common_row, common_row + 1}, common_panels, own};
      const std::int64_t i = at / count(panels);
      const auto row = [&](std::int64_t block) { return rows.begin + count(rows) * block / blocks; };
      return {{row(i), row(i + 1)}, panels, i * count(panels)};
    }
  };

  [[nodiscard]] std::int64_t channel_groups() const noexcept {
    return divided_up(problem_.ic, group_channels_);
  }
  [[nodiscard]] std::int64_t columns_bytes() const noexcept {
    return kTileInputs * (kTileResults * columns_ + 2) * group_channels_ * 2;
  }
  [[nodiscard]] std::int64_t inputs_bytes() const noexcept {
    return block_rows_ * columns_ * kTilePoints * channel_groups() * group_channels_ * 2;
  }
  [[nodiscard]] std::int64_t sums_bytes() const noexcept {
    return block_rows_ * columns_ * kTileInputs * kTileResults * form_.channels * 4;
  }
  [[nodiscard]] std::int64_t points_bytes() const noexcept {
    return block_rows_ * columns_ * kTileInputs * form_.channels * 4;
  }

  [[nodiscard]] TileRow tile_row(const KernelArgs& args, std::int64_t row) const noexcept {
    const Conv2dProblem& p = problem_;
    const std::int64_t image = row / tile_rows_, first = row % tile_rows_ * kTileResults;
    const std::int64_t pixel = (image * p.oh() + first) * p.ow();
    TileRow tiles{};
    for (std::int64_t i = 0; i < kTileInputs; ++i) {
      const std::int64_t iy = first - p.pt + i;
      const bool is_inside = iy >= 0 && iy < p.ih;
      tiles.inputs[i] = is_inside ? reinterpret_cast<const std::uint8_t*>(args.inputs[0]) +
                                        (image * p.ih + iy) * p.iw * p.ic
                                  : zeros_.data();
    }
    tiles.dst = reinterpret_cast<std::uint8_t*>(args.output) + pixel * p.oc;
    if (p.residual != 0)
      tiles.residual = reinterpret_cast<const std::uint8_t*>(args.inputs[2]) + pixel * p.oc;
    tiles.results = std::min<std::int64_t>(p.oh() - first, kTileResults);
    return tiles;
  }

  [[nodiscard]] WinogradBlock block_of(const KernelArgs& args, Share::Range tile_rows,
                                       std::array<TileRow, kMostTiles>& rows) const noexcept {
    const Conv2dProblem& p = problem_;
    WinogradBlock block{};
    block.rows = rows.data();
    block.row_count = count(tile_rows);
    block.columns = columns_;
    block.large_columns = columns_ - (is_small(last_results(p.ow())) ? 1 : 0);
    for (std::int64_t i = 0; i < block.row_count; ++i) {
      TileRow row = tile_row(args, tile_rows.begin + i);
      row.place = i;
      row.large_place = block.large_rows;
      block.large_rows += is_small(row.results) ? 0 : 1;
      rows[static_cast<std::size_t>(i)] = row;
    }
    block.group_channels = group_channels_;
    block.ic = p.ic, block.iw = p.iw, block.padding = p.pl;
    block.flip = flip_to_u8(p.x);
    block.zeros = zeros_.data();
    std::byte* scratch = args.scratch + kLineBytes;
    const auto take = [&scratch](std::int64_t bytes) { return std::exchange(scratch, scratch + bytes); };
    block.input_columns = reinterpret_cast<std::int16_t*>(take(columns_bytes()));
    block.inputs = reinterpret_cast<std::int16_t*>(take(inputs_bytes()));
    block.sums = reinterpret_cast<std::int32_t*>(take(sums_bytes()));
    block.points = reinterpret_cast<std::int32_t*>(take(points_bytes()));
    block.panel_sums = sums_bytes() / 4 / (form_.channels / kWinogradPanel);
    block.dst_stride = p.oc;
    block.residual_stride = p.residual != 0 ? p.oc : 0;
    block.ow = p.ow();
    return block;
  }

  /// The weights of `count` panels from `first` on.
  [[nodiscard]] std::span<const std::byte> panels(std::int64_t first, std::int64_t count) const noexcept {
    return {weights_.data() + first * panel_bytes_, static_cast<std::size_t>(count * panel_bytes_)};
  }

  /// Of a panel that is to begin: what it does not ask for itself.
  [[nodiscard]] std::size_t asked_bytes() const noexcept {
    return static_cast<std::size_t>(is_wide() ? panel_bytes_ / kTilePoints
                                              : panel_bytes_ * kRowsAsked / kTileInputs);
  }

  [[nodiscard]] WinogradPanel panel_of(std::int64_t index) const noexcept {
    const std::int64_t channel = index * form_.channels;
    WinogradPanel panel{};
    panel.weights = reinterpret_cast<const std::int16_t*>(weights_.data() + index * panel_bytes_);
    panel.channel = channel;
    panel.channels = std::min(problem_.oc - channel, form_.channels);
    panel.form = rules_.form();
    panel.rule = rules_.from(channel);
    panel.is_scaled = is_scaled_;
    if (is_scaled_) {
      panel.rule.start = scaled_start_.as<std::int32_t>().data() + channel;
      panel.rule.addend = scaled_addend_.as<float>().data() + channel;
      panel.rule.exact.multiplier = scaled_multiplier_.as<float>().data() + channel;
    }
    return panel;
  }

  /// To the next one.
  void advance(WinogradPanel& panel) const noexcept {
    panel.weights += panel_bytes_ / 2;
    move_on(panel, form_.channels);
    panel.channels = std::min(problem_.oc - panel.channel, form_.channels);
  }
  static void move_on(WinogradPanel& panel, std::int64_t channels) noexcept {
    panel.channel += channels;
    FastRule& rule = panel.rule;
    rule.start += channels, rule.addend += channels;
    rule.exact.start += channels, rule.exact.bias += channels, rule.exact.multiplier += channels;
  }

  /// A wide panel's results, those of 16 channels at a time.
  static void finish_wide(WinogradBlock block, WinogradPanel panel) noexcept {
    const std::int64_t end = panel.channel + panel.channels;
    panel.channels = kWinogradPanel;
    for (; panel.channel < end; move_on(panel, kWinogradPanel), block.sums += block.panel_sums)
      winograd_finish_avx512_vnni(block, panel);
  }

  static void set_next(std::span<const std::byte> next, WinogradPanel& panel) noexcept {
    panel.next = reinterpret_cast<const std::uint8_t*>(next.data());
    panel.next_bytes = std::ssize(next);
  }

  /// By output channel; Error(unsupported) where they can make products or sums that do not fit.
  [[nodiscard]] std::vector<WindowSums> sums_of_windows(WeightDifferences& w) const {
    if (w.s8_parts() > 1) fail(ErrorCode::unsupported, "weights less their zero point beyond s8");
    std::vector<WindowSums> windows(static_cast<std::size_t>(arrays_.places()));
    for (std::int64_t oc = 0; oc < problem_.oc; ++oc) {
      const WindowSums sums = windows[static_cast<std::size_t>(oc)] = window_sums(w.channel(oc));
      if (255 * std::max(-sums.negative, sums.positive) >= kSumLimit)
        fail(ErrorCode::unsupported, "sums of channel {} can reach 2^25", oc);
    }
    return windows;
  }

  void pack_weights(WeightDifferences& w) {
    constexpr std::int64_t kTaps = 9;
    std::vector<std::int64_t> taps;
    for (std::int64_t tap = 0; tap < kTaps; ++tap) taps.push_back(tap * pairs_ * 4);
    PackedRows rows(kWinogradPanel, std::move(taps), problem_.ic, kTaps * pairs_ * 4, 1, 2);
    std::vector<std::int16_t> by_tap(static_cast<std::size_t>(kTaps * pairs_ * kWinogradPanel * 2));
    std::vector<std::int16_t> by_row(
        static_cast<std::size_t>(is_wide() ? kNarrow.panel_bytes(problem_) / 2 : 0));
    for (std::int64_t first = 0; first < problem_.oc; first += kWinogradPanel) {
      const std::int64_t channels = std::min(kWinogradPanel, problem_.oc - first);
      for (std::int64_t column = 0; column < channels; ++column) rows.set(column, w.channel(first + column));
      rows.move_to(kWinogradPanel, [&](std::int64_t at) {
        return reinterpret_cast<std::byte*>(by_tap.data()) + at * kWinogradPanel;
      });
      std::byte* const panel = weights_.data() + first / form_.channels * panel_bytes_;
      auto* const to = reinterpret_cast<std::int16_t*>(panel) + first % form_.channels * 2;
      winograd_weights_avx512_vnni(by_tap.data(), pairs_, is_wide() ? by_row.data() : to);
      if (is_wide()) winograd_wide_weights_avx512_vnni(by_row.data(), pairs_, to);
    }
  }

  /// Where 64 times each sum with its start fits s32, finds the numbers of WinogradPanel::is_scaled: all of
  /// them powers of two times the rule's, so that every result is the same.
  void scale_rule(const std::vector<WindowSums>& windows) {
    if (rules_.form() == OutputForm::exact || rules_.form() == OutputForm::exact_residual) return;
    const FastRule rule = rules_.from(0);
    scaled_start_ = Tensor(DType::s32, {arrays_.places()});
    scaled_addend_ = Tensor(DType::f32, {arrays_.places()});
    scaled_multiplier_ = Tensor(DType::f32, {arrays_.places()});
    for (std::int64_t oc = 0; oc < problem_.oc; ++oc) {
      const auto c = static_cast<std::size_t>(oc);
      const std::int64_t start = rule.start[c];
      const float addend = 64 * rule.addend[c], multiplier = rule.exact.multiplier[c] / 64;
      const std::int64_t least = start + 255 * windows[c].negative,
                         greatest = start + 255 * windows[c].positive;
      if (std::max(-least, greatest) >= kSumLimit || addend / 64 != rule.addend[c] ||
          multiplier * 64 != rule.exact.multiplier[c])
        return;
      scaled_start_.as<std::int32_t>()[c] = wrapped(576 * start);
      scaled_addend_.as<float>()[c] = addend;
      scaled_multiplier_.as<float>()[c] = multiplier;
    }
    is_scaled_ = true;
  }

  const PanelForm& form_;
  Conv2dProblem problem_;
  std::int64_t tile_rows_, columns_;  ///< tiles of an image
  std::int64_t panels_;
  std::int64_t group_channels_;  ///< WinogradBlock's
  std::int64_t pairs_;           ///< of input channels
  std::int64_t panel_bytes_;
  std::int64_t block_rows_ = 1;
  std::vector<std::uint8_t> zeros_;  ///< a row of stored zero points
  RuleArrays arrays_;
  FastRules rules_;
  bool is_scaled_ = false;
  Tensor scaled_start_, scaled_addend_, scaled_multiplier_;
  PackedConstants weights_;
};

}  // namespace

Support winograd_supports(const Conv2dProblem& p) noexcept {
  if (p.x == DType::f32) return Support::no("f32");
  if (p.kh != 3 || p.kw != 3 || p.sh != 1 || p.sw != 1 || p.dh != 1 || p.dw != 1)
    return Support::no("not a 3x3 window with stride 1");
  if (p.g != 1) return Support::no("groups");
  if (p.ic < 16 || p.oc < 16) return Support::slower("too few channels");
  // Weights from behind L2 are read once for all tiles: 64 / tiles bytes a cycle.
  constexpr std::int64_t kLeastTiles = 16;
  if (p.n * tiles_along(p.oh()) * tiles_along(p.ow()) < kLeastTiles && kNarrow.bytes(p) > kNearBytes)
    return Support::slower("too few results for its weights");
  return Support::yes();
}

Support wide_winograd_supports(const Conv2dProblem& p) noexcept {
  const Support winograd = winograd_supports(p), wide = wide_direct_support(p);
  if (!winograd) return winograd;
  if (!wide) return wide;
  if (p.ic <= kWinogradPanel) return Support::no("at most 16 input channels");
  if (!winograd.reason.empty()) return winograd;
  return kWide.bytes(p) > most_wide_bytes() ? Support::slower("transformed weights would leave L2") : wide;
}

std::unique_ptr<Prepared> prepare_winograd(const Conv2dProblem& p, const Operands& operands) {
  return std::make_unique<Winograd>(kNarrow, p, operands);
}
std::unique_ptr<Prepared> prepare_wide_winograd(const Conv2dProblem& p, const Operands& operands) {
  return std::make_unique<Winograd>(kWide, p, operands);
}

}  // namespace octavo
