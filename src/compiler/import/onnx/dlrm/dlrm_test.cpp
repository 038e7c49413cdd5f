#include <gmock/gmock.h>

#include <functional>

#include "base/testing.h"
#include "compiler/import/dlrm/source.h"
#include "compiler/import/onnx/onnx_builder.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using onnx_test::Ints;
using onnx_test::OnnxBuilder;
using onnx_test::set;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Names = std::vector<std::string>;

/// Values 0.5, 1, 1.5, ….
void add_floats(OnnxBuilder& b, const std::string& name, const Ints& shape) {
  std::int64_t count = 1;
  for (std::int64_t extent : shape) count *= extent;
  std::vector<float> values;
  for (std::int64_t i = 1; i <= count; ++i) values.push_back(0.5F * static_cast<float>(i));
  b.initializer(name, shape, values, onnx::TensorProto::FLOAT);
}

void add_gemm(OnnxBuilder& b, const std::string& layer, const Ints& shape, const std::string& src,
              const std::string& dst, const std::string& activation) {
  add_floats(b, layer + ".w", shape);
  add_floats(b, layer + ".b", {shape[0]});
  set(b.node("Gemm", {src, layer + ".w", layer + ".b"}, {layer}), "transB", 1);
  b.node(activation, {layer}, {dst});
}

/// Row numbers of table t out of the input `indices`.
std::string feature(OnnxBuilder& b, int t) {
  const std::string name = "rows" + std::to_string(t);
  b.integers(name + "_at", {t});
  b.node("Gather", {"indices", name + "_at"}, {name});
  return name;
}

/// How one table is looked up: adds the nodes that give `dst`.
using AddBag = std::function<void(OnnxBuilder&, const std::string& table, const std::string& rows,
                                  const std::string& dst)>;

void plain_gather(OnnxBuilder& b, const std::string& table, const std::string& rows, const std::string& dst) {
  b.node("Gather", {table, rows}, {dst});
}

void aten_bag(OnnxBuilder& b, const std::string& table, const std::string& rows, const std::string& dst) {
  auto& node = b.node("ATen", {table, rows, "offsets"}, {dst}, "org.pytorch.aten");
  set(node, "operator", "embedding_bag");
  set(node, "mode", 0);
}

onnx::GraphProto& loop_bag(OnnxBuilder& b, const std::string& table, const std::string& rows,
                           const std::string& dst) {
  auto& loop = b.node("Loop", {"", ""}, {dst});
  auto* body = loop.add_attribute();
  body->set_name("body");
  body->set_type(onnx::AttributeProto::GRAPH);
  const auto add = [&](const char* op, const Names& inputs, const char* output) {
    auto* node = body->mutable_g()->add_node();
    node->set_op_type(op);
    for (const std::string& input : inputs) node->add_input(input);
    node->add_output(output);
  };
  add("Slice", {rows, "begin", "end"}, "bag");
  add("Gather", {table, "bag"}, "gathered");
  add("ReduceSum", {"gathered"}, "sum");
  return *body->mutable_g();
}

/// The smallest DLRM that has everything: 3-4-2, tables of 3 and 5 rows x 2, top 5-4-1.
OnnxBuilder small_model(const AddBag& add_bag = plain_gather, const Ints& pairs = {3, 6, 7},
                        std::int64_t width = 5) {
  OnnxBuilder b;
  b.input("dense", {-1, 3}).input("indices", {2, -1}, onnx::TensorProto::INT64).output("pred");
  add_gemm(b, "bot0", {4, 3}, "dense", "x0", "Relu");
  add_gemm(b, "bot1", {2, 4}, "x0", "x", "Relu");
  add_floats(b, "table0", {3, 2});
  add_floats(b, "table1", {5, 2});
  for (int t = 0; t < 2; ++t) add_bag(b, "table" + std::to_string(t), feature(b, t), "e" + std::to_string(t));
  b.integers("shape", {-1, 3, 2});
  set(b.node("Concat", {"x", "e0", "e1"}, {"vectors"}), "axis", 1);
  b.node("Reshape", {"vectors", "shape"}, {"t"});
  set(b.node("Transpose", {"t"}, {"tt"}), "perm", Ints{0, 2, 1});
  b.node("MatMul", {"t", "tt"}, {"products"});
  set(b.node("Flatten", {"products"}, {"flat"}), "axis", 1);
  b.integers("pairs", pairs);
  set(b.node("Gather", {"flat", "pairs"}, {"below"}), "axis", 1);
  set(b.node("Concat", {"x", "below"}, {"r"}), "axis", 1);
  add_gemm(b, "top0", {4, width}, "r", "y0", "Relu");
  add_gemm(b, "top1", {1, 4}, "y0", "pred", "Sigmoid");
  return b;
}

