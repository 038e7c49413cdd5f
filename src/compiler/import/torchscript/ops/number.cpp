#include <array>
#include <cmath>

#include "base/fail.h"
#include "compiler/import/torchscript/numbers.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

/// A number of the file's constants, where a trace holds one as a tensor; anything else as it is.
Value plain(OpCall& call, std::size_t i) {
  const auto* stored = std::get_if<const StoredTensor*>(&call.argument(i));
  if (stored == nullptr) return call.argument(i);
  const double number = call.builder().tensors().read_number(**stored);
  const DType dtype = (*stored)->storage->dtype;
  if (dtype == DType::f32 || dtype == DType::f64) return number;
  if (std::abs(number) > 1e15) fail(ErrorCode::invalid_model, "{} is {}", call.what(i), number);
  return static_cast<std::int64_t>(number);
}

/// Identity is asked for None only; anything else is itself.
Value is_same(OpCall& call) {
  if (is_none(call.argument(0)) || is_none(call.argument(1)))
    return is_none(call.argument(0)) && is_none(call.argument(1));
  return are_equal(plain(call, 0), plain(call, 1));
}

Value equal(OpCall& call) { return are_equal(plain(call, 0), plain(call, 1)); }
Value not_equal(OpCall& call) { return !are_equal(plain(call, 0), plain(call, 1)); }
Value is_other(OpCall& call) { return !std::get<bool>(is_same(call)); }
Value less(OpCall& call) { return is_less(plain(call, 0), plain(call, 1)); }
Value greater(OpCall& call) { return is_less(plain(call, 1), plain(call, 0)); }
Value less_equal(OpCall& call) { return !is_less(plain(call, 1), plain(call, 0)); }
Value greater_equal(OpCall& call) { return !is_less(plain(call, 0), plain(call, 1)); }
Value logical_not(OpCall& call) { return !is_true(plain(call, 0)); }
Value logical_and(OpCall& call) { return is_true(plain(call, 0)) && is_true(plain(call, 1)); }
Value logical_or(OpCall& call) { return is_true(plain(call, 0)) || is_true(plain(call, 1)); }
Value floor_divide(OpCall& call) { return floor_divide_numbers(plain(call, 0), plain(call, 1)); }
Value remainder(OpCall& call) { return remainder_numbers(plain(call, 0), plain(call, 1)); }
Value same_number(OpCall& call) { return plain(call, 0); }

Value rounded(double number) {
  if (!(std::abs(number) < 1e15)) fail(ErrorCode::invalid_model, "{} as an integer", number);
  return static_cast<std::int64_t>(number);
}

Value ceil(OpCall& call) { return rounded(std::ceil(call.real(0))); }
Value floor(OpCall& call) { return rounded(std::floor(call.real(0))); }

Value to_int(OpCall& call) {
  const Value value = plain(call, 0);
  if (std::holds_alternative<Dim>(value)) return value;
  if (const auto* real = std::get_if<double>(&value)) return rounded(std::trunc(*real));
  return as_integer(value, call.what(0));
}

Value to_float(OpCall& call) {
  if (const auto* text = std::get_if<std::string>(&call.argument(0))) {
    if (*text == "inf") return std::numeric_limits<double>::infinity();
    if (*text == "-inf") return -std::numeric_limits<double>::infinity();
    fail(ErrorCode::unsupported, "float of '{:.40}'", *text);
  }
  return call.real(0);
}

Value to_bool(OpCall& call) { return is_true(plain(call, 0)); }

Value least(OpCall& call) {
  return is_less(plain(call, 1), plain(call, 0)) ? plain(call, 1) : plain(call, 0);
}
Value greatest(OpCall& call) {
  return is_less(plain(call, 0), plain(call, 1)) ? plain(call, 1) : plain(call, 0);
}

constexpr std::array<OpRow, 27> kRows{{
    {"torch.eq", "self other", equal},
    {"torch.ne", "self other", not_equal},
    {"torch.lt", "self other", less},
    {"torch.le", "self other", less_equal},
    {"torch.gt", "self other", greater},
    {"torch.ge", "self other", greater_equal},
    {"torch.__is__", "self other", is_same},
    {"torch.__isnot__", "self other", is_other},
    {"torch.__not__", "self", logical_not},
    {"torch.__and__", "self other", logical_and},
    {"torch.__or__", "self other", logical_or},
    {"torch.floordiv", "self other", floor_divide},
    {"torch.floor_divide", "self other", floor_divide},
    {"torch.remainder", "self other", remainder},
    {"torch.ceil", "self", ceil},
    {"torch.floor", "self", floor},
    {"torch.Int", "self", to_int},
    {"torch.IntImplicit", "self", to_int},
    {"torch.FloatImplicit", "self", to_float},
    {"torch.item", "self", same_number},
    {"ops.prim.NumToTensor", "self", same_number},
    {"ops.prim.min", "self other", least},
    {"ops.prim.max", "self other", greatest},
    {"int", "self", to_int},
    {"float", "self", to_float},
    {"bool", "self", to_bool},
    {"torch.tensor", "self dtype device requires_grad", same_number},
}};

}  // namespace

std::span<const OpRow> number_rows() { return kRows; }

}  // namespace octavo::torchscript
