#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "octavo/session.h"

namespace octavo {

/// The mark by which the writer finds the slot in the library's file.
inline constexpr char kSlotMark[16] = {'O', 'c', 't', 'a', 'v', 'o', ' ',  'p',
                                       'a', 'c', 'k', 'a', 'g', 'e', '\1', '\n'};

/// What a model library knows of the package that lies in its file: filled in by `write_model_library`, read
/// by the library itself (src/c_api).
struct PackageSlot {
  char mark[16];
  std::int64_t distance;  ///< from the slot to the package's first byte, in the address space
  std::int64_t bytes;     ///< 0: there is none
};

/// Which part of a package goes into a model library.
enum class LibraryWeights {
  inside,    ///< all of it
  external,  ///< manifest and plan; the weights are taken from a package file when the library is used
};

/// Writes a shared library with the engine, the C API (octavo/c_api.h) and `package`: a copy of `runtime`,
/// which is the bytes of liboctavo_model.so, with one more segment. No linker is needed. Error(invalid_model)
/// when `runtime` is no such library, Error(io) when the file cannot be written; then what stood there stays.
void write_model_library(const std::filesystem::path& path, std::span<const std::byte> runtime,
                         const Package& package, LibraryWeights weights = LibraryWeights::inside);

}  // namespace octavo
