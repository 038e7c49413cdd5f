#pragma once
#include "engine/kernels/kernel.h"
#include "engine/kernels/pool/problem.h"

namespace octavo {

Support pool_reference_supports(const PoolProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_pool_reference(const PoolProblem& problem, const Operands& operands);

/// 8 bits, window by window.
Support pool_window_supports(const PoolProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_pool_avx2(const PoolProblem& problem, const Operands& operands);
std::unique_ptr<Prepared> prepare_pool_avx512(const PoolProblem& problem, const Operands& operands);

/// f32, all channels of a tap at a time.
Support pool_channels_supports(const PoolProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_pool_channels(const PoolProblem& problem, const Operands& operands);

}  // namespace octavo
