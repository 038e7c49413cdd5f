#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct zip;

namespace octavo::torchscript {

/// The members of a TorchScript file: a ZIP whose members all lie below one root folder. Member names are
/// given without that folder ("data.pkl", "data/0", "code/__torch__.py"). The bytes must outlive the Archive.
class Archive {
 public:
  /// Error(invalid_model) when the bytes are no ZIP, have no data.pkl, or say that their tensors are
  /// big-endian.
  explicit Archive(std::span<const std::byte> bytes);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  [[nodiscard]] std::size_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] bool has(std::string_view member) const;
  /// The member's content. Error(invalid_model) when it is missing or damaged, when its declared size cannot
  /// be true (a stored member larger than the file), or when unpacking would cost more than
  /// kMostUnpackedBytes over all calls.
  [[nodiscard]] std::vector<std::byte> read(std::string_view member);
  [[nodiscard]] std::string read_text(std::string_view member);

  /// What all compressed members together may unpack to; code and pickles of real files need a few MB.
  static constexpr std::size_t kMostUnpackedBytes = std::size_t{48} << 20;

 private:
  struct Close {
    void operator()(zip* archive) const noexcept;
  };
  std::unique_ptr<zip, Close> zip_;
  std::size_t file_bytes_ = 0;
  std::size_t unpacked_bytes_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> members_;
};

}  // namespace octavo::torchscript
