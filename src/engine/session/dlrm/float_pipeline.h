#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "engine/session/dlrm/pipeline.h"

namespace octavo {

/// What an observer is shown; layers behind their ReLU, embeddings summed.
enum class DlrmActivation : std::uint8_t { dense, bottom, embedding, dots, top };

/// Sees the activations of the f32 pipeline.
class DlrmObserver {
 public:
  DlrmObserver() = default;
  DlrmObserver(const DlrmObserver&) = delete;
  DlrmObserver& operator=(const DlrmObserver&) = delete;
  virtual ~DlrmObserver() = default;
  /// One sample's values of layer or table `index`.
  virtual void see(DlrmActivation what, std::size_t index, std::span<const float> values) noexcept = 0;
};

std::span<const DlrmRow> dlrm_f32_rows();
/// The f32 kernels of `isa` by the rules of Bf16Layers: sums begin as the bias and take the inputs in order.
std::unique_ptr<DlrmPipeline> prepare_rounded_to_bf16(const DlrmData& data, Isa isa);
/// The best f32 row for `isa`, showing its activations.
std::unique_ptr<DlrmPipeline> prepare_observed(const DlrmData& data, Isa isa, DlrmObserver& observer);

}  // namespace octavo
