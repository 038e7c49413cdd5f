#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "engine/kernels/constant_size.h"
#include "engine/kernels/copy/fill.h"
#include "engine/kernels/copy/rows.h"

namespace octavo {
namespace {

/// Leaves out extents of one element and merges those that x has one after the other without a gap, so that
/// lines get long; then puts an extent of 1 in front where less than two are left.
CopyProblem merged(const CopyProblem& p) {
  CopyProblem m = p;
  m.dims.clear(), m.x_strides.clear(), m.begin.clear(), m.count.clear();
  for (std::size_t d = 0; d < p.dims.size(); ++d) {
    if (p.dims[d] == 1 && p.count[d] == 1) continue;
    const bool is_whole = p.begin[d] == 0 && p.count[d] == p.dims[d];
    if (is_whole && !m.dims.empty() && m.x_strides.back() == p.dims[d] * p.x_strides[d]) {
      m.dims.back() *= p.dims[d], m.begin.back() *= p.dims[d], m.count.back() *= p.dims[d];
      m.x_strides.back() = p.x_strides[d];
    } else {
      m.dims.push_back(p.dims[d]), m.x_strides.push_back(p.x_strides[d]);
      m.begin.push_back(p.begin[d]), m.count.push_back(p.count[d]);
    }
  }
  while (m.dims.size() < 2) {
    m.dims.insert(m.dims.begin(), 1), m.x_strides.insert(m.x_strides.begin(), 0);
    m.begin.insert(m.begin.begin(), 0), m.count.insert(m.count.begin(), 1);
  }
  return m;
}

/// Walks y line by line along the innermost extent: filling, elements of x (one memcpy where they are
/// neighbours), filling.
class CopyRuns final : public Prepared {
 public:
  CopyRuns(const CopyProblem& problem, const Operands& operands)
      : p_(merged(problem)), fill_(fill_bytes(problem, operands)) {
    planes_ = std::accumulate(p_.dims.begin(), p_.dims.end() - 2, std::int64_t{1}, std::multiplies<>());
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::size_t inner = p_.dims.size() - 1;
    const std::int64_t lines = p_.dims[inner - 1];
    if (p_.dims[inner] == 0) return;
    const auto range = share.of(planes_ * lines * args.batch);
    for (std::int64_t line = range.begin; line < range.end;) {
      const std::int64_t first = line % lines;
      const std::int64_t count = std::min(lines - first, range.end - line);
      copy_lines(args, line / lines, first, count);
      line += count;
    }
  }

 private:
  /// Lines [first, first + count) of a plane: all extents but the last two.
  void copy_lines(const KernelArgs& args, std::int64_t plane, std::int64_t first,
                  std::int64_t count) const noexcept {
    const std::size_t inner = p_.dims.size() - 1, outer = inner - 1;
    std::int64_t from = p_.x_offset + plane / planes_ * p_.x_batch_stride;
    std::int64_t rest = plane % planes_;
    bool is_inside = true;
    for (std::size_t d = outer; d-- > 0; rest /= p_.dims[d]) {
      const std::int64_t at = rest % p_.dims[d] - p_.begin[d];
      is_inside = is_inside && at >= 0 && at < p_.count[d];
      from += at * p_.x_strides[d];
    }
    std::byte* to = args.output + (plane * p_.dims[outer] + first) * p_.dims[inner] * p_.bytes;
    const std::int64_t begin = std::clamp(p_.begin[outer], first, first + count);
    const std::int64_t end =
        is_inside ? std::clamp(p_.begin[outer] + p_.count[outer], begin, first + count) : begin;
    to = fill(to, (begin - first) * p_.dims[inner]);
    const std::int64_t stride = p_.x_strides[outer] * p_.bytes;
    to = copy_filled(args.inputs[0] + from * p_.bytes + (begin - p_.begin[outer]) * stride, stride,
                     end - begin, to);
    fill(to, (first + count - end) * p_.dims[inner]);
  }

  /// `lines` lines that have elements, `stride` bytes from one to the next of x; returns where the next one
  /// goes.
  std::byte* copy_filled(const std::byte* from, std::int64_t stride, std::int64_t lines,
                         std::byte* to) const noexcept {
    // In variables of their own: stored bytes could be members.
    const std::int64_t count = p_.count.back(), bytes = count * p_.bytes, x_stride = p_.x_strides.back();
    const int value = static_cast<int>(fill_[0]);
    const std::int64_t before = count > 0 ? p_.begin.back() : 0, behind = p_.dims.back() - before - count;
    if (lines == 0) return to;
    // What is filled between two lines.
    const std::int64_t gap = before + behind, step = bytes + gap * p_.bytes;
    const auto take_lines = [&](const auto& take, const auto& fill_gap) {
      to = fill(to, before);
      for (; lines > 1; --lines, from += stride, to += step) {
        take(from, to);
        fill_gap(to + bytes);
      }
      take(from, to);
      to = fill(to + bytes, behind);
    };
    const auto fill_any = [&](std::byte* at) { fill(at, gap); };
    if (x_stride != 1) {
      take_lines([&](const std::byte* x, std::byte* y) { copy_elements(x, y, count, x_stride); }, fill_any);
      return to;
    }
    with_constant_size(bytes, [&](auto size) {
      const auto take = [size](const std::byte* x, std::byte* y) { std::memcpy(y, x, size); };
      if (p_.bytes != 1 || gap == 0) return take_lines(take, fill_any);
      with_constant_size(gap, [&](auto gap_size) {
        take_lines(take, [value, gap_size](std::byte* at) { std::memset(at, value, gap_size); });
      });
    });
    return to;
  }

  /// Returns where the next element goes.
  std::byte* fill(std::byte* to, std::int64_t count) const noexcept {
    if (p_.bytes == 1) {
      const int value = static_cast<int>(fill_[0]);
      if (count > 0) with_constant_size(count, [&](auto bytes) { std::memset(to, value, bytes); });
    } else {
      for (std::int64_t i = 0; i < count; ++i) {
        std::memcpy(to + i * p_.bytes, fill_.data(), static_cast<std::size_t>(p_.bytes));
      }
    }
    return to + count * p_.bytes;
  }

  void copy_elements(const std::byte* from, std::byte* to, std::int64_t count,
                     std::int64_t stride) const noexcept {
    switch (p_.bytes) {
      case 1:
        return strided<1>(from, to, count, stride);
      case 2:
        return strided<2>(from, to, count, stride);
      case 4:
        return strided<4>(from, to, count, stride);
      default:
        return strided<8>(from, to, count, stride);
    }
  }

  template <std::int64_t kBytes>
  static void strided(const std::byte* from, std::byte* to, std::int64_t count,
                      std::int64_t stride) noexcept {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * kBytes, from + i * stride * kBytes, kBytes);
  }

  CopyProblem p_;
  std::array<std::byte, 8> fill_;
  std::int64_t planes_ = 1;
};

}  // namespace

Support copy_runs_supports(const CopyProblem& problem) noexcept {
  return problem.dims.empty() ? Support::no("a single element") : Support::yes();
}

std::unique_ptr<Prepared> prepare_copy_runs(const CopyProblem& problem, const Operands& operands) {
  return std::make_unique<CopyRuns>(problem, operands);
}

}  // namespace octavo
