#include "engine/kernels/conv2d/direct.h"

#include <algorithm>

#include "base/cpu.h"
#include "base/divided_up.h"
#include "engine/kernels/caches.h"
#include "engine/kernels/constant_memory.h"
#include "engine/kernels/conv2d/fast_rule.h"
#include "engine/kernels/conv2d/packed_rows.h"
#include "engine/kernels/conv2d/panel_part.h"

namespace octavo {

const DirectIsa kDirectAvx2{.form = InputForm::widened,
                            .panel = 16,
                            .narrow_panel = 16,
                            .block_pixels = 6,
                            .lanes = 2,
                            .depthwise_vectors = 2,
                            .multiply = multiply_avx2,
                            .depthwise = depthwise_avx2};
const DirectIsa kDirectAvxVnni{.form = InputForm::bytes,
                               .panel = 16,
                               .narrow_panel = 16,
                               .block_pixels = 6,
                               .lanes = 2,
                               .depthwise_vectors = 4,
                               .multiply = multiply_avx_vnni,
                               .depthwise = depthwise_avx_vnni};
const DirectIsa kDirectAvx512Vnni{.form = InputForm::bytes,
                                  .panel = 32,
                                  .narrow_panel = kNarrowPanelChannels,
                                  .block_pixels = 7,
                                  .lanes = 4,
                                  .depthwise_vectors = 4,
                                  .is_masked = true,
                                  .knows_fast_forms = true,
                                  .multiply = multiply_avx512_vnni,
                                  .depthwise = depthwise_avx512_vnni,
                                  .depthwise_rows = depthwise_rows_avx512_vnni};
const DirectIsa kDirectAvx512VnniWide{.form = InputForm::bytes,
                                      .panel = kWidePanelChannels,
                                      .narrow_panel = kWidePanelChannels,
                                      .block_pixels = 6,
                                      .lanes = 4,
                                      .depthwise_vectors = 4,
                                      .is_masked = true,
                                      .knows_fast_forms = true,
                                      .multiply = multiply_wide_avx512_vnni,
                                      .depthwise = depthwise_avx512_vnni,
                                      .depthwise_rows = depthwise_rows_avx512_vnni};

namespace {

/// Pixels of a call that L2 does not hold: each panel asks for a part of the next band's.
constexpr std::int64_t kFarBytes = std::int64_t{1024} * 1024;

/// How the input channels of a window are walked. Groups smaller than a panel share one: their weights stand
/// on the diagonal of a block of zeros, which costs no more than lanes left empty would.
struct Runs {
  std::int64_t merged_groups;  ///< that one panel covers
  std::int64_t channels;       ///< input channels of a panel
  bool rows_are_runs;          ///< a whole window row is one run of memory
  std::int64_t columns;        ///< of the window in a run
  std::int64_t count;          ///< of runs in a window
  std::int64_t steps;          ///< of 4 bytes in a run
  RowEnds ends;
  std::int64_t end_steps;  ///< for shared ends of runs, behind them

  Runs(const Conv2dProblem& p, const DirectIsa& isa) {
    const std::int64_t element_bytes = isa.form == InputForm::widened ? 2 : 1;
    merged_groups = std::clamp<std::int64_t>(isa.panel / p.ocg(), 1, p.g);
    while (p.g % merged_groups != 0) --merged_groups;
    channels = merged_groups * p.icg();
    rows_are_runs = p.dw == 1 && channels == p.ic;
    columns = rows_are_runs ? p.kw : 1;
    count = rows_are_runs ? p.kh : p.kh * p.kw;
    const std::int64_t bytes = columns * channels * element_bytes;
    ends = bytes % 4 == 0                                                       ? RowEnds::whole
           : isa.form == InputForm::bytes && rows_are_runs && can_share_ends(p) ? RowEnds::shared
                                                                                : RowEnds::beyond;
    steps = ends == RowEnds::shared ? bytes / 4 : (bytes + 3) / 4;
    end_steps = ends == RowEnds::shared ? end_groups(p) : 0;
  }
  /// In a window.
  [[nodiscard]] std::int64_t all_steps() const noexcept { return count * steps + end_steps; }
};

class Direct final : public Prepared {
 public:
  Direct(const DirectIsa& isa, const Conv2dProblem& p, const Operands& operands)
      : isa_(isa),
        problem_(p),
        runs_(p, isa),
        band_(p, isa.form, tensor_quantization(operands.inputs[0], "x").zero_point, runs_.ends,
              isa.block_pixels),
        panels_per_set_((runs_.merged_groups * p.ocg() + isa.panel - 1) / isa.panel),
        panels_(p.g / runs_.merged_groups * panels_per_set_),
        arrays_(p, operands, panels_ * isa.panel),
        rules_(p, arrays_) {
    WeightDifferences w(p, operands);
    parts_ = isa.form == InputForm::widened ? 1 : w.s8_parts();
    panel_bytes_ = parts_ * runs_.all_steps() * isa.panel * 4;
    weights_ = PackedConstants(panels_ * panel_bytes_, operands.memory);
    std::vector<WindowSums> windows(static_cast<std::size_t>(panels_ * isa.panel));
    PackedRows rows = panel_rows();
    for (std::int64_t panel = 0; panel < panels_; ++panel) pack_panel(w, panel, rows, windows);
    list_runs();
    rules_ = isa.knows_fast_forms ? FastRules(p, arrays_, windows) : FastRules(p, arrays_);
  }

