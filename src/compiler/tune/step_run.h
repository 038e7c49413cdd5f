#pragma once
#include <string>
#include <string_view>

#include "compiler/tune/isolated.h"
#include "package/package.h"

namespace octavo {

/// One step of a plan outside of it, on data made up. Where the plan's weights and activations are more than
/// L2 holds, `refresh` brings the caches into the state in which the step finds them there: weights and the
/// plan's own inputs far, what the step before wrote near. Error(invalid_argument) when the family has no row
/// `kernel`.
ReadyCandidate step_run(const PackageData& package, const Step& step, std::string_view kernel,
                        std::int64_t batch, int threads);

/// A session of `package` on data made up that runs `batch` images so.
ReadyCandidate session_run(const Package& package, const PassShape& pass, std::int64_t batch, int threads);

/// `instances` such sessions at the same time, which share `threads` threads evenly and together run as many
/// batches as there are threads.
ReadyCandidate instances_run(const Package& package, const PassShape& pass, std::int64_t batch, int instances,
                             int threads);

}  // namespace octavo
