#include "engine/session/dlrm/dot_folds.h"

#include <algorithm>
#include <array>
#include <optional>

namespace octavo {
namespace {

/// The products of vector `i` with 16 j-vectors from `first` on: a row of a tile of sums.
struct Piece {
  std::int64_t i, first, count;
  [[nodiscard]] std::int64_t offset() const noexcept {
    return (dlrm_dot_tiles(i / 16) + first / 16) * 256 + i % 16 * 16;
  }
};

/// Pieces by their count.
using Pieces = std::array<std::vector<Piece>, 17>;

Pieces pieces_of(std::int64_t vectors, bool with_self) {
  Pieces pieces;
  for (std::int64_t i = 0; i < vectors; ++i) {
    const std::int64_t all = i + (with_self ? 1 : 0);
    for (std::int64_t first = 0; first < all; first += 16) {
      const std::int64_t count = std::min<std::int64_t>(16, all - first);
      pieces[static_cast<std::size_t>(count)].push_back({i, first, count});
    }
  }
  return pieces;
}

/// Takes out a longest piece of at most `most`.
std::optional<Piece> take_longest(Pieces& pieces, std::int64_t most) {
  for (auto count = static_cast<std::size_t>(most); count > 0; --count) {
    if (pieces[count].empty()) continue;
    const Piece piece = pieces[count].back();
    pieces[count].pop_back();
    return piece;
  }
  return std::nullopt;
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
      result.places[product(piece.i, piece.first + l)] = std::ssize(result.folds) * 16 + lane + l;
  };
  Pieces pieces = pieces_of(vectors, with_self);
  while (const auto first = take_longest(pieces, 16)) {
    place(*first, 0);
    const auto lanes_below = [](std::int64_t lane) { return (1U << lane) - 1U; };
    DlrmFold fold{0, static_cast<std::int32_t>(first->offset()), 0, lanes_below(first->count)};
    if (const auto second = take_longest(pieces, 16 - first->count)) {
      place(*second, first->count);
      fold.masked = static_cast<std::int32_t>(second->offset() - first->count);
      fold.mask = 0xFFFFU & ~fold.used;
      fold.used = lanes_below(first->count + second->count);
    }
    result.folds.push_back(fold);
  }
  result.folds.resize((result.folds.size() + 3) / 4 * 4, DlrmFold{0, 0, 0, 0});
  return result;
}

}  // namespace octavo
