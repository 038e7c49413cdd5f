#include <algorithm>

#include "base/bf16.h"
#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/onednn/onednn.h"

namespace octavo::conv2d {
namespace {

using dnnl::memory;
using onednn::f32_desc;
using onednn::Factors;

using Convolution = dnnl::convolution_forward;

/// Some rows of one image's output, and the rows of input that they need.
struct Band {
  std::int64_t first, rows;              ///< of the output
  std::int64_t first_input, input_rows;  ///< without padding
  std::int64_t pad_top, pad_bottom;

  Band(const Conv2dProblem& p, std::int64_t begin, std::int64_t end) : first(begin), rows(end - begin) {
    const std::int64_t top = begin * p.sh - p.pt;
    const std::int64_t bottom = (end - 1) * p.sh - p.pt + p.dh * (p.kh - 1) + 1;
    first_input = std::clamp<std::int64_t>(top, 0, p.ih);
    input_rows = std::clamp<std::int64_t>(bottom, 0, p.ih) - first_input;
    pad_top = first_input - top;
    pad_bottom = bottom - first_input - input_rows;
  }
};

/// An image's output in up to `most` bands of about the same height; one where a band would lie in the
/// padding alone.
std::vector<Band> bands_of(const Conv2dProblem& p, std::int64_t most) {
  const auto count = static_cast<int>(std::min(most, p.oh()));
  std::vector<Band> bands;
  for (int i = 0; i < count; ++i) {
    const Share::Range range = Share{i, count}.of(p.oh());
    bands.emplace_back(p, range.begin, range.end);
    if (bands.back().input_rows < 1) return {Band(p, 0, p.oh())};
  }
  return bands;
}

memory::dims weight_dims(const Conv2dProblem& p) {
  if (p.g == 1) return {p.oc, p.ic, p.kh, p.kw};
  return {p.g, p.ocg(), p.icg(), p.kh, p.kw};
}

/// `weights`: the layout to use, or any.
Convolution::primitive_desc describe(const Conv2dProblem& p, const Band& band, const memory::desc& weights,
                                     Factors factors, const Parameters& parameters) {
  const memory::desc src({1, p.ic, band.input_rows, p.iw}, onednn::type_of(factors),
                         memory::format_tag::nhwc);
  const auto dst = f32_desc({1, p.oc, band.rows, p.ow()}, memory::format_tag::nhwc);
  const auto bias = p.bias == Bias::f32 ? f32_desc({p.oc}, memory::format_tag::a) : memory::desc();
  const memory::dims strides{p.sh, p.sw}, dilates{p.dh - 1, p.dw - 1};
  const memory::dims before{band.pad_top, p.pl};
  const memory::dims after{band.pad_bottom, (p.ow() - 1) * p.sw + p.dw * (p.kw - 1) + 1 - p.iw - p.pl};
  dnnl::post_ops ops;
  onednn::append_activation(ops, p.conv_activation, parameters);
  // Not a binary_add: oneDNN 2.6 adds another pixel's residual where windows lie in the padding alone.
  if (p.residual != 0) ops.append_sum(1.0F);
  onednn::append_activation(ops, p.activation, parameters);
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {onednn::engine(), kInference, kDirect, src,
          weights,          bias,       dst,     strides,
          dilates,          before,     after,   onednn::attributes(ops)};
#else
  return {{kInference, kDirect, src, weights, bias, dst, strides, dilates, before, after},
          onednn::attributes(ops),
          onednn::engine()};
#endif
}

class OneDnn final : public Prepared {
 public:
  OneDnn(const Conv2dProblem& p, const Operands& operands, Factors factors) : problem_(p), factors_(factors) {
    const Band image(p, 0, p.oh());
    const memory::desc any(weight_dims(p), onednn::type_of(factors), memory::format_tag::any);
    const auto desc = describe(p, image, any, factors, operands.parameters);
    const auto plain = p.g == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
    weights_ = onednn::reordered(f32_desc(weight_dims(p), plain), operands.inputs[1].constant.data,
                                 desc.weights_desc());
    images_.push_back(step_of(image, desc));
    for (std::int64_t most = kMostBands; most > 1 && divided_.empty(); most /= 2)
      divided_ = steps_by(desc.impl_info_str(), bands_of(p, most), operands.parameters);
    if (divided_.empty()) divided_ = images_;
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return scratchpad_bytes_ + (factors_ == Factors::bf16 ? problem_.ih * problem_.iw * problem_.ic * 2 : 0);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t images = problem_.n * args.batch;
    const std::vector<Step>& steps = images >= share.count ? images_ : divided_;
    const auto per_image = static_cast<std::int64_t>(steps.size());
    const auto [begin, end] = share.of(images * per_image);
    for (std::int64_t i = begin; i < end; ++i) {
      run_step(args, steps[static_cast<std::size_t>(i % per_image)], i / per_image);
    }
  }

