#pragma once
#include "compiler/import/torchscript/tensors.h"
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// The packed parameters that an object holds: those given by a prepack call, or read from the state that
/// Conv2dPackedParamsBase ('2' with an int16[11] header, 3 with a list, or the six-tuple of version 1) and
/// LinearPackedParamsBase (weight, bias) are stored with. Error(invalid_model / unsupported) naming what does
/// not fit.
const PackedParams& packed_params(const Value& value, TensorReader& tensors);

}  // namespace octavo::torchscript
