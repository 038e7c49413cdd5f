#include "compiler/import/torchscript/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view code) {
  try {
    parse_source(code, "a.py");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(CodeParser, ReadsClassesWithConstantsAndMethods) {
  const auto file = parse_source(
      "class A(Module):\n"
      "  __parameters__ = [\"weight\", ]\n"
      "  training : bool\n"
      "  n : Final[Tuple[int, int]] = (1, 2)\n"
      "  __annotations__[\"0\"] = __torch__.B\n"
      "  def forward(self: __torch__.A,\n"
      "    x: Tensor,\n"
      "    mode: str=\"a\") -> Tensor:\n"
      "    return x\n"
      "class P(NamedTuple):\n"
      "  first : Tensor\n",
      "a.py");
  const ClassDef& a = file->classes.at("A");
  EXPECT_EQ(a.constants.at("n")->children.size(), 2U);
  const Function& forward = a.methods.at("forward");
  ASSERT_EQ(forward.parameters.size(), 3U);
  EXPECT_EQ(forward.parameters[1].type, "Tensor");
  EXPECT_EQ(forward.parameters[2].fallback->text, "a");
  EXPECT_TRUE(file->classes.at("P").is_named_tuple);
  EXPECT_EQ(file->classes.at("P").fields, std::vector<std::string>{"first"});
}

TEST(CodeParser, ReadsEveryKindOfStatement) {
  const auto file = parse_source(
      "def f(x: int) -> int:\n"
      "  a, b, = x\n"
      "  if torch.ne(a, 1):\n"
      "    pass\n"
      "  elif b:\n"
      "    ops.prim.RaiseException(\"no\")\n"
      "  else:\n"
      "    for i in range(2):\n"
      "      while a:\n"
      "        a = -1.5e-3\n"
      "  return {\"k\": [1, 2][0]}\n",
      "a.py");
  const auto& body = file->functions.at("f").body;
  ASSERT_EQ(body.size(), 3U);
  EXPECT_EQ(body[0].target->children.size(), 2U);
  EXPECT_EQ(body[1].other[0].kind, StmtKind::if_else);
  const Stmt& loop = body[1].other[0].other[0];
  EXPECT_EQ(loop.kind, StmtKind::for_in);
  EXPECT_EQ(loop.body[0].body[0].value->kind, ExprKind::negate);
  EXPECT_EQ(loop.body[0].body[0].value->children[0]->real, 1.5e-3);
  EXPECT_EQ(body[2].value->kind, ExprKind::dict);
}

TEST(CodeParser, UnescapesStrings) {
  const auto file = parse_source("def f():\n  return \"a\\'\\n\\x41\\102\\\\\"\n", "a.py");
  EXPECT_EQ(file->functions.at("f").body[0].value->text, "a'\nAB\\");
}

TEST(CodeParser, SkipsCommentsAndEmptyLines) {
  EXPECT_EQ(refusal("# one\n\ndef f():\n  # two\n\n  return 1  # three\n"), "");
}

TEST(CodeParser, SaysWhereTheCodeIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"def f(:\n", "a.py:1: expected a name"},
      {"def f():\nreturn 1\n", "a.py:2: expected an indented block"},
      {"def f():\n  x = = 1\n", "a.py:2: expected an expression"},
      {"def f():\n  f(x) = 1\n", "a.py:2: cannot assign to this"},
      {"def f():\n  (f(x), y) = 1\n", "a.py:2: cannot assign to this"},
      {"def f():\n  x = (1\n", "expected ','"},
      {"def f():\n    x = 1\n  y = 2\n", "a.py:3: this line's indentation fits no block"},
      {"x = \"abc\n", "a.py:1: a string does not end"},
      {"x = \"\\xg1\"\n", "damaged \\x escape"},
      {"x = 1 + 2\n", "unexpected character 0x2b"},
      {"x = 99999999999999999999\n", "cannot read the number"},
      {"x = 1 2\n", "expected a line end"},
      {"for x of y:\n  pass\n", "expected 'in'"},
  };
  for (const auto& [code, message] : cases) EXPECT_THAT(refusal(code), HasSubstr(message)) << code;
}

TEST(CodeParser, SurvivesRecursionBombs) {
  EXPECT_THAT(refusal("x = " + std::string(1000000, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal("x = " + std::string(1000000, '-') + "1\n"), HasSubstr("nested too deeply"));
  std::string blocks;
  for (std::size_t i = 0; i < 1000; ++i) blocks += std::string(i, ' ') + "if x:\n";
  EXPECT_THAT(refusal(blocks), HasSubstr("nest"));
  std::string branches = "if x:\n  pass\n";
  for (int i = 0; i < 1000; ++i) branches += "elif x:\n  pass\n";
  EXPECT_THAT(refusal(branches), HasSubstr("nested too deeply"));
}

}  // namespace
}  // namespace octavo::torchscript
