#include "engine/kernels/conv2d/tile.h"

#include <immintrin.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/divided_up.h"
#include "engine/kernels/constant_memory.h"
#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/fast_rule.h"
#include "engine/kernels/conv2d/packed_rows.h"
#include "engine/kernels/conv2d/panel_part.h"
#include "engine/kernels/conv2d/tile_input.h"
#include "engine/kernels/fill_border.h"

namespace octavo {
namespace {

/// Weights up to here stay in L2 while all pixels meet them; larger ones are walked panel by panel, or some
/// panels at a time.
constexpr std::int64_t kGroupBytes = std::int64_t{1280} * 1024;
/// Of larger weights, panels of so many bytes go together where a pair of tiles of pixels stays in L1, which
/// it does up to so many steps.
constexpr std::int64_t kFarGroupBytes = std::int64_t{128} * 1024;
constexpr std::int64_t kStepsInL1 = 16;
/// Weights from here on that meet few pixels come from behind L2 each time, and go again: were each pair of
/// tiles of pixels to meet all of them, the first would wait for what the others find near.
constexpr std::int64_t kFarBytesOfFewPixels = std::int64_t{768} * 1024;
constexpr std::int64_t kFewPairs = 4;
/// From this many steps on, weights push the pixels out of L1 unless they are read past it; residuals take
/// their part of it.
constexpr std::int64_t kStreamedSteps = 8;
constexpr std::int64_t kStreamedStepsBesideResidual = 2;
/// All weights together stay in L1 up to here, whatever passes beside them.
constexpr std::int64_t kWeightsInL1 = std::int64_t{16} * 1024;

/// How far ahead weights and pixels are asked for that come from afar once, and from where on all pixels
/// together do: what measured best.
constexpr std::int64_t kWeightsAheadBytes = std::int64_t{128} * 1024;
constexpr std::int64_t kPixelsAheadBytes = std::int64_t{64} * 1024;
constexpr std::int64_t kFarBytes = std::int64_t{1536} * 1024;

/// PanelWork's cost of a byte of input: what another core has just written comes eight times as slowly as
/// weights that are asked for ahead, and panels' results are read by all threads next (docs/performance.md).
constexpr std::int64_t kInputCostOfTiles = 8;

/// Below these vector kernels were faster (docs/performance.md).
constexpr std::int64_t kFewProducts = 16;
constexpr std::int64_t kFewProductsOfCopies = 27;
constexpr double kFewInAll = 16 * 1024;

std::int64_t pages(std::int64_t bytes) { return divided_up(bytes, kPageLines * kLineBytes); }
std::int64_t lines(std::int64_t bytes) { return divided_up(bytes, kLineBytes) * kLineBytes; }

/// Memory of one thread's `run`.
struct Scratch {
  std::int32_t* sums;
  const std::uint8_t** tiles;
  std::uint8_t** dst;
  const std::uint8_t** residual;
  std::uint8_t* nowhere;  ///< results of rows without a pixel
  std::byte* copy;
};

/// The same convolution with two neighbouring output pixels taken as one of twice the channels, where those
/// of one fill less than half a panel: windows reach a stride further and are two strides apart.
Conv2dProblem paired(const Conv2dProblem& p) {
  if (2 * p.oc > kTilePanel || p.ow() % 2 != 0 || p.dw != 1) return p;
  Conv2dProblem pair = p;
  pair.oc = 2 * p.oc;
  if (TileInput::is_in_place(p)) {
    pair.ic = 2 * p.ic, pair.iw = p.iw / 2;
  } else {
    pair.kw = p.kw + p.sw, pair.sw = 2 * p.sw;
  }
  return pair;
}

/// The window of channel `oc` of paired(p): that of a channel of p, on the side of its pixel.
void place_in_pair(const Conv2dProblem& p, const Conv2dProblem& pair, std::int64_t oc,
                   std::span<const std::int16_t> window, std::vector<std::int16_t>& placed) {
  const bool is_second = oc >= p.oc;
  placed.assign(static_cast<std::size_t>(pair.ic * pair.kh * pair.kw), 0);
  const std::int64_t begin = !is_second ? 0 : pair.ic != p.ic ? p.ic : p.sw;
  for (std::int64_t row = 0; row < p.ic * p.kh; ++row) {
    std::copy_n(window.data() + row * p.kw, p.kw, placed.data() + row * pair.kw + begin);
  }
}

/// Rows for the 16 channels of half a panel.
PackedRows half_panel(const TileInput& input, const Conv2dProblem& p, std::int64_t parts) {
  std::vector<std::int64_t> taps;
  for (std::int64_t tap = 0; tap < p.kh * p.kw; ++tap) {
    const TileInput::Place place = input.place_of(0, tap / p.kw, tap % p.kw);
    taps.push_back(place.step * kTileStepBytes + place.byte);
  }
  return {kTileRows, std::move(taps), p.ic, std::ssize(input.steps()) * kTileStepBytes, parts};
}

class TileConvolution final : public Prepared {
 public:
  TileConvolution(void (*multiply)(const TileWork&), const Conv2dProblem& p, const Operands& operands,
                  TileOrder order)
      : multiply_(multiply),
        order_(order),
        problem_(paired(p)),
        input_(problem_, tensor_quantization(operands.inputs[0], "x").zero_point),
        panels_(divided_up(problem_.oc, kTilePanel)),
        arrays_(p, operands, panels_ * kTilePanel),
        rules_(problem_, arrays_),
        most_tiles_((input_.most_positions() / kTileRows + 1) * input_.most_strips() + 1) {
    WeightDifferences w(p, operands);
    const auto steps = static_cast<std::int64_t>(input_.steps().size());
    for (std::int64_t part = 0; part < w.s8_parts(); ++part) {
      steps_.insert(steps_.end(), input_.steps().begin(), input_.steps().end());
    }
    panel_bytes_ = w.s8_parts() * steps * kTileStepWeights;
    weights_ = PackedConstants(panels_ * panel_bytes_, operands.memory);
    std::vector<WindowSums> windows(static_cast<std::size_t>(problem_.oc));
    PackedRows rows = half_panel(input_, problem_, w.s8_parts());
    std::vector<std::int16_t> placed;
    for (std::int64_t oc = 0; oc < problem_.oc; ++oc) {
      std::span<const std::int16_t> window = w.channel(oc % p.oc);
      const WindowSums sums = windows[static_cast<std::size_t>(oc)] = window_sums(window);
      arrays_.set(oc, oc % p.oc, sums.total(), input_.zero_point());
      if (problem_.oc != p.oc) {
        place_in_pair(p, problem_, oc, window, placed);
        window = placed;
      }
      rows.set(oc % kTileRows, window);
      if ((oc + 1) % kTileRows != 0 && oc + 1 != problem_.oc) continue;
      const std::int64_t column = oc % kTilePanel / kTileRows * (kTileStepWeights / 2);
      std::byte* const half = weights_.data() + oc / kTilePanel * panel_bytes_ + column;
      rows.move_to(kTileRows, [half](std::int64_t at) {  // in a tile 4 bytes of each column follow each other
        return half + at / kTileStepBytes * kTileStepWeights + at % kTileStepBytes * 16;
      });
    }
    rules_ = FastRules(problem_, arrays_, windows);
    const std::int32_t* const starts = rules_.from(0).start;
    has_starts_ = std::any_of(starts, starts + problem_.oc, [](std::int32_t start) { return start != 0; });
    pixels_together_ = problem_.oc / p.oc;
    wanted_ = input_.layout();
  }

  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    const PanelPart of_it = part(1, share);
    if (problem_.n != 1 || of_it.panels.end - of_it.panels.begin != panels_) return std::nullopt;
    return problem_.reach(of_it.units.begin * problem_.ow(), of_it.units.end * problem_.ow());
  }

