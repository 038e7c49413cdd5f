#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// Reads a pickle of protocol 2 as TorchScript writes it, without executing anything: an opcode or a global
/// outside the known ones is refused by name. Tensors become StoredTensor, instances of `__torch__` classes
/// become Objects. `storage_folder` ("data/" or "constants/") is where the storages named by key lie in the
/// archive. Error(invalid_model / unsupported) for anything damaged, for nesting deeper than 200 and for
/// reference cycles. Time and memory are linear in the pickle's size.
Value read_pickle(std::span<const std::byte> bytes, std::string_view storage_folder, Heap& heap);

}  // namespace octavo::torchscript