DlrmSource opened(const OnnxBuilder& b) {
  const TemporaryFolder folder;
  write_file(folder / "a.onnx", b.bytes());
  return open_dlrm_source(folder / "a.onnx");
}

std::string refusal(const OnnxBuilder& b, ErrorCode code = ErrorCode::unsupported) {
  return error_of(code, [&] { opened(b); });
}

onnx::NodeProto& node_of(OnnxBuilder& b, const std::string& output) {
  for (auto& node : *b.graph().mutable_node()) {
    if (node.output(0) == output) return node;
  }
  throw std::runtime_error(output);
}

TEST(DlrmOnnx, FindsLayersTablesAndInteraction) {
  DlrmSource source = opened(small_model());
  EXPECT_EQ(print(source.model), "2 tables x 2, 8 rows; 3-4-2, dot, 5-4-1");
  EXPECT_EQ(source.model.name, "a");
  EXPECT_EQ(source.bottom[1].weights.as<float>()[7], 4.0F);
  EXPECT_EQ(source.top[0].bias.as<float>()[3], 2.0F);
  std::vector<float> rows(4);
  source.tables[1]->read(3, rows);
  EXPECT_THAT(rows, ElementsAre(3.5F, 4.0F, 4.5F, 5.0F));
}

TEST(DlrmOnnx, TakesBagsOfEveryForm) {
  const std::vector<AddBag> forms{
      aten_bag,
      [](auto& b, const auto& table, const auto& rows, const auto& dst) { loop_bag(b, table, rows, dst); },
      [](auto& b, const auto& table, const auto& rows, const auto& dst) {
        b.node("Gather", {table, rows}, {dst + "_rows"});
        b.node("ReduceSum", {dst + "_rows"}, {dst});
      }};
  for (const AddBag& form : forms) EXPECT_EQ(opened(small_model(form)).model.tables[1].rows, 5);
}

TEST(DlrmOnnx, TakesAnInputForEachTable) {
  OnnxBuilder b = small_model([](auto& builder, const auto& table, const auto& rows, const auto& dst) {
    builder.node("Gather", {table, "input_of_" + rows}, {dst});
  });
  EXPECT_EQ(opened(b).model.tables.size(), 2U);
}

TEST(DlrmOnnx, TakesTheDiagonalOrAllVectors) {
  EXPECT_EQ(opened(small_model(plain_gather, {0, 3, 4, 6, 7, 8}, 8)).model.interaction,
            Interaction::dot_with_self);
  OnnxBuilder cat = small_model(plain_gather, {3, 6, 7}, 6);
  node_of(cat, "top0").set_input(0, "vectors");
  EXPECT_EQ(opened(cat).model.interaction, Interaction::cat);
}

TEST(DlrmOnnx, TurnsWeightsThatLieInputsFirst) {
  OnnxBuilder b = small_model();
  auto& gemm = node_of(b, "bot0");
  gemm.set_op_type("Add");
  gemm.clear_attribute();
  gemm.clear_input();
  gemm.add_input("product");
  gemm.add_input("bot0.b");
  add_floats(b, "turned", {3, 4});
  b.node("MatMul", {"dense", "turned"}, {"product"});
  const DlrmSource source = opened(b);
  EXPECT_EQ(source.model.dense_features, 3);
  EXPECT_EQ(source.bottom[0].weights.as<float>()[1], 2.5F);  // output 0, input 1
}

