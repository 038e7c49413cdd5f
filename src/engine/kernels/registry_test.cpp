#include <gtest/gtest.h>

#include <set>

#include "engine/kernels/family.h"
#include "octavo/error.h"

namespace octavo {
namespace {

TEST(KernelFamilies, HaveOneNameEachAndEndWithTheReference) {
  std::set<std::string_view> names;
  for (const KernelFamily& family : kernel_families()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    ASSERT_FALSE(family.rows.empty()) << family.name;
    EXPECT_EQ(family.rows.back().name, "reference");
    EXPECT_EQ(family.rows.back().needs, Isa::generic);
    std::set<std::string_view> rows;
    for (const FamilyRow& row : family.rows) EXPECT_TRUE(rows.insert(row.name).second) << row.name;
  }
}

TEST(KernelFamilies, AreFoundByAProblem) {
  EXPECT_EQ(family_of("conv2d ic3 ih9 iw9 oc4").name, "conv2d");
  EXPECT_EQ(family_of("conv2d ic3 ih9 iw9 oc4").canonical("conv2d oc4 kh1 ih9 iw9 ic3"),
            "conv2d ic3 ih9 iw9 oc4");
  EXPECT_THROW(static_cast<void>(family_of("conv3d ic3")), Error);
  EXPECT_THROW(static_cast<void>(family_of("")), Error);
}

TEST(KernelFamilies, AnswerForTheirRowsByText) {
  const std::string problem = "matmul m1 k1 n1";
  EXPECT_TRUE(family_of(problem).rows.back().supports(problem));
  EXPECT_THROW(static_cast<void>(family_of(problem).rows.back().supports("matmul m0")), Error);
}

}  // namespace
}  // namespace octavo
