#include <array>
#include <cmath>

#include "base/fail.h"
#include "compiler/import/torchscript/numbers.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

Layout dense(GraphTensor x) { return {.channels_last = x.layout.channels_last, .dense = true}; }

/// A tensor, or a plain number as an f32 constant. Tensors of the file with one element and no extent count
/// as numbers, for PyTorch converts them to the other operand's dtype.
GraphTensor operand(OpCall& call, std::size_t i) {
  const auto* stored = std::get_if<const StoredTensor*>(&call.argument(i));
  const bool is_number = stored != nullptr && (*stored)->sizes.empty();
  if (call.is_tensor(i) && !is_number) return call.tensor(i);
  return call.builder().scalar(call.real(i));
}

bool is_computed(const Value& value) { return std::holds_alternative<GraphTensor>(value); }

Value binary(OpCall& call, std::string_view op) {
  const GraphTensor a = operand(call, 0);
  const GraphTensor b = operand(call, 1);
  return call.builder().emit(op, {a.id, b.id}, {}, dense(is_computed(call.argument(0)) ? a : b));
}

/// Plain numbers and lists are computed now, tensors at run time.
Value add(OpCall& call) {
  if (!is_computed(call.argument(0)) && !is_computed(call.argument(1))) {
    return add_numbers(call.argument(0), call.argument(1), call.heap());
  }
  if (call.real_or(2, 1.0) != 1.0) fail(ErrorCode::unsupported, "add with alpha {}", call.real(2));
  return binary(call, "add");
}

Value sub(OpCall& call) {
  if (!is_computed(call.argument(0)) && !is_computed(call.argument(1))) {
    return subtract_numbers(call.argument(0), call.argument(1));
  }
  if (call.real_or(2, 1.0) != 1.0) fail(ErrorCode::unsupported, "sub with alpha {}", call.real(2));
  return binary(call, "sub");
}

Value mul(OpCall& call) {
  if (!is_computed(call.argument(0)) && !is_computed(call.argument(1))) {
    return multiply_numbers(call.argument(0), call.argument(1));
  }
  return binary(call, "mul");
}

Value div(OpCall& call) {
  if (!is_computed(call.argument(0)) && !is_computed(call.argument(1))) {
    if (!call.has(2)) return divide_numbers(call.argument(0), call.argument(1));
    if (as_string(call.argument(2), call.what(2)) == "floor") {
      return floor_divide_numbers(call.argument(0), call.argument(1));
    }
  }
  if (call.has(2)) fail(ErrorCode::unsupported, "division with rounding {}", value_text(call.argument(2)));
  return binary(call, "div");
}

/// The integers of x stay, what they mean changes: x * c has c times the scale (c > 0), x + c a shifted zero
/// point. Written as mul and add with a quantized constant, whose exact result is those very integers.
GraphTensor quantized_scalar(OpCall& call, std::int64_t steps, float scale) {
  GraphBuilder& builder = call.builder();
  Tensor data(DType::u8, {});
  data.as<std::uint8_t>()[0] = static_cast<std::uint8_t>(steps > 0 ? steps : 0);
  return {builder.graph.add_constant(
              builder.origin + ".scalar", std::move(data),
              Quantization::per_tensor(scale, static_cast<std::int32_t>(steps < 0 ? -steps : 0))),
          Layout{}};
}

struct Affine {
  double scale;
  std::int64_t zero_point;
};

/// The quantization of a u8 tensor; PyTorch has no arithmetic on other quantized types here.
Affine affine_of(OpCall& call, GraphTensor x) {
  const TensorType& type = call.builder().type(x);
  if (!type.quantization || type.dtype != DType::u8) {
    fail(ErrorCode::unsupported, "quantized arithmetic on {}", type.quantization ? "s8 values" : "reals");
  }
  return {type.quantization->scale(), type.quantization->zero_point()};
}

Value multiply_by_number(OpCall& call, double factor) {
  const GraphTensor x = call.tensor(0);
  const Affine affine = affine_of(call, x);
  if (!(factor > 0.0)) fail(ErrorCode::unsupported, "quantized product with {}", factor);
  Attributes attributes = quantized_result(affine.scale * factor, affine.zero_point);
  const GraphTensor constant = quantized_scalar(call, 1, static_cast<float>(factor));
  return call.builder().emit("mul", {x.id, constant.id}, std::move(attributes), dense(x));
}

/// PyTorch rounds the addend to whole steps; when the shifted zero point leaves the range it rescales, which
/// is refused.
Value add_number(OpCall& call, double addend) {
  const GraphTensor x = call.tensor(0);
  const Affine affine = affine_of(call, x);
  const double steps = std::nearbyint(addend / affine.scale);
  const double shifted = static_cast<double>(affine.zero_point) - steps;
  if (!(shifted >= 0 && shifted <= 255)) {
    fail(ErrorCode::unsupported, "quantized sum with {}, which moves the zero point to {}", addend, shifted);
  }
  const GraphTensor constant =
      quantized_scalar(call, static_cast<std::int64_t>(steps), static_cast<float>(affine.scale));
  return call.builder().emit("add", {x.id, constant.id},
                             quantized_result(affine.scale, static_cast<std::int64_t>(shifted)), dense(x));
}

/// qa, qb, scale, zero_point; or qa and a plain number.
Value quantized_binary(OpCall& call, std::string_view op, std::string_view activation) {
  const GraphTensor a = call.tensor(0);
  const GraphTensor b = call.tensor(1);
  affine_of(call, a);
  affine_of(call, b);
  Attributes attributes = quantized_result(call.real(2), call.integer(3));
  attributes["activation"] = std::string(activation);
  return call.builder().emit(op, {a.id, b.id}, std::move(attributes), dense(a));
}

Value quantized_add(OpCall& call) {
  return call.is_tensor(1) ? quantized_binary(call, "add", "none") : add_number(call, call.real(1));
}
Value quantized_add_relu(OpCall& call) { return quantized_binary(call, "add", "relu"); }
Value quantized_mul(OpCall& call) {
  return call.is_tensor(1) ? quantized_binary(call, "mul", "none") : multiply_by_number(call, call.real(1));
}
Value quantized_mul_relu(OpCall& call) { return quantized_binary(call, "mul", "relu"); }
Value add_scalar(OpCall& call) { return add_number(call, call.real(1)); }
Value mul_scalar(OpCall& call) { return multiply_by_number(call, call.real(1)); }

Value neg(OpCall& call) {
  if (!is_computed(call.argument(0))) return subtract_numbers(std::int64_t{0}, call.argument(0));
  const GraphTensor x = call.tensor(0);
  return call.builder().emit("neg", {x.id}, {}, dense(x));
}

constexpr std::array<OpRow, 12> kRows{{
    {"torch.add", "self other alpha", add},
    {"torch.sub", "self other alpha", sub},
    {"torch.mul", "self other", mul},
    {"torch.div", "self other rounding_mode", div},
    {"torch.neg", "self", neg},
    {"ops.quantized.add", "qa qb scale zero_point", quantized_add},
    {"ops.quantized.add_relu", "qa qb scale zero_point", quantized_add_relu},
    {"ops.quantized.mul", "qa qb scale zero_point", quantized_mul},
    {"ops.quantized.mul_relu", "qa qb scale zero_point", quantized_mul_relu},
    {"ops.quantized.add_scalar", "qa b", add_scalar},
    {"ops.quantized.mul_scalar", "qa b", mul_scalar},
    {"torch.multiply", "self other", mul},
}};

}  // namespace

std::span<const OpRow> arithmetic_rows() { return kRows; }

}  // namespace octavo::torchscript
