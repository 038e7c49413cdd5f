#pragma once
#include "bench/dlrm_instance.h"
#include "bench/profile.h"

namespace octavo::bench {

/// The stages of a DLRM's fused pass as steps. Every run scores the next `batch` samples, of one pair each,
/// so that the rows of the one before are not what the caches hold. `instance` must outlive it.
Traced traced(DlrmInstance& instance, DlrmPrecision precision, std::int64_t batch, Facts facts);

}  // namespace octavo::bench
