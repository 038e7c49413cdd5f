#pragma once
#include "octavo/session.h"

namespace octavo::bench {

/// y = exp(x) + exp(exp(x)) in three steps with x f32 [batch, 4], or, with Batches::none, f32 [4].
enum class Batches { any, none };
Package small_package(Batches batches = Batches::any);

}  // namespace octavo::bench
