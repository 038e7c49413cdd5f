#include <algorithm>
#include <limits>

#include "engine/kernels/pool/average.h"
#include "engine/kernels/pool/rows.h"
#include "engine/kernels/pool/window.h"

namespace octavo {
namespace {

/// f32 pools, all channels of a tap at a time in the output's own memory: each channel takes its taps in the
/// reference's order, so that results are the same bits.
class ChannelPool final : public Prepared {
 public:
  explicit ChannelPool(const PoolProblem& problem) : p_(problem) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const float*>(args.inputs[0]);
    auto* y = reinterpret_cast<float*>(args.output);
    const auto pixels = share.of(p_.n * args.batch * p_.oh * p_.ow);
    for (std::int64_t pixel = pixels.begin; pixel < pixels.end; ++pixel) {
      const PoolWindow h = pool_window_h(p_, pixel / p_.ow % p_.oh);
      const PoolWindow w = pool_window_w(p_, pixel % p_.ow);
      const float* image = x + pixel / (p_.oh * p_.ow) * p_.ih * p_.iw * p_.c;
      float* to = y + pixel * p_.c;
      if (p_.kind == PoolKind::max) {
        take_most(image, h, w, to);
      } else {
        average(image, h, w, to);
      }
    }
  }

 private:
  template <class Take>
  void for_each_tap(const float* image, const PoolWindow& h, const PoolWindow& w,
                    Take&& take) const noexcept {
    for (std::int64_t kh = 0; kh < h.taps; ++kh) {
      for (std::int64_t kw = 0; kw < w.taps; ++kw) {
        take(image + ((h.first + kh * h.step) * p_.iw + w.first + kw * w.step) * p_.c);
      }
    }
  }

  void take_most(const float* image, const PoolWindow& h, const PoolWindow& w, float* to) const noexcept {
    std::fill_n(to, p_.c, -std::numeric_limits<float>::infinity());
    for_each_tap(image, h, w, [&](const float* tap) {
      // A NaN is kept, as PyTorch does.
      for (std::int64_t c = 0; c < p_.c; ++c) to[c] = tap[c] > to[c] || tap[c] != tap[c] ? tap[c] : to[c];
    });
  }

  void average(const float* image, const PoolWindow& h, const PoolWindow& w, float* to) const noexcept {
    std::fill_n(to, p_.c, 0.0F);
    for_each_tap(image, h, w, [&](const float* tap) {
      for (std::int64_t c = 0; c < p_.c; ++c) to[c] += tap[c];
    });
    const std::int64_t count = average_count(p_, h, w);
    if (count == 0) return;
    const auto n = static_cast<float>(count);
    for (std::int64_t c = 0; c < p_.c; ++c) to[c] /= n;
  }

  PoolProblem p_;
};

}  // namespace

Support pool_channels_supports(const PoolProblem& problem) noexcept {
  if (problem.x != DType::f32 || problem.y != DType::f32) return Support::no("dtypes other than f32");
  return Support::yes();
}

std::unique_ptr<Prepared> prepare_pool_channels(const PoolProblem& problem, const Operands&) {
  return std::make_unique<ChannelPool>(problem);
}

}  // namespace octavo
