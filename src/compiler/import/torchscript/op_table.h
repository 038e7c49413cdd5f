#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "compiler/import/torchscript/op_call.h"

namespace octavo::torchscript {

/// One operator of TorchScript code: its name as the code spells it, its parameters' names separated by
/// spaces, and what it becomes: nodes of the graph, or a plain value.
struct OpRow {
  std::string_view name;
  std::string_view parameters;
  Value (*lower)(OpCall&);
};

/// nullptr when there is none. A name with a trailing underscore (in place) is found under the name without
/// it.
const OpRow* find_op_row(std::string_view name);

// The families, each in its own file of ops/; `find_op_row` joins them.
std::span<const OpRow> conv_rows();
std::span<const OpRow> pool_rows();
std::span<const OpRow> arithmetic_rows();
std::span<const OpRow> activation_rows();
std::span<const OpRow> shape_rows();
std::span<const OpRow> slice_rows();
std::span<const OpRow> quantize_rows();
std::span<const OpRow> number_rows();
std::span<const OpRow> list_rows();

}  // namespace octavo::torchscript
