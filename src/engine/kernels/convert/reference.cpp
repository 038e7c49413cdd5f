#include <algorithm>

#include "base/fail.h"
#include "engine/kernels/convert/rows.h"
#include "engine/kernels/element_types.h"

namespace octavo {

std::vector<Affine> affines_of(const ConvertProblem& problem, const Operand& operand) {
  const Quantization* q = operand.quantization;
  if (q == nullptr || q->is_per_tensor()) return {affine_of(ConvertProblem::kFamily, operand)};
  const auto channels = static_cast<std::size_t>(problem.c);
  if (q->scales.size() != channels || q->zero_points.size() != channels) {
    fail(ErrorCode::invalid_argument, "convert: {} scales and {} zero points for {} channels",
         q->scales.size(), q->zero_points.size(), channels);
  }
  std::vector<Affine> affines;
  for (std::size_t c = 0; c < channels; ++c) {
    const Quantization one = Quantization::per_tensor(q->scales[c], q->zero_points[c]);
    affines.push_back(affine_of(ConvertProblem::kFamily, {operand.dtype, &one, {}}));
  }
  return affines;
}

namespace {

/// Finds x's element for each of y's. `Self::element(args, to, from, c)` converts one of channel c.
template <class Self>
class ConvertWalk : public Prepared {
 public:
  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t image = p_.c * p_.s;
    const auto range = share.of(p_.n * args.batch * image);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const std::int64_t n = i / image, rest = i % image;
      const bool y_is_nsc = p_.channels_last != 0, x_is_nsc = p_.channels_first != 0;
      const std::int64_t c = y_is_nsc ? rest % p_.c : rest / p_.s;
      const std::int64_t s = y_is_nsc ? rest / p_.c : rest % p_.s;
      static_cast<const Self&>(*this).element(args, i, n * image + (x_is_nsc ? s * p_.c + c : c * p_.s + s),
                                              c);
    }
  }

 protected:
  explicit ConvertWalk(const ConvertProblem& problem) : p_(problem) {}
  ConvertProblem p_;
};

const Affine& of_channel(const std::vector<Affine>& affines, std::int64_t c) noexcept {
  return affines.size() == 1 ? affines.front() : affines[static_cast<std::size_t>(c)];
}

class Quantizing final : public ConvertWalk<Quantizing> {
 public:
  Quantizing(const ConvertProblem& problem, const Operands& operands)
      : ConvertWalk(problem), to_(affines_of(problem, operands.output)) {}

  void element(const KernelArgs& args, std::int64_t to, std::int64_t from, std::int64_t c) const noexcept {
    const float x = reinterpret_cast<const float*>(args.inputs[0])[from];
    const std::int32_t q = quantize_with(x, of_channel(to_, c), p_.arithmetic == Arithmetic::ort);
    visit_type(p_.y, [&](auto zero) {
      using T = decltype(zero);
      reinterpret_cast<T*>(args.output)[to] = static_cast<T>(q);
    });
  }

 private:
  std::vector<Affine> to_;
};

/// Dequantizes, and quantizes again for kind=requantize.
class Dequantizing final : public ConvertWalk<Dequantizing> {
 public:
  Dequantizing(const ConvertProblem& problem, const Operands& operands)
      : ConvertWalk(problem), from_(affines_of(problem, operands.inputs.at(0))) {
    if (problem.kind == ConvertKind::requantize) to_ = affines_of(problem, operands.output);
  }

  void element(const KernelArgs& args, std::int64_t to, std::int64_t from, std::int64_t c) const noexcept {
    const Affine& affine = of_channel(from_, c);
    float real = 0;
    visit_type(p_.x, [&](auto zero) {
      const auto q = reinterpret_cast<const decltype(zero)*>(args.inputs[0])[from];
      real = static_cast<float>(static_cast<std::int64_t>(q) - affine.zero_point) * affine.scale;
    });
    if (p_.kind == ConvertKind::dequantize) {
      reinterpret_cast<float*>(args.output)[to] = real;
      return;
    }
    const std::int32_t q = quantize_with(real, of_channel(to_, c), p_.arithmetic == Arithmetic::ort);
    args.output[to] = static_cast<std::byte>(q);
  }

 private:
  std::vector<Affine> from_, to_;
};

/// Integers keep their low bits, reals are truncated towards zero and moved into range; a boolean is whether
/// the value differs from zero.
template <class To, class From>
To cast_value(From x) noexcept {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) return saturated<To>(x);
  return static_cast<To>(x);
}

class Casting final : public ConvertWalk<Casting> {
 public:
  explicit Casting(const ConvertProblem& problem) : ConvertWalk(problem) {}

  void element(const KernelArgs& args, std::int64_t to, std::int64_t from, std::int64_t) const noexcept {
    visit_type(p_.x, [&](auto x_zero) {
      const auto x = reinterpret_cast<const decltype(x_zero)*>(args.inputs[0])[from];
      visit_type(p_.y, [&](auto y_zero) {
        using To = decltype(y_zero);
        reinterpret_cast<To*>(args.output)[to] =
            p_.y == DType::boolean ? To(x != decltype(x_zero){}) : cast_value<To>(x);
      });
    });
  }
};

bool is_stored(DType dtype) noexcept {
  return is_stored_integer(dtype) || dtype == DType::u16 || dtype == DType::s16;
}

}  // namespace

Support convert_reference_supports(const ConvertProblem& problem) noexcept {
  switch (problem.kind) {
    case ConvertKind::quantize:
      if (problem.x != DType::f32) return Support::no("quantizing other than f32");
      return is_stored(problem.y) ? Support::yes() : Support::no("quantizing to other than 8 and 16 bits");
    case ConvertKind::dequantize:
      if (problem.y != DType::f32) return Support::no("dequantizing to other than f32");
      return is_stored(problem.x) || problem.x == DType::s32
                 ? Support::yes()
                 : Support::no("dequantizing other than integers");
    case ConvertKind::requantize:
      return is_stored_integer(problem.x) && is_stored_integer(problem.y)
                 ? Support::yes()
                 : Support::no("requantizing other than 8 bits");
    case ConvertKind::cast:
      return is_half_float(problem.x) || is_half_float(problem.y) ? Support::no("half floats")
                                                                  : Support::yes();
  }
  return Support::no("this kind");
}

std::unique_ptr<Prepared> prepare_convert_reference(const ConvertProblem& problem, const Operands& operands) {
  if (problem.kind == ConvertKind::quantize) return std::make_unique<Quantizing>(problem, operands);
  if (problem.kind == ConvertKind::cast) return std::make_unique<Casting>(problem);
  return std::make_unique<Dequantizing>(problem, operands);
}

}  // namespace octavo
