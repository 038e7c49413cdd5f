#include "engine/kernels/conv2d/tile.h"

#include <algorithm>
#include <cstdlib>

#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/tile_input.h"
#include "engine/kernels/conv2d/tile_rule.h"

namespace octavo {
namespace {

constexpr std::int64_t kLine = 64;
/// Weights that stay in L2 beside the pixels that meet them.
constexpr std::int64_t kGroupBytes = 1200 * 1024;

std::int64_t lines(std::int64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

/// Memory of one thread's `run`.
struct Scratch {
  std::int32_t* sums;
  const std::uint8_t** tiles;
  std::uint8_t** dst;
  const std::uint8_t** residual;
  std::uint8_t* nowhere;  ///< results of rows without a pixel
  std::byte* copy;
};

class TileConvolution final : public Prepared {
 public:
  TileConvolution(void (*multiply)(const TileWork&), const Conv2dProblem& p, const Operands& operands)
      : multiply_(multiply),
        problem_(p),
        input_(p, tensor_quantization(operands.inputs[0], "x").zero_point),
        panels_((p.oc + kTilePanel - 1) / kTilePanel),
        arrays_(p, operands, panels_ * kTilePanel),
        most_tiles_((input_.most_positions() / kTileRows + 1) * input_.most_strips() + 1) {
    const WeightDifferences w(p, operands);
    const auto steps = static_cast<std::int64_t>(input_.steps().size());
    for (std::int64_t part = 0; part < w.s8_parts(); ++part) {
      steps_.insert(steps_.end(), input_.steps().begin(), input_.steps().end());
    }
    panel_bytes_ = w.s8_parts() * steps * kTileStepWeights;
    weights_ = Tensor(DType::u8, {panels_ * panel_bytes_});
    std::vector<TileRules::SumRange> sums(static_cast<std::size_t>(p.oc));
    for (std::int64_t oc = 0; oc < p.oc; ++oc) {
      arrays_.set(oc, oc, w.sum(oc), input_.zero_point());
      sums[static_cast<std::size_t>(oc)] = pack_channel(w, oc);
    }
    rules_ = std::make_unique<TileRules>(p, arrays_, sums);
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return lines(kTileSums * 4) + lines(most_tiles_ * 8) + 2 * lines(most_tiles_ * kTileRows * 8) +
           lines(panels_ * kTilePanel * 4) + input_.copy_bytes();
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t rows = problem_.n * args.batch * problem_.oh();
    Share::Range panel_range{0, panels_};
    Share::Range row_range{0, rows};
    // Each thread should read the larger operand only in part: weights by panels, or input by pixels.
    const bool weights_are_larger = weights_.bytes() > rows * problem_.ow() * problem_.ic;
    if (panels_ >= share.count && (weights_are_larger || rows < share.count)) {
      panel_range = share.of(panels_);
    } else {
      row_range = share.of(rows);
    }
    if (panel_range.begin == panel_range.end) return;
    const Scratch scratch = divide(args.scratch);
    for (std::int64_t row = row_range.begin; row < row_range.end;) {
      const TileInput::Band band = input_.band(row, row_range.end);
      multiply_(work_of(args, band, panel_range, scratch));
      row += band.images * band.rows;
    }
  }

 private:
  [[nodiscard]] Scratch divide(std::byte* memory) const noexcept {
    const auto take = [&](std::int64_t bytes) {
      std::byte* const part = memory;
      memory += lines(bytes);
      return part;
    };
    Scratch s{};
    s.sums = reinterpret_cast<std::int32_t*>(take(kTileSums * 4));
    s.tiles = reinterpret_cast<const std::uint8_t**>(take(most_tiles_ * 8));
    s.dst = reinterpret_cast<std::uint8_t**>(take(most_tiles_ * kTileRows * 8));
    s.residual = reinterpret_cast<const std::uint8_t**>(take(most_tiles_ * kTileRows * 8));
    s.nowhere = reinterpret_cast<std::uint8_t*>(take(panels_ * kTilePanel * 4));
    s.copy = memory;
    return s;
  }

  [[nodiscard]] TileWork work_of(const KernelArgs& args, const TileInput::Band& band,
                                 const Share::Range& panel_range, const Scratch& s) const noexcept {
    TileWork work{};
    place_tiles(args, band, panel_range.begin * kTilePanel, s, work);
    work.row_stride = input_.position_bytes();
    work.steps = steps_.data();
    work.step_count = static_cast<std::int64_t>(steps_.size());
    work.weights = weights_.as<std::uint8_t>().data() + panel_range.begin * panel_bytes_;
    work.panels = panel_range.end - panel_range.begin;
    work.group = std::clamp<std::int64_t>(kGroupBytes / panel_bytes_, 1, work.panels);
    work.channels = std::min(problem_.oc - panel_range.begin * kTilePanel, work.panels * kTilePanel);
    work.sums = s.sums;
    work.form = rules_->form();
    work.rule = rules_->from(panel_range.begin * kTilePanel);
    return work;
  }

  /// Divides each strip of the band into equally many tiles of equally many rows; a strip's last tile may
  /// overlap the one before it, and the last tile of all may be there only to make their number even.
  void place_tiles(const KernelArgs& args, const TileInput::Band& band, std::int64_t channel,
                   const Scratch& s, TileWork& work) const noexcept {
    const std::uint8_t* base = input_.place(band, args.inputs[0], s.copy);
    const std::int64_t positions = input_.positions(band), strips = input_.strips(band);
    std::int64_t tiles = (positions + kTileRows - 1) / kTileRows;
    if (strips == 1 && tiles % 2 != 0 && positions > tiles) ++tiles;
    const std::int64_t rows = (positions + tiles - 1) / tiles;
    tiles = (positions + rows - 1) / rows;
    std::int64_t at = 0;
    for (std::int64_t strip = 0; strip < strips; ++strip) {
      for (std::int64_t tile = 0; tile < tiles; ++tile, ++at) {
        const std::int64_t begin = std::min(tile * rows, positions - rows);
        s.tiles[at] = base + strip * input_.strip_bytes() + begin * input_.position_bytes();
        for (std::int64_t row = 0; row < kTileRows; ++row) {
          const bool is_new = row < rows && begin + row >= tile * rows;
          const std::int64_t pixel = is_new ? input_.pixel(band, strip, begin + row) : -1;
          set_row(args, at * kTileRows + row, pixel, channel, s);
        }
      }
    }
    if (at % 2 != 0) {
      s.tiles[at] = s.tiles[at - 1];
      for (std::int64_t row = 0; row < kTileRows; ++row) set_row(args, at * kTileRows + row, -1, channel, s);
      ++at;
    }
    work.tiles = s.tiles;
    work.tile_count = at;
    work.rows = static_cast<int>(rows);
    work.dst = s.dst;
    work.residual = s.residual;
  }

  void set_row(const KernelArgs& args, std::int64_t at, std::int64_t pixel, std::int64_t channel,
               const Scratch& s) const noexcept {
    const std::int64_t y_bytes = problem_.y == DType::f32 ? 4 : 1;
    const std::int64_t element = pixel * problem_.oc + channel;
    s.dst[at] = pixel < 0 ? s.nowhere : reinterpret_cast<std::uint8_t*>(args.output) + element * y_bytes;
    if (problem_.residual != 0) {
      s.residual[at] =
          pixel < 0 ? s.nowhere : reinterpret_cast<const std::uint8_t*>(args.inputs[2]) + element;
    }
  }

  /// Packs a channel's weights and returns the range of its sums.
  TileRules::SumRange pack_channel(const WeightDifferences& w, std::int64_t oc) {
    const std::int64_t start = arrays_.from(oc).start[0];
    const auto input_steps = static_cast<std::int64_t>(input_.steps().size());
    std::byte* const panel = weights_.data() + oc / kTilePanel * panel_bytes_;
    const std::int64_t column = oc % kTilePanel;
    const std::int64_t half = column / 16 * (kTileStepWeights / 2) + column % 16 * 4;
    TileRules::SumRange sums{start, start};
    for (std::int64_t ky = 0; ky < problem_.kh; ++ky) {
      for (std::int64_t kx = 0; kx < problem_.kw; ++kx) {
        for (std::int64_t ic = 0; ic < problem_.ic; ++ic) {
          const std::int32_t difference = w.at(oc, ic, ky, kx);
          (difference < 0 ? sums.least : sums.greatest) += std::int64_t{255} * difference;
          const TileInput::Place place = input_.place_of(ic, ky, kx);
          std::byte* to = panel + place.step * kTileStepWeights + place.byte / 4 * 64 + half + place.byte % 4;
          for (std::int64_t part = 0; part * input_steps < static_cast<std::int64_t>(steps_.size()); ++part) {
            to[part * input_steps * kTileStepWeights] = static_cast<std::byte>(s8_part(difference, part));
          }
        }
      }
    }
    return sums;
  }

  void (*multiply_)(const TileWork&);
  Conv2dProblem problem_;
  TileInput input_;
  std::int64_t panels_;
  RuleArrays arrays_;
  std::int64_t most_tiles_;
  std::vector<std::int64_t> steps_;
  std::int64_t panel_bytes_ = 0;
  Tensor weights_;
  std::unique_ptr<TileRules> rules_;
};

}  // namespace

Support tiles_support(const Conv2dProblem& p) noexcept {
  if (p.x == DType::f32) return Support::no("f32");
  if (p.g != 1) return Support::no("groups");
  return Support::yes();
}

std::unique_ptr<Prepared> prepare_tiles(void (*multiply)(const TileWork&), const Conv2dProblem& p,
                                        const Operands& operands) {
  return std::make_unique<TileConvolution>(multiply, p, operands);
}

}  // namespace octavo
