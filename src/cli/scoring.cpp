#include "cli/scoring.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/fail.h"
#include "package/package.h"

namespace octavo::cli {

Tensor score(Session& session, const Pictures& pictures, std::int64_t batch) {
  const std::vector<PortInfo> inputs = session.package().inputs();
  if (inputs.size() != 1) {
    fail(ErrorCode::invalid_argument, "model '{}' has {} inputs, pictures are one", session.package().name(),
         inputs.size());
  }
  Tensor scores;
  for (std::int64_t first = 0; first < pictures.count(); first += batch) {
    const std::int64_t count = std::min(batch, pictures.count() - first);
    session.set_input(inputs[0].name, pictures.view(first, count));
    session.run();
    const TensorView out = session.output();
    if (out.dtype != DType::f32 || out.shape.size() != 2 || out.shape[0] != count) {
      fail(ErrorCode::invalid_argument, "the model's output {}{} is no row of scores a picture",
           dtype_name(out.dtype), shape_text(out.shape));
    }
    if (first == 0) scores = Tensor(DType::f32, {pictures.count(), out.shape[1]});
    std::memcpy(scores.data() + first * out.shape[1] * 4, out.data, static_cast<std::size_t>(out.bytes()));
  }
  return scores;
}

std::vector<std::int64_t> top_classes(std::span<const float> scores, std::int64_t count) {
  std::vector<std::int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min(static_cast<std::size_t>(count), order.size());
  const auto larger = [&](std::int64_t a, std::int64_t b) {
    const float x = scores[static_cast<std::size_t>(a)];
    const float y = scores[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), larger);
  order.resize(kept);
  return order;
}

std::span<const float> row_of(const Tensor& scores, std::int64_t row) {
  const auto classes = static_cast<std::size_t>(scores.shape()[1]);
  return scores.as<float>().subspan(static_cast<std::size_t>(row) * classes, classes);
}

double output_quantum(const Package& package) {
  const Plan& plan = package.data().plan;
  for (const Step& step : plan.steps) {
    if (step.output != plan.outputs[0].tensor || step.problem.find("kind=dequantize") == std::string::npos)
      continue;
    const auto& quantization = plan.tensors[static_cast<std::size_t>(step.inputs[0])].quantization;
    if (quantization && quantization->is_per_tensor()) return quantization->scale();
  }
  return 0.0;
}

}  // namespace octavo::cli
