#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "octavo/error.h"
#include "octavo/session.h"
#include "package/package.h"

namespace {

using namespace octavo;

// A session may well be asked for much memory and time by a small file; the fuzzer runs only what is quick.
constexpr std::int64_t kMostTensorBytes = 4096;

bool is_quick(const Plan& plan) {
  if (plan.steps.size() > 64 || plan.fixed_bytes + plan.bytes_per_image > kMostTensorBytes) return false;
  for (const PlanTensor& tensor : plan.tensors) {
    if (tensor_bytes(tensor) > kMostTensorBytes) return false;
  }
  return true;
}

/// Runs the package on zeros at a batch of 3.
void run(const Package& package) {
  Session session(package);
  if (!is_quick(package.data().plan)) return;
  std::vector<Tensor> inputs;
  for (const PortInfo& port : package.inputs()) {
    std::vector<std::int64_t> shape = port.shape;
    if (port.is_batched) shape[0] *= 3;
    inputs.emplace_back(port.dtype, std::move(shape));
    session.set_input(port.name, inputs.back().view());
  }
  session.run();
}

/// Zeros as weights for a plan that nothing vouches for.
void run_plan(std::string_view text) {
  Plan plan = parse_plan(text);
  std::vector<Tensor> weights;
  std::int64_t bytes = 0;
  for (const WeightsMember& w : plan.weights) {
    bytes += element_count(w.shape) * dtype_bytes(w.dtype);
    if (bytes > (1 << 20)) return;
    weights.emplace_back(w.dtype, w.shape);
  }
  run(make_package(std::move(plan), std::move(weights), {}));
}

}  // namespace

/// Any bytes as a package's file, and as the plan inside of one whose checksums are right, are an Error or
/// something that runs within its memory.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const bool is_plan = size > 0 && data[0] == '{';
    if (is_plan) {
      run_plan({reinterpret_cast<const char*>(data), size});
    } else {
      const Tensor aligned(
          TensorView{DType::u8, {static_cast<std::int64_t>(size)}, reinterpret_cast<const std::byte*>(data)});
      run(read_package(std::span(aligned.data(), size)));
    }
  } catch (const Error& e) {
    if (e.code() == ErrorCode::internal) __builtin_trap();
  }
  return 0;
}
