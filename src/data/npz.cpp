#include "data/npz.h"

#include <zip.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/fail.h"
#include "data/npy.h"

namespace octavo {
namespace {

constexpr std::string_view kSuffix = ".npy";

/// Deflate cannot pack tighter than 1032:1. Real arrays above kSmallMember do not come near kMostRatio (the
/// labels of 10,000 pictures in ten runs reach 81:1); a bomb does. Below that size even a block of zeros is
/// harmless.
constexpr std::uint64_t kMostRatio = 200;
constexpr std::uint64_t kSmallMember = std::uint64_t{64} << 20U;

struct CloseMember {
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};
using MemberFile = std::unique_ptr<zip_file_t, CloseMember>;

struct Discard {
  void operator()(zip_t* zip) const noexcept { zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, Discard>;

[[noreturn]] void refuse_zip(const std::filesystem::path& path, zip_error_t& error) {
  const int code = zip_error_code_zip(&error);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  const bool is_damaged = code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS || code == ZIP_ER_EOF;
  fail(is_damaged ? ErrorCode::invalid_model : ErrorCode::io, "cannot open '{}': {}", path.string(), reason);
}

Zip open_zip(const std::filesystem::path& path, int flags) {
  int code = 0;
  Zip zip(zip_open(path.c_str(), flags, &code));
  if (zip != nullptr) return zip;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  refuse_zip(path, error);
}

Zip open_zip(std::span<const std::byte> file, const std::filesystem::path& name) {
  // libzip takes no bytes for a new archive.
  if (file.empty()) fail(ErrorCode::invalid_model, "cannot open '{}': it is empty", name.string());
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file.data(), file.size(), 0, &error);
  if (source == nullptr) refuse_zip(name, error);
  Zip zip(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (zip != nullptr) return zip;
  zip_source_free(source);
  refuse_zip(name, error);
}

/// Adds `wanted` bytes of the member to `bytes`.
void read_more(zip_file_t* file, std::size_t wanted, std::vector<std::byte>& bytes) {
  const std::size_t start = bytes.size();
  bytes.resize(start + wanted);
  for (std::size_t done = 0; done < wanted;) {
    const zip_int64_t got = zip_fread(file, bytes.data() + start + done, wanted - done);
    if (got < 0) fail(ErrorCode::invalid_model, "damaged: {}", zip_file_strerror(file));
    if (got == 0) fail(ErrorCode::invalid_model, "ends after {} bytes", start + done);
    done += static_cast<std::size_t>(got);
  }
}

void check_ratio(const zip_stat_t& facts) {
  if (facts.size <= kSmallMember || facts.size / kMostRatio <= facts.comp_size) return;
  fail(ErrorCode::invalid_model, "claims {} bytes packed into {}, more than {}:1", facts.size,
       facts.comp_size, kMostRatio);
}

/// The array's header decides how much is read, and the ZIP's directory must agree before memory is taken.
std::vector<std::byte> read_member(zip_file_t* file, const zip_stat_t& facts) {
  check_ratio(facts);
  std::vector<std::byte> bytes;
  read_more(file, static_cast<std::size_t>(std::min<zip_uint64_t>(facts.size, kMostNpyHeaderBytes)), bytes);
  const NpyHeader header = read_npy_header(bytes);
  const std::size_t size = header.header_bytes + header.data_bytes;
  if (size != facts.size) {
    fail(ErrorCode::invalid_model, "shape {} needs {} bytes, but the ZIP declares {}",
         shape_text(header.shape), size, facts.size);
  }
  bytes.reserve(size);
  read_more(file, size - bytes.size(), bytes);
  // Only the read at the end makes libzip compare the checksum.
  std::byte beyond{};
  const zip_int64_t got = zip_fread(file, &beyond, 1);
  if (got < 0) fail(ErrorCode::invalid_model, "damaged: {}", zip_file_strerror(file));
  if (got > 0) fail(ErrorCode::invalid_model, "holds more than the {} bytes declared", facts.size);
  return bytes;
}

std::vector<std::byte> bytes_of(const NpzMember& member) {
  if (const auto* numbers = std::get_if<TensorView>(&member.value)) return npy_bytes(*numbers);
  return npy_text_bytes(std::get<std::vector<std::string>>(member.value));
}

void add_member(zip_t* zip, const std::string& name, const std::vector<std::byte>& bytes) {
  zip_source_t* source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
  const zip_int64_t index =
      source == nullptr ? -1 : zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    fail(ErrorCode::io, "member '{}': {}", name, zip_strerror(zip));
  }
  // 1 January 1980, midnight, in MS-DOS's form: the file must not depend on the clock.
  constexpr zip_uint16_t kTime = 0;
  constexpr zip_uint16_t kDate = 1U << 5U | 1U;
  const auto at = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(zip, at, ZIP_CM_DEFLATE, 0) != 0 ||
      zip_file_set_dostime(zip, at, kTime, kDate, 0) != 0) {
    fail(ErrorCode::io, "member '{}': {}", name, zip_strerror(zip));
  }
}

void check_names(std::span<const NpzMember> members) {
  std::set<std::string_view> seen;
  for (const NpzMember& member : members) {
    if (member.name.empty()) fail(ErrorCode::invalid_argument, "an array to write has no name");
    if (!seen.insert(member.name).second) {
      fail(ErrorCode::invalid_argument, "two arrays to write are called '{}'", member.name);
    }
  }
}

struct FreeSource {
  void operator()(zip_source_t* source) const noexcept { zip_source_free(source); }
};
using Source = std::unique_ptr<zip_source_t, FreeSource>;

std::vector<std::byte> contents_of(zip_source_t* source) {
  zip_stat_t facts;
  zip_stat_init(&facts);
  if (zip_source_stat(source, &facts) != 0 || zip_source_open(source) != 0) {
    fail(ErrorCode::io, "{}", zip_error_strerror(zip_source_error(source)));
  }
  std::vector<std::byte> bytes(facts.size);
  const zip_int64_t got = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  if (got < 0 || static_cast<zip_uint64_t>(got) != facts.size) {
    fail(ErrorCode::io, "{}", zip_error_strerror(zip_source_error(source)));
  }
  return bytes;
}

std::vector<std::byte> zip_bytes(std::span<const NpzMember> members) {
  std::vector<std::vector<std::byte>> contents;  // zip_close reads them
  for (const NpzMember& member : members) contents.push_back(bytes_of(member));
  zip_error_t error;
  zip_error_init(&error);
  const Source source(zip_source_buffer_create(nullptr, 0, 0, &error));
  Zip zip(source == nullptr ? nullptr : zip_open_from_source(source.get(), ZIP_TRUNCATE, &error));
  if (zip == nullptr) fail(ErrorCode::io, "libzip cannot start an archive: {}", zip_error_strerror(&error));
  zip_source_keep(source.get());  // zip_close gives one hold on it back, `source` the other
  for (std::size_t i = 0; i < members.size(); ++i) {
    add_member(zip.get(), members[i].name + std::string(kSuffix), contents[i]);
  }
  if (zip_close(zip.get()) != 0) fail(ErrorCode::io, "{}", zip_strerror(zip.get()));
  static_cast<void>(zip.release());
  return contents_of(source.get());
}

}  // namespace

struct NpzReader::Archive {
  std::filesystem::path path;
  Zip zip;
};

NpzReader::NpzReader(const std::filesystem::path& path)
    : archive_(std::make_unique<Archive>(Archive{path, open_zip(path, ZIP_RDONLY)})) {}
NpzReader::NpzReader(std::span<const std::byte> file, std::string_view name)
    : archive_(std::make_unique<Archive>(Archive{name, open_zip(file, name)})) {}
NpzReader::~NpzReader() = default;
NpzReader::NpzReader(NpzReader&&) noexcept = default;
NpzReader& NpzReader::operator=(NpzReader&&) noexcept = default;

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> names;
  const zip_int64_t count = zip_get_num_entries(archive_->zip.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive_->zip.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_GUESS);
    const std::string_view text = name == nullptr ? "" : name;
    if (text.ends_with(kSuffix)) names.emplace_back(text.substr(0, text.size() - kSuffix.size()));
  }
  return names;
}

