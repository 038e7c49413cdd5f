#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "compiler/graph/graph.h"
#include "compiler/lower/lower.h"
#include "compiler/passes/passes.h"
#include "engine/kernels/family.h"
#include "octavo/error.h"
#include "octavo/session.h"
#include "package/package.h"

// A pass test is a file:
//
//     # pass: NAME            the one pass that is applied
//     # why:  ...
//     # tolerance: 1e-5       only where the pass may change f32 results; the reason stands in `why`
//     graph(...) { ... }
//     ---- becomes            left out: the pass leaves the graph alone
//     graph(...) { ... }
//
// The graph after the pass must print as the second one does, and compute what the first one computes, with
// the reference kernels on random inputs. Constants that a pass makes have the names and types, but not the
// values of those in the text; so what runs is the graph that the pass made.

namespace octavo {
namespace {

struct PassCase {
  std::string pass;
  double tolerance = 0;
  std::string before;
  std::string after;
};

std::string header(const std::string& text, const std::string& key) {
  const std::string start = "# " + key + ":";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(start)) continue;
    const std::size_t at = line.find_first_not_of(' ', start.size());
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "";
}

PassCase read_case(const std::filesystem::path& path) {
  const std::ifstream file(path);
  std::ostringstream all;
  all << file.rdbuf();
  const std::string text = all.str();
  const std::string separator = "---- becomes\n";
  const std::size_t at = text.find(separator);
  PassCase result{header(text, "pass"), 0, text.substr(0, at), text.substr(0, at)};
  if (at != std::string::npos) result.after = text.substr(at + separator.size());
  const std::string tolerance = header(text, "tolerance");
  if (!tolerance.empty()) result.tolerance = std::stod(tolerance);
  EXPECT_NE(header(text, "why"), "") << path;
  return result;
}

/// Every operand of `graph` filled at random, by input name, at a batch of 2.
std::map<std::string, Tensor> random_inputs(const Graph& graph) {
  std::mt19937 random(7);
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    Tensor data(value.type.dtype, extents_at(value.type.shape, 2));
    if (data.dtype() == DType::f32) {
      for (float& v : data.as<float>()) v = std::uniform_real_distribution<float>(-4, 4)(random);
    } else {
      std::byte* bytes = data.data();
      for (std::int64_t i = 0; i < data.bytes(); ++i) bytes[i] = static_cast<std::byte>(random());
    }
    inputs.emplace(value.name, std::move(data));
  }
  return inputs;
}

std::string all_reference() {
  std::string text;
  for (const KernelFamily& family : kernel_families()) {
    text += (text.empty() ? "" : ",") + std::string(family.name) + ":reference";
  }
  return text;
}

std::vector<Tensor> outputs_of(Graph graph, const std::map<std::string, Tensor>& inputs) {
  decompose_batchnorm(graph);  // no kernel computes one
  graph.remove_dead();
  auto [plan, weights] = lower(graph);
  SessionOptions options;
  options.kernels = all_reference();
  Session session(make_package(std::move(plan), std::move(weights), {}), options);
  for (const auto& [name, data] : inputs) session.set_input(name, data.view());
  session.run();
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) outputs.emplace_back(session.output(i));
  return outputs;
}

/// Bit for bit without a tolerance; otherwise |a - b| <= tolerance * (1 + |a|).
void expect_same_values(const Tensor& a, const Tensor& b, double tolerance) {
  ASSERT_EQ(a.dtype(), b.dtype());
  ASSERT_EQ(a.shape(), b.shape());
  if (tolerance == 0 || a.dtype() != DType::f32) {
    EXPECT_EQ(std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.bytes())), 0);
    return;
  }
  for (std::size_t i = 0; i < a.as<float>().size(); ++i) {
    const double x = a.as<float>()[i], y = b.as<float>()[i];
    ASSERT_LE(std::abs(x - y), tolerance * (1 + std::abs(x)))
        << "element " << i << " is " << y << ", was " << x;
  }
}

class PassText : public ::testing::TestWithParam<std::string> {};

TEST_P(PassText, MakesTheGraphOfTheFileAndKeepsItsResults) {
  const PassCase wanted = read_case("tests/passes/" + GetParam() + ".txt");
  const auto passes = all_passes();
  const auto pass =
      std::find_if(passes.begin(), passes.end(), [&](const PassDef& p) { return p.name == wanted.pass; });
  ASSERT_NE(pass, passes.end()) << "there is no pass '" << wanted.pass << "'";
  const Graph before = parse_graph(wanted.before);
  verify(before);
  Graph after = before;
  const bool changed = pass->run(after);
  after.remove_dead();
  verify(after);
  EXPECT_EQ(changed, wanted.before != wanted.after);
  EXPECT_EQ(print(after), print(parse_graph(wanted.after)));
  const auto inputs = random_inputs(before);
  const auto expected = outputs_of(before, inputs);
  const auto results = outputs_of(after, inputs);
  ASSERT_EQ(results.size(), expected.size());
  for (std::size_t i = 0; i < results.size(); ++i)
    expect_same_values(expected[i], results[i], wanted.tolerance);
}

std::vector<std::string> all_files() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("tests/passes", none)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, PassText, ::testing::ValuesIn(all_files()),
                         [](const auto& file) { return file.param; });

TEST(PassTexts, CoverEveryPass) {
  std::map<std::string, int> files;
  for (const std::string& name : all_files()) ++files[read_case("tests/passes/" + name + ".txt").pass];
  for (const PassDef& pass : all_passes()) EXPECT_GE(files[std::string(pass.name)], 2) << pass.name;
}

}  // namespace
}  // namespace octavo
