#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/image.h"

namespace octavo {

/// A picture, or the reason why there is none.
struct DecodedPicture {
  std::optional<Image> image;
  std::string problem;
};

/// One picture of a Dataset: where it is, and its class when the place says so.
struct DatasetItem {
  std::string name;  ///< path within the folder or archive, with '/'
  std::optional<std::int64_t> label;
  std::optional<std::vector<std::byte>>
      bytes;  ///< the encoded picture; nothing when it lies in a file of its own
};

/// An ordered list of pictures, of which many may have a known class. Reading items is safe from several
/// threads.
class Dataset {
 public:
  /// `folder` holds the items whose bytes are in files.
  Dataset(std::filesystem::path folder, std::vector<DatasetItem> items);

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] const std::string& name(std::size_t i) const { return items_.at(i).name; }
  [[nodiscard]] std::optional<std::int64_t> label(std::size_t i) const { return items_.at(i).label; }
  /// Decodes item i. A missing or damaged picture is reported in the result, so that the caller can go on.
  [[nodiscard]] DecodedPicture picture(std::size_t i) const;

 private:
  std::filesystem::path folder_;
  std::vector<DatasetItem> items_;
};

/// The pictures (.jpg .jpeg .png, in either case) directly in `folder`, by name. A name that starts with
/// digits and '_'
/// (`000_n01440764_tench.JPEG`) gives the label. Error(io) when the folder cannot be read,
/// Error(invalid_argument) when it has no picture.
Dataset open_photos(const std::filesystem::path& folder);

/// The pictures in the folders CLASS of `folder`, by path; the label is the place of CLASS among them in
/// sorted order. Errors as above.
Dataset open_class_folders(const std::filesystem::path& folder);

/// The pictures `…/CLASS/NAME` of a tar archive, plain or compressed, held in memory, by path; the label is
/// the place of CLASS among the classes in sorted order. Error(io) when it cannot be opened;
/// Error(invalid_model) when it is damaged, a path occurs twice or lies outside any class, or it unpacks to
/// more than kMostArchiveBytes or to an absurd multiple of its size.
Dataset open_archive(const std::filesystem::path& path);

/// Whichever of the three `path` is: a file is an archive, a folder without a picture of its own has classes.
Dataset open_dataset(const std::filesystem::path& path);

inline constexpr std::size_t kMostArchiveBytes = std::size_t{4} << 30U;

}  // namespace octavo
