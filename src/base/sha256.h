#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace octavo {

/// SHA-256 over bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);
  /// The digest of all bytes so far, 64 lower-case hex digits. More bytes may follow.
  [[nodiscard]] std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of one block of memory, 64 lower-case hex digits.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace octavo
