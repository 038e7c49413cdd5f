#pragma once
#include <memory>

#include "octavo/dlrm.h"
#include "package/dlrm_model.h"

namespace octavo {

/// Learns the ranges of a model's activations from sample inputs, scored in f32.
class DlrmCalibrator {
 public:
  explicit DlrmCalibrator(Dlrm model);
  DlrmCalibrator(const DlrmCalibrator&) = delete;
  DlrmCalibrator& operator=(const DlrmCalibrator&) = delete;
  ~DlrmCalibrator();

  /// Sees a batch. Errors as DlrmSession::score; Error(invalid_model) when an activation is not finite.
  void add(const DlrmBatch& batch);
  /// Ranges that hold `share` of the values of each activation: clipping few large ones leaves finer steps to
  /// all the others. Embeddings are never clipped.
  [[nodiscard]] DlrmCalibration calibration(double share = kDefaultShare) const;

  /// Measured best on the small trained model (docs/accuracy.md).
  static constexpr double kDefaultShare = 0.99999;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace octavo
