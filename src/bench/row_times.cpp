#include "bench/row_times.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>

#include "base/cpu.h"
#include "base/fail.h"
#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/eltwise/unary_problem.h"
#include "engine/kernels/family.h"
#include "engine/kernels/gather/problem.h"
#include "engine/kernels/linear/problem.h"
#include "engine/kernels/matmul/problem.h"
#include "engine/kernels/peak/peak.h"

namespace octavo::bench {
namespace {

/// Operands of a step with the memory they need.
struct MadeStep {
  Operands operands;
  std::deque<Quantization> quantizations;  ///< operands point to them
  std::vector<Tensor> inputs;
  Tensor output;
  std::int64_t macs = 0, bytes = 0;  ///< of the whole batch

  [[nodiscard]] bool is_real() const noexcept { return operands.inputs.front().dtype == DType::f32; }
};

constexpr float kScale = 0.02F, kOtherScale = 0.04F;

Tensor random_tensor(DType dtype, std::vector<std::int64_t> shape) {
  Tensor tensor(dtype, std::move(shape));
  std::minstd_rand random(1);
  const std::int64_t size = dtype_bytes(dtype);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    if (dtype == DType::f32) {
      tensor.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(random() % 1000) * 0.001F;
    } else {
      tensor.data()[i * size] = static_cast<std::byte>(random() >> 8);
    }
  }
  return tensor;
}

class StepMaker {
 public:
  explicit StepMaker(std::int64_t batch) : batch_(batch) {}

  void input(DType dtype, std::int64_t elements, float scale) {
    step_.inputs.push_back(random_tensor(dtype, {elements * batch_}));
    step_.operands.inputs.push_back({dtype, quantization(dtype, scale), {}});
    step_.bytes += elements * batch_ * dtype_bytes(dtype);
  }
  void constant(DType dtype, std::vector<std::int64_t> shape) {
    step_.inputs.push_back(random_tensor(dtype, shape));
    const Quantization* q = nullptr;
    if (dtype != DType::f32 && shape.size() > 1) {
      // Per channel, as most networks have it.
      const auto channels = static_cast<std::size_t>(shape.front());
      step_.quantizations.push_back(
          {std::vector<float>(channels, 0.01F), std::vector<std::int32_t>(channels, 0), 0});
      q = &step_.quantizations.back();
    }
    step_.operands.inputs.push_back({dtype, q, step_.inputs.back().view()});
    step_.bytes += step_.inputs.back().bytes();
  }
  /// `macs`: of a unit of batch, as `elements` are.
  MadeStep finish(DType dtype, std::int64_t elements, float scale, std::int64_t macs) {
    step_.output = Tensor(dtype, {elements * batch_});
    step_.operands.output = {dtype, quantization(dtype, scale), {}};
    step_.operands.parameters = {
        {"lo", 0}, {"hi", 127}, {"conv_scale", scale * 0.7731F}, {"conv_zero_point", 64}};
    step_.bytes += elements * batch_ * dtype_bytes(dtype);
    step_.macs = macs * batch_;
    return std::move(step_);
  }

 private:
  const Quantization* quantization(DType dtype, float scale) {
    if (dtype == DType::f32) return nullptr;
    step_.quantizations.push_back(Quantization::per_tensor(scale, dtype == DType::s8 ? -3 : 0));
    return &step_.quantizations.back();
  }

