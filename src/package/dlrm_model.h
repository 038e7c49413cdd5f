#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "package/row_format.h"

namespace octavo {

/// How a DLRM brings the dense vector x and the pooled embeddings e0, e1, ... together. With T = [x, e0,
/// ...], the top MLP reads
enum class Interaction : std::uint8_t {
  dot,            ///< x, then T[i]·T[j] for j < i, row by row
  dot_with_self,  ///< x, then T[i]·T[j] for j <= i, row by row
  cat,            ///< x, e0, e1, ...
};

/// "dot", "dot_with_self", "cat"
std::string_view interaction_name(Interaction interaction) noexcept;
std::optional<Interaction> parse_interaction(std::string_view name) noexcept;

/// One embedding table of a package.
struct DlrmTable {
  std::int64_t rows = 0;
  RowFormat format = RowFormat::f32;
  float scale = 1.0F;  ///< of the formats with one scale for all rows
  /// Of s4_codebook, zero elsewhere.
  std::array<std::int8_t, kCodebookEntries> codebook{};
  std::uint32_t crc32c = 0;  ///< of all its rows
};

/// The smallest and largest value seen of an activation.
struct ValueRange {
  float min = 0.0F;
  float max = 0.0F;
};

/// What the activations of a model were on sample inputs: from here the int8 pipeline takes its scales.
struct DlrmCalibration {
  std::int64_t samples = 0;
  ValueRange dense;                    ///< the dense features
  std::vector<ValueRange> bottom;      ///< outputs of each bottom layer, behind the ReLU
  std::vector<ValueRange> embeddings;  ///< the pooled rows of each table
  std::vector<ValueRange> dots;        ///< each product, as the top MLP reads them; none for `cat`
  std::vector<ValueRange> top;   ///< outputs of each top layer, behind the ReLU; the last before the sigmoid
  std::int64_t largest_bag = 0;  ///< the most rows of a table that a sample summed; 0 = unknown
};

/// What tuning found for one arithmetic and instruction set, and for which use.
struct DlrmTuning {
  std::string arithmetic, isa;        ///< "int8", "amx_int8"
  std::string kernel;                 ///< row
  std::int64_t samples_per_pass = 0;  ///< 0 = as many as the row takes by itself
  std::int64_t batch = 1;
  std::int64_t threads = 1;
  double measured_us = 0;  ///< of a batch
};

/// The architecture of a DLRM (v1) and how its tables are stored: plain data, everything that the engine
/// needs beside the bytes of weights and tables.
///   x    = bottom MLP of the dense features, a ReLU behind every layer; its last width is `dim`
///   e[t] = sum of the rows of table t that the sample names (none: zeros)
///   pred = sigmoid(top MLP of the interaction), a ReLU behind every layer but the last, whose width is 1
struct DlrmModel {
  std::string name;
  std::int64_t dense_features = 0;
  std::int64_t dim = 0;              ///< elements of a row, of every table
  std::vector<std::int64_t> bottom;  ///< width of each layer's output
  std::vector<std::int64_t> top;
  Interaction interaction = Interaction::dot;
  std::vector<DlrmTable> tables;
  std::optional<DlrmCalibration> calibration;
  std::vector<DlrmTuning> tunings = {};  ///< at most one for each arithmetic and instruction set
};

/// Values that the interaction gives the top MLP, and how many of them are products.
std::int64_t interaction_width(const DlrmModel& model);
std::int64_t dot_products(const DlrmModel& model);
/// Inputs of layer `i` of the bottom or top MLP.
std::int64_t bottom_inputs(const DlrmModel& model, std::size_t i);
std::int64_t top_inputs(const DlrmModel& model, std::size_t i);
/// Bytes of table t's rows.
std::int64_t table_bytes(const DlrmModel& model, std::size_t t);
/// Bytes of all tables.
std::int64_t all_table_bytes(const DlrmModel& model);
/// Bytes of all tables were they of `format`.
std::int64_t all_table_bytes(const DlrmModel& model, RowFormat format);

/// What is accepted; real models are far below.
inline constexpr std::int64_t kMostDlrmTables = 1024;
inline constexpr std::int64_t kMostDlrmLayers = 64;
inline constexpr std::int64_t kMostDlrmWidth = std::int64_t{1} << 20;
inline constexpr std::int64_t kMostDlrmDim = std::int64_t{1} << 14;
/// Of one table: 1024 tables of 2^36 rows of 64 KiB stay below 2^63 bytes.
inline constexpr std::int64_t kMostDlrmRows = std::int64_t{1} << 36;

/// Checks that layers chain, sizes are positive and within the bounds above, scales are finite and positive.
/// Error(invalid_model) naming the offending layer or table.
void check(const DlrmModel& model);

/// Puts `tuning` in the place of the one for its arithmetic and instruction set.
void set_tuning(DlrmModel& model, const DlrmTuning& tuning);
/// The one for them, or null.
const DlrmTuning* find_tuning(const DlrmModel& model, std::string_view arithmetic, std::string_view isa);

/// "26 tables x 128, 187767399 rows; 13-512-256-128, dot, 479-1024-1024-512-256-1"
std::string print(const DlrmModel& model);

}  // namespace octavo
