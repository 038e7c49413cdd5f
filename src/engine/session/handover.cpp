#include "engine/session/handover.h"

#include <algorithm>

#include "engine/session/plan_tensor.h"

namespace octavo {
namespace {

/// What is handed over lies in memory of its own. That of one image stays in L2 beside its step's weights, or
/// the copy would not either; that of several pays up to here (docs/performance.md).
constexpr std::int64_t kMostBytesOfImages = std::int64_t{512} * 1024;

/// Whether bytes of `a`, which one image takes, are also of `b`.
bool overlap(const PlanTensor& a, const PlanTensor& b) {
  return is_kept_by_image(b) && a.offset < b.offset + tensor_bytes(b) &&
         b.offset < a.offset + tensor_bytes(a);
}

/// Whether only step `writer` + 1 reads what step `writer` writes, as its first operand and as nothing else.
bool is_read_next_only(const Plan& plan, std::size_t writer) {
  const std::int32_t written = plan.steps[writer].output;
  const PlanTensor& tensor = tensor_of(plan, written);
  if (!is_kept_by_image(tensor)) return false;
  for (std::size_t s = writer + 1; s < plan.steps.size(); ++s) {
    const std::vector<std::int32_t>& inputs = plan.steps[s].inputs;
    const bool is_next = s == writer + 1;
    if (is_next && inputs.front() != written) return false;
    for (std::size_t i = is_next ? 1 : 0; i < inputs.size(); ++i) {
      if (overlap(tensor, tensor_of(plan, inputs[i]))) return false;
    }
    // From here on its bytes are another tensor's.
    const PlanTensor& output = tensor_of(plan, plan.steps[s].output);
    if (overlap(tensor, output) && output.offset <= tensor.offset &&
        output.offset + tensor_bytes(output) >= tensor.offset + tensor_bytes(tensor))
      return true;
  }
  return true;
}

}  // namespace

std::vector<Handover> handovers(const Plan& plan, std::span<const PreparedStep> steps,
                                std::span<const Leg> legs) {
  std::vector<Handover> all(steps.size());
  for (const Leg& leg : legs) {
    for (std::size_t s = leg.first; s + 1 < leg.end; ++s) {
      const PixelLayout* wanted = steps[s + 1].kernel->wanted_layout();
      if (wanted == nullptr || !steps[s].grows || !steps[s + 1].grows || !steps[s].kernel->can_write(*wanted))
        continue;
      const std::int64_t bytes = wanted->bytes(leg.images);
      if ((leg.images > 1 && bytes > kMostBytesOfImages) || !is_read_next_only(plan, s)) continue;
      const bool reads_first = s > leg.first && all[s - 1].layout != nullptr && all[s - 1].buffer == 0;
      all[s] = {wanted, bytes, reads_first ? 1 : 0};
    }
  }
  return all;
}

std::int64_t handover_bytes(std::span<const Handover> handovers, int buffer) {
  std::int64_t most = 0;
  for (const Handover& h : handovers) {
    if (h.buffer == buffer) most = std::max(most, h.bytes);
  }
  return aligned_bytes(most);
}

}  // namespace octavo