  [[nodiscard]] std::span<const std::byte> constants(std::int64_t batch,
                                                     Share share) const noexcept override {
    const auto [panels, rows] = part(batch, share);
    std::int64_t bytes = (panels.end - panels.begin) * panel_bytes_;
    const std::int64_t pairs =
        divided_up((rows.end - rows.begin) * problem_.ow(), std::int64_t{2} * kTileRows);
    if (asks_for_weights(chosen_order(pairs))) bytes = std::min(bytes, kWeightsAheadBytes);
    return {weights_.data() + panels.begin * panel_bytes_, static_cast<std::size_t>(bytes)};
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return lines(kTileSums * 4) + lines(most_tiles_ * 8) + 2 * lines(places_bytes()) +
           lines(panels_ * kTilePanel * 4) + input_.copy_bytes();
  }

  [[nodiscard]] const PixelLayout* wanted_layout() const noexcept override {
    return wanted_ ? &*wanted_ : nullptr;
  }
  [[nodiscard]] bool can_write(const PixelLayout& layout) const noexcept override {
    return problem_.y == DType::u8 && has_results_of(layout);
  }
  [[nodiscard]] bool can_add(const PixelLayout& layout) const noexcept override {
    return problem_.residual != 0 && problem_.r == DType::u8 && has_results_of(layout);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    if (args.output_layout != nullptr) fill_border(args, problem_.n, share);
    const auto [panel_range, row_range] = part(args.batch, share);
    if (panel_range.begin == panel_range.end) return;
    const Scratch scratch = divide(args.scratch);
    for (std::int64_t row = row_range.begin; row < row_range.end;) {
      const TileInput::Band band = input_.band(row, row_range.end, args.has_wanted_layout);
      TileWork work = work_of(args, band, panel_range, scratch);
      const std::int64_t end = row + band.images * band.rows;
      set_next(args.next, Share::Range{row - row_range.begin, end - row_range.begin},
               row_range.end - row_range.begin, work);
      multiply_(work);
      row = end;
    }
  }

