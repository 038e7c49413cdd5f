#include "engine/session/walk_order.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/session/plan_tensor.h"

namespace octavo {
namespace {

/// By tensor: the step that writes its bytes, also where it is a view. Nothing when some view shows bytes
/// that no step wrote as a whole.
class Writers {
 public:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  explicit Writers(const Plan& plan) : plan_(plan), steps_(plan.tensors.size(), kNone) {
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
      for (std::int32_t input : plan.steps[s].inputs) find(input, s);
      steps_[static_cast<std::size_t>(plan.steps[s].output)] = s;
    }
  }
  [[nodiscard]] bool are_known() const noexcept { return are_known_; }
  [[nodiscard]] std::size_t of(std::int32_t tensor) const { return steps_[static_cast<std::size_t>(tensor)]; }

 private:
  void find(std::int32_t tensor, std::size_t before) {
    std::size_t& step = steps_[static_cast<std::size_t>(tensor)];
    const PlanTensor& view = tensor_of(plan_, tensor);
    if (step != kNone || !is_kept_by_image(view)) return;
    for (std::size_t s = before; s-- > 0;) {
      const PlanTensor& written = tensor_of(plan_, plan_.steps[s].output);
      if (!is_kept_by_image(written) || written.offset != view.offset) continue;
      if (tensor_bytes(written) != tensor_bytes(view)) break;
      step = s;
      return;
    }
    are_known_ = false;
  }

  const Plan& plan_;
  std::vector<std::size_t> steps_;
  bool are_known_ = true;
};

/// What a byte from behind L2 costs, that of a weight counted as 1 (docs/performance.md): activations that a
/// step reads and writes in order come sooner, those that one leg keeps for another are written and read
/// where nothing of them is near.
constexpr double kActivationCost = 0.25;
constexpr double kKeptCost = 3;

/// Bytes that a step moves.
struct Traffic {
  std::int64_t activations = 0;  ///< of one image
  std::int64_t weights = 0;

  /// What those from behind L2 cost for each image when `images` take the step together.
  [[nodiscard]] double cost(std::int64_t images, std::int64_t near_bytes) const {
    const bool is_far = activations > near_bytes / images;
    return (is_far ? kActivationCost * static_cast<double>(activations) : 0) +
           static_cast<double>(weights) / static_cast<double>(images);
  }
};

Traffic traffic_of(const Plan& plan, const Step& step) {
  Traffic t;
  const PlanTensor& output = tensor_of(plan, step.output);
  t.activations = tensor_bytes(output);
  for (std::int32_t input : step.inputs) {
    const PlanTensor& tensor = tensor_of(plan, input);
    const bool is_output = tensor.storage == output.storage && tensor.offset == output.offset;
    if (is_output) continue;  // a residual that is overwritten
    (tensor.storage == Storage::weights ? t.weights : t.activations) += tensor_bytes(tensor);
  }
  return t;
}

/// All, then the powers of two below, largest first: of equally good sizes the largest has the fewest rounds.
std::vector<std::int64_t> group_sizes(std::int64_t images) {
  std::vector<std::int64_t> sizes{images};
  for (std::int64_t size = std::int64_t{1} << 62; size > 0; size /= 2) {
    if (size < images) sizes.push_back(size);
  }
  return sizes;
}

/// By step: the bytes of an image that steps before it write and it or later ones read.
std::vector<std::int64_t> live_bytes(const Plan& plan, const Writers& writers) {
  std::vector<std::size_t> last_reader(plan.steps.size());
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    for (std::int32_t input : plan.steps[s].inputs) {
      if (writers.of(input) != Writers::kNone) last_reader[writers.of(input)] = s;
    }
  }
  std::vector<std::int64_t> live(plan.steps.size());
  for (std::size_t w = 0; w < plan.steps.size(); ++w) {
    const PlanTensor& output = tensor_of(plan, plan.steps[w].output);
    if (!is_kept_by_image(output)) continue;
    for (std::size_t s = w + 1; s <= last_reader[w]; ++s) live[s] += tensor_bytes(output);
  }
  return live;
}

