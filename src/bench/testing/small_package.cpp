#include "bench/testing/small_package.h"

#include "package/package.h"

namespace octavo::bench {

Package small_package(Batches batches) {
  Plan plan;
  plan.name = "small <&> model";
  Shape shape{{4, false}};
  if (batches == Batches::any) shape.insert(shape.begin(), Dim::batch());
  const auto add = [&](const char* name, Storage storage, std::int64_t offset) {
    plan.tensors.push_back({name, DType::f32, shape, Layout::plain, std::nullopt, storage, offset});
  };
  add("x", Storage::input, 0);
  add("e", Storage::arena, 0);
  add("ee", Storage::arena, 64);
  add("y", Storage::output, 0);
  plan.inputs = {{"x", 0}};
  plan.outputs = {{"y", 3}};
  (batches == Batches::any ? plan.bytes_per_image : plan.fixed_bytes) = 128;
  const std::string growth = batches == Batches::any ? " a_batch_stride4 b_batch_stride4" : "";
  plan.steps = {
      {"unary kind=exp x=f32 y=f32 count4", "", {0}, 1, {}, "block1.exp"},
      {"unary kind=exp x=f32 y=f32 count4", "", {1}, 2, {}, "block1.exp2"},
      {"binary a=f32 b=f32 y=f32 dims=4 a_strides=1 b_strides=1" + growth, "", {1, 2}, 3, {}, "add"}};
  return make_package(std::move(plan), {}, {});
}

}  // namespace octavo::bench
