#include "data/npz.h"

#include <gmock/gmock.h>
#include <zip.h>

#include <algorithm>

#include "base/testing.h"
#include "data/npy.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::file_bytes;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor counting(DType dtype, std::vector<std::int64_t> shape) {
  Tensor tensor(dtype, std::move(shape));
  for (std::int64_t i = 0; i < tensor.bytes(); ++i) tensor.data()[i] = static_cast<std::byte>(i * 7 + 1);
  return tensor;
}

/// A ZIP with one member, as somebody else might write it.
void write_zip(const std::filesystem::path& path, const std::string& member,
               const std::vector<std::byte>& bytes, int method = ZIP_CM_DEFLATE) {
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  ASSERT_NE(zip, nullptr);
  zip_source_t* source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
  const zip_int64_t at = zip_file_add(zip, member.c_str(), source, 0);
  ASSERT_GE(at, 0);
  ASSERT_EQ(zip_set_file_compression(zip, static_cast<zip_uint64_t>(at), method, 0), 0);
  ASSERT_EQ(zip_close(zip), 0);
}

std::string refusal(ErrorCode code, const std::filesystem::path& path, const std::string& name = "a") {
  return error_of(code, [&] { return NpzReader(path).tensor(name); });
}

TEST(Npz, WritesArraysThatReadBack) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::f32, {3, 4});
  const Tensor labels = counting(DType::u8, {7});
  const std::vector<std::string> names{"tench", "Übergröße", ""};
  const std::vector<NpzMember> members{
      {"logits", numbers.view()}, {"label", labels.view()}, {"photo", names}};
  write_npz(folder / "all.npz", members);
  const NpzReader reader(folder / "all.npz");
  EXPECT_THAT(reader.names(), ElementsAre("logits", "label", "photo"));
  EXPECT_TRUE(reader.contains("label"));
  EXPECT_FALSE(reader.contains("labels"));
  EXPECT_EQ(npy_bytes(reader.tensor("logits").view()), npy_bytes(numbers.view()));
  EXPECT_EQ(npy_bytes(reader.tensor("label").view()), npy_bytes(labels.view()));
  EXPECT_EQ(reader.strings("photo"), names);
}

TEST(Npz, WritesTheSameBytesEveryTime) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::s32, {100});
  const std::vector<NpzMember> members{{"a", numbers.view()}};
  write_npz(folder / "1.npz", members);
  write_npz(folder / "2.npz", members);
  EXPECT_EQ(file_bytes(folder / "1.npz"), file_bytes(folder / "2.npz"));
}

TEST(Npz, ReplacesAFileAndLeavesNothingElseBehind) {
  const TemporaryFolder folder;
  write_file(folder / "a.npz", "old");
  const Tensor numbers = counting(DType::s8, {5});
  write_npz(folder / "a.npz", std::vector<NpzMember>{{"a", numbers.view()}});
  EXPECT_THAT(NpzReader(folder / "a.npz").tensor("a").shape(), ElementsAre(5));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Npz, ReadsAStoredMember) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::f64, {2, 2});
  write_zip(folder / "a.npz", "a.npy", npy_bytes(numbers.view()), ZIP_CM_STORE);
  EXPECT_EQ(npy_bytes(NpzReader(folder / "a.npz").tensor("a").view()), npy_bytes(numbers.view()));
}

TEST(Npz, ReadsTheReferencesThatNumPyWrote) {
  OCTAVO_NEED_TEST_DATA();
  const NpzReader reader(test_data() / "reference/resnet50_int8.npz");
  EXPECT_THAT(reader.names(), ElementsAre("logits", "label", "photo"));
  const Tensor logits = reader.tensor("logits");
  EXPECT_EQ(logits.dtype(), DType::f32);
  EXPECT_THAT(logits.shape(), ElementsAre(200, 1000));
  EXPECT_FLOAT_EQ(logits.as<float>()[2], 0.08717144F);
  EXPECT_EQ(reader.tensor("label").as<std::int64_t>()[2], 10);
  EXPECT_EQ(reader.strings("photo").at(1), "005_n01496331_electric_ray.JPEG");
}

TEST(Npz, EveryReferenceOfTheTestDataCanBeRead) {
  OCTAVO_NEED_TEST_DATA();
  int arrays = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test_data() / "reference")) {
    if (entry.path().extension() != ".npz") continue;
    const NpzReader reader(entry.path());
    for (const std::string& name : reader.names()) {
      if (name == "photo") {
        EXPECT_EQ(reader.strings(name).size(), 200U);
      } else {
        EXPECT_GT(reader.tensor(name).elements(), 0) << entry.path() << name;
      }
      ++arrays;
    }
  }
  EXPECT_GT(arrays, 50);
}

TEST(Npz, RefusesAnUnknownArrayAndOneOfTheOtherKind) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::s8, {5});
  write_npz(folder / "a.npz", std::vector<NpzMember>{{"a", numbers.view()}});
  EXPECT_THAT(refusal(ErrorCode::invalid_argument, folder / "a.npz", "b"),
              HasSubstr("a.npz: array 'b': no such"));
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { return NpzReader(folder / "a.npz").strings("a"); }),
              HasSubstr("a.npz: array 'a': npy: holds s8, not text"));
}

