#include "compiler/import/torchscript/tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "compiler/import/torchscript/test_files.h"
#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// An archive with six floats 0..5, four int8 1..4, two doubles and two longs.
class TensorReaderTest : public testing::Test {
 protected:
  std::string message(const StoredTensor& tensor) {
    try {
      reader_.read(tensor);
      reader_.read_quantization(tensor);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  std::string file_ = zip_of({{"data.pkl", ""},
                              {"data/0", raw<float>({0, 1, 2, 3, 4, 5})},
                              {"data/1", raw<std::int8_t>({1, 2, 3, 4})},
                              {"data/2", raw<double>({0.5, 0.25})},
                              {"data/3", raw<std::int64_t>({0, 3})}});
  Archive archive_{bytes_of(file_)};
  TensorReader reader_{archive_};
  Storage floats_{DType::f32, false, "data/0", 6};
  Storage bytes_{DType::s8, true, "data/1", 4};
  Storage doubles_{DType::f64, false, "data/2", 2};
  Storage longs_{DType::s64, false, "data/3", 2};
};

TEST_F(TensorReaderTest, HonoursStridesAndOffset) {
  const Tensor turned = reader_.read({&floats_, 0, {3, 2}, {1, 3}, {}});
  EXPECT_THAT(turned.as<float>(), ElementsAre(0, 3, 1, 4, 2, 5));
  const Tensor later = reader_.read({&floats_, 2, {2, 2}, {2, 1}, {}});
  EXPECT_THAT(later.as<float>(), ElementsAre(2, 3, 4, 5));
}

TEST_F(TensorReaderTest, ReadsEmptyAndScalarTensors) {
  EXPECT_EQ(reader_.read({&floats_, 0, {0, 3}, {3, 1}, {}}).elements(), 0);
  EXPECT_EQ(reader_.read_number({&floats_, 4, {}, {}, {}}), 4.0);
  EXPECT_THAT(reader_.read_integers({&longs_, 0, {2}, {1}, {}}), ElementsAre(0, 3));
}

TEST_F(TensorReaderTest, RefusesStridesThatLeaveTheStorage) {
  EXPECT_THAT(message({&floats_, 0, {3, 2}, {3, 1}, {}}), HasSubstr("leaves storage 'data/0' of 6 elements"));
  EXPECT_THAT(message({&floats_, 5, {2}, {1}, {}}), HasSubstr("leaves storage"));
  EXPECT_THAT(message({&floats_, 0, {2}, {-1}, {}}), HasSubstr("stride -1"));
  EXPECT_THAT(message({&floats_, -1, {2}, {1}, {}}), HasSubstr("offset -1"));
}

TEST_F(TensorReaderTest, RefusesAbsurdShapes) {
  EXPECT_THAT(message({&floats_, 0, {kHuge, kHuge}, {0, 0}, {}}), HasSubstr("more elements than memory"));
  EXPECT_THAT(message({&floats_, 0, {1000000}, {0}, {}}), HasSubstr("more elements than its storage"));
  EXPECT_THAT(message({&floats_, kHuge, {3}, {kHuge}, {}}), HasSubstr("overflows"));
  EXPECT_THAT(message({&floats_, 0, {-2}, {1}, {}}), HasSubstr("negative extent"));
  EXPECT_THAT(message({&floats_, 0, {2}, {1, 1}, {}}), HasSubstr("1 sizes and 2 strides"));
}

TEST_F(TensorReaderTest, RefusesAStorageOfAnotherSizeThanThePickleSays) {
  const Storage wrong{DType::f32, false, "data/0", 7};
  EXPECT_THAT(message({&wrong, 0, {2}, {1}, {}}), HasSubstr("holds 6 elements of f32, the pickle says 7"));
  const Storage missing{DType::f32, false, "data/9", 6};
  EXPECT_THAT(message({&missing, 0, {2}, {1}, {}}), HasSubstr("no member 'data/9'"));
}

TEST_F(TensorReaderTest, RoundsScalesPerChannelToF32) {
  const StoredTensor scales{&doubles_, 0, {2}, {1}, {}};
  const StoredTensor zeros{&longs_, 0, {2}, {1}, {}};
  const Quantizer quantizer{.scales = &scales, .zero_points = &zeros, .axis = 0};
  const auto read = reader_.read_quantization({&bytes_, 0, {2, 2}, {2, 1}, quantizer});
  EXPECT_EQ(*read, (Quantization{{0.5F, 0.25F}, {0, 3}, 0}));
}

TEST_F(TensorReaderTest, RefusesQuantizersThatDoNotFit) {
  const StoredTensor scales{&doubles_, 0, {2}, {1}, {}};
  const StoredTensor zeros{&longs_, 0, {2}, {1}, {}};
  EXPECT_THAT(
      message({&bytes_, 0, {4, 1}, {1, 1}, Quantizer{.scales = &scales, .zero_points = &zeros, .axis = 0}}),
      HasSubstr("2 scales and 2 zero points for 4 channels"));
  EXPECT_THAT(message({&bytes_, 0, {2}, {1}, Quantizer{.scales = &scales, .zero_points = &zeros, .axis = 3}}),
              HasSubstr("axis 3 of 1"));
  EXPECT_THAT(message({&bytes_, 0, {2}, {1}, Quantizer{.scale = 0.0}}), HasSubstr("scale 0"));
  EXPECT_THAT(message({&bytes_, 0, {2}, {1}, Quantizer{.scale = 1e300}}), HasSubstr("scale 1e+300"));
  EXPECT_THAT(message({&bytes_, 0, {2}, {1}, Quantizer{.scale = 1.0, .zero_point = 128}}),
              HasSubstr("zero point 128"));
}

TEST_F(TensorReaderTest, RefusesToReadOneStorageWithoutEnd) {
  const std::string large = zip_of({{"data.pkl", ""}, {"data/0", std::string(1 << 20, '\0')}});
  Archive archive(bytes_of(large));
  TensorReader reader(archive);
  const Storage storage{DType::f32, false, "data/0", 1 << 18};
  const StoredTensor tensor{&storage, 0, {1 << 18}, {1}, {}};
  EXPECT_THROW(
      {
        for (int i = 0; i < 1000; ++i) reader.read(tensor);
      },
      Error);
}

TEST_F(TensorReaderTest, WantsOneNumberWhereItIsAskedForOne) {
  EXPECT_THROW(reader_.read_number({&floats_, 0, {2}, {1}, {}}), Error);
  EXPECT_THROW(reader_.read_integers({&floats_, 0, {2}, {1}, {}}), Error);
  const Storage halves{DType::f16, false, "data/0", 12};
  EXPECT_THROW(reader_.read_number({&halves, 0, {}, {}, {}}), Error);
}

}  // namespace
}  // namespace octavo::torchscript
