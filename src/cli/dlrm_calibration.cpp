#include "cli/dlrm_calibration.h"

#include "base/fail.h"
#include "engine/session/dlrm/calibrate.h"

namespace octavo::cli {

std::int64_t calibrate_package(const std::filesystem::path& folder, const DlrmOptions& data,
                               std::int64_t samples) {
  constexpr std::int64_t kPiece = 4096;
  const Dlrm model = Dlrm::open(folder, TablePlace::mapped);
  const auto reader = data.open_data(model);
  DlrmCalibrator calibrator(model);
  std::int64_t seen = 0;
  while (seen < samples) {
    const Clicks clicks = reader->next(std::min(kPiece, samples - seen));
    if (clicks.samples == 0) break;
    calibrator.add({clicks.samples, clicks.dense, clicks.indices, clicks.offsets});
    seen += clicks.samples;
  }
  if (seen == 0) fail(ErrorCode::invalid_argument, "'{}' has no samples to calibrate on", data.data);
  DlrmPackage package = open_dlrm_package(folder);
  package.model.calibration = calibrator.calibration();
  write_dlrm_manifest(package);
  return seen;
}

}  // namespace octavo::cli
