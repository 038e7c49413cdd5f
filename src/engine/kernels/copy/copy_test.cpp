#include "engine/kernels/copy/table.h"
#include "engine/kernels/testing/conformance.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::Random;
using testing::refusal;
using testing::StepSpec;

DType dtype_of(std::int64_t bytes) {
  return bytes == 1 ? DType::u8 : bytes == 2 ? DType::s16 : bytes == 4 ? DType::s32 : DType::s64;
}

StepSpec spec_of(const CopyProblem& p, Random&) {
  std::int64_t elements = p.x_offset + 1, y = 1;
  for (std::size_t d = 0; d < p.dims.size(); ++d) {
    y *= p.dims[d];
    if (p.x_strides[d] > 0 && p.count[d] > 0) elements += (p.count[d] - 1) * p.x_strides[d];
  }
  testing::OperandSpec x = growing_operand(dtype_of(p.bytes), elements);
  x.batch_stride = p.x_batch_stride;
  return {{x}, growing_operand(dtype_of(p.bytes), y), {{"fill", 42}}};
}

TEST(Copy, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<CopyProblem>(copy_kernels(), spec_of);
}

TEST(Copy, PadsWithTheFillValue) {
  const Operands operands{{{DType::u8, nullptr, {}}}, {DType::u8, nullptr, {}}, {{"fill", 7}}};
  const auto y = testing::reference_result<std::uint8_t>(copy_kernels(),
                                                         "copy dims=2,3 x_strides=2,1 begin=1,0 count=1,2",
                                                         operands, 6, std::vector<std::uint8_t>{1, 2});
  EXPECT_EQ(y, (std::vector<std::uint8_t>{7, 7, 7, 1, 2, 7}));
}

TEST(Copy, TheFillMustFitTheOutput) {
  const auto problem = parse_problem<CopyProblem>("copy bytes2 dims=1 x_strides=1 begin=0 count=1");
  const Operands wide{{{}}, {DType::f32, nullptr, {}}, {}};
  const Operands half{{{}}, {DType::f16, nullptr, {}}, {{"fill", 1}}};
  EXPECT_EQ(testing::refusal_of([&] { copy_kernels().back().prepare(problem, wide); }),
            "copy: f32 output for elements of 2 bytes");
  EXPECT_EQ(testing::refusal_of([&] { copy_kernels().back().prepare(problem, half); }),
            "copy: filling f16 with 1");
}

TEST(Copy, RefusesToReadOutsideOfX) {
  EXPECT_NE(refusal<CopyProblem>("copy bytes3"), "");
  EXPECT_NE(refusal<CopyProblem>("copy dims=2 x_strides=1 begin=0"), "");
  EXPECT_NE(refusal<CopyProblem>("copy dims=2 x_strides=1 begin=1 count=2"), "");
  EXPECT_NE(refusal<CopyProblem>("copy dims=2 x_strides=-1 begin=0 count=2").find("first element"),
            std::string::npos);
  EXPECT_NE(refusal<CopyProblem>("copy dims=3 x_strides=1099511627776 begin=0 count=3"), "");
  EXPECT_NE(refusal<CopyProblem>("copy dims=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"), "");
}

}  // namespace
}  // namespace octavo
