#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "engine/kernels/conv2d/testing/tile_emulated.h"
#include "engine/kernels/conv2d/tile.h"
#include "engine/kernels/convert/rows.h"
#include "engine/kernels/testing/random_step.h"

namespace octavo {
namespace {

using namespace octavo::testing;

StepSpec spec_of(const Conv2dProblem& p) {
  const std::int64_t y_elements = p.n * p.oh() * p.ow() * p.oc;
  StepSpec spec;
  spec.inputs.push_back(
      growing_operand(DType::u8, p.n * p.ih * p.iw * p.ic, Quantization::per_tensor(0.02F, 7)));
  OperandSpec w = growing_operand(DType::s8, p.oc * p.ic * p.kh * p.kw, Quantization::per_tensor(0.01F, 0));
  w.batch_stride = 0, w.constant = true;
  w.shape = {p.oc, p.ic, p.kh, p.kw};
  w.lowest = -60, w.highest = 60;
  spec.inputs.push_back(w);
  if (p.residual != 0)
    spec.inputs.push_back(growing_operand(DType::u8, y_elements, Quantization::per_tensor(1.2931F, 3)));
  spec.output = growing_operand(DType::u8, y_elements, Quantization::per_tensor(0.5F, 90));
  spec.parameters = {{"conv_scale", 1.0}, {"conv_zero_point", 120.0}};
  return spec;
}

std::unique_ptr<Prepared> prepared(const std::string& line) {
  Random random(1);
  const auto p = parse_problem<Conv2dProblem>(line);
  const RandomStep step(spec_of(p), 1, random);
  return prepare_tiles(multiply_tiles_emulated, p, step.operands());
}

/// Two convolutions after each other with random numbers, on emulated tiles.
class TwoConvolutions {
 public:
  TwoConvolutions(const std::string& first, const std::string& second) {
    for (const std::string& line : {first, second}) {
      problems_.push_back(parse_problem<Conv2dProblem>(line));
      steps_.push_back(std::make_unique<RandomStep>(spec_of(problems_.back()), kBatch, random_));
      prepared_.push_back(
          prepare_tiles(multiply_tiles_emulated, problems_.back(), steps_.back()->operands()));
      scratch_bytes_ = std::max(scratch_bytes_, prepared_.back()->scratch_bytes());
    }
  }

  [[nodiscard]] const Prepared& first() const { return *prepared_[0]; }
  [[nodiscard]] const Prepared& second() const { return *prepared_[1]; }

  /// What the second makes of what the first makes, `layout` being the layout in between.
  [[nodiscard]] std::vector<std::byte> run(const PixelLayout* layout, int shares) const {
    const Conv2dProblem& q = problems_[1];
    const std::int64_t between =
        layout == nullptr ? kBatch * q.n * q.ih * q.iw * q.ic : layout->bytes(kBatch);
    const GuardedMemory middle(between, GuardedMemory::Side::end);
    std::memset(middle.data(), 0xAB, static_cast<std::size_t>(between));
    std::vector<std::byte> y(static_cast<std::size_t>(kBatch * q.n * q.oh() * q.ow() * q.oc));
    run_all(0, {steps_[0]->input(0), middle.data(), layout, false}, shares);
    run_all(1, {middle.data(), y.data(), nullptr, layout != nullptr}, shares);
    return y;
  }

 private:
  static constexpr std::int64_t kBatch = 3;
  struct Tensors {
    const std::byte* x;
    std::byte* y;
    const PixelLayout* output_layout;
    bool has_wanted_layout;
  };

  void run_all(std::size_t step, const Tensors& tensors, int shares) const {
    std::vector<const std::byte*> inputs;
    for (std::size_t i = 0; i < steps_[step]->operands().inputs.size(); ++i)
      inputs.push_back(steps_[step]->input(i));
    inputs[0] = tensors.x;
    const Tensor scratch(DType::u8, {scratch_bytes_ + 1});
    KernelArgs args{inputs, tensors.y, const_cast<std::byte*>(scratch.data()), kBatch};
    args.output_layout = tensors.output_layout;
    args.has_wanted_layout = tensors.has_wanted_layout;
    for (int share = 0; share < shares; ++share) prepared_[step]->run(args, {share, shares});
  }

