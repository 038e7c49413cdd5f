#include "base/fail.h"
#include "engine/kernels/convert/quantize_u8.h"
#include "engine/kernels/convert/rows.h"
#include "engine/kernels/element_types.h"

namespace octavo {
namespace {

class VectorQuantize final : public Prepared {
 public:
  VectorQuantize(const ConvertProblem& problem, const Operands& operands, QuantizeRun flat,
                 QuantizePixels pixels)
      : p_(problem), run_(flat), pixels_(pixels) {
    const Affine to = affine_of(ConvertProblem::kFamily, operands.output);
    const bool ort = problem.arithmetic == Arithmetic::ort;
    numbers_ = {ort ? to.scale : to.inverse, ort ? 1 : 0, static_cast<float>(to.range.lowest - to.zero_point),
                static_cast<float>(to.range.highest - to.zero_point), to.zero_point};
  }

  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    if (p_.n != 1) return std::nullopt;
    const bool is_flat = p_.channels_last == 0 || p_.c == 1;
    const auto range = share.of(is_flat ? p_.c * p_.s : p_.s);
    if (is_flat) return Reach{{range.begin, range.end}, {{4 * range.begin, 4 * range.end}}};
    return Reach{{p_.c * range.begin, p_.c * range.end}, {{0, 4 * p_.c * p_.s}}};  // of all planes
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const float*>(args.inputs[0]);
    auto* y = reinterpret_cast<std::uint8_t*>(args.output);
    if (p_.channels_last == 0 || p_.c == 1) {
      const auto range = share.of(p_.n * args.batch * p_.c * p_.s);
      run_(numbers_, x + range.begin, y + range.begin, range.end - range.begin);
      return;
    }
    const auto range = share.of(p_.n * args.batch * p_.s);
    for (std::int64_t at = range.begin; at < range.end;) {
      const std::int64_t image = at / p_.s, s = at % p_.s;
      const std::int64_t count = std::min(p_.s - s, range.end - at);
      pixels_(numbers_, x + image * 3 * p_.s + s, p_.s, y + 3 * at, count);
      at += count;
    }
  }

 private:
  ConvertProblem p_;
  QuantizeRun run_;
  QuantizePixels pixels_;
  QuantizeU8 numbers_{};
};

class VectorDequantize final : public Prepared {
 public:
  VectorDequantize(const ConvertProblem& problem, const Operands& operands, DequantizeRun flat)
      : count_(problem.n * problem.c * problem.s), run_(flat) {
    const Affine from = affine_of(ConvertProblem::kFamily, operands.inputs.at(0));
    const std::uint8_t flip = flip_to_u8(problem.x);
    numbers_ = {from.scale, from.zero_point + flip, flip};
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(count_ * args.batch);
    run_(numbers_, reinterpret_cast<const std::uint8_t*>(args.inputs[0]) + range.begin,
         reinterpret_cast<float*>(args.output) + range.begin, range.end - range.begin);
  }

 private:
  std::int64_t count_;
  DequantizeRun run_;
  DequantizeU8 numbers_{};
};

/// A quantization per channel is seen only here, not in the Problem.
std::unique_ptr<Prepared> prepared_with(const ConvertProblem& problem, const Operands& operands,
                                        QuantizeRun flat, QuantizePixels pixels, DequantizeRun dequantize) {
  const bool quantizes = problem.kind == ConvertKind::quantize;
  const Quantization* q = quantizes ? operands.output.quantization : operands.inputs.at(0).quantization;
  if (q != nullptr && !q->is_per_tensor()) fail(ErrorCode::unsupported, "a quantization per channel");
  if (quantizes) return std::make_unique<VectorQuantize>(problem, operands, flat, pixels);
  return std::make_unique<VectorDequantize>(problem, operands, dequantize);
}

}  // namespace

Support convert_vector_supports(const ConvertProblem& problem) noexcept {
  if (problem.channels_first != 0) return Support::no("channels first");
  if (problem.kind == ConvertKind::dequantize) {
    if (!is_stored_integer(problem.x) || problem.y != DType::f32)
      return Support::no("dtypes other than u8, s8");
    return problem.channels_last == 0 ? Support::yes() : Support::no("dequantizing to another layout");
  }
  if (problem.kind != ConvertKind::quantize) return Support::no("kinds other than quantize and dequantize");
  if (problem.x != DType::f32 || !is_stored_integer(problem.y))
    return Support::no("dtypes other than u8, s8");
  const bool interleaves = problem.channels_last != 0 && problem.c != 1;
  return interleaves && problem.c != 3 ? Support::no("other than 3 channels") : Support::yes();
}

std::unique_ptr<Prepared> prepare_convert_avx2(const ConvertProblem& problem, const Operands& operands) {
  return prepared_with(problem, operands, quantize_u8_avx2, quantize_pixels_avx2, dequantize_u8_avx2);
}
std::unique_ptr<Prepared> prepare_convert_avx512(const ConvertProblem& problem, const Operands& operands) {
  return prepared_with(problem, operands, quantize_u8_avx512, quantize_pixels_avx512, dequantize_u8_avx512);
}

}  // namespace octavo
