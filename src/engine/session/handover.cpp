#include "engine/session/handover.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/session/plan_tensor.h"

namespace octavo {
namespace {

/// What is handed over lies in memory of its own. That of one image stays in L2 up to here beside its step's
/// weights, as a copy in bands would; that of several pays up to here (docs/performance.md).
constexpr std::int64_t kMostBytesOfImage = std::int64_t{1024} * 1024;
constexpr std::int64_t kMostBytesOfImages = std::int64_t{512} * 1024;

/// The bytes of a tensor that one image keeps, until others are written there.
class BytesLeft {
 public:
  explicit BytesLeft(const PlanTensor& t) : ranges_{range_of(t)} {}

  [[nodiscard]] bool overlap(const PlanTensor& other) const {
    if (!is_kept_by_image(other)) return false;
    const ByteRange with = range_of(other);
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [&](const ByteRange& r) { return r.begin < with.end && with.begin < r.end; });
  }
  void remove(const PlanTensor& written) {
    if (!is_kept_by_image(written)) return;
    const ByteRange gone = range_of(written);
    std::vector<ByteRange> left;
    for (const ByteRange& r : ranges_) {
      if (r.begin < gone.begin) left.push_back({r.begin, std::min(r.end, gone.begin)});
      if (gone.end < r.end) left.push_back({std::max(r.begin, gone.end), r.end});
    }
    ranges_ = std::move(left);
  }

 private:
  static ByteRange range_of(const PlanTensor& t) { return {t.offset, t.offset + tensor_bytes(t)}; }

  std::vector<ByteRange> ranges_;
};

/// Where the plan's residual stands among a step's operands.
constexpr std::size_t kResidual = 2;

/// Whether step `writer` + 1 reads what step `writer` writes as its first operand, perhaps one other as its
/// residual, `adder`, and nobody else.
bool is_for_the_next(const Plan& plan, std::size_t writer, std::size_t& adder) {
  const std::int32_t written = plan.steps[writer].output;
  if (!is_kept_by_image(tensor_of(plan, written))) return false;
  if (plan.steps[writer + 1].inputs.front() != written) return false;
  adder = 0;
  BytesLeft left(tensor_of(plan, written));
  for (std::size_t s = writer + 1; s < plan.steps.size(); ++s) {
    const std::vector<std::int32_t>& inputs = plan.steps[s].inputs;
    for (std::size_t i = s == writer + 1 ? 1 : 0; i < inputs.size(); ++i) {
      if (!left.overlap(tensor_of(plan, inputs[i]))) continue;
      if (i != kResidual || inputs[i] != written || s == writer + 1 || adder != 0) return false;
      adder = s;
    }
    left.remove(tensor_of(plan, plan.steps[s].output));
  }
  return true;
}

/// The two buffers of a leg, step after step.
class Buffers {
 public:
  /// One for what step `s` writes in `layout` and step `last` reads last: that of its residual, which was
  /// handed over as `residual`, where pixels have the same places, or one that nobody reads any more.
  std::optional<int> take(std::size_t s, const PixelLayout& layout, const Handover* residual,
                          std::size_t last) {
    std::optional<int> buffer;
    if (residual != nullptr && residual->layout->has_places_of(layout)) {
      buffer = residual->buffer;
    } else if (s >= free_from_[0]) {
      buffer = 0;
    } else if (s >= free_from_[1]) {
      buffer = 1;
    }
    if (buffer) free_from_[static_cast<std::size_t>(*buffer)] = last + 1;
    return buffer;
  }

 private:
  std::array<std::size_t, 2> free_from_{};
};

}  // namespace

std::vector<Handover> handovers(const Plan& plan, std::span<const PreparedStep> steps,
                                std::span<const Leg> legs) {
  std::vector<Handover> all(steps.size());
  for (const Leg& leg : legs) {
    Buffers buffers;
    for (std::size_t s = leg.first; s + 1 < leg.end; ++s) {
      const PixelLayout* wanted = steps[s + 1].kernel->wanted_layout();
      if (wanted == nullptr || !steps[s].grows || !steps[s + 1].grows || !steps[s].kernel->can_write(*wanted))
        continue;
      const std::int64_t bytes = wanted->bytes(leg.images);
      std::size_t adder = 0;
      if (bytes > (leg.images > 1 ? kMostBytesOfImages : kMostBytesOfImage) ||
          !is_for_the_next(plan, s, adder))
        continue;
      if (adder != 0 && (adder >= leg.end || !steps[adder].grows || !steps[adder].kernel->can_add(*wanted)))
        continue;
      const auto residual = std::find_if(
          all.begin() + static_cast<std::ptrdiff_t>(leg.first), all.begin() + static_cast<std::ptrdiff_t>(s),
          [s](const Handover& h) { return h.layout != nullptr && h.adder == s; });
      const bool has_residual = residual != all.begin() + static_cast<std::ptrdiff_t>(s);
      const auto buffer =
          buffers.take(s, *wanted, has_residual ? &*residual : nullptr, std::max(s + 1, adder));
      if (buffer) all[s] = {wanted, bytes, *buffer, adder};
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