/// For every step the index in `sizes` of the cheapest way through all steps.
std::vector<std::size_t> best_sizes(const Plan& plan, const Writers& writers,
                                    const std::vector<std::int64_t>& sizes, std::int64_t near_bytes) {
  const std::size_t count = plan.steps.size();
  const std::vector<std::int64_t> live = live_bytes(plan, writers);
  std::vector<double> cost(sizes.size(), 0);
  std::vector<std::vector<std::size_t>> from(count, std::vector<std::size_t>(sizes.size()));
  for (std::size_t s = 0; s < count; ++s) {
    const Traffic traffic = traffic_of(plan, plan.steps[s]);
    const auto cheapest = static_cast<std::size_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
    const double with_change = cost[cheapest] + kKeptCost * static_cast<double>(live[s]);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const bool changes = s > 0 && with_change < cost[i];
      from[s][i] = changes ? cheapest : i;
      cost[i] = (changes ? with_change : cost[i]) + traffic.cost(sizes[i], near_bytes);
    }
  }
  std::vector<std::size_t> chosen(count);
  auto at = static_cast<std::size_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
  for (std::size_t s = count; s-- > 0;) {
    chosen[s] = at;
    at = from[s][at];
  }
  return chosen;
}

std::vector<Leg> divide(const Plan& plan, const Writers& writers, std::int64_t images,
                        std::int64_t near_bytes) {
  const std::vector<std::int64_t> sizes = group_sizes(images);
  const std::vector<std::size_t> chosen = best_sizes(plan, writers, sizes, near_bytes);
  std::vector<Leg> legs;
  for (std::size_t s = 0; s < chosen.size(); ++s) {
    if (legs.empty() || legs.back().images != sizes[chosen[s]]) legs.push_back({s, s, sizes[chosen[s]]});
    legs.back().end = s + 1;
  }
  return legs;
}

void find_kept(const Plan& plan, const Writers& writers, WalkOrder& order) {
  std::vector<std::int64_t> offset_of(plan.steps.size(), -1);  // by writing step
  std::vector<bool> is_listed(plan.tensors.size());
  const auto list = [&](std::int32_t tensor, std::int64_t offset) {
    const auto index = static_cast<std::size_t>(tensor);
    if (!is_listed[index]) order.kept.push_back({index, offset});
    is_listed[index] = true;
  };
  for (const Leg& leg : order.legs) {
    for (std::size_t s = leg.first; s < leg.end; ++s) {
      for (std::int32_t input : plan.steps[s].inputs) {
        const std::size_t writer = writers.of(input);
        if (writer >= leg.first || !is_kept_by_image(tensor_of(plan, input))) continue;
        if (offset_of[writer] < 0) {
          offset_of[writer] = order.kept_bytes_per_image;
          order.kept_bytes_per_image += aligned_bytes(tensor_bytes(tensor_of(plan, input)));
        }
        list(plan.steps[writer].output, offset_of[writer]);
        list(input, offset_of[writer]);
      }
    }
  }
  // Views that are read in the writer's own leg show the same bytes.
  for (std::size_t t = 0; t < plan.tensors.size(); ++t) {
    const std::size_t writer = writers.of(static_cast<std::int32_t>(t));
    if (writer != Writers::kNone && is_kept_by_image(plan.tensors[t]) && offset_of[writer] >= 0)
      list(static_cast<std::int32_t>(t), offset_of[writer]);
  }
}

}  // namespace

WalkOrder walk_order(const Plan& plan, std::int64_t images, std::int64_t near_bytes) {
  WalkOrder order;
  const Writers writers(plan);
  if (images < 2 || plan.whole_batch || !writers.are_known()) {
    order.legs.push_back({0, plan.steps.size(), images});
    return order;
  }
  order.legs = divide(plan, writers, images, near_bytes);
  find_kept(plan, writers, order);
  return order;
}

}  // namespace octavo
