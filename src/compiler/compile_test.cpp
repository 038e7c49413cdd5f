#include "octavo/compile.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/testing.h"
#include "compiler/compile_graph.h"
#include "octavo/error.h"
#include "octavo/session.h"

namespace octavo {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kDemo = "assets/demo/shapes_resnet.pt";

TEST(Compile, RecordsWhereThePackageCameFrom) {
  const std::string manifest = compile(kDemo).manifest();
  EXPECT_THAT(manifest, HasSubstr("shapes_resnet.pt"));
  EXPECT_THAT(manifest, HasSubstr("sha256"));
}

TEST(Compile, PutsTheNameOfTheFileBeforeEveryError) {
  EXPECT_THAT(testing::error_of(ErrorCode::io, [] { compile("no/such/model.pt"); }),
              StartsWith("model.pt: "));
  const testing::TemporaryFolder folder;
  testing::write_file(folder / "model", "not a model");
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_model, [&] { compile(folder / "model"); }),
              HasSubstr("neither a TorchScript archive nor named .onnx"));
}

TEST(Compile, AddsOutputsForLayersByTheirPlace) {
  CompileOptions options;
  options.layer_outputs = {"conv"};
  const std::vector<PortInfo> outputs = compile(kDemo, options).outputs();
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[1].name, "conv");
  options.layer_outputs = {"conv99"};
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_argument, [&] { compile(kDemo, options); }),
              HasSubstr("the model has no layer 'conv99'"));
}

TEST(Compile, ShowsTheGraphAfterEachPass) {
  CompileOptions options;
  std::vector<std::string> passes;
  options.after_pass = [&](std::string_view pass, const auto& text, double) {
    passes.emplace_back(pass);
    EXPECT_THAT(text(), StartsWith("graph"));
  };
  compile(kDemo, options);
  ASSERT_FALSE(passes.empty());
  EXPECT_EQ(passes.front(), "import");
}

TEST(CompileGraph, TellsOfStepsThatOnlyTheReferenceKernelCanDo) {
  CompileOptions options;
  std::vector<std::string> notes;
  options.note = [&](const std::string& line) { notes.push_back(line); };
  const char* before = std::getenv("OCTAVO_ISA");
  const std::string kept = before == nullptr ? "" : before;
  setenv("OCTAVO_ISA", "generic", 1);
  compile_graph(parse_graph(R"(graph(x: u8[N,4,8,8]{0.5,7}) {
    y = conv2d(x, w: s8[4,4,3,3]{axis=0}) scale=0.25 zero_point=3
    return y
  })"),
                options, {});
  kept.empty() ? unsetenv("OCTAVO_ISA") : setenv("OCTAVO_ISA", kept.c_str(), 1);
  ASSERT_FALSE(notes.empty());
  EXPECT_THAT(notes, Contains(AllOf(HasSubstr("step 'conv2d "), HasSubstr("runs on the reference kernel"),
                                    HasSubstr("amx_int8: "))));
}

/// What a network gives whose residual is the `first` operand of its addition, or the second.
std::vector<std::uint8_t> with_residual(const std::string& first, const std::string& second, bool is_fused) {
  CompileOptions options;
  if (!is_fused) options.disabled_passes = {"fuse_residual_add"};
  const Package package = compile_graph(parse_graph(R"(graph(x: u8[N,4,6,6]{0.5,7}) {
    a = conv2d(x, w: s8[4,4,1,1]{axis=0}) arithmetic=ort scale=0.25 zero_point=3
    m = conv2d(a, t: s8[4,4,1,1]{axis=0}) arithmetic=ort scale=0.25 zero_point=9
    b = conv2d(m, v: s8[4,4,1,1]{axis=0}) arithmetic=ort scale=0.25 zero_point=20
    c = add()" + first + ", " + second + R"() arithmetic=ort scale=0.75 zero_point=9
    y = conv2d(c, u: s8[4,4,1,1]{axis=0}) arithmetic=ort scale=0.5 zero_point=5
    return y
  })"),
                                        options, {});
  Session session(package);
  Tensor x(DType::u8, {3, 4, 6, 6});
  for (std::size_t i = 0; i < x.as<std::uint8_t>().size(); ++i)
    x.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 37);
  session.set_input("x", x.view());
  session.run();
  const Tensor y(session.output());
  return {y.as<std::uint8_t>().begin(), y.as<std::uint8_t>().end()};
}

TEST(CompileGraph, LetsASumLieWhereItsResidualDidWhicheverComesFirst) {
  EXPECT_EQ(with_residual("a", "b", true), with_residual("a", "b", false));
  EXPECT_EQ(with_residual("b", "a", true), with_residual("b", "a", false));
}

}  // namespace
}  // namespace octavo
