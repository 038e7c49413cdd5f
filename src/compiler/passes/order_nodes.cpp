#include <algorithm>

#include "compiler/passes/passes.h"

namespace octavo {
namespace {

constexpr std::size_t kNoNode = static_cast<std::size_t>(-1);

/// Puts nodes in the order of a walk from the outputs up, each behind all that it reads.
class DepthFirst {
 public:
  explicit DepthFirst(const Graph& graph)
      : nodes_(graph.nodes()), producers_(graph.values().size(), kNoNode) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      depths_.push_back(1);
      for (std::size_t from : read_by(i)) depths_[i] = std::max(depths_[i], depths_[from] + 1);
      producers_[static_cast<std::size_t>(nodes_[i].output)] = i;
    }
    is_placed_.resize(nodes_.size());
    for (const GraphOutput& output : graph.outputs) place(producers_[static_cast<std::size_t>(output.value)]);
    for (std::size_t i = 0; i < nodes_.size(); ++i) place(i);  // what no output needs
  }

  [[nodiscard]] const std::vector<std::size_t>& order() const noexcept { return order_; }

 private:
  /// The nodes whose results `node` reads.
  [[nodiscard]] std::vector<std::size_t> read_by(std::size_t node) const {
    std::vector<std::size_t> nodes;
    for (ValueId id : nodes_[node].inputs) {
      const std::size_t from = id == kNoValue ? kNoNode : producers_[static_cast<std::size_t>(id)];
      if (from != kNoNode) nodes.push_back(from);
    }
    return nodes;
  }

  /// Places `root` behind what it needs and is not placed yet, the deepest operand first. With a stack of its
  /// own: models can be deeper than ours.
  void place(std::size_t root) {
    std::vector<std::size_t> open{root};
    while (!open.empty()) {
      const std::size_t node = open.back();
      if (node == kNoNode || is_placed_[node]) {
        open.pop_back();
        continue;
      }
      std::vector<std::size_t> missing = read_by(node);
      std::erase_if(missing, [this](std::size_t from) { return is_placed_[from]; });
      if (missing.empty()) {
        is_placed_[node] = true;
        order_.push_back(node);
        open.pop_back();
      } else {
        open.push_back(
            *std::max_element(missing.begin(), missing.end(),
                              [this](std::size_t a, std::size_t b) { return depths_[a] < depths_[b]; }));
      }
    }
  }

  const std::vector<Node>& nodes_;
  std::vector<std::size_t> producers_;  ///< of each value
  std::vector<std::size_t> depths_;     ///< nodes on the longest way from an input down to each
  std::vector<bool> is_placed_;
  std::vector<std::size_t> order_;
};

}  // namespace

bool order_nodes(Graph& graph) {
  const std::vector<std::size_t> order = DepthFirst(graph).order();
  if (std::is_sorted(order.begin(), order.end())) return false;
  std::vector<Node> nodes;
  nodes.reserve(order.size());
  for (std::size_t i : order) nodes.push_back(std::move(graph.nodes()[i]));
  graph.nodes() = std::move(nodes);
  return true;
}

}  // namespace octavo
