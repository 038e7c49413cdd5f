#include "data/npy.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::file_bytes;
using ::octavo::testing::kFixtures;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor fixture(const std::string& name) { return read_npy(kFixtures / name); }

template <class T>
void expect_counting(const std::string& name, DType dtype) {
  const Tensor tensor = fixture(name);
  ASSERT_EQ(tensor.dtype(), dtype) << name;
  EXPECT_THAT(tensor.shape(), ElementsAre(2, 3, 4));
  for (int i = 0; i < 24; ++i) {
    EXPECT_EQ(tensor.as<T>()[static_cast<std::size_t>(i)], static_cast<T>(i)) << name << " element " << i;
  }
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// A version 1 file with this header text and as many zero bytes of elements.
std::vector<std::byte> npy(const std::string& header, std::size_t data_bytes = 0) {
  std::string all("\x93NUMPY\x01\x00", 8);
  all += static_cast<char>(header.size() & 0xff);
  all += static_cast<char>(header.size() >> 8U);
  return bytes_of(all + header + std::string(data_bytes, '\0'));
}

std::vector<std::byte> npy_of(const std::string& descr, const std::string& shape,
                              std::size_t data_bytes = 0) {
  return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n", data_bytes);
}

std::string refusal(ErrorCode code, const std::vector<std::byte>& bytes) {
  return error_of(code, [&] { parse_npy(bytes); });
}

TEST(Npy, ReadsEveryElementTypeThatNumPyWrote) {
  expect_counting<float>("numbers_f4.npy", DType::f32);
  expect_counting<double>("numbers_f8.npy", DType::f64);
  expect_counting<std::uint8_t>("numbers_u1.npy", DType::u8);
  expect_counting<std::int8_t>("numbers_i1.npy", DType::s8);
  expect_counting<std::uint16_t>("numbers_u2.npy", DType::u16);
  expect_counting<std::int16_t>("numbers_i2.npy", DType::s16);
  expect_counting<std::int32_t>("numbers_i4.npy", DType::s32);
  expect_counting<std::int64_t>("numbers_i8.npy", DType::s64);
  EXPECT_EQ(fixture("numbers_f2.npy").dtype(), DType::f16);
  EXPECT_EQ(fixture("numbers_f2.npy").as<std::uint16_t>()[1], 0x3c00) << "1.0 in half precision";
  EXPECT_EQ(fixture("numbers_b1.npy").dtype(), DType::boolean);
  EXPECT_EQ(fixture("numbers_b1.npy").as<bool>()[1], true);
}

TEST(Npy, ReadsFormatVersions2And3) {
  expect_counting<float>("numbers_version2.npy", DType::f32);
  expect_counting<float>("numbers_version3.npy", DType::f32);
}

TEST(Npy, TurnsFortranOrderToRowMajor) { expect_counting<float>("numbers_fortran.npy", DType::f32); }

TEST(Npy, ReadsAScalarAndAnEmptyArray) {
  EXPECT_THAT(fixture("scalar.npy").shape(), ElementsAre());
  EXPECT_EQ(fixture("scalar.npy").as<float>()[0], 2.5F);
  EXPECT_THAT(fixture("empty.npy").shape(), ElementsAre(0, 5));
}

TEST(Npy, ReadsTextAsUtf8) {
  EXPECT_THAT(parse_npy_text(file_bytes(kFixtures / "text.npy")),
              ElementsAre("tench", "", "Übergröße", "\xF0\x9F\x90\x9F"));
  EXPECT_THAT(parse_npy_text(file_bytes(kFixtures / "text_fortran.npy")), ElementsAre("a", "b", "c", "d"));
}

TEST(Npy, WritesTheVeryBytesThatNumPyWrites) {
  for (const char* type : {"f2", "f4", "f8", "u1", "i1", "u2", "i2", "i4", "i8", "b1"}) {
    const std::vector<std::byte> expected = file_bytes(kFixtures / ("numbers_" + std::string(type) + ".npy"));
    EXPECT_EQ(npy_bytes(parse_npy(expected).view()), expected) << type;
  }
  for (const char* name : {"scalar.npy", "text.npy"}) {
    const std::vector<std::byte> expected = file_bytes(kFixtures / name);
    const bool is_text = std::string_view(name) == "text.npy";
    EXPECT_EQ(is_text ? npy_text_bytes(parse_npy_text(expected)) : npy_bytes(parse_npy(expected).view()),
              expected);
  }
}

TEST(Npy, WritesAFileThatReadsBack) {
  const TemporaryFolder folder;
  const Tensor tensor = fixture("numbers_i8.npy");
  write_npy(folder / "a.npy", tensor.view());
  EXPECT_EQ(file_bytes(folder / "a.npy"), file_bytes(kFixtures / "numbers_i8.npy"));
}

TEST(Npy, RefusesEveryTruncation) {
  const std::vector<std::byte> whole = file_bytes(kFixtures / "numbers_f4.npy");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(
        refusal(ErrorCode::invalid_model, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
        HasSubstr("npy"))
        << size;
  }
}

TEST(Npy, RefusesBytesBehindTheElements) {
  EXPECT_THAT(refusal(ErrorCode::invalid_model, npy_of("<f4", "(2,)", 9)),
              HasSubstr("shape [2] needs 8 bytes of elements, but 9 follow"));
}

TEST(Npy, RefusesAnotherMagicOrVersion) {
  EXPECT_THAT(refusal(ErrorCode::invalid_model, bytes_of("PK\x03\x04 not an array")), HasSubstr("x93NUMPY"));
  std::vector<std::byte> bytes = npy_of("<f4", "(2,)", 8);
  bytes[6] = std::byte{4};
  EXPECT_THAT(refusal(ErrorCode::unsupported, bytes), HasSubstr("version 4"));
}

TEST(Npy, RefusesAHeaderLongerThanAnyReal) {
  EXPECT_THAT(
      refusal(ErrorCode::invalid_model, bytes_of(std::string_view("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12))),
      HasSubstr("header of 4294967295 bytes"));
}

TEST(Npy, RefusesShapesThatOverflow) {
  EXPECT_THAT(refusal(ErrorCode::invalid_model, npy_of("<f4", "(4294967296, 4294967296)")),
              HasSubstr("4294967296"));
  EXPECT_THAT(refusal(ErrorCode::invalid_model, npy_of("<f4", "(99999999999999999999,)")),
              HasSubstr("extent"));
  EXPECT_THAT(refusal(ErrorCode::invalid_model, npy_of("<f4", "(-1,)")), HasSubstr("extent"));
  EXPECT_THAT(refusal(ErrorCode::invalid_model, npy_of("<f8", "(1152921504606846975,)")),
              HasSubstr("more than memory"));
  EXPECT_THAT(error_of(ErrorCode::invalid_model,
                       [] { parse_npy_text(npy_of("<U1000000", "(1000000000000000000,)")); }),
              HasSubstr("more than memory"));
}

TEST(Npy, RefusesMoreDimensionsThanNumPyHas) {
  std::string shape = "(";
  for (int i = 0; i < 65; ++i) shape += "1,";
  EXPECT_THAT(refusal(ErrorCode::invalid_model, npy_of("<f4", shape + ")", 4)), HasSubstr("64 dimensions"));
}

TEST(Npy, RefusesElementTypesItDoesNotKnow) {
  for (const char* descr : {">f4", "<c8", "|O", "<u4", "<M8[s]", "=f4", "f4", "|S5"}) {
    EXPECT_THAT(refusal(ErrorCode::unsupported, npy_of(descr, "(1,)", 4)),
                HasSubstr("'" + std::string(descr) + "'"));
  }
  EXPECT_THAT(refusal(ErrorCode::unsupported,
                      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4)),
              HasSubstr("record"));
  EXPECT_THAT(refusal(ErrorCode::invalid_model, npy_of("<U0", "(1,)")), HasSubstr("'<U0'"));
}

TEST(Npy, RefusesAHeaderThatIsNoDictionary) {
  for (const char* header : {"", "{", "[]", "{'descr'}", "{'descr': '<f4'", "{'descr: 1}", "{'shape': (1,}",
                             "{'fortran_order': Maybe}", "{'colour': 1}", "{'descr': '<f4'}", "{'de\ncr': 1}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"}) {
    EXPECT_THAT(refusal(ErrorCode::invalid_model, npy(header, 4)), HasSubstr("npy header")) << header;
  }
}

TEST(Npy, TellsTextFromNumbers) {
  EXPECT_THAT(refusal(ErrorCode::invalid_argument, file_bytes(kFixtures / "text.npy")),
              HasSubstr("holds text"));
  EXPECT_THAT(
      error_of(ErrorCode::invalid_argument, [] { parse_npy_text(file_bytes(kFixtures / "numbers_f4.npy")); }),
      HasSubstr("holds f32, not text"));
}

TEST(Npy, RefusesTextThatIsNoText) {
  std::vector<std::byte> bytes = npy_of("<U1", "(1,)");
  for (const int c : {0x00, 0xd8, 0x00, 0x00}) bytes.push_back(std::byte(c));
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { parse_npy_text(bytes); }), HasSubstr("U+D800"));
  for (const std::string& text : {std::string("\xff"), std::string("a\xc3"), std::string("\xc0\x80"),
                                  std::string("\xed\xa0\x80"), std::string(1, '\0'), std::string("\x80")}) {
    EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { npy_text_bytes(std::vector{text}); }),
                HasSubstr("UTF-8"));
  }
}

TEST(Npy, RefusesToWriteWhatNumPyDoesNotKnow) {
  const Tensor tensor(DType::bf16, {2});
  EXPECT_THAT(error_of(ErrorCode::unsupported, [&] { npy_bytes(tensor.view()); }), HasSubstr("bf16"));
}

TEST(Npy, NamesTheFileInErrors) {
  const TemporaryFolder folder;
  write_file(folder / "bad.npy", "nonsense");
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { read_npy(folder / "bad.npy"); }),
              HasSubstr("bad.npy: npy"));
  EXPECT_THAT(error_of(ErrorCode::io, [&] { read_npy(folder / "none.npy"); }), HasSubstr("none.npy"));
}

}  // namespace
}  // namespace octavo
