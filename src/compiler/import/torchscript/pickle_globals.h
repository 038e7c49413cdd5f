#pragma once
#include <string_view>

#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// Error(unsupported) naming the global unless it is one of the few that a TorchScript pickle needs, or a
/// class of the model's own code (`__torch__.…`), of which nothing is ever run while reading.
void check_global(std::string_view name);

/// What calling an allowed global gives: tensors, typed lists, ordered dicts. Error(invalid_model) for
/// arguments that do not fit, or a global that cannot be called.
Value call_global(std::string_view name, const List& arguments, Heap& heap);

/// ('storage', type, key, device, elements) as a Storage of the archive's `folder`.
Value make_storage(const List& persistent_id, std::string_view folder, Heap& heap);

}  // namespace octavo::torchscript
