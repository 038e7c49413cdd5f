#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/cpu_feature.h"
#include "base/isa.h"
#include "engine/embedding/tables.h"
#include "engine/session/dlrm/stage_clock.h"
#include "octavo/dlrm.h"
#include "package/dlrm_package.h"

namespace octavo {

/// All that sessions of one DLRM share.
struct DlrmData {
  DlrmModel model;
  std::vector<DlrmLayer> bottom, top;
  Tables tables;
};

/// Some samples of a batch that was checked, and where their scores go.
struct DlrmChunk {
  const DlrmBatch* batch;
  std::int64_t first;
  std::int64_t samples;
  float* scores;
  StageClock* clock = nullptr;  ///< of a traced run

  void stage_done() const noexcept {
    if (clock != nullptr) clock->done();
  }
  void interaction_done() const noexcept {
    if (clock != nullptr) clock->done_interacting();
  }
};

/// The rows of one table that one sample sums.
struct Bag {
  const std::int64_t* rows;
  std::int64_t count;
};

/// Without offsets: indices from one table to the next.
inline std::int64_t table_stride(const DlrmBatch& batch) noexcept {
  return batch.table_stride > 0 ? batch.table_stride : batch.samples;
}

inline Bag bag_of(const DlrmBatch& batch, std::int64_t table, std::int64_t sample) noexcept {
  if (batch.offsets.empty()) return {batch.indices.data() + table * table_stride(batch) + sample, 1};
  const std::int64_t* const offsets = batch.offsets.data() + table * (batch.samples + 1) + sample;
  return {batch.indices.data() + offsets[0], offsets[1] - offsets[0]};
}

/// A way to score samples, made ready for one model. Immutable: any number of threads may run it at once.
class DlrmPipeline {
 public:
  DlrmPipeline() = default;
  DlrmPipeline(const DlrmPipeline&) = delete;
  DlrmPipeline& operator=(const DlrmPipeline&) = delete;
  virtual ~DlrmPipeline() = default;
  /// How many samples a chunk may have: as many as measured best.
  [[nodiscard]] virtual std::int64_t most_samples() const noexcept = 0;
  /// Scratch of one thread, 64-byte aligned by the caller and zero before its first use.
  [[nodiscard]] virtual std::int64_t scratch_bytes() const noexcept = 0;
  /// Scores a chunk. No allocation, no system call, no exception. Tells the chunk's clock when each stage of
  /// DlrmSession::stages but the first is done.
  virtual void run(const DlrmChunk& chunk, std::byte* scratch) const noexcept = 0;
};

/// One way to score with one arithmetic, as the tables below list them: best first, the reference last. All
/// rows of a table give the same bits, but for bf16, whose sums may be taken in any order.
struct DlrmRow {
  std::string_view name;
  Isa needs = Isa::generic;
  std::unique_ptr<DlrmPipeline> (*prepare)(const DlrmData& data) = nullptr;
  CpuFeature also_needs = CpuFeature::none;
};

/// Whether this machine runs the row where `isa` is the level in use.
bool runs_here(const DlrmRow& row, Isa isa);
/// "f32", "int8", "bf16": as tunings and problem texts name it.
std::string_view arithmetic_name(DlrmPrecision precision) noexcept;
/// The rows for it; Error(invalid_argument) for none of these.
std::span<const DlrmRow> dlrm_rows(DlrmPrecision precision);

}  // namespace octavo
