#include "bench/session_instance.h"

#include <algorithm>

#include "base/fail.h"

namespace octavo::bench {

SessionInstance::SessionInstance(const Package& package, SessionOptions options, const Place& place,
                                 std::shared_ptr<const Samples> samples)
    : Instance(place),
      session_(package, placed(std::move(options), place)),
      ports_(package.inputs()),
      samples_(std::move(samples)) {}

std::int64_t SessionInstance::run(std::int64_t first, std::int64_t count) {
  // A batch that would go over the end begins at the beginning.
  first %= samples_->count;
  if (first + count > samples_->count) first = 0;
  if (first != first_ || count != count_) set_inputs(first, count);
  session_.run();
  return count;
}

std::vector<float> SessionInstance::first_output() const {
  const TensorView output = session_.output();
  if (output.dtype != DType::f32) return {};
  const std::span<const float> values = output.as<float>();
  return {values.begin(), values.end()};
}

void SessionInstance::set_inputs(std::int64_t first, std::int64_t count) {
  if (count > samples_->count) {
    fail(ErrorCode::invalid_argument, "{} samples at once, there are {}", count, samples_->count);
  }
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const Tensor& all = samples_->inputs[i];
    TensorView view = all.view();
    if (ports_[i].is_batched) {
      view.shape[0] = ports_[i].shape[0] * count;
      view.data += first * (all.bytes() / samples_->count);
    }
    session_.set_input(ports_[i].name, view);
  }
  first_ = first;
  count_ = count;
}

StartInstance start_sessions(const Package& package, const SessionOptions& options,
                             const std::shared_ptr<const Samples>& samples) {
  return
      [=](const Place& place) { return std::make_unique<SessionInstance>(package, options, place, samples); };
}

bool takes_batches(const Package& package) {
  const std::vector<PortInfo> ports = package.inputs();
  return std::any_of(ports.begin(), ports.end(), [](const PortInfo& port) { return port.is_batched; });
}

}  // namespace octavo::bench
