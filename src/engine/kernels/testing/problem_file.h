#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/kernels/activation.h"
#include "engine/kernels/family.h"
#include "engine/kernels/testing/conformance.h"
#include "octavo/error.h"

namespace octavo::testing {

/// A problem file whose f32 results may differ from the reference's: a line "float_bound B" allows
/// |difference| <= B * (1 + |reference|).
struct ProblemFile {
  double float_bound = 0;
  std::vector<std::string> problems;
};

inline ProblemFile read_problem_file(std::string_view family) {
  constexpr std::string_view kBound = "float_bound ";
  ProblemFile file;
  for (const std::string& line : problems_of(family)) {
    if (line.starts_with(kBound)) {
      file.float_bound = std::stod(line.substr(kBound.size()));
    } else {
      file.problems.push_back(line);
    }
  }
  return file;
}

/// The first place where `got` is not as near to `expected` as the bound allows (0: equal bytes), or "".
inline std::string first_difference(const std::vector<std::byte>& expected, const std::vector<std::byte>& got,
                                    DType dtype, double float_bound) {
  const auto size = static_cast<std::size_t>(dtype_bytes(dtype));
  for (std::size_t i = 0; i < expected.size(); i += size) {
    if (std::memcmp(&expected[i], &got[i], size) == 0) continue;
    if (dtype != DType::f32) {
      return fmt::format("element {} is {}, expected {}", i / size, std::to_integer<int>(got[i]),
                         std::to_integer<int>(expected[i]));
    }
    float reference = 0, value = 0;
    std::memcpy(&reference, &expected[i], sizeof reference);
    std::memcpy(&value, &got[i], sizeof value);
    if (std::abs(value - reference) <= float_bound * (1 + std::abs(reference))) continue;
    return fmt::format("element {} is {}, expected {}", i / size, value, reference);
  }
  return "";
}

/// What a seed is tried with.
struct Trial {
  int seed = 1;
  std::int64_t batch = 1;
  double float_bound = 0;
  /// A part of the names of rows that may learn from the operands that they cannot do the step; empty: none.
  std::string_view may_refuse = "";
};

/// The step made ready by `row`; nullptr where the row may refuse it, and does.
template <class Problem>
std::unique_ptr<Prepared> prepared_unless_refused(const KernelRow<Problem>& row, const Problem& problem,
                                                  const Operands& operands, std::string_view may_refuse) {
  try {
    return row.prepare(problem, operands);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported || may_refuse.empty() ||
        row.name.find(may_refuse) == std::string_view::npos)
      throw;
    return nullptr;
  }
}

/// Runs every row that is legal for `line` and runs on this machine on the operands that `spec_of` makes for
/// a seed (each another kind of operands and number of shares) and compares with the reference. Adds the rows
/// to `compared`; false where results differ.
template <class Problem>
bool expect_seed_conforms(std::span<const KernelRow<Problem>> table, const std::string& line,
                          const Trial& trial, StepSpec (*spec_of)(const Problem&, int kind, Random&),
                          std::set<std::string>& compared) {
  const int seed = trial.seed;
  const auto problem = parse_problem<Problem>(line);
  Random random(static_cast<std::uint64_t>(seed));
  const StepSpec spec = spec_of(problem, seed, random);
  expect_sizes_of(problem, spec);
  const RandomStep step(spec, trial.batch, random);
  const auto expected = step.run(*table.back().prepare(problem, step.operands()), seed % 2 + 1);
  for (const KernelRow<Problem>& row : table) {
    if (row.only_on_request || !row.supports(problem) || !runs_here(row.needs)) continue;
    const auto prepared = prepared_unless_refused(row, problem, step.operands(), trial.may_refuse);
    if (prepared == nullptr) continue;
    compared.emplace(row.name);
    const auto undivided = step.run(*prepared, 1);
    if constexpr (requires { problem.residual; }) {
      if (problem.residual != 0) {
        EXPECT_TRUE(step.run_over(2, *prepared, seed % 3 + 1) == undivided)
            << row.name << " does not write over its residual\n  " << line << "\n  seed " << seed;
      }
    }
    for (int shares : {1, seed % 4 + 2}) {
      const auto result = shares == 1 ? undivided : step.run(*prepared, shares);
      EXPECT_TRUE(result == undivided) << row.name << " depends on the number of shares\n  " << line;
      const std::string difference = first_difference(expected, result, spec.output.dtype, trial.float_bound);
      EXPECT_EQ(difference, "") << row.name << "\n  " << line << "\n  seed " << seed << ", batch "
                                << trial.batch << ", " << shares << " shares";
      if (!difference.empty()) return false;
    }
  }
  return true;
}

