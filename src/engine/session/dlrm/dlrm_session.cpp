#include <algorithm>
#include <atomic>
#include <span>

#include "base/cpu.h"
#include "base/fail.h"
#include "base/thread_team.h"
#include "engine/session/dlrm/batch_check.h"
#include "engine/session/dlrm/bf16_pipeline.h"
#include "engine/session/dlrm/float_pipeline.h"
#include "engine/session/dlrm/int8_pipeline.h"

namespace octavo {
namespace {

const DlrmRow& choose_row(std::span<const DlrmRow> rows, std::string_view forced, Isa isa) {
  for (const DlrmRow& row : rows) {
    if (!forced.empty() ? row.name != forced : !runs_here(row, isa)) continue;
    if (runs_here(row, isa)) return row;
    fail(ErrorCode::invalid_argument, "kernel '{}' needs {}, which is not in use here", forced,
         implies(isa, row.needs) ? feature_name(row.also_needs) : isa_name(row.needs));
  }
  std::string names;
  for (const DlrmRow& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  fail(ErrorCode::invalid_argument, "there is no kernel '{}'; there are {}", forced, names);
}

std::span<const DlrmRow> rows_of(DlrmPrecision precision) {
  switch (precision) {
    case DlrmPrecision::f32:
      return dlrm_f32_rows();
    case DlrmPrecision::int8:
      return dlrm_int8_rows();
    case DlrmPrecision::bf16:
      return dlrm_bf16_rows();
  }
  fail(ErrorCode::invalid_argument, "there is no precision {}", static_cast<int>(precision));
}

const DlrmRow& row_of(const DlrmSessionOptions& options) {
  return choose_row(rows_of(options.precision), options.kernel, usable_isa());
}

}  // namespace

bool runs_here(const DlrmRow& row, Isa isa) {
  return implies(isa, row.needs) && cpu_facts().has(row.also_needs);
}

struct DlrmSession::State {
  Dlrm model;
  const DlrmRow& row;
  std::unique_ptr<DlrmPipeline> pipeline;
  ThreadTeam team;
  std::int64_t scratch_bytes;  ///< of each thread
  MemoryRegion scratch;
  std::vector<std::int64_t> rows;

  const DlrmBatch* batch = nullptr;
  float* scores = nullptr;
  std::atomic<bool> is_valid_batch{true};
  std::function<void(int)> job;

  State(Dlrm opened, const DlrmSessionOptions& options)
      : model(std::move(opened)),
        row(row_of(options)),
        pipeline(row.prepare(model.data())),
        team(options.threads, options.cpus),
        scratch_bytes(pipeline->scratch_bytes()),
        scratch(MemoryRegion::zeros(scratch_bytes * team.size())),
        rows(model.rows()),
        job([this](int thread) { score_share(thread); }) {}

  /// One thread's samples: a contiguous share, in chunks.
  void score_share(int thread) noexcept {
    const std::int64_t begin = batch->samples * thread / team.size();
    const std::int64_t end = batch->samples * (thread + 1) / team.size();
    std::byte* const own = scratch.data() + thread * scratch_bytes;
    const std::int64_t most = pipeline->most_samples();
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t samples = std::min(most, end - first);
      if (!is_valid(*batch, rows, first, samples)) {
        is_valid_batch.store(false, std::memory_order_relaxed);
        return;
      }
      pipeline->run({batch, first, samples, scores + first}, own);
    }
  }
};

DlrmSession::DlrmSession(Dlrm model, const DlrmSessionOptions& options)
    : state_(std::make_unique<State>(std::move(model), options)) {}
DlrmSession::DlrmSession(DlrmSession&&) noexcept = default;
DlrmSession& DlrmSession::operator=(DlrmSession&&) noexcept = default;
DlrmSession::~DlrmSession() = default;

void DlrmSession::score(const DlrmBatch& batch, std::span<float> scores) {
  State& s = *state_;
  check_sizes(batch, s.model.dense_features(), std::ssize(s.rows));
  if (std::ssize(scores) != batch.samples) {
    fail(ErrorCode::invalid_argument, "room for {} scores, expected {}", scores.size(), batch.samples);
  }
  if (batch.samples == 0) return;
  s.batch = &batch;
  s.scores = scores.data();
  s.is_valid_batch = true;
  s.team.run(s.job);
  if (!s.is_valid_batch) fail_invalid(batch, s.rows);
  s.model.data().tables.check_whole();
}

const Dlrm& DlrmSession::model() const noexcept { return state_->model; }

std::string DlrmSession::kernel() const { return std::string(state_->row.name); }

}  // namespace octavo
