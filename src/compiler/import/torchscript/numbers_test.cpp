#include "compiler/import/torchscript/numbers.h"

#include <gtest/gtest.h>

#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

const Value kBatch = Dim::batch();
Value n(std::int64_t value) { return value; }

std::string text(const Value& value) { return value_text(value); }

TEST(Numbers, ComputeAsPythonDoes) {
  EXPECT_EQ(text(floor_divide_numbers(n(-7), n(2))), "-4");
  EXPECT_EQ(text(remainder_numbers(n(-7), n(2))), "1");
  EXPECT_EQ(text(divide_numbers(n(7), n(2))), "3.5");
  EXPECT_EQ(text(multiply_numbers(n(3), 0.5)), "1.5");
  EXPECT_EQ(text(subtract_numbers(true, n(3))), "-2");
}

TEST(Numbers, CarrySizesThatGrowWithTheBatch) {
  Heap heap;
  EXPECT_EQ(text(multiply_numbers(kBatch, n(4))), "4N");
  EXPECT_EQ(text(floor_divide_numbers(Dim{4, true}, n(2))), "2N");
  EXPECT_EQ(text(divide_numbers(Dim{4, true}, kBatch)), "4");
  EXPECT_EQ(text(add_numbers(kBatch, n(0), heap)), "N");
  EXPECT_EQ(text(add_numbers(n(0), kBatch, heap)), "N");
  EXPECT_EQ(text(subtract_numbers(kBatch, kBatch)), "0");
  EXPECT_EQ(text(remainder_numbers(Dim{4, true}, n(2))), "0");
}

TEST(Numbers, DoNotPretendToKnowTheBatch) {
  Heap heap;
  EXPECT_THROW(add_numbers(kBatch, n(1), heap), Error);
  EXPECT_THROW(multiply_numbers(kBatch, kBatch), Error);
  EXPECT_THROW(multiply_numbers(kBatch, 0.5), Error);
  EXPECT_THROW(floor_divide_numbers(kBatch, n(2)), Error);
  EXPECT_THROW(remainder_numbers(kBatch, n(2)), Error);
  EXPECT_THROW(are_equal(kBatch, n(1)), Error);
  EXPECT_THROW(is_less(n(1), kBatch), Error);
  EXPECT_THROW(is_less(kBatch, 0.5), Error);
}

TEST(Numbers, CompareSizesWhereEveryBatchAgrees) {
  EXPECT_TRUE(are_equal(kBatch, kBatch));
  EXPECT_FALSE(are_equal(kBatch, n(0)));
  EXPECT_TRUE(is_less(n(0), kBatch));
  EXPECT_FALSE(is_less(kBatch, n(1)));
  EXPECT_TRUE(is_less(kBatch, Dim{2, true}));
}

TEST(Numbers, RefuseOverflowAndDivisionByZero) {
  Heap heap;
  EXPECT_THROW(add_numbers(n(INT64_MAX), n(1), heap), Error);
  EXPECT_THROW(multiply_numbers(n(INT64_MAX), n(2)), Error);
  EXPECT_THROW(floor_divide_numbers(n(INT64_MIN), n(-1)), Error);
  EXPECT_THROW(floor_divide_numbers(n(1), n(0)), Error);
  EXPECT_THROW(floor_divide_numbers(n(1), 0.0), Error);
  EXPECT_THROW(remainder_numbers(n(1), 0.0), Error);
  EXPECT_THROW(divide_numbers(n(1), n(0)), Error);
  EXPECT_EQ(text(remainder_numbers(n(INT64_MIN), n(-1))), "0");
}

TEST(Numbers, JoinListsAndStringsUpToALimit) {
  Heap heap;
  const Value list = heap.list({n(1)});
  EXPECT_EQ(as_integers(add_numbers(list, list, heap), "list").size(), 2U);
  EXPECT_EQ(std::get<std::string>(add_numbers(std::string("a"), std::string("b"), heap)), "ab");
  const Value long_list = heap.list(std::vector<Value>(60000));
  EXPECT_THROW(add_numbers(long_list, long_list, heap), Error);
  const std::string long_text(60000, 'a');
  EXPECT_THROW(add_numbers(long_text, long_text, heap), Error);
  EXPECT_THROW(add_numbers(list, n(1), heap), Error);
}

TEST(Numbers, CompareOtherValues) {
  Heap heap;
  EXPECT_TRUE(are_equal(std::string("zeros"), std::string("zeros")));
  EXPECT_FALSE(are_equal(std::monostate{}, n(0)));
  EXPECT_TRUE(are_equal(Name{"a"}, Name{"a"}));
  EXPECT_TRUE(are_equal(heap.list({n(1)}), heap.tuple({n(1)})));
  EXPECT_FALSE(are_equal(heap.list({n(1)}), heap.list({n(1), n(2)})));
  EXPECT_THROW(are_equal(heap.list({heap.list()}), heap.list({heap.list()})), Error);
}

TEST(Numbers, IndexListsFromBothEnds) {
  Heap heap;
  const Value list = heap.list({n(5), n(6)});
  EXPECT_EQ(text(item_of(list, n(-1))), "6");
  EXPECT_THROW(item_of(list, n(2)), Error);
  EXPECT_THROW(item_of(list, n(-3)), Error);
  Dict* dict = heap.dict();
  dict->items.emplace_back(std::string("k"), n(3));
  EXPECT_EQ(text(item_of(dict, std::string("k"))), "3");
  EXPECT_THROW(item_of(dict, std::string("z")), Error);
}

TEST(Numbers, HaveATruth) {
  Heap heap;
  EXPECT_FALSE(is_true(std::monostate{}));
  EXPECT_FALSE(is_true(heap.list()));
  EXPECT_TRUE(is_true(kBatch));
  EXPECT_TRUE(is_true(std::string("a")));
  EXPECT_FALSE(is_true(0.0));
  EXPECT_THROW(is_true(Name{"torch"}), Error);
}

}  // namespace
}  // namespace octavo::torchscript
