#include "data/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/fail.h"
#include "data/decode.h"

namespace octavo {
namespace {

/// Fixed-point weights: 8 bits for the byte, 2 to spare for sums that overshoot, the rest of 32 for the
/// fraction.
constexpr int kFractionBits = 32 - 8 - 2;

/// Which source pixels make one result pixel, and how much each counts.
template <class Weight>
struct Window {
  std::int64_t first = 0;
  std::vector<Weight> weights;
};

template <class Weight>
using Windows = std::vector<Window<Weight>>;

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

std::int32_t fixed_point(double weight) {
  const double scaled = weight * (1 << kFractionBits);
  return static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/// With scale = src / dst and width = max(scale, 1), the centre of result pixel i lies at c = (i + 0.5) *
/// scale, and
///   weight[x] = triangle((x + 0.5 - c) / width) / sum of all,   x from round(c - width) to round(c + width)
///   - 1
/// within the picture. The order of the operations is Pillow's: its doubles decide the last bit of the fixed
/// point.
Windows<std::int32_t> bilinear_windows(std::int64_t src, std::int64_t dst) {
  Windows<std::int32_t> windows(static_cast<std::size_t>(dst));
  const double scale = static_cast<double>(src) / static_cast<double>(dst);
  const double width = std::max(scale, 1.0);
  const double per_width = 1.0 / width;
  std::vector<double> weights;
  for (std::int64_t i = 0; i < dst; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - width + 0.5), 0);
    const auto end = std::min(static_cast<std::int64_t>(centre + width + 0.5), src);
    weights.clear();
    double sum = 0;
    for (std::int64_t x = 0; x < end - first; ++x) {
      weights.push_back(triangle((static_cast<double>(x + first) - centre + 0.5) * per_width));
      sum += weights.back();
    }
    Window<std::int32_t>& window = windows[static_cast<std::size_t>(i)];
    window.first = first;
    for (const double weight : weights)
      window.weights.push_back(fixed_point(sum != 0 ? weight / sum : weight));
  }
  return windows;
}

/// weight[x] = the share of result pixel i's extent [i, i + 1) * src / dst that lies on source pixel x.
Windows<double> area_windows(std::int64_t src, std::int64_t dst) {
  Windows<double> windows(static_cast<std::size_t>(dst));
  const double scale = static_cast<double>(src) / static_cast<double>(dst);
  for (std::int64_t i = 0; i < dst; ++i) {
    // i * src / dst in integers: the extent's ends are exact, and a whole one leaves no sliver behind.
    Window<double>& window = windows[static_cast<std::size_t>(i)];
    window.first = i * src / dst;
    const std::int64_t end = std::min(((i + 1) * src + dst - 1) / dst, src);
    for (std::int64_t x = window.first; x < end; ++x) {
      const std::int64_t from = std::max(i * src, x * dst);
      const std::int64_t to = std::min((i + 1) * src, (x + 1) * dst);
      window.weights.push_back(static_cast<double>(to - from) / static_cast<double>(dst) / scale);
    }
  }
  return windows;
}

/// One fixed-point sum to a byte, rounded half up, clipped.
std::uint8_t byte_of(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

/// dst[y, i] = sum over x of weight[i, x] * src[y, first[i] + x], rounded to a byte.
Image resize_rows(const Image& src, const Windows<std::int32_t>& windows) {
  constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);
  Image dst(static_cast<std::int64_t>(windows.size()), src.height);
  for (std::int64_t y = 0; y < src.height; ++y) {
    std::uint8_t* out = dst.row(y);
    for (const Window<std::int32_t>& window : windows) {
      const std::uint8_t* in = src.row(y) + window.first * 3;
      std::int32_t red = kHalf;
      std::int32_t green = kHalf;
      std::int32_t blue = kHalf;
      for (const std::int32_t weight : window.weights) {
        red += in[0] * weight;
        green += in[1] * weight;
        blue += in[2] * weight;
        in += 3;
      }
      *out++ = byte_of(red);
      *out++ = byte_of(green);
      *out++ = byte_of(blue);
    }
  }
  return dst;
}

/// dst[i, x] = sum over y of weight[i, y] * src[first[i] + y, x], rounded to a byte.
Image resize_columns(const Image& src, const Windows<std::int32_t>& windows) {
  constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);
  Image dst(src.width, static_cast<std::int64_t>(windows.size()));
  std::vector<std::int32_t> sums(static_cast<std::size_t>(src.width) * 3);
  for (std::int64_t y = 0; y < dst.height; ++y) {
    const Window<std::int32_t>& window = windows[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    for (std::size_t k = 0; k < window.weights.size(); ++k) {
      const std::uint8_t* in = src.row(window.first + static_cast<std::int64_t>(k));
      for (std::size_t x = 0; x < sums.size(); ++x) sums[x] += in[x] * window.weights[k];
    }
    std::transform(sums.begin(), sums.end(), dst.row(y), byte_of);
  }
  return dst;
}

/// Adds weight * row, shrunk to the windows' width, to `sums`.
void add_area_row(const std::uint8_t* row, double weight, const Windows<double>& windows, double* sums) {
  for (const Window<double>& window : windows) {
    const std::uint8_t* in = row + window.first * 3;
    for (const double share : window.weights) {
      for (int c = 0; c < 3; ++c) sums[c] += weight * share * *in++;
    }
    sums += 3;
  }
}

/// Bytes are rounded between the passes, so their order shows. Pillow 13 takes the columns first when they
/// lose more than twice as many pixels as the rows do (older versions never did); measured on pairs of sizes
/// around the border.
bool is_columns_first(const Image& image, std::int64_t width, std::int64_t height) {
  return image.height - height > std::max<std::int64_t>(0, 2 * (image.width - width));
}

void check_sizes(const Image& image, std::int64_t width, std::int64_t height) {
  if (image.width < 1 || image.height < 1) {
    fail(ErrorCode::invalid_argument, "cannot resize an empty picture of {} x {}", image.width, image.height);
  }
  if (width < 1 || height < 1 || width > kMostPixels / height) {
    fail(ErrorCode::invalid_argument, "cannot resize to {} x {} pixels", width, height);
  }
}

}  // namespace