 private:
  /// Whether these are as many images of the results' size, in which neighbours that are computed as one
  /// pixel stay neighbours.
  [[nodiscard]] bool has_results_of(const PixelLayout& layout) const noexcept {
    const std::int64_t channels = problem_.oc / pixels_together_;
    bool has = layout.channels == channels && layout.images == problem_.n &&
               std::ssize(layout.row) == problem_.oh() &&
               std::ssize(layout.column) == problem_.ow() * pixels_together_;
    for (std::size_t x = 1; has && pixels_together_ == 2 && x < layout.column.size(); x += 2)
      has = layout.column[x] == layout.column[x - 1] + channels;
    return has;
  }

  /// Units are rows.
  [[nodiscard]] PanelPart part(std::int64_t batch, Share share) const noexcept {
    const Conv2dProblem& p = problem_;
    const std::int64_t pixels = std::min(p.ih * p.iw, p.oh() * p.ow() * p.kh * p.kw);  // that are read
    const std::int64_t input_bytes = p.n * batch * pixels * p.ic;
    return PanelWork{panels_, weights_.bytes(), p.n * batch * p.oh(), kInputCostOfTiles * input_bytes}.part(
        share);
  }

  /// Of one list of places; RowWalk may write one more than there are.
  [[nodiscard]] std::int64_t places_bytes() const noexcept { return (most_tiles_ * kTileRows + 1) * 8; }

  [[nodiscard]] Scratch divide(std::byte* memory) const noexcept {
    const auto take = [&](std::int64_t bytes) {
      std::byte* const part = memory;
      memory += lines(bytes);
      return part;
    };
    Scratch s{};
    s.sums = reinterpret_cast<std::int32_t*>(take(kTileSums * 4));
    s.tiles = reinterpret_cast<const std::uint8_t**>(take(most_tiles_ * 8));
    s.dst = reinterpret_cast<std::uint8_t**>(take(places_bytes()));
    s.residual = reinterpret_cast<const std::uint8_t**>(take(places_bytes()));
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
    work.weights = reinterpret_cast<const std::uint8_t*>(weights_.data()) + panel_range.begin * panel_bytes_;
    work.panels = panel_range.end - panel_range.begin;
    const TileOrder order = chosen_order(work.tile_count / 2);
    set_order(order, work);
    set_ahead(order, band, args.batch, work);
    work.channels = std::min(problem_.oc - panel_range.begin * kTilePanel, work.panels * kTilePanel);
    work.fetches_rows =
        lists_residuals(args) && args.output_layout == nullptr && args.residual_layout == nullptr ? 1 : 0;
    work.sums = s.sums;
    work.form = rules_.form();
    work.rule = rules_.from(panel_range.begin * kTilePanel);
    work.rule.adds_starts = has_starts_ ? 1 : 0;
    return work;
  }

  /// The band's part of what the next step needs, a few lines of it each step.
  static void set_next(std::span<const std::byte> next, Share::Range rows, std::int64_t of_rows,
                       TileWork& work) noexcept {
    const auto lines = std::ssize(next) / kLineBytes;
    const std::int64_t begin = lines * rows.begin / of_rows, end = lines * rows.end / of_rows;
    const std::int64_t steps = std::max<std::int64_t>(work.tile_count / 2 * work.panels * work.step_count, 1);
    work.next = reinterpret_cast<const std::uint8_t*>(next.data()) + begin * kLineBytes;
    work.next_lines = end - begin;
    const std::int64_t each = divided_up(end - begin, steps);
    work.next_lines_each = static_cast<int>(std::min(each, pages((end - begin) * kLineBytes)));
  }

