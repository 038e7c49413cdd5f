#include "data/npy.h"

#include <array>
#include <cstring>
#include <string_view>

#include "base/atomic_file.h"
#include "base/fail.h"
#include "base/mapped_file.h"
#include "data/npy_header.h"

namespace octavo {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kVersionBytes = 2;
/// NumPy pads the header so that the elements start on this boundary.
constexpr std::size_t kElementsAlignment = 64;

std::uint32_t little_endian(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

std::string_view descr_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "<f4";
    case DType::f16:
      return "<f2";
    case DType::f64:
      return "<f8";
    case DType::u8:
      return "|u1";
    case DType::s8:
      return "|i1";
    case DType::u16:
      return "<u2";
    case DType::s16:
      return "<i2";
    case DType::s32:
      return "<i4";
    case DType::s64:
      return "<i8";
    case DType::boolean:
      return "|b1";
    case DType::bf16:
      break;
  }
  fail(ErrorCode::unsupported, "NumPy has no type for {}", dtype_name(dtype));
}

/// Header text as NumPy writes it: (), (3,), (2, 3).
std::vector<std::byte> header_bytes(std::string_view descr, std::span<const std::int64_t> shape) {
  std::string extents;
  for (std::int64_t extent : shape) extents += fmt::format("{}, ", extent);
  if (shape.size() == 1) extents.pop_back();
  if (shape.size() > 1) extents.resize(extents.size() - 2);
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, extents);
  const std::size_t prefix = kMagic.size() + kVersionBytes + sizeof(std::uint16_t);
  const std::size_t used = prefix + text.size() + 1;
  text.append((kElementsAlignment - used % kElementsAlignment) % kElementsAlignment, ' ');
  text += '\n';
  std::string all(kMagic);
  all += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8U)};
  all += text;
  const auto bytes = std::as_bytes(std::span(all));
  return {bytes.begin(), bytes.end()};
}

/// The header of a whole array; its elements must end where `bytes` end.
NpyHeader checked_header(std::span<const std::byte> bytes) {
  NpyHeader header = read_npy_header(bytes);
  if (bytes.size() - header.header_bytes != header.data_bytes) {
    fail(ErrorCode::invalid_model, "npy: shape {} needs {} bytes of elements, but {} follow the header",
         shape_text(header.shape), header.data_bytes, bytes.size() - header.header_bytes);
  }
  return header;
}

/// Copies elements stored first-index-fastest to row-major:
///   dst[i0, i1, ...] = src[i0 + n0 * (i1 + n1 * ...)]
void copy_from_fortran_order(const NpyHeader& header, const std::byte* src, std::byte* dst) {
  const std::size_t rank = header.shape.size();
  const std::int64_t elements = element_count(header.shape);
  const auto size = static_cast<std::size_t>(header.element_bytes);
  std::vector<std::int64_t> strides(rank, 1);
  for (std::size_t d = 1; d < rank; ++d) strides[d] = strides[d - 1] * header.shape[d - 1];
  std::vector<std::int64_t> index(rank, 0);
  std::int64_t from = 0;
  for (std::int64_t to = 0; to < elements; ++to) {
    std::memcpy(dst, src + from * header.element_bytes, size);
    dst += size;
    for (std::size_t d = rank; d-- > 0;) {
      from += strides[d];
      if (++index[d] < header.shape[d]) break;
      from -= strides[d] * header.shape[d];
      index[d] = 0;
    }
  }
}

void copy_elements(const NpyHeader& header, std::span<const std::byte> bytes, std::byte* dst) {
  const std::byte* src = bytes.data() + header.header_bytes;
  if (header.data_bytes == 0) return;
  if (header.is_fortran_order) {
    copy_from_fortran_order(header, src, dst);
  } else {
    std::memcpy(dst, src, header.data_bytes);
  }
}

bool is_character(std::uint32_t c) { return c < 0x110000 && (c < 0xd800 || c >= 0xe000); }

void append_utf8(std::string& text, std::uint32_t c) {
  const auto put = [&text](std::uint32_t byte) {
    text += static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0U | c >> 6U);
  } else if (c < 0x10000) {
    put(0xe0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3fU));
  } else {
    put(0xf0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3fU));
    put(0x80U | (c >> 6U & 0x3fU));
  }
  put(0x80U | (c & 0x3fU));
}

/// One fixed-width UTF-32 element, without the NULs that fill it up.
std::string utf8_of(std::span<const std::byte> element) {
  std::string text;
  std::size_t end = element.size();
  while (end >= 4 && little_endian(element.subspan(end - 4, 4)) == 0) end -= 4;
  for (std::size_t at = 0; at < end; at += 4) {
    const std::uint32_t c = little_endian(element.subspan(at, 4));
    if (!is_character(c)) fail(ErrorCode::invalid_model, "npy: text holds U+{:X}, which is no character", c);
    append_utf8(text, c);
  }
  return text;
}

