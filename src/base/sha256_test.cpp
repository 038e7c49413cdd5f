#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace octavo {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The first two values are the examples of FIPS 180-4.
TEST(Sha256, EqualsThePublishedExamples) {
  EXPECT_EQ(sha256_hex(bytes_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, DoesNotDependOnHowTheBytesAreCut) {
  const std::string text(100'000, 'x');
  Sha256 sum;
  for (std::size_t at = 0, step = 1; at < text.size(); at += step, step = step * 3 + 1) {
    sum.update(bytes_of(text).subspan(at, std::min(step, text.size() - at)));
  }
  EXPECT_EQ(sum.hex(), sha256_hex(bytes_of(text)));
}

TEST(Sha256, ContinuesAfterADigestWasTaken) {
  Sha256 sum;
  sum.update(bytes_of("a"));
  EXPECT_EQ(sum.hex(), sha256_hex(bytes_of("a")));
  sum.update(bytes_of("bc"));
  EXPECT_EQ(sum.hex(), sha256_hex(bytes_of("abc")));
}

}  // namespace
}  // namespace octavo
