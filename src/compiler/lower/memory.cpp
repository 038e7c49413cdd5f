#include <algorithm>
#include <limits>

#include "compiler/lower/lowering.h"

namespace octavo {
namespace {

/// The bytes of some tensors and the steps between which they must stay untouched.
struct Buffer {
  std::int64_t bytes = 0;
  bool grows = false;  ///< with the batch: lives in the arena's second part
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = -1;
  std::int64_t offset = 0;

  [[nodiscard]] bool lives_with(const Buffer& other) const noexcept {
    return grows == other.grows && first <= other.last && other.first <= last;
  }
};

std::vector<Buffer> lives(const Plan& plan, std::span<const std::int32_t> buffers, std::int32_t count) {
  std::vector<Buffer> all(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (plan.tensors[i].storage != Storage::arena) continue;
    Buffer& b = all[static_cast<std::size_t>(buffers[i])];
    b.bytes = std::max(b.bytes, aligned_bytes(tensor_bytes(plan.tensors[i])));
    b.grows = is_per_image(plan.tensors[i].shape);
  }
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const auto touch = [&](std::int32_t tensor) {
      const std::int32_t id = buffers[static_cast<std::size_t>(tensor)];
      if (id < 0) return;
      Buffer& b = all[static_cast<std::size_t>(id)];
      b.first = std::min(b.first, static_cast<std::int64_t>(s));
      b.last = std::max(b.last, static_cast<std::int64_t>(s));
    };
    for (std::int32_t input : plan.steps[s].inputs) touch(input);
    touch(plan.steps[s].output);
  }
  return all;
}

/// Lets a residual sum lie where its residual does when nobody reads that afterwards: a block of a residual
/// network then touches a third less memory, which decides whether it stays in L2.
std::vector<std::int32_t> with_sums_in_place(const Plan& plan, std::span<const std::int32_t> buffers,
                                             const std::vector<Buffer>& all) {
  std::vector<std::int32_t> shared(buffers.begin(), buffers.end());
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    if (!may_overwrite_residual(step)) continue;
    const auto buffer_of = [&](std::int32_t tensor) { return buffers[static_cast<std::size_t>(tensor)]; };
    const std::int32_t x = buffer_of(step.inputs[0]), residual = buffer_of(step.inputs[2]);
    const std::int32_t y = buffer_of(step.output);
    if (residual < 0 || y < 0 || residual == x || residual == y) continue;
    const Buffer &dying = all[static_cast<std::size_t>(residual)], &born = all[static_cast<std::size_t>(y)];
    const auto now = static_cast<std::int64_t>(s);
    if (dying.last != now || born.first != now || dying.bytes != born.bytes || dying.grows != born.grows)
      continue;
    const std::int32_t place = shared[static_cast<std::size_t>(step.inputs[2])];
    for (std::size_t t = 0; t < shared.size(); ++t) {
      if (buffers[t] == y) shared[t] = place;
    }
  }
  return shared;
}

/// The lowest offset at which `bytes` fit beside the placed buffers that live at the same time.
std::int64_t lowest_fit(const Buffer& wanted, const std::vector<const Buffer*>& placed) {
  std::int64_t offset = 0;
  for (const Buffer* other : placed) {  // in the order of their offsets
    if (!wanted.lives_with(*other)) continue;
    if (other->offset >= offset + wanted.bytes) break;
    offset = std::max(offset, other->offset + other->bytes);
  }
  return offset;
}

}  // namespace

/// Largest first, each at the lowest free offset: within a few percent of the largest sum of live bytes on
/// real networks.
void assign_memory(Plan& plan, std::span<const std::int32_t> given, std::int32_t buffer_count) {
  const std::vector<std::int32_t> buffers = with_sums_in_place(plan, given, lives(plan, given, buffer_count));
  std::vector<Buffer> all = lives(plan, buffers, buffer_count);
  std::vector<Buffer*> by_size;
  by_size.reserve(all.size());
  for (Buffer& b : all) by_size.push_back(&b);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const Buffer* a, const Buffer* b) { return a->bytes > b->bytes; });
  std::vector<const Buffer*> placed;
  for (Buffer* b : by_size) {
    b->offset = lowest_fit(*b, placed);
    std::int64_t& end = b->grows ? plan.bytes_per_image : plan.fixed_bytes;
    end = std::max(end, b->offset + b->bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), b,
                                   [](const Buffer* x, const Buffer* y) { return x->offset < y->offset; }),
                  b);
  }
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (plan.tensors[i].storage == Storage::arena) {
      plan.tensors[i].offset = all[static_cast<std::size_t>(buffers[i])].offset;
    }
  }
}

}  // namespace octavo