TEST(Npz, RefusesAFileThatIsNoZip) {
  const TemporaryFolder folder;
  write_file(folder / "a.npz", "this is no archive at all");
  EXPECT_THAT(refusal(ErrorCode::invalid_model, folder / "a.npz"), HasSubstr("a.npz"));
  EXPECT_THAT(refusal(ErrorCode::io, folder / "missing.npz"), HasSubstr("missing.npz"));
}

TEST(Npz, ReadsAFileInMemory) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::f32, {3, 4});
  write_npz(folder / "a.npz", std::vector<NpzMember>{{"a", numbers.view()}});
  const auto bytes = file_bytes(folder / "a.npz");
  const auto file = std::as_bytes(std::span(bytes));
  EXPECT_EQ(npy_bytes(NpzReader(file, "it").tensor("a").view()), npy_bytes(numbers.view()));
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { return NpzReader(file, "it").tensor("b"); }),
              HasSubstr("it: array 'b'"));
}

TEST(Npz, RefusesMemoryThatHoldsNoZip) {
  const std::string text = "no ZIP at all";
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { NpzReader(std::as_bytes(std::span(text)), "it"); }),
              HasSubstr("cannot open 'it'"));
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { NpzReader(std::span<const std::byte>(), "it"); }),
              HasSubstr("cannot open 'it'"));
}

TEST(Npz, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::f32, {20});
  write_npz(folder / "a.npz", std::vector<NpzMember>{{"a", numbers.view()}});
  const std::vector<std::byte> whole = file_bytes(folder / "a.npz");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(folder / "cut.npz", std::span(whole).first(size));
    EXPECT_THROW(static_cast<void>(NpzReader(folder / "cut.npz").tensor("a")), Error) << size;
  }
}

TEST(Npz, AFlippedByteGivesAnErrorOrTheSameArray) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::f32, {20});
  write_npz(folder / "a.npz", std::vector<NpzMember>{{"a", numbers.view()}});
  const std::vector<std::byte> whole = file_bytes(folder / "a.npz");
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::vector<std::byte> flipped = whole;
    flipped[at] ^= static_cast<std::byte>(1U << at % 8);
    write_file(folder / "flipped.npz", flipped);
    try {
      const Tensor tensor = NpzReader(folder / "flipped.npz").tensor("a");
      EXPECT_EQ(npy_bytes(tensor.view()), npy_bytes(numbers.view())) << "byte " << at;
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(Npz, RefusesAMemberWhoseSizeIsNotItsHeaders) {
  const TemporaryFolder folder;
  std::vector<std::byte> bytes = npy_bytes(counting(DType::f32, {20}).view());
  bytes.push_back({});
  write_zip(folder / "a.npz", "a.npy", bytes);
  EXPECT_THAT(refusal(ErrorCode::invalid_model, folder / "a.npz"),
              HasSubstr("array 'a': shape [20] needs 208 bytes, but the ZIP declares 209"));
}

TEST(Npz, TakesNoMemoryForAShapeThatTheZipDoesNotHold) {
  const TemporaryFolder folder;
  std::vector<std::byte> bytes = npy_bytes(counting(DType::u8, {1000}).view());
  const std::string_view claim = "9999999999,),}";
  const auto shape = std::find(bytes.begin(), bytes.end(), std::byte{'('}) + 1;
  std::transform(claim.begin(), claim.end(), shape, [](char c) { return static_cast<std::byte>(c); });
  write_zip(folder / "a.npz", "a.npy", bytes);
  EXPECT_THAT(refusal(ErrorCode::invalid_model, folder / "a.npz"),
              HasSubstr("shape [9999999999] needs 10000000127 bytes, but the ZIP declares 1128"));
}

TEST(Npz, RefusesABomb) {
  const TemporaryFolder folder;
  const Tensor zeros(DType::u8, {100 << 20});
  write_zip(folder / "a.npz", "a.npy", npy_bytes(zeros.view()));
  EXPECT_THAT(refusal(ErrorCode::invalid_model, folder / "a.npz"), HasSubstr("more than 200:1"));
}

TEST(Npz, ReadsAModestBlockOfZeros) {
  const TemporaryFolder folder;
  const Tensor zeros(DType::f32, {1 << 20});
  write_npz(folder / "a.npz", std::vector<NpzMember>{{"a", zeros.view()}});
  EXPECT_EQ(NpzReader(folder / "a.npz").tensor("a").elements(), 1 << 20);
}

TEST(Npz, RefusesToWriteArraysWithoutANameOfTheirOwn) {
  const TemporaryFolder folder;
  const Tensor numbers = counting(DType::s8, {5});
  const std::vector<NpzMember> twice{{"a", numbers.view()}, {"a", numbers.view()}};
  const std::vector<NpzMember> nameless{{"", numbers.view()}};
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { write_npz(folder / "a.npz", twice); }),
              HasSubstr("'a'"));
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { write_npz(folder / "a.npz", nameless); }),
              HasSubstr("no name"));
}

TEST(Npz, LeavesTheOldFileWhenAMemberCannotBeWritten) {
  const TemporaryFolder folder;
  write_file(folder / "a.npz", "old");
  const Tensor odd(DType::bf16, {5});
  EXPECT_THAT(error_of(ErrorCode::unsupported,
                       [&] {
                         write_npz(folder / "a.npz", std::vector<NpzMember>{{"a", odd.view()}});
                       }),
              HasSubstr("cannot write '"));
  EXPECT_EQ(file_bytes(folder / "a.npz").size(), 3U);
}

}  // namespace
}  // namespace octavo
