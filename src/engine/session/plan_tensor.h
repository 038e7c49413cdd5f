#pragma once
#include <cstdint>

#include "package/plan.h"

namespace octavo {

inline const PlanTensor& tensor_of(const Plan& plan, std::int32_t index) {
  return plan.tensors[static_cast<std::size_t>(index)];
}

/// Whether the session's own memory holds bytes of it for each image.
inline bool is_kept_by_image(const PlanTensor& t) {
  return t.storage == Storage::arena && is_per_image(t.shape);
}

}  // namespace octavo
