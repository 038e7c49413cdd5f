#include "compiler/import/torchscript/op_call.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace octavo::torchscript {

std::string OpCall::what(std::size_t i) const {
  std::string_view rest = parameters_;
  for (; i > 0; --i) rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
  return fmt::format("argument '{}'", rest.substr(0, rest.find(' ')));
}

bool OpCall::is_tensor(std::size_t i) const {
  const Value& value = arguments_.at(i);
  return std::holds_alternative<GraphTensor>(value) || std::holds_alternative<const StoredTensor*>(value);
}

GraphTensor OpCall::tensor(std::size_t i, std::string_view role) {
  return tensor_of(argument(i), what(i), role);
}

GraphTensor OpCall::tensor_of(const Value& value, std::string_view what, std::string_view role) {
  if (const auto* tensor = std::get_if<GraphTensor>(&value)) return builder_.current(*tensor);
  if (const auto* stored = std::get_if<const StoredTensor*>(&value)) return builder_.constant(**stored, role);
  fail(ErrorCode::invalid_model, "{} is {}, expected a tensor", what, value_text(value));
}

std::vector<GraphTensor> OpCall::tensors(std::size_t i) {
  std::vector<GraphTensor> found;
  for (const Value& item : as_list(argument(i), what(i)).items) found.push_back(tensor_of(item, what(i)));
  if (found.empty()) fail(ErrorCode::invalid_model, "{} is empty", what(i));
  return found;
}

double OpCall::real(std::size_t i) {
  const Value& value = argument(i);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* stored = std::get_if<const StoredTensor*>(&value))
    return builder_.tensors().read_number(**stored);
  return static_cast<double>(as_integer(value, what(i)));
}

std::int64_t OpCall::integer(std::size_t i) {
  const Value& value = argument(i);
  const bool is_real =
      std::holds_alternative<double>(value) || std::holds_alternative<const StoredTensor*>(value);
  if (!is_real) return as_integer(value, what(i));
  const double number = real(i);
  if (number != std::floor(number) || std::abs(number) > 1e15) {
    fail(ErrorCode::invalid_model, "{} is {}, expected an integer", what(i), number);
  }
  return static_cast<std::int64_t>(number);
}

bool OpCall::truth_or(std::size_t i, bool fallback) { return has(i) ? integer(i) != 0 : fallback; }

std::vector<std::int64_t> OpCall::integers(std::size_t i) {
  if (const auto* stored = std::get_if<const StoredTensor*>(&argument(i))) {
    return builder_.tensors().read_integers(**stored);
  }
  return as_integers(argument(i), what(i));
}

std::vector<std::int64_t> OpCall::pair(std::size_t i) {
  std::vector<std::int64_t> values;
  if (std::holds_alternative<std::int64_t>(argument(i))) {
    values = {integer(i)};
  } else {
    values = integers(i);
  }
  if (values.size() == 1) values.push_back(values[0]);
  if (values.size() != 2)
    fail(ErrorCode::invalid_model, "{} has {} entries, expected 2", what(i), values.size());
  return values;
}

std::vector<std::int64_t> OpCall::pair_or(std::size_t i, std::int64_t fallback) {
  List* const* list = std::get_if<List*>(&argument(i));
  if (!has(i) || (list != nullptr && (*list)->items.empty())) return {fallback, fallback};
  return pair(i);
}

std::size_t checked_axis(std::int64_t axis, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count)
    fail(ErrorCode::invalid_model, "axis {} of a tensor with {} extents", axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

double quantized_bound(double value, const TensorType& type) {
  const float inverse = 1.0F / type.quantization->scale();
  const float scaled = std::nearbyint(static_cast<float>(value) * inverse);
  const double lowest = type.dtype == DType::s8 ? -128 : 0;
  return std::clamp(static_cast<double>(scaled) + type.quantization->zero_point(), lowest, lowest + 255);
}

}  // namespace octavo::torchscript
