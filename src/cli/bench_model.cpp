#include "cli/bench_model.h"

#include <algorithm>
#include <random>

#include "base/cpu.h"
#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/linear/problem.h"
#include "engine/kernels/peak/peak.h"

namespace octavo::cli {
namespace {

std::int64_t macs_of(const std::string& problem) {
  const std::string_view family = problem_family(problem);
  if (family == Conv2dProblem::kFamily) return parse_problem<Conv2dProblem>(problem).macs();
  if (family == LinearProblem::kFamily) return parse_problem<LinearProblem>(problem).macs();
  return 0;
}

/// Inputs as large as pictures' pixels after preprocessing; small whole numbers where the model takes
/// integers.
std::vector<Tensor> made_up_inputs(const std::vector<PortInfo>& ports, std::int64_t batch) {
  std::vector<Tensor> inputs;
  std::minstd_rand random(1);
  for (const PortInfo& port : ports) {
    std::vector<std::int64_t> shape = port.shape;
    if (port.is_batched) shape[0] *= batch;
    Tensor input(port.dtype, shape);
    if (port.dtype == DType::f32) {
      for (float& v : input.as<float>()) v = static_cast<float>(random() % 4001) * 0.001F - 2.0F;
    } else {
      for (std::int64_t i = 0; i < input.elements(); ++i) {
        input.data()[i * dtype_bytes(port.dtype)] = static_cast<std::byte>(random() % 2);
      }
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

double median(std::vector<std::int64_t>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<double>(*middle);
}

std::vector<StepTime> time_steps(Session& session, std::int64_t batch) {
  constexpr int kRuns = 31;
  const std::vector<StepInfo> infos = session.steps();
  std::vector<std::vector<std::int64_t>> ns(infos.size());
  for (int run = 0; run < kRuns; ++run) {
    const std::vector<std::int64_t> once = session.run_timed();
    for (std::size_t i = 0; i < once.size(); ++i) ns[i].push_back(once[i]);
  }
  std::vector<StepTime> steps;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    const double step_ns = std::max(median(ns[i]), 1.0);
    const auto operations = static_cast<double>(2 * macs_of(infos[i].problem) * batch);
    const auto best_ns = static_cast<double>(*std::min_element(ns[i].begin(), ns[i].end()));
    steps.push_back({infos[i].problem, infos[i].kernel, infos[i].origin, step_ns * 1e-3, best_ns * 1e-3,
                     operations / step_ns * 1e9});
  }
  return steps;
}

}  // namespace

ModelTime time_model(const Package& package, SessionOptions options, std::int64_t batch, double seconds) {
  Session session(package, options);
  const std::vector<PortInfo> ports = package.inputs();
  const std::vector<Tensor> inputs = made_up_inputs(ports, batch);
  for (std::size_t i = 0; i < ports.size(); ++i) session.set_input(ports[i].name, inputs[i].view());
  ModelTime time;
  time.threads = options.threads;
  time.batch = batch;
  for (const StepInfo& step : session.steps()) time.macs_per_item += macs_of(step.problem);
  const double core_peak = peak_ops_per_second(usable_isa());
  time.latency = measure_latency(session, seconds);
  time.peak_ops_per_second = std::max(core_peak, peak_ops_per_second(usable_isa())) * options.threads;
  time.items_per_second = static_cast<double>(batch) * 1000.0 / time.latency.median_ms();
  const double operations = 2.0 * static_cast<double>(time.macs_per_item) * time.items_per_second;
  if (time.peak_ops_per_second > 0) time.peak_fraction = operations / time.peak_ops_per_second;
  time.steps = time_steps(session, batch);
  return time;
}

}  // namespace octavo::cli
