#pragma once
#include <cstdint>
#include <vector>

#include "engine/session/dlrm/pipeline.h"

namespace octavo {

/// A fully connected layer in 8 bits:
///   y[n] = clamp(rint(fma(f32(sum over k of x[k] * weights[n][k]), multiplier[n], bias[n])), 0, highest)
/// The last layer of the top MLP gives the fma itself: the logit.
struct Int8Layer {
  std::int64_t inputs = 0, outputs = 0;
  std::vector<std::int8_t> weights;  ///< [outputs][inputs]
  std::vector<float> multiplier, bias;
  std::int32_t highest = 255;
};

/// A DLRM in 8 bits. Rules, with x the dense vector and e[t] the sum of table t's rows in f32:
///   dense features  clamp(rint(value * dense_inverse_scale) + dense_zero_point, 0, 255)
///   x               what the bottom MLP gives, 0..127
///   e[t]            clamp(rint(value * feature_inverse_scale[t]), -127, 127)
///   dots            clamp(rint(f32(exact product of two vectors) * dot_multiplier), -128, 127)
///   top MLP         of [x, dots] or, for `cat`, [x, e[0], ...]
///   score           1 / (1 + exp(-logit)) in f32
/// Scales come from the calibration's ranges; the zero point, and scales that differ from input to input, are
/// in the weights and biases. A table with one scale for all rows keeps it where no bag exceeds it, so that a
/// single row is its own feature vector.
struct Int8Numbers {
  float dense_inverse_scale = 1.0F;
  std::int32_t dense_zero_point = 0;
  std::vector<Int8Layer> bottom, top;
  std::vector<float> feature_inverse_scale;  ///< by table
  std::vector<float> dot_multiplier;         ///< as the top MLP reads the products; empty for `cat`
  /// By table: whether a row of it is its feature vector, byte by byte or through the codebook.
  std::vector<bool> keeps_rows;
};

/// Error(invalid_model) when the model is not calibrated or a weight is not finite, Error(unsupported) when a
/// layer is so wide that its sums could exceed 31 bits.
Int8Numbers int8_numbers(const DlrmData& data);

}  // namespace octavo