Image resize_bilinear(const Image& image, std::int64_t width, std::int64_t height) {
  check_sizes(image, width, height);
  if (width == image.width && height == image.height) return image;
  if (width == image.width) return resize_columns(image, bilinear_windows(image.height, height));
  if (height == image.height) return resize_rows(image, bilinear_windows(image.width, width));
  const Windows<std::int32_t> across = bilinear_windows(image.width, width);
  const Windows<std::int32_t> down = bilinear_windows(image.height, height);
  return is_columns_first(image, width, height) ? resize_rows(resize_columns(image, down), across)
                                                : resize_columns(resize_rows(image, across), down);
}

Image resize_area(const Image& image, std::int64_t width, std::int64_t height) {
  check_sizes(image, width, height);
  const Windows<double> across = area_windows(image.width, width);
  const Windows<double> down = area_windows(image.height, height);
  Image dst(width, height);
  std::vector<double> sums(static_cast<std::size_t>(width) * 3);
  for (std::int64_t y = 0; y < height; ++y) {
    const Window<double>& window = down[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t k = 0; k < window.weights.size(); ++k) {
      const std::uint8_t* row = image.row(window.first + static_cast<std::int64_t>(k));
      add_area_row(row, window.weights[k], across, sums.data());
    }
    std::transform(sums.begin(), sums.end(), dst.row(y), [](double sum) {
      return static_cast<std::uint8_t>(std::clamp(std::nearbyint(sum), 0.0, 255.0));
    });
  }
  return dst;
}

}  // namespace octavo