  /// For so many pairs of tiles of pixels.
  [[nodiscard]] TileOrder chosen_order(std::int64_t pairs) const noexcept {
    if (order_ != TileOrder::chosen) return order_;
    if (weights_.bytes() > kGroupBytes)
      return std::ssize(steps_) <= kStepsInL1 ? TileOrder::groups : TileOrder::panels;
    if (pairs <= kFewPairs && weights_.bytes() >= kFarBytesOfFewPixels) return TileOrder::groups;
    if (weights_.bytes() <= kWeightsInL1) return TileOrder::pixels;
    const std::int64_t streamed = problem_.residual != 0 ? kStreamedStepsBesideResidual : kStreamedSteps;
    return std::ssize(steps_) >= streamed ? TileOrder::pixels_streamed : TileOrder::pixels;
  }
  /// Whether weights come from afar once, and are asked for ahead of their turn by the step itself.
  [[nodiscard]] static bool asks_for_weights(TileOrder order) noexcept {
    return order == TileOrder::panels || order == TileOrder::groups;
  }

  void set_order(TileOrder order, TileWork& work) const noexcept {
    work.group = work.panels;
    if (order == TileOrder::panels) work.group = 1;
    if (order == TileOrder::groups) work.group = std::max<std::int64_t>(kFarGroupBytes / panel_bytes_, 1);
    const bool is_long = std::ssize(steps_) > kStepsInL1;
    const bool streams = order == TileOrder::pixels_streamed || order == TileOrder::groups ||
                         (order == TileOrder::panels && is_long);
    work.streams_weights = streams ? 1 : 0;
  }

  /// What comes from afar once is asked for ahead, evenly over the band's steps: of panels after each other
  /// the weights, of tiles after each other many pixels.
  void set_ahead(TileOrder order, const TileInput::Band& band, std::int64_t batch,
                 TileWork& work) const noexcept {
    const std::uint8_t* from = nullptr;
    std::int64_t bytes = 0, begin = 0;
    const std::int64_t pairs = std::max<std::int64_t>(work.tile_count / 2, 1);
    if (asks_for_weights(order)) {
      from = work.weights;
      bytes = work.panels * panel_bytes_;
      begin = pairs > 1 ? std::max(kWeightsAheadBytes, work.group * panel_bytes_) : kWeightsAheadBytes;
    } else if (comes_from_afar(batch)) {
      from = work.tiles[0];
      bytes = input_.positions(band) * input_.position_bytes();
      begin = kPixelsAheadBytes;
    }
    const std::int64_t steps = pairs * work.panels * work.step_count;
    begin = std::min(begin, bytes);
    work.lines_ahead =
        static_cast<int>(std::min(divided_up(bytes / kLineBytes, steps), pages(bytes - begin)));
    work.ahead = from + begin;
    work.ahead_end = from + bytes;
  }

  /// Whether pixels are read where they are, and are too many to be near.
  [[nodiscard]] bool comes_from_afar(std::int64_t batch) const noexcept {
    const Conv2dProblem& p = problem_;
    return TileInput::is_in_place(p) && p.n * batch * p.ih * p.iw * p.ic >= kFarBytes;
  }

