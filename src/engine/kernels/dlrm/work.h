#pragma once
#include <cstdint>

// What the int8 and bf16 kernels of a DLRM are given: pointers and sizes only, for files compiled for one
// ISA. What is marked int8 is not read in bf16.
//
// Activations are packed in tiles: samples in groups of 32, inputs in steps of 64 bytes, which hold 64 inputs
// in int8, 32 in bf16;
//   [group][step][half of 16 samples][16 samples][64 bytes]
// so a step of a group is 2 KiB. Weights are packed in panels of 32 outputs:
//   [panel][step][half of 16 outputs][16 quads of bytes][16 outputs][4 bytes of inputs].
// Inputs and outputs beyond a layer's own have zero weights; what lies in the activations there does not
// matter in int8 and must be finite in bf16: infinity times zero is no number. Samples beyond the last one of
// a group are computed too, from whatever lies there.

namespace octavo {

inline constexpr std::int64_t kDlrmGroup = 32;  ///< samples
inline constexpr std::int64_t kDlrmStep = 64;   ///< bytes
inline constexpr std::int64_t kDlrmPanel = 32;  ///< outputs
inline constexpr std::int64_t kDlrmTurn = 4;    ///< samples whose feature vectors are there at a time
inline constexpr std::int64_t kDlrmStepBytes = kDlrmGroup * kDlrmStep;
inline constexpr std::int64_t kBf16Step = kDlrmStep / 2;  ///< inputs

/// One layer: for every sample m and output n, with s = sum over k of src[m][k] * weights[n][k],
///   int8  dst[m][n] = clamp(rint(fma(f32(s), multiplier[n], bias[n])), 0, highest)
///   bf16  dst[m][n] = bf16(max(s + bias[n], 0)) in f32, products in the order of the instructions, the bias
///         last: the same bits at any number of samples
struct DlrmLayerWork {
  const std::uint8_t* src;
  std::int64_t steps;
  const std::int8_t* weights;
  const float* bias;        ///< by output, of whole panels
  const float* multiplier;  ///< int8: by output
  /// int8, by output: 128 * the sum of its weights.
  const std::int32_t* excess;
  /// int8: src is s8. Kernels that multiply u8 only get it as u8, 128 more, and take the excess away.
  std::int32_t src_is_signed;
  std::int32_t highest;  ///< int8: 255 or 127
  std::int64_t panels;
  std::uint8_t* dst;
  std::int64_t dst_steps;  ///< steps of the packed activations that dst is the first of
  std::int64_t samples;
  std::int32_t backwards;  ///< panels from the last to the first: what was read last is still in the cache
  std::int64_t quads;      ///< int8: of 4 inputs, a multiple of 4; behind them all weights are zeros
};

/// The dense features:
///   int8  packed[m][i] = clamp(rint(dense[m][i] * inverse_scale) + zero_point, 0, 255)
///   bf16  packed[m][i] = bf16(dense[m][i])
struct DlrmInputWork {
  const float* dense;  ///< [samples][features]
  std::int64_t features;
  std::int64_t samples;
  float inverse_scale;      ///< int8
  std::int32_t zero_point;  ///< int8
  std::uint8_t* packed;
  std::int64_t steps;
};

/// The last layer, one output: with s as above,
///   int8  dst[m] = fma(f32(s), multiplier, bias)
///   bf16  dst[m] = s + bias
struct DlrmLastWork {
  const std::uint8_t* src;
  std::int64_t steps;
  const std::int8_t* weights;  ///< whole steps
  float bias;
  float multiplier;            ///< int8
  std::int32_t excess;         ///< int8: 128 * the sum of the weights where src is s8, or u8 in its place
  std::int32_t src_is_signed;  ///< int8
  std::int64_t samples;
  float* dst;
};

/// 16 products of a sample, gathered from the tiles of sums: lanes of `mask` from `masked` on, the others
/// from `other` on (offsets in elements, already moved so that lane l reads offset + l).
struct DlrmFold {
  std::int32_t masked;
  std::int32_t other;
  std::uint32_t mask;
  std::uint32_t used;  ///< lanes that hold products
};

/// The products of a sample's feature vectors. With C the tiles of sums of the blocks (i, j <= i) of 16 x 16
/// vectors, one after the other by rows of blocks, step g of the result is
///   int8  at byte 4 * j + l, with 4 * L + v = quad_order[16 * g + j]:
///         clamp(rint(f32(lane 4 * L + l of fold 4 * g + v) * multiplier[16 * (4 * g + v) + 4 * L + l]),
///         -128, 127)
///   bf16  at element 16 * h + l: bf16(lane l of fold 2 * g + h)
/// with four folds a step in int8, two in bf16. dlrm_dots_avx512_vnni makes top u8: 128 is added to x and the
/// products.
struct DlrmDotsWork {
  /// [kDlrmTurn][16 * blocks][row_bytes]: the vectors of a few samples at a time, which stay in L1. The first
  /// vector is filled in here, from `top`; those beyond `vectors` are zeros; `fill` brings the others.
  std::int8_t* features;
  /// Puts the vectors of samples `first` .. `first + samples` (a turn, or what is left) into features.
  void (*fill)(const void* source, std::int64_t first, std::int64_t samples);
  const void* source;
  std::int64_t vectors;
  std::int64_t blocks;     ///< of 16 vectors
  std::int64_t row_bytes;  ///< whole steps
  std::int64_t samples;
  const DlrmFold* folds;           ///< in fours
  const float* multiplier;         ///< int8: 16 a fold
  const std::int32_t* quad_order;  ///< int8: 16 for four folds
  std::int64_t fold_fours;
  /// The packed activations of the samples: x in the first row_bytes / 64 steps, the products behind.
  std::uint8_t* top;
  std::int64_t top_steps;
  std::uint8_t* scratch;  ///< dlrm_dots_scratch_bytes, 64-byte aligned
};

/// Tiles of sums for `blocks` blocks of vectors.
static constexpr std::int64_t dlrm_dot_tiles(std::int64_t blocks) { return blocks * (blocks + 1) / 2; }
/// A sample's transposed features, two samples' sums, with a line on either side that folds may touch, and a
/// number for each vector.
static constexpr std::int64_t dlrm_dots_scratch_bytes(std::int64_t blocks, std::int64_t row_bytes) {
  return blocks * 16 * row_bytes + 2 * (dlrm_dot_tiles(blocks) * 1024 + 128) + blocks * 64;
}

// The kernels, by ISA.
void dlrm_input_avx512_vnni(const DlrmInputWork& work);
void dlrm_last_avx512_vnni(const DlrmLastWork& work);
void dlrm_layer_avx512_vnni(const DlrmLayerWork& work);
void dlrm_dots_avx512_vnni(const DlrmDotsWork& work);
void dlrm_layer_amx_int8(const DlrmLayerWork& work);
void dlrm_dots_amx_int8(const DlrmDotsWork& work);
void dlrm_input_avx2(const DlrmInputWork& work);
void dlrm_last_avx2(const DlrmLastWork& work);
void dlrm_layer_avx2(const DlrmLayerWork& work);
void dlrm_dots_avx2(const DlrmDotsWork& work);
void dlrm_input_avx512_bf16(const DlrmInputWork& work);
void dlrm_layer_avx512_bf16(const DlrmLayerWork& work);
void dlrm_last_avx512_bf16(const DlrmLastWork& work);
void dlrm_dots_avx512_bf16(const DlrmDotsWork& work);
void dlrm_layer_amx_bf16(const DlrmLayerWork& work);
void dlrm_dots_amx_bf16(const DlrmDotsWork& work);
/// A row of 4-bit codes, as RowFormat::s4_codebook has them: dst[i] = levels[code i]. `levels` has 32
/// entries, of which the second 16 are not used.
void dlrm_codes_avx512_bf16(const std::uint8_t* row, std::int64_t dim, const std::uint16_t* levels,
                            std::uint16_t* dst);
/// dst[i] = bf16(values[i]).
void dlrm_round_avx512_bf16(const float* values, std::int64_t count, std::uint16_t* dst);

}  // namespace octavo
