#include <algorithm>
#include <array>

#include "base/fail.h"
#include "compiler/import/torchscript/numbers.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

constexpr std::size_t kLongestList = 1 << 16;

Value size_value(Dim dim) {
  if (dim.per_image) return dim;
  return dim.count;
}

/// self, dim (all without)
Value size(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const Shape& shape = call.builder().shape(x);
  if (call.has(1)) return size_value(shape[checked_axis(call.integer(1), shape.size())]);
  std::vector<Value> sizes;
  for (Dim dim : shape) sizes.push_back(size_value(dim));
  return call.heap().list(std::move(sizes));
}

Value rank(OpCall& call) { return static_cast<std::int64_t>(call.builder().shape(call.tensor(0)).size()); }

Value numel(OpCall& call) { return size_value(element_count(call.builder().shape(call.tensor(0)))); }

Value length(OpCall& call) {
  if (const auto* text = std::get_if<std::string>(&call.argument(0)))
    return static_cast<std::int64_t>(text->size());
  if (call.is_tensor(0)) {
    const Shape& shape = call.builder().shape(call.tensor(0));
    if (shape.empty()) fail(ErrorCode::invalid_model, "length of a number");
    return size_value(shape[0]);
  }
  if (Dict* const* dict = std::get_if<Dict*>(&call.argument(0)))
    return static_cast<std::int64_t>((*dict)->items.size());
  return static_cast<std::int64_t>(as_list(call.argument(0), call.what(0)).items.size());
}

List& mutable_list(OpCall& call) {
  List* const* list = std::get_if<List*>(&call.argument(0));
  if (list == nullptr || (*list)->is_tuple) {
    fail(ErrorCode::invalid_model, "{} is {}, expected a list", call.what(0), value_text(call.argument(0)));
  }
  return **list;
}

void put(List& list, Value item) {
  if (list.items.size() >= kLongestList)
    fail(ErrorCode::invalid_model, "a list of more than {} items", kLongestList);
  list.items.push_back(std::move(item));
}

Value append(OpCall& call) {
  put(mutable_list(call), call.argument(1));
  return call.argument(0);
}

Value extend(OpCall& call) {
  const std::vector<Value> items = as_list(call.argument(1), call.what(1)).items;
  for (const Value& item : items) put(mutable_list(call), item);
  return std::monostate{};
}

Value list_copy(OpCall& call) { return call.heap().list(as_list(call.argument(0), call.what(0)).items); }

Value contains(OpCall& call) {
  const auto& items = as_list(call.argument(0), call.what(0)).items;
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& item) { return are_equal(item, call.argument(1)); });
}

Value item_at(OpCall& call) { return item_of(call.argument(0), call.argument(1)); }

Value range(OpCall& call) {
  const bool has_start = call.has(1);
  const std::int64_t begin = has_start ? call.integer(0) : 0;
  const std::int64_t end = has_start ? call.integer(1) : call.integer(0);
  const std::int64_t step = call.integer_or(2, 1);
  if (step == 0) fail(ErrorCode::invalid_model, "range with step 0");
  List* list = call.heap().list();
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    put(*list, i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return list;
}

Value is_quantized(OpCall& call) { return call.builder().type(call.tensor(0)).quantization.has_value(); }

/// PyTorch's numbers: 6 = f32, 12 = qint8, 13 = quint8.
Value dtype(OpCall& call) {
  const TensorType& type = call.builder().type(call.tensor(0));
  if (!type.quantization) return std::int64_t{type.dtype == DType::s64 ? 4 : 6};
  return std::int64_t{type.dtype == DType::s8 ? 12 : 13};
}

Value nothing(OpCall&) { return std::monostate{}; }
Value no(OpCall&) { return false; }
Value cpu(OpCall&) { return Name{"cpu"}; }

Value raise(OpCall& call) {
  const auto* text = std::get_if<std::string>(&call.argument(0));
  fail(ErrorCode::invalid_model, "the model's code refuses its input: {:.200}", text == nullptr ? "" : *text);
}

constexpr std::array<OpRow, 21> kRows{{
    {"torch.size", "self dim", size},
    {"torch.dim", "self", rank},
    {"torch.numel", "self", numel},
    {"torch.len", "self", length},
    {"torch.append", "self item", append},
    {"torch.extend", "self items", extend},
    {"torch.list", "self", list_copy},
    {"torch.__contains__", "self item", contains},
    {"torch.__getitem__", "self index", item_at},
    {"range", "start stop step", range},
    {"ops.prim.is_quantized", "self", is_quantized},
    {"ops.prim.dtype", "self", dtype},
    {"ops.prim.device", "self", cpu},
    {"ops.prim.is_cuda", "self", no},
    {"ops.prim.requires_grad", "self", no},
    {"torch.is_grad_enabled", "", no},
    {"torch.warn", "message stacklevel", nothing},
    {"torch._assert", "condition message", nothing},
    {"torch.manual_seed", "seed", nothing},
    {"print", "message", nothing},
    {"ops.prim.RaiseException", "message type", raise},
}};

}  // namespace

std::span<const OpRow> list_rows() { return kRows; }

}  // namespace octavo::torchscript
