#include "data/decode.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::file_bytes;
using ::octavo::testing::kFixtures;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::HasSubstr;

nlohmann::json read_json(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = file_bytes(path);
  return nlohmann::json::parse(reinterpret_cast<const char*>(bytes.data()),
                               reinterpret_cast<const char*>(bytes.data() + bytes.size()));
}

std::string sha256_of(const Image& image) { return sha256_hex(std::as_bytes(std::span(image.rgb))); }

std::string refusal(ErrorCode code, std::span<const std::byte> bytes) {
  return error_of(code, [&] { decode_image(bytes); });
}

/// The fixture with its bytes from `at` replaced.
std::vector<std::byte> patched(const std::string& name, std::size_t at, std::initializer_list<int> values) {
  std::vector<std::byte> bytes = file_bytes(kFixtures / name);
  for (const int value : values) bytes.at(at++) = static_cast<std::byte>(value);
  return bytes;
}

/// Where a JPEG's start-of-frame marker lies.
std::size_t frame_of(const std::vector<std::byte>& jpeg, int marker) {
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i) {
    if (jpeg[i] == std::byte{0xff} && jpeg[i + 1] == static_cast<std::byte>(marker)) return i;
  }
  ADD_FAILURE() << "no frame";
  return 0;
}

TEST(DecodeImage, EveryKindOfPictureEqualsPillows) {
  const nlohmann::json expected = read_json(kFixtures / "expected.json").at("pictures");
  EXPECT_GE(expected.size(), 40U);
  for (const auto& [name, picture] : expected.items()) {
    const Image image = read_image(kFixtures / name);
    EXPECT_EQ(image.width, picture.at("size").at(0)) << name;
    EXPECT_EQ(image.height, picture.at("size").at(1)) << name;
    EXPECT_EQ(sha256_of(image), picture.at("sha256")) << name;
  }
}

TEST(DecodeImage, GoesByContentNotByName) {
  const TemporaryFolder folder;
  write_file(folder / "a.png", file_bytes(kFixtures / "gray.jpg"));
  EXPECT_EQ(sha256_of(read_image(folder / "a.png")), sha256_of(read_image(kFixtures / "gray.jpg")));
}

TEST(DecodeImage, RefusesEveryTruncatedJpeg) {
  for (const char* name :
       {"rgb_420.jpg", "rgb_progressive.jpg", "rgb_restarts.jpg", "cmyk.jpg", "gray.jpg"}) {
    const std::vector<std::byte> whole = file_bytes(kFixtures / name);
    for (std::size_t size = 3; size < whole.size(); ++size) {
      EXPECT_THAT(refusal(ErrorCode::invalid_model, std::span(whole).first(size)), HasSubstr("damaged JPEG"))
          << name << " cut to " << size;
    }
  }
}

TEST(DecodeImage, RefusesEveryTruncatedPng) {
  for (const char* name : {"type2_depth8.png", "type3_depth4_adam7.png", "type0_depth16.png"}) {
    const std::vector<std::byte> whole = file_bytes(kFixtures / name);
    // Behind the pixels come a checksum and the chunk that marks the end.
    const std::size_t end_of_pixels = whole.size() - 12 - 4;
    for (std::size_t size = 8; size < end_of_pixels; ++size) {
      EXPECT_THAT(refusal(ErrorCode::invalid_model, std::span(whole).first(size)), HasSubstr("damaged PNG"))
          << name << " cut to " << size;
    }
  }
}

TEST(DecodeImage, SurvivesEveryFlippedByte) {
  for (const char* name :
       {"rgb_420.jpg", "rgb_progressive.jpg", "cmyk.jpg", "type2_depth8.png", "type3_depth4.png"}) {
    const std::vector<std::byte> whole = file_bytes(kFixtures / name);
    int refused = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::vector<std::byte> flipped = whole;
      flipped[at] = ~flipped[at];
      try {
        decode_image(flipped);
      } catch (const Error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 50) << name;
  }
}

TEST(DecodeImage, RefusesDamagedEntropyCodedData) {
  std::vector<std::byte> bytes = file_bytes(kFixtures / "rgb_444.jpg");
  // A marker in the middle of the scan: the rest of the pixels would be made up.
  bytes[bytes.size() - 200] = std::byte{0xff};
  bytes[bytes.size() - 199] = std::byte{0xd9};
  EXPECT_THAT(refusal(ErrorCode::invalid_model, bytes), HasSubstr("damaged JPEG"));
}

TEST(DecodeImage, PassesOverStrayBytesBetweenJpegMarkers) {
  std::vector<std::byte> bytes = file_bytes(kFixtures / "rgb_444.jpg");
  const std::size_t frame = frame_of(bytes, 0xc0);
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(frame), 5, std::byte{0x11});
  EXPECT_EQ(sha256_of(decode_image(bytes)), sha256_of(read_image(kFixtures / "rgb_444.jpg")));
}

TEST(DecodeImage, RefusesAPngWithAWrongChecksum) {
  EXPECT_THAT(refusal(ErrorCode::invalid_model, patched("type2_depth8.png", 30, {1, 2, 3})),
              HasSubstr("damaged PNG"));
}

