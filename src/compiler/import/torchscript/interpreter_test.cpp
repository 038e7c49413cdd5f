#include "compiler/import/torchscript/interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/import/torchscript/import.h"
#include "compiler/import/torchscript/test_files.h"
#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

using testing::HasSubstr;

const TorchScriptOptions kSmall{{{"x", {4, 8, 8}}}};

Graph import_body(std::string_view body, const std::string& attributes = "",
                  const std::map<std::string, std::string>& more = {}) {
  const std::string file = model_with(body, attributes, more);
  Graph graph = import_torchscript(bytes_of(file), kSmall);
  verify(graph);
  return graph;
}

/// Operators with their result shapes, a line each: "relu [N,4,8,8]".
std::string steps(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes()) {
    text += std::string(node.op_name()) + " " + shape_text(graph.type(node.output).shape) + "\n";
  }
  return text;
}

std::string refusal(std::string_view body) {
  try {
    import_body(body);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const std::string kQuantize = "q = torch.quantize_per_tensor(x, 0.5, 10, 13)\n";

TEST(TorchScriptInterpreter, ComputesPlainValuesAndEmitsTheRest) {
  const Graph graph = import_body(
      "n = torch.size(x, 0)\n"
      "_0 = [n, 2, torch.floordiv(torch.size(x, 1), 2), 8, 8]\n"
      "y = torch.contiguous(torch.transpose(torch.view(x, _0), 1, 2))\n"
      "if torch.gt(torch.len(torch.size(x)), 3):\n"
      "  z = torch.relu(torch.view(y, [n, -1, 8, 8]))\n"
      "else:\n"
      "  z = torch.sigmoid(y)\n"
      "return z");
  EXPECT_EQ(steps(graph), "reshape [N,2,2,8,8]\ntranspose [N,2,2,8,8]\nreshape [N,4,8,8]\nrelu [N,4,8,8]\n");
}

TEST(TorchScriptInterpreter, LoopsAndLists) {
  const Graph graph = import_body(
      "l = annotate(List[Tensor], [])\n"
      "for i in range(3):\n"
      "  _1 = torch.append(l, x)\n"
      "torch.extend(l, [x])\n"
      "n = 0\n"
      "while torch.lt(n, 1):\n"
      "  n = torch.add(n, 1)\n"
      "return torch.cat(l, n)");
  EXPECT_EQ(steps(graph), "cat [N,16,8,8]\n");
}

TEST(TorchScriptInterpreter, FollowsValuesThatAreChangedInPlace) {
  const Graph graph = import_body("_0 = torch.relu_(x)\nreturn torch.sigmoid(x)");
  EXPECT_EQ(steps(graph), "relu [N,4,8,8]\nsigmoid [N,4,8,8]\n");
  EXPECT_EQ(steps(import_body("_0 = torch.dropout_(x, 0.5, False)\nreturn torch.relu(x)")),
            "relu [N,4,8,8]\n");
}

TEST(TorchScriptInterpreter, SlicesSelectsAndSplits) {
  EXPECT_EQ(steps(import_body("return torch.unsqueeze(torch.select(torch.slice(x), 1, -1), 1)")),
            "slice [N,1,8,8]\nreshape [N,8,8]\nreshape [N,1,8,8]\n");
  EXPECT_EQ(steps(import_body("a, b, = torch.split(x, [1, 3], 1)\nreturn b")), "slice [N,3,8,8]\n");
  EXPECT_EQ(steps(import_body("a, b, c, = torch.split(x, 3, 2)\nreturn c")), "slice [N,4,2,8]\n");
  EXPECT_EQ(steps(import_body("return torch.narrow(x, 1, 1, 2)")), "slice [N,2,8,8]\n");
  EXPECT_EQ(steps(import_body("return torch.slice(x, 3, None, -1, 2)")), "slice [N,4,8,4]\n");
  EXPECT_EQ(steps(import_body("return torch.relu(torch.squeeze(torch.slice(x, 1, 0, 1), 1))")),
            "slice [N,1,8,8]\nreshape [N,8,8]\nrelu [N,8,8]\n");
}

TEST(TorchScriptInterpreter, KeepsTheIntegersWhenAQuantizedTensorMeetsANumber) {
  const Graph graph =
      import_body(kQuantize + "y = ops.quantized.mul(q, 0.25)\nreturn ops.quantized.add(y, -0.5)");
  const Node& mul = graph.nodes()[1];
  EXPECT_EQ(mul.real("scale"), 0.125);
  EXPECT_EQ(mul.integer("zero_point"), 10);
  const Node& add = graph.nodes()[2];
  EXPECT_EQ(add.real("scale"), 0.125);
  EXPECT_EQ(add.integer("zero_point"), 14);
}

TEST(TorchScriptInterpreter, GivesClampsInStoredUnits) {
  const Graph graph = import_body(kQuantize + "return torch.hardtanh_(q, 0., 6.)");
  EXPECT_EQ(graph.nodes()[1].real("lo"), 10.0);
  EXPECT_EQ(graph.nodes()[1].real("hi"), 22.0);
  EXPECT_EQ(import_body("return torch.clamp(x, None, 3.)").nodes()[0].real("hi"), 3.0);
}

TEST(TorchScriptInterpreter, PadsQuantizedTensorsWithTheirZeroPoint) {
  const Graph graph = import_body(kQuantize + "return torch.pad(q, [1, 0, 0, 0], \"constant\", None)");
  EXPECT_EQ(graph.nodes()[1].real("value"), 10.0);
}

std::string rounding_after(const std::string& line) {
  return import_body(kQuantize + line + "\nreturn torch.adaptive_avg_pool2d(q, [1, 1])")
      .nodes()
      .back()
      .text("rounding");
}

TEST(TorchScriptInterpreter, RoundsPoolsByTheLayoutThatPyTorchWouldHave) {
  EXPECT_EQ(rounding_after("pass"), "contiguous");
  EXPECT_EQ(rounding_after("q = torch.contiguous(q, memory_format=2)"), "channels_last");
  EXPECT_EQ(rounding_after("q = torch.relu(torch.contiguous(q, memory_format=2))"), "channels_last");
  EXPECT_EQ(rounding_after("q = torch.slice(torch.contiguous(q, memory_format=2), 1, 1)"), "contiguous");
  EXPECT_EQ(rounding_after("q = torch.relu(torch.slice(torch.contiguous(q, memory_format=2), 1, 1))"),
            "channels_last");
  EXPECT_EQ(rounding_after("q = torch.cat([torch.contiguous(q, memory_format=2), q], 1)"), "contiguous");
  EXPECT_EQ(rounding_after("q = torch.max_pool2d(torch.contiguous(q, memory_format=2), [2, 2])"),
            "channels_last");
}

TEST(TorchScriptInterpreter, ReturnsTuplesAndDictsAsNamedOutputs) {
  const Graph pair = import_body("return (torch.relu(x), None, torch.sigmoid(x))");
  ASSERT_EQ(pair.outputs.size(), 2U);
  EXPECT_EQ(pair.outputs[1].name, "output_2");
  const Graph dict = import_body("return {\"out\": torch.relu(x)}");
  EXPECT_EQ(dict.outputs[0].name, "out");
}

TEST(TorchScriptInterpreter, NamesOperatorModuleAndLineOfWhatItCannotDo) {
  EXPECT_EQ(refusal("y = torch.relu(x)\nreturn torch.frobnicate(y)"),
            "operator 'torch.frobnicate' in module '' at code/__torch__.py:5 is not supported");
}

TEST(TorchScriptInterpreter, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"return torch.relu(x, x)", "has 2 arguments, at most 1"},
      {"return torch.relu(x, other=1)", "argument 'other'"},
      {"return torch.relu(3)", "argument 'self' is 3, expected a tensor"},
      {"return torch.relu(x).shape", "attribute 'shape' of a tensor"},
      {"return self.missing", "has no attribute 'missing'"},
      {"return (self).run(x)", "has no attribute 'run'"},
      {"return getattr(x, \"a\")", "attribute 'a' of a tensor"},
      {"x.a = 1\nreturn x", "attribute 'a' of a tensor"},
      {"a, b, = [x]\nreturn a", "1 values for 2 names"},
      {"l = [x]\nl[0] = x\nreturn x", "assignment to an item"},
      {"return CONSTANTS.c0", "constant 'c0' of 0"},
      {"return CONSTANTS.x", "constant 'x' of 0"},
      {"return x(1)", "call of a tensor"},
      {"return __torch__.nowhere.f(x)", "no code for '__torch__.nowhere.f'"},
      {"return __torch__.M(x)", "made while running"},
      {"return isinstance(x, int)", "isinstance"},
      {"ops.prim.RaiseException(\"bad input\")\nreturn x", "refuses its input: bad input"},
      {"return 3", "the model returns 3"},
      {"return None", "returns no tensor"},
      {"return [[x]]", "nested tuples"},
      {"return {\"a\": [x]}", "nested dicts"},
      {"return torch.dropout(x, 0.5, True)", "training mode"},
      {"return torch.batch_norm(x, None, None, None, None, False, 0.1, 1e-05, True)",
       "without running statistics"},
      {"return torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-05, True)", "training mode"},
      {"return torch.quantize_per_tensor(x, 0.5, 0, 14)", "quantized dtype 14"},
      {"return torch.slice(x, 0, 1)", "of the batch"},
      {"return torch.select(x, 0, 0)", "one image from the batch"},
      {"return torch.select(x, 1, 4)", "index 4 of extent 4"},
      {"return torch.chunk(x, 0, 1)[0]", "0 chunks"},
      {"return torch.chunk(x, 2, 0)[0]", "splitting of the batch"},
      {"return torch.split(x, 0, 1)[0]", "pieces of 0"},
      {"return torch.split(x, [1, 1], 1)[0]", "split sizes [1, 1] of extent 4"},
      {"return torch.narrow(x, 1, 3, 2)", "narrow to 2 from 3"},
      {"return torch.slice(x, 1, 0, 2, 0)", "slice with step 0"},
      {"return torch.flatten(x, 2, 1)", "flatten from axis 2 to 1"},
      {"return torch.flatten(x, 7)", "axis 7 of a tensor with 4 extents"},
      {"return torch.pad(x, [1], \"constant\")", "1 padding amounts"},
      {"return torch.pad(x, [1, 1], \"reflect\")", "padding mode 'reflect'"},
      {"return torch.avg_pool2d(x, [2, 2], [2, 2], [0, 0], False, True, 3)", "divisor"},
      {"return torch.max_pool2d(x, [2, 2, 2])", "has 3 entries, expected 2"},
      {"return torch.add(x, x, alpha=2)", "alpha 2"},
      {"return torch.sub(x, x, alpha=2)", "alpha 2"},
      {"return torch.div(x, x, rounding_mode=\"floor\")", "division with rounding"},
      {"return ops.quantized.add(x, x, 0.5, 0)", "quantized arithmetic on reals"},
      {kQuantize + "return ops.quantized.add(q, 1000.)", "moves the zero point"},
      {kQuantize + "return ops.quantized.mul(q, -1.)", "quantized product with -1"},
      {kQuantize + "return torch.hardswish(q)", "without a scale"},
      {kQuantize + "return torch.silu(q)", "silu of quantized"},
      {"return torch.elu(x, 1., 2.)", "scaled elu"},
      {kQuantize + "return ops.quantized.conv2d(q, 3, 0.5, 0)", "packed parameters are 3"},
      {kQuantize + "return ops.quantized.conv2d(q, self, 0.5, 0)",
       "packed parameters of class '__torch__.M'"},
      {"return torch.conv2d(x, x)", "expected a tensor of the file"},
      {"return torch.cat([], 1)", "argument 'tensors' is empty"},
      {"return torch.t(x)", "t of [N,4,8,8]"},
      {"return torch.to(x, 7)", "conversion to dtype 7"},
      {"return torch.expand(x, [2])", "expansion of [N,4,8,8] to 1"},
      {"return torch.view(x, [torch.size(x, 0), 5])", "cannot reshape"},
      {"_0 = torch.add(torch.size(x, 0), 1)\nreturn x", "batch size would have to be known"},
      {"_0 = range(1, 2, 0)\nreturn x", "range with step 0"},
      {"_0 = range(100000)\nreturn x", "more than 65536 items"},
      {"_0 = float(\"nan\")\nreturn x", "float of 'nan'"},
      {"_0 = int(1e300)\nreturn x", "as an integer"},
      {"_0 = torch.append(3, 3)\nreturn x", "expected a list"},
      {"_0 = torch.adaptive_avg_pool2d(x, [0, 0])\nreturn x", "'output_size' holds 0"},
  };
  for (const auto& [body, message] : cases) EXPECT_THAT(refusal(body), HasSubstr(message)) << body;
}

TEST(TorchScriptInterpreter, StopsCodeThatNeverEnds) {
  EXPECT_THAT(refusal("while True:\n  pass\nreturn x"), HasSubstr("more than 2000000 steps"));
  EXPECT_THAT(refusal("l = [1]\nwhile True:\n  l = torch.add(l, l)\nreturn x"), HasSubstr("items"));
  EXPECT_THAT(refusal("while True:\n  x = torch.relu(x)\nreturn x"), HasSubstr("more than 100000 operators"));
  EXPECT_THAT(refusal("return (self).forward(x)"), HasSubstr("nests deeper than 400 levels"));
  std::string chain = "return x";
  for (int i = 0; i < 100000; ++i) chain += ".a";
  EXPECT_THAT(refusal(chain), HasSubstr("nests deeper"));
}

}  // namespace
}  // namespace octavo::torchscript
