#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "octavo/tensor.h"

/// NumPy's .npy format, versions 1 to 3, little endian:
///   "\x93NUMPY" major minor, length of the header text (u16 in version 1, u32 later),
///   header text {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, then the elements.
/// Element types: f2 f4 f8 u1 i1 u2 i2 i4 i8 b1 and `<U` (fixed-width UTF-32 text).
namespace octavo {

/// What the header of one array says. `shape` is NumPy's, whatever the order of the elements in the file.
struct NpyHeader {
  bool is_text = false;
  DType dtype = DType::f32;        ///< when not text
  std::int64_t element_bytes = 0;  ///< of a text element: 4 bytes a character
  bool is_fortran_order = false;   ///< first index fastest
  std::vector<std::int64_t> shape;
  std::size_t header_bytes = 0;  ///< where the elements start
  std::size_t data_bytes = 0;    ///< how many bytes of elements follow
};

/// The longest header that is read; NumPy itself stops at 10,000 characters.
inline constexpr std::size_t kMostNpyHeaderBytes = 65536;

/// Reads the header at the start of `bytes` (which need not hold more than the header). Error(invalid_model)
/// when it is damaged or the sizes overflow, Error(unsupported) for another element type or byte order.
NpyHeader read_npy_header(std::span<const std::byte> bytes);

/// The array in `bytes`, row-major whatever the file's order; its size must fit the header exactly.
/// Error(invalid_model) as above; Error(invalid_argument) for a text array.
Tensor parse_npy(std::span<const std::byte> bytes);
/// The strings of a text array in C order, as UTF-8; Error(invalid_argument) for an array of numbers.
std::vector<std::string> parse_npy_text(std::span<const std::byte> bytes);

/// As `parse_npy`, of a file; errors start with its path.
Tensor read_npy(const std::filesystem::path& path);

/// The bytes of a .npy file (version 1) with this array. Error(unsupported) for bf16, which NumPy does not
/// know.
std::vector<std::byte> npy_bytes(const TensorView& tensor);
/// The same of a one-dimensional text array; `strings` must be UTF-8 without NUL, Error(invalid_argument)
/// otherwise.
std::vector<std::byte> npy_text_bytes(std::span<const std::string> strings);
/// Writes a .npy file; under its final name it is whole or not there.
void write_npy(const std::filesystem::path& path, const TensorView& tensor);

}  // namespace octavo
