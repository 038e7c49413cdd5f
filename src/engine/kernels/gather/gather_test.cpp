#include "engine/kernels/gather/table.h"
#include "engine/kernels/testing/conformance.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::Random;
using testing::refusal;
using testing::StepSpec;

StepSpec spec_of(const GatherProblem& p, Random&) {
  const DType dtype = p.bytes == 1 ? DType::u8 : p.bytes == 4 ? DType::f32 : DType::s64;
  StepSpec spec{{growing_operand(dtype, p.outer * p.rows * p.inner), growing_operand(p.index, p.indices)},
                growing_operand(dtype, p.outer * p.indices * p.inner),
                {}};
  spec.inputs[1].lowest = static_cast<double>(-p.rows - 2),
  spec.inputs[1].highest = static_cast<double>(p.rows + 1);
  if (p.grows_data == 0) spec.inputs[0].batch_stride = 0;
  if (p.grows_indices == 0) spec.inputs[1].batch_stride = 0;
  if (p.grows_data + p.grows_indices == 0) spec.output.batch_stride = 0;
  return spec;
}

TEST(Gather, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<GatherProblem>(gather_kernels(), spec_of);
}

TEST(Gather, CountsFromTheBackAndGivesZerosOutOfRange) {
  const auto y = testing::reference_result<std::int32_t>(
      gather_kernels(), "gather rows3 inner2 indices4 index=s32", {}, 8,
      std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}, std::vector<std::int32_t>{2, -3, 3, -4});
  EXPECT_EQ(y, (std::vector<std::int32_t>{5, 6, 1, 2, 0, 0, 0, 0}));
}

TEST(Gather, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal<GatherProblem>("gather rows1 indices1 index=f32"),
            "gather problem: 'index' is f32, expected s32 or s64");
  EXPECT_NE(refusal<GatherProblem>("gather rows1 bytes9"), "");
  EXPECT_NE(refusal<GatherProblem>("gather rows1 grows_data1 grows_indices1"), "");
  EXPECT_NE(refusal<GatherProblem>("gather rows1 outer2 grows_indices1"), "");
  EXPECT_NE(refusal<GatherProblem>("gather rows1000000000 inner1000000000"), "");
}

}  // namespace
}  // namespace octavo
