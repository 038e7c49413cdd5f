#pragma once
#include <vector>

#include "compiler/import/dlrm/source.h"
#include "octavo/dlrm.h"

namespace octavo {

/// `source` with its tables in this process's memory, ready to score, without a package on disk: for models
/// that fit. `formats` has one entry a table. Error(io) when the tables are larger than the memory there is.
Dlrm load_dlrm(DlrmSource source, const std::vector<RowFormat>& formats);

}  // namespace octavo