bool NpzReader::contains(std::string_view name) const {
  return zip_name_locate(archive_->zip.get(), (std::string(name) + std::string(kSuffix)).c_str(), 0) >= 0;
}

std::vector<std::byte> NpzReader::member(std::string_view name) const {
  const std::string file_name = std::string(name) + std::string(kSuffix);
  zip_t* zip = archive_->zip.get();
  const zip_int64_t index = zip_name_locate(zip, file_name.c_str(), 0);
  if (index < 0) fail(ErrorCode::invalid_argument, "no such array in the file");
  zip_stat_t facts;
  zip_stat_init(&facts);
  const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if (zip_stat_index(zip, static_cast<zip_uint64_t>(index), 0, &facts) != 0 ||
      (facts.valid & needed) != needed) {
    fail(ErrorCode::invalid_model, "the ZIP's directory is damaged: {}", zip_strerror(zip));
  }
  const MemberFile file(zip_fopen_index(zip, static_cast<zip_uint64_t>(index), 0));
  if (file == nullptr) fail(ErrorCode::invalid_model, "cannot unpack: {}", zip_strerror(zip));
  return read_member(file.get(), facts);
}

Tensor NpzReader::tensor(std::string_view name) const try {
  return parse_npy(member(name));
} catch (const Error& error) {
  throw error.within(fmt::format("{}: array '{}'", archive_->path.string(), name));
}

std::vector<std::string> NpzReader::strings(std::string_view name) const try {
  return parse_npy_text(member(name));
} catch (const Error& error) {
  throw error.within(fmt::format("{}: array '{}'", archive_->path.string(), name));
}

void write_npz(const std::filesystem::path& path, std::span<const NpzMember> members) {
  check_names(members);
  std::vector<std::byte> bytes;
  try {
    bytes = zip_bytes(members);
  } catch (const Error& error) {
    throw error.within("cannot write '" + path.string() + "'");
  }
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace octavo