  Random random_{1};
  std::vector<Conv2dProblem> problems_;
  std::vector<std::unique_ptr<RandomStep>> steps_;
  std::vector<std::unique_ptr<Prepared>> prepared_;
  std::int64_t scratch_bytes_ = 0;
};

TEST(TileConvolution, WritesTheLayoutThatTheNextOneWants) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "no AVX-512 VNNI";
  const std::pair<std::string, std::string> pairs[] = {
      {"conv2d ic64 ih7 iw9 oc64", "conv2d ic64 ih7 iw9 oc32 kh3 kw3 pt1 pl1 pb1 pr1"},
      {"conv2d ic64 ih8 iw6 oc64 residual1", "conv2d ic64 ih8 iw6 oc96 kh3 kw3 sh2 sw2 pt1 pl1 pb1 pr1"},
      {"conv2d ic32 ih9 iw7 oc128 activation=relu",
       "conv2d ic128 ih9 iw7 oc32 kh3 kw3 sh2 sw2 pt1 pl1 pb1 pr1"},
      {"conv2d ic16 ih8 iw8 oc16 kh3 kw3 pt1 pl1 pb1 pr1",
       "conv2d ic16 ih8 iw8 oc16 kh3 kw3 pt1 pl1 pb1 pr1"},  // pairs of pixels
      {"conv2d ic16 ih8 iw8 oc32 kh3 kw3 pt1 pl1 pb1 pr1",
       "conv2d ic32 ih8 iw8 oc64 kh3 kw3 sh2 sw2 pt1 pl1"},
      {"conv2d ic64 ih5 iw12 oc96", "conv2d ic96 ih5 iw12 oc64 kh1 kw5 pl2 pr2"},
      {"conv2d n2 ic64 ih8 iw8 oc64", "conv2d n2 ic64 ih8 iw8 oc32 kh3 kw3 pt1 pl1 pb1 pr1"},
      {"conv2d ic512 ih4 iw4 oc512", "conv2d ic512 ih4 iw4 oc64 kh3 kw3 pt1 pl1 pb1 pr1"},  // panels divided
      {"conv2d ic64 ih7 iw1 oc128", "conv2d ic128 ih7 iw1 oc32 kh7 kw7 pt3 pl3 pb3 pr3"},
      {"conv2d ic64 ih1 iw1 oc2048", "conv2d ic2048 ih1 iw1 oc32 kw9 pl4 pr4"},  // wider than the image
      {"conv2d ic64 ih80 iw80 oc32",
       "conv2d ic32 ih80 iw80 oc32 kh3 kw3 pt1 pl1 pb1 pr1"},  // cells, more than one band reads
      {"conv2d ic64 ih12 iw12 oc64", "conv2d ic64 ih12 iw12 oc64 kh3 kw3 dh2 dw2 pt2 pl2 pb2 pr2"},
  };
  for (const auto& [first, second] : pairs) {
    const TwoConvolutions both(first, second);
    const PixelLayout* layout = both.second().wanted_layout();
    ASSERT_NE(layout, nullptr) << second;
    ASSERT_TRUE(both.first().can_write(*layout)) << first << " for " << second;
    const std::vector<std::byte> expected = both.run(nullptr, 1);
    for (int shares = 1; shares <= 3; ++shares)
      EXPECT_EQ(both.run(layout, shares), expected) << first << "\n" << second << "\n" << shares << " shares";
  }
}

TEST(TileConvolution, WantsNoLayoutWhereItNeedNotCopyOrCannotTakePlanesWhole) {
  for (const char* line : {"conv2d ic64 ih8 iw8 oc64", "conv2d ic64 ih8 iw8 oc64 sh2 sw2",
                           "conv2d ic64 ih224 iw224 oc64 kh3 kw3 pt1 pl1 pb1 pr1",
                           "conv2d ic64 ih9 iw8 oc64 kh3 kw3 sh3 sw3"})  // two columns are not read
    EXPECT_EQ(prepared(line)->wanted_layout(), nullptr) << line;
  const auto wants = prepared("conv2d ic64 ih8 iw8 oc64 kh3 kw3 pt1 pl1 pb1 pr1");
  ASSERT_NE(wants->wanted_layout(), nullptr);
  const auto can = [&](const char* line) { return prepared(line)->can_write(*wants->wanted_layout()); };
  EXPECT_TRUE(can("conv2d ic64 ih8 iw8 oc64"));
  EXPECT_FALSE(can("conv2d ic64 ih8 iw8 oc32"));
  EXPECT_FALSE(can("conv2d n2 ic64 ih8 iw8 oc64"));
  EXPECT_FALSE(can("conv2d ic64 ih8 iw4 oc64"));
  EXPECT_FALSE(can("conv2d ic64 ih4 iw8 oc64"));
}

/// A convolution with a residual of batch 2 whose residual, and perhaps its results in its place, lie in the
/// layout that `wants` wants.
class ResidualInLayout {
 public:
  ResidualInLayout(const std::string& line, const std::string& wants)
      : problem_(parse_problem<Conv2dProblem>(line)), wants_(prepared(wants)) {
    step_ = std::make_unique<RandomStep>(spec_of(problem_), kBatch, random_);
    conv_ = prepare_tiles(multiply_tiles_emulated, problem_, step_->operands());
  }
  [[nodiscard]] const PixelLayout& layout() const { return *wants_->wanted_layout(); }
  [[nodiscard]] bool can_add() const { return conv_->can_add(layout()); }

