#include "package/plan.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/testing.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

/// y = binary(x, w), then z = reshape of y: every kind of storage, every optional field.
Plan small_plan() {
  Plan plan;
  plan.name = "small";
  const Shape image{{1, true}, {2, false}, {3, false}, {4, false}};
  const Quantization per_channel{{0.5F, 0.25F}, {1, 2}, 1};
  plan.tensors = {
      {"x", DType::u8, image, Layout::plain, per_channel, Storage::input, 0},
      {"w", DType::f32, {{6, false}}, Layout::plain, std::nullopt, Storage::weights, 0},
      {"m", DType::u8, image, Layout::channels_last, Quantization::per_tensor(0.1F, 3), Storage::arena, 64},
      {"f", DType::f32, {{3, false}}, Layout::plain, std::nullopt, Storage::arena, 0},
      {"y", DType::f32, {{24, true}}, Layout::plain, std::nullopt, Storage::output, 0},
      {"z", DType::f32, {{2, true}, {12, false}}, Layout::plain, std::nullopt, Storage::output, 0}};
  plan.steps = {
      {"unary kind=clip count24", "reference", {0}, 2, {{"lo", -INFINITY}, {"hi", 6.5}}, "features.0"},
      {"unary kind=exp x=f32 y=f32 count3", "", {1}, 3, {}, ""},
      {"concat dtype=f32 widths=3,3", "", {3, 3}, 4, {}, "head"}};
  plan.inputs = {{"x", 0}};
  plan.outputs = {{"y", 4}};
  plan.weights = {{"weights/0000_w", DType::f32, {2, 3}}};
  plan.fixed_bytes = 64;
  plan.bytes_per_image = 128;
  plan.whole_batch = true;
  return plan;
}

std::string error_of(const std::function<void()>& action) {
  return testing::error_of(ErrorCode::invalid_model, action);
}

/// What `check` says when `change` was done to a good plan.
std::string error_after(const std::function<void(Plan&)>& change) {
  return error_of([&] {
    Plan plan = small_plan();
    change(plan);
    check(plan);
  });
}

TEST(Plan, SurvivesItsJson) {
  const Plan plan = small_plan();
  check(plan);
  const std::string text = plan_json(plan);
  const Plan again = parse_plan(text);
  EXPECT_EQ(plan_json(again), text);
  EXPECT_EQ(again.steps[0].parameters.at("lo"), -INFINITY);
  EXPECT_EQ(again.steps[0].parameters.at("hi"), 6.5);
  EXPECT_EQ(again.tensors[0].quantization, plan.tensors[0].quantization);
  EXPECT_EQ(again.tensors[4].shape, plan.tensors[4].shape);
  EXPECT_TRUE(again.whole_batch);
}

TEST(Plan, PrintsALineAStep) {
  EXPECT_EQ(print(small_plan()),
            "plan 'small': 3 steps, arena 64 + N * 128 bytes, 1 weights\n"
            "   0 m:u8[N,2,3,4]cl = unary kind=clip count24(x:u8[N,2,3,4]) hi=6.5 lo=-inf  [reference]  # "
            "features.0\n"
            "   1 f:f32[3] = unary kind=exp x=f32 y=f32 count3(w:f32[6])\n"
            "   2 y:f32[24N] = concat dtype=f32 widths=3,3(f:f32[3], f:f32[3])  # head\n");
}

TEST(PlanCheck, BoundsTheArena) {
  EXPECT_THAT(error_after([](Plan& p) { p.fixed_bytes = -1; }), HasSubstr("arena of -1 + 128 bytes"));
  EXPECT_THAT(error_after([](Plan& p) { p.bytes_per_image = std::numeric_limits<std::int64_t>::max(); }),
              HasSubstr("arena of 64 + 9223372036854775807 bytes"));
}

TEST(PlanCheck, RefusesTensorsThatLeaveTheArena) {
  for (std::int64_t offset : {std::int64_t{-64}, std::int64_t{1}, std::int64_t{128}, std::int64_t{1} << 62}) {
    EXPECT_THAT(error_after([&](Plan& p) { p.tensors[2].offset = offset; }),
                HasSubstr("tensor 'm': 24 bytes at offset " + std::to_string(offset)));
  }
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[3].shape[0].count = 17; }), HasSubstr("arena of 64"));
}

