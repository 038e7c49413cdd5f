#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cli/pictures.h"
#include "octavo/session.h"

namespace octavo::cli {

/// Scores all pictures, `batch` at a time: f32 [pictures, classes]. Error(invalid_argument) unless the model
/// has one f32 picture input and its first output is f32 with one row a picture.
Tensor score(Session& session, const Pictures& pictures, std::int64_t batch);

/// The indices of the `count` largest scores, largest first; equal scores by index.
std::vector<std::int64_t> top_classes(std::span<const float> scores, std::int64_t count);

/// The scores of one picture.
std::span<const float> row_of(const Tensor& scores, std::int64_t row);

/// The quantum of the first output: the scale of the quantized tensor that is dequantized into it; 0 when
/// there is none.
double output_quantum(const Package& package);

}  // namespace octavo::cli
