#pragma once
#include <map>
#include <string>

#include "compiler/import/torchscript/value.h"

namespace octavo::dlrm_import {

using NamedTensors = std::map<std::string, const torchscript::StoredTensor*, std::less<>>;

/// The tensors of a checkpoint's pickle: a dict of them, or one whose item 'state_dict' is that dict. A
/// prefix "module." that all names have goes. Error(invalid_model) when there is no such dict or a name
/// occurs twice.
NamedTensors named_tensors(const torchscript::Value& checkpoint);

/// The whole number L of a name `prefix` L `suffix`, as in "bot_l.4.weight"; -1 for other names.
std::int64_t number_in(std::string_view name, std::string_view prefix, std::string_view suffix) noexcept;

}  // namespace octavo::dlrm_import
