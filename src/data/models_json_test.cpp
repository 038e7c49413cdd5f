#include "data/models_json.h"

#include <gmock/gmock.h>

#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kList =
    R"({"inputs": {"cifar10": {"kind": "tar", "archive": "c.tar.gz", "preprocess": "cifar10", "shape": [3, 32, 32]}},
  "models": [{"model": "a.onnx", "reference": "r/a.npz", "inputs": "cifar10", "expect": "close", "max_abs": 0.001, "arithmetic": "ort"}]})";

/// What is said of the list with one piece of its text replaced.
std::string refusal_with(const std::string& old_piece, const std::string& new_piece) {
  std::string text = kList;
  const std::size_t at = text.find(old_piece);
  EXPECT_NE(at, std::string::npos) << old_piece;
  text.replace(at, old_piece.size(), new_piece);
  return error_of(ErrorCode::invalid_model, [&] { parse_models_json(text); });
}

TEST(ModelsJson, ReadsEveryField) {
  const ModelList list = parse_models_json(kList);
  ASSERT_EQ(list.models.size(), 1U);
  const ModelEntry& entry = list.models[0];
  EXPECT_EQ(entry.model, "a.onnx");
  EXPECT_EQ(entry.reference, "r/a.npz");
  EXPECT_EQ(entry.expect, ModelEntry::Expect::close);
  EXPECT_EQ(entry.max_abs, 0.001);
  EXPECT_EQ(entry.arithmetic, ModelEntry::Arithmetic::ort);
  const ModelInputs& inputs = list.inputs_of(entry);
  EXPECT_EQ(inputs.kind, ModelInputs::Kind::tar);
  EXPECT_EQ(inputs.path, "c.tar.gz");
  EXPECT_EQ(inputs.preprocess, "cifar10");
  EXPECT_THAT(inputs.shape, ElementsAre(3, 32, 32));
}

TEST(ModelsJson, ReadsTheRecordedList) {
  OCTAVO_NEED_TEST_DATA();
  const ModelList list = read_models_json(test_data() / "models.json");
  EXPECT_EQ(list.inputs.size(), 2U);
  EXPECT_EQ(list.models.size(), 15U);
  for (const ModelEntry& entry : list.models) {
    EXPECT_TRUE(std::filesystem::exists(test_data() / entry.model)) << entry.model;
    EXPECT_TRUE(std::filesystem::exists(test_data() / entry.reference)) << entry.reference;
    EXPECT_TRUE(std::filesystem::exists(test_data() / list.inputs_of(entry).path));
  }
  EXPECT_EQ(list.models[0].expect, ModelEntry::Expect::equal);
  EXPECT_EQ(list.models[11].expect, ModelEntry::Expect::top1);
  EXPECT_EQ(list.models[11].top1_tolerance, 0.001);
}

TEST(ModelsJson, RefusesUnknownWords) {
  EXPECT_THAT(refusal_with("\"tar\"", "\"rar\""),
              HasSubstr("inputs 'cifar10': 'kind' is \"rar\", expected one of photos, class_folders, tar"));
  EXPECT_THAT(refusal_with("\"close\"", "\"fine\""), HasSubstr("model 0: 'expect' is \"fine\""));
  EXPECT_THAT(refusal_with("\"ort\"", "\"x\\ny\""), HasSubstr("model 0: 'arithmetic' is \"x\\ny\""));
  EXPECT_THAT(refusal_with("preprocess\": \"cifar10\"", "preprocess\": \"x\""),
              HasSubstr("'cifar10': no preprocessing"));
  EXPECT_THAT(refusal_with("inputs\": \"cifar10\"", "inputs\": \"mnist\""),
              HasSubstr("model 0: 'inputs' is \"mnist\", which is not defined"));
}

TEST(ModelsJson, RefusesMissingAndMistypedValues) {
  EXPECT_THAT(refusal_with("\"reference\"", "\"referenz\""), HasSubstr("model 0: 'reference' is missing"));
  EXPECT_THAT(refusal_with("\"max_abs\"", "\"max\""), HasSubstr("model 0: 'max_abs' is missing"));
  EXPECT_THAT(refusal_with("0.001", "-1"), HasSubstr("'max_abs' is -1, expected a number"));
  EXPECT_THAT(refusal_with("0.001", "\"much\""), HasSubstr("'max_abs' is \"much\""));
  EXPECT_THAT(refusal_with("\"a.onnx\"", "7"), HasSubstr("'model' is 7, expected text"));
  EXPECT_THAT(refusal_with("\"a.onnx\"", "\"\""), HasSubstr("'model' is \"\", expected text"));
  for (const char* shape :
       {"7", "[3, 32]", "[3, 32, 0]", "[3, 32, -1]", "[3, 32, 1.5]", "[3, 32, 99999999999]"}) {
    EXPECT_THAT(refusal_with("[3, 32, 32]", shape), HasSubstr("inputs 'cifar10': 'shape' is")) << shape;
  }
}

TEST(ModelsJson, RefusesPathsThatLeaveTheFolder) {
  EXPECT_THAT(refusal_with("a.onnx", "/etc/passwd"), HasSubstr("'model' is \"/etc/passwd\", which leaves"));
  EXPECT_THAT(refusal_with("r/a.npz", "r/../../a.npz"),
              HasSubstr("'reference' is \"r/../../a.npz\", which leaves"));
  EXPECT_THAT(refusal_with("c.tar.gz", "../c.tar.gz"),
              HasSubstr("'archive' is \"../c.tar.gz\", which leaves"));
}

TEST(ModelsJson, RefusesOtherJson) {
  const auto refusal = [](const std::string& text) {
    return error_of(ErrorCode::invalid_model, [&] { parse_models_json(text); });
  };
  EXPECT_THAT(refusal("{"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(std::string(1'000'000, '[')), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("[1]"), HasSubstr("is array, expected an object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("'inputs' is missing"));
  EXPECT_THAT(refusal(R"({"inputs": {}})"), HasSubstr("'models' is missing"));
  EXPECT_THAT(refusal(R"({"inputs": 1, "models": []})"), HasSubstr("'inputs' is 1"));
  EXPECT_THAT(refusal(R"({"inputs": {}, "models": {}})"), HasSubstr("'models' is object, expected an array"));
  EXPECT_THAT(refusal(R"({"inputs": {"a": 1}, "models": []})"),
              HasSubstr("inputs 'a': is 1, expected an object"));
  EXPECT_THAT(refusal(R"({"inputs": {}, "models": [null]})"), HasSubstr("model 0: is null"));
}

TEST(ModelsJson, NamesTheFileInErrors) {
  const TemporaryFolder folder;
  write_file(folder / "models.json", "{");
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { read_models_json(folder / "models.json"); }),
              HasSubstr("models.json: not JSON"));
}

}  // namespace
}  // namespace octavo
