#include "package/tar.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/fail.h"

namespace octavo {
namespace {

constexpr std::size_t kBlock = 512;

// Field offsets and widths of a ustar header, POSIX.1-1988 section 10.1.1.
struct Field {
  std::size_t at;
  std::size_t width;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kTypeFlag = 156;
constexpr Field kMagic{257, 8};
constexpr Field kPrefix{345, 155};

using Header = std::array<char, kBlock>;

std::uint64_t checksum_of(Header header) noexcept {
  std::memset(header.data() + kChecksum.at, ' ', kChecksum.width);
  std::uint64_t sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  return sum;
}

std::uint64_t read_octal(const Header& header, Field field) {
  std::uint64_t value = 0;
  const auto first = static_cast<unsigned char>(header[field.at]);
  if ((first & 0x80U) != 0) {  // base 256, for sizes of 8 GiB and more
    value = first & 0x7FU;
    for (std::size_t i = 1; i < field.width; ++i) {
      if (value >> 50 != 0) fail(ErrorCode::invalid_model, "a tar header holds an absurd number");
      value = value << 8 | static_cast<unsigned char>(header[field.at + i]);
    }
    return value;
  }
  for (std::size_t i = 0; i < field.width; ++i) {
    const char c = header[field.at + i];
    if (c == '\0' || c == ' ') continue;
    if (c < '0' || c > '7')
      fail(ErrorCode::invalid_model, "a tar header holds '{}' where a digit belongs", c);
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::string read_text(const Header& header, Field field) {
  const char* start = header.data() + field.at;
  return {start, strnlen(start, field.width)};
}

void write_octal(Header& header, Field field, std::uint64_t value) {
  if (field.width == kSize.width && value >> 33 != 0) {
    for (std::size_t i = field.width; i-- > 1; value >>= 8)
      header[field.at + i] = static_cast<char>(value & 0xFFU);
    header[field.at] = static_cast<char>(0x80);
    return;
  }
  const std::string digits = fmt::format("{:0{}o}", value, field.width - 1);
  std::memcpy(header.data() + field.at, digits.data(), digits.size());
}

Header make_header(const TarMember& member) {
  if (member.name.size() > kName.width - 1) {
    fail(ErrorCode::internal, "package member name '{}' is too long", member.name);
  }
  Header header{};
  std::memcpy(header.data() + kName.at, member.name.data(), member.name.size());
  write_octal(header, kMode, 0644);
  write_octal(header, kUid, 0);
  write_octal(header, kGid, 0);
  write_octal(header, kSize, member.bytes.size());
  write_octal(header, kTime, 0);
  header[kTypeFlag] = '0';
  std::memcpy(header.data() + kMagic.at, "ustar\00000", kMagic.width);
  const std::string sum = fmt::format("{:06o}", checksum_of(header));
  std::memcpy(header.data() + kChecksum.at, sum.data(), sum.size());
  header[kChecksum.at + 7] = ' ';
  return header;
}

bool is_empty(const Header& header) noexcept {
  return std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; });
}

}  // namespace

std::vector<TarMember> read_tar(std::span<const std::byte> archive) {
  std::vector<TarMember> members;
  std::size_t at = 0;
  while (archive.size() - at >= kBlock) {
    Header header;
    std::memcpy(header.data(), archive.data() + at, kBlock);
    if (is_empty(header)) return members;
    if (read_octal(header, kChecksum) != checksum_of(header)) {
      fail(ErrorCode::invalid_model, "damaged tar header at byte {}", at);
    }
    at += kBlock;
    std::string name = read_text(header, kName);
    const std::string prefix = read_text(header, kPrefix);
    if (!prefix.empty()) name = prefix + "/" + name;
    const std::uint64_t size = read_octal(header, kSize);
    if (size > archive.size() - at) {
      fail(ErrorCode::invalid_model, "member '{}' of {} bytes reaches past the archive's end", name, size);
    }
    const char kind = header[kTypeFlag];
    if (kind == '0' || kind == '\0') {
      members.push_back({std::move(name), archive.subspan(at, size)});
    } else if (kind != '5') {
      fail(ErrorCode::invalid_model, "member '{}' is of kind '{}', neither file nor folder", name, kind);
    }
    at += std::min((static_cast<std::size_t>(size) + kBlock - 1) / kBlock * kBlock, archive.size() - at);
  }
  fail(ErrorCode::invalid_model, "the archive ends without its end mark: truncated at {} bytes",
       archive.size());
}

std::int64_t tar_bytes(std::span<const TarMember> members) {
  std::size_t bytes = 2 * kBlock;
  for (const TarMember& member : members)
    bytes += kBlock + (member.bytes.size() + kBlock - 1) / kBlock * kBlock;
  return static_cast<std::int64_t>(bytes);
}

void write_tar(AtomicFile& file, std::span<const TarMember> members) {
  static constexpr std::array<std::byte, 2 * kBlock> kZeros{};
  for (const TarMember& member : members) {
    const Header header = make_header(member);
    file.write(std::as_bytes(std::span(header)));
    file.write(member.bytes);
    file.write(std::span(kZeros).first((kBlock - member.bytes.size() % kBlock) % kBlock));
  }
  file.write(kZeros);
}

void write_tar(const std::filesystem::path& path, std::span<const TarMember> members) {
  AtomicFile file(path);
  write_tar(file, members);
  file.commit();
}

}  // namespace octavo
