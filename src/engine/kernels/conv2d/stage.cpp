#include "engine/kernels/conv2d/stage.h"

namespace octavo {

OutputStage conv2d_stage(const Conv2dProblem& problem, const Operands& operands) {
  OutputStage stage =
      problem.residual != 0
          ? output_stage_with_residual(operands, problem.oc, problem.conv_activation, problem.activation)
          : output_stage(operands, problem.oc, problem.activation);
  if (is_fbgemm_depthwise(problem)) stage.divide_bias();
  return stage;
}

bool is_fbgemm_depthwise(const Conv2dProblem& p) noexcept {
  const std::int64_t border = (p.kh - 1) / 2;
  const bool channels = p.g == p.ic && p.g % 8 == 0 && (p.oc == p.g || p.oc == 2 * p.g);
  const bool window = p.kh == p.kw && (p.kh == 3 || p.kh == 5 || p.kh == 7) && p.dh == 1 && p.dw == 1;
  const bool strides = p.sh <= 2 && p.sw <= 2;
  return channels && window && strides && p.pt == border && p.pl == border && p.pb == border &&
         p.pr == border;
}

}  // namespace octavo
