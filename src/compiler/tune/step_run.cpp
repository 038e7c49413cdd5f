#include "compiler/tune/step_run.h"

#include <algorithm>
#include <memory>
#include <random>

#include "base/cpu.h"
#include "base/fail.h"
#include "base/thread_team.h"
#include "engine/kernels/caches.h"
#include "engine/session/prepared_plan.h"
#include "engine/session/work_sharing.h"

namespace octavo {
namespace {

/// Small reals, any bytes; larger integers are indices or counts and stay zero, which every kernel allows.
Tensor made_up(DType dtype, std::vector<std::int64_t> shape) {
  Tensor tensor(dtype, std::move(shape));
  std::minstd_rand random(1);
  if (dtype == DType::f32) {
    for (float& v : tensor.as<float>()) v = static_cast<float>(random() % 2001) * 0.001F - 1.0F;
  } else if (dtype_bytes(dtype) == 1 && dtype != DType::boolean) {
    std::generate_n(tensor.data(), tensor.bytes(), [&] { return static_cast<std::byte>(random() >> 8U); });
  }
  return tensor;
}

std::int64_t bytes_at(const OperandSize& size, std::int64_t batch) {
  return (size.elements + size.growth * (batch - 1)) * size.element_bytes;
}

/// Reads a byte of each cache line of a part of a tensor.
void read_share(const TensorView& tensor, Share share) noexcept {
  const auto [begin, end] = share.of(tensor.bytes() / kLineBytes);
  for (std::int64_t line = begin; line < end; ++line)
    static_cast<void>(*static_cast<const volatile std::byte*>(tensor.data + line * kLineBytes));
}

/// What a run of one image goes through.
std::int64_t bytes_in_use(const PackageData& package) {
  std::int64_t bytes = package.plan.fixed_bytes + package.plan.bytes_per_image;
  for (const TensorView& weights : package.weights) bytes += weights.bytes();
  return bytes;
}

/// A prepared step with all that it reads and writes.
struct StepRun {
  std::unique_ptr<Prepared> kernel;
  std::vector<Tensor> memory;
  std::vector<const std::byte*> inputs;
  std::vector<TensorView> near;  ///< what the step before it wrote
  Tensor output, scratch;
  Tensor other;  ///< what else goes through the caches
  ThreadTeam team;
  WorkSharing sharing;
  std::int64_t batch, scratch_bytes;

  explicit StepRun(int threads) : team(threads, {}), sharing(threads), batch(1), scratch_bytes(0) {}
  void run() {
    team.run([this](int thread) {
      sharing.run(*kernel, {inputs, output.data(), scratch.data() + thread * scratch_bytes, batch}, thread);
    });
  }
  void refresh() {
    team.run([this](int thread) {
      const Share share{thread, team.size()};
      read_share(other.view(), share);
      for (const TensorView& tensor : near) read_share(tensor, share);
      read_share(output.view(), share);
    });
  }
};

const FamilyRow& row_of(std::string_view problem, std::string_view kernel) {
  for (const FamilyRow& row : family_of(problem).rows) {
    if (row.name == kernel) return row;
  }
  fail(ErrorCode::invalid_argument, "there is no kernel '{}' for '{}'", kernel, problem);
}

}  // namespace

ReadyCandidate step_run(const PackageData& package, const Step& step, std::string_view kernel,
                        std::int64_t batch, int threads) {
  auto run = std::make_shared<StepRun>(threads);
  const Operands operands = operands_of(package, step);
  const StepSizes sizes = family_of(step.problem).sizes(step.problem);
  run->kernel = row_of(step.problem, kernel).prepare(step.problem, operands);
  run->batch = batch;
  run->scratch_bytes =
      (run->kernel->scratch_bytes() + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  run->scratch = Tensor(DType::u8, {run->scratch_bytes * threads});
  run->output = Tensor(DType::u8, {bytes_at(sizes.output, batch)});
  for (std::size_t i = 0; i < operands.inputs.size(); ++i) {
    const Operand& operand = operands.inputs[i];
    if (operand.is_constant()) {
      run->inputs.push_back(operand.constant.data);
      continue;
    }
    const std::int64_t elements = bytes_at(sizes.inputs[i], batch) / dtype_bytes(operand.dtype);
    run->memory.push_back(made_up(operand.dtype, {elements}));
    run->inputs.push_back(run->memory.back().data());
    const PlanTensor& tensor = package.plan.tensors[static_cast<std::size_t>(step.inputs[i])];
    if (tensor.storage == Storage::arena) run->near.push_back(run->memory.back().view());
  }
  const std::int64_t l2_bytes = cpu_facts().system.l2_bytes;
  if (bytes_in_use(package) <= l2_bytes) return {[run] { run->run(); }};
  run->other = Tensor(DType::u8, {2 * l2_bytes * threads});
  return {[run] { run->run(); }, [run] { run->refresh(); }};
}

ReadyCandidate session_run(const Package& package, const PassShape& pass, std::int64_t batch, int threads) {
  SessionOptions options;
  options.threads = threads;
  options.pass = pass;
  auto session = std::make_shared<Session>(package, options);
  auto inputs = std::make_shared<std::vector<Tensor>>();
  for (const PortInfo& port : package.inputs()) {
    std::vector<std::int64_t> shape = port.shape;
    if (port.is_batched) shape.front() *= batch;
    inputs->push_back(made_up(port.dtype, std::move(shape)));
    session->set_input(port.name, inputs->back().view());
  }
  return {[session, inputs] { session->run(); }};
}

ReadyCandidate instances_run(const Package& package, const PassShape& pass, std::int64_t batch, int instances,
                             int threads) {
  std::vector<ReadyCandidate> runs;
  runs.reserve(static_cast<std::size_t>(instances));
  for (int i = 0; i < instances; ++i) runs.push_back(session_run(package, pass, batch, threads / instances));
  const auto callers = std::make_shared<ThreadTeam>(instances, std::vector<int>{});
  return {[callers, runs, batches = threads / instances] {
    callers->run([&](int caller) {
      for (int i = 0; i < batches; ++i) runs[static_cast<std::size_t>(caller)].run();
    });
  }};
}

}  // namespace octavo
