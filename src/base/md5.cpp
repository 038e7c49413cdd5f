#include "base/md5.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/fail.h"
#include "base/streamed_file.h"

namespace octavo {
namespace {

struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const noexcept { EVP_MD_CTX_free(digest); }
};

/// libcrypto fails here only for want of memory or because a policy switched MD5 off.
void require(bool worked) {
  if (!worked) fail(ErrorCode::io, "libcrypto cannot compute MD5");
}

}  // namespace

std::string md5_of_file(const std::filesystem::path& path) {
  const StreamedFile file(path);
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  require(digest != nullptr && EVP_DigestInit_ex(digest.get(), EVP_md5(), nullptr) == 1);
  std::vector<std::byte> piece(std::size_t{4} << 20U);
  for (std::int64_t at = 0; at < file.size();) {
    const auto count = static_cast<std::size_t>(std::min(file.size() - at, std::ssize(piece)));
    file.read(at, std::span(piece).first(count));
    require(EVP_DigestUpdate(digest.get(), piece.data(), count) == 1);
    at += static_cast<std::int64_t>(count);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int length = 0;
  require(EVP_DigestFinal_ex(digest.get(), sum.data(), &length) == 1);
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", sum[i]);
  return text;
}

}  // namespace octavo
