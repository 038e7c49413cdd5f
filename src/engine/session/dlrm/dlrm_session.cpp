#include <algorithm>
#include <atomic>
#include <span>
#include <utility>

#include "base/cpu.h"
#include "base/divided_up.h"
#include "base/fail.h"
#include "base/thread_team.h"
#include "engine/kernels/dlrm/work.h"
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

/// The options with what tuning found, where it says something about this use. A row that this version does
/// not know, or cannot run here, is not followed.
DlrmSessionOptions tuned(const DlrmModel& model, DlrmSessionOptions options) {
  if (!options.kernel.empty() || options.samples_per_pass != 0) return options;
  const DlrmTuning* const tuning =
      find_tuning(model, arithmetic_name(options.precision), isa_name(usable_isa()));
  if (tuning == nullptr) return options;
  for (const DlrmRow& row : dlrm_rows(options.precision)) {
    if (row.name != tuning->kernel || !runs_here(row, usable_isa())) continue;
    options.kernel = tuning->kernel;
    options.samples_per_pass = tuning->samples_per_pass;
  }
  return options;
}

}  // namespace

bool runs_here(const DlrmRow& row, Isa isa) {
  return implies(isa, row.needs) && cpu_facts().has(row.also_needs);
}

std::string_view arithmetic_name(DlrmPrecision precision) noexcept {
  switch (precision) {
    case DlrmPrecision::f32:
      return "f32";
    case DlrmPrecision::int8:
      return "int8";
    case DlrmPrecision::bf16:
      return "bf16";
  }
  return "";
}

