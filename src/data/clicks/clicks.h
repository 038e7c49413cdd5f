#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace octavo {

/// Labelled samples of a recommendation data set: what somebody was shown, and whether they clicked.
struct Clicks {
  std::int64_t samples = 0;
  std::vector<float> dense;  ///< [samples, dense features]
  /// One row number for each table and sample, [tables, samples]; or, with `offsets`, the bags of table 0,
  /// then those of table 1, and so on.
  std::vector<std::int64_t> indices;
  /// Empty, or [tables, samples + 1]: sample s has in table t the rows indices[offsets[t][s]] up to
  /// indices[offsets[t][s + 1]].
  std::vector<std::int64_t> offsets;
  std::vector<float> labels;     ///< 0 or 1; empty when the data has none
  std::vector<float> reference;  ///< what another program scored; empty when the data has none
};

/// What is done to a row number before it is used.
struct IndexRule {
  enum class Kind {
    usual,    ///< text: modulo the table's rows (it holds hashes); all others: as they are
    as_is,    ///< a row number outside of its table is an error when it is scored
    rows,     ///< modulo the table's rows
    divisor,  ///< modulo `divisor` (DLRM's max_ind_range)
  };
  Kind kind = Kind::usual;
  std::int64_t divisor = 0;
};

/// What the model takes.
struct ClickShape {
  std::int64_t dense_features = 0;
  std::vector<std::int64_t> rows;  ///< of each table
};

/// Samples in the order of their file, a piece at a time.
class ClickReader {
 public:
  virtual ~ClickReader() = default;
  /// The next samples, at most `count` of them; none at the end. Error(io, invalid_model) naming file and
  /// place.
  virtual Clicks next(std::int64_t count) = 0;
};

/// Opens the data at `place` for a model of that shape. Negative counts among raw features are taken as 0;
/// raw features x become ln(1 + x). `place` is one of
///   FOLDER     the demo's test data: batch_dense_X_ref f32 [n, dense], batch_lS_i_ref i64 [tables, n],
///              batch_res_ref f32 [n] (reference outputs)
///   FILE.bin   int32 rows of label, raw dense features, row numbers (terabyte_processed_test.bin)
///   FILE.npz   X_int [n, dense] (float: as the model takes it; integer: raw) and X_cat [n, tables], or bags:
///              offsets [tables, n + 1] and indices_0, indices_1, …; labels `y` or `target`, reference `pred`
///              or `torch_res`
///   FILE       Criteo's lines: label, raw dense features, hashes in hex, divided by tabs; without a label
///   when
///              there is one field less; or by commas, below a line that names them Label, I1, …, C1, …
///   zipf:N[:EXPONENT[:SEED]]  N generated samples, rows distributed as 1 / rank^EXPONENT (0: uniform)
/// Error(io) when it cannot be read, Error(invalid_model) naming the file that is missing, short or long, or
/// the array of a wrong type or shape; Error(invalid_argument) for a place that cannot be understood.
std::unique_ptr<ClickReader> open_clicks(const std::filesystem::path& place, const ClickShape& shape,
                                         IndexRule rule = {});

}  // namespace octavo
