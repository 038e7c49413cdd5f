#include "cli/demo_resnet50.h"

#include <fmt/format.h>

#include "base/version.h"
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
  const Tensor picture = noise_picture();
  SessionOptions options;
  options.threads = threads;
  Session session(package, options);
  session.set_input(package.inputs()[0].name, picture.view());
  return {threads, measure_latency(session, seconds)};
}

double tera_operations(std::int64_t macs, const Latency& latency) {
  return 2.0 * static_cast<double>(macs) / (latency.median_ms() * 1e-3) * 1e-12;
}

}  // namespace octavo::cli