TEST(DlrmOnnx, StreamsATableFromAnExternalFile) {
  const TemporaryFolder folder;
  OnnxBuilder b = small_model();
  for (auto& tensor : *b.graph().mutable_initializer()) {
    if (tensor.name() != "table1") continue;
    write_file(folder / "tables.bin", "pad." + tensor.raw_data());
    tensor.clear_raw_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] :
         {std::pair{"location", "tables.bin"}, {"offset", "4"}, {"length", "40"}}) {
      auto* entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
  }
  write_file(folder / "a.onnx", b.bytes());
  DlrmSource source = open_dlrm_source(folder / "a.onnx");
  std::vector<float> row(2);
  source.tables[1]->read(4, row);
  EXPECT_THAT(row, ElementsAre(4.5F, 5.0F));
  std::filesystem::resize_file(folder / "tables.bin", 40);
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { open_dlrm_source(folder / "a.onnx"); }),
              HasSubstr("'tables.bin', which has 40 bytes"));
}

TEST(DlrmOnnx, NamesTheNodeThatIsSomethingElse) {
  const auto changed = [](const std::function<void(OnnxBuilder&)>& change) {
    OnnxBuilder b = small_model();
    change(b);
    return b;
  };
  const std::vector<std::pair<std::function<void(OnnxBuilder&)>, std::string>> cases{
      {[](auto& b) { node_of(b, "pred").set_op_type("Tanh"); }, "(Tanh), expected Sigmoid"},
      {[](auto& b) { node_of(b, "x").set_op_type("Tanh"); }, "(Tanh), expected Relu"},
      {[](auto& b) { node_of(b, "top0").set_op_type("Conv"); }, "(Conv), expected a layer"},
      {[](auto& b) { node_of(b, "r").set_op_type("Sum"); }, "(Sum), expected Concat of x"},
      {[](auto& b) { node_of(b, "products").set_op_type("Mul"); }, "(Mul), expected MatMul"},
      {[](auto& b) { node_of(b, "tt").set_op_type("Neg"); }, "(Neg), expected the transpose"},
      {[](auto& b) { node_of(b, "vectors").set_op_type("Sum"); },
       "(Sum), expected Concat of x and the embeddings"},
      {[](auto& b) { node_of(b, "r").set_input(0, "e0"); }, "expected 'e0'"},
      {[](auto& b) { node_of(b, "e0").set_op_type("Exp"); }, "(Exp): e0 of the interaction is no look-up"},
      {[](auto& b) { set(node_of(b, "e0"), "axis", 1); }, "gathers no rows of a constant table"},
      {[](auto& b) { node_of(b, "vectors").set_input(1, "dense"); },
       "'dense', e0 of the interaction, is not looked up"},
      {[](auto& b) { node_of(b, "rows0").set_op_type("Mul"); }, "no plain selection of one feature"},
      {[](auto& b) { b.output("second"); }, "2 outputs, expected one"},
      {[](auto& b) { set(node_of(b, "bot0"), "alpha", 2.0F); }, "expected a layer with constant weights"},
      {[](auto& b) { node_of(b, "x0").set_input(0, "dense"); },
       "is an input or a constant, expected a layer"},
      {[](auto& b) { std::swap(*node_of(b, "e0").mutable_input(1), *node_of(b, "e1").mutable_input(1)); },
       "'table0' stands at place 0 of the interaction but reads feature 1"},
  };
  for (const auto& [change, message] : cases) EXPECT_THAT(refusal(changed(change)), HasSubstr(message));
  EXPECT_THAT(refusal(small_model(plain_gather, {3, 6, 8})),
              HasSubstr("not those of the triangle of 3 vectors"));
  EXPECT_THAT(refusal(small_model(plain_gather, {3, 6, 7}, 6), ErrorCode::invalid_model),
              HasSubstr("'top0.w' takes 6 inputs, which no interaction"));
}

