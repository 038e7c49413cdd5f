#pragma once
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

// Arithmetic on the plain numbers of TorchScript code: bools, integers, floats, and sizes that grow with the
// batch. A size may be added to one of its kind, multiplied with an integer and divided where that is exact;
// anything that would need the batch size itself is Error(unsupported). Integer overflow is
// Error(invalid_model).

/// Sum of numbers; two lists or two strings are joined.
Value add_numbers(const Value& a, const Value& b, Heap& heap);
Value subtract_numbers(const Value& a, const Value& b);
Value multiply_numbers(const Value& a, const Value& b);
/// True division: always a float (sizes divide exactly).
Value divide_numbers(const Value& a, const Value& b);
Value floor_divide_numbers(const Value& a, const Value& b);
Value remainder_numbers(const Value& a, const Value& b);

/// The item of a list at an integer index, from the back when negative, or the value of a dict under a key.
Value item_of(const Value& container, const Value& index);

/// Equality of any two values; sizes that grow with the batch equal each other or nothing smaller.
bool are_equal(const Value& a, const Value& b);
/// a < b of numbers.
bool is_less(const Value& a, const Value& b);
/// What `if` makes of it.
bool is_true(const Value& value);

}  // namespace octavo::torchscript
