#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "octavo/error.h"
#include "octavo/session.h"

namespace octavo {

struct DlrmData;

/// Where embedding tables are while a model is in use.
enum class TablePlace : std::uint8_t {
  memory,  ///< read into memory of this process (huge pages) at once
  mapped,  ///< left in their files and read as rows are asked for: ready at once, may exceed the memory
};

/// A recommendation model (DLRM) with its tables, ready for use. Cheap to copy; copies share one read-only
/// memory, and so do all DlrmSessions made from them, in any number of threads.
class Dlrm {
 public:
  /// Opens a package folder that `octavo prepare` wrote; `threads` threads read tables into memory.
  /// Error(io) for a file that cannot be read, is missing or short, and for tables larger than the memory
  /// there is, before they are loaded; Error(invalid_model) for a damaged one.
  static Dlrm open(const std::filesystem::path& folder, TablePlace place = TablePlace::memory,
                   int threads = 1);

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::int64_t dense_features() const;
  /// The rows of each table: an index of table t must be below rows()[t].
  [[nodiscard]] std::vector<std::int64_t> rows() const;
  [[nodiscard]] std::int64_t table_bytes() const;
  /// Whether the model holds what the int8 pipeline needs: ranges of its activations on sample inputs.
  [[nodiscard]] bool is_calibrated() const;

  explicit Dlrm(std::shared_ptr<const DlrmData> data) : data_(std::move(data)) {}
  [[nodiscard]] const DlrmData& data() const noexcept { return *data_; }

 private:
  std::shared_ptr<const DlrmData> data_;
};

/// The samples to score. Memory belongs to the caller.
struct DlrmBatch {
  std::int64_t samples = 0;
  std::span<const float> dense;  ///< [samples, dense features]; finite
  /// Row numbers. Without `offsets` one for each table and sample: [tables, samples]. With offsets, the bags
  /// of table 0, then those of table 1, and so on.
  std::span<const std::int64_t> indices;
  /// Empty, or [tables, samples + 1]: sample s sums the rows of table t at indices[offsets[t][s]] up to, not
  /// including, indices[offsets[t][s + 1]]; an empty bag is a vector of zeros. Never falling over all of it.
  std::span<const std::int64_t> offsets;
  /// Without offsets: from one table's row numbers to the next table's, for a part of a larger batch; 0 =
  /// samples.
  std::int64_t table_stride = 0;
};

/// The arithmetic of the MLPs and the interaction.
enum class DlrmPrecision : std::uint8_t {
  f32,
  int8,  ///< 8-bit integers with fixed scales, exact: the same scores on every CPU
  bf16,  ///< weights and activations of 8 significant bits, f32 sums, whose order CPUs differ in
};

struct DlrmSessionOptions {
  DlrmPrecision precision = DlrmPrecision::f32;
  int threads = 1;
  /// CPUs to pin the threads to, one each; empty = no pinning.
  std::vector<int> cpus;
  /// Forces a kernel row: "reference", "avx2", "avx512_vnni", "amx_int8", "amx_bf16" ...; empty = the best
  /// for this CPU (see also the environment's OCTAVO_ISA).
  std::string kernel;
  /// How many samples go through the layers at a time, at most as many as the row takes by itself; 0 = so
  /// many. Scores do not depend on it. With neither this nor a row given, a session follows what the model
  /// was tuned to (`octavo tune`) for its arithmetic and this instruction set.
  std::int64_t samples_per_pass = 0;
};

/// One instance with a team of threads of its own. Not thread-safe; use one per caller.
class DlrmSession {
 public:
  /// Packs the weights. Error(invalid_argument) for options that make no sense here, Error(invalid_model) for
  /// int8 with a model that is not calibrated.
  explicit DlrmSession(Dlrm model, const DlrmSessionOptions& options = {});
  DlrmSession(DlrmSession&&) noexcept;
  DlrmSession& operator=(DlrmSession&&) noexcept;
  ~DlrmSession();

  /// scores[s] = the model's probability for sample s. Any number of samples; no memory is allocated.
  /// Error(invalid_argument) when sizes do not agree, a dense feature is not finite, offsets fall, or an
  /// index is outside of its table, naming sample, table, index and range; Error(io) when a mapped table was
  /// cut. What `scores` holds then is not specified.
  void score(const DlrmBatch& batch, std::span<float> scores);
  /// As `score`; returns what every thread did when, thread by thread in the order of time: each stage of
  /// `stages` once for every chunk of samples. Threads wait for nobody, so a stage's done_ns is its end_ns.
  /// Gathers and interaction take turns within a chunk; they stand there one after the other.
  std::vector<StepEvent> score_traced(const DlrmBatch& batch, std::span<float> scores);
  /// What a chunk of samples passes, in the order of time: "check" (of row numbers and features), with int8
  /// "input" (features to 8 bits), "bottom.0" ..., "gather", "interaction", "top.0" ..., "sigmoid".
  [[nodiscard]] std::vector<std::string> stages() const;

  [[nodiscard]] const Dlrm& model() const noexcept;
  /// The kernel row in use.
  [[nodiscard]] std::string kernel() const;
  /// How many samples go through the layers at a time, at most.
  [[nodiscard]] std::int64_t samples_per_pass() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace octavo
