#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/kernels/kernel.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// One row of a family's table with the Problem's type hidden behind its text.
struct FamilyRow {
  std::string_view name;
  Isa needs = Isa::generic;
  std::function<Support(std::string_view problem)> supports;
  std::function<std::unique_ptr<Prepared>(std::string_view problem, const Operands&)> prepare;
  bool only_on_request = false;
};

/// A family of kernels as the planner, the session, tests, benchmarks and `octavo kernels` see it: rows best
/// first, the reference last.
struct KernelFamily {
  std::string_view name;
  std::vector<FamilyRow> rows;
  /// Reads, checks and prints a problem again; Error(invalid_argument) when it is none of this family.
  std::function<std::string(std::string_view problem)> canonical;
  /// The tensors that a step needs to solve a problem.
  std::function<StepSizes(std::string_view problem)> sizes;
};

/// Wraps a typed table.
template <class Problem>
KernelFamily make_family(std::span<const KernelRow<Problem>> table) {
  KernelFamily family{
      Problem::kFamily,
      {},
      [](std::string_view text) { return problem_text_of(parse_problem<Problem>(text)); },
      [](std::string_view text) { return parse_problem<Problem>(text).sizes(); },
  };
  for (const KernelRow<Problem>& row : table) {
    family.rows.push_back(
        {row.name, row.needs,
         [row](std::string_view text) { return row.supports(parse_problem<Problem>(text)); },
         [row](std::string_view text, const Operands& operands) {
           return row.prepare(parse_problem<Problem>(text), operands);
         },
         row.only_on_request});
  }
  return family;
}

/// Every family.
std::span<const KernelFamily> kernel_families();
/// The family that solves `problem`; Error(invalid_argument) when there is none.
const KernelFamily& family_of(std::string_view problem);

}  // namespace octavo
