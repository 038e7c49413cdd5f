#include "engine/session/dlrm/calibrate.h"

#include <algorithm>
#include <array>
#include <exception>

#include "base/cpu.h"
#include "engine/embedding/value_histogram.h"
#include "engine/session/dlrm/batch_check.h"
#include "engine/session/dlrm/float_pipeline.h"

namespace octavo {
namespace {

/// A histogram of each activation; of the products their ranges.
class Histograms final : public DlrmObserver {
 public:
  explicit Histograms(const DlrmModel& model) {
    of(DlrmActivation::dense).resize(1);
    of(DlrmActivation::bottom).resize(model.bottom.size());
    of(DlrmActivation::embedding).resize(model.tables.size());
    dots_.resize(static_cast<std::size_t>(dot_products(model)));
    of(DlrmActivation::top).resize(model.top.size());
  }

  void see(DlrmActivation what, std::size_t index, std::span<const float> values) noexcept override {
    if (what == DlrmActivation::dots) return see_dots(values);
    try {
      of(what)[index].add(values);
    } catch (...) {
      if (!error_) error_ = std::current_exception();  // what is found later follows from the first
    }
  }

  void rethrow() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  [[nodiscard]] const std::vector<ValueRange>& dots() const noexcept { return dots_; }

  [[nodiscard]] std::vector<ValueRange> ranges(DlrmActivation what, double share) const {
    std::vector<ValueRange> ranges;
    for (const ValueHistogram& histogram : histograms_[static_cast<std::size_t>(what)])
      ranges.push_back({histogram.quantile(1 - share), histogram.quantile(share)});
    return ranges;
  }

 private:
  std::vector<ValueHistogram>& of(DlrmActivation what) noexcept {
    return histograms_[static_cast<std::size_t>(what)];
  }

  /// A histogram of each product would be too much.
  void see_dots(std::span<const float> values) noexcept {
    for (std::size_t i = 0; i < values.size(); ++i) {
      dots_[i].min = std::min(dots_[i].min, values[i]);
      dots_[i].max = std::max(dots_[i].max, values[i]);
    }
  }

  std::array<std::vector<ValueHistogram>, 5> histograms_;
  std::vector<ValueRange> dots_;
  std::exception_ptr error_;
};

}  // namespace

struct DlrmCalibrator::State {
  Dlrm model;
  Histograms histograms;
  std::unique_ptr<DlrmPipeline> pipeline;
  MemoryRegion scratch;
  std::vector<std::int64_t> rows;
  std::vector<float> scores;
  std::int64_t samples = 0, largest_bag = 0;

  explicit State(Dlrm opened)
      : model(std::move(opened)),
        histograms(model.data().model),
        pipeline(prepare_observed(model.data(), usable_isa(), histograms)),
        scratch(MemoryRegion::zeros(pipeline->scratch_bytes())),
        rows(model.rows()),
        scores(static_cast<std::size_t>(pipeline->most_samples())) {}
};

DlrmCalibrator::DlrmCalibrator(Dlrm model) : state_(std::make_unique<State>(std::move(model))) {}
DlrmCalibrator::~DlrmCalibrator() = default;

void DlrmCalibrator::add(const DlrmBatch& batch) {
  State& s = *state_;
  check_sizes(batch, s.model.dense_features(), std::ssize(s.rows));
  if (batch.samples == 0) return;
  if (!is_valid(batch, s.rows, 0, batch.samples)) fail_invalid(batch, s.rows);
  const std::int64_t most = s.pipeline->most_samples();
  for (std::int64_t first = 0; first < batch.samples; first += most) {
    s.pipeline->run({&batch, first, std::min(most, batch.samples - first), s.scores.data()},
                    s.scratch.data());
  }
  s.histograms.rethrow();
  s.model.data().tables.check_whole();
  s.samples += batch.samples;
  for (std::int64_t t = 0; t < std::ssize(s.rows); ++t) {
    for (std::int64_t i = 0; i < batch.samples; ++i)
      s.largest_bag = std::max(s.largest_bag, bag_of(batch, t, i).count);
  }
}

DlrmCalibration DlrmCalibrator::calibration(double share) const {
  const Histograms& seen = state_->histograms;
  return {state_->samples,
          seen.ranges(DlrmActivation::dense, share).front(),
          seen.ranges(DlrmActivation::bottom, share),
          seen.ranges(DlrmActivation::embedding, 1.0),
          seen.dots(),
          seen.ranges(DlrmActivation::top, share),
          state_->largest_bag};
}

}  // namespace octavo
