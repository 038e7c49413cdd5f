#include "base/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/fail.h"

namespace octavo {
namespace {

struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const noexcept { EVP_MD_CTX_free(digest); }
};
using Digest = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

/// libcrypto fails here only for want of memory or because a policy switched SHA-256 off.
void require(bool worked) {
  if (!worked) fail(ErrorCode::io, "libcrypto cannot compute SHA-256");
}

Digest new_digest() {
  Digest digest(EVP_MD_CTX_new());
  require(digest != nullptr);
  return digest;
}

}  // namespace

struct Sha256::State {
  Digest digest = new_digest();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(EVP_DigestInit_ex(state_->digest.get(), EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(state_->digest.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() const {
  const Digest so_far = new_digest();
  require(EVP_MD_CTX_copy_ex(so_far.get(), state_->digest.get()) == 1);
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int length = 0;
  require(EVP_DigestFinal_ex(so_far.get(), sum.data(), &length) == 1);
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", sum[i]);
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.hex();
}

}  // namespace octavo
