#pragma once
#include <optional>
#include <string_view>

namespace octavo {

/// Instruction sets that kernels are written for, as they are forced with OCTAVO_ISA. Each implies the ones
/// it builds on: avx_vnni and avx512 imply avx2, avx512_vnni implies avx512, amx_int8 implies avx512_vnni;
/// all imply generic.
enum class Isa { generic, avx2, avx_vnni, avx512, avx512_vnni, amx_int8 };

inline constexpr Isa kAllIsas[] = {Isa::generic, Isa::avx2,        Isa::avx_vnni,
                                   Isa::avx512,  Isa::avx512_vnni, Isa::amx_int8};

/// "generic", "avx2", ...
std::string_view isa_name(Isa isa) noexcept;
/// The inverse; nothing for an unknown name.
std::optional<Isa> parse_isa(std::string_view name) noexcept;
/// Whether code for `needed` may run where `have` is the level in use.
bool implies(Isa have, Isa needed) noexcept;

}  // namespace octavo
