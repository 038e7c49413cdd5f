#pragma once
#include <cstdint>

#include "compiler/import/dlrm/source.h"

namespace octavo {

/// A model of this architecture with weights as training leaves them (normal; rows of a table differ in
/// norm), determined by `seed`: any row can be had at any time, on every machine the same. `rows_scale`
/// multiplies each table's rows (rounded up). Error(invalid_argument) for a scale that is not positive and
/// finite, or gives more rows than a table may have.
DlrmSource synthetic_dlrm(const DlrmModel& model, double rows_scale, std::uint64_t seed);

}  // namespace octavo