  /// Divides each strip of the band into equally many tiles of equally many rows; a strip's last tile may
  /// overlap the one before it, and the last tile of all may be there only to make their number even.
  void place_tiles(const KernelArgs& args, const TileInput::Band& band, std::int64_t channel,
                   const Scratch& s, TileWork& work) const noexcept {
    const std::uint8_t* base = args.has_wanted_layout ? input_.placed(band, args.inputs[0])
                                                      : input_.place(band, args.inputs[0], s.copy);
    const std::int64_t positions = input_.positions(band), strips = input_.strips(band);
    std::int64_t tiles = divided_up(positions, kTileRows);
    if (strips == 1 && tiles % 2 != 0 && positions > tiles) ++tiles;
    const std::int64_t rows = divided_up(positions, tiles);
    tiles = divided_up(positions, rows);
    RowWalk walk(*this, args, band, channel, s);
    std::int64_t at = 0;
    for (std::int64_t strip = 0; strip < strips; ++strip) {
      walk.begin_strip();
      for (std::int64_t tile = 0; tile < tiles; ++tile, ++at) {
        const std::int64_t begin = std::min(tile * rows, positions - rows);
        s.tiles[at] = base + strip * input_.strip_bytes() + begin * input_.position_bytes();
      }
      const std::int64_t old = tiles * rows - positions;  // of the last tile
      if (rows == kTileRows) {
        walk.add_positions((tiles - 1) * rows);
      } else {
        for (std::int64_t tile = 0; tile + 1 < tiles; ++tile) {
          walk.add_positions(rows);
          walk.add_nowhere(kTileRows - rows);
        }
      }
      walk.add_nowhere(old);
      walk.add_positions(rows - old);
      walk.add_nowhere(kTileRows - rows);
    }
    if (at % 2 != 0) {
      s.tiles[at] = s.tiles[at - 1];
      walk.add_nowhere(kTileRows);
      ++at;
    }
    const std::byte* const x_end =
        args.inputs[0] + problem_.n * args.batch * problem_.ih * problem_.iw * problem_.ic;
    input_.keep_inside({s.tiles, static_cast<std::size_t>(at)}, rows, x_end, s.copy);
    work.tiles = s.tiles;
    work.tile_count = at;
    work.rows = static_cast<int>(rows);
    work.dst = s.dst;
    work.residual = lists_residuals(args) ? s.residual : s.dst;
  }

  /// Whether residuals are elsewhere than the results that take their place.
  [[nodiscard]] bool lists_residuals(const KernelArgs& args) const noexcept {
    return problem_.residual != 0 && args.inputs[2] != args.output;
  }

  /// Lists places of pixels of one tensor, row after row.
  template <class Pointer>
  class Places {
   public:
    /// `to`: the list. `pixels`: channel 0 of the first pixel of all images. `layout`: nullptr: pixels of
    /// `pixel_bytes` follow each other.
    Places(const TileConvolution& conv, const TileInput::Band& band, std::int64_t channel, Pointer* to,
           Pointer pixels, std::int64_t element_bytes, const PixelLayout* layout, Pointer nowhere)
        : to_(to),
          nowhere_(nowhere),
          layout_(layout),
          pixels_together_(conv.pixels_together_),
          pixel_bytes_(conv.problem_.oc * element_bytes),
          y_(static_cast<std::size_t>(band.first_row)) {
      const Conv2dProblem& p = conv.problem_;
      const std::int64_t first = (band.first_image * p.oh() + band.first_row) * p.ow();
      at_ = pixels + channel * element_bytes +
            (layout != nullptr ? band.first_image * layout->image_bytes : first * pixel_bytes_);
    }
    void add_nowhere(std::int64_t rows) noexcept { add(rows, nowhere_, 0); }
    /// Pixels of one row, from `column` on.
    void add_pixels(std::int64_t column, std::int64_t count) noexcept {
      if (layout_ == nullptr) {
        add(count, at_, pixel_bytes_);
        at_ += count * pixel_bytes_;
        return;
      }
      const Pointer row = at_ + layout_->row[y_];
      const std::int64_t* const columns = layout_->column.data() + column * pixels_together_;
      if (layout_->column_step != 0)
        return add(count, row + *columns, layout_->column_step * pixels_together_);
      for (std::int64_t i = 0; i < count; ++i) to_[i] = row + columns[i * pixels_together_];
      to_ += count;
    }
    void begin_row() noexcept {
      if (layout_ == nullptr || ++y_ < layout_->row.size()) return;
      y_ = 0;
      at_ += layout_->image_bytes;
    }