TEST(DecodeImage, RefusesAPaletteThatIsMissing) {
  std::vector<std::byte> bytes = file_bytes(kFixtures / "type3_depth8.png");
  const std::size_t end_of_header = 33;
  const std::size_t palette_chunk = 12 + 3 * 11;
  bytes.erase(bytes.begin() + end_of_header, bytes.begin() + end_of_header + palette_chunk);
  EXPECT_THAT(refusal(ErrorCode::invalid_model, bytes), HasSubstr("damaged PNG"));
}

TEST(DecodeImage, RefusesAnAbsurdSizeBeforeTakingMemory) {
  const std::vector<std::byte> gray = file_bytes(kFixtures / "gray.jpg");
  const std::size_t size_at = frame_of(gray, 0xc0) + 5;
  EXPECT_THAT(refusal(ErrorCode::invalid_model, patched("gray.jpg", size_at, {0xff, 0x00, 0xff, 0x00})),
              HasSubstr("65280 x 65280 pixels, at most"));
  EXPECT_THAT(refusal(ErrorCode::invalid_model, patched("gray.jpg", size_at, {0x1f, 0x00, 0x1f, 0x00})),
              HasSubstr("claims 7936 x 7936 pixels in"));
}

TEST(DecodeImage, RefusesAnAbsurdPngSizeBeforeTakingMemory) {
  EXPECT_THAT(refusal(ErrorCode::invalid_model, file_bytes(kFixtures / "bad_65280x65280.png")),
              HasSubstr("65280 x 65280 pixels, at most"));
  EXPECT_THAT(refusal(ErrorCode::invalid_model, file_bytes(kFixtures / "bad_7936x7936.png")),
              HasSubstr("claims 7936 x 7936 pixels in"));
}

TEST(DecodeImage, RefusesAJpegOfEndlessScans) {
  std::vector<std::byte> bytes = file_bytes(kFixtures / "gray_progressive.jpg");
  // The last scan (marker, header, data) is repeated before the end marker.
  std::size_t last = bytes.size();
  while (!(bytes[last - 1] == std::byte{0xda} && bytes[last - 2] == std::byte{0xff})) --last;
  const std::vector<std::byte> scan(bytes.begin() + static_cast<std::ptrdiff_t>(last - 2), bytes.end() - 2);
  for (int i = 0; i < 200; ++i) bytes.insert(bytes.end() - 2, scan.begin(), scan.end());
  EXPECT_THAT(refusal(ErrorCode::invalid_model, bytes), HasSubstr("damaged JPEG"));
}

TEST(DecodeImage, RefusesJpegsOfOtherKinds) {
  const std::vector<std::byte> bytes = file_bytes(kFixtures / "gray.jpg");
  const std::size_t frame = frame_of(bytes, 0xc0);
  EXPECT_THAT(refusal(ErrorCode::invalid_model, patched("gray.jpg", frame + 4, {12})),
              HasSubstr("precision"));
}

TEST(DecodeImage, RefusesTwoColourComponents) {
  std::vector<std::byte> bytes = file_bytes(kFixtures / "rgb_444.jpg");
  const std::size_t frame = frame_of(bytes, 0xc0);
  // The frame's third component goes: length 17 becomes 14, count 3 becomes 2.
  bytes[frame + 3] = std::byte{14};
  bytes[frame + 9] = std::byte{2};
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(frame + 16),
              bytes.begin() + static_cast<std::ptrdiff_t>(frame + 19));
  const std::size_t scan = frame_of(bytes, 0xda);
  bytes[scan + 3] = std::byte{10};
  bytes[scan + 4] = std::byte{2};
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(scan + 9),
              bytes.begin() + static_cast<std::ptrdiff_t>(scan + 11));
  EXPECT_THAT(refusal(ErrorCode::unsupported, bytes), HasSubstr("2 colour components"));
}

TEST(DecodeImage, RefusesWhatIsNoPicture) {
  EXPECT_THAT(refusal(ErrorCode::invalid_model, {}), HasSubstr("no bytes"));
  EXPECT_THAT(refusal(ErrorCode::unsupported, std::as_bytes(std::span("GIF89a"))), HasSubstr("0x47"));
}

TEST(DecodeImage, NamesTheFileInErrors) {
  const TemporaryFolder folder;
  write_file(folder / "bad.jpg", "nonsense");
  EXPECT_THAT(error_of(ErrorCode::unsupported, [&] { read_image(folder / "bad.jpg"); }),
              HasSubstr("bad.jpg: "));
  EXPECT_THAT(error_of(ErrorCode::io, [&] { read_image(folder / "none.jpg"); }), HasSubstr("none.jpg"));
}

TEST(DecodeImage, TheRecordedPhotosEqualPillows) {
  OCTAVO_NEED_TEST_DATA();
  const nlohmann::json expected = read_json(test_data() / "reference/crops.json");
  EXPECT_EQ(expected.size(), 200U);
  for (const auto& [name, photo] : expected.items()) {
    const Image image = read_image(test_data() / "photos" / name);
    EXPECT_EQ(image.width, photo.at("decoded_size").at(0)) << name;
    EXPECT_EQ(image.height, photo.at("decoded_size").at(1)) << name;
    EXPECT_EQ(sha256_of(image), photo.at("decoded_sha256")) << name;
  }
}

}  // namespace
}  // namespace octavo
