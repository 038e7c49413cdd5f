#pragma once
#include <cstdint>

#include "engine/kernels/dlrm/work.h"

// What the bf16 kernels of a DLRM are given: pointers and sizes only, for files compiled for one ISA. Packed
// as work.h says, a step being 32 inputs of two bytes:
//   activations [group][step][half of 16 samples][16 samples][32 inputs]
//   weights     [panel][step][half of 16 outputs][16 pairs of inputs][16 outputs][2 inputs]
// Inputs beyond a layer's own have zero weights and must be finite: infinity times zero is no number.

namespace octavo {

inline constexpr std::int64_t kBf16Step = kDlrmStep / 2;  ///< inputs

/// One layer: for every sample m and output n
///   dst[m][n] = bf16(max(sum over k of src[m][k] * weights[n][k] + bias[n], 0))
/// in f32, products in the order of the instructions, the bias last: the same bits at any number of samples.
struct DlrmBf16LayerWork {
  const std::uint8_t* src;
  std::int64_t steps;
  const std::int8_t* weights;
  const float* bias;  ///< by output, of whole panels
  std::int64_t panels;
  std::uint8_t* dst;
  std::int64_t dst_steps;  ///< steps of the packed activations that dst is the first of
  std::int64_t samples;
  std::int32_t backwards;  ///< panels from the last to the first: what was read last is still in the cache
};

/// The dense features: packed[m][i] = bf16(dense[m][i]).
struct DlrmBf16InputWork {
  const float* dense;  ///< [samples][features]
  std::int64_t features;
  std::int64_t samples;
  std::uint8_t* packed;
  std::int64_t steps;
};

/// The last layer, one output: dst[m] = sum over k of src[m][k] * weights[k] + bias.
struct DlrmBf16LastWork {
  const std::uint8_t* src;
  std::int64_t steps;
  const std::int8_t* weights;  ///< whole steps
  float bias;
  std::int64_t samples;
  float* dst;
};

// The kernels, by ISA. The products of feature vectors are DlrmDotsWork's, without multipliers: element l of
// half h of step g of the result is bf16(lane l of fold 2 * g + h).
void dlrm_input_avx512_bf16(const DlrmBf16InputWork& work);
void dlrm_layer_avx512_bf16(const DlrmBf16LayerWork& work);
void dlrm_last_avx512_bf16(const DlrmBf16LastWork& work);
void dlrm_dots_avx512_bf16(const DlrmDotsWork& work);
/// A row of 4-bit codes, as RowFormat::s4_codebook has them: dst[i] = levels[code i]. `levels` has 32
/// entries, of which the second 16 are not used.
void dlrm_codes_avx512_bf16(const std::uint8_t* row, std::int64_t dim, const std::uint16_t* levels,
                            std::uint16_t* dst);
/// dst[i] = bf16(values[i]).
void dlrm_round_avx512_bf16(const float* values, std::int64_t count, std::uint16_t* dst);
void dlrm_layer_amx_bf16(const DlrmBf16LayerWork& work);
void dlrm_dots_amx_bf16(const DlrmDotsWork& work);

}  // namespace octavo