TEST(PlanCheck, RefusesShapesThatMakeNoSense) {
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[2].shape[1].per_image = true; }), HasSubstr("tensor 'm'"));
  EXPECT_THAT(error_after([](Plan& p) { std::swap(p.tensors[2].shape[0], p.tensors[2].shape[1]); }),
              HasSubstr("grows behind its first extent"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[3].shape[0].count = -1; }), HasSubstr("tensor 'f'"));
  EXPECT_THAT(error_after([](Plan& p) {
                p.tensors[3].shape.assign(3, Dim{1LL << 40, false});
              }),
              HasSubstr("tensor 'f'"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[3].shape[0].count = 1LL << 45; }),
              HasSubstr("are too many"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[3].layout = Layout::channels_last; }),
              HasSubstr("cannot be channels_last"));
}

TEST(PlanCheck, RefusesIndicesOutOfRange) {
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[0].offset = 1; }), HasSubstr("tensor 'x': index 1 of 1"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[1].offset = -1; }), HasSubstr("tensor 'w': index -1 of 1"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[5].offset = 7; }), HasSubstr("tensor 'z': index 7 of 1"));
  EXPECT_THAT(error_after([](Plan& p) { p.steps[1].inputs[0] = 6; }), HasSubstr("tensor 6 of 6"));
  EXPECT_THAT(error_after([](Plan& p) { p.steps[1].output = -1; }), HasSubstr("tensor -1 of 6"));
  EXPECT_THAT(error_after([](Plan& p) { p.inputs[0].tensor = 9; }), HasSubstr("input 'x': tensor 9 of 6"));
}

TEST(PlanCheck, RefusesWeightsThatAreTooSmall) {
  EXPECT_THAT(error_after([](Plan& p) { p.weights[0].shape = {5}; }), HasSubstr("does not fit its weights"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[1].shape[0].per_image = true; }),
              HasSubstr("does not fit its weights"));
  EXPECT_THAT(error_after([](Plan& p) {
                p.weights[0].shape = {1LL << 40, 1LL << 40};
              }),
              HasSubstr("tensor 'w'"));
}

TEST(Plan, ReadsScalesAsTheirBitsAndAsNumbers) {
  std::string json = plan_json(small_plan());
  const std::string bits = "\"3f0000003e800000\"";
  ASSERT_THAT(json, HasSubstr(bits));
  json.replace(json.find(bits), bits.size(), "[0.5, 0.25]");
  EXPECT_EQ(parse_plan(json).tensors[0].quantization, small_plan().tensors[0].quantization);
}

TEST(Plan, WritesTheZeroPointOfManyChannelsOnce) {
  Plan plan = small_plan();
  plan.tensors[0].quantization->zero_points = {7, 7};
  const std::string json = plan_json(plan);
  EXPECT_THAT(json, HasSubstr("\"zero_points\": 7"));
  EXPECT_EQ(parse_plan(json).tensors[0].quantization, plan.tensors[0].quantization);
}

TEST(PlanCheck, RefusesQuantizationsThatDoNotFit) {
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[0].quantization->axis = 4; }),
              HasSubstr("axis 4 of [N,2,3,4]"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[0].quantization->axis = 2; }),
              HasSubstr("2 scales and 2 zero points along axis 2"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[2].quantization->scales.clear(); }), HasSubstr("0 scales"));
  for (float scale : {0.0F, -1.0F, INFINITY, NAN}) {
    EXPECT_THAT(error_after([&](Plan& p) { p.tensors[2].quantization->scales[0] = scale; }),
                HasSubstr("tensor 'm': scale"));
  }
}

TEST(PlanCheck, RefusesPortsThatAreNotTheirTensors) {
  EXPECT_THAT(error_after([](Plan& p) { p.inputs[0].tensor = 2; }), HasSubstr("do not agree"));
  EXPECT_THAT(error_after([](Plan& p) { p.outputs.clear(); }), HasSubstr("no outputs"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[0].layout = Layout::channels_last; }),
              HasSubstr("do not agree"));
  EXPECT_THAT(error_after([](Plan& p) { p.outputs.push_back({"z", 5}); }), HasSubstr("output 'z'"));
}

TEST(PlanCheck, RefusesViewsThatAreLargerThanTheCallersMemory) {
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[5].shape[1].count = 13; }),
              HasSubstr("tensor 'z': f32[2N,13] is a view of 'y', which is f32[24N]"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[5].shape[0].per_image = false; }),
              HasSubstr("is a view of"));
  EXPECT_THAT(error_after([](Plan& p) { p.tensors[5].dtype = DType::f64; }), HasSubstr("is a view of"));
}

