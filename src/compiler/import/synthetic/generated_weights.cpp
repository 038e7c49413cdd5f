#include "compiler/import/synthetic/generated_weights.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace octavo {
namespace {

/// Four bytes added have the mean 510; a quarter of the rest stays within -127.5..127.5.
int bell(std::uint32_t bits) noexcept {
  const std::uint32_t sum = (bits & 255U) + (bits >> 8U & 255U) + (bits >> 16U & 255U) + (bits >> 24U);
  return (static_cast<int>(sum) - 510) / 4;
}

void fill_channel(std::span<std::int8_t> weights, RandomBits& random) {
  std::int64_t sum = 0;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    bits = i % 2 == 0 ? random.next() : bits >> 32U;
    const int value = bell(static_cast<std::uint32_t>(bits));
    weights[i] = static_cast<std::int8_t>(value);
    sum += value;
  }
  const auto mean =
      static_cast<int>(std::lround(static_cast<double>(sum) / static_cast<double>(weights.size())));
  for (std::int8_t& w : weights) w = static_cast<std::int8_t>(std::clamp(w - mean, -127, 127));
}

}  // namespace

std::uint64_t RandomBits::next() noexcept {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9U;
  z = (z ^ z >> 27U) * 0x94D049BB133111EBU;
  return z ^ z >> 31U;
}

Tensor generated_weights(const std::vector<std::int64_t>& shape, RandomBits& random) {
  Tensor weights(DType::s8, shape);
  const auto values = weights.as<std::int8_t>();
  const std::size_t each = values.size() / static_cast<std::size_t>(shape[0]);
  for (std::size_t at = 0; at < values.size(); at += each) fill_channel(values.subspan(at, each), random);
  return weights;
}

Tensor generated_biases(std::int64_t count, double limit, RandomBits& random) {
  Tensor biases(DType::f32, {count});
  for (float& b : biases.as<float>()) b = static_cast<float>((2.0 * random.fraction() - 1.0) * limit);
  return biases;
}

}  // namespace octavo