   private:
    /// `rows` places `step` bytes apart, two at a time, and so perhaps one more, for which there must be
    /// room: rows are short, and there are many.
    void add(std::int64_t rows, Pointer first, std::int64_t step) noexcept {
      const auto at = reinterpret_cast<std::int64_t>(first);
      __m128i two = _mm_set_epi64x(at + step, at);
      for (std::int64_t i = 0; i < rows; i += 2) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to_ + i), two);
        two = _mm_add_epi64(two, _mm_set1_epi64x(2 * step));
      }
      to_ += rows;
    }

    Pointer* to_;
    Pointer nowhere_;
    const PixelLayout* layout_;
    std::int64_t pixels_together_;
    std::int64_t pixel_bytes_;
    std::size_t y_;  ///< the row of its image
    Pointer at_;     ///< the next pixel, or with a layout the image
  };

  /// Lists where the results of tile rows go, and where their residuals are if elsewhere, row after row.
  class RowWalk {
   public:
    RowWalk(const TileConvolution& conv, const KernelArgs& args, const TileInput::Band& band,
            std::int64_t channel, const Scratch& s)
        : lists_residuals_(conv.lists_residuals(args)),
          results_(conv, band, channel, s.dst, reinterpret_cast<std::uint8_t*>(args.output),
                   conv.problem_.y == DType::f32 ? 4 : 1, args.output_layout, s.nowhere),
          residuals_(conv, band, channel, s.residual,
                     reinterpret_cast<const std::uint8_t*>(lists_residuals_ ? args.inputs[2] : args.output),
                     1, args.residual_layout, s.nowhere),
          pixels_in_row_(conv.problem_.ow()),
          columns_(conv.input_.columns()) {
      const bool is_seamless =
          args.output_layout == nullptr && args.residual_layout == nullptr && columns_ == pixels_in_row_;
      if (is_seamless) pixels_in_row_ = columns_ = std::numeric_limits<std::int64_t>::max();
    }
    void begin_strip() noexcept {
      if (column_ != 0) begin_row();
    }
    void add_nowhere(std::int64_t rows) noexcept {
      results_.add_nowhere(rows);
      if (lists_residuals_) residuals_.add_nowhere(rows);
    }
    void add_positions(std::int64_t rows) noexcept {
      while (rows > 0) {
        const bool is_inside = column_ < pixels_in_row_;
        const std::int64_t run = std::min(rows, (is_inside ? pixels_in_row_ : columns_) - column_);
        if (is_inside) {
          results_.add_pixels(column_, run);
          if (lists_residuals_) residuals_.add_pixels(column_, run);
        } else {
          add_nowhere(run);
        }
        rows -= run;
        column_ += run;
        if (column_ == columns_) begin_row();
      }
    }

   private:
    void begin_row() noexcept {
      column_ = 0;
      results_.begin_row();
      if (lists_residuals_) residuals_.begin_row();
    }

    bool lists_residuals_;
    Places<std::uint8_t*> results_;
    Places<const std::uint8_t*> residuals_;
    std::int64_t pixels_in_row_, columns_;
    std::int64_t column_ = 0;
  };

  void (*multiply_)(const TileWork&);
  TileOrder order_;
  Conv2dProblem problem_;  ///< as it is multiplied
  TileInput input_;
  std::int64_t panels_;
  RuleArrays arrays_;
  FastRules rules_;
  std::int64_t most_tiles_;
  std::vector<std::int64_t> steps_;
  std::int64_t panel_bytes_ = 0;
  PackedConstants weights_;
  bool has_starts_ = false;           ///< some channel's sum begins with another number than 0
  std::int64_t pixels_together_ = 1;  ///< output pixels that are one of problem_
  std::optional<PixelLayout> wanted_;
};

}  // namespace

Support tiles_support(const Conv2dProblem& p) noexcept {
  if (p.x == DType::f32) return Support::no("f32");
  if (p.g != 1) return Support::no("groups");
  const std::int64_t products = p.ic * p.kh * p.kw;  // of a sum
  const bool is_alone = paired(p).oc == p.oc;
  if (is_alone && products < (TileInput::is_in_place(p) ? kFewProducts : kFewProductsOfCopies)) {
    return Support::slower("a step of 64 products would be mostly empty");
  }
  if (static_cast<double>(p.n * p.oh() * p.ow()) * static_cast<double>(p.oc * products) < kFewInAll) {
    return Support::slower("tiles take longer to begin than so few products");
  }
  return Support::yes();
}

Support tile_order_support(const Conv2dProblem& p) noexcept {
  const Support tiles = tiles_support(p);
  if (!tiles) return tiles;
  if (p.oc <= kTilePanel) return Support::no("one panel of weights: no choice of order");
  return Support::slower("amx_int8 chooses the order by the sizes; this one is for tuning");
}

std::unique_ptr<Prepared> prepare_tiles(void (*multiply)(const TileWork&), const Conv2dProblem& p,
                                        const Operands& operands, TileOrder order) {
  return std::make_unique<TileConvolution>(multiply, p, operands, order);
}

}  // namespace octavo
