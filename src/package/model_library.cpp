#include "package/model_library.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "package/package.h"

namespace octavo {
namespace {

constexpr std::uint64_t kPage = 4096;

constexpr std::uint64_t rounded_up(std::uint64_t value) { return (value + kPage - 1) / kPage * kPage; }

[[noreturn]] void refuse(const char* why) {
  fail(ErrorCode::invalid_model, "the engine's shared library cannot carry a package: {}", why);
}

/// A copy of a library's bytes, its program headers apart.
class LibraryImage {
 public:
  explicit LibraryImage(std::span<const std::byte> runtime) : bytes_(runtime.begin(), runtime.end()) {
    Elf64_Ehdr header;
    if (bytes_.size() < sizeof header) refuse("it is truncated");
    std::memcpy(&header, bytes_.data(), sizeof header);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN) refuse("it is none");
    headers_at_ = header.e_phoff;
    const std::size_t size = header.e_phnum * sizeof(Elf64_Phdr);
    if (headers_at_ > bytes_.size() || size > bytes_.size() - headers_at_) refuse("it is truncated");
    headers_.resize(header.e_phnum);
    std::memcpy(headers_.data(), bytes_.data() + headers_at_, size);
  }

  /// Makes the loader map `bytes` bytes that will follow the library's own; the library's slot tells where.
  void add_segment(std::uint64_t bytes) {
    std::uint64_t end = 0;
    for (const Elf64_Phdr& h : headers_) {
      if (h.p_type == PT_LOAD) end = std::max(end, h.p_vaddr + h.p_memsz);
    }
    const std::uint64_t offset = rounded_up(bytes_.size());
    const std::uint64_t address = rounded_up(end);
    fill_slot(address, bytes);
    bytes_.resize(offset);
    // A header is free: nobody needs the note with the build's number. It stands behind those of the loaded
    // segments, whose addresses must ascend.
    const auto note = std::find_if(headers_.rbegin(), headers_.rend(),
                                   [](const Elf64_Phdr& h) { return h.p_type == PT_NOTE; });
    if (note == headers_.rend()) refuse("it has no note");
    *note = {PT_LOAD, PF_R, offset, address, address, bytes, bytes, kPage};
    if (std::any_of(headers_.rbegin(), note, [](const Elf64_Phdr& h) { return h.p_type == PT_LOAD; }))
      refuse("its note stands before its segments");
    std::memcpy(bytes_.data() + headers_at_, headers_.data(), headers_.size() * sizeof(Elf64_Phdr));
  }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  void fill_slot(std::uint64_t address, std::uint64_t bytes) {
    const auto mark = std::as_bytes(std::span(kSlotMark));
    const auto found = std::search(bytes_.begin(), bytes_.end(), mark.begin(), mark.end());
    const auto at = static_cast<std::uint64_t>(found - bytes_.begin());
    if (bytes_.size() - at < sizeof(PackageSlot)) refuse("it has no slot for one");
    for (const Elf64_Phdr& h : headers_) {
      if (h.p_type != PT_LOAD || at < h.p_offset || at - h.p_offset >= h.p_filesz) continue;
      PackageSlot slot;
      std::memcpy(&slot, bytes_.data() + at, sizeof slot);
      slot.distance = static_cast<std::int64_t>(address - (h.p_vaddr + at - h.p_offset));
      slot.bytes = static_cast<std::int64_t>(bytes);
      std::memcpy(bytes_.data() + at, &slot, sizeof slot);
      return;
    }
    refuse("its slot is not loaded");
  }

  std::vector<std::byte> bytes_;
  std::uint64_t headers_at_ = 0;
  std::vector<Elf64_Phdr> headers_;
};

}  // namespace

void write_model_library(const std::filesystem::path& path, std::span<const std::byte> runtime,
                         const Package& package, LibraryWeights weights) {
  const PackageTexts texts = package_texts(package.data());
  std::vector<TarMember> members = package_members(package.data(), texts);
  if (weights == LibraryWeights::external) members.resize(2);
  LibraryImage image(runtime);
  image.add_segment(static_cast<std::uint64_t>(tar_bytes(members)));
  AtomicFile file(path);
  file.write(image.bytes());
  write_tar(file, members);
  file.commit();
}

}  // namespace octavo