  [[nodiscard]] bool runs_in_parts(std::int64_t batch, int shares) const noexcept override {
    return problem_.macs() * batch / shares >= kLeastMacsInParts &&
           work(batch).least(shares) >= kLeastPiecesInParts;
  }
  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    const PanelPart of_it = part(1, share);
    if (problem_.n != 1 || of_it.panels.end - of_it.panels.begin != panels_) return std::nullopt;
    return problem_.reach(of_it.units.begin, of_it.units.end);
  }

  [[nodiscard]] std::span<const std::byte> constants(std::int64_t batch,
                                                     Share share) const noexcept override {
    const Share::Range range = part(batch, share).panels;
    return panels(range.begin, range.end - range.begin);
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override { return band_.scratch_bytes(); }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto [panel_range, pixel_range] = part(args.batch, share);
    const std::int64_t panels_of_share = panel_range.end - panel_range.begin;
    const bool stay_in_l2 = panels_of_share * panel_bytes_ < kStayInL2Bytes;
    const bool pixels_are_far =
        band_.is_in_place() && (pixel_range.end - pixel_range.begin) * problem_.ic > kFarBytes;
    for (std::int64_t first = pixel_range.begin; first < pixel_range.end;) {
      const InputBand::Placed placed = band_.place(args.inputs[0], first, pixel_range.end, args.scratch);
      const std::int64_t next = first + placed.count,
                         next_end = std::min(next + placed.count, pixel_range.end);
      for (std::int64_t i = 0; i < panels_of_share; ++i) {
        const std::int64_t panel = panel_range.begin + i;
        const bool is_last_panel = i + 1 == panels_of_share;
        PanelBlock block = block_of(args, placed, first, panel);
        if (is_last_panel && next == next_end) {
          set_ahead(args.next, block);
        } else if (pixels_are_far) {
          const std::int64_t bytes = (next_end - next) * problem_.ic, begin = bytes * i / panels_of_share;
          set_ahead({args.inputs[0] + next * problem_.ic + begin,
                     static_cast<std::size_t>(bytes * (i + 1) / panels_of_share - begin)},
                    block);
        } else if (!stay_in_l2) {
          set_ahead(panels(is_last_panel ? panel_range.begin : panel + 1, 1), block);
        }
        isa_.multiply(block);
      }
      first = next;
    }
  }

 private:
  [[nodiscard]] std::int64_t pixels(std::int64_t batch) const noexcept {
    return problem_.n * batch * problem_.oh() * problem_.ow();
  }
  /// Units are blocks of pixels.
  [[nodiscard]] PanelWork work(std::int64_t batch) const noexcept {
    const std::int64_t read_once = std::min(problem_.kh * problem_.kw, problem_.sh * problem_.sw);
    return {panels_, weights_.bytes(), divided_up(pixels(batch), isa_.block_pixels),
            kInputCost * pixels(batch) * read_once * problem_.ic};
  }
  /// Units are pixels, whole blocks of them but for the last.
  [[nodiscard]] PanelPart part(std::int64_t batch, Share share) const noexcept {
    const auto [panels, blocks] = work(batch).part(share);
    return {panels,
            {blocks.begin * isa_.block_pixels, std::min(pixels(batch), blocks.end * isa_.block_pixels)}};
  }

  /// The weights of `count` panels from `first` on.
  [[nodiscard]] std::span<const std::byte> panels(std::int64_t first, std::int64_t count) const noexcept {
    return {weights_.data() + first * panel_bytes_, static_cast<std::size_t>(count * panel_bytes_)};
  }

  /// `next`, or as much of its beginning as there are steps, is asked for evenly while the block is
  /// multiplied.
  void set_ahead(std::span<const std::byte> next, PanelBlock& block) const noexcept {
    const std::int64_t groups = block.pixels / isa_.block_pixels;
    if (groups == 0 || next.empty()) return;
    block.ahead = reinterpret_cast<const std::uint8_t*>(next.data());
    const std::int64_t each = divided_up(std::ssize(next), groups * block.steps * kAheadUnit) * kAheadUnit;
    block.ahead_each = std::min(each, kLineBytes);
    block.ahead_groups = std::min(groups, divided_up(std::ssize(next), block.steps * block.ahead_each));
  }

  /// Output channel of the panel's first column.
  [[nodiscard]] std::int64_t first_channel(std::int64_t panel) const noexcept {
    return panel / panels_per_set_ * runs_.merged_groups * problem_.ocg() +
           panel % panels_per_set_ * isa_.panel;
  }
  [[nodiscard]] std::int64_t channels_of(std::int64_t panel) const noexcept {
    const std::int64_t set = runs_.merged_groups * problem_.ocg();
    return std::min(isa_.panel, set - panel % panels_per_set_ * isa_.panel);
  }

