#include "bench/profile_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace octavo::bench {
namespace {

constexpr int kFamilyColours = 8;

std::string tip(const StepProfile& step) {
  std::string text =
      fmt::format("{}\n{}\n{:.1f} us ({:.1f} %)", step.info.origin.empty() ? step.family : step.info.origin,
                  step.info.problem, step.median_us, 100 * step.share);
  if (step.cost.macs > 0) {
    text +=
        fmt::format(", {:.3g} TOPS ({:.0f} % of peak)", step.ops_per_second * 1e-12, 100 * step.ops_fraction);
  }
  text += fmt::format(", {:.3g} GB/s\nkernel {}", step.bytes_per_second * 1e-9, step.info.kernel);
  return "<title>" + escaped(text) + "</title>";
}

/// A logarithmic axis from `low` to `high` on pixels `begin` to `end`.
struct LogAxis {
  double low, high, begin, end;
  [[nodiscard]] double at(double value) const {
    const double share = std::log(std::clamp(value, low, high) / low) / std::log(high / low);
    return begin + share * (end - begin);
  }
};

constexpr double kWidth = 920, kHeight = 440, kLeft = 70, kRight = 20, kTop = 16, kBottom = 46;

struct Roofline {
  LogAxis x, y;
};

/// Axes that hold all points and roofs, in whole powers of ten.
Roofline axes_of(const Profile& p) {
  double least_x = 1, most_x = 1000, least_y = 1e9, most_y = 1e10;
  for (const StepProfile& step : p.steps) {
    if (step.cost.macs == 0) continue;
    const double intensity = 2.0 * static_cast<double>(step.cost.macs) /
                             static_cast<double>(std::max<std::int64_t>(step.cost.bytes, 1));
    least_x = std::min(least_x, intensity), most_x = std::max(most_x, intensity);
    least_y = std::min(least_y, step.ops_per_second), most_y = std::max(most_y, step.ops_per_second);
  }
  most_y = std::max({most_y, p.peaks.int8_ops_per_second, p.peaks.f32_ops_per_second});
  const auto down = [](double v) { return std::pow(10, std::floor(std::log10(v))); };
  const auto up = [](double v) { return std::pow(10, std::ceil(std::log10(v))); };
  return {{down(least_x), up(most_x), kLeft, kWidth - kRight},
          {down(least_y), up(most_y), kHeight - kBottom, kTop}};
}

std::string rate_text(double ops) {
  return ops >= 1e12 ? fmt::format("{:g} TOPS", ops * 1e-12) : fmt::format("{:g} GOPS", ops * 1e-9);
}

std::string grid(const Roofline& r) {
  std::string svg;
  for (double v = r.x.low; v <= r.x.high * 1.01; v *= 10) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>",
        r.x.at(v), kTop, kHeight - kBottom, kHeight - kBottom + 16, v);
  }
  for (double v = r.y.low; v <= r.y.high * 1.01; v *= 10) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{1}\" x2=\"{2}\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        r.y.at(v), kLeft, kWidth - kRight, kLeft - 6, r.y.at(v) + 4, rate_text(v));
  }
  return svg + fmt::format(
                   "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">operations a byte of operands and "
                   "result</text>",
                   (kLeft + kWidth - kRight) / 2, kHeight - 8);
}

/// A roof: bytes a second times operations a byte, up to the arithmetic peak.
std::string slope(const Roofline& r, double bytes_per_second, double peak, const char* name) {
  if (bytes_per_second <= 0 || peak <= 0) return "";
  const double from = std::max(r.x.low, r.y.low / bytes_per_second),
               to = std::min(r.x.high, peak / bytes_per_second);
  if (from >= to) return "";
  return fmt::format(
      "<line class=\"roof\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>"
      "<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{} {:.0f} GB/s</text>",
      r.x.at(from), r.y.at(from * bytes_per_second), r.x.at(to), r.y.at(to * bytes_per_second),
      r.x.at(from) + 6, r.y.at(from * bytes_per_second) - 8, name, bytes_per_second * 1e-9);
}

