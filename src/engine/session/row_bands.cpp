#include "engine/session/row_bands.h"

#include <algorithm>
#include <optional>

#include "engine/session/plan_tensor.h"

namespace octavo {
namespace {

/// Steps that move less between them have all of it in L2 anyway.
constexpr std::int64_t kLargeBytes = std::int64_t{512} * 1024;
/// The weights of steps that go together pass once a band and have to stay in L2.
constexpr std::int64_t kWeightBytes = std::int64_t{512} * 1024;

/// As they lie in the plan or, where more, as the kernel packed them.
std::int64_t weight_bytes(const Plan& plan, const Step& step, const Prepared& kernel) {
  std::int64_t bytes = 0;
  for (std::int32_t input : step.inputs) {
    if (tensor_of(plan, input).storage == Storage::weights) bytes += tensor_bytes(tensor_of(plan, input));
  }
  return std::max(bytes, std::ssize(kernel.constants(1, {0, 1})));
}

ByteRange hull(const ByteRange& a, const ByteRange& b) {
  if (a.is_empty()) return b;
  if (b.is_empty()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

/// The bytes of the bands of one step; nothing where its shares are no bands.
std::optional<std::vector<BandBytes>> bytes_of(const Step& step, const Prepared& kernel, int bands,
                                               int threads, std::span<std::byte* const> base) {
  const auto at = [&](std::int32_t tensor, const ByteRange& range) -> ByteRange {
    if (range.is_empty()) return {};
    const auto begin = reinterpret_cast<std::int64_t>(base[static_cast<std::size_t>(tensor)]);
    return {begin + range.begin, begin + range.end};
  };
  std::vector<BandBytes> all(static_cast<std::size_t>(bands));
  for (int share = 0; share < bands * threads; ++share) {
    const std::optional<Reach> reach = kernel.reach({share, bands * threads});
    if (!reach || reach->output.is_empty()) return std::nullopt;
    BandBytes& band = all[static_cast<std::size_t>(share / threads)];
    band.written = hull(band.written, at(step.output, reach->output));
    band.read.resize(step.inputs.size());
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      band.read[i] = hull(band.read[i], at(step.inputs[i], reach->inputs[i]));
    }
  }
  return all;
}

/// Consecutive steps that may go in bands, on their way into the order of a leg.
class Together {
 public:
  Together(const Plan& plan, std::vector<BandStep>& order) : plan_(plan), order_(order) {}

  void add(std::size_t step, const Prepared& kernel, std::vector<BandBytes> bytes) {
    const std::int64_t weights = weight_bytes(plan_, plan_.steps[step], kernel);
    if (weights_ + weights > kWeightBytes) end();
    if (steps_.empty()) first_ = step;
    weights_ += weights;
    is_large_ = is_large_ || tensor_bytes(tensor_of(plan_, plan_.steps[step].output)) >= kLargeBytes;
    steps_.push_back(std::move(bytes));
  }
  void end() {
    if (is_large_ && steps_.size() > 1) {
      const std::vector<BandStep> in_bands = band_order(steps_, first_);
      order_.insert(order_.end(), in_bands.begin(), in_bands.end());
    } else {
      for (std::size_t i = 0; i < steps_.size(); ++i) order_.push_back({first_ + i, 0, 1});
    }
    steps_.clear();
    weights_ = 0;
    is_large_ = false;
  }

 private:
  const Plan& plan_;
  std::vector<BandStep>& order_;
  std::vector<std::vector<BandBytes>> steps_;
  std::size_t first_ = 0;
  std::int64_t weights_ = 0;
  bool is_large_ = false;
};

}  // namespace

std::vector<BandStep> steps_in_bands(const Plan& plan, std::span<const PreparedStep> steps, const Leg& leg,
                                     int bands, int threads, std::span<std::byte* const> base) {
  std::vector<BandStep> order;
  Together together(plan, order);
  for (std::size_t s = leg.first; s < leg.end; ++s) {
    std::optional<std::vector<BandBytes>> bytes;
    if (bands > 1 && leg.images == 1 && steps[s].grows)
      bytes = bytes_of(plan.steps[s], *steps[s].kernel, bands, threads, base);
    if (bytes) {
      together.add(s, *steps[s].kernel, std::move(*bytes));
      continue;
    }
    together.end();
    order.push_back({s, 0, 1});
  }
  together.end();
  return order;
}

}  // namespace octavo
