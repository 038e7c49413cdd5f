#include "compiler/import/torchscript/reshape.h"

#include <gtest/gtest.h>

#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

const Shape kImage{Dim::batch(), {4, false}, {8, false}, {8, false}};

std::string reshaped(const Shape& from, std::vector<Value> wanted) {
  const List list{std::move(wanted), false, {}};
  return shape_text(reshaped_shape(from, list));
}

Value n(std::int64_t value) { return value; }

TEST(Reshape, KeepsASymbolicBatch) {
  EXPECT_EQ(reshaped(kImage, {Dim::batch(), n(-1)}), "[N,256]");
  EXPECT_EQ(reshaped(kImage, {Dim::batch(), n(2), n(2), n(8), n(8)}), "[N,2,2,8,8]");
  EXPECT_EQ(reshaped(kImage, {Dim{4, true}, n(64)}), "[4N,64]");
}

TEST(Reshape, SeesThroughTheBatchThatATraceWrote) {
  EXPECT_EQ(reshaped(kImage, {n(1), n(-1)}), "[N,256]");
  EXPECT_EQ(reshaped(kImage, {n(1), n(2), n(2), n(8), n(8)}), "[N,2,2,8,8]");
  EXPECT_EQ(reshaped(kImage, {n(3), n(256)}), "[N,256]");
  EXPECT_EQ(reshaped(kImage, {n(-1), n(256)}), "[N,256]");
}

TEST(Reshape, LetsTheBatchTakeInOtherAxes) {
  EXPECT_EQ(reshaped(kImage, {n(4), n(64)}), "[4N,64]");
  EXPECT_EQ(reshaped(kImage, {n(-1), n(64)}), "[4N,64]");
  EXPECT_EQ(reshaped(kImage, {n(-1)}), "[256N]");
}

TEST(Reshape, WorksOnFixedShapes) { EXPECT_EQ(reshaped({{6, false}}, {n(2), n(-1)}), "[2,3]"); }

TEST(Reshape, RefusesElementsThatDoNotFit) {
  EXPECT_THROW(reshaped(kImage, {n(1), n(7)}), Error);
  EXPECT_THROW(reshaped(kImage, {n(1), n(-1), n(7)}), Error);
  EXPECT_THROW(reshaped(kImage, {n(1), n(-1), n(-1)}), Error);
  EXPECT_THROW(reshaped(kImage, {n(1), n(-1), n(0)}), Error);
  EXPECT_THROW(reshaped(kImage, {n(1), n(-5)}), Error);
  EXPECT_THROW(reshaped(kImage, {}), Error);
  EXPECT_THROW(reshaped(kImage, {n(INT64_MAX), n(INT64_MAX), n(-1)}), Error);
  EXPECT_THROW(reshaped(kImage, {Dim::batch(), Dim::batch()}), Error);
}

}  // namespace
}  // namespace octavo::torchscript
