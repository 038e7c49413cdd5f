#include <algorithm>

#include "base/divided_up.h"
#include "engine/kernels/constant_memory.h"
#include "engine/kernels/matmul/panel_block.h"
#include "engine/kernels/matmul/rows.h"
#include "engine/kernels/matmul/table.h"
#include "engine/kernels/reference_sums.h"

namespace octavo::matmul {
namespace {

/// What is compiled for one ISA.
struct PanelIsa {
  std::int64_t columns;  ///< of a panel
  std::int64_t group;    ///< rows of b that lie side by side for each column, `row_bytes` each
  std::int64_t row_bytes;
  void (*pack)(const MatmulColumns&, std::int8_t*);
  void (*multiply)(const MatmulBlock&);

  [[nodiscard]] std::int64_t panel_bytes(std::int64_t k) const noexcept {
    return columns * (divided_up(k, group) * group * row_bytes + 4);
  }
};
constexpr PanelIsa kAvx512Vnni{64, 4, 1, pack_matmul_panel_avx512_vnni, multiply_matmul_panel_avx512_vnni};
constexpr PanelIsa kAvx2{16, 2, 2, pack_matmul_panel_avx2, multiply_matmul_panel_avx2};

/// Integer products by panels of b's columns: packed beforehand where b is constant, else by each share that
/// needs them. Sums are those of a as u8 and b as s8; what zero points add is put right per column and row.
class Panels final : public Prepared {
 public:
  Panels(const PanelIsa& isa, const MatmulProblem& p, const Operands& operands)
      : isa_(isa),
        problem_(p),
        panels_(divided_up(p.n, isa.columns)),
        panel_bytes_(isa.panel_bytes(p.k)),
        a_zero_(tensor_quantization(operands.inputs[0], "a").zero_point),
        b_(column_quantization(p, operands.inputs[1])) {
    if (is_stored_integer(p.y)) {
      const TensorQuantization y = tensor_quantization(operands.output, "y");
      const StoredRange range = stored_range(p.y);
      y_zero_ = y.zero_point;
      lowest_ = static_cast<float>(range.lowest - y_zero_);
      highest_ = static_cast<float>(range.highest - y_zero_);
      multiplier_ = column_multipliers(operands.inputs[0], b_, y.scale);
      multiplier_.resize(static_cast<std::size_t>(panels_ * isa_.columns));
    }
    const TensorView& b = operands.inputs[1].constant;
    if (b.data == nullptr) return;
    packed_ = PackedConstants(p.b_batches * panels_ * panel_bytes_, operands.memory);
    for (std::int64_t i = 0; i < p.b_batches * panels_; ++i)
      pack(reinterpret_cast<const std::uint8_t*>(b.data) + i / panels_ * p.k * p.n, i % panels_,
           packed_.data() + i * panel_bytes_);
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return 2 * columns_bytes() + (is_packed() ? 0 : panel_bytes_);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const MatmulRows rows(problem_, args.batch);
    const std::int64_t height = rows.per_matrix(), matrices = rows.count() / height;
    // Each panel is packed once where there are enough, or where packing would take as long as the rows of a
    // share; otherwise shares divide the rows.
    const bool by_panels =
        matrices * panels_ >= share.count || (!is_packed() && height < kRowsWorthPacking * share.count);
    const Share::Range items = by_panels ? share.of(matrices * panels_) : Share{}.of(matrices * panels_);
    const Share::Range of_matrix = by_panels ? Share{}.of(height) : share.of(height);
    if (of_matrix.begin == of_matrix.end) return;
    for (std::int64_t i = items.begin; i < items.end; ++i)
      run_panel(args, rows, i % panels_, i / panels_ * height + of_matrix.begin,
                of_matrix.end - of_matrix.begin);
  }

 private:
  static constexpr std::int64_t kRowsWorthPacking = 16;

  /// b is constant: its panels are ready.
  [[nodiscard]] bool is_packed() const noexcept { return packed_.bytes() > 0; }
  /// Of a number for each column of a panel.
  [[nodiscard]] std::int64_t columns_bytes() const noexcept { return 4 * isa_.columns; }

  void pack(const std::uint8_t* b, std::int64_t panel, std::byte* to) const noexcept {
    isa_.pack({b + panel * isa_.columns, problem_.k, problem_.n, columns_of(panel), b_flip()},
              reinterpret_cast<std::int8_t*>(to));
  }
  [[nodiscard]] std::int64_t columns_of(std::int64_t panel) const noexcept {
    return std::min(isa_.columns, problem_.n - panel * isa_.columns);
  }
  [[nodiscard]] std::uint8_t a_flip() const noexcept { return flip_to_u8(problem_.a); }
  /// The other way round: to s8.
  [[nodiscard]] std::uint8_t b_flip() const noexcept { return flip_to_u8(problem_.b) ^ 0x80; }

