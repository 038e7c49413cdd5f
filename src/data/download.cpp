#include "data/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <thread>

#include "base/fail.h"
#include "base/md5.h"
#include "base/streamed_file.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

/// A connection on which nothing comes for this long is given up.
constexpr long kSilenceSeconds = 30;
constexpr long kMostRedirects = 5;

struct CloseEasy {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
};
using Easy = std::unique_ptr<CURL, CloseEasy>;

/// The file under its .part name, written at the end.
class PartFile {
 public:
  explicit PartFile(const fs::path& file) : path_(file) {
    path_ += ".part";
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) complain("create");
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(fd_);
    fail(ErrorCode::io, "another process is fetching '{}'", path_.string());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() { ::close(fd_); }

  [[nodiscard]] const fs::path& path() const noexcept { return path_; }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(fs::file_size(path_)); }

  /// Whether the bytes were written; `error()` says why not.
  bool append(std::span<const char> bytes) noexcept {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        error_ = errno;
        return false;
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
  }
  [[nodiscard]] int error() const noexcept { return error_; }

  void clear() {
    if (::ftruncate(fd_, 0) != 0) complain("empty");
  }
  void sync() {
    if (::fsync(fd_) != 0) complain("write");
  }

 private:
  [[noreturn]] void complain(const char* what) const {
    fail(ErrorCode::io, "cannot {} '{}': {}", what, path_.string(), std::strerror(errno));
  }

  fs::path path_;
  int fd_ = -1;
  int error_ = 0;
};

/// What one request came to.
enum class Outcome { done, again, from_start };

/// One request's ways to its file and its listener.
struct Transfer {
  const Download* what;
  PartFile* part;
  std::int64_t begin = 0;
};

std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* user) {
  const auto* transfer = static_cast<Transfer*>(user);
  return transfer->part->append({bytes, size * count}) ? size * count : 0;
}

int show_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  const auto* transfer = static_cast<Transfer*>(user);
  if (transfer->what->progress && now > 0) {
    transfer->what->progress(transfer->begin + now, total > 0 ? transfer->begin + total : 0);
  }
  return 0;
}

Easy new_request(const Download& what) {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  Easy easy(kStarted == CURLE_OK ? curl_easy_init() : nullptr);
  if (easy == nullptr) fail(ErrorCode::io, "libcurl cannot start");
  CURL* curl = easy.get();
  curl_easy_setopt(curl, CURLOPT_URL, what.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMostRedirects);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kSilenceSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilenceSeconds);
  return easy;
}

/// The size that the server states; -1 when it does not.
std::int64_t stated_size(const Download& what) {
  const Easy easy = new_request(what);
  curl_easy_setopt(easy.get(), CURLOPT_NOBODY, 1L);
  curl_off_t size = -1;
  if (curl_easy_perform(easy.get()) == CURLE_OK) {
    curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
  }
  return size;
}

void check_room(const Download& what, std::int64_t size, std::int64_t there) {
  const fs::path folder = what.file.has_parent_path() ? what.file.parent_path() : ".";
  std::error_code error;
  const auto space = fs::space(folder, error);
  if (error) fail(ErrorCode::io, "cannot tell the free space of '{}': {}", folder.string(), error.message());
  const std::int64_t needed = std::max<std::int64_t>(0, size - there) + what.bytes_beside;
  if (needed > static_cast<std::int64_t>(space.available)) {
    fail(ErrorCode::io, "'{}' needs {:.1f} GB free for {} and what is made of it, there are {:.1f} GB",
         folder.string(), static_cast<double>(needed) / 1e9, what.url,
         static_cast<double>(space.available) / 1e9);
  }
}

/// Whether trying again may help after this HTTP status: it is the server's trouble of the moment.
bool is_passing(long status) { return status == 408 || status == 429 || status >= 500; }

Outcome judge(const Download& what, CURL* curl, CURLcode code, const PartFile& part) {
  if (code == CURLE_OK) return Outcome::done;
  if (part.error() != 0) {
    fail(ErrorCode::io, "cannot write '{}': {}", part.path().string(), std::strerror(part.error()));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      fail(ErrorCode::invalid_argument, "'{}': {}", what.url, curl_easy_strerror(code));
    case CURLE_RANGE_ERROR:  // the server cannot begin in the middle
      return Outcome::from_start;
    case CURLE_HTTP_RETURNED_ERROR:
      if (status == 416) return Outcome::from_start;  // more is there than the server has
      if (is_passing(status)) return Outcome::again;
      fail(ErrorCode::io, "{}: the server answers {}", what.url, status);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_TOO_MANY_REDIRECTS:
      fail(ErrorCode::io, "{}: {}", what.url, curl_easy_strerror(code));
    default:
      return Outcome::again;
  }
}

/// Appends to the part until it is whole. The pauses between attempts start over whenever something came.
void fetch(const Download& what, PartFile& part, std::int64_t size) {
  std::chrono::milliseconds pause = what.pause;
  for (int tries = 1; part.size() != size;) {
    Transfer transfer{&what, &part, part.size()};
    const Easy easy = new_request(what);
    CURL* curl = easy.get();
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.begin));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, show_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
    const CURLcode code = curl_easy_perform(curl);
    const Outcome outcome = judge(what, curl, code, part);
    if (outcome == Outcome::done && size >= 0 && part.size() != size) {
      fail(ErrorCode::io, "{}: the server said {} bytes and sent {}", what.url, size, part.size());
    }
    if (outcome == Outcome::done) return;
    if (part.size() > transfer.begin) {
      tries = 0;
      pause = what.pause;
    }
    if (outcome == Outcome::from_start) part.clear();
    if (++tries > what.attempts) {
      fail(ErrorCode::io, "{}: {} ({} attempts, {} bytes are there)", what.url, curl_easy_strerror(code),
           what.attempts, part.size());
    }
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

}  // namespace

void download(const Download& what) {
  if (fs::exists(what.file)) return;
  if (what.file.has_parent_path()) make_folder(what.file.parent_path());
  PartFile part(what.file);
  const std::int64_t size = stated_size(what);
  if (size >= 0 && part.size() > size) part.clear();
  check_room(what, size, part.size());
  for (int rounds = 1;; ++rounds) {
    fetch(what, part, size);
    part.sync();
    if (what.md5.empty()) break;
    const std::string found = md5_of_file(part.path());
    if (found == what.md5) break;
    part.clear();
    if (rounds == 2) fail(ErrorCode::io, "{}: its MD5 is {}, expected {}", what.url, found, what.md5);
  }
  std::error_code error;
  fs::rename(part.path(), what.file, error);
  if (error) fail(ErrorCode::io, "cannot rename to '{}': {}", what.file.string(), error.message());
}

}  // namespace octavo
