#include "engine/session/choose.h"

#include <gmock/gmock.h>

#include "base/cpu.h"
#include "base/testing.h"

namespace octavo {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kLarge = "linear ic512 oc500";
const std::string kSmall = "linear ic4 oc5";

std::vector<std::string_view> names(const std::vector<const FamilyRow*>& rows) {
  std::vector<std::string_view> names;
  names.reserve(rows.size());
  for (const FamilyRow* row : rows) names.push_back(row->name);
  return names;
}

TEST(LegalRows, StandInTheOrderOfTheirTable) {
  EXPECT_THAT(names(legal_rows(kLarge, Isa::amx_int8)),
              ElementsAre("amx_int8", "avx512_vnni", "avx2", "reference"));
  EXPECT_THAT(names(legal_rows(kLarge, Isa::avx2)), ElementsAre("avx2", "reference"));
}

TEST(LegalRows, StandBehindTheOthersWhereTheySayThatThoseAreFaster) {
  EXPECT_THAT(names(legal_rows(kSmall, Isa::amx_int8)),
              ElementsAre("avx512_vnni", "avx2", "amx_int8", "reference"));
}

TEST(LegalRows, StandInAnOrderThatTheCpuMayDecide) {
  const std::vector<std::string_view> rows = names(legal_rows("linear ic512 oc512", Isa::avx512_vnni));
  EXPECT_THAT(rows, cpu_facts().is_intel
                        ? ElementsAre("avx512_vnni:wide", "avx512_vnni", "avx2", "reference")
                        : ElementsAre("avx512_vnni", "avx2", "avx512_vnni:wide", "reference"));
}

TEST(ChooseKernel, TakesAHintOnlyWhereItIsLegal) {
  const ForcedKernels none("");
  EXPECT_EQ(choose_kernel(kSmall, "reference", none, Isa::amx_int8).row->name, "reference");
  EXPECT_EQ(choose_kernel(kSmall, "no_such_row", none, Isa::generic).row->name, "reference");
  const Choice generic = choose_kernel(kSmall, "", none, Isa::generic);
  EXPECT_EQ(generic.row->name, "reference");
  EXPECT_THAT(generic.passed_over, Contains(HasSubstr("avx2: needs avx2")));
}

TEST(ChooseKernel, TakesAForcedRowBeforeAHintAndEvenASlowOne) {
  EXPECT_EQ(choose_kernel(kSmall, "avx2", ForcedKernels("linear:amx_int8"), Isa::amx_int8).row->name,
            "amx_int8");
  EXPECT_EQ(choose_kernel(kSmall, "avx2", ForcedKernels("conv2d:avx2"), Isa::amx_int8).row->name, "avx2");
}

TEST(ChooseKernel, TakesARowOfOtherResultsOnlyOnRequest) {
  const std::string real = "linear x=f32 w=f32 y=f32 ic4 oc5";
  EXPECT_THAT(names(legal_rows(real, Isa::amx_int8)), ElementsAre("onednn", "reference"));
  EXPECT_EQ(choose_kernel(real, "onednn_bf16", ForcedKernels(""), Isa::amx_int8).row->name, "onednn");
  const ForcedKernels asked("linear:onednn_bf16");
  Choice choice = choose_kernel(real, "", asked, Isa::amx_int8);
  EXPECT_EQ(choice.row->name, "onednn_bf16");
  EXPECT_TRUE(pass_over(choice, "no such instruction"));
  EXPECT_EQ(choice.row->name, "onednn");
  EXPECT_EQ(choose_kernel(real, "", asked, Isa::avx2).row->name, "onednn");
}

TEST(ChooseKernel, SaysWhyAFasterLookingRowIsPassedOver) {
  const Choice choice = choose_kernel(kSmall, "", ForcedKernels(""), Isa::amx_int8);
  EXPECT_EQ(choice.row->name, "avx512_vnni");
  EXPECT_THAT(choice.passed_over,
              ElementsAre(HasSubstr("amx_int8: "), HasSubstr("avx512_vnni:wide: not whole panels")));
}

TEST(ChooseKernel, SaysWhyNoRowIsLegal) {
  const auto choose = [] {
    return choose_kernel("reduce kind=sum x=u8 y=u8", "", ForcedKernels(""), Isa::amx_int8);
  };
  EXPECT_THAT(testing::error_of(ErrorCode::unsupported, choose),
              HasSubstr("reference: sum of quantized values"));
}

TEST(PassOver, GoesThroughTheOtherLegalRows) {
  Choice choice = choose_kernel(kLarge, "", ForcedKernels(""), Isa::avx2);
  EXPECT_TRUE(pass_over(choice, "no weights"));
  EXPECT_EQ(choice.row->name, "reference");
  EXPECT_THAT(choice.passed_over, Contains("avx2: no weights"));
  EXPECT_FALSE(pass_over(choice, "no weights either"));
  EXPECT_EQ(choice.row->name, "reference");
  EXPECT_THAT(choice.others, IsEmpty());
}

}  // namespace
}  // namespace octavo
