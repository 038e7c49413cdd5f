#include <gmock/gmock.h>

#include "compiler/import/dlrm/source.h"
#include "compiler/import/dlrm/testing.h"
#include "compiler/import/torchscript/archive.h"

namespace octavo::dlrm_import {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

DlrmSource opened(const Shapes& shapes, const std::string& prefix = "") {
  const TemporaryFolder folder;
  write_file(folder / "small.pt", checkpoint_of(shapes, prefix));
  return open_dlrm_checkpoint(folder / "small.pt");
}

std::string refusal(const Shapes& shapes, ErrorCode code = ErrorCode::invalid_model) {
  return error_of(code, [&] { opened(shapes); });
}

std::vector<float> rows_of(DlrmSource& source, std::size_t table, std::int64_t first, std::int64_t count) {
  std::vector<float> rows(static_cast<std::size_t>(count * source.model.dim));
  source.tables.at(table)->read(first, rows);
  return rows;
}

TEST(DlrmCheckpoint, TellsItsArchitectureByNamesAndShapes) {
  const DlrmSource source = opened(small_shapes());
  EXPECT_EQ(print(source.model), "2 tables x 2, 8 rows; 3-4-2, dot, 5-4-1");
  EXPECT_EQ(source.model.name, "small");
  EXPECT_EQ(source.provenance.source, "small.pt");
  EXPECT_EQ(source.bottom[1].weights.as<float>()[7], 4.0F);
  EXPECT_EQ(source.top[0].bias.as<float>()[3], 2.0F);
}

TEST(DlrmCheckpoint, StreamsAnyRows) {
  DlrmSource source = opened(small_shapes());
  EXPECT_THAT(rows_of(source, 1, 2, 2), ElementsAre(2.5F, 3.0F, 3.5F, 4.0F));
  EXPECT_THAT(rows_of(source, 1, 0, 1), ElementsAre(0.5F, 1.0F));
  EXPECT_THAT(rows_of(source, 0, 2, 1), ElementsAre(2.5F, 3.0F));
}

TEST(DlrmCheckpoint, TellsTheInteractionByTheTopLayersWidth) {
  Shapes shapes = small_shapes();
  shapes["top_l.0.weight"] = {4, 8};
  EXPECT_EQ(opened(shapes).model.interaction, Interaction::dot_with_self);
  shapes["top_l.0.weight"] = {4, 6};
  EXPECT_EQ(opened(shapes).model.interaction, Interaction::cat);
}

TEST(DlrmCheckpoint, TakesOffThePrefixOfDataParallel) {
  EXPECT_EQ(opened(small_shapes(), "module.").model.tables.size(), 2U);
}

TEST(DlrmCheckpoint, TakesABareDictOfTensors) {
  const TemporaryFolder folder;
  std::string pickle = torchscript::whole_pickle(
      "}(" + torchscript::pickled("v") + torchscript::pickled_tensor("0", 1, 0, {1, 1}, {1, 1}) + "u");
  write_file(folder / "a.pt", torchscript::zip_of({{"data.pkl", pickle}, {"data/0", "1234"}}));
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { open_dlrm_checkpoint(folder / "a.pt"); }),
              HasSubstr("no bottom layers"));
}

TEST(DlrmCheckpoint, NamesAMissingLayerTableOrBias) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"bot_l.0.weight", "'bot_l.0.weight' is missing, but 'bot_l.2.weight' is there"},
      {"emb_l.0.weight", "'emb_l.0.weight' is missing, but 'emb_l.1.weight' is there"},
      {"bot_l.2.bias", "tensor 'bot_l.2.bias' is missing"},
      {"bot_l.2.weight", "rows of 'emb_l.0.weight' have 2 elements, but 'bot_l.0.weight' gives 4"},
      {"top_l.2.weight", "the last top layer is 4 wide, expected 1"},
  };
  for (const auto& [name, message] : cases) {
    Shapes shapes = small_shapes();
    shapes.erase(name);
    EXPECT_THAT(refusal(shapes), HasSubstr(message));
  }
  Shapes with_self = small_shapes();
  with_self["top_l.0.weight"] = {4, 8};
  with_self.erase("emb_l.1.weight");
  EXPECT_THAT(refusal(with_self),
              HasSubstr("'top_l.0.weight' takes 8 inputs, which no interaction of 1 tables x 2 gives"));
  EXPECT_THAT(refusal({{"bot_l.0.weight", {4, 3}}, {"bot_l.0.bias", {4}}}), HasSubstr("no embedding tables"));
  EXPECT_THAT(refusal({{"bot_l.0.weight", {4, 3}}, {"emb_l.0.weight", {3, 4}}}), HasSubstr("no top layers"));
}

