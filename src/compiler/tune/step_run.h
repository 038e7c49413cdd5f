#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "package/package.h"

namespace octavo {

/// One step of a plan outside of it, on data made up: what `run` of the row `kernel` takes there.
/// Error(invalid_argument) when the family has no such row.
std::function<void()> step_run(const PackageData& package, const Step& step, std::string_view kernel,
                               std::int64_t batch, int threads);

/// A session of `package` on data made up that runs `batch` images so.
std::function<void()> session_run(const Package& package, const PassShape& pass, std::int64_t batch,
                                  int threads);

}  // namespace octavo
