#pragma once
#include <cstdint>

#include "engine/embedding/bag_block.h"

// What the kernels that turn embeddings into 8-bit feature vectors are given: pointers and sizes only, for
// files compiled for one ISA.

namespace octavo {

/// A table and what makes feature vectors of its single rows.
struct FeatureTable {
  BagTable bag;
  std::int64_t number;  ///< among all tables
  std::int64_t place;   ///< of its vector among a sample's features, in bytes
  /// 0: a row is a vector already, byte by byte (s8_table) or nibble by nibble through `codebook`
  /// (s4_codebook, always). Else its values are quantized as quantize_features does it.
  float inverse_scale;
  std::int8_t codebook[16];
};

/// For every sample and table, the row's vector into `features`.
struct FeatureWork {
  const FeatureTable* tables;
  std::int64_t table_count;
  const std::int64_t*
      indices;  ///< table t's row of the first sample at [t * index_stride], the next behind it
  std::int64_t index_stride;
  std::int64_t samples;
  std::int64_t samples_ahead;  ///< samples behind these whose rows are to be asked for
  std::int8_t* features;
  std::int64_t sample_bytes;  ///< from one sample's features to the next
};

/// Tables whose rows are vectors already.
void gather_features_reference(const FeatureWork& work);
/// Tables of any format.
void gather_features_avx512(const FeatureWork& work);

/// dst[i] = clamp(rint(values[i] * inverse_scale), -127, 127); a NaN gives -127.
void quantize_features_reference(const float* values, std::int64_t count, float inverse_scale,
                                 std::int8_t* dst);
void quantize_features_avx512(const float* values, std::int64_t count, float inverse_scale, std::int8_t* dst);

}  // namespace octavo