/// The characters of a UTF-8 string; overlong forms, stray bytes and NUL are refused.
std::vector<std::uint32_t> characters_of(const std::string& text) {
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 1, 0x80, 0x800, 0x10000};
  std::vector<std::uint32_t> characters;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    std::uint32_t c = length == 1 ? first : first & (0x7fU >> length);
    bool is_good = length > 0 && first < 0xf8 && at + length <= text.size();
    for (std::size_t i = 1; is_good && i < length; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      is_good = (next & 0xc0U) == 0x80U;
      c = c << 6U | (next & 0x3fU);
    }
    if (!is_good || !is_character(c) || c < kSmallest[length]) {
      fail(ErrorCode::invalid_argument, "npy: a string is not UTF-8 without NUL at byte {}", at);
    }
    characters.push_back(c);
    at += length;
  }
  return characters;
}

}  // namespace

NpyHeader read_npy_header(std::span<const std::byte> bytes) {
  const auto require_bytes = [&](std::size_t needed) {
    if (bytes.size() >= needed) return;
    fail(ErrorCode::invalid_model, "npy: ends after {} bytes, within its header of {}", bytes.size(), needed);
  };
  std::size_t at = kMagic.size();
  require_bytes(at + kVersionBytes);
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    fail(ErrorCode::invalid_model, "npy: does not start with \\x93NUMPY");
  }
  const auto version = std::to_integer<int>(bytes[at]);
  if (version < 1 || version > 3)
    fail(ErrorCode::unsupported, "npy: format version {}, known are 1 to 3", version);
  at += kVersionBytes;
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  require_bytes(at + length_bytes);
  const std::size_t length = little_endian(bytes.subspan(at, length_bytes));
  at += length_bytes;
  if (at + length > kMostNpyHeaderBytes) {
    fail(ErrorCode::invalid_model, "npy: header of {} bytes, at most {} are read", length,
         kMostNpyHeaderBytes);
  }
  require_bytes(at + length);
  const auto text = bytes.subspan(at, length);
  NpyHeader header = parse_npy_header_text({reinterpret_cast<const char*>(text.data()), text.size()});
  header.header_bytes = at + length;
  return header;
}

Tensor parse_npy(std::span<const std::byte> bytes) {
  const NpyHeader header = checked_header(bytes);
  if (header.is_text) fail(ErrorCode::invalid_argument, "npy: holds text, not numbers");
  Tensor tensor(header.dtype, header.shape);
  copy_elements(header, bytes, tensor.data());
  return tensor;
}

std::vector<std::string> parse_npy_text(std::span<const std::byte> bytes) {
  const NpyHeader header = checked_header(bytes);
  if (!header.is_text) fail(ErrorCode::invalid_argument, "npy: holds {}, not text", dtype_name(header.dtype));
  std::vector<std::byte> elements(header.data_bytes);
  copy_elements(header, bytes, elements.data());
  std::vector<std::string> strings;
  const auto width = static_cast<std::size_t>(header.element_bytes);
  for (std::size_t at = 0; at < elements.size(); at += width) {
    strings.push_back(utf8_of(std::span(elements).subspan(at, width)));
  }
  return strings;
}

Tensor read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return parse_npy(file.bytes());
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

std::vector<std::byte> npy_bytes(const TensorView& tensor) {
  std::vector<std::byte> bytes = header_bytes(descr_of(tensor.dtype), tensor.shape);
  bytes.insert(bytes.end(), tensor.data, tensor.data + tensor.bytes());
  return bytes;
}

std::vector<std::byte> npy_text_bytes(std::span<const std::string> strings) {
  std::vector<std::vector<std::uint32_t>> texts;
  std::size_t width = 1;
  for (const std::string& text : strings) {
    texts.push_back(characters_of(text));
    width = std::max(width, texts.back().size());
  }
  const std::array<std::int64_t, 1> shape{static_cast<std::int64_t>(strings.size())};
  std::vector<std::byte> bytes = header_bytes(fmt::format("<U{}", width), shape);
  for (std::vector<std::uint32_t>& text : texts) {
    text.resize(width);
    for (const std::uint32_t c : text) {
      for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::byte>(c >> shift));
    }
  }
  return bytes;
}

void write_npy(const std::filesystem::path& path, const TensorView& tensor) {
  const std::vector<std::byte> bytes = npy_bytes(tensor);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace octavo
