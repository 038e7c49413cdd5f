#include "compiler/import/torchscript/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/import/torchscript/test_files.h"
#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

using testing::HasSubstr;

Value read(const std::string& pickle, Heap& heap) { return read_pickle(bytes_of(pickle), "data/", heap); }

/// The message with which a pickle is refused; "" when it is not.
std::string refusal(const std::string& pickle) {
  try {
    Heap heap;
    read(pickle, heap);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(PickleReader, ReadsScalars) {
  Heap heap;
  EXPECT_TRUE(is_none(read("\x80\x02N.", heap)));
  EXPECT_EQ(std::get<bool>(read("\x80\x02\x88.", heap)), true);
  EXPECT_EQ(std::get<std::int64_t>(read("\x80\x02K\xff.", heap)), 255);
  EXPECT_EQ(std::get<std::int64_t>(read(whole_pickle(pickled(-7)), heap)), -7);
  EXPECT_EQ(std::get<std::int64_t>(read(std::string("\x80\x02\x8a\x02\x00\xff.", 7), heap)), -256);
  EXPECT_EQ(std::get<double>(read(std::string("\x80\x02G\x3f\xe0\0\0\0\0\0\0.", 12), heap)), 0.5);
  EXPECT_EQ(std::get<std::string>(read(whole_pickle(pickled("abc")), heap)), "abc");
}

TEST(PickleReader, ReadsContainers) {
  Heap heap;
  const Value list = read(
      "\x80\x02](K\x01K\x02"
      "e.",
      heap);
  EXPECT_EQ(as_integers(list, "list"), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(as_integers(read("\x80\x02K\x01K\x02\x86.", heap), "tuple"), (std::vector<std::int64_t>{1, 2}));
  const Value dict = read("\x80\x02}(K\x01K\x02u.", heap);
  EXPECT_EQ(std::get<Dict*>(dict)->items.size(), 1U);
}

TEST(PickleReader, RecallsWhatItStored) {
  Heap heap;
  const Value pair = read("\x80\x02]q\x05h\x05\x86.", heap);
  const auto& items = as_list(pair, "pair").items;
  EXPECT_EQ(std::get<List*>(items[0]), std::get<List*>(items[1]));
}

TEST(PickleReader, MakesObjectsOfTheModelsOwnClasses) {
  Heap heap;
  const Value object = read(whole_pickle(pickled_module(pickled("a") + "K\x01")), heap);
  EXPECT_EQ(std::get<Object*>(object)->class_name, "__torch__.M");
  EXPECT_EQ(std::get<std::int64_t>(std::get<Object*>(object)->attributes.at("a")), 1);
}

TEST(PickleReader, ReadsTensorsAsViewsOfStorages) {
  Heap heap;
  const Value value = read(whole_pickle(pickled_tensor("7", 6, 1, {2, 2}, {3, 1})), heap);
  const StoredTensor& tensor = as_stored_tensor(value, "tensor");
  EXPECT_EQ(tensor.storage->member, "data/7");
  EXPECT_EQ(tensor.storage->elements, 6);
  EXPECT_EQ(tensor.offset, 1);
  EXPECT_EQ(tensor.strides, (std::vector<std::int64_t>{3, 1}));
}

TEST(PickleReader, RefusesAGlobalOutsideTheList) {
  EXPECT_THAT(refusal("\x80\x02"
                      "cos\nsystem\n(X\x02\0\0\0lstR."),
              HasSubstr("'os.system', which is not allowed"));
  EXPECT_THAT(refusal("\x80\x02"
                      "cbuiltins\neval\n."),
              HasSubstr("'builtins.eval'"));
  EXPECT_THAT(refusal("\x80\x02"
                      "ctorch.jit._pickle\nbuild_tensor_from_id\n."),
              HasSubstr("build_tensor_from_id"));
}

TEST(PickleReader, RefusesOpcodesItDoesNotKnow) {
  EXPECT_THAT(refusal("\x80\x02i."), HasSubstr("opcode 0x69 at byte 2"));
}

TEST(PickleReader, RefusesANewerProtocol) { EXPECT_THAT(refusal("\x80\x05N."), HasSubstr("protocol 5")); }

TEST(PickleReader, RefusesAReferenceCycle) {
  EXPECT_THAT(refusal("\x80\x02]q\x01h\x01"
                      "a."),
              HasSubstr("reference cycle"));
  EXPECT_THAT(refusal("\x80\x02}q\x01K\x01h\x01s."), HasSubstr("reference cycle"));
  EXPECT_THAT(refusal("\x80\x02"
                      "c__torch__\nM\n)\x81q\x01}(X\x01" +
                      std::string(3, '\0') + "ah\x01ub."),
              HasSubstr("reference cycle"));
}

TEST(PickleReader, RefusesDeepNesting) {
  std::string lists;
  for (int i = 0; i < 100000; ++i) lists += "]";
  for (int i = 0; i < 99999; ++i) lists += "a";
  EXPECT_THAT(refusal(whole_pickle(lists)), HasSubstr("nests deeper than 200"));
}

TEST(PickleReader, TakesSharedPartsInLinearTime) {
  std::string item = "]q\x01";
  for (int i = 0; i < 100; ++i) item = item + "h\x01\x86q\x01";
  EXPECT_EQ(refusal(whole_pickle(item)), "");
}

TEST(PickleReader, RefusesEveryTruncation) {
  const std::string whole = whole_pickle(pickled_module(pickled("w") + pickled_tensor("0", 4, 0, {4}, {1})));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size << " bytes";
  }
}

TEST(PickleReader, SaysWhatDoesNotFit) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a.", "takes more than it has"},
      {"t.", "no mark"},
      {"NK\x01"
       "a.",
       "appends to None"},
      {"](K\x01u.", "sets 1 items"},
      {"h\x09.", "recalls item 9"},
      {"\x8a\x09"
       "123456789.",
       "integer of 9 bytes"},
      {"K\x01)\x81.", "makes an object of 1"},
      {"c__torch__\nM\nK\x01\x85\x81.", "with arguments"},
      {"K\x01)R.", "calls 1"},
      {"c__torch__\nM\n)R.", "calls '__torch__.M'"},
      {"K\x01}b.", "gives a state to 1"},
      {"c__torch__\nM\n)\x81}(K\x01K\x02ub.", "an attribute's name is 1"},
      {"ctorch._utils\n_rebuild_tensor_v2\n)R.", "has 0 arguments, expected 4"},
      {"ctorch._utils\n_rebuild_tensor_v2\n(NK\x01))tR.", "storage is None"},
      {")Q.", "a persistent id has 0 arguments"},
      {"(X\x01" + std::string(3, '\0') + "aNNNNtQ.", "refers to None as a storage"},
      {"ctorch._utils\n_rebuild_parameter\n)R.", "expected 1"},
  };
  for (const auto& [item, message] : cases) EXPECT_THAT(refusal("\x80\x02" + item), HasSubstr(message));
}