  std::int64_t batch_;
  MadeStep step_;
};

MadeStep make_conv2d(const Conv2dProblem& p, std::int64_t batch) {
  StepMaker make(batch);
  const std::int64_t y = p.n * p.oh() * p.ow() * p.oc;
  make.input(p.x, p.n * p.ih * p.iw * p.ic, kScale);
  make.constant(p.w, {p.oc, p.icg(), p.kh, p.kw});
  if (p.residual != 0) make.input(p.r, y, 0.03137F);
  if (p.bias != Bias::none) make.constant(p.bias == Bias::s32 ? DType::s32 : DType::f32, {p.oc});
  return make.finish(p.y, y, kOtherScale, p.macs());
}

MadeStep make_linear(const LinearProblem& p, std::int64_t batch) {
  StepMaker make(batch);
  make.input(p.x, p.m * p.ic, kScale);
  make.constant(p.w, {p.oc, p.ic});
  if (p.bias != Bias::none) make.constant(p.bias == Bias::s32 ? DType::s32 : DType::f32, {p.oc});
  return make.finish(p.y, p.m * p.oc, kOtherScale, p.macs());
}

/// A step without constants: what the family's sizes say, quantized per tensor. `macs`: of the whole batch.
MadeStep make_by_sizes(const StepSizes& sizes, std::int64_t batch, float y_scale, std::int64_t macs = 0) {
  const auto dtype_of = [](const OperandSize& size) {
    const DType any = size.element_bytes == 8   ? DType::s64
                      : size.element_bytes == 4 ? DType::f32
                      : size.element_bytes == 2 ? DType::s16
                                                : DType::u8;
    return size.dtype.value_or(any);
  };
  const auto elements_of = [&](const OperandSize& size) { return size.elements + (batch - 1) * size.growth; };
  StepMaker make(1);  // elements are those of the whole batch
  for (const OperandSize& x : sizes.inputs) make.input(dtype_of(x), elements_of(x), kScale);
  return make.finish(dtype_of(sizes.output), elements_of(sizes.output), y_scale, macs);
}

MadeStep make_step(const std::string& problem, std::int64_t batch) {
  const std::string_view family = problem_family(problem);
  if (family == Conv2dProblem::kFamily) return make_conv2d(parse_problem<Conv2dProblem>(problem), batch);
  if (family == LinearProblem::kFamily) return make_linear(parse_problem<LinearProblem>(problem), batch);
  if (family == MatmulProblem::kFamily) {
    const auto p = parse_problem<MatmulProblem>(problem);
    const std::int64_t products = p.grows == MatmulGrows::nothing ? 1 : batch;
    return make_by_sizes(p.sizes(), batch, kOtherScale, products * p.batches * p.m * p.k * p.n);
  }
  if (family == GatherProblem::kFamily)
    fail(ErrorCode::unsupported, "no benchmark for family 'gather': its indices would be made up");
  // Of unary operators some keep the quantization.
  const float y_scale = family == UnaryProblem::kFamily ? kScale : kOtherScale;
  return make_by_sizes(family_of(problem).sizes(problem), batch, y_scale);
}

/// Nothing, and why, when the row learns from the operands that it cannot do it.
std::unique_ptr<Prepared> prepared(const FamilyRow& row, const std::string& problem, const Operands& operands,
                                   std::string& objection) {
  try {
    return row.prepare(problem, operands);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::unsupported) throw;
    objection = e.what();
    return nullptr;
  }
}

/// Run times in seconds, ascending.
std::vector<double> run_seconds(const Prepared& kernel, MadeStep& step, std::int64_t batch, double seconds) {
  std::vector<const std::byte*> inputs;
  for (const Tensor& input : step.inputs) inputs.push_back(input.data());
  Tensor scratch(DType::u8, {std::max<std::int64_t>(kernel.scratch_bytes(), 64)});
  const KernelArgs args{inputs, step.output.data(), scratch.data(), batch};
  std::vector<double> times;
  const auto begin = std::chrono::steady_clock::now();
  auto last = begin;
  do {
    kernel.run(args, Share{});
    const auto now = std::chrono::steady_clock::now();
    times.push_back(std::chrono::duration<double>(now - last).count());
    last = now;
  } while (times.size() < 5 || std::chrono::duration<double>(last - begin).count() < seconds);
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

std::vector<RowTime> time_rows(const std::string& problem, std::int64_t batch, double seconds,
                               const Peaks& peaks) {
  MadeStep step = make_step(problem, batch);
  const double bandwidth =
      step.bytes <= peaks.l2_bytes ? peaks.l2_bytes_per_second : peaks.memory_bytes_per_second;
  std::vector<RowTime> times;
  for (const FamilyRow& row : family_of(problem).rows) {
    const Support support = row.supports(problem);
    RowTime time{.row = std::string(row.name), .objection = std::string(support ? "" : support.reason)};
    if (!implies(usable_isa(), row.needs)) time.objection = fmt::format("needs {}", isa_name(row.needs));
    // The reference is no candidate, and with a product for each operation it would take minutes.
    if (row.name == "reference" && step.macs > 0) time.objection = "is not timed";
    const auto kernel =
        time.objection.empty() ? prepared(row, problem, step.operands, time.objection) : nullptr;
    if (kernel != nullptr) {
      const double peak = row.only_on_request ? 0
                          : step.is_real()    ? peaks.f32_ops_per_second
                                              : peak_ops_per_second(row.needs);
      const std::vector<double> runs = run_seconds(*kernel, step, batch, seconds);
      const double median = runs[runs.size() / 2];
      time.best_us = runs.front() * 1e6;
      time.median_us = median * 1e6;
      time.ops_per_second = 2.0 * static_cast<double>(step.macs) / median;
      time.bytes_per_second = static_cast<double>(step.bytes) / median;
      if (peak > 0) time.peak_fraction = time.ops_per_second / peak;
      if (bandwidth > 0) time.bandwidth_fraction = time.bytes_per_second / bandwidth;
    }
    times.push_back(std::move(time));
  }
  return times;
}

}  // namespace octavo::bench
