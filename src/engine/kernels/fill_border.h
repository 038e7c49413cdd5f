#pragma once
#include "engine/kernels/kernel.h"

namespace octavo {

/// Fills this share's part of the border of each image that a step writes in args.output_layout, unless that
/// is its residual's memory and border already; `images` of them for each unit of batch.
void fill_border(const KernelArgs& args, std::int64_t images, Share share) noexcept;

}  // namespace octavo
