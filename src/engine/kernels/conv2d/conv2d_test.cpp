#include <gtest/gtest.h>

#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/conv2d/testing/evex_isa.h"
#include "engine/kernels/conv2d/testing/tile_emulated.h"
#include "engine/kernels/conv2d/tile.h"
#include "engine/kernels/conv2d/winograd.h"
#include "engine/kernels/testing/problem_file.h"
#include "engine/kernels/testing/random_problem.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using namespace octavo::testing;

/// A seed of symmetric weights with many small ones, as models have them.
constexpr int kTrainedSeed = 11;

/// Operands of a convolution; the result's scale is such that sums spread over the whole range.
StepSpec conv_spec(const Conv2dProblem& p, int seed, Random& random) {
  const OperandKind kind = operand_kind(seed);
  const std::int64_t y_elements = p.n * p.oh() * p.ow() * p.oc;
  const bool quantized = p.x != DType::f32;
  const float spread = 0.6F * std::sqrt(static_cast<float>(p.icg() * p.kh * p.kw)) * 0.02F;
  StepSpec spec;
  spec.inputs.push_back(values_of_kind(p.x, p.n * p.ih * p.iw * p.ic, kind));
  spec.inputs.push_back(weights_of_kind(p.w, {p.oc, p.icg(), p.kh, p.kw}, kind, random));
  if (seed == kTrainedSeed && p.w == DType::s8) spec.inputs[1].lowest = -60, spec.inputs[1].highest = 60;
  if (p.residual != 0) spec.inputs.push_back(values_of_kind(p.r, y_elements, kind));
  if (p.bias != Bias::none) {
    spec.inputs.push_back(bias_operand(p.bias, p.oc));
    if (p.bias == Bias::s32 && seed == 2) {  // as quantizers write them for tiny weights: some sums wrap
      spec.inputs.back().lowest = INT32_MIN;
      spec.inputs.back().highest = INT32_MAX;
    }
  }
  spec.output = growing_operand(p.y, y_elements);
  if (quantized) {
    spec.inputs[0].quantization = quantization_of_kind(p.x, kind, 0.02F, random);
    // A scale so small that results lie beyond s32 is left to the exact form.
    const float y_scale = seed == 5 && p.residual == 0 ? spread * 1e-9F : spread;
    spec.output.quantization = quantization_of_kind(p.y, kind, y_scale, random);
  }
  if (quantized && p.residual != 0) {
    // Ratios of few digits make ties that only the exact forms round right; others let the fast forms in.
    const bool has_ties = seed % 2 == 0;
    spec.inputs[2].quantization =
        quantization_of_kind(p.r, kind, spread * (has_ties ? 1.3F : 1.2931F), random);
    spec.parameters["conv_scale"] = spread * (has_ties ? 0.8F : 0.8137F);
    spec.parameters["conv_zero_point"] = quantization_of_kind(p.y, kind, 1.0F, random).zero_point();
  }
  spec.parameters["lo"] = quantized ? 20 : -0.25;
  spec.parameters["hi"] = quantized ? 101 : 0.5;
  return spec;
}

/// The rows whose names contain this refuse weights that their sums do not allow.
constexpr std::string_view kWinograd = "winograd";

/// The table, and what `avx_vnni` computes, proven on CPUs without AVX-VNNI too.
std::span<const KernelRow<Conv2dProblem>> table_and_evex() {
  static const std::vector<KernelRow<Conv2dProblem>> kRows =
      with_row<Conv2dProblem>({"avx_vnni@evex", Isa::avx512_vnni, direct_support,
                               [](const Conv2dProblem& p, const Operands& operands) {
                                 return prepare_direct(evex_isa(), p, operands);
                               }},
                              conv2d_kernels());
  return kRows;
}

TEST(Conv2dRows, EqualTheReferenceOnEveryProblemOfTheFile) {
  const ProblemFile file = read_problem_file("conv2d");
  std::set<std::string> compared;
  for (const std::string& line : file.problems) {
    compared.merge(expect_line_conforms<Conv2dProblem>(table_and_evex(), line, file.float_bound, 6, conv_spec,
                                                       kWinograd));
    const Trial trained{kTrainedSeed, 2, file.float_bound, {}};
    expect_seed_conforms<Conv2dProblem>(table_and_evex(), line, trained, conv_spec, compared);
  }
  expect_all_rows_compared<Conv2dProblem>(table_and_evex(), compared);
}

