#pragma once
#include <functional>
#include <string>

#include "bench/dlrm_instance.h"
#include "bench/facts.h"
#include "bench/profile.h"
#include "bench/sweep.h"
#include "cli/bench_inputs.h"
#include "cli/dlrm_model.h"
#include "cli/model_options.h"

namespace octavo::cli {

/// A model that is open and ready to be measured.
struct MeasuredModel {
  bench::Facts facts;
  bench::Subject subject;
  std::function<bench::Profile(const bench::Point&)> steps;  ///< of one setting; empty: the model has none
  std::optional<bench::Split> tuned;  ///< that scores most, as measured here by `octavo tune`
};

/// A package or model file whose instances are Sessions; `most` samples at once must be there.
MeasuredModel measured_session(const ModelOptions& model, const InputOptions& inputs,
                               const SessionOptions& session, std::int64_t most);

/// How click data is cut into the samples of a scenario.
struct PairOptions {
  std::string kind = "one";  ///< or "mlperf"
  std::uint64_t seed = 1;
};

/// A DLRM with the samples that it is measured on.
struct DlrmOnData {
  Dlrm model;
  std::shared_ptr<const bench::DlrmSamples> samples;
  bench::Facts facts;
};

/// A DLRM on the data that `dlrm` names. Error(unsupported) for data in bags, Error(invalid_argument) for
/// data with less than `most` samples.
DlrmOnData open_dlrm_on_data(const std::string& model, const RunOptions& run, const DlrmOptions& dlrm,
                             const PairOptions& pairs, std::int64_t most);
/// The same, ready to be measured.
MeasuredModel measured_dlrm(const std::string& model, const RunOptions& run, const DlrmOptions& dlrm,
                            const PairOptions& pairs, std::int64_t most);

/// The most samples that a sweep gives an instance at once.
std::int64_t most_samples(const bench::Sweep& sweep);

}  // namespace octavo::cli
