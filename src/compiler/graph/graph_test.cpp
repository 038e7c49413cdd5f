#include "compiler/graph/graph.h"

#include <gmock/gmock.h>

#include "compiler/graph/op.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kText = R"(graph(x: f32[N,3,8,8]) {
  q = quantize(x) dtype=u8 scale=0.5 zero_point=3
  c = conv2d(q, w: s8[4,3,3,3]{axis=0}, b: f32[4]) pad=(1,1,1,1) scale=0.25 zero_point=0 activation=relu
  p = max_pool2d(c) kernel=(2,2) stride=(2,2)
  f = reshape(p) shape=[N,64]
  return y=f
}
)";

TEST(Graph, PrintsWhatItParsesAndParsesWhatItPrints) {
  const Graph once = parse_graph(kText);
  verify(once);
  const Graph twice = parse_graph(print(once));
  verify(twice);
  EXPECT_EQ(print(once), print(twice));
  EXPECT_EQ(shape_text(once.type(once.outputs[0].value).shape), "[N,64]");
}

TEST(Graph, GivesMadeUpConstantsTheSameValuesEveryTime) {
  const Graph a = parse_graph(kText);
  const Graph b = parse_graph(kText);
  const auto weights = [](const Graph& g) {
    return g.value(g.nodes()[1].inputs[1]).constant->as<std::int8_t>();
  };
  EXPECT_TRUE(std::equal(weights(a).begin(), weights(a).end(), weights(b).begin()));
}

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(parse_graph(text));
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Graph, NamesLineAndTokenOfABadText) {
  EXPECT_THAT(error_of("graph(x: f32[2]) {\n y = relu(z)\n return y }"),
              HasSubstr("line 2: 'z' is not declared"));
  EXPECT_THAT(error_of("graph(x: f33[2]) { return x }"), HasSubstr("unknown dtype 'f33'"));
  EXPECT_THAT(error_of("graph(x: f32[2]) { return bogus(x) }"), HasSubstr("unknown operator 'bogus'"));
  EXPECT_THAT(error_of("graph(x: f32[2]) { return relu(x) size=3 }"), HasSubstr("no attribute 'size'"));
  EXPECT_THAT(error_of("graph(x: f32[2)] { return x }"), HasSubstr("a word is missing"));
}

TEST(Graph, RefusesShapesThatDoNotFit) {
  EXPECT_THAT(error_of("graph(x: f32[N,3,8,8]) { return conv2d(x, w: f32[4,5,3,3]) }"),
              HasSubstr("[4,5,3,3]"));
  EXPECT_THAT(error_of("graph(x: f32[N,3,2,2]) { return conv2d(x, w: f32[4,3,3,3]) }"),
              HasSubstr("larger than"));
  EXPECT_THAT(error_of("graph(x: f32[2,3]) { return reshape(x) shape=[7] }"),
              HasSubstr("cannot reshape [2,3] to [7]"));
  EXPECT_THAT(error_of("graph(x: f32[2,3], y: f32[4]) { return add(x, y) }"), HasSubstr("do not broadcast"));
  EXPECT_THAT(error_of("graph(x: f32[4611686018427387904,4]) { return x }"),
              HasSubstr("more elements than memory"));
  EXPECT_THAT(error_of("graph(x: f32[4]) { return quantize(x) scale=0.0 }"), HasSubstr("not positive"));
  EXPECT_THAT(error_of("graph(x: f32[4]) { return quantize(x) scale=1.0 zero_point=300 }"), HasSubstr("300"));
}

TEST(Graph, DropsWhatNoOutputNeeds) {
  Graph graph = parse_graph("graph(x: f32[4]) { a = relu(x)\n b = add(x, w: f32[4])\n return a }");
  EXPECT_TRUE(graph.remove_dead());
  EXPECT_EQ(graph.nodes().size(), 1U);
  EXPECT_FALSE(graph.remove_dead());
}

TEST(Verify, FindsANodeBeforeItsInput) {
  Graph graph = parse_graph("graph(x: f32[4]) { a = relu(x)\n b = exp(a)\n return b }");
  std::swap(graph.nodes()[0], graph.nodes()[1]);
  EXPECT_THROW(verify(graph), Error);
}

TEST(Verify, FindsATypeThatIsNotTheInferredOne) {
  Graph graph = parse_graph("graph(x: f32[4]) { a = relu(x)\n return a }");
  graph.value(graph.outputs[0].value).type.dtype = DType::u8;
  EXPECT_THROW(verify(graph), Error);
}

}  // namespace
}  // namespace octavo
