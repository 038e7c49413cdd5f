#include "bench/peers/shared_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>

#include "base/fail.h"

namespace octavo::bench {
namespace {

namespace fs = std::filesystem;

/// The files in `folder` whose names begin with `name`, shortest first.
std::vector<fs::path> named(const fs::path& folder, std::string_view name) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().filename().string().starts_with(name)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// In the active virtual environment; empty when it is not there.
fs::path in_virtual_environment(const LibraryPlaces& places) {
  const char* root = std::getenv("VIRTUAL_ENV");
  if (root == nullptr || *root == '\0') return {};
  for (const fs::path& python : named(fs::path(root) / "lib", "python")) {
    const auto found = named(python / "site-packages" / places.in_wheel, places.name);
    if (!found.empty()) return found.front();
  }
  return {};
}

}  // namespace

SharedLibrary::SharedLibrary(const fs::path& path)
    : path_(path.string()), handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) fail(ErrorCode::io, "cannot load '{}': {}", path_, ::dlerror());
}

SharedLibrary::~SharedLibrary() { ::dlclose(handle_); }

void* SharedLibrary::address(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) fail(ErrorCode::unsupported, "'{}' has no function '{}'", path_, name);
  return found;
}

fs::path find_library(const LibraryPlaces& places, const std::string& given) {
  if (!given.empty()) return given;
  const char* variable = std::getenv(places.environment);
  if (variable != nullptr && *variable != '\0') return variable;
  fs::path in_wheel = in_virtual_environment(places);
  if (!in_wheel.empty()) return in_wheel;
  void* handle = ::dlopen(places.name, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    fail(ErrorCode::io,
         "{} is not installed: no {} found. Activate a virtual environment with `pip install {}`, or give "
         "its path with "
         "--peer-library or {}",
         places.peer, places.name, places.package, places.environment);
  }
  ::dlclose(handle);
  return places.name;
}

}  // namespace octavo::bench
