#include <gmock/gmock.h>

#include "base/testing.h"
#include "compiler/passes/passes.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kConvAndRelu = R"(graph(x: f32[N,3,8,8]) {
  c = conv2d(x, w: f32[4,3,3,3])
  y = relu(c)
  return y
})";

std::vector<std::string> passes_that_ran(const PassOptions& given) {
  std::vector<std::string> names;
  PassOptions options = given;
  options.after = [&](std::string_view pass, const Graph&, double) { names.emplace_back(pass); };
  Graph graph = parse_graph(kConvAndRelu);
  run_passes(graph, all_passes(), options);
  return names;
}

std::string error_of(const std::string& disabled) {
  return testing::error_of(ErrorCode::invalid_argument, [&] { passes_that_ran({{disabled}, {}}); });
}

TEST(RunPasses, TellsOfTheImportAndOfPassesThatChangedSomething) {
  EXPECT_THAT(passes_that_ran({}), ElementsAre("import", "fuse_activation"));
}

TEST(RunPasses, LeavesOutWhatIsDisabled) {
  EXPECT_THAT(passes_that_ran({{"fuse_activation"}, {}}), ElementsAre("import"));
}

TEST(RunPasses, RefusesToLeaveOutWhatIsUnknownOrNeeded) {
  EXPECT_THAT(error_of("fold_everything"), HasSubstr("there is no pass 'fold_everything'"));
  EXPECT_THAT(error_of("decompose_batchnorm"), HasSubstr("'decompose_batchnorm' cannot be left out"));
}

TEST(RunPasses, NamesThePassAfterWhichTheGraphIsBroken) {
  const PassDef breaks{"break_types",
                       [](Graph& graph) {
                         graph.value(graph.outputs[0].value).type.dtype = DType::s8;
                         return true;
                       },
                       true};
  Graph graph = parse_graph(kConvAndRelu);
  try {
    run_passes(graph, {&breaks, 1}, {});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("after pass break_types"));
  }
}

}  // namespace
}  // namespace octavo
