#include <algorithm>
#include <optional>

#include "compiler/lower/lowering.h"
#include "engine/kernels/copy/problem.h"

namespace octavo {
namespace {

std::optional<CopyProblem> copy_of(const Step& step) {
  if (!step.problem.starts_with("copy ")) return std::nullopt;
  return parse_problem<CopyProblem>(step.problem);
}

/// The extent of `first`'s result along which `second`'s extent `d` moves from coordinate `at` on, without
/// leaving it; it is the only one, as strides of extents grow by their sizes.
std::optional<std::size_t> moved_extent(const CopyProblem& first, const std::vector<std::int64_t>& strides,
                                        const std::vector<std::int64_t>& at, const CopyProblem& second,
                                        std::size_t d) {
  for (std::size_t k = 0; k < strides.size(); ++k) {
    if (first.dims[k] == 1 || second.x_strides[d] % strides[k] != 0) continue;
    const std::int64_t last = at[k] + second.x_strides[d] / strides[k] * (second.count[d] - 1);
    if (last >= 0 && last < first.dims[k]) return k;
  }
  return std::nullopt;
}

/// The one copy that does what `first` and then `second` do. None where `first` fills, or where an extent of
/// `second` goes along more than one of `first`'s.
std::optional<CopyProblem> composed(const CopyProblem& first, const CopyProblem& second) {
  const std::size_t rank = first.dims.size();
  std::vector<std::int64_t> strides(rank);
  std::int64_t elements = 1;
  for (std::size_t k = rank; k-- > 0;) {
    strides[k] = elements;
    elements *= first.dims[k];
  }
  if (first.bytes != second.bytes || first.count != first.dims || elements == 0 ||
      second.x_offset >= elements || second.x_batch_stride != elements)
    return std::nullopt;

  CopyProblem both = second;
  both.x_offset = first.x_offset;
  both.x_batch_stride = first.x_batch_stride;
  std::vector<std::int64_t> at(rank);
  for (std::size_t k = 0; k < rank; ++k) {
    at[k] = second.x_offset / strides[k] % first.dims[k];
    both.x_offset += at[k] * first.x_strides[k];
  }
  std::vector<bool> is_moved(rank);
  for (std::size_t d = 0; d < both.dims.size(); ++d) {
    both.x_strides[d] = 0;
    if (second.count[d] <= 1 || second.x_strides[d] == 0) continue;
    const auto k = moved_extent(first, strides, at, second, d);
    if (!k || is_moved[*k]) return std::nullopt;
    is_moved[*k] = true;
    both.x_strides[d] = second.x_strides[d] / strides[*k] * first.x_strides[*k];
  }
  return both;
}

}  // namespace

void merge_copies(Plan& plan, std::span<const std::int32_t> buffers) {
  const auto buffer_of = [&](std::int32_t tensor) { return buffers[static_cast<std::size_t>(tensor)]; };
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const auto second = copy_of(plan.steps[s]);
    if (!second || buffer_of(plan.steps[s].inputs[0]) < 0) continue;
    for (std::size_t w = 0; w < s; ++w) {
      if (buffer_of(plan.steps[w].output) != buffer_of(plan.steps[s].inputs[0])) continue;
      const auto first = copy_of(plan.steps[w]);
      const auto both = first ? composed(*first, *second) : std::nullopt;
      if (!both) break;
      both->check();
      plan.steps[s].problem = problem_text_of(*both);
      plan.steps[s].inputs[0] = plan.steps[w].inputs[0];
      break;
    }
  }
  for (std::size_t s = plan.steps.size(); s-- > 0;) {
    const std::int32_t output = plan.steps[s].output;
    const auto reads = [&](const Step& step) {
      return std::any_of(step.inputs.begin(), step.inputs.end(),
                         [&](std::int32_t input) { return buffer_of(input) == buffer_of(output); });
    };
    if (copy_of(plan.steps[s]) && plan.tensors[static_cast<std::size_t>(output)].storage == Storage::arena &&
        std::none_of(plan.steps.begin(), plan.steps.end(), reads))
      plan.steps.erase(plan.steps.begin() + static_cast<std::ptrdiff_t>(s));
  }
}

}  // namespace octavo
