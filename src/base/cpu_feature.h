#pragma once
#include <string_view>

namespace octavo {

/// Instructions beside the order of Isa: some CPUs of a level have them. avx512_bf16 goes with avx512_vnni,
/// amx_bf16 with amx_int8 and avx512_bf16.
enum class CpuFeature { none, avx512_bf16, amx_bf16 };

inline constexpr CpuFeature kAllCpuFeatures[] = {CpuFeature::avx512_bf16, CpuFeature::amx_bf16};

/// "none", "avx512_bf16", "amx_bf16".
std::string_view feature_name(CpuFeature feature) noexcept;

}  // namespace octavo
