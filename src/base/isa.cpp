#include "base/isa.h"

#include <array>
#include <cstddef>

namespace octavo {
namespace {

constexpr std::array<std::string_view, 6> kNames{"generic", "avx2",        "avx_vnni",
                                                 "avx512",  "avx512_vnni", "amx_int8"};

}  // namespace

std::string_view isa_name(Isa isa) noexcept { return kNames[static_cast<std::size_t>(isa)]; }

std::optional<Isa> parse_isa(std::string_view name) noexcept {
  for (Isa isa : kAllIsas) {
    if (isa_name(isa) == name) return isa;
  }
  return std::nullopt;
}

bool implies(Isa have, Isa needed) noexcept {
  if (have == needed || needed == Isa::generic) return true;
  switch (have) {
    case Isa::generic:
    case Isa::avx2:
      return false;
    case Isa::avx_vnni:
    case Isa::avx512:
      return needed == Isa::avx2;
    case Isa::avx512_vnni:
      return implies(Isa::avx512, needed);
    case Isa::amx_int8:
      return implies(Isa::avx512_vnni, needed);
  }
  return false;
}

}  // namespace octavo
