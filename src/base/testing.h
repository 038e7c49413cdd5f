#pragma once
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/error.h"

/// What tests of all rooms share.
namespace octavo::testing {

namespace fs = std::filesystem;

inline const fs::path kFixtures = "src/data/testdata";

/// The large test data (models, photos, references), which is not part of the project.
inline fs::path test_data() {
  const char* place = std::getenv("OCTAVO_TEST_DATA");
  return place != nullptr ? place : "../shared/data";
}

/// Put first in a test that needs the large test data.
#define OCTAVO_NEED_TEST_DATA()                                                                \
  if (!std::filesystem::exists(::octavo::testing::test_data() / "models.json"))                \
  GTEST_SKIP() << "NOT TESTED: no models.json in '" << ::octavo::testing::test_data().string() \
               << "'; set OCTAVO_TEST_DATA"

inline std::vector<std::byte> file_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline void write_file(const fs::path& path, std::span<const std::byte> bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline void write_file(const fs::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

/// A folder of its own for each test, gone afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "octavo-data-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { fs::remove_all(path_); }

  fs::path operator/(const fs::path& name) const { return path_ / name; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The top bytes of a 32-bit linear congruential generator, as tools/make_data_fixtures.py makes them.
inline std::vector<std::uint8_t> noise(std::size_t count) {
  std::vector<std::uint8_t> values;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    values.push_back(static_cast<std::uint8_t>(state >> 24U));
  }
  return values;
}

/// The message of the Error that `action` throws; "no error" when it throws none. Its code must be `code`.
template <class Action>
std::string error_of(ErrorCode code, Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos)
        << "one line: " << error.what();
    return error.what();
  }
  return "no error";
}

}  // namespace octavo::testing
