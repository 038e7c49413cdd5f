#include <algorithm>

#include "engine/kernels/matmul/rows.h"
#include "engine/kernels/matmul/table.h"
#include "engine/kernels/onednn/row_blocks.h"

namespace octavo::matmul {
namespace {

using dnnl::memory;
using onednn::f32_desc;
using onednn::lines;

/// Rows of one primitive. A matrix of fixed, lower height is one block.
std::int64_t block_rows(const MatmulProblem& p) {
  return p.grows == MatmulGrows::rows ? onednn::kBlockRows : std::min(p.m, onednn::kBlockRows);
}

dnnl::matmul::primitive_desc describe(const MatmulProblem& p) {
  const auto a = f32_desc({block_rows(p), p.k}, memory::format_tag::ab);
  const auto b = f32_desc({p.k, p.n}, memory::format_tag::ab);
  const auto y = f32_desc({block_rows(p), p.n}, memory::format_tag::ab);
#if DNNL_VERSION_MAJOR >= 3
  return {onednn::engine(), a, b, y, onednn::attributes({})};
#else
  return {{a, b, y}, onednn::attributes({}), onednn::engine()};
#endif
}

class OneDnn final : public Prepared {
 public:
  explicit OneDnn(const MatmulProblem& p)
      : problem_(p),
        block_rows_(block_rows(p)),
        desc_(describe(p)),
        primitive_(desc_),
        scratchpad_bytes_(lines(static_cast<std::int64_t>(desc_.scratchpad_desc().get_size()))) {}

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return scratchpad_bytes_ + a_bytes() + lines(block_rows_ * problem_.n * 4);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const MatmulRows rows(problem_, args.batch);
    const std::int64_t blocks_per_matrix = (rows.per_matrix() + block_rows_ - 1) / block_rows_;
    const auto [begin, end] = share.of(rows.count() / rows.per_matrix() * blocks_per_matrix);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t in_matrix = i % blocks_per_matrix * block_rows_;
      const std::int64_t row = i / blocks_per_matrix * rows.per_matrix() + in_matrix;
      run_block(args, rows, row, std::min(block_rows_, rows.per_matrix() - in_matrix));
    }
  }

 private:
  [[nodiscard]] std::int64_t a_bytes() const noexcept { return lines(block_rows_ * problem_.k * 4); }

  void run_block(const KernelArgs& args, const MatmulRows& rows, std::int64_t row,
                 std::int64_t count) const noexcept {
    auto* a_spare = reinterpret_cast<float*>(args.scratch + scratchpad_bytes_);
    auto* y_spare = reinterpret_cast<float*>(args.scratch + scratchpad_bytes_ + a_bytes());
    const auto* a = reinterpret_cast<const float*>(args.inputs[0]) + rows.a_offset(row);
    const auto* b = reinterpret_cast<const float*>(args.inputs[1]) + rows.b_offset(row);
    auto* y = reinterpret_cast<float*>(args.output) + row * problem_.n;
    float* to = count == block_rows_ ? y : y_spare;
    onednn::execute(
        primitive_,
        {{DNNL_ARG_SRC, desc_.src_desc(), onednn::whole_block(a, count, block_rows_, problem_.k, a_spare)},
         {DNNL_ARG_WEIGHTS, desc_.weights_desc(), b},
         {DNNL_ARG_SCRATCHPAD, desc_.scratchpad_desc(), args.scratch},
         {DNNL_ARG_DST, desc_.dst_desc(), to}},
        to, block_rows_ * problem_.n);
    if (to != y) std::copy_n(to, count * problem_.n, y);
  }

  MatmulProblem problem_;
  std::int64_t block_rows_;
  dnnl::matmul::primitive_desc desc_;
  dnnl::matmul primitive_;
  std::int64_t scratchpad_bytes_;
};

Support supports(const MatmulProblem& p) noexcept {
  return p.y == DType::f32 ? Support::yes() : Support::no("integers");
}

std::unique_ptr<Prepared> prepare(const MatmulProblem& p, const Operands&) {
  return onednn::translated("matmul", [&] { return std::make_unique<OneDnn>(p); });
}

}  // namespace

KernelRow<MatmulProblem> onednn_row() { return {"onednn", Isa::generic, supports, prepare}; }

}  // namespace octavo::matmul
