#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace octavo {

/// A file to fetch over HTTP.
struct Download {
  std::string url;             ///< http or https
  std::filesystem::path file;  ///< where it is to stand
  std::string md5;             ///< 32 hex digits; empty = unchecked
  /// Bytes that its disk must have free besides the download.
  std::int64_t bytes_beside = 0;
  /// How often a request that got nothing is repeated, and how long it is waited before; the pause doubles.
  int attempts = 8;
  std::chrono::milliseconds pause{1000};
  /// Told now and then how many bytes are there of how many (0 = unknown).
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

/// Fetches the file, if it does not stand there yet. Until it is whole and its MD5 right it is called
/// `file`.part; a later call goes on with what is there, and so does this one when the connection breaks. A
/// wrong MD5 throws everything away and starts over once. Error(io) naming the URL and what is wrong: the
/// server says no, it keeps failing, the disk has no room (said before the first byte) or is full after all,
/// the MD5 is wrong again; Error(invalid_argument) for a URL that is none.
void download(const Download& what);

}  // namespace octavo
