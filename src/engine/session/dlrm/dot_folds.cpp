#include "engine/session/dlrm/dot_folds.h"

#include <algorithm>

namespace octavo {
namespace {

/// The products of vector `i` with 16 j-vectors from `first` on: a row of a tile of sums.
struct Piece {
  std::int64_t i, first, count;
  [[nodiscard]] std::int64_t offset() const noexcept {
    return (dlrm_dot_tiles(i / 16) + first / 16) * 256 + i % 16 * 16;
  }
};

std::vector<Piece> pieces_of(std::int64_t vectors, bool with_self) {
  std::vector<Piece> pieces;
  for (std::int64_t i = 0; i < vectors; ++i) {
    const std::int64_t count = i + (with_self ? 1 : 0);
    for (std::int64_t first = 0; first < count; first += 16)
      pieces.push_back({i, first, std::min<std::int64_t>(16, count - first)});
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.count > b.count; });
  return pieces;
}

/// The byte of lane `lane` of fold `fold`: packing interleaves four folds by fours of lanes.
std::int64_t byte_of(std::int64_t fold, std::int64_t lane) noexcept {
  return fold / 4 * kDlrmStep + lane / 4 * 16 + fold % 4 * 4 + lane % 4;
}

}  // namespace

DotFolds fold_dots(std::int64_t vectors, bool with_self) {
  DotFolds result;
  const std::int64_t self = with_self ? 1 : 0;
  const auto product = [&](std::int64_t i, std::int64_t j) {
    return static_cast<std::size_t>(i * (i - 1) / 2 + i * self + j);
  };
  result.places.resize(product(vectors, 0));
  const auto place = [&](const Piece& piece, std::int64_t lane) {
    for (std::int64_t l = 0; l < piece.count; ++l)
      result.places[product(piece.i, piece.first + l)] = byte_of(std::ssize(result.folds), lane + l);
  };
  std::vector<Piece> left = pieces_of(vectors, with_self);
  while (!left.empty()) {
    const Piece piece = left.front();
    left.erase(left.begin());
    place(piece, 0);
    DlrmFold fold{0, static_cast<std::int32_t>(piece.offset()), 0};
    // The longest piece that fits behind it.
    const auto second = std::find_if(left.begin(), left.end(),
                                     [&](const Piece& other) { return other.count <= 16 - piece.count; });
    if (second != left.end()) {
      place(*second, piece.count);
      fold.masked = static_cast<std::int32_t>(second->offset() - piece.count);
      fold.mask = 0xFFFFU & ~((1U << piece.count) - 1U);
      left.erase(second);
    }
    result.folds.push_back(fold);
  }
  result.folds.resize((result.folds.size() + 3) / 4 * 4, DlrmFold{0, 0, 0});
  return result;
}

}  // namespace octavo