TEST(DlrmCheckpoint, NamesShapesThatDoNotChain) {
  const std::vector<std::tuple<std::string, std::vector<int>, std::string>> cases{
      {"bot_l.2.weight", {2, 5}, "'bot_l.2.weight' takes 5 inputs, but 'bot_l.0.weight' gives 4"},
      {"emb_l.1.weight", {5, 3}, "rows of 'emb_l.1.weight' have 3 elements, but 'bot_l.2.weight' gives 2"},
      {"emb_l.1.weight", {10}, "'emb_l.1.weight' has shape [10], expected two extents"},
      {"top_l.0.weight", {4, 7}, "dot gives 5, dot_with_self gives 8, cat gives 6"},
      {"top_l.2.bias", {2}, "'top_l.2.bias' has shape [2], expected [1]"},
  };
  for (const auto& [name, shape, message] : cases) {
    Shapes shapes = small_shapes();
    shapes[name] = shape;
    EXPECT_THAT(refusal(shapes), HasSubstr(message));
  }
}

TEST(DlrmCheckpoint, RefusesTensorsThatBelongToSomethingElse) {
  Shapes shapes = small_shapes();
  shapes["v_W_l.0"] = {3};
  EXPECT_THAT(refusal(shapes, ErrorCode::unsupported), HasSubstr("'v_W_l.0' belongs to no plain DLRM"));
}

/// The small checkpoint with the tensor of table 0 pickled otherwise.
std::string refusal_of_table(const std::string& tensor, ErrorCode code) {
  const TemporaryFolder folder;
  std::string file = checkpoint_of(small_shapes());
  torchscript::Archive archive(torchscript::bytes_of(file));
  std::string pickle = archive.read_text("data.pkl");
  // Tensors are numbered in the order of their names.
  const std::string from = torchscript::pickled_tensor("4", 6, 0, {3, 2}, {2, 1});
  const std::size_t at = pickle.find(from);
  EXPECT_NE(at, std::string::npos);
  pickle.replace(at, from.size(), tensor);
  std::map<std::string, std::string> members{{"data.pkl", pickle}};
  for (int i = 0; i < 10; ++i) {
    const std::string name = "data/" + std::to_string(i);
    members[name] = archive.read_text(name);
  }
  write_file(folder / "a.pt", torchscript::zip_of(members));
  return error_of(code, [&] { open_dlrm_checkpoint(folder / "a.pt"); });
}

TEST(DlrmCheckpoint, RefusesTablesThatAreNotRowsOfFloats) {
  EXPECT_THAT(
      refusal_of_table(torchscript::pickled_tensor("4", 6, 0, {3, 2}, {1, 3}), ErrorCode::unsupported),
      HasSubstr("'emb_l.0.weight' has strides [1, 3] for shape [3, 2]"));
  EXPECT_THAT(
      refusal_of_table(torchscript::pickled_tensor("4", 6, 1, {3, 2}, {2, 1}), ErrorCode::invalid_model),
      HasSubstr("shape [3, 2] at offset 1, but its data 'data/4' has 6 elements"));
  EXPECT_THAT(refusal_of_table(torchscript::pickled_tensor("4", 6, 0, {2000000000, 2}, {2, 1}),
                               ErrorCode::invalid_model),
              HasSubstr("has 6 elements"));
  std::string doubles = torchscript::pickled_tensor("4", 6, 0, {3, 2}, {2, 1});
  doubles.replace(doubles.find("Float"), 5, "Double");
  EXPECT_THAT(refusal_of_table(doubles, ErrorCode::unsupported), HasSubstr("'emb_l.0.weight' is of f64"));
}

TEST(DlrmCheckpoint, RefusesWhatIsNoDictOfTensors) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& item) {
    write_file(folder / "a.pt", torchscript::zip_of({{"data.pkl", torchscript::whole_pickle(item)}}));
    return error_of(ErrorCode::invalid_model, [&] { open_dlrm_checkpoint(folder / "a.pt"); });
  };
  EXPECT_THAT(message("K\x01"), HasSubstr("the checkpoint is 1, expected a dict of tensors"));
  EXPECT_THAT(message("}(" + torchscript::pickled("state_dict") + "K\x01u"), HasSubstr("'state_dict' is 1"));
  EXPECT_THAT(message("}(K\x01K\x01u"), HasSubstr("a tensor's name"));
  EXPECT_THAT(message("}(" + torchscript::pickled("a") + "K\x01u"), HasSubstr("a"));
  const std::string tensor = torchscript::pickled("a") + torchscript::pickled_tensor("0", 1, 0, {1}, {1});
  EXPECT_THAT(message("}(" + tensor + tensor + "u"), HasSubstr("has 'a' twice"));
}

TEST(DlrmCheckpoint, SurvivesEveryTruncationOfASmallOne) {
  const TemporaryFolder folder;
  const std::string whole = checkpoint_of(small_shapes());
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    write_file(folder / "a.pt", whole.substr(0, size));
    EXPECT_THROW(open_dlrm_checkpoint(folder / "a.pt"), Error) << size;
  }
}

TEST(DlrmCheckpoint, ReadsTheTrainedModelOfTheTestData) {
  OCTAVO_NEED_TEST_DATA();
  DlrmSource source = open_dlrm_checkpoint(test_data() / "dlrm/small_dlrm.pt");
  EXPECT_EQ(print(source.model), "26 tables x 32, 65120 rows; 13-128-64-32, dot, 383-256-256-128-64-1");
  EXPECT_EQ(rows_of(source, 25, 0, 36).size(), 36U * 32U);
}

}  // namespace
}  // namespace octavo::dlrm_import
