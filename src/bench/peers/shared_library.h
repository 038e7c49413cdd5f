#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace octavo::bench {

/// A shared library that is loaded at run time and stays until it goes.
class SharedLibrary {
 public:
  /// Error(io) with the path and the loader's reason.
  explicit SharedLibrary(const std::filesystem::path& path);
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;
  ~SharedLibrary();

  /// The function of that name as `Function` (a pointer type). Error(unsupported) naming one that is not
  /// there.
  template <class Function>
  [[nodiscard]] Function function(const char* name) const {
    return reinterpret_cast<Function>(address(name));
  }

 private:
  [[nodiscard]] void* address(const char* name) const;

  std::string path_;
  void* handle_;
};

/// Where a peer's library may be.
struct LibraryPlaces {
  const char* peer;         ///< for messages: "ONNX Runtime"
  const char* environment;  ///< a variable with its path
  const char* name;         ///< "libonnxruntime.so": versions may follow
  const char* in_wheel;     ///< its folder below site-packages
  const char* package;      ///< what pip installs
};

/// The library's path: `given` where that is not empty, else the environment's, else below the active virtual
/// environment, else the bare name for the loader to find. Error(io) with how to install it when the loader
/// cannot find it either.
std::filesystem::path find_library(const LibraryPlaces& places, const std::string& given);

}  // namespace octavo::bench