 private:
  static constexpr std::int64_t kMostBands = 8;

  struct Step {
    Band band;
    Convolution::primitive_desc desc;
    Convolution primitive;
  };

  Step step_of(const Band& band, const Convolution::primitive_desc& desc) {
    const auto scratchpad = static_cast<std::int64_t>(desc.scratchpad_desc().get_size());
    scratchpad_bytes_ = std::max(scratchpad_bytes_, onednn::lines(scratchpad));
    return {band, desc, Convolution(desc)};
  }

  /// Steps for `bands`; none where one of them takes another kernel than `kernel`, which with weights in that
  /// one's layout has no vectors, and other sums.
  std::vector<Step> steps_by(std::string_view kernel, const std::vector<Band>& bands,
                             const Parameters& parameters) {
    std::vector<Convolution::primitive_desc> descs;
    descs.reserve(bands.size());
    for (const Band& band : bands) {
      descs.push_back(describe(problem_, band, weights_.get_desc(), factors_, parameters));
      if (descs.back().impl_info_str() != kernel) return {};
    }
    std::vector<Step> steps;
    for (std::size_t i = 0; i < bands.size(); ++i) steps.push_back(step_of(bands[i], descs[i]));
    return steps;
  }

  void run_step(const KernelArgs& args, const Step& step, std::int64_t image) const noexcept {
    const Conv2dProblem& p = problem_;
    const std::int64_t to = (image * p.oh() + step.band.first) * p.ow() * p.oc;
    const std::int64_t from = (image * p.ih + step.band.first_input) * p.iw * p.ic;
    const void* x = reinterpret_cast<const float*>(args.inputs[0]) + from;
    if (factors_ == Factors::bf16) {
      auto* const rounded = reinterpret_cast<std::uint16_t*>(args.scratch + scratchpad_bytes_);
      to_bf16(static_cast<const float*>(x), step.band.input_rows * p.iw * p.ic, rounded);
      x = rounded;
    }
    float* y = reinterpret_cast<float*>(args.output) + to;
    const std::int64_t results = step.band.rows * p.ow() * p.oc;
    if (p.residual != 0 && args.inputs[2] != args.output)
      std::copy_n(reinterpret_cast<const float*>(args.inputs[2]) + to, results, y);
    onednn::execute(
        step.primitive,
        {{DNNL_ARG_SRC, step.desc.src_desc(), x},
         {DNNL_ARG_WEIGHTS, weights_.get_desc(), weights_.get_data_handle()},
         {DNNL_ARG_BIAS, step.desc.bias_desc(), p.bias == Bias::f32 ? args.inputs.back() : nullptr},
         {DNNL_ARG_SCRATCHPAD, step.desc.scratchpad_desc(), args.scratch},
         {DNNL_ARG_DST, step.desc.dst_desc(), y}},
        y, results);
  }

  Conv2dProblem problem_;
  Factors factors_;
  memory weights_;
  std::vector<Step> images_;   ///< one step: a whole image
  std::vector<Step> divided_;  ///< an image in bands by the same kernel, for fewer images than threads
  std::int64_t scratchpad_bytes_ = 0;
};

Support supports(const Conv2dProblem& p) noexcept {
  return p.x == DType::f32 ? Support::yes() : Support::no("oneDNN rounds quantized results in its own way");
}

template <Factors factors>
std::unique_ptr<Prepared> prepare(const Conv2dProblem& p, const Operands& operands) {
  if (!operands.inputs[1].is_constant()) throw Error(ErrorCode::unsupported, "weights that are not constant");
  onednn::check_available(factors);
  return onednn::translated("convolution", [&] { return std::make_unique<OneDnn>(p, operands, factors); });
}

}  // namespace

KernelRow<Conv2dProblem> onednn_row() { return {"onednn", Isa::generic, supports, prepare<Factors::f32>}; }
KernelRow<Conv2dProblem> onednn_bf16_row() {
  return {"onednn_bf16", Isa::avx512_vnni, supports, prepare<Factors::bf16>, true};
}

}  // namespace octavo::conv2d
