#pragma once
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// The shape that `view` or `reshape` asks for, complete and with the batch in its place. One entry of
/// `wanted` may be -1. A trace writes the batch that it saw as a literal: where `from` grows with the batch
/// and no entry of `wanted` does, the first entry is taken for it, whatever it says:
///   [N,1280,1,1] as [1, -1]      is [N,1280]
///   [N,4,8,8]    as [2, 2, 2, 8, 8]  is [N,2,2,8,8]    (the rest alone holds an image)
///   [N,4,8,8]    as [4, 64]      is [4N,64]            (it takes the first entry to make up an image)
/// Error(invalid_model) when the elements do not fit.
Shape reshaped_shape(const Shape& from, const List& wanted);

}  // namespace octavo::torchscript