/// The same for seeds from 1 on. Returns the rows compared.
template <class Problem>
std::set<std::string> expect_line_conforms(std::span<const KernelRow<Problem>> table, const std::string& line,
                                           double float_bound, int seeds,
                                           StepSpec (*spec_of)(const Problem&, int kind, Random&),
                                           std::string_view may_refuse = "") {
  std::set<std::string> compared;
  for (int seed = 1; seed <= seeds; ++seed) {
    const Trial trial{seed, seed % 3 + 1, float_bound, may_refuse};
    if (!expect_seed_conforms<Problem>(table, line, trial, spec_of, compared)) break;
  }
  return compared;
}

/// One image of every problem of the benchmarks' files: layers at full size. Returns the rows compared.
template <class Problem>
std::set<std::string> expect_benchmarks_conform(std::span<const KernelRow<Problem>> table, const Trial& trial,
                                                StepSpec (*spec_of)(const Problem&, int kind, Random&)) {
  std::set<std::string> compared;
  for (const std::string& line : benchmark_problems_of(Problem::kFamily))
    expect_seed_conforms<Problem>(table, line, trial, spec_of, compared);
  EXPECT_GE(compared.size(), 2U);
  return compared;
}

/// Every row that runs on this machine was among those compared.
template <class Problem>
void expect_all_rows_compared(std::span<const KernelRow<Problem>> table,
                              const std::set<std::string>& compared) {
  for (const KernelRow<Problem>& row : table) {
    if (row.only_on_request || !runs_here(row.needs)) continue;
    EXPECT_TRUE(compared.contains(std::string(row.name))) << row.name;
  }
}

/// How the operands of a quantized layer are drawn for one seed.
enum class OperandKind { any, all_highest, w_lowest, zero_points_low, zero_points_high, symmetric };

inline OperandKind operand_kind(int seed) { return static_cast<OperandKind>(seed % 6); }

/// Quantization of `dtype` whose zero point is as `kind` says.
inline Quantization quantization_of_kind(DType dtype, OperandKind kind, float scale, Random& random) {
  Quantization q = random_quantization(dtype, random);
  const int lowest = dtype == DType::s8 ? -128 : 0;
  if (kind == OperandKind::zero_points_low) q.zero_points[0] = lowest;
  if (kind == OperandKind::zero_points_high) q.zero_points[0] = lowest + 255;
  q.scales[0] = scale;
  return q;
}

/// 8-bit or f32 values, drawn as `kind` says; f32 in -1..1.
inline OperandSpec values_of_kind(DType dtype, std::int64_t elements, OperandKind kind) {
  OperandSpec spec = growing_operand(dtype, elements);
  if (dtype == DType::f32) spec.lowest = -1, spec.highest = 1;
  if (dtype != DType::f32 && kind == OperandKind::all_highest) spec.lowest = spec.highest;
  return spec;
}

/// Constant weights [oc, ...], quantized channel by channel except in some kinds.
inline OperandSpec weights_of_kind(DType dtype, std::vector<std::int64_t> shape, OperandKind kind,
                                   Random& random) {
  const std::int64_t channels = shape.front();
  OperandSpec w = values_of_kind(dtype, element_count(shape), kind);
  w.batch_stride = 0;
  w.constant = true;
  w.shape = std::move(shape);
  if (dtype == DType::f32) return w;
  if (kind == OperandKind::w_lowest) w.highest = w.lowest;
  if (kind == OperandKind::any || kind == OperandKind::symmetric) w.quantization.axis = 0;
  for (std::int64_t c = 0; c < (w.quantization.axis == 0 ? channels : 1); ++c) {
    const auto scale = std::uniform_real_distribution<float>(0.005F, 0.01F)(random);
    const Quantization q = quantization_of_kind(dtype, kind, scale, random);
    const bool symmetric = kind == OperandKind::symmetric || kind == OperandKind::all_highest;
    w.quantization.scales.push_back(q.scale());
    w.quantization.zero_points.push_back(symmetric ? (dtype == DType::s8 ? 0 : 128) : q.zero_point());
  }
  return w;
}

/// A constant bias [channels] in f32 or s32.
inline OperandSpec bias_operand(Bias bias, std::int64_t channels) {
  OperandSpec spec;
  spec.dtype = bias == Bias::s32 ? DType::s32 : DType::f32;
  spec.elements = channels;
  spec.lowest = bias == Bias::s32 ? -5000 : -1;
  spec.highest = -spec.lowest;
  spec.constant = true;
  return spec;
}

}  // namespace octavo::testing
