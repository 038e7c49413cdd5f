#pragma once
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// How deeply lists, dicts and objects may lie in each other; module trees of real models stay below 40.
inline constexpr int kDeepestNesting = 200;

/// Error(invalid_model) when `root` reaches itself again, or nests deeper than kDeepestNesting. Linear in
/// what it reaches.
void check_nesting(const Value& root);

}  // namespace octavo::torchscript