TEST(PlanCheck, LetsAResidualSumLieWhereItsResidualDid) {
  const auto with_sum_at = [](std::int64_t offset, const char* problem) {
    return [=](Plan& p) {
      p.tensors.push_back(p.tensors[2]);
      p.tensors.back().name = "sum";
      p.tensors.back().offset = offset;
      p.bytes_per_image = 256;
      p.steps.push_back({problem, "", {0, 1, 2}, 6, {}, ""});
    };
  };
  EXPECT_EQ(error_after(with_sum_at(64, "conv2d ic2 residual1")), "no error");
  EXPECT_EQ(error_after(with_sum_at(64, "conv2d ic2 residual2 arithmetic=ort")), "no error");
  EXPECT_EQ(error_after(with_sum_at(64, "conv2d x=f32 ic2 residual1")), "no error");
  EXPECT_THAT(error_after(with_sum_at(64, "conv2d ic2")), HasSubstr("writes 'sum' over its input 'm'"));
  EXPECT_THAT(error_after([&](Plan& p) {
                with_sum_at(64, "conv2d ic2 residual1")(p);
                p.steps.back().inputs = {2, 1, 2};
              }),
              HasSubstr("writes 'sum' over its input 'm'"));
}

TEST(PlanCheck, RefusesStepsThatWriteWhatTheyMayNot) {
  EXPECT_THAT(error_after([](Plan& p) { p.steps[0].output = 0; }),
              HasSubstr("writes 'x', which is read-only"));
  EXPECT_THAT(error_after([](Plan& p) { p.steps[0].output = 1; }),
              HasSubstr("writes 'w', which is read-only"));
  EXPECT_THAT(error_after([](Plan& p) { p.steps[2].inputs[1] = 5; }),
              HasSubstr("writes 'y' over its input 'z'"));
  EXPECT_THAT(error_after([](Plan& p) {
                p.tensors.push_back(p.tensors[2]);
                p.tensors.back().name = "m2";
                p.tensors[2].offset = 0;
                p.tensors[2].shape[3].count = 12;
                p.steps[0].inputs[0] = 6;
              }),
              HasSubstr("writes 'm' over its input 'm2'"));
}

std::string json_error(const std::string& from, const std::string& to) {
  std::string text = plan_json(small_plan());
  const std::size_t at = text.find(from);
  if (at == std::string::npos) return "the plan has no " + from;
  text.replace(at, from.size(), to);
  return error_of([&] { static_cast<void>(parse_plan(text)); });
}

TEST(PlanJson, NamesWhatCannotBeRead) {
  EXPECT_THAT(json_error("\"name\"", "\"mane\""), HasSubstr("plan.json: "));
  EXPECT_THAT(json_error("\"name\"", "\"mane\""), HasSubstr("'name' not found"));
  EXPECT_THAT(json_error("\"whole_batch\": true", "\"whole_batch\": 3"), HasSubstr("type must be boolean"));
  EXPECT_THAT(json_error("\"u8\"", "\"u9\""), HasSubstr("unknown dtype 'u9'"));
  EXPECT_THAT(json_error("\"24N\"", "\"24M\""), HasSubstr("extent '24M'"));
  EXPECT_THAT(json_error("\"24N\"", "\"9999999999N\""), HasSubstr("extent '9999999999N'"));
  EXPECT_THAT(json_error("\"24N\"", "\"\""), HasSubstr("extent ''"));
  EXPECT_THAT(json_error("\"-inf\"", "\"nan\""), HasSubstr("'nan' is no number"));
  EXPECT_THAT(json_error("\"channels_last\"", "\"nchw\""), HasSubstr("layout 'nchw'"));
  EXPECT_THAT(json_error("\"arena\"", "\"attic\""), HasSubstr("storage 'attic'"));
  const std::string scales = "\"3f0000003e800000\"";
  EXPECT_THAT(json_error(scales, "\"3f0000003e80000\""), HasSubstr("scales: '3e80000' is not 8 hex digits"));
  EXPECT_THAT(json_error(scales, "\"3f0000003e8000x0\""), HasSubstr("'3e8000x0' is not 8"));
  EXPECT_THAT(json_error(scales, "\"-f0000003e800000\""), HasSubstr("'-f000000' is not 8"));
  EXPECT_THAT(json_error(scales, "\"\""), HasSubstr("0 scales"));
}

TEST(PlanJson, IsOneLineOfComplaintForEveryTruncation) {
  const std::string text = plan_json(small_plan());
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    const std::string error = error_of([&] { static_cast<void>(parse_plan(text.substr(0, length))); });
    EXPECT_THAT(error, HasSubstr("plan.json: ")) << length;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST(PlanJson, RefusesDeepNesting) {
  EXPECT_THAT(error_of([] { static_cast<void>(parse_plan(std::string(1 << 20, '['))); }),
              HasSubstr("plan.json"));
}

}  // namespace
}  // namespace octavo
