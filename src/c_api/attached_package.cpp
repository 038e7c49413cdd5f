#include "c_api/attached_package.h"

#include <algorithm>

#include "base/fail.h"
#include "package/model_library.h"
#include "package/package.h"

namespace octavo {
namespace {

// Volatile: the compiler must not take what is written here for what will stand here.
[[gnu::used]] volatile PackageSlot slot{
    {'O', 'c', 't', 'a', 'v', 'o', ' ', 'p', 'a', 'c', 'k', 'a', 'g', 'e', '\1', '\n'}, 0, 0};

std::span<const std::byte> attached_bytes() {
  const std::int64_t bytes = slot.bytes;
  if (bytes == 0) fail(ErrorCode::invalid_argument, "this library carries no package");
  const auto* here = reinterpret_cast<const std::byte*>(const_cast<const PackageSlot*>(&slot));
  return {here + slot.distance, static_cast<std::size_t>(bytes)};
}

}  // namespace

Package attached_package(const char* weights) {
  const auto file = attached_bytes();
  if (weights != nullptr) return read_package(file, MappedFile(weights));
  try {
    return read_package(file);
  } catch (const Error& e) {
    if (read_tar(file).size() > 2) throw;
    fail(ErrorCode::invalid_argument, "this library was made without weights and needs a package file: {}",
         e.what());
  }
}

}  // namespace octavo