TEST(Conv2dRows, SlowEqualTheReferenceOnEveryBenchmark) {
  const std::set<std::string> compared =
      expect_benchmarks_conform<Conv2dProblem>(table_and_evex(), {.seed = kTrainedSeed}, conv_spec);
  if (runs_here(Isa::avx512_vnni)) {
    EXPECT_TRUE(compared.contains("avx512_vnni:winograd"));
    EXPECT_TRUE(compared.contains("avx512_vnni:wide_winograd"));
  }
}

Conv2dProblem random_conv2d(Draw& draw) {
  Conv2dProblem p;
  if (draw.one_in(10)) {
    p.x = p.w = p.y = p.r = DType::f32;
  } else {
    p.x = draw.of({DType::u8, DType::u8, DType::s8}), p.w = draw.of({DType::s8, DType::s8, DType::u8});
    p.y = draw.of({DType::u8, DType::u8, DType::s8}), p.r = draw.of({DType::u8, DType::s8});
  }
  const bool is_depthwise = draw.one_in(4);
  p.g = is_depthwise ? draw.channels(150) : draw.of<std::int64_t>({1, 1, 1, 1, draw.between(2, 9)});
  p.ic = p.g * (is_depthwise ? 1 : draw.channels(p.g == 1 ? 150 : 40));
  p.oc = p.g * (is_depthwise ? 1 : draw.channels(p.g == 1 ? 150 : 40));
  const std::int64_t k = draw.of<std::int64_t>({1, 1, 3, 3, 5, 7, 2});
  p.kh = k, p.kw = draw.one_in(4) ? draw.between(1, 5) : k;
  p.sh = draw.of<std::int64_t>({1, 1, 1, 2, 3}), p.sw = draw.one_in(5) ? draw.between(1, 4) : p.sh;
  if (draw.one_in(6)) p.dh = draw.between(1, 3), p.dw = draw.between(1, 3);
  if (!draw.one_in(3)) p.pt = p.pl = p.pb = p.pr = draw.between(0, p.kh);
  if (draw.one_in(4)) p.pb = draw.between(0, 3), p.pr = draw.between(0, 3);
  p.n = draw.of<std::int64_t>({1, 1, 2});
  p.ih = draw.between(1, 20), p.iw = draw.between(1, 20);
  if (p.g == 1 && draw.one_in(10)) {  // what only some rows take, small enough to be tried
    p.ic = draw.between(17, 40), p.oc = 64;
    p.kh = p.kw = 3, p.sh = p.sw = p.dh = p.dw = 1;
    p.pt = p.pl = p.pb = p.pr = 1;
    p.ih = draw.between(1, 6), p.iw = draw.between(1, 6);
  }
  p.bias = draw.of({Bias::none, Bias::f32, Bias::s32});
  p.arithmetic = draw.of({Arithmetic::fbgemm, Arithmetic::ort});
  p.activation = draw.of({Activation::none, Activation::relu, Activation::clamp});
  p.residual = draw.of<std::int64_t>({0, 0, 0, 1, 2});
  if (p.residual != 0 && draw.one_in(4)) p.conv_activation = Activation::relu;
  return p;
}

void expect_random_convolutions_conform(std::span<const KernelRow<Conv2dProblem>> table, int count,
                                        std::int64_t most_macs) {
  const double bound = read_problem_file("conv2d").float_bound;
  std::set<std::string> compared;
  for_random_problems<Conv2dProblem>(
      count, random_conv2d, [&](const Conv2dProblem& p) { return p.macs() <= most_macs; },
      [&](const std::string& line, int seed) {
        const Trial trial{seed % 7 == 0 ? kTrainedSeed : seed, seed % 2 + 1, bound, kWinograd};
        expect_seed_conforms<Conv2dProblem>(table, line, trial, conv_spec, compared);
      });
  expect_all_rows_compared<Conv2dProblem>(table, compared);
}

