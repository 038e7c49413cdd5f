#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/dim.h"
#include "octavo/error.h"
#include "octavo/session.h"
#include "octavo/tensor.h"

namespace octavo {

/// How a tensor's extents lie in memory: in the order of its shape, or, for images [n, c, h, w], as n, h, w,
/// c.
enum class Layout { plain, channels_last };

/// Where a tensor's bytes are while a plan runs.
enum class Storage {
  input,    ///< the caller's memory; `offset` is the index in Plan::inputs
  output,   ///< the caller's memory; `offset` is the index in Plan::outputs
  arena,    ///< the session's memory; `offset` in bytes, times the batch when the shape grows with it
  weights,  ///< the package's memory; `offset` is the index in Plan::weights
};

/// A tensor that steps read or write. Several tensors may share bytes (a reshape is a second view).
struct PlanTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;  ///< logical extents; one that grows with the batch is the first
  Layout layout = Layout::plain;
  std::optional<Quantization> quantization;
  Storage storage = Storage::arena;
  std::int64_t offset = 0;
};

/// One kernel call for one Problem.
struct Step {
  std::string problem;  ///< the Problem's text form
  std::string kernel;   ///< the row that compile or tune chose; a hint, empty = the best legal one
  std::vector<std::int32_t> inputs;
  std::int32_t output = 0;
  std::map<std::string, double, std::less<>> parameters;
  std::string origin;      ///< where the model has it, for people
  double measured_us = 0;  ///< what `kernel` took where it was chosen by measuring; 0 = not measured
};

/// One input or output of a model: the tensor that a caller gives or gets.
struct Port {
  std::string name;
  std::int32_t tensor = 0;
};

/// One constant's data in a package: the member's name and what it must hold.
struct WeightsMember {
  std::string member;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
};

/// Where and how a plan's kernels were measured. Its hints hold on CPUs with that instruction set only.
struct Tuning {
  std::string cpu;  ///< the brand
  std::string isa;  ///< in use then
  std::int64_t trials = 0;
  PassShape pass;  ///< the fastest; 0 = the default
  /// The number of sessions that score most, sharing `threads` threads evenly; 0 = not measured.
  int instances = 0, threads = 0;
};

/// The chosen steps and all memory: everything that the engine needs beside the weights' bytes. Plain data.
/// The arena has two parts: `fixed_bytes` that do not depend on the batch, then `bytes_per_image` times the
/// batch.
struct Plan {
  std::string name;
  std::vector<PlanTensor> tensors;
  std::vector<Step> steps;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::vector<WeightsMember> weights;
  std::int64_t fixed_bytes = 0;
  std::int64_t bytes_per_image = 0;
  /// Whether results of one image depend on the others in its batch (dynamic quantization): then a batch is
  /// never split.
  bool whole_batch = false;
  std::optional<Tuning> tuning = std::nullopt;
};

/// Alignment of every arena tensor and of every package member's data.
inline constexpr std::int64_t kTensorAlignment = 64;
constexpr std::int64_t aligned_bytes(std::int64_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

/// Bytes of a tensor at a batch size of 1 (or at any, when it does not grow).
std::int64_t tensor_bytes(const PlanTensor& tensor);

/// Whether a step may write its result over operand 2: a convolution that reads each residual, added second
/// or first, where it writes that result, and only then.
bool may_overwrite_residual(const Step& step);

/// Checks everything that the engine relies on: indices, dtypes, offsets within the arena, weights' sizes.
/// Error(invalid_model) naming the offending tensor or step.
void check(const Plan& plan);
/// Error(`code`) naming a number that makes no sense.
void check(const PassShape& pass, ErrorCode code);

/// The plan as JSON text and back. `parse_plan` checks; Error(invalid_model) names the offending key.
std::string plan_json(const Plan& plan);
Plan parse_plan(std::string_view json);

/// The plan for people: one line per step.
std::string print(const Plan& plan);

}  // namespace octavo
