#include "engine/kernels/onednn/onednn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

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

/// What `row` makes of x in `shares` shares, at a batch of 1; all other operands are constant.
template <class Problem>
std::vector<float> results(const KernelRow<Problem>& row, const Problem& p, const Tensor& x,
                           const Operands& operands, int shares) {
  const auto prepared = row.prepare(p, operands);
  std::vector<std::byte> scratch(static_cast<std::size_t>(prepared->scratch_bytes()) + 64);
  std::byte* const aligned = scratch.data() + (64 - reinterpret_cast<std::uintptr_t>(scratch.data()) % 64);
  std::vector<float> y(static_cast<std::size_t>(p.sizes().output.elements));
  std::vector<const std::byte*> inputs{x.data()};
  for (std::size_t i = 1; i < operands.inputs.size(); ++i) inputs.push_back(operands.inputs[i].constant.data);
  for (int i = 0; i < shares; ++i)
    prepared->run({inputs, reinterpret_cast<std::byte*>(y.data()), aligned, 1}, {i, shares});
  return y;
}

/// The numbers times `factor`.
Tensor times(const Tensor& tensor, float factor) {
  Tensor product(DType::f32, tensor.shape());
  std::transform(tensor.as<float>().begin(), tensor.as<float>().end(), product.as<float>().begin(),
                 [&](float v) { return v * factor; });
  return product;
}

/// Factors of 6 bits have products and sums that f32 holds exactly: rows must be equal. With more bits they
/// are those of the rounded factors.
template <class Problem>
void expect_products_of_bf16(const KernelRow<Problem>& row, const KernelRow<Problem>& reference,
                             const std::string& line) {
  if (!cpu_facts().has(CpuFeature::avx512_bf16) || !implies(usable_isa(), Isa::avx512_vnni))
    GTEST_SKIP() << "SKIPPED: needs avx512_bf16";
  constexpr float kALittleMore = 1 + 0x1p-10F;  // less than half of bf16's last digit
  const auto p = parse_problem<Problem>(line);
  std::minstd_rand random(1);
  std::vector<Tensor> tensors;
  for (const OperandSize& size : p.sizes().inputs) {
    tensors.emplace_back(DType::f32, std::vector<std::int64_t>{size.elements});
    for (float& v : tensors.back().as<float>()) v = static_cast<float>(random() % 64) / 64 - 0.5F;
  }
  const auto operands_with = [&](const Tensor& weights) {
    Operands operands;
    for (const Tensor& tensor : tensors) operands.inputs.push_back({DType::f32, nullptr, tensor.view()});
    operands.inputs[1].constant = weights.view();
    return operands;
  };
  const Tensor &x = tensors[0], &w = tensors[1];
  const Tensor x_more = times(x, kALittleMore), w_more = times(w, kALittleMore);
  const std::vector<float> exact = results(reference, p, x, operands_with(w), 1);
  for (int shares : {1, 3}) EXPECT_EQ(results(row, p, x, operands_with(w), shares), exact) << line;
  EXPECT_EQ(results(row, p, x_more, operands_with(w), 1), exact) << line;
  EXPECT_EQ(results(row, p, x, operands_with(w_more), 1), exact) << line;
  EXPECT_NE(results(reference, p, x_more, operands_with(w), 1), exact) << line;
}

TEST(OneDnn, ConvolvesProductsOfBf16) {
  for (const char* line :
       {"conv2d x=f32 w=f32 y=f32 ic16 ih9 iw8 oc32 kh3 kw3 pt1 pl1 pb1 pr1 bias=f32",
        "conv2d x=f32 w=f32 y=f32 ic5 ih7 iw7 oc9 sh2 sw2 bias=f32",
        "conv2d x=f32 w=f32 y=f32 ic32 ih6 iw6 oc32 g32 kh3 kw3 bias=f32 activation=relu",
        "conv2d x=f32 w=f32 y=f32 ic16 ih6 iw6 oc16 residual1 r=f32 activation=relu",
        "conv2d x=f32 w=f32 y=f32 ic9 ih6 iw6 oc8 kh3 kw3 residual1 r=f32 conv_activation=relu"})
    expect_products_of_bf16(conv2d::onednn_bf16_row(), conv2d::reference_row(), line);
}

TEST(OneDnn, MultipliesLinearLayersInBf16) {
  expect_products_of_bf16(linear::onednn_bf16_row(), linear::reference_row(),
                          "linear x=f32 w=f32 y=f32 m19 ic40 oc300 bias=f32");
}

}  // namespace
}  // namespace octavo