std::span<const DlrmRow> dlrm_rows(DlrmPrecision precision) {
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

struct DlrmSession::State {
  Dlrm model;
  DlrmPrecision precision;
  const DlrmRow& row;
  std::unique_ptr<DlrmPipeline> pipeline;
  std::int64_t samples_per_pass;
  ThreadTeam team;
  std::int64_t scratch_bytes;  ///< of each thread
  MemoryRegion scratch;
  std::vector<std::int64_t> rows;

  const DlrmBatch* batch = nullptr;
  float* scores = nullptr;
  std::atomic<std::int64_t> next_sample{0};  ///< the first that no thread has taken
  std::atomic<bool> is_valid_batch{true};
  std::vector<StageClock> clocks;  ///< by thread; empty unless a run is traced
  std::function<void(int)> job;

  State(Dlrm opened, const DlrmSessionOptions& options)
      : model(std::move(opened)),
        precision(options.precision),
        row(choose_row(dlrm_rows(precision), options.kernel, usable_isa())),
        pipeline(row.prepare(model.data())),
        samples_per_pass(pipeline->most_samples()),
        team(options.threads, options.cpus),
        scratch_bytes(pipeline->scratch_bytes()),
        scratch(MemoryRegion::zeros(scratch_bytes * team.size())),
        rows(model.rows()),
        job([this](int thread) { score_share(thread); }) {
    if (options.samples_per_pass < 0)
      fail(ErrorCode::invalid_argument, "{} samples at a time", options.samples_per_pass);
    if (options.samples_per_pass > 0) samples_per_pass = std::min(samples_per_pass, options.samples_per_pass);
  }

  void check(const DlrmBatch& given, std::span<float> room) const {
    check_sizes(given, model.dense_features(), std::ssize(rows));
    if (std::ssize(room) == given.samples) return;
    fail(ErrorCode::invalid_argument, "room for {} scores, expected {}", room.size(), given.samples);
  }

  /// A clock for every thread, with room for all chunks of the batch.
  void wind_up_clocks(std::int64_t samples, std::size_t stages) {
    const auto chunks = static_cast<std::size_t>(divided_up(samples, chunk_of(samples)));
    for (int thread = 0; thread < team.size(); ++thread) clocks.emplace_back(thread, chunks * stages);
  }

  /// How many samples a thread takes at a time: several times in a large batch, so that threads on CPUs of
  /// different speed end together, but as many as weights are worth passing for.
  [[nodiscard]] std::int64_t chunk_of(std::int64_t samples) const noexcept {
    constexpr std::int64_t kWorthAPass = 128, kTurns = 4;
    if (team.size() == 1) return samples_per_pass;
    const std::int64_t share = divided_up(samples, team.size());
    const std::int64_t quarter = divided_up(divided_up(share, kTurns), kDlrmGroup) * kDlrmGroup;
    return std::min(samples_per_pass, std::max(quarter, std::min(share, kWorthAPass)));
  }

  void score_all(const DlrmBatch& given, std::span<float> room) noexcept {
    batch = &given;
    scores = room.data();
    is_valid_batch = true;
    next_sample = 0;
    team.run(job);
  }

  void require_valid() const {
    if (!is_valid_batch) fail_invalid(*batch, rows);
    model.data().tables.check_whole();
  }

  /// One thread's samples: chunk after chunk, as long as there are any.
  void score_share(int thread) noexcept {
    const std::int64_t end = batch->samples, most = chunk_of(end);
    std::byte* const own = scratch.data() + thread * scratch_bytes;
    StageClock* const clock = clocks.empty() ? nullptr : &clocks[static_cast<std::size_t>(thread)];
    for (std::int64_t first; (first = next_sample.fetch_add(most, std::memory_order_relaxed)) < end;) {
      const DlrmChunk chunk{batch, first, std::min(most, end - first), scores + first, clock};
      if (clock != nullptr) clock->begin_chunk();
      if (!is_valid(*batch, rows, first, chunk.samples)) {
        is_valid_batch.store(false, std::memory_order_relaxed);
        return;
      }
      chunk.stage_done();
      pipeline->run(chunk, own);
    }
  }
};

DlrmSession::DlrmSession(Dlrm model, const DlrmSessionOptions& options) {
  const DlrmSessionOptions followed = tuned(model.data().model, options);
  state_ = std::make_unique<State>(std::move(model), followed);
}
DlrmSession::DlrmSession(DlrmSession&&) noexcept = default;
DlrmSession& DlrmSession::operator=(DlrmSession&&) noexcept = default;
DlrmSession::~DlrmSession() = default;

void DlrmSession::score(const DlrmBatch& batch, std::span<float> scores) {
  State& s = *state_;
  s.check(batch, scores);
  if (batch.samples == 0) return;
  s.score_all(batch, scores);
  s.require_valid();
}

std::vector<StepEvent> DlrmSession::score_traced(const DlrmBatch& batch, std::span<float> scores) {
  State& s = *state_;
  s.check(batch, scores);
  if (batch.samples == 0) return {};
  s.wind_up_clocks(batch.samples, stages().size());
  s.score_all(batch, scores);
  std::vector<StepEvent> all;
  for (const StageClock& clock : std::exchange(s.clocks, {}))
    all.insert(all.end(), clock.events().begin(), clock.events().end());
  s.require_valid();
  return all;
}

std::vector<std::string> DlrmSession::stages() const {
  const DlrmModel& model = state_->model.data().model;
  std::vector<std::string> stages{"check"};
  if (state_->precision != DlrmPrecision::f32) stages.emplace_back("input");
  for (std::size_t i = 0; i < model.bottom.size(); ++i) stages.push_back(fmt::format("bottom.{}", i));
  stages.insert(stages.end(), {"gather", "interaction"});
  for (std::size_t i = 0; i < model.top.size(); ++i) stages.push_back(fmt::format("top.{}", i));
  stages.emplace_back("sigmoid");
  return stages;
}

const Dlrm& DlrmSession::model() const noexcept { return state_->model; }

std::string DlrmSession::kernel() const { return std::string(state_->row.name); }

std::int64_t DlrmSession::samples_per_pass() const { return state_->samples_per_pass; }

}  // namespace octavo
