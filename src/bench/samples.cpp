#include "bench/samples.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace octavo::bench {

Samples made_up_samples(const std::vector<PortInfo>& ports, std::int64_t count, std::uint64_t seed) {
  Samples samples{count, {}};
  std::minstd_rand random(static_cast<std::uint32_t>(seed % 2147483646U + 1));
  for (const PortInfo& port : ports) {
    std::vector<std::int64_t> shape = port.shape;
    if (port.is_batched) shape[0] *= count;
    Tensor input(port.dtype, std::move(shape));
    if (port.dtype == DType::f32) {
      for (float& v : input.as<float>()) v = static_cast<float>(random() % 4001) * 0.001F - 2.0F;
    } else {
      const std::int64_t size = dtype_bytes(port.dtype);
      for (std::int64_t i = 0; i < input.elements(); ++i)
        input.data()[i * size] = static_cast<std::byte>(random() % 2);
    }
    samples.inputs.push_back(std::move(input));
  }
  return samples;
}

Samples repeated(const std::vector<PortInfo>& ports, Samples samples, std::int64_t count) {
  if (samples.count >= count || samples.count == 0) return samples;
  const std::int64_t times = (count + samples.count - 1) / samples.count;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (!ports[i].is_batched) continue;
    const Tensor& few = samples.inputs[i];
    std::vector<std::int64_t> shape = few.shape();
    shape[0] *= times;
    Tensor many(few.dtype(), std::move(shape));
    for (std::int64_t t = 0; t < times; ++t) {
      std::memcpy(many.data() + t * few.bytes(), few.data(), static_cast<std::size_t>(few.bytes()));
    }
    samples.inputs[i] = std::move(many);
  }
  samples.count *= times;
  return samples;
}

}  // namespace octavo::bench