TEST(Conv2dRows, EqualTheReferenceOnRandomProblems) {
  expect_random_convolutions_conform(table_and_evex(), 200, 300'000);
}

TEST(Conv2dRows, SlowEqualTheReferenceOnManyRandomProblems) {
  expect_random_convolutions_conform(table_and_evex(), 2000, 2'000'000);
}

/// Never in the table: proves the tile kernel's results, and that hardware would not fault, on any CPU.
const KernelRow<Conv2dProblem> kEmulatedRows[] = {{"amx_int8@emulated", Isa::avx512_vnni, tiles_support,
                                                   [](const Conv2dProblem& p, const Operands& operands) {
                                                     return prepare_tiles(multiply_tiles_emulated, p,
                                                                          operands);
                                                   }},
                                                  conv2d::reference_row()};

TEST(Conv2dRows, EqualTheReferenceOnEmulatedTilesOfRandomProblems) {
  emulated::take_fault();
  expect_random_convolutions_conform(kEmulatedRows, 150, 300'000);
  EXPECT_EQ(emulated::take_fault(), "");
}

TEST(Conv2dRows, EqualTheReferenceOnEmulatedTiles) {
  emulated::take_fault();
  for (const std::string& line : read_problem_file("conv2d").problems) {
    expect_line_conforms<Conv2dProblem>(kEmulatedRows, line, 1e9, 3, conv_spec);
    ASSERT_EQ(emulated::take_fault(), "") << line;
  }
}

/// Results before the residual are whole numbers and halves, some beyond u8; their zero point is as odd as
/// the seed. The residual is in no simple ratio to them, so that the form with one rounding is taken.
StepSpec halves_spec(const Conv2dProblem& p, int seed, Random& /*random*/) {
  const std::int64_t y_elements = p.n * p.oh() * p.ow() * p.oc;
  StepSpec spec;
  spec.inputs.push_back(growing_operand(DType::u8, p.n * p.ih * p.iw * p.ic, Quantization::per_tensor(1, 3)));
  spec.inputs.back().highest = 20;
  OperandSpec w = growing_operand(DType::s8, p.oc * p.icg(), Quantization::per_tensor(0.5F, 0));
  w.batch_stride = 0, w.constant = true;
  w.shape = {p.oc, p.icg(), p.kh, p.kw};
  w.lowest = -12, w.highest = 12;
  spec.inputs.push_back(w);
  spec.inputs.push_back(growing_operand(DType::u8, y_elements, Quantization::per_tensor(1.2931F, 7)));
  spec.output = growing_operand(DType::u8, y_elements, Quantization::per_tensor(1.7123F, 11));
  spec.parameters = {{"conv_scale", 1.0}, {"conv_zero_point", 120.0 + seed}};
  return spec;
}

TEST(Conv2dRows, RoundHalvesBeforeAResidualToEven) {
  const std::string line = "conv2d ic4 ih9 iw9 oc32 residual1";
  expect_line_conforms<Conv2dProblem>(conv2d_kernels(), line, 0, 2, halves_spec);
  expect_line_conforms<Conv2dProblem>(kEmulatedRows, line, 0, 2, halves_spec);
}

/// The kernel that `prepare` makes ready, with weights of no matter.
template <class Prepare>
std::unique_ptr<Prepared> prepared_by(const Prepare& prepare, const std::string& line) {
  const auto p = parse_problem<Conv2dProblem>(line);
  const Tensor w(DType::s8, {p.oc, p.icg(), p.kh, p.kw});
  const Quantization one = Quantization::per_tensor(1, 0);
  Operands operands;
  operands.inputs = {{DType::u8, &one, {}}, {DType::s8, &one, w.view()}};
  operands.output = {DType::u8, &one, {}};
  return prepare(p, operands);
}

/// The bytes of constants that each of `shares` shares of one image reads, by the row that `prepare` makes
/// ready; they must follow each other.
template <class Prepare>
std::vector<std::size_t> constants_by_share(const Prepare& prepare, const std::string& line, int shares) {
  const std::unique_ptr<Prepared> prepared = prepared_by(prepare, line);
  std::vector<std::size_t> sizes;
  const std::byte* end = prepared->constants(1, {0, shares}).data();
  for (int i = 0; i < shares; ++i) {
    const std::span<const std::byte> constants = prepared->constants(1, {i, shares});
    EXPECT_EQ(constants.data(), end);
    sizes.push_back(constants.size());
    end = constants.data() + constants.size();
  }
  return sizes;
}

template <class Prepare>
void expect_shares_of_constants(const Prepare& prepare) {
  constexpr std::size_t kKib = 1024;
  const std::string large = "conv2d ic512 ih7 iw7 oc512", small = "conv2d ic64 ih56 iw56 oc64";
  EXPECT_EQ(constants_by_share(prepare, large, 1), std::vector{256 * kKib});
  EXPECT_EQ(constants_by_share(prepare, large, 2), (std::vector{128 * kKib, 128 * kKib}));
  EXPECT_EQ(constants_by_share(prepare, small, 1), std::vector{4 * kKib});
}

std::unique_ptr<Prepared> prepare_emulated(const Conv2dProblem& p, const Operands& operands) {
  return prepare_tiles(multiply_tiles_emulated, p, operands);
}

TEST(TileConvolution, TellsTheConstantsThatAShareReads) { expect_shares_of_constants(prepare_emulated); }

TEST(TileConvolution, AsksForFarWeightsItselfWhereTheyMeetFewPixels) {
  constexpr std::size_t kKib = 1024;
  const auto constants = [](const std::string& line) {
    return constants_by_share(prepare_emulated, line, 1);
  };
  EXPECT_EQ(constants("conv2d ic512 ih7 iw7 oc2048"), std::vector{128 * kKib});
  EXPECT_EQ(constants("conv2d ic512 ih14 iw14 oc2048"), std::vector{1024 * kKib});
  EXPECT_EQ(constants("conv2d ic512 ih14 iw14 oc4096"), std::vector{128 * kKib});
}

std::unique_ptr<Prepared> prepare_direct_avx512(const Conv2dProblem& p, const Operands& operands) {
  return prepare_direct(kDirectAvx512Vnni, p, operands);
}

TEST(DirectConvolution, TellsTheConstantsThatAShareReads) {
  expect_shares_of_constants(prepare_direct_avx512);
}

TEST(DirectConvolution, RunsLargeSharesOfManyPiecesInParts) {
  const auto panels = prepared_by(prepare_direct_avx512, "conv2d ic2048 ih7 iw7 oc512");  // 16 of them
  EXPECT_TRUE(panels->runs_in_parts(1, 2));
  EXPECT_FALSE(panels->runs_in_parts(1, 4));
  const auto pixels =
      prepared_by(prepare_direct_avx512, "conv2d ic64 ih56 iw56 oc64");  // 13 million products
  EXPECT_TRUE(pixels->runs_in_parts(1, 2));
  EXPECT_FALSE(pixels->runs_in_parts(1, 4));
  EXPECT_TRUE(pixels->runs_in_parts(2, 4));
}

TEST(WinogradConvolution, RunsLargeSharesOfManyPiecesInParts) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "packs weights with AVX-512";
  const auto panels = prepared_by(prepare_winograd, "conv2d ic256 ih14 iw14 oc256 kh3 kw3 pt1 pl1 pb1 pr1");
  EXPECT_TRUE(panels->runs_in_parts(1, 2));
  EXPECT_FALSE(panels->runs_in_parts(1, 4));
}

/// The one row `name` on one image of plain numbers.
std::vector<int> run_reference(const std::string& line, std::vector<std::uint8_t> x,
                               std::vector<std::int8_t> w, const Quantization& xq, const Quantization& wq,
                               const Quantization& yq) {
  const auto p = parse_problem<Conv2dProblem>(line);
  Operands operands;
  operands.inputs = {{DType::u8, &xq, {}}, {DType::s8, &wq, {}}};
  operands.output = {DType::u8, &yq, {}};
  const auto prepared = conv2d_kernels().back().prepare(p, operands);
  std::vector<std::uint8_t> y(static_cast<std::size_t>(p.oh() * p.ow() * p.oc));
  const std::byte* inputs[] = {reinterpret_cast<std::byte*>(x.data()),
                               reinterpret_cast<std::byte*>(w.data())};
  prepared->run({inputs, reinterpret_cast<std::byte*>(y.data()), nullptr, 1}, {0, 1});
  return {y.begin(), y.end()};
}

TEST(Conv2dReference, AddsAWindowByHand) {
  // x - 10 = [[1, 2], [3, 4]], padded by zeros; w = [[1, -2], [3, 4]]: at the top left the window holds only
  // x[0][0], under w[1][1].
  const auto y = run_reference("conv2d ic1 ih2 iw2 oc1 kh2 kw2 pt1 pl1", {11, 12, 13, 14}, {1, -2, 3, 4},
                               Quantization::per_tensor(1, 10), Quantization::per_tensor(1, 0),
                               Quantization::per_tensor(1, 100));
  // 1*4; 1*3+2*4; 1*(-2)+3*4; 1*1+2*(-2)+3*3+4*4
  EXPECT_EQ(y, (std::vector<int>{104, 111, 110, 122}));
}

TEST(Conv2dReference, HonoursAWeightZeroPointPerChannel) {
  // (5 - 3) * (2 - 1) + (4 - 3) * (-1 - 1) = 0; (5 - 3) * (2 + 4) + (4 - 3) * (-1 + 4) = 15
  const auto y =
      run_reference("conv2d ic2 ih1 iw1 oc2", {5, 4}, {2, -1, 2, -1}, Quantization::per_tensor(1, 3),
                    {{1, 1}, {1, -4}, 0}, Quantization::per_tensor(1, 7));
  EXPECT_EQ(y, (std::vector<int>{7, 22}));
}

TEST(Conv2dReference, RoundsHalvesToEvenAndClamps) {
  // Sums 1, 3, 5, 2000 times 0.5: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 1000 -> 255.
  const auto y = run_reference("conv2d ic1 ih1 iw4 oc1", {1, 3, 5, 255}, {1}, Quantization::per_tensor(1, 0),
                               Quantization::per_tensor(1, 0), Quantization::per_tensor(2, 0));
  EXPECT_EQ(y, (std::vector<int>{0, 2, 2, 128}));
  EXPECT_EQ(run_reference("conv2d ic1 ih1 iw1 oc1", {200}, {-3}, Quantization::per_tensor(1, 0),
                          Quantization::per_tensor(1, 0), Quantization::per_tensor(1, 9)),
            (std::vector<int>{0}));
}

TEST(Conv2dReference, KeepsGroupsApart) {
  const auto y =
      run_reference("conv2d ic4 ih1 iw1 oc2 g2", {1, 2, 3, 4}, {1, 10, 1, 10}, Quantization::per_tensor(1, 0),
                    Quantization::per_tensor(1, 0), Quantization::per_tensor(1, 0));
  EXPECT_EQ(y, (std::vector<int>{21, 43}));
}

/// What `prepare` of `row` says to operands that are not constant.
std::string refusal(const KernelRow<Conv2dProblem>& row, const std::string& line, bool constant_weights) {
  const auto p = parse_problem<Conv2dProblem>(line);
  const std::vector<std::byte> w(static_cast<std::size_t>(p.oc * p.ic * p.kh * p.kw));
  Operands operands;
  operands.inputs = {{p.x, nullptr, {}}, {p.w, nullptr, {}}, {DType::f32, nullptr, {}}};
  if (constant_weights) operands.inputs[1].constant = {p.w, {p.oc, p.ic, p.kh, p.kw}, w.data()};
  operands.output = {p.y, nullptr, {}};
  try {
    row.prepare(p, operands);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Conv2dRows, RefuseOperandsThatAreNotConstant) {
  const std::string real = " x=f32 w=f32 y=f32";
  const std::string lines[] = {"conv2d ic1 ih1 iw1 oc1", "conv2d ic1 ih3 iw3 oc1 kh3 kw3",
                               "conv2d ic64 ih3 iw3 oc64", "conv2d ic17 ih3 iw3 oc64 kh3 kw3",
                               "conv2d ic1 ih1 iw1 oc1" + real};
  for (const KernelRow<Conv2dProblem>& row : conv2d_kernels()) {
    if (row.name == "reference" || !runs_here(row.needs)) continue;
    const auto line = std::find_if(std::begin(lines), std::end(lines), [&](const std::string& text) {
      return row.supports(parse_problem<Conv2dProblem>(text)).is_legal;
    });
    ASSERT_NE(line, std::end(lines)) << row.name;
    EXPECT_EQ(refusal(row, *line, false), "weights that are not constant") << row.name;
    if (!line->ends_with(real)) {
      EXPECT_EQ(refusal(row, *line + " bias=f32", true), "a bias that is not constant") << row.name;
    }
  }
}

TEST(Conv2dProblem, RefusesWhatMakesNoSense) {
  for (const char* line : {"conv2d",
                           "conv2d ic1 ih1 iw1",
                           "conv2d ic1 ih1 iw1 oc1 sh0",
                           "conv2d ic1 ih1 iw1 oc1 pt-1",
                           "conv2d ic3 ih1 iw1 oc4 g2",
                           "conv2d ic1 ih2 iw2 oc1 kh3",
                           "conv2d ic1 ih5 iw5 oc1 kw3 dw3",
                           "conv2d ic1 ih1 iw1 oc1 residual2",
                           "conv2d x=f32 ic1 ih1 iw1 oc1",
                           "conv2d x=f32 w=f32 y=f32 bias=s32 ic1 ih1 iw1 oc1",
                           "conv2d x=s32 ic1 ih1 iw1 oc1",
                           "conv2d ic1 ih1 iw1 oc1 conv_activation=relu",
                           "conv2d ic1 ih1 iw1 oc1 residual1 conv_activation=clamp",
                           "conv2d ic1 ih1 iw1 oc1 residual1 r=f32",
                           "conv2d ic1 ih1 iw1 oc1 residual3 arithmetic=ort",
                           "conv2d ic1 ih3000000000 iw1 oc1",
                           "conv2d ic2000000000 ih2000000000 iw2000000000 oc1",
                           "conv2d ic1 ih1 iw1 oc1 pt2000000000 pl2000000000",
                           "conv2d ic2000000 ih1 iw1 oc2000000",
                           "conv2d ic1 ih9000 iw9000 oc900000000"}) {
    EXPECT_THROW(parse_problem<Conv2dProblem>(line), Error) << line;
  }
}

TEST(OutputStage, RefusesQuantizationsThatDoNotFit) {
  const auto prepare = [](const Quantization& xq, const Quantization& wq, const Parameters& parameters) {
    const Quantization yq = Quantization::per_tensor(1, 0);
    Operands operands;
    operands.inputs = {{DType::u8, &xq, {}}, {DType::s8, &wq, {}}, {DType::u8, &yq, {}}};
    operands.output = {DType::u8, &yq, {}};
    operands.parameters = parameters;
    const auto p = parse_problem<Conv2dProblem>("conv2d ic1 ih1 iw1 oc2 residual1 activation=clamp");
    return conv2d_kernels().back().prepare(p, operands);
  };
  const Quantization one = Quantization::per_tensor(1, 0);
  const Parameters clamp{{"lo", 0}, {"hi", 9}};
  EXPECT_NE(prepare(one, one, clamp), nullptr);
  EXPECT_THROW(prepare({{1, 1}, {0, 0}, 0}, one, clamp), Error);
  EXPECT_THROW(prepare({{}, {}, -1}, one, clamp), Error);
  EXPECT_THROW(prepare(Quantization::per_tensor(1, 256), one, clamp), Error);
  EXPECT_THROW(prepare(one, {{1, 1, 1}, {0, 0, 0}, 0}, clamp), Error);
  EXPECT_THROW(prepare(one, {{1, 1}, {0, 0}, 1}, clamp), Error);
  EXPECT_THROW(prepare(one, {{1, 1}, {0, 128}, 0}, clamp), Error);
  EXPECT_THROW(prepare(one, one, {{"lo", 0}}), Error);
  EXPECT_THROW(prepare(one, one, {{"lo", 0}, {"hi", 9}, {"conv_zero_point", 300}}), Error);
}

}  // namespace
}  // namespace octavo
