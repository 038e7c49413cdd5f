#include "engine/kernels/conv2d/problem.h"

#include "engine/kernels/extents.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {
namespace {

void check_types(const Conv2dProblem& p) {
  const bool quantized = is_stored_integer(p.x) && is_stored_integer(p.w) && is_stored_integer(p.y);
  const bool real = p.x == DType::f32 && p.w == DType::f32 && p.y == DType::f32;
  if (!quantized && !real) {
    fail(ErrorCode::invalid_argument, "conv2d problem: x={} w={} y={}, expected u8 or s8, or f32 for all",
         dtype_name(p.x), dtype_name(p.w), dtype_name(p.y));
  }
  if (real && p.bias == Bias::s32) {
    fail(ErrorCode::invalid_argument, "conv2d problem: bias=s32 of an f32 convolution");
  }
  if (p.residual == 0) return;
  if (real ? p.r != DType::f32 : !is_stored_integer(p.r)) {
    fail(ErrorCode::invalid_argument, "conv2d problem: x={} with residual r={}", dtype_name(p.x),
         dtype_name(p.r));
  }
  if (p.residual != 1 && (p.residual != 2 || real || p.arithmetic != Arithmetic::ort)) {
    fail(ErrorCode::invalid_argument,
         "conv2d problem: residual is {}, expected 0, 1 or, quantized with ort, 2", p.residual);
  }
}

void check_extents(const Conv2dProblem& p) {
  p.each_field([](std::string_view name, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::int64_t>) {
      const bool may_be_zero = name.front() == 'p' || name == "residual";
      check_extent(Conv2dProblem::kFamily, name, value, may_be_zero ? 0 : 1);
    }
  });
  if (p.ic % p.g != 0 || p.oc % p.g != 0) {
    fail(ErrorCode::invalid_argument, "conv2d problem: ic{} and oc{} in g{} groups", p.ic, p.oc, p.g);
  }
  if (p.ih + p.pt + p.pb < p.dh * (p.kh - 1) + 1 || p.iw + p.pl + p.pr < p.dw * (p.kw - 1) + 1) {
    fail(ErrorCode::invalid_argument,
         "conv2d problem: kernel kh{} kw{} is larger than the padded input ih{} iw{}", p.kh, p.kw, p.ih,
         p.iw);
  }
}

}  // namespace

void Conv2dProblem::check() const {
  check_types(*this);
  check_extents(*this);
  check_elements(kFamily, "x", {n, ih, iw, ic});
  check_elements(kFamily, "padded x", {n, ih + pt + pb, iw + pl + pr, ic});
  check_elements(kFamily, "w", {oc, icg(), kh, kw});
  check_elements(kFamily, "y", {n, oh(), ow(), oc});
  if (conv_activation == Activation::clamp || (residual == 0 && conv_activation != Activation::none)) {
    fail(ErrorCode::invalid_argument, "conv2d problem: conv_activation={} with residual{}",
         enum_names(conv_activation)[static_cast<std::size_t>(conv_activation)], residual);
  }
}

StepSizes Conv2dProblem::sizes() const {
  const OperandSize result = OperandSize::growing(y, n * oh() * ow() * oc);
  StepSizes all{{OperandSize::growing(x, n * ih * iw * ic), OperandSize::fixed(w, oc * icg() * kh * kw)},
                result};
  if (residual != 0) all.inputs.push_back(OperandSize::growing(r, result.elements));
  if (bias != Bias::none) all.inputs.push_back(OperandSize::fixed(bias_dtype(bias), oc));
  return all;
}

Reach Conv2dProblem::reach(std::int64_t begin, std::int64_t end) const {
  const std::int64_t pixel_bytes = oc * dtype_bytes(y);
  Reach reach =
      window_reach({ih, iw * ic * dtype_bytes(x), ow(), pixel_bytes, dh * (kh - 1) + 1, sh, pt}, begin, end);
  reach.inputs.resize(sizes().inputs.size());
  if (residual != 0) reach.inputs[2] = {begin * oc * dtype_bytes(r), end * oc * dtype_bytes(r)};
  return reach;
}

}  // namespace octavo
