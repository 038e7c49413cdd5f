#include "cli/demo_resnet50.h"

#include <fmt/format.h>

#include "base/version.h"
#include "bench/closed_loop.h"
#include "bench/session_instance.h"
#include "compiler/compile_graph.h"
#include "compiler/import/synthetic/generated_weights.h"
#include "compiler/import/synthetic/resnet50.h"

namespace octavo::cli {

Package compile_synthetic_resnet50() {
  return compile_graph(synthetic_resnet50(), {}, {"", "", fmt::format("octavo {}", kVersion)});
}

Tensor noise_picture() {
  Tensor picture(DType::f32, {1, 3, 224, 224});
  RandomBits random(50);
  for (float& x : picture.as<float>()) x = static_cast<float>(-2.1 + 4.7 * random.fraction());
  return picture;
}

ThreadsLatency measure_threads(const Package& package, int threads, double seconds) {
  auto samples = std::make_shared<bench::Samples>();
  samples->count = 1;
  samples->inputs.push_back(noise_picture());
  bench::Instances instances;
  instances.push_back(bench::start_sessions(package, {}, samples)({threads, {}}));
  return {threads, bench::run_closed_loop(instances, 1, {seconds, seconds / 10, 3}, {})};
}

double tera_operations(std::int64_t macs, const bench::Measured& measured) {
  return 2.0 * static_cast<double>(macs) / static_cast<double>(measured.latency.quantile_ns(0.5)) * 1e-3;
}

}  // namespace octavo::cli
