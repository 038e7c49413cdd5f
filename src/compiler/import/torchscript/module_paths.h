#pragma once
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// Gives every object below `root` its path in the module tree ("layer1.0.conv1"), the first one where it has
/// several. The tree must be free of cycles (read_pickle sees to that).
void set_module_paths(Object& root);

}  // namespace octavo::torchscript
