#include <algorithm>

#include "base/bf16.h"
#include "engine/kernels/linear/table.h"
#include "engine/kernels/onednn/row_blocks.h"

namespace octavo::linear {
namespace {

using dnnl::memory;
using onednn::f32_desc;
using onednn::Factors;
using onednn::kBlockRows;
using onednn::lines;

using InnerProduct = dnnl::inner_product_forward;

/// Output channels that one primitive computes: few enough that threads share even a single row.
constexpr std::int64_t kSliceChannels = 256;

InnerProduct::primitive_desc describe(const LinearProblem& p, std::int64_t channels, Factors factors,
                                      const Parameters& parameters) {
  const memory::desc src({kBlockRows, p.ic}, onednn::type_of(factors), memory::format_tag::ab);
  const memory::desc weights({channels, p.ic}, onednn::type_of(factors), memory::format_tag::any);
  const auto bias = p.bias == Bias::f32 ? f32_desc({channels}, memory::format_tag::a) : memory::desc();
  const auto dst = f32_desc({kBlockRows, channels}, memory::format_tag::ab);
  dnnl::post_ops ops;
  onednn::append_activation(ops, p.activation, parameters);
#if DNNL_VERSION_MAJOR >= 3
  return {onednn::engine(),       dnnl::prop_kind::forward_inference, src, weights, bias, dst,
          onednn::attributes(ops)};
#else
  return {{dnnl::prop_kind::forward_inference, src, weights, bias, dst},
          onednn::attributes(ops),
          onednn::engine()};
#endif
}

class OneDnn final : public Prepared {
 public:
  OneDnn(const LinearProblem& p, const Operands& operands, Factors factors) : problem_(p), factors_(factors) {
    for (std::int64_t first = 0; first < p.oc; first += kSliceChannels) {
      const std::int64_t channels = std::min(kSliceChannels, p.oc - first);
      const auto desc = describe(p, channels, factors, operands.parameters);
      const auto* plain = reinterpret_cast<const float*>(operands.inputs[1].constant.data) + first * p.ic;
      slices_.push_back({first, channels, desc, InnerProduct(desc),
                         onednn::reordered(f32_desc({channels, p.ic}, memory::format_tag::ab),
                                           reinterpret_cast<const std::byte*>(plain), desc.weights_desc())});
      scratchpad_bytes_ =
          std::max(scratchpad_bytes_, lines(static_cast<std::int64_t>(desc.scratchpad_desc().get_size())));
    }
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return scratchpad_bytes_ + x_bytes() + lines(kBlockRows * kSliceChannels * 4);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t rows = problem_.m * args.batch;
    const std::int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
    const auto [begin, end] = share.of(blocks * static_cast<std::int64_t>(slices_.size()));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first_row = i % blocks * kBlockRows;
      run_block(args, slices_[static_cast<std::size_t>(i / blocks)], first_row,
                std::min(kBlockRows, rows - first_row));
    }
  }

 private:
  struct Slice {
    std::int64_t first, channels;
    InnerProduct::primitive_desc desc;
    InnerProduct primitive;
    memory weights;
  };

  [[nodiscard]] std::int64_t x_bytes() const noexcept { return lines(kBlockRows * problem_.ic * 4); }

  void run_block(const KernelArgs& args, const Slice& slice, std::int64_t first_row,
                 std::int64_t rows) const noexcept {
    std::byte* const x_spare = args.scratch + scratchpad_bytes_;
    auto* y_block = reinterpret_cast<float*>(args.scratch + scratchpad_bytes_ + x_bytes());
    const auto* x = reinterpret_cast<const float*>(args.inputs[0]) + first_row * problem_.ic;
    const void* block = nullptr;
    if (factors_ == Factors::bf16) {
      auto* const rounded = reinterpret_cast<std::uint16_t*>(x_spare);
      to_bf16(x, rows * problem_.ic, rounded);
      std::fill_n(rounded + rows * problem_.ic, (kBlockRows - rows) * problem_.ic, std::uint16_t{0});
      block = rounded;
    } else {
      block = onednn::whole_block(x, rows, kBlockRows, problem_.ic, reinterpret_cast<float*>(x_spare));
    }
    const auto* bias = problem_.bias == Bias::f32
                           ? reinterpret_cast<const float*>(args.inputs.back()) + slice.first
                           : nullptr;
    onednn::execute(slice.primitive,
                    {{DNNL_ARG_SRC, slice.desc.src_desc(), block},
                     {DNNL_ARG_WEIGHTS, slice.desc.weights_desc(), slice.weights.get_data_handle()},
                     {DNNL_ARG_BIAS, slice.desc.bias_desc(), bias},
                     {DNNL_ARG_SCRATCHPAD, slice.desc.scratchpad_desc(), args.scratch},
                     {DNNL_ARG_DST, slice.desc.dst_desc(), y_block}},
                    y_block, kBlockRows * slice.channels);
    auto* y = reinterpret_cast<float*>(args.output) + first_row * problem_.oc + slice.first;
    for (std::int64_t r = 0; r < rows; ++r) {
      std::copy_n(y_block + r * slice.channels, slice.channels, y + r * problem_.oc);
    }
  }

  LinearProblem problem_;
  Factors factors_;
  std::vector<Slice> slices_;
  std::int64_t scratchpad_bytes_ = 0;
};

Support supports(const LinearProblem& p) noexcept {
  return p.x == DType::f32 ? Support::yes() : Support::no("oneDNN rounds quantized results in its own way");
}

template <Factors factors>
std::unique_ptr<Prepared> prepare(const LinearProblem& p, const Operands& operands) {
  if (!operands.inputs[1].is_constant()) throw Error(ErrorCode::unsupported, "weights that are not constant");
  onednn::check_available(factors);
  return onednn::translated("inner product", [&] { return std::make_unique<OneDnn>(p, operands, factors); });
}

}  // namespace

KernelRow<LinearProblem> onednn_row() { return {"onednn", Isa::generic, supports, prepare<Factors::f32>}; }
KernelRow<LinearProblem> onednn_bf16_row() {
  return {"onednn_bf16", Isa::avx512_vnni, supports, prepare<Factors::bf16>, true};
}

}  // namespace octavo::linear
