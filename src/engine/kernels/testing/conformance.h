#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_lines.h"
#include "engine/kernels/problem_text.h"
#include "engine/kernels/testing/random_step.h"

namespace octavo::testing {

/// The problems of a file, which has some.
inline std::vector<std::string> problems_in(const std::filesystem::path& path) {
  std::vector<std::string> problems = problem_lines(path);
  EXPECT_FALSE(problems.empty()) << path;
  return problems;
}

/// Those of tests/problems/`family`.txt.
inline std::vector<std::string> problems_of(std::string_view family) {
  return problems_in("tests/problems/" + std::string(family) + ".txt");
}

/// Those of all files in bench/problems that are of `family`, each once.
inline std::set<std::string> benchmark_problems_of(std::string_view family) {
  std::set<std::string> problems;
  for (const auto& file : std::filesystem::directory_iterator("bench/problems")) {
    for (const std::string& line : problems_in(file.path())) {
      if (problem_family(line) == family) problems.insert(line);
    }
  }
  EXPECT_FALSE(problems.empty()) << family;
  return problems;
}

/// Checks that `problem.sizes()` says what its operands in `spec` are.
template <class Problem>
void expect_sizes_of(const Problem& problem, const StepSpec& spec) {
  const StepSizes sizes = problem.sizes();
  const std::string line = problem_text_of(problem);
  const auto expect_one = [&](const OperandSize& size, const OperandSpec& operand, std::string_view what) {
    EXPECT_EQ(dtype_name(size.dtype.value_or(operand.dtype)), dtype_name(operand.dtype))
        << what << "\n  " << line;
    EXPECT_EQ(size.element_bytes, dtype_bytes(operand.dtype)) << what << "\n  " << line;
    if (size.elements == 0) return;  // nothing is read: what is there may be larger
    EXPECT_EQ(size.elements, operand.elements) << what << "\n  " << line;
    EXPECT_EQ(size.growth, operand.batch_stride) << what << "\n  " << line;
  };
  ASSERT_EQ(sizes.inputs.size(), spec.inputs.size()) << line;
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    expect_one(sizes.inputs[i], spec.inputs[i], "input " + std::to_string(i));
  }
  expect_one(sizes.output, spec.output, "output");
}

/// Checks that every row of `table` that is legal for `problem` and runs on this machine gives the bytes that
/// the last row (the reference) gives, for shares 1..5 and batches 1..3, and that shares reach no further
/// than they say. `spec_of` describes the operands. Returns the names of the rows that were compared.
template <class Problem>
std::vector<std::string> expect_rows_equal_the_reference(
    std::span<const KernelRow<Problem>> table, const Problem& problem,
    const std::function<StepSpec(const Problem&, Random&)>& spec_of, std::uint64_t seed = 1) {
  Random random(seed);
  const StepSpec spec = spec_of(problem, random);
  expect_sizes_of(problem, spec);
  std::vector<std::string> compared;
  for (std::int64_t batch = 1; batch <= 3; ++batch) {
    RandomStep step(spec, batch, random);
    const std::vector<std::byte> expected = step.run(*table.back().prepare(problem, step.operands()), 1);
    for (const KernelRow<Problem>& row : table) {
      if (!row.supports(problem) || !runs_here(row.needs)) continue;
      if (batch == 1) compared.emplace_back(row.name);
      const auto prepared = row.prepare(problem, step.operands());
      for (int shares = 1; shares <= 5; ++shares) {
        const std::vector<std::byte> got = step.run(*prepared, shares);
        const auto differs = std::mismatch(expected.begin(), expected.end(), got.begin());
        EXPECT_TRUE(differs.first == expected.end())
            << row.name << ": byte " << differs.first - expected.begin() << " of " << expected.size()
            << " differs from the reference\n  " << problem_text_of(problem) << "\n  seed " << seed
            << ", batch " << batch << ", " << shares << " shares";
      }
      for (int share = 0; batch == 1 && share < 3; ++share) {
        EXPECT_EQ(step.reach_error(*prepared, {share, 3}, expected), "")
            << row.name << ": share " << share << " of 3\n  " << problem_text_of(problem) << "\n  seed "
            << seed;
      }
    }
  }
  return compared;
}

/// The same for all lines of the family's problem file.
template <class Problem>
void expect_problem_file_conforms(std::span<const KernelRow<Problem>> table,
                                  const std::function<StepSpec(const Problem&, Random&)>& spec_of) {
  for (const std::string& line : problems_of(Problem::kFamily)) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto compared =
          expect_rows_equal_the_reference<Problem>(table, parse_problem<Problem>(line), spec_of, seed);
      EXPECT_EQ(compared.empty() ? "" : compared.back(), "reference") << line;
    }
  }
}

/// What the last row of `table` computes of `inputs`, in one share and a batch of 1.
template <class Out, class Problem, class... In>
std::vector<Out> reference_result(std::span<const KernelRow<Problem>> table, std::string_view problem,
                                  const Operands& operands, std::size_t outputs,
                                  const std::vector<In>&... inputs) {
  const std::vector<const std::byte*> pointers{reinterpret_cast<const std::byte*>(inputs.data())...};
  std::vector<Out> output(outputs);
  const auto prepared = table.back().prepare(parse_problem<Problem>(problem), operands);
  prepared->run({pointers, reinterpret_cast<std::byte*>(output.data()), nullptr, 1}, Share{});
  return output;
}

/// What the Error of an action says; empty when it throws none.
template <class Action>
std::string refusal_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Why `problem` is no Problem; empty when it is.
template <class Problem>
std::string refusal(std::string_view problem) {
  return refusal_of([&] { parse_problem<Problem>(problem); });
}

}  // namespace octavo::testing
