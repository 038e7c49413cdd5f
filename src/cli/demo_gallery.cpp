#include "cli/demo_gallery.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/ansi_picture.h"
#include "cli/scoring.h"

namespace octavo::cli {
namespace {

constexpr std::int64_t kBest = 3;
constexpr std::int64_t kMostBeside = 5;
constexpr std::int64_t kGap = 2;

struct Guess {
  std::string name;
  float score = 0.0F;
};

struct Caption {
  std::string truth;
  std::vector<Guess> best;
  [[nodiscard]] std::string_view verdict() const { return best[0].name == truth ? "found" : "missed"; }
};

Caption caption_of(const ShapePictures& pictures, const Tensor& logits, std::int64_t picture) {
  const auto row = row_of(logits, picture);
  const auto name = [&](std::int64_t c) { return pictures.classes[static_cast<std::size_t>(c)]; };
  Caption caption{name(pictures.labels[static_cast<std::size_t>(picture)]), {}};
  for (std::int64_t c : top_classes(row, kBest)) {
    caption.best.push_back({name(c), row[static_cast<std::size_t>(c)]});
  }
  return caption;
}

/// A picture and its caption as lines that are all `width` characters wide on the screen.
std::vector<std::string> block_of(const Image& image, const Caption& caption) {
  constexpr std::string_view kBold = "\x1b[1m", kRed = "\x1b[1;31m", kPlain = "\x1b[0m";
  const std::int64_t width = image.width;
  std::vector<std::string> lines = ansi_lines(image);
  const bool is_found = caption.verdict() == "found";
  lines.push_back(fmt::format("{}{:<{}}{}", is_found ? kBold : kRed,
                              caption.truth + (is_found ? "" : " (missed)"), width, kPlain));
  for (const Guess& guess : caption.best) {
    lines.push_back(fmt::format("{:<{}}{:5.1f}", "  " + guess.name, width - 5, guess.score));
  }
  return lines;
}

std::string beside_each_other(const std::vector<std::vector<std::string>>& blocks) {
  std::string text;
  for (std::size_t line = 0; line < blocks[0].size(); ++line) {
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (b > 0) text.append(kGap, ' ');
      text += blocks[b][line];
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string gallery_text(const ShapePictures& pictures, const Tensor& logits,
                         std::span<const std::int64_t> shown) {
  std::string text;
  for (std::int64_t picture : shown) {
    const Caption caption = caption_of(pictures, logits, picture);
    text += fmt::format("  {:<9} {:<6} ", caption.truth, caption.verdict());
    for (const Guess& guess : caption.best) text += fmt::format(" {:>9} {:5.1f}", guess.name, guess.score);
    text += '\n';
  }
  return text;
}

std::string gallery_in_colours(const ShapePictures& pictures, const Tensor& logits,
                               std::span<const std::int64_t> shown, int columns) {
  const std::int64_t whole = pictures.images.at(0).width;
  const bool is_wide = columns >= kMostBeside * (whole + kGap) - kGap;
  const std::int64_t each = (is_wide ? whole : whole / 2) + kGap;
  const auto beside =
      static_cast<std::size_t>(std::clamp<std::int64_t>((columns + kGap) / each, 1, kMostBeside));
  std::string text;
  for (std::size_t at = 0; at < shown.size(); at += beside) {
    std::vector<std::vector<std::string>> blocks;
    for (std::int64_t picture : shown.subspan(at, std::min(beside, shown.size() - at))) {
      const Image& image = pictures.images[static_cast<std::size_t>(picture)];
      blocks.push_back(block_of(is_wide ? image : halved(image), caption_of(pictures, logits, picture)));
    }
    text += beside_each_other(blocks) + '\n';
  }
  return text;
}

}  // namespace octavo::cli
