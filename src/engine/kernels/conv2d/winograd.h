#pragma once
#include <memory>

#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// Windows of 3 x 3 with stride 1 by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016): a
/// quarter of the products, of 16-bit numbers that take twice the time. Sums are the same bit for bit: all is
/// computed in whole numbers (docs/numerics.md, "Winograd").
Support winograd_supports(const Conv2dProblem& p) noexcept;

/// Error(unsupported) for weights or a bias that are not constant, weights that less their zero point lie
/// beyond s8 and those that can make sums of 2^25 and more.
std::unique_ptr<Prepared> prepare_winograd(const Conv2dProblem& p, const Operands& operands);

/// The same by panels of 64 channels, whose weights take twice the memory, for the CPUs of
/// wide_direct_support.
Support wide_winograd_supports(const Conv2dProblem& p) noexcept;
std::unique_ptr<Prepared> prepare_wide_winograd(const Conv2dProblem& p, const Operands& operands);

}  // namespace octavo