TEST(DlrmOnnx, RefusesBagsThatAreNoSums) {
  const auto aten = [](const std::function<void(onnx::NodeProto&)>& change) {
    return small_model([&](auto& b, const auto& table, const auto& rows, const auto& dst) {
      aten_bag(b, table, rows, dst);
      change(node_of(b, dst));
    });
  };
  EXPECT_THAT(refusal(aten([](auto& n) { n.mutable_attribute(1)->set_i(1); })),
              HasSubstr("another function than the sum"));
  EXPECT_THAT(refusal(aten([](auto& n) { n.mutable_attribute(0)->set_s("relu"); })),
              HasSubstr("other than embedding_bag"));
  EXPECT_THAT(refusal(aten([](auto& n) { n.set_input(0, "dense"); })), HasSubstr("no constant of floats"));
  EXPECT_THAT(refusal(aten([](auto& n) {
                for (const char* input : {"", "", "", "weights"}) n.add_input(input);
              })),
              HasSubstr("rows of a bag have weights"));
  const auto loop = [](const std::function<void(onnx::GraphProto&)>& change) {
    return small_model([&](auto& b, const auto& table, const auto& rows, const auto& dst) {
      change(loop_bag(b, table, rows, dst));
    });
  };
  EXPECT_THAT(refusal(loop([](auto& g) { g.mutable_node(2)->set_op_type("ReduceMean"); })),
              HasSubstr("its body has node 'sum' (ReduceMean)"));
  EXPECT_THAT(refusal(loop([](auto& g) { g.mutable_node()->RemoveLast(); })),
              HasSubstr("does not slice row numbers"));
  EXPECT_THAT(refusal(loop([](auto& g) { *g.add_node() = g.node(1); })), HasSubstr("from two tables"));
  EXPECT_THAT(refusal(small_model([](auto& b, const auto&, const auto& rows, const auto& dst) {
                b.node("Loop", {rows}, {dst});
              })),
              HasSubstr("has no body"));
}

TEST(DlrmOnnx, NamesTensorsOfAWrongTypeOrShape) {
  const auto with = [](const std::string& name, const std::function<void(onnx::TensorProto&)>& change) {
    OnnxBuilder b = small_model();
    for (auto& tensor : *b.graph().mutable_initializer()) {
      if (tensor.name() == name) change(tensor);
    }
    return b;
  };
  EXPECT_THAT(refusal(with("top0.b", [](auto& t) { t.set_dims(0, 2), t.set_raw_data(std::string(8, 0)); }),
                      ErrorCode::invalid_model),
              HasSubstr("'top0.b' has shape [2], expected [4]"));
  EXPECT_THAT(refusal(with("top0.w", [](auto& t) { t.set_data_type(onnx::TensorProto::INT32); })),
              HasSubstr("'top0.w': is of s32, expected f32"));
  EXPECT_THAT(refusal(with("top0.w", [](auto& t) { t.add_dims(1); }), ErrorCode::invalid_model),
              HasSubstr("'top0.w' has shape [4, 5, 1], expected two extents"));
  EXPECT_THAT(refusal(with("table0", [](auto& t) { t.set_raw_data("short"); }), ErrorCode::invalid_model),
              HasSubstr("'table0': 5 bytes of data"));
}

TEST(DlrmOnnx, SurvivesDamage) {
  const TemporaryFolder folder;
  const std::string whole = small_model(aten_bag).bytes();
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 61) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write_file(folder / "a.onnx", damaged);
    try {
      open_dlrm_source(folder / "a.onnx");
    } catch (const Error& e) {
      EXPECT_NE(e.code(), ErrorCode::internal) << e.what();
    }
  }
}

TEST(DlrmOnnx, IsToldFromANetworkForPictures) {
  const TemporaryFolder folder;
  write_file(folder / "a.onnx", small_model().bytes());
  EXPECT_TRUE(takes_row_numbers(folder / "a.onnx"));
  write_file(folder / "b.onnx", OnnxBuilder().input("x", {1, 3, 8, 8}).output("y").bytes());
  EXPECT_FALSE(takes_row_numbers(folder / "b.onnx"));
}

TEST(DlrmOnnx, HoldsTheWeightsOfTheCheckpoint) {
  OCTAVO_NEED_TEST_DATA();
  const DlrmSource ours = open_dlrm_onnx(test_data() / "dlrm/small_dlrm.onnx");
  const DlrmSource theirs = open_dlrm_checkpoint(test_data() / "dlrm/small_dlrm.pt");
  EXPECT_EQ(print(ours.model), print(theirs.model));
  for (std::size_t t = 0; t < ours.tables.size(); ++t) {
    std::vector<float> a(static_cast<std::size_t>(ours.model.tables[t].rows * ours.model.dim)), b(a.size());
    ours.tables[t]->read(0, a);
    theirs.tables[t]->read(0, b);
    EXPECT_EQ(a, b) << t;
  }
}

}  // namespace
}  // namespace octavo