std::string ceiling(const Roofline& r, double peak, const std::string& name) {
  if (peak <= 0) return "";
  return fmt::format(
      "<line class=\"roof\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>"
      "<text class=\"label\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{} {:.2f} TOPS</text>",
      kLeft, r.y.at(peak), kWidth - kRight, r.y.at(peak), kWidth - kRight - 4, r.y.at(peak) - 5,
      escaped(name), peak * 1e-12);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string family_class(const Profile& profile, const std::string& family) {
  std::set<std::string> families;
  for (const StepProfile& step : profile.steps) families.insert(step.family);
  return "f" + std::to_string(std::distance(families.begin(), families.find(family)) % kFamilyColours);
}

std::string roofline_svg(const Profile& p) {
  const Roofline r = axes_of(p);
  const double peak = std::max(p.peaks.int8_ops_per_second, p.peaks.f32_ops_per_second);
  std::string svg =
      fmt::format("<svg class=\"roofline\" viewBox=\"0 0 {} {}\" role=\"img\">", kWidth, kHeight) + grid(r);
  svg += slope(r, p.peaks.memory_bytes_per_second, peak, "memory");
  svg += slope(r, p.peaks.l2_bytes_per_second, peak, "L2");
  svg += ceiling(r, p.peaks.int8_ops_per_second, fmt::format("{} 8-bit peak", isa_name(p.peaks.isa)));
  svg += ceiling(r, p.peaks.f32_ops_per_second, "f32 peak");
  for (const StepProfile& step : p.steps) {
    if (step.cost.macs == 0) continue;
    const double intensity = 2.0 * static_cast<double>(step.cost.macs) /
                             static_cast<double>(std::max<std::int64_t>(step.cost.bytes, 1));
    svg += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\">{}</circle>",
                       family_class(p, step.family), r.x.at(intensity), r.y.at(step.ops_per_second),
                       3 + 60 * std::sqrt(step.share) / 5, tip(step));
  }
  return svg + "</svg>";
}

std::string timeline_svg(const Profile& p) {
  constexpr double kLane = 30, kGap = 8, kAxis = 24;
  const double height = p.threads * (kLane + kGap) + kAxis;
  const double scale = (kWidth - kLeft - kRight) / std::max(p.median_run_us * 1e3, 1.0);
  std::string svg =
      fmt::format("<svg class=\"timeline\" viewBox=\"0 0 {} {}\" role=\"img\">", kWidth, height);
  for (int thread = 0; thread < p.threads; ++thread) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">thread {}</text>", kLeft - 6,
                       thread * (kLane + kGap) + 20, thread);
  }
  const auto box = [&](const StepEvent& e, std::int64_t begin, std::int64_t end, const std::string& look,
                       const std::string& title) {
    svg += fmt::format("<rect class=\"{}\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\">{}</rect>",
                       look, kLeft + static_cast<double>(begin) * scale, e.thread * (kLane + kGap),
                       std::max(static_cast<double>(end - begin) * scale, 0.05), kLane, title);
  };
  for (const StepEvent& e : p.timeline) {
    const StepProfile& step = p.steps[static_cast<std::size_t>(e.step)];
    box(e, e.begin_ns, e.done_ns, family_class(p, step.family), tip(step));
    if (e.end_ns > e.done_ns) box(e, e.done_ns, e.end_ns, "wait", "<title>waits for the others</title>");
  }
  for (int tenth = 0; tenth <= 10; ++tenth) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{:.2f} ms</text>",
                       kLeft + tenth * (kWidth - kLeft - kRight) / 10, height - 6,
                       tenth < 10 ? "middle" : "end", p.median_run_us * 1e-4 * tenth);
  }
  return svg + "</svg>";
}

std::string graph_svg(const Profile& p) {
  constexpr double kRow = 26, kBox = 20, kCentre = 330, kWidest = 560, kNarrowest = 30;
  const auto count = static_cast<double>(p.steps.size());
  double most = 1e-9;
  for (const StepProfile& step : p.steps) most = std::max(most, step.share);
  std::string svg =
      fmt::format("<svg class=\"graph\" viewBox=\"0 0 {} {}\" role=\"img\">", kWidth, count * kRow + 10);
  for (std::size_t s = 0; s < p.steps.size(); ++s) {
    const double y = static_cast<double>(s) * kRow + 4;
    for (std::int32_t from : p.steps[s].reads) {
      const double start = from * kRow + 4 + kBox;
      const auto rows = static_cast<double>(static_cast<std::int32_t>(s) - from);
      // The step before is read straight down, others around the boxes between.
      const double bend = rows <= 1 ? 0 : std::min(30 + 10 * rows, 280.0);
      svg += fmt::format("<path class=\"edge\" d=\"M{0} {1} C{2} {1} {2} {3} {0} {3}\"/>", kCentre, start,
                         kCentre - bend * 1.33, y);
    }
  }
  for (std::size_t s = 0; s < p.steps.size(); ++s) {
    const StepProfile& step = p.steps[s];
    const double y = static_cast<double>(s) * kRow + 4;
    const double width = kNarrowest + (kWidest - kNarrowest) * step.share / most;
    const std::string label = step.info.origin.empty() ? step.family : step.info.origin;
    svg += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" rx=\"3\">{}</rect>"
        "<text x=\"{}\" y=\"{:.1f}\">{} · {:.1f} µs · {}</text>",
        family_class(p, step.family), kCentre - width / 2, y, width, kBox, tip(step),
        kCentre + kWidest / 2 + 10, y + 14, escaped(label), step.median_us, escaped(step.info.kernel));
  }
  return svg + "</svg>";
}

}  // namespace octavo::bench
