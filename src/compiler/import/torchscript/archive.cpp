#include "compiler/import/torchscript/archive.h"

#include <zip.h>

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

constexpr zip_int64_t kMostMembers = 1 << 20;

struct CloseFile {
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};

/// Opens what `source` gives and owns it; `error` says why there is none.
zip_t* open_source(zip_source_t* source, zip_error_t& error, std::size_t file_bytes) {
  zip_t* archive = source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error);
  if (archive == nullptr) {
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    zip_source_free(source);
    fail(ErrorCode::invalid_model, "not a TorchScript file: {} ({} bytes)", reason, file_bytes);
  }
  zip_error_fini(&error);
  return archive;
}

zip_t* open_bytes(std::span<const std::byte> bytes) {
  zip_error_t error;
  zip_error_init(&error);
  return open_source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error), error, bytes.size());
}

std::size_t bytes_of_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) fail(ErrorCode::io, "cannot read '{}': {}", path.string(), error.message());
  return bytes;
}

zip_t* open_file(const std::filesystem::path& path) {
  zip_error_t error;
  zip_error_init(&error);
  return open_source(zip_source_file_create(path.c_str(), 0, -1, &error), error, bytes_of_file(path));
}

/// The folder in which data.pkl lies, with the slash.
std::string root_folder(zip_t* archive, zip_int64_t count) {
  constexpr std::string_view kMain = "/data.pkl";
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    const std::string_view text = name == nullptr ? "" : name;
    if (text.ends_with(kMain) && text.find('/') == text.size() - kMain.size()) {
      return std::string(text.substr(0, text.size() - kMain.size() + 1));
    }
  }
  fail(ErrorCode::invalid_model, "not a TorchScript file: the archive holds no 'data.pkl'");
}

}  // namespace

void MemberStream::Close::operator()(zip_file* file) const noexcept { zip_fclose(file); }

void MemberStream::read(std::int64_t offset, std::span<std::byte> dst) {
  if (offset < 0 || offset > size_ || std::ssize(dst) > size_ - offset) {
    fail(ErrorCode::invalid_model, "member '{}' has {} bytes: {} from byte {} on are too many", name_, size_,
         dst.size(), offset);
  }
  const bool must_seek = offset != at_;
  bool is_good = !must_seek || zip_fseek(file_.get(), offset, SEEK_SET) == 0;
  is_good = is_good && zip_fread(file_.get(), dst.data(), dst.size()) == std::ssize(dst);
  at_ = offset + std::ssize(dst);
  std::byte beyond{};  // libzip checks the checksum when a read meets the end
  if (is_good && at_ == size_) is_good = zip_fread(file_.get(), &beyond, 1) == 0;
  if (!is_good) {
    at_ = -1;
    fail(ErrorCode::invalid_model, "member '{}' is damaged: {}", name_, zip_file_strerror(file_.get()));
  }
}

void Archive::Close::operator()(zip* archive) const noexcept { zip_discard(archive); }

Archive::Archive(std::span<const std::byte> bytes) : Archive(open_bytes(bytes), bytes.size()) {}
Archive::Archive(const std::filesystem::path& path) : Archive(open_file(path), bytes_of_file(path)) {}

Archive::Archive(zip* opened, std::size_t file_bytes) : zip_(opened), file_bytes_(file_bytes) {
  const zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
  if (count > kMostMembers) {
    fail(ErrorCode::invalid_model, "the archive has {} members, more than {}", count, kMostMembers);
  }
  const std::string root = root_folder(zip_.get(), count);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(zip_.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    const std::string_view text = name == nullptr ? "" : name;
    if (text.starts_with(root)) members_.emplace(text.substr(root.size()), static_cast<std::uint64_t>(i));
  }
  if (has("byteorder") && read_text("byteorder") != "little") {
    fail(ErrorCode::unsupported, "tensors in byte order '{}', expected 'little'", read_text("byteorder"));
  }
}

Archive::~Archive() = default;

bool Archive::has(std::string_view member) const { return members_.contains(member); }

bool Archive::has_code() const {
  const auto found = members_.lower_bound("code/");
  return found != members_.end() && found->first.starts_with("code/");
}

Archive::Entry Archive::entry(std::string_view member) {
  const auto found = members_.find(member);
  if (found == members_.end()) fail(ErrorCode::invalid_model, "the archive has no member '{}'", member);
  zip_stat_t facts;
  if (zip_stat_index(zip_.get(), found->second, 0, &facts) != 0) {
    fail(ErrorCode::invalid_model, "member '{}': {}", member, zip_strerror(zip_.get()));
  }
  const bool is_stored = facts.comp_method == ZIP_CM_STORE;
  const std::size_t most = is_stored ? file_bytes_ : kMostUnpackedBytes - unpacked_bytes_;
  if (facts.size > most) {
    fail(ErrorCode::invalid_model, "member '{}' claims {} bytes, more than the {} it may have", member,
         facts.size, most);
  }
  return {found->second, facts.size, is_stored};
}

MemberStream Archive::stream(std::string_view member) {
  const Entry found = entry(member);
  if (!found.is_stored) fail(ErrorCode::unsupported, "member '{}' is compressed", member);
  MemberStream stream;
  stream.name_ = member;
  stream.size_ = static_cast<std::int64_t>(found.size);
  stream.file_.reset(zip_fopen_index(zip_.get(), found.index, 0));
  if (stream.file_ == nullptr) {
    fail(ErrorCode::invalid_model, "member '{}': {}", member, zip_strerror(zip_.get()));
  }
  return stream;
}

std::vector<std::byte> Archive::read(std::string_view member) {
  const Entry found = entry(member);
  if (!found.is_stored) unpacked_bytes_ += found.size;
  const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(zip_.get(), found.index, 0));
  if (file == nullptr) fail(ErrorCode::invalid_model, "member '{}': {}", member, zip_strerror(zip_.get()));
  std::vector<std::byte> content(found.size);
  const zip_int64_t got = zip_fread(file.get(), content.data(), content.size());
  std::byte beyond{};  // libzip checks the checksum when a read meets the end
  const zip_int64_t more =
      got == static_cast<zip_int64_t>(content.size()) ? zip_fread(file.get(), &beyond, 1) : -1;
  if (more != 0) {
    fail(ErrorCode::invalid_model, "member '{}' is damaged: {}", member, zip_file_strerror(file.get()));
  }
  return content;
}

std::string Archive::read_text(std::string_view member) {
  const std::vector<std::byte> bytes = read(member);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace octavo::torchscript
