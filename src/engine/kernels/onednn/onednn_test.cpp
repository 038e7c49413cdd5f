#include "engine/kernels/onednn/onednn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/cpu.h"
#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/linear/table.h"

namespace octavo {
namespace {

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST(OneDnn, StartsNoThreads) {
  const auto p = parse_problem<Conv2dProblem>("conv2d x=f32 w=f32 y=f32 ic32 ih28 iw28 oc32 kh3 kw3");
  const Tensor w(DType::f32, {32, 32, 3, 3});
  const Tensor x(DType::f32, {28, 28, 32});
  Tensor y(DType::f32, {26, 26, 32});
  Operands operands;
  operands.inputs = {{DType::f32, nullptr, {}}, {DType::f32, nullptr, w.view()}};
  const std::ptrdiff_t before = threads_of_this_process();
  const auto prepared = conv2d::onednn_row().prepare(p, operands);
  Tensor scratch(DType::u8, {prepared->scratch_bytes()});
  const std::byte* inputs[] = {x.data(), w.data()};
  prepared->run({inputs, y.data(), scratch.data(), 1}, {0, 1});
  EXPECT_EQ(threads_of_this_process(), before);
}

TEST(OneDnn, IsKeptFromTilesThatItCannotProgram) {
  onednn::engine();
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  if (cpu_facts().tile_leaf_is_zero) {
    EXPECT_NE(isa, dnnl::cpu_isa::avx512_core_amx);
  }
}

TEST(OneDnn, ItsErrorsBecomeOurs) {
  try {
    onednn::translated("thing", []() -> int { throw dnnl::error(dnnl_unimplemented, "cannot do it"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_EQ(std::string(error.what()), "oneDNN thing: cannot do it");
  }
}

TEST(OneDnn, AFailedExecutionGivesNaN) {
  // A reorder that is not given its operands.
  const auto desc = onednn::f32_desc({2}, dnnl::memory::format_tag::a);
  const dnnl::reorder reorder(dnnl::reorder::primitive_desc(onednn::engine(), desc, onednn::engine(), desc));
  float y[2] = {};
  onednn::execute(reorder, {}, y, 2);
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
}

TEST(OneDnn, RefusesWeightsThatAreNotConstant) {
  Operands operands;
  operands.inputs.resize(2);
  const auto p = parse_problem<LinearProblem>("linear x=f32 w=f32 y=f32 ic1 oc1");
  EXPECT_THROW(linear::onednn_row().prepare(p, operands), Error);
}

}  // namespace
}  // namespace octavo