  [[nodiscard]] std::vector<std::byte> expected() const {
    std::vector<std::byte> y(y_bytes());
    run({step_->input(0), step_->input(1), step_->input(2)}, y.data(), nullptr, nullptr, 1);
    return y;
  }
  [[nodiscard]] std::vector<std::byte> elsewhere(int shares) const {
    const GuardedMemory residual(layout().bytes(kBatch), GuardedMemory::Side::end);
    place_residual(residual.data());
    std::vector<std::byte> y(y_bytes());
    run({step_->input(0), step_->input(1), residual.data()}, y.data(), nullptr, &layout(), shares);
    return y;
  }
  [[nodiscard]] std::vector<std::byte> in_place(int shares) const {
    const GuardedMemory memory(layout().bytes(kBatch), GuardedMemory::Side::end);
    place_residual(memory.data());
    run({step_->input(0), step_->input(1), memory.data()}, memory.data(), &layout(), &layout(), shares);
    std::vector<std::byte> y(y_bytes());
    for_each_pixel([&](std::int64_t dense, std::int64_t at) {
      std::memcpy(&y[static_cast<std::size_t>(dense)], memory.data() + at, channels());
    });
    for (std::int64_t image = 0; image < kBatch; ++image) {
      for (const ByteRange& range : layout().border) {
        for (std::int64_t i = range.begin; i < range.end; ++i)
          EXPECT_EQ(memory.data()[image * layout().image_bytes + i], std::byte{layout().border_value});
      }
    }
    return y;
  }

 private:
  static constexpr std::int64_t kBatch = 2;

  [[nodiscard]] std::size_t channels() const { return static_cast<std::size_t>(problem_.oc); }
  [[nodiscard]] std::size_t y_bytes() const {
    return static_cast<std::size_t>(kBatch * problem_.oh() * problem_.ow() * problem_.oc);
  }
  /// take(byte of the dense tensor, byte in the layout).
  template <class Take>
  void for_each_pixel(const Take& take) const {
    std::int64_t dense = 0;
    for (std::int64_t image = 0; image < kBatch; ++image) {
      for (const std::int64_t row : layout().row) {
        for (const std::int64_t column : layout().column) {
          take(dense, image * layout().image_bytes + row + column);
          dense += problem_.oc;
        }
      }
    }
  }
  void place_residual(std::byte* to) const {
    std::memset(to, layout().border_value, static_cast<std::size_t>(layout().bytes(kBatch)));
    for_each_pixel([&](std::int64_t dense, std::int64_t at) {
      std::memcpy(to + at, step_->input(2) + dense, channels());
    });
  }
  void run(std::vector<const std::byte*> inputs, std::byte* y, const PixelLayout* output_layout,
           const PixelLayout* residual_layout, int shares) const {
    const Tensor scratch(DType::u8, {conv_->scratch_bytes() + 1});
    KernelArgs args{inputs, y, const_cast<std::byte*>(scratch.data()), kBatch};
    args.output_layout = output_layout, args.residual_layout = residual_layout;
    for (int share = 0; share < shares; ++share) conv_->run(args, {share, shares});
  }

  Random random_{1};
  Conv2dProblem problem_;
  std::unique_ptr<Prepared> wants_, conv_;
  std::unique_ptr<RandomStep> step_;
};

TEST(TileConvolution, AddsAResidualInALayout) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "no AVX-512 VNNI";
  const std::pair<std::string, std::string> pairs[] = {
      {"conv2d ic64 ih7 iw9 oc64 residual1", "conv2d ic64 ih7 iw9 oc32 kh3 kw3 pt1 pl1 pb1 pr1"},
      {"conv2d ic16 ih8 iw8 oc16 kh3 kw3 pt1 pl1 pb1 pr1 residual1",
       "conv2d ic16 ih8 iw8 oc16 kh3 kw3 pt1 pl1 pb1 pr1"},  // pairs of pixels
      {"conv2d ic32 ih8 iw6 oc64 residual1", "conv2d ic64 ih8 iw6 oc96 kh3 kw3 sh2 sw2 pt1 pl1 pb1 pr1"},
  };
  for (const auto& [line, wants] : pairs) {
    const ResidualInLayout residual(line, wants);
    ASSERT_TRUE(residual.can_add()) << line;
    for (int shares = 1; shares <= 3; ++shares) {
      EXPECT_EQ(residual.elsewhere(shares), residual.expected()) << line << " in " << shares << " shares";
      EXPECT_EQ(residual.in_place(shares), residual.expected()) << line << " in " << shares << " shares";
    }
  }
  EXPECT_FALSE(ResidualInLayout("conv2d ic64 ih7 iw9 oc32 residual1",
                                "conv2d ic64 ih7 iw9 oc32 kh3 kw3 pt1 pl1 pb1 pr1")
                   .can_add());
}