  [[nodiscard]] PanelBlock block_of(const KernelArgs& args, const InputBand::Placed& placed,
                                    std::int64_t first, std::int64_t panel) const noexcept {
    const std::int64_t channel = first_channel(panel);
    const std::int64_t y_bytes = problem_.y == DType::f32 ? 4 : 1;
    PanelBlock block{};
    block.windows = placed.windows;
    block.pixels = placed.count;
    block.runs = window_runs_.data() + panel / panels_per_set_ * parts_ * (runs_.count + runs_.end_steps);
    block.steps = parts_ * runs_.all_steps();
    block.weights = reinterpret_cast<const std::uint8_t*>(weights_.data()) + panel * panel_bytes_;
    block.channels = channels_of(panel);
    block.dst = reinterpret_cast<std::uint8_t*>(args.output) + (first * problem_.oc + channel) * y_bytes;
    block.dst_stride = problem_.oc * y_bytes;
    if (problem_.residual != 0) {
      block.residual = reinterpret_cast<const std::uint8_t*>(args.inputs[2]) + first * problem_.oc + channel;
      block.residual_stride = problem_.oc;
    }
    block.form = rules_.form();
    block.rule = rules_.from(panel * isa_.panel);
    return block;
  }

  /// Rows for the channels of a panel.
  [[nodiscard]] PackedRows panel_rows() const {
    std::vector<std::int64_t> taps, ends;
    for (std::int64_t tap = 0; tap < problem_.kh * problem_.kw; ++tap) {
      const std::int64_t run = tap / runs_.columns, column = tap % runs_.columns;
      taps.push_back(run * runs_.steps * 4 + column * runs_.channels * band_.element_bytes());
      if (runs_.ends != RowEnds::shared) continue;
      ends.push_back(column + 1 == runs_.columns ? runs_.count * runs_.steps * 4 + run : -1);
    }
    return {isa_.panel, std::move(taps),       problem_.icg(), runs_.all_steps() * 4,
            parts_,     band_.element_bytes(), std::move(ends)};
  }

  void pack_panel(WeightDifferences& w, std::int64_t panel, PackedRows& rows,
                  std::vector<WindowSums>& windows) {
    for (std::int64_t column = 0; column < channels_of(panel); ++column) {
      const std::int64_t oc = first_channel(panel) + column;
      const std::span<const std::int16_t> window = w.channel(oc);
      const std::int64_t place = panel * isa_.panel + column;
      const WindowSums sums = windows[static_cast<std::size_t>(place)] = window_sums(window);
      arrays_.set(place, oc, sums.total(), band_.zero_point());
      // Where this channel's group begins among the panel's input channels.
      const std::int64_t group = oc / problem_.ocg() % runs_.merged_groups * problem_.icg();
      rows.set(column, window, group * band_.element_bytes());
    }
    std::byte* const to = weights_.data() + panel * panel_bytes_;
    const std::int64_t width = channels_of(panel) <= isa_.narrow_panel ? isa_.narrow_panel : isa_.panel;
    rows.move_to(width, [&](std::int64_t at) { return to + at * width; });
  }

  /// For every set of panels that share input channels, once per part of the weights.
  void list_runs() {
    for (std::int64_t i = 0; i < panels_ / panels_per_set_ * parts_; ++i) {
      const std::int64_t channel = i / parts_ * runs_.channels * band_.element_bytes();
      for (std::int64_t run = 0; run < runs_.count; ++run) {
        const std::int64_t ky = runs_.rows_are_runs ? run : run / problem_.kw;
        const std::int64_t kx = runs_.rows_are_runs ? 0 : run % problem_.kw;
        window_runs_.push_back({band_.tap_offset(ky, kx) + channel, runs_.steps});
      }
      for (std::int64_t group = 0; group < runs_.end_steps; ++group)
        window_runs_.push_back({band_.end_offset(group), 1});
    }
  }

  const DirectIsa& isa_;
  Conv2dProblem problem_;
  Runs runs_;
  InputBand band_;
  std::int64_t panels_per_set_;  ///< sets of merged groups read the same input channels
  std::int64_t panels_;
  RuleArrays arrays_;
  FastRules rules_;
  std::int64_t parts_ = 1;
  std::int64_t panel_bytes_ = 0;
  PackedConstants weights_;
  std::vector<WindowRun> window_runs_;
};

}  // namespace

Support direct_support(const Conv2dProblem& p) noexcept {
  return p.x == DType::f32 ? Support::no("f32") : Support::yes();
}

Support wide_direct_support(const Conv2dProblem& p) noexcept {
  if (const Support direct = direct_support(p); !direct) return direct;
  if (p.g != 1 || p.oc % kWidePanelChannels != 0) return Support::no("not whole panels of 64 channels");
  return cpu_facts().is_intel ? Support::yes()
                              : Support::slower("this CPU requantizes beside the products of narrow panels");
}

std::unique_ptr<Prepared> prepare_direct(const DirectIsa& isa, const Conv2dProblem& p,
                                         const Operands& operands) {
  if (can_be_depthwise(p)) return prepare_depthwise(isa, p, operands);
  return std::make_unique<Direct>(isa, p, operands);
}

}  // namespace octavo
