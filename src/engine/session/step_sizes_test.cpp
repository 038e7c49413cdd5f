#include "engine/session/step_sizes.h"

#include <gmock/gmock.h>

#include "engine/kernels/family.h"
#include "octavo/error.h"
#include "octavo/session.h"
#include "package/package.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

/// A plan of one step whose operands have exactly the sizes that the problem needs, growing where it says so.
struct OneStep {
  Plan plan;
  std::vector<Tensor> weights;

  explicit OneStep(const std::string& problem) {
    const StepSizes sizes = family_of(problem).sizes(problem);
    Step step{problem, "", {}, static_cast<std::int32_t>(sizes.inputs.size()), {}, ""};
    for (std::size_t i = 0; i < sizes.inputs.size(); ++i) {
      add(sizes.inputs[i], "in" + std::to_string(i));
      step.inputs.push_back(static_cast<std::int32_t>(i));
    }
    add(sizes.output, "y");
    PlanTensor& y = plan.tensors.back();
    y.storage = Storage::output;
    y.offset = 0;
    plan.outputs.push_back({"y", step.output});
    plan.steps.push_back(std::move(step));
  }

  void add(const OperandSize& size, const std::string& name) {
    DType dtype = DType::f32;
    for (DType d : {DType::u8, DType::f16, DType::f32, DType::f64}) {
      if (dtype_bytes(d) == size.element_bytes) dtype = size.dtype.value_or(d);
    }
    PlanTensor t{name,           dtype, {{size.elements, size.growth > 0}}, Layout::plain, std::nullopt,
                 Storage::input, 0};
    if (dtype == DType::u8 || dtype == DType::s8) t.quantization = Quantization::per_tensor(0.5F, 1);
    if (size.growth > 0) {
      t.offset = static_cast<std::int64_t>(plan.inputs.size());
      if (name != "y") plan.inputs.push_back({name, static_cast<std::int32_t>(plan.tensors.size())});
    } else {
      t.storage = Storage::weights;
      t.offset = static_cast<std::int64_t>(weights.size());
      plan.weights.push_back({"weights/" + name, dtype, {size.elements}});
      weights.emplace_back(dtype, std::vector<std::int64_t>{size.elements});
    }
    plan.tensors.push_back(std::move(t));
  }

  /// What a Session says of the plan; empty when it takes it.
  [[nodiscard]] std::string refusal() const {
    try {
      Session session(make_package(plan, weights, {}));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::invalid_model) << e.what();
      return e.what();
    }
    return "";
  }
};

const std::vector<std::string> kProblems{
    "conv2d ic4 ih5 iw5 oc6 kh3 kw3 bias=f32",
    "conv2d ic4 ih5 iw5 oc6 residual1",
    "conv2d x=f32 w=f32 y=f32 ic4 ih5 iw5 oc6 kh3 kw3 bias=f32",
    "linear ic4 oc5 bias=f32",
    "linear x=f32 w=f32 y=f32 ic4 oc5 bias=f32",
    "matmul m2 k3 n4 grows=rows",
    "matmul a=u8 b=s8 y=s32 m2 k3 n4 grows=batches a_zero_point1 b_zero_point1",
    "pool c3 ih4 iw4 oh2 ow2 kh2 kw2 sh2 sw2",
    "pool kind=adaptive_average c3 ih4 iw4 oh1 ow1",
    "binary dims=6 a_strides=1 b_strides=1 a_batch_stride6 b_batch_stride6",
    "binary a=f32 b=f32 y=f32 dims=2,3 a_strides=3,1 b_strides=0,1 a_batch_stride6",
    "unary kind=sigmoid count7",
    "unary kind=exp x=f32 y=f32 count7",
    "convert s9",
    "convert c3 s9 channels_last1",
    "copy bytes4 dims=2,3 x_strides=1,2 begin=0,0 count=2,3 x_batch_stride6",
    "concat outer2 widths=3,4",
    "reduce outer2 count3 inner4",
    "softmax outer2 count3",
    "gather rows4 inner3 indices2 grows_indices1",
    "dynamic_quantize count5",
    "dynamic_quantize result=scale count5",
};