  /// `count` rows of the result from `first` on, all of one matrix.
  void run_panel(const KernelArgs& args, const MatmulRows& rows, std::int64_t panel, std::int64_t first,
                 std::int64_t count) const noexcept {
    const MatmulProblem& p = problem_;
    const std::int64_t b_offset = rows.b_offset(first), column = panel * isa_.columns;
    std::byte* const own = args.scratch + 2 * columns_bytes();
    const std::byte* packed = own;
    if (is_packed()) {
      packed = packed_.data() + (b_offset / (p.k * p.n) * panels_ + panel) * panel_bytes_;
    } else {
      pack(reinterpret_cast<const std::uint8_t*>(args.inputs[1]) + b_offset, panel, own);
    }
    auto* const start = reinterpret_cast<std::int32_t*>(args.scratch);
    auto* const b_zero = reinterpret_cast<std::int32_t*>(args.scratch + columns_bytes());
    const bool has_zeros = set_columns(args, packed, panel, start, b_zero);
    const std::int64_t y_bytes = dtype_bytes(p.y);
    isa_.multiply({.a = reinterpret_cast<const std::uint8_t*>(args.inputs[0]) + rows.a_offset(first),
                   .rows = count,
                   .k = p.k,
                   .a_flip = a_flip(),
                   .panel = reinterpret_cast<const std::int8_t*>(packed),
                   .columns = columns_of(panel),
                   .start = start,
                   .b_zero = has_zeros ? b_zero : nullptr,
                   .y = reinterpret_cast<std::uint8_t*>(args.output) + (first * p.n + column) * y_bytes,
                   .y_stride = p.n * y_bytes,
                   .multiplier = multiplier_.empty() ? nullptr : multiplier_.data() + column,
                   .lowest = lowest_,
                   .highest = highest_,
                   .y_zero = y_zero_});
  }

  /// Of each column b's zero point, and what its sums begin with: sum (a - za) (b - zb) =
  /// sum a b - zb sum a - za (sum b - k zb), in 32 bits that wrap. Returns whether any zero point is not 0.
  bool set_columns(const KernelArgs& args, const std::byte* packed, std::int64_t panel, std::int32_t* start,
                   std::int32_t* b_zero) const noexcept {
    const MatmulProblem& p = problem_;
    const std::int32_t a_zero =
        a_flip() + (p.a_zero_point != 0 ? stored_at(args.inputs[2], p.a, 0) : a_zero_);
    const auto* sums = reinterpret_cast<const std::int32_t*>(packed + panel_bytes_ - columns_bytes());
    bool has_zeros = false;
    for (std::int64_t i = 0; i < isa_.columns; ++i) {
      const std::int64_t column = std::min(panel * isa_.columns + i, p.n - 1);
      const std::int32_t zero = p.b_zero_point != 0 ? stored_at(args.inputs.back(), p.b, 0)
                                                    : b_.zero_points[static_cast<std::size_t>(column)];
      b_zero[i] = zero - b_flip();
      has_zeros = has_zeros || b_zero[i] != 0;
      start[i] = wrapped(-std::int64_t{a_zero} * (sums[i] - p.k * b_zero[i]));
    }
    return has_zeros;
  }

  const PanelIsa& isa_;
  MatmulProblem problem_;
  std::int64_t panels_, panel_bytes_;
  std::int32_t a_zero_;
  ChannelQuantization b_;
  std::vector<float> multiplier_;
  float lowest_ = 0, highest_ = 0;
  std::int32_t y_zero_ = 0;
  PackedConstants packed_;  ///< [matrix][panel]; empty: b is not constant
};

template <const PanelIsa& isa>
Support supports(const MatmulProblem& p) noexcept {
  if (p.a == DType::f32) return Support::no("f32");
  return p.n <= isa.columns / 4 ? Support::slower("a quarter of a panel") : Support::yes();
}

template <const PanelIsa& isa>
std::unique_ptr<Prepared> prepare(const MatmulProblem& p, const Operands& operands) {
  return std::make_unique<Panels>(isa, p, operands);
}

}  // namespace

KernelRow<MatmulProblem> avx512_vnni_row() {
  return {"avx512_vnni", Isa::avx512_vnni, supports<kAvx512Vnni>, prepare<kAvx512Vnni>};
}

KernelRow<MatmulProblem> avx2_row() { return {"avx2", Isa::avx2, supports<kAvx2>, prepare<kAvx2>}; }

}  // namespace octavo::matmul