TEST(PickleReader, RefusesQuantizersItDoesNotKnow) {
  const std::string zero(1, '\0');
  const std::string fixed = std::string("\x80\x02") + "ctorch._utils\n_rebuild_qtensor\n((" +
                            pickled("storage") + "ctorch\nQInt8Storage\n" + pickled("0") + pickled("cpu") +
                            "K\x04tQK" + zero;
  EXPECT_THAT(refusal(fixed + "(K\x04t(K\x01t(NNNt\x89)tR."), HasSubstr("quantization scheme None"));
  EXPECT_THAT(refusal(fixed + "(K\x04t(K\x01t(ctorch\nper_tensor_affine\nNNt\x89)tR."),
              HasSubstr("scale is None"));
  EXPECT_THAT(refusal(fixed + "(K\x04t(K\x01t(ctorch\nper_channel_affine\nNNt\x89)tR."),
              HasSubstr("expected 4"));
}

TEST(PickleReader, LeavesOutTheAttributesOfADict) {
  Heap heap;
  const std::string file = whole_pickle("ccollections\nOrderedDict\n)R}" + pickled("_metadata") + "}sb");
  EXPECT_TRUE(std::holds_alternative<Dict*>(read_pickle(bytes_of(file), "data/", heap)));
}

TEST(PickleReader, PassesOverNumPyScalars) {
  Heap heap;
  const std::string dtype =
      "cnumpy\ndtype\n" + pickled("f8") + "\x89\x88\x87R(K\x03" + pickled("<") + "NNNNNtb";
  const std::string value = "c_codecs\nencode\n" + pickled("12345678") + pickled("latin1") + "\x86R";
  const std::string file = whole_pickle("cnumpy.core.multiarray\nscalar\n" + dtype + value + "\x86R");
  EXPECT_TRUE(std::holds_alternative<Object*>(read_pickle(bytes_of(file), "data/", heap)));
}

}  // namespace
}  // namespace octavo::torchscript
