#include "engine/session/dlrm/dot_folds.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <optional>
#include <span>

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

/// Takes out a longest piece of at most `most` that `fits`.
template <class Fits>
std::optional<Piece> take_longest(Pieces& pieces, std::int64_t most, const Fits& fits) {
  for (std::int64_t count = most; count > 0; --count) {
    std::vector<Piece>& same = pieces[static_cast<std::size_t>(count)];
    if (same.empty() || !fits(count)) continue;
    const Piece piece = same.back();
    same.pop_back();
    return piece;
  }
  return std::nullopt;
}

/// The pieces of a fold: a longest one, and what with it fills whole quads of lanes, if they are not whole.
std::vector<Piece> take_fold(Pieces& pieces) {
  const auto any = [](std::int64_t /*count*/) { return true; };
  const auto first = take_longest(pieces, 16, any);
  if (!first) return {};
  const std::int64_t most = 16 - first->count;
  auto second = take_longest(pieces, most, [&](std::int64_t n) { return (first->count + n) % 4 == 0; });
  if (!second && first->count % 4 != 0) second = take_longest(pieces, most, any);
  return second ? std::vector{*first, *second} : std::vector{*first};
}

std::int64_t lanes(const std::vector<Piece>& fold) noexcept {
  return std::accumulate(fold.begin(), fold.end(), std::int64_t{0},
                         [](std::int64_t sum, const Piece& piece) { return sum + piece.count; });
}

std::int64_t used_quads(const DlrmFold& fold) noexcept { return (std::popcount(fold.used) + 3) / 4; }

/// Of the dwords that packing four folds leaves, quad 4 * L + v being number L of fold v, those with products
/// first.
void append_order(std::span<const DlrmFold> four, std::vector<std::int32_t>& order) {
  const auto begin = std::ssize(order);
  for (std::int32_t v = 0; v < 4; ++v)
    for (std::int32_t l = 0; l < 4; ++l) order.push_back(4 * l + v);
  std::stable_partition(order.begin() + begin, order.end(), [&](std::int32_t quad) {
    return quad / 4 < used_quads(four[static_cast<std::size_t>(quad % 4)]);
  });
}

}  // namespace

DotFolds fold_dots(std::int64_t vectors, bool with_self) {
  Pieces pieces = pieces_of(vectors, with_self);
  std::vector<std::vector<Piece>> parts;
  for (auto fold = take_fold(pieces); !fold.empty(); fold = take_fold(pieces)) parts.push_back(fold);
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return lanes(a) > lanes(b); });

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
  const auto lanes_below = [](std::int64_t lane) { return (1U << lane) - 1U; };
  for (const std::vector<Piece>& part : parts) {
    const Piece& first = part.front();
    place(first, 0);
    DlrmFold fold{0, static_cast<std::int32_t>(first.offset()), 0, lanes_below(lanes(part))};
    if (part.size() > 1) {
      place(part[1], first.count);
      fold.masked = static_cast<std::int32_t>(part[1].offset() - first.count);
      fold.mask = 0xFFFFU & ~lanes_below(first.count);
    }
    result.folds.push_back(fold);
  }
  result.folds.resize((result.folds.size() + 3) / 4 * 4, DlrmFold{0, 0, 0, 0});
  for (std::size_t i = 0; i < result.folds.size(); i += 4)
    append_order(std::span(result.folds).subspan(i, 4), result.quad_order);
  return result;
}

}  // namespace octavo
