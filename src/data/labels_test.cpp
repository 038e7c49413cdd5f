#include "data/labels.h"

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

std::string refusal(const std::string& text) {
  const TemporaryFolder folder;
  write_file(folder / "labels", text);
  return error_of(ErrorCode::invalid_model, [&] { read_labels(folder / "labels"); });
}

TEST(Labels, ReadsImageNetsIndex) {
  OCTAVO_NEED_TEST_DATA();
  const std::vector<std::string> names = read_labels(test_data() / "imagenet_class_index.json");
  EXPECT_EQ(names.size(), 1000U);
  EXPECT_EQ(names[0], "tench");
  EXPECT_EQ(names[999], "toilet_tissue");
}

TEST(Labels, OrdersJsonByIndexNotByKey) {
  std::string text = "{";
  for (int i = 10; i >= 0; --i)
    text += "\"" + std::to_string(i) + "\": [\"n\", \"c" + std::to_string(i) + "\"],";
  text.back() = '}';
  const std::vector<std::string> names = parse_json_labels(text);
  EXPECT_EQ(names[2], "c2");
  EXPECT_EQ(names[10], "c10");
}

TEST(Labels, ReadsOneNameALine) {
  const TemporaryFolder folder;
  write_file(folder / "labels.txt", "great white shark\r\ncock\nhen");
  EXPECT_THAT(read_labels(folder / "labels.txt"), ElementsAre("great white shark", "cock", "hen"));
  EXPECT_THAT(parse_json_labels(R"({"0": "cock"})"), ElementsAre("cock"));
}

TEST(Labels, RefusesKeysThatAreNoIndices) {
  for (const char* key : {"a", "-1", "01", "7", "", "18446744073709551616", "a\\nb"}) {
    EXPECT_THAT(refusal("{\"" + std::string(key) + "\": \"x\"}"),
                HasSubstr("label \"" + std::string(key) + "\" is no class index of 0..0"));
  }
}

TEST(Labels, RefusesOtherJson) {
  EXPECT_THAT(refusal("{\"0\": 5}"), HasSubstr("label '0' is neither"));
  EXPECT_THAT(refusal("{\"0\": [\"a\"]}"), HasSubstr("label '0' is neither"));
  EXPECT_THAT(refusal("{\"0\": "), HasSubstr("labels: not JSON"));
  EXPECT_THAT(refusal("{}"), HasSubstr("expected an object"));
  EXPECT_THAT(refusal("{\"0\": " + std::string(1'000'000, '[')), HasSubstr("not JSON"));
}

TEST(Labels, RefusesOtherText) {
  EXPECT_THAT(refusal(""), HasSubstr("the file is empty"));
  EXPECT_THAT(refusal("a\n\nb"), HasSubstr("line 2 is empty"));
  EXPECT_THAT(refusal("a\nb\x01"), HasSubstr("line 2 is not text"));
}

TEST(Labels, NamesTheFileInErrors) {
  EXPECT_THAT(refusal("{"), HasSubstr("/labels: "));
  EXPECT_THAT(error_of(ErrorCode::io, [] { read_labels("no/such/file"); }), HasSubstr("no/such/file"));
}

}  // namespace
}  // namespace octavo
