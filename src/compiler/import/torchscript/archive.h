#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct zip;
struct zip_file;

namespace octavo::torchscript {

/// A stored member of an Archive, read piece by piece; the archive must outlive it. One thread at a time.
class MemberStream {
 public:
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// Fills `dst` from byte `offset` of the member on. Error(invalid_model) when it ends before, cannot be
  /// read, or, read from its first to its last byte without leaps, has another checksum than the archive
  /// says.
  void read(std::int64_t offset, std::span<std::byte> dst);

 private:
  friend class Archive;
  struct Close {
    void operator()(zip_file* file) const noexcept;
  };
  std::string name_;
  std::int64_t size_ = 0;
  std::int64_t at_ = 0;
  std::unique_ptr<zip_file, Close> file_;
};

/// The members of a TorchScript file: a ZIP whose members all lie below one root folder. Member names are
/// given without that folder ("data.pkl", "data/0", "code/__torch__.py").
class Archive {
 public:
  /// An archive in memory, which must outlive it. Error(invalid_model) when the bytes are no ZIP, have no
  /// data.pkl, or say that their tensors are big-endian.
  explicit Archive(std::span<const std::byte> bytes);
  /// An archive on disk, of which only what is asked for is read. Errors as above, or Error(io).
  explicit Archive(const std::filesystem::path& path);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  [[nodiscard]] std::size_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] bool has(std::string_view member) const;
  /// Whether it holds a model's code, as TorchScript does and a plain checkpoint does not.
  [[nodiscard]] bool has_code() const;
  /// The member's content. Error(invalid_model) when it is missing or damaged, when its declared size cannot
  /// be true (a stored member larger than the file), or when unpacking would cost more than
  /// kMostUnpackedBytes over all calls.
  [[nodiscard]] std::vector<std::byte> read(std::string_view member);
  [[nodiscard]] std::string read_text(std::string_view member);
  /// For members larger than memory. Error(invalid_model) as `read`, Error(unsupported) for a compressed one.
  [[nodiscard]] MemberStream stream(std::string_view member);

  /// What all compressed members together may unpack to; code and pickles of real files need a few MB.
  static constexpr std::size_t kMostUnpackedBytes = std::size_t{48} << 20;

 private:
  struct Close {
    void operator()(zip* archive) const noexcept;
  };
  struct Entry {
    std::uint64_t index = 0;
    std::size_t size = 0;
    bool is_stored = false;
  };
  Archive(zip* opened, std::size_t file_bytes);
  [[nodiscard]] Entry entry(std::string_view member);

  std::unique_ptr<zip, Close> zip_;
  std::size_t file_bytes_ = 0;
  std::size_t unpacked_bytes_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> members_;
};

}  // namespace octavo::torchscript