/// Quantization of reals in planes, and a convolution of 3 channels of its pixels.
class QuantizedStem {
 public:
  explicit QuantizedStem(const std::string& line) : problem_(parse_problem<Conv2dProblem>(line)) {
    conv_step_ = std::make_unique<RandomStep>(spec_of(problem_), kBatch, random_);
    conv_ = prepare_tiles(multiply_tiles_emulated, problem_, conv_step_->operands());
    ConvertProblem convert;
    convert.n = problem_.n, convert.c = 3, convert.s = problem_.ih * problem_.iw, convert.channels_last = 1;
    StepSpec spec;
    spec.inputs.push_back(growing_operand(DType::f32, convert.n * 3 * convert.s));
    spec.output = growing_operand(DType::u8, convert.n * 3 * convert.s, Quantization::per_tensor(0.02F, 7));
    convert_step_ = std::make_unique<RandomStep>(spec, kBatch, random_);
    convert_ = prepare_convert_avx512(convert, convert_step_->operands());
  }

  [[nodiscard]] const PixelLayout* layout() const { return conv_->wanted_layout(); }
  [[nodiscard]] bool can_write() const { return convert_->can_write(*layout()); }

  [[nodiscard]] std::vector<std::byte> run(const PixelLayout* layout, int shares) const {
    const Conv2dProblem& p = problem_;
    const std::int64_t between = layout == nullptr ? kBatch * p.n * p.ih * p.iw * 3 : layout->bytes(kBatch);
    const GuardedMemory middle(between, GuardedMemory::Side::end);
    std::memset(middle.data(), 0xAB, static_cast<std::size_t>(between));
    std::vector<std::byte> y(static_cast<std::size_t>(kBatch * p.n * p.oh() * p.ow() * p.oc));
    const Tensor scratch(DType::u8, {conv_->scratch_bytes() + 1});
    const std::byte* x = convert_step_->input(0);
    KernelArgs quantizes{{&x, 1}, middle.data(), nullptr, kBatch};
    quantizes.output_layout = layout;
    const std::byte* inputs[] = {middle.data(), conv_step_->input(1)};
    KernelArgs convolves{inputs, y.data(), const_cast<std::byte*>(scratch.data()), kBatch};
    convolves.has_wanted_layout = layout != nullptr;
    for (int share = 0; share < shares; ++share) convert_->run(quantizes, {share, shares});
    for (int share = 0; share < shares; ++share) conv_->run(convolves, {share, shares});
    return y;
  }

 private:
  static constexpr std::int64_t kBatch = 2;

  Random random_{1};
  Conv2dProblem problem_;
  std::unique_ptr<RandomStep> conv_step_, convert_step_;
  std::unique_ptr<Prepared> conv_, convert_;
};

TEST(VectorQuantize, WritesTheLayoutThatAStemWants) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "no AVX-512 VNNI";
  for (const char* line : {"conv2d ic3 ih32 iw30 oc64 kh7 kw7 sh2 sw2 pt3 pl3 pb3 pr3",
                           "conv2d ic3 ih160 iw161 oc24 kh3 kw3 sh2 sw2 pb1 pr1",  // in more than one band
                           "conv2d n2 ic3 ih9 iw17 oc32 kh3 kw3 sh2 sw2 pt1 pl1 pb1 pr1",
                           "conv2d ic3 ih20 iw37 oc32 kh3 kw3 pt1 pl1 pb1 pr1",
                           "conv2d ic3 ih20 iw18 oc16 kh3 kw3 pt1 pl1 pb1 pr1"}) {  // pairs of pixels
    const QuantizedStem stem(line);
    ASSERT_NE(stem.layout(), nullptr) << line;
    ASSERT_TRUE(stem.can_write()) << line;
    const std::vector<std::byte> expected = stem.run(nullptr, 1);
    for (int shares = 1; shares <= 3; ++shares)
      EXPECT_EQ(stem.run(stem.layout(), shares), expected) << line << "\n" << shares << " shares";
  }
  const QuantizedStem of_nine("conv2d ic3 ih33 iw33 oc32 kh3 kw3 sh3 sw3");  // cells of 3 x 3
  ASSERT_NE(of_nine.layout(), nullptr);
  EXPECT_FALSE(of_nine.can_write());
}

}  // namespace
}  // namespace octavo
