#pragma once
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

/// For readers that take a path: the same file in memory-backed storage, overwritten for each input.
class InputFile {
 public:
  /// `name` with its extension, by which some readers tell what a file is.
  explicit InputFile(const std::string& name)
      : path_(std::filesystem::path("/dev/shm") /
              ("octavo-fuzz-" + std::to_string(::getpid()) + "-" + name)) {}
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { std::filesystem::remove(path_); }

  const std::filesystem::path& holding(const std::uint8_t* data, std::size_t size) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    return path_;
  }

 private:
  std::filesystem::path path_;
};