TEST(StepSizes, CoverEveryFamily) {
  for (const KernelFamily& family : kernel_families()) {
    EXPECT_TRUE(std::any_of(kProblems.begin(), kProblems.end(), [&](const std::string& problem) {
      return problem_family(problem) == family.name;
    })) << family.name;
  }
}

TEST(StepSizes, LetAStepOfTheRightSizesPass) {
  for (const std::string& problem : kProblems) EXPECT_EQ(OneStep(problem).refusal(), "") << problem;
}

TEST(StepSizes, RefuseEveryTensorThatIsOneElementShort) {
  for (const std::string& problem : kProblems) {
    for (std::size_t i = 0; i < OneStep(problem).plan.tensors.size(); ++i) {
      OneStep step(problem);
      --step.plan.tensors[i].shape[0].count;
      EXPECT_THAT(step.refusal(), HasSubstr("elements, the step needs")) << problem << ", tensor " << i;
    }
  }
}

TEST(StepSizes, RefuseEveryTensorThatDoesNotGrowWithTheOthers) {
  for (const std::string& problem : kProblems) {
    for (std::size_t i = 0; i < OneStep(problem).plan.tensors.size(); ++i) {
      OneStep step(problem);
      Shape& shape = step.plan.tensors[i].shape;
      if (!shape[0].per_image) continue;
      shape[0].per_image = false;
      const bool another_grows = std::any_of(step.plan.tensors.begin(), step.plan.tensors.end(),
                                             [](const PlanTensor& t) { return is_per_image(t.shape); });
      if (!another_grows) continue;
      EXPECT_THAT(step.refusal(), HasSubstr("does not grow with the batch")) << problem << ", tensor " << i;
    }
  }
}

TEST(StepSizes, RefuseEveryTensorOfAnotherElementSize) {
  for (const std::string& problem : kProblems) {
    for (std::size_t i = 0; i < OneStep(problem).plan.tensors.size(); ++i) {
      OneStep step(problem);
      PlanTensor& tensor = step.plan.tensors[i];
      // Of half the elements, so that it fits its weights.
      tensor.dtype = DType::u16;
      tensor.shape[0].count = (tensor.shape[0].count + 1) / 2;
      if (tensor.storage == Storage::weights) {
        step.plan.weights[static_cast<std::size_t>(tensor.offset)] = {"weights/big", DType::u16, {512}};
        step.weights[static_cast<std::size_t>(tensor.offset)] = Tensor(DType::u16, {512});
      }
      EXPECT_THAT(step.refusal(), HasSubstr("is u16, expected")) << problem << ", tensor " << i;
    }
  }
}

TEST(StepSizes, RefuseAnotherNumberOfInputs) {
  for (const std::string& problem : kProblems) {
    OneStep fewer(problem);
    fewer.plan.steps[0].inputs.pop_back();
    EXPECT_THAT(fewer.refusal(), HasSubstr("inputs, expected")) << problem;
    OneStep more(problem);
    more.plan.steps[0].inputs.push_back(0);
    EXPECT_THAT(more.refusal(), HasSubstr("inputs, expected")) << problem;
  }
}

TEST(StepSizes, RefuseAProblemThatIsNone) {
  for (const char* problem :
       {"", "conv3d ic4", "conv2d ic4 zzz9", "conv2d ic99999999999999999999", "linear ic-4 oc5",
        "copy bytes4 dims=1099511627776,2 x_strides=1,1 begin=0,0 count=1,1"}) {
    OneStep step("linear ic4 oc5");
    step.plan.steps[0].problem = problem;
    EXPECT_THROW(Session(make_package(step.plan, step.weights, {})), Error) << problem;
  }
}

TEST(StepSizes, AStepWhoseTensorsAllStayDoesNotGrow) {
  Plan plan;
  plan.tensors.push_back({"a", DType::f32, {{4, false}}, Layout::plain, std::nullopt, Storage::arena, 0});
  plan.tensors.push_back({"b", DType::f32, {{4, true}}, Layout::plain, std::nullopt, Storage::arena, 0});
  EXPECT_FALSE(grows(plan, {"", "", {0}, 0, {}, ""}));
  EXPECT_TRUE(grows(plan, {"", "", {0}, 1, {}, ""}));
  EXPECT_TRUE(grows(plan, {"", "", {0, 1}, 0, {}, ""}));
}

}  // namespace
}  // namespace octavo
