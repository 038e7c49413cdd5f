#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "engine/session/prepared_plan.h"
#include "engine/session/walk_order.h"

namespace octavo {

/// What one step writes for the next in the layout that it wants, so that it need not copy it. Lies in one of
/// two buffers, since a step may read one and write the other.
struct Handover {
  const PixelLayout* layout = nullptr;  ///< nullptr: the step's output lies as the plan says
  std::int64_t bytes = 0;               ///< of the buffer that it takes
  int buffer = 0;
  std::size_t adder = 0;  ///< a later step that reads it as its residual; 0 = none
};

/// By step: whether and how its output is handed over. Only what a step of the same leg reads next, perhaps
/// another one as its residual, and no other one ever.
std::vector<Handover> handovers(const Plan& plan, std::span<const PreparedStep> steps,
                                std::span<const Leg> legs);

/// Bytes that `buffer` needs for all of `handovers`.
std::int64_t handover_bytes(std::span<const Handover> handovers, int buffer);

}  // namespace octavo
