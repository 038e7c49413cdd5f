#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/measured.h"
#include "octavo/session.h"

namespace octavo::cli {

/// The generated ResNet-50, compiled.
Package compile_synthetic_resnet50();

/// One picture of noise, the same every time, normalized as torchvision does: f32 [1,3,224,224].
Tensor noise_picture();

/// The latency of one picture at a time with so many threads.
struct ThreadsLatency {
  int threads = 1;
  bench::Measured measured;
};
/// Measures for `seconds`.
ThreadsLatency measure_threads(const Package& package, int threads, double seconds);

/// 10^12 operations a second, a multiplication and an addition counting as two.
double tera_operations(std::int64_t macs, const bench::Measured& measured);

}  // namespace octavo::cli
