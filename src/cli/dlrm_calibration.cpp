#include "cli/dlrm_calibration.h"

#include <algorithm>

#include "base/fail.h"
#include "base/streamed_file.h"
#include "engine/session/dlrm/calibrate.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo::cli {
namespace {

/// The samples' row numbers of table t.
std::span<std::int64_t> rows_of_table(Clicks& clicks, std::size_t t) {
  const auto samples = static_cast<std::size_t>(clicks.samples);
  const std::span<std::int64_t> all = clicks.indices;
  if (clicks.offsets.empty()) return all.subspan(t * samples, samples);
  const std::int64_t* const starts = clicks.offsets.data() + t * (samples + 1);
  return all.subspan(static_cast<std::size_t>(starts[0]),
                     static_cast<std::size_t>(starts[samples] - starts[0]));
}

/// Renumbers the samples' rows of table t from 0 on, in the order of their old numbers, which are returned.
std::vector<std::int64_t> renumber(Clicks& clicks, std::size_t t, std::int64_t table_rows) {
  const std::span<std::int64_t> rows = rows_of_table(clicks, t);
  std::vector<std::int64_t> old(rows.begin(), rows.end());
  std::sort(old.begin(), old.end());
  old.erase(std::unique(old.begin(), old.end()), old.end());
  if (!old.empty() && (old.front() < 0 || old.back() >= table_rows)) {
    fail(ErrorCode::invalid_argument, "index {} of table {} is not in 0..{}",
         old.front() < 0 ? old.front() : old.back(), t, table_rows - 1);
  }
  for (std::int64_t& row : rows) row = std::lower_bound(old.begin(), old.end(), row) - old.begin();
  return old;
}

/// The package's model with no rows but those that the samples name, and the samples' rows renumbered to fit:
/// so calibrating takes little memory, however large the tables.
Dlrm model_of_samples(const DlrmPackage& package, Clicks& clicks) {
  DlrmModel model = package.model;
  std::vector<std::vector<std::int64_t>> wanted;
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    wanted.push_back(renumber(clicks, t, model.tables[t].rows));
    model.tables[t].rows = std::max<std::int64_t>(1, std::ssize(wanted[t]));
  }
  Tables tables = Tables::zeros(model);
  for (std::size_t t = 0; t < wanted.size(); ++t) {
    const StreamedFile file(package.table_path(t));
    const std::int64_t bytes = row_bytes(model.tables[t].format, model.dim);
    std::byte* to = tables.rows(t);
    for (std::int64_t row : wanted[t]) {
      file.read(row * bytes, {to, static_cast<std::size_t>(bytes)});
      to += bytes;
    }
  }
  return Dlrm(std::make_shared<const DlrmData>(
      DlrmData{std::move(model), package.bottom, package.top, std::move(tables)}));
}

}  // namespace

std::int64_t calibrate_package(const std::filesystem::path& folder, const DlrmOptions& data,
                               std::int64_t samples) {
  DlrmPackage package = open_dlrm_package(folder);
  Clicks clicks = data.open_data(shape_of(package.model))->next(samples);
  if (clicks.samples == 0)
    fail(ErrorCode::invalid_argument, "'{}' has no samples to calibrate on", data.data);
  DlrmCalibrator calibrator(model_of_samples(package, clicks));
  calibrator.add({clicks.samples, clicks.dense, clicks.indices, clicks.offsets});
  package.model.calibration = calibrator.calibration();
  write_dlrm_manifest(package);
  return clicks.samples;
}

}  // namespace octavo::cli
